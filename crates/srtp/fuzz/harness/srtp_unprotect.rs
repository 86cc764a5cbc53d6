//! Any bytes as SRTP and SRTCP, with real cryptography: what a stranger can do, which is nothing.

use crypto::rustcrypto::provider;
use srtp::{Config, Profile, Ssrc, Unprotector};
use testkit::fuzz::{Input, reached};

const PROFILES: [Profile; 4] = [
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
    Profile::Aes128CmHmacSha1_80,
    Profile::Aes128CmHmacSha1_32,
];

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let profile = input.pick(&PROFILES);
    let (key, salt) = (vec![7; profile.key_len()], vec![9; profile.salt_len()]);
    let mut unprotector = Unprotector::new(&provider(), profile, &key, &salt, Config::new())
        .expect("invariant: the provider has all algorithms");
    let mut packets = 0;
    while !input.is_empty() {
        let mut packet = input.chunk().to_vec();
        let copy = packet.clone();
        packets += 2;
        assert!(unprotector.unprotect_rtp(&mut packet).is_err(), "a tag out of nothing");
        packet.copy_from_slice(&copy);
        assert!(unprotector.unprotect_rtcp(&mut packet).is_err(), "a tag out of nothing");
        // I1: nothing is kept before a tag was right.
        if let Some(ssrc) = copy.get(8..12).and_then(|bytes| bytes.try_into().ok()) {
            assert_eq!(unprotector.rollover(Ssrc(u32::from_be_bytes(ssrc))), None);
        }
    }
    let stats = unprotector.stats();
    assert_eq!((stats.rtp_packets, stats.rtcp_packets, stats.streams), (0, 0, 0));
    assert_eq!(stats.malformed + stats.unauthentic, packets, "each is counted once, by why it was refused");
    if stats.unauthentic > 0 {
        reached("tag");
    }
}
