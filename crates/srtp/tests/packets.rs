//! Whole packets with master keys, as libsrtp 2 and an independent implementation protect them.

#[path = "common/pair.rs"]
mod pair;

use pair::{hex, provider};
use srtp::{Config, Position, Profile, Protector, Ssrc, Unprotector};

const SSRC: Ssrc = Ssrc(0xcafe_babe);
const RTP: &str = "800f1234decafbadcafebabeabababababababababababababababab";
const RTCP: &str = "81c8000bcafebabeabababababababababababababababab";

struct Vector {
    profile: Profile,
    key: &'static str,
    salt: &'static str,
    /// Roll-over 0.
    rtp: &'static str,
    /// The same packet in roll-over 2.
    rtp_later: &'static str,
    /// SRTCP index 1.
    rtcp: &'static str,
}

const VECTORS: &[Vector] = &[
    Vector {
        profile: Profile::Aes128CmHmacSha1_80,
        key: "e1f97a0d3e018be0d64fa32c06de4139",
        salt: "0ec675ad498afeebb6960b3aabe6",
        rtp: "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
        rtp_later: "800f1234decafbadcafebabeb7b1f926d2e2316775b3d8f3197b194b13616174bc06be9798ab",
        rtcp: "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798",
    },
    Vector {
        profile: Profile::Aes128CmHmacSha1_32,
        key: "e1f97a0d3e018be0d64fa32c06de4139",
        salt: "0ec675ad498afeebb6960b3aabe6",
        rtp: "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc",
        rtp_later: "800f1234decafbadcafebabeb7b1f926d2e2316775b3d8f3197b194b13616174",
        rtcp: "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798",
    },
    Vector {
        profile: Profile::AeadAes128Gcm,
        key: "000102030405060708090a0b0c0d0e0f",
        salt: "a0a1a2a3a4a5a6a7a8a9aaab",
        rtp: "800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392",
        rtp_later: "800f1234decafbadcafebabe11a6caccac2e2fc196827ec05cd6c2a6c01ebd320c35c91b1606e211ee46e9aa",
        rtcp: "81c8000bcafebabec98b8b5df0392a55852b6c21ac8e7025c52c6fbea2b3b446ea31123ba88ce61e80000001",
    },
    Vector {
        profile: Profile::AeadAes256Gcm,
        key: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        salt: "a0a1a2a3a4a5a6a7a8a9aaab",
        rtp: "800f1234decafbadcafebabe0af7f21e8a90bdad7a425c9c31ed4bb1d90238917e7390a2793500e1681acaea",
        rtp_later: "800f1234decafbadcafebabe718dc48e2f53536e845b5ca373964fe596bcf9e9319b12b3e781acfb26a022b6",
        rtcp: "81c8000bcafebabe8abfafa780070a90e80f9161cf4aac081ed93aaa53c15b0f3ed1a3b984167b0380000001",
    },
];

#[test]
fn packets_are_those_of_other_implementations() {
    for vector in VECTORS {
        let Vector { profile, .. } = *vector;
        let (key, salt) = (hex(vector.key), hex(vector.salt));
        let mut tx = Protector::new(&provider(), profile, &key, &salt, Config::new()).unwrap();
        let mut rx = Unprotector::new(&provider(), profile, &key, &salt, Config::new()).unwrap();

        // The packet stands behind other bytes, which stay.
        let mut out = b"front".to_vec();
        out.extend(hex(RTP));
        tx.protect_rtp(&mut out, 5).unwrap();
        assert_eq!(out[..5], *b"front");
        assert_eq!(out[5..], hex(vector.rtp), "{profile:?}");
        let len = rx.unprotect_rtp(&mut out[5..]).unwrap();
        assert_eq!(out[5..5 + len], hex(RTP));

        // libsrtp starts with index 1.
        tx.resume(SSRC, Position::new(0x1235, 1)).unwrap();
        let mut out = hex(RTCP);
        tx.protect_rtcp(&mut out, 0).unwrap();
        assert_eq!(out, hex(vector.rtcp), "{profile:?}");
        let len = rx.unprotect_rtcp(&mut out).unwrap();
        assert_eq!(out[..len], hex(RTCP));

        tx.resume(SSRC, Position::new(0x2_1234, 2)).unwrap();
        let mut out = hex(RTP);
        tx.protect_rtp(&mut out, 0).unwrap();
        assert_eq!(out, hex(vector.rtp_later), "{profile:?}");
        let mut rx = Unprotector::new(&provider(), profile, &key, &salt, Config::new()).unwrap();
        rx.expect_rollover(SSRC, 2).unwrap();
        let len = rx.unprotect_rtp(&mut out).unwrap();
        assert_eq!(out[..len], hex(RTP));
    }
}
