//! The vectors of RFC 5769 and RFC 8489 appendix B.1.

use std::net::SocketAddr;
use stun::{
    AttributeType, Class, Integrity, IntegrityError, IntegrityKey, Message, Method, TransactionId,
    attr::{
        IceControlled, Nonce, PasswordAlgorithmId, Priority, Realm, Software, UserHash, Username,
        XorMappedAddress,
    },
    auth::{long_term_key, userhash},
};

#[path = "vectors/messages.rs"]
mod vectors;
use vectors::{LONG_TERM, LONG_TERM_SHA256, PASSWORD, REQUEST, RESPONSE_IPV4, RESPONSE_IPV6, USERNAME};

const ICE_ID: TransactionId =
    TransactionId::new([0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae]);

fn key(password: &str) -> IntegrityKey {
    IntegrityKey::new(&crypto::rustcrypto::provider(), password.as_bytes()).expect("invariant: HMAC is there")
}

/// RFC 5769 §2.1.
#[test]
fn stun_mi_sha1_vectors_rfc5769() {
    let message = Message::parse(REQUEST).expect("invariant: the vector is well formed");
    assert_eq!((message.class(), message.method()), (Class::Request, Method::BINDING));
    assert_eq!(message.transaction_id(), ICE_ID);
    assert_eq!(message.require::<Software<'_>>().map(|it| it.as_str()), Ok(Some("STUN test client")));
    assert_eq!(message.require::<Priority>().map(Priority::value), Ok(0x6e00_01ff));
    assert_eq!(message.require::<IceControlled>().map(IceControlled::value), Ok(0x932f_f9b1_5126_3b36));
    assert_eq!(message.require::<Username<'_>>().map(|it| it.as_str()), Ok(Some("evtj:h6vY")));
    assert_eq!(message.integrity(), Some(Integrity::Sha1));
    assert_eq!(message.verify(&key(PASSWORD)), Ok(Integrity::Sha1));
    assert_eq!(message.verify(&key("VOkJxbRl1RmTxUk/WvJxBT")), Err(IntegrityError::Mismatch));
    assert_eq!(message.check_fingerprint(), Ok(()));
}

/// RFC 5769 §2.2, §2.3.
#[test]
fn stun_success_uses_xor_mapped_address_v4_v6() {
    for (bytes, address) in
        [(RESPONSE_IPV4, "192.0.2.1:32853"), (RESPONSE_IPV6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")]
    {
        let message = Message::parse(bytes).expect("invariant: the vector is well formed");
        assert_eq!((message.class(), message.transaction_id()), (Class::Success, ICE_ID));
        let mapped = message.require::<XorMappedAddress>().map(XorMappedAddress::address);
        assert_eq!(mapped, Ok(address.parse::<SocketAddr>().expect("invariant: an address")));
        assert_eq!(message.require::<Software<'_>>().map(|it| it.as_str()), Ok(Some("test vector")));
        assert_eq!(message.verify(&key(PASSWORD)), Ok(Integrity::Sha1));
        assert_eq!(message.check_fingerprint(), Ok(()));
    }
}

/// RFC 5769 §2.4.
#[test]
fn long_term_authentication() {
    let message = Message::parse(LONG_TERM).expect("invariant: the vector is well formed");
    let realm = message.require::<Realm<'_>>().expect("invariant: there is a realm");
    let nonce = message.require::<Nonce<'_>>().expect("invariant: there is a nonce");
    assert_eq!(message.require::<Username<'_>>().map(|it| it.as_str()), Ok(Some(USERNAME)));
    assert_eq!(realm.as_str(), Some("example.org"));
    assert_eq!(nonce.as_str(), Some("f//499k954d6OL34oL9FSTvy64sA"));
    let provider = crypto::rustcrypto::provider();
    let md5 = PasswordAlgorithmId::MD5;
    let key = long_term_key(&provider, md5, USERNAME, realm.as_bytes(), "TheMatrIX");
    assert_eq!(message.verify(&key.expect("invariant: MD5 is there")), Ok(Integrity::Sha1));
    assert!(!message.has_fingerprint());
}

/// RFC 8489 §B.1.
///
/// The text prints 0x009c in the length field, the whole message with its header, and computed the value over that;
/// a receiver that adjusts the field as §14.6 says cannot verify it. So the value is checked over the text as
/// printed, and the rest on a message with the right length.
#[test]
fn stun_mi_sha256_and_userhash_vector() {
    let message = Message::parse(LONG_TERM_SHA256).expect("invariant: the vector is well formed");
    let realm = message.require::<Realm<'_>>().expect("invariant: there is a realm");
    let provider = crypto::rustcrypto::provider();
    let hash = userhash(&provider, USERNAME, realm.as_bytes()).expect("invariant: SHA-256 is there");
    assert_eq!(message.require::<UserHash>(), Ok(hash));
    assert_eq!(message.integrity(), Some(Integrity::Sha256));
    assert!(!message.contains(AttributeType::MESSAGE_INTEGRITY_SHA256), "integrity is not a plain attribute");

    let sha256 = PasswordAlgorithmId::SHA256;
    let key = long_term_key(&provider, sha256, USERNAME, realm.as_bytes(), "TheMatrIX");
    let key = key.expect("invariant: SHA-256 is there");
    let mac = key.mac(Integrity::Sha256).expect("invariant: HMAC-SHA256 is there");
    let mut printed = LONG_TERM_SHA256.to_vec();
    printed[3] = 0x9c;
    let (covered, attribute) = printed.split_at(printed.len() - 36);
    assert_eq!(mac.verify(&[covered], &attribute[4..]), Ok(()));

    let mut tag = [0; 32];
    mac.sign(&[&LONG_TERM_SHA256[..covered.len()]], &mut tag);
    let mut right = covered.to_vec();
    right[3] = 0x88;
    right.extend_from_slice(&attribute[..4]);
    right.extend_from_slice(&tag);
    let right = Message::parse(&right).expect("invariant: well formed");
    assert_eq!(right.verify(&key), Ok(Integrity::Sha256));
}

/// RFC 8489 §9.2.2: the key of "user:realm:pass" by MD5.
#[test]
fn long_term_key_of_the_text() {
    let provider = crypto::rustcrypto::provider();
    let md5 = provider.hash(crypto::HashId::Md5).expect("invariant: MD5 is there");
    let mut hash = [0; 16];
    md5.hash(&[b"user:realm:pass"], &mut hash);
    assert_eq!(u128::from_be_bytes(hash), 0x8493_fbc5_3ba5_82fb_4c04_4c45_6bdc_40eb);
    let plain = IntegrityKey::new(&provider, &hash).expect("invariant: HMAC is there");
    let id = PasswordAlgorithmId::MD5;
    for realm in ["realm", "\"realm\"", "realm\0\0"] {
        let key = long_term_key(&provider, id, "user", realm.as_bytes(), "pass").expect("invariant: MD5");
        let mut tags = [[0; 20]; 2];
        for (key, tag) in [&plain, &key].into_iter().zip(&mut tags) {
            key.mac(Integrity::Sha1).expect("invariant: HMAC-SHA1 is there").sign(&[b"text"], tag);
        }
        assert_eq!(tags[0], tags[1], "{realm:?}");
    }
}

/// RFC 8489 §14.7: a single flipped bit anywhere is seen.
#[test]
fn stun_fingerprint_xor_5354554e() {
    for bit in 0..REQUEST.len() * 8 {
        let mut bytes = REQUEST.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(message) = Message::parse(&bytes) else { continue };
        assert!(message.check_fingerprint().is_err(), "bit {bit}");
    }
}

/// The builder makes the vectors again, up to their padding, which RFC 5769 fills with spaces.
#[test]
fn the_builder_makes_the_response_of_rfc5769() {
    let request = Message::parse(REQUEST).expect("invariant: the vector is well formed");
    let mut out = b"kept".to_vec();
    let mut builder = stun::Builder::success(&mut out, &request);
    builder.attribute(&Software::new("test vector").expect("invariant: short"));
    builder.attribute(&XorMappedAddress::new(([192, 0, 2, 1], 32_853).into()));
    builder.message_integrity(&key(PASSWORD)).fingerprint();
    assert_eq!(builder.finish(), Ok(RESPONSE_IPV4.len()));
    let (before, message) = out.split_at(4);
    assert_eq!(before, b"kept");
    assert_eq!(message[..35], RESPONSE_IPV4[..35]);
    assert_eq!((message[35], RESPONSE_IPV4[35]), (0, b' '), "our padding is zero");
    assert_eq!(message[36..52], RESPONSE_IPV4[36..52]);
    let message = Message::parse(message).expect("invariant: well formed");
    assert_eq!(message.verify(&key(PASSWORD)), Ok(Integrity::Sha1));
    assert_eq!(message.check_fingerprint(), Ok(()));
}
