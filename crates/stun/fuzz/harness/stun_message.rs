//! Any bytes as a STUN message: everything in it is read, and what was read is written and read again.

use std::{any::type_name, net::SocketAddr};
use stun::{
    Attribute, AttributeType, Builder, Class, HEADER_LEN, IntegrityKey, MAGIC_COOKIE, Message, TransactionId,
    attr::{
        AlternateDomain, AlternateServer, ErrorCode, IceControlled, IceControlling, MappedAddress, Nonce,
        PasswordAlgorithm, PasswordAlgorithms, Priority, Realm, Software, UnknownAttributes, UseCandidate,
        UserHash, Username, XorMappedAddress,
    },
};
use testkit::fuzz::{mend_stun, null_crypto, reached};

pub(crate) fn run(data: &[u8]) {
    let has_cookie = data.len() >= HEADER_LEN && data[0] < 0x40 && data[4..8] == MAGIC_COOKIE.to_be_bytes();
    assert!(has_cookie || !stun::is_stun(data));
    let mut mended = data.to_vec();
    mend_stun(&mut mended);
    let Ok(message) = Message::parse(&mended) else { return };
    assert_eq!(stun::message_len(&mended), Some(mended.len()));
    read_all(&message);
    write_again(&message);
}

fn read_all(message: &Message<'_>) {
    read::<MappedAddress>(message);
    read::<Username<'_>>(message);
    read::<ErrorCode<'_>>(message);
    read::<UnknownAttributes>(message);
    read::<Realm<'_>>(message);
    read::<Nonce<'_>>(message);
    read::<PasswordAlgorithm<'_>>(message);
    read::<UserHash>(message);
    read::<XorMappedAddress>(message);
    read::<Priority>(message);
    read::<UseCandidate>(message);
    read::<PasswordAlgorithms<'_>>(message);
    read::<AlternateDomain<'_>>(message);
    read::<Software<'_>>(message);
    read::<AlternateServer>(message);
    read::<IceControlled>(message);
    read::<IceControlling>(message);
    if let Ok(Some(algorithms)) = message.get::<PasswordAlgorithms<'_>>() {
        assert!(algorithms.iter().count() * 4 <= algorithms.as_bytes().len());
    }
    if let Ok(Some(error)) = message.get::<ErrorCode<'_>>() {
        assert!((300..700).contains(&error.code().number()), "{:?}", error.code());
        assert!(!error.code().to_string().is_empty() && error.reason().len() < 65_536);
    }
    if let Ok(Some(mapped)) = message.get::<XorMappedAddress>() {
        stays_the_same(mapped.address(), message.transaction_id());
    }
    let key = IntegrityKey::new(&null_crypto(), b"any").expect("invariant: the provider has HMAC");
    let verified = message.verify(&key);
    if verified.is_ok() {
        reached("integrity");
    }
    assert!(verified.is_err() || verified.ok() == message.integrity());
    if message.check_fingerprint().is_ok() {
        reached("fingerprint");
    }
    assert!(message.unknown_required(&[]).count() <= message.attributes().count());
    assert!(!format!("{message:?}").is_empty());
}

/// The first of a kind is the one that counts, and there are no more than there are attributes.
fn read<'a, A: Attribute<'a>>(message: &Message<'a>) {
    let all = message.all::<A>().count();
    assert!(all <= message.attributes().count());
    let first = message.get::<A>();
    if matches!(first, Ok(Some(_))) {
        reached(type_name::<A>().rsplit("::").next().unwrap_or_default().trim_end_matches("<'_>"));
    }
    assert_eq!(matches!(first, Ok(None)), all == 0);
    assert_eq!(matches!(first, Ok(Some(_))), message.require::<A>().is_ok());
}

fn stays_the_same(address: SocketAddr, id: TransactionId) {
    let mut value = Vec::new();
    stun::attr::encode_xor_address(address, id, &mut value);
    assert_eq!(stun::attr::decode_xor_address(AttributeType::XOR_MAPPED_ADDRESS, &value, id), Ok(address));
}

/// A message of the same attributes reads the same.
fn write_again(message: &Message<'_>) {
    let mut out = b"before".to_vec();
    let mut builder = Builder::new(&mut out, message.class(), message.method(), message.transaction_id());
    for attribute in message.attributes() {
        builder.raw(attribute.kind, attribute.value);
    }
    let Ok(len) = builder.finish() else { return };
    assert_eq!(out.len(), 6 + len);
    let again = Message::parse(&out[6..]).expect("what was written can be read");
    assert_eq!((again.class(), again.method()), (message.class(), message.method()));
    assert_eq!(again.transaction_id(), message.transaction_id());
    let listed = |message: &Message<'_>| -> Vec<(AttributeType, Vec<u8>)> {
        message.attributes().map(|attribute| (attribute.kind, attribute.value.to_vec())).collect()
    };
    assert_eq!(listed(&again), listed(message));
    // RFC 8489 §14: padding that we write is zero.
    assert!(again.as_bytes().len().is_multiple_of(4));
    if message.class() == Class::Request {
        let mut answer = Vec::new();
        let builder = Builder::success(&mut answer, message);
        builder.finish().expect("an empty answer fits");
        let answer = Message::parse(&answer).expect("readable");
        assert_eq!((answer.class(), answer.transaction_id()), (Class::Success, message.transaction_id()));
    }
}
