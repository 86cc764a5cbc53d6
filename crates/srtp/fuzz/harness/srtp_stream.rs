//! Streams of several sources behind null cryptography: loss, repetition, disorder, jumps, roll-over, changed bytes.

use srtp::{Config, Profile, Protector, Ssrc, Unprotector};
use testkit::fuzz::{Input, null_crypto, reached};

/// Streams that both ends may keep.
const MOST_SSRCS: usize = 4;
const PROFILES: [Profile; 3] =
    [Profile::AeadAes128Gcm, Profile::Aes128CmHmacSha1_80, Profile::Aes128CmHmacSha1_32];

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let profile = input.pick(&PROFILES);
    let window = 64 << (input.u8() & 3);
    let config = || Config::new().with_max_ssrcs(MOST_SSRCS).with_rtp_window(window);
    let (key, salt) = (vec![7; profile.key_len()], vec![9; profile.salt_len()]);
    let mut protector = Protector::new(&null_crypto(), profile, &key, &salt, config())
        .expect("invariant: the provider has all");
    let mut unprotector = Unprotector::new(&null_crypto(), profile, &key, &salt, config())
        .expect("invariant: the provider has all");
    let mut wire: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for _ in 0..300 {
        if input.is_empty() {
            break;
        }
        let code = input.u8();
        let is_rtcp = code & 1 == 1;
        match code >> 1 & 7 {
            0..=2 => {
                let clear = packet(&mut input, is_rtcp);
                let mut out = b"before".to_vec();
                out.extend_from_slice(&clear);
                let protected = if is_rtcp {
                    protector.protect_rtcp(&mut out, 6)
                } else {
                    protector.protect_rtp(&mut out, 6)
                };
                assert!(out.starts_with(b"before"), "what was there is not touched");
                match protected {
                    Ok(()) => {
                        assert!(out.len() - 6 <= clear.len() + profile.max_overhead());
                        wire.push((clear, out.split_off(6)));
                    }
                    Err(_) => assert_eq!(out[6..], clear, "an error changes nothing"),
                }
            }
            3 | 4 => {
                // As it was, whether for the first time or not.
                let which = input.u8();
                let Some((clear, sent)) = wire.get(usize::from(which) % wire.len().max(1)) else { continue };
                let mut received = sent.clone();
                if let Some(len) = open(&mut unprotector, &mut received) {
                    reached("as it was");
                    assert_eq!(received[..len], *clear, "what comes out is what went in");
                    let mut again = sent.clone();
                    assert_eq!(open(&mut unprotector, &mut again), None, "T-S03: it is taken once");
                }
            }
            5 => {
                let which = input.u8();
                let Some((_, sent)) = wire.get(usize::from(which) % wire.len().max(1)) else { continue };
                let mut changed = sent.clone();
                let at = input.below(changed.len());
                if let Some(byte) = changed.get_mut(at) {
                    *byte ^= input.u8();
                }
                changed.truncate(changed.len() - usize::from(input.u8() & 3).min(changed.len()));
                if open(&mut unprotector, &mut changed).is_some() {
                    reached("changed");
                }
            }
            6 => {
                if open(&mut unprotector, &mut input.chunk().to_vec()).is_some() {
                    reached("made up");
                }
            }
            _ => {
                let (ssrc, rollover) = (Ssrc(u32::from(input.u8() & 7)), input.u32());
                if unprotector.expect_rollover(ssrc, rollover).is_ok() {
                    assert_eq!(unprotector.rollover(ssrc), None, "for streams that have not been heard");
                }
            }
        }
        let rollovers: Vec<u32> = (0..=255).filter_map(|ssrc| unprotector.rollover(Ssrc(ssrc))).collect();
        if rollovers.iter().any(|count| *count > 0) {
            reached("rolled over");
        }
        let known = rollovers.len();
        assert!(known <= MOST_SSRCS, "{known} streams are kept");
    }
}

/// The length of the packet in clear text, if it was accepted.
fn open(unprotector: &mut Unprotector, packet: &mut [u8]) -> Option<usize> {
    let is_rtcp = packet.get(1).is_some_and(|byte| (192..=223).contains(byte));
    let opened = if is_rtcp { unprotector.unprotect_rtcp(packet) } else { unprotector.unprotect_rtp(packet) };
    let len = opened.ok()?;
    assert!(len <= packet.len());
    Some(len)
}

fn packet(input: &mut Input<'_>, is_rtcp: bool) -> Vec<u8> {
    let ssrc = [0, 0, 0, input.u8() & 7];
    if is_rtcp {
        let mut packet = vec![0x80, 201, 0, 1];
        packet.extend_from_slice(&ssrc);
        packet.extend_from_slice(input.chunk());
        return packet;
    }
    let form = input.u8();
    let mut packet = vec![0x80 | form & 0x13, form >> 5 | 96];
    packet.extend_from_slice(&input.u16().to_be_bytes());
    packet.extend_from_slice(&[0; 4]);
    packet.extend_from_slice(&ssrc);
    packet.extend_from_slice(input.chunk());
    packet
}
