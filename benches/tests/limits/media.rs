//! RTP streams, and session descriptions.

use crate::{KIB, MIB, heap::growth, stack::session};
use media::{Codec, Config, Engine, FeedbackKinds, MediaKind, Payload, ReceiveStreamConfig, WallClock};
use peerconnection::{Description, bytes::BytesMut};
use rtp::PayloadType;
use std::time::{Duration, Instant};
use testkit::Seed;

fn engine(now: Instant) -> Engine {
    let wall = WallClock::new(now, Duration::from_secs(1_800_000_000));
    let mut engine = Engine::new(Config::new(), wall, now, Seed::new(6).boxed_random("media"));
    let payload = PayloadType::new(96).expect("seven bits");
    let config =
        ReceiveStreamConfig::new(MediaKind::Video, vec![Payload::media(payload, Codec::Vp8, 90_000)])
            .with_feedback(FeedbackKinds::none().with_nack().with_pli());
    engine.add_receiver(now, config);
    engine
}

fn rtp(ssrc: u32, number: u16, payload: &[u8]) -> BytesMut {
    let mut packet = BytesMut::new();
    packet.extend_from_slice(&[0x80, 96]);
    packet.extend_from_slice(&number.to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 1]);
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

/// Every second packet is missing, of as many sources as a receiver may have: the lists of what is missing end, and so do the
/// buffers behind the gaps.
#[test]
fn missing_packets_are_bounded() {
    let now = testkit::start();
    let mut engine = engine(now);
    let (held, most) = growth(|| {
        let mut most = 0;
        for ssrc in 0..400 {
            for number in (0..4_000).step_by(2) {
                // The middle of a frame that never ends.
                engine.handle_rtp(now, now, rtp(ssrc, number, &[0, 1, 2, 3]));
            }
            let mut out = Vec::new();
            engine.handle_timeout(now + Duration::from_millis(u64::from(ssrc)));
            while engine.poll_rtcp(now + Duration::from_millis(u64::from(ssrc)), &mut out).is_some() {
                most = most.max(out.len());
                out.clear();
            }
            while engine.poll_event().is_some() {}
        }
        most
    });
    println!("400 sources with every second packet missing: {held} bytes, feedback of {most} bytes at most");
    assert!(most <= 1_200);
    assert!((KIB..=6 * MIB).contains(&held), "{held}");
}

/// Frames nobody fetches, of one source: what waits has a limit in bytes.
#[test]
fn frames_nobody_fetches_are_bounded() {
    let now = testkit::start();
    let mut engine = engine(now);
    let (held, ()) = growth(|| {
        for number in 0..20_000_u16 {
            let at = now + Duration::from_millis(u64::from(number));
            // A VP8 frame in one packet, marked as its end.
            let mut packet = rtp(1, number, &[0x10, 0x10, 2, 0, 0x9d, 1, 0x2a, 64, 1, 240, 0]);
            packet[1] |= 0x80;
            packet[4..8].copy_from_slice(&(u32::from(number) * 3_000).to_be_bytes());
            packet.resize(1_100, 7);
            engine.handle_rtp(at, at, packet);
            while engine.poll_event().is_some() {}
        }
    });
    println!("frames nobody fetches: {held} bytes");
    assert!((64 * KIB..=5 * MIB).contains(&held), "{held}");
}

/// Descriptions of the largest size and number of lines, in several shapes: what reading holds, and that more is refused.
#[test]
fn descriptions_are_bounded() {
    const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";
    let filled = |line: &str| {
        let mut text = HEAD.to_owned();
        while text.len() + line.len() <= 1 << 20 && text.lines().count() < 19_990 {
            // In pieces: counting lines is slow.
            for _ in 0..200 {
                text.push_str(line);
            }
        }
        while text.len() > 1 << 20 || text.lines().count() > 20_000 {
            text.truncate(text.len() - line.len());
        }
        text
    };
    for line in [
        "a=d\r\n",
        "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n",
        "a=ssrc:1 cname:x\r\n",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n",
        "a=fmtp:96 a=1;b=2;c=3\r\n",
        "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n",
    ] {
        let text = filled(line);
        let (held, parsed) = growth(|| sdp::Description::parse(&text));
        let shape = line.trim_end();
        println!(
            "{} bytes of {shape:?}: {held} bytes held, {}",
            text.len(),
            if parsed.is_ok() { "read" } else { "refused" }
        );
        assert!(held <= 16 * MIB, "{shape:?}: {held}");
        drop(parsed);
        // A session that is offered it: refused or answered, and then gone.
        let now = testkit::start();
        let (held, session) = growth(|| {
            let mut session = session(now, "sdp", "192.0.2.1:5000");
            if let Ok(offer) = Description::offer(&text) {
                drop(session.set_remote_description(now, offer));
            }
            session
        });
        assert!(held <= 32 * MIB, "{shape:?}: a session with {held}");
        drop(session);
    }
    let (held, refused) = growth(|| sdp::Description::parse(&format!("{HEAD}{}", "a=x\r\n".repeat(300_000))));
    assert!(refused.is_err());
    drop(refused);
    assert!(held <= KIB, "refused by its size: {held}");
}
