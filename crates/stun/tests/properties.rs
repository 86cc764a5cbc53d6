//! Round trips and random bytes.

use proptest::prelude::*;
use std::net::SocketAddr;
use stun::{
    AttributeType, Builder, Class, IntegrityKey, Message, Method, TransactionId,
    attr::{MappedAddress, XorMappedAddress},
};

fn class() -> impl Strategy<Value = Class> {
    prop_oneof![Just(Class::Request), Just(Class::Indication), Just(Class::Success), Just(Class::Error)]
}

fn method() -> impl Strategy<Value = Method> {
    (0_u16..0x1000).prop_map(|number| Method::new(number).expect("invariant: 12 bits"))
}

/// Attributes that are not integrity or fingerprint.
fn attributes() -> impl Strategy<Value = Vec<(u16, Vec<u8>)>> {
    let kind = any::<u16>().prop_filter("plain", |kind| ![0x0008, 0x001c, 0x8028].contains(kind));
    prop::collection::vec((kind, prop::collection::vec(any::<u8>(), 0..70)), 0..12)
}

proptest! {
    #[test]
    fn what_is_built_is_parsed(class in class(), method in method(), id: [u8; 12], list in attributes(), key: [u8; 9]) {
        let key = IntegrityKey::new(&crypto::rustcrypto::provider(), &key).expect("invariant: HMAC is there");
        let mut out = Vec::new();
        let mut builder = Builder::new(&mut out, class, method, TransactionId::new(id));
        for (kind, value) in &list {
            builder.raw(AttributeType::new(*kind), value);
        }
        builder.message_integrity(&key).message_integrity_sha256(&key).fingerprint();
        prop_assert_eq!(builder.finish(), Ok(out.len()));
        prop_assert!(stun::is_stun(&out));
        let message = Message::parse(&out).expect("invariant: well formed");
        prop_assert_eq!((message.class(), message.method()), (class, method));
        prop_assert_eq!(message.transaction_id(), TransactionId::new(id));
        let read: Vec<_> =
            message.attributes().map(|it| (it.kind.number(), it.value.to_vec())).collect();
        prop_assert_eq!(read, list);
        prop_assert!(message.verify(&key).is_ok());
        prop_assert!(message.check_fingerprint().is_ok());
    }

    #[test]
    fn addresses_round_trip(address: SocketAddr, id: [u8; 12]) {
        // The scope and flow label of IPv6 are not on the wire.
        let address = SocketAddr::new(address.ip(), address.port());
        let mut out = Vec::new();
        let mut builder = Builder::request(&mut out, Method::BINDING, TransactionId::new(id));
        builder.attribute(&XorMappedAddress::new(address)).attribute(&MappedAddress::new(address));
        builder.finish().expect("invariant: fits");
        let message = Message::parse(&out).expect("invariant: well formed");
        prop_assert_eq!(message.require::<XorMappedAddress>().map(XorMappedAddress::address), Ok(address));
        prop_assert_eq!(message.require::<MappedAddress>().map(MappedAddress::address), Ok(address));
    }

    #[test]
    fn random_bytes_do_no_harm(body in prop::collection::vec(any::<u8>(), 0..400), kind in 0_u16..0x4000) {
        let mut bytes = kind.to_be_bytes().to_vec();
        bytes.extend_from_slice(&(body.len() as u16 / 4 * 4).to_be_bytes());
        bytes.extend_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
        bytes.extend_from_slice(&[0; 12]);
        bytes.extend_from_slice(&body[..body.len() / 4 * 4]);
        if let Ok(message) = Message::parse(&bytes) {
            let visible: usize = message.attributes().map(|it| it.value.len()).sum();
            prop_assert!(visible <= body.len());
        }
    }

    /// A change of any byte is seen by integrity or by fingerprint.
    #[test]
    fn no_change_goes_unseen(at in 0_usize..108, change in 1_u8..=255) {
        let key = IntegrityKey::new(&crypto::rustcrypto::provider(), b"secret").expect("invariant: HMAC is there");
        let mut out = Vec::new();
        let mut builder = Builder::request(&mut out, Method::BINDING, TransactionId::new([3; 12]));
        builder.raw(AttributeType::USERNAME, &[b'u'; 48]).message_integrity(&key).fingerprint();
        prop_assert_eq!(builder.finish(), Ok(104));
        let at = at % out.len();
        out[at] ^= change;
        let is_good = Message::parse(&out).is_ok_and(|message| {
            message.verify(&key).is_ok() && message.check_fingerprint().is_ok()
        });
        prop_assert!(!is_good);
    }
}
