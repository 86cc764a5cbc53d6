//! Hostile input: truncation, lies about lengths, attributes where they must not count, text that is none.

use crypto::{Provider, Random};
use std::fmt::Debug;
use stun::{
    Attribute, AttributeError, AttributeType, Builder, Class, Integrity, IntegrityKey, Message, Method,
    ParseError, TransactionId,
    attr::{
        AlternateDomain, Code, ErrorCode, IceControlled, IceControlling, MappedAddress, Nonce,
        PasswordAlgorithm, PasswordAlgorithmId, PasswordAlgorithms, Priority, Realm, Software,
        UnknownAttributes, UseCandidate, UserHash, Username, XorMappedAddress,
    },
};

/// What reads everything there is in a message.
#[path = "../fuzz/harness/stun_message.rs"]
mod stun_message;
#[path = "vectors/messages.rs"]
mod vectors;
use vectors::{ALL, PASSWORD, REQUEST};

const ID: TransactionId = TransactionId::new([9; 12]);

fn key() -> IntegrityKey {
    IntegrityKey::new(&provider(), PASSWORD.as_bytes()).expect("invariant: HMAC is there")
}

const fn provider() -> Provider {
    crypto::rustcrypto::provider()
}

/// Every known type of attribute.
const KINDS: &[AttributeType] = &[
    AttributeType::MAPPED_ADDRESS,
    AttributeType::USERNAME,
    AttributeType::ERROR_CODE,
    AttributeType::UNKNOWN_ATTRIBUTES,
    AttributeType::REALM,
    AttributeType::NONCE,
    AttributeType::PASSWORD_ALGORITHM,
    AttributeType::USERHASH,
    AttributeType::XOR_MAPPED_ADDRESS,
    AttributeType::PRIORITY,
    AttributeType::USE_CANDIDATE,
    AttributeType::PASSWORD_ALGORITHMS,
    AttributeType::ALTERNATE_DOMAIN,
    AttributeType::SOFTWARE,
    AttributeType::ALTERNATE_SERVER,
    AttributeType::ICE_CONTROLLED,
    AttributeType::ICE_CONTROLLING,
    AttributeType::MESSAGE_INTEGRITY,
    AttributeType::MESSAGE_INTEGRITY_SHA256,
    AttributeType::FINGERPRINT,
    AttributeType::LIFETIME,
    AttributeType::new(0x7fff),
    AttributeType::new(0xffff),
];

fn with_attribute(kind: AttributeType, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut builder = Builder::new(&mut out, Class::Error, Method::BINDING, ID);
    builder.raw(kind, value);
    builder.finish().expect("invariant: fits");
    out
}

/// T-I01, users 4: every prefix of every vector is refused, and every value of every length is read without a panic.
#[test]
fn t_i01_every_truncation_is_an_error() {
    for vector in ALL {
        for len in 0..vector.len() {
            assert!(Message::parse(&vector[..len]).is_err(), "{len} bytes");
        }
        let mut longer = vector.to_vec();
        longer.push(0);
        assert_eq!(Message::parse(&longer).err(), Some(ParseError::Length));
        // The same cut, with a header that says so.
        for len in (20..vector.len()).step_by(4) {
            let mut bytes = vector[..len].to_vec();
            bytes[2..4].copy_from_slice(&(len as u16 - 20).to_be_bytes());
            stun_message::run(&bytes);
        }
    }
}

/// T-I01, users 4: every attribute with length 0 to 300, with a true and with a lying length field.
#[test]
fn t_i01_every_attribute_with_every_length() {
    for kind in KINDS {
        for len in 0..=300 {
            for fill in [0_u8, 1, 2, 0xff] {
                let mut bytes = with_attribute(*kind, &vec![fill; len]);
                stun_message::run(&bytes);
                bytes[22..24].copy_from_slice(&(len as u16 + 5).to_be_bytes());
                let lying = Message::parse(&bytes).err();
                assert_eq!(lying, Some(ParseError::AttributeLength), "{kind:?} {len}");
            }
        }
    }
}

/// Users 1, RFC 8489 §14.5, §14.6: only the lengths that the hashes have.
#[test]
fn stun_mi_sha256_truncation_16_to_32_multiple_of_4() {
    for len in 0..=64 {
        let sha1 = with_attribute(AttributeType::MESSAGE_INTEGRITY, &vec![0; len]);
        assert_eq!(Message::parse(&sha1).is_ok(), len == 20, "MESSAGE-INTEGRITY of {len}");
        let sha256 = with_attribute(AttributeType::MESSAGE_INTEGRITY_SHA256, &vec![0; len]);
        let is_fine = [16, 20, 24, 28, 32].contains(&len);
        assert_eq!(Message::parse(&sha256).is_ok(), is_fine, "MESSAGE-INTEGRITY-SHA256 of {len}");
        let fingerprint = with_attribute(AttributeType::FINGERPRINT, &vec![0; len]);
        assert_eq!(Message::parse(&fingerprint).is_ok(), len == 4, "FINGERPRINT of {len}");
    }
    let mac = key();
    let mac = mac.mac(Integrity::Sha256).expect("invariant: HMAC-SHA256 is there");
    for len in [16, 20, 24, 28, 32] {
        let mut bytes = with_attribute(AttributeType::MESSAGE_INTEGRITY_SHA256, &vec![0; len]);
        let mut tag = [0; 32];
        mac.sign(&[&bytes[..20]], &mut tag);
        bytes[24..].copy_from_slice(&tag[..len]);
        let message = Message::parse(&bytes).expect("invariant: well formed");
        assert_eq!(message.verify(&key()).is_ok(), len == 32, "no usage here allows {len} bytes");
        assert_eq!(message.verify_truncated(&key(), 16), Ok(Integrity::Sha256));
        assert!(message.verify_truncated(&key(), len + 4).is_err());
    }
}

/// RFC 8489 §5: type bits, cookie, length.
#[test]
fn stun_rejects_nonzero_top_bits() {
    for bits in [0x40, 0x80, 0xc0] {
        let mut bytes = REQUEST.to_vec();
        bytes[0] |= bits;
        assert_eq!(Message::parse(&bytes).err(), Some(ParseError::TypeBits));
        assert!(!stun::is_stun(&bytes));
    }
}

#[test]
fn stun_magic_cookie_required() {
    for at in 4..8 {
        let mut bytes = REQUEST.to_vec();
        bytes[at] ^= 1;
        assert_eq!(Message::parse(&bytes).err(), Some(ParseError::Cookie));
    }
}

#[test]
fn stun_length_excludes_header_and_is_multiple_of_4() {
    for length in 0..=u16::MAX {
        let mut bytes = REQUEST.to_vec();
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        assert_eq!(Message::parse(&bytes).is_ok(), usize::from(length) + 20 == REQUEST.len());
    }
}

/// Builds a request with one attribute of every type behind the integrity attribute.
fn with_hidden(integrity: Integrity, hidden: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
    // A builder refuses attributes behind integrity, so the hidden ones are made apart and put in by hand.
    let mut signed = Vec::new();
    let mut builder = Builder::request(&mut signed, Method::BINDING, ID);
    builder.attribute(&Username::new("evtj:h6vY").expect("invariant: short")).integrity(&key(), integrity);
    builder.finish().expect("invariant: fits");
    let mut other = Vec::new();
    let mut builder = Builder::request(&mut other, Method::BINDING, ID);
    hidden(&mut builder);
    builder.finish().expect("invariant: fits");
    signed.extend_from_slice(&other[20..]);
    let len = signed.len() as u16 - 20 + 8;
    signed[2..4].copy_from_slice(&len.to_be_bytes());
    let crc = crc(&signed) ^ 0x5354_554e;
    signed.extend_from_slice(&[0x80, 0x28, 0, 4]);
    signed.extend_from_slice(&crc.to_be_bytes());
    signed
}

/// CRC-32 bit by bit, to have a second opinion on the one in use.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// T-I02: what stands behind integrity has no effect, whichever attribute it is.
#[test]
fn t_i02_attributes_after_integrity_do_not_exist() {
    for integrity in [Integrity::Sha1, Integrity::Sha256] {
        let bytes = with_hidden(integrity, |builder| {
            for kind in KINDS.iter().filter(|kind| **kind != AttributeType::FINGERPRINT) {
                builder.raw(*kind, &[0; 20]);
            }
        });
        let message = Message::parse(&bytes).expect("invariant: well formed");
        let kinds: Vec<_> = message.attributes().map(|attribute| attribute.kind).collect();
        assert_eq!(kinds, [AttributeType::USERNAME]);
        assert_eq!(message.unknown_required(&[AttributeType::USERNAME]).next(), None);
        assert_eq!(message.check_fingerprint(), Ok(()));
        for kind in KINDS.iter().filter(|kind| **kind != AttributeType::USERNAME) {
            assert_eq!(message.raw(*kind), None, "{kind:?}");
        }
    }
}

/// T-I02: the ICE attributes one by one.
#[test]
fn t_i02_use_candidate_after_integrity_has_no_effect() {
    let bytes = with_hidden(Integrity::Sha1, |builder| {
        builder
            .attribute(&UseCandidate::new())
            .attribute(&Priority::new(7))
            .attribute(&IceControlled::new(8));
    });
    let message = Message::parse(&bytes).expect("invariant: well formed");
    assert_eq!(message.verify(&key()), Ok(Integrity::Sha1));
    assert_eq!(message.get::<UseCandidate>(), Ok(None));
    assert_eq!(message.get::<Priority>(), Ok(None));
    assert_eq!(message.get::<IceControlled>(), Ok(None));
}

/// RFC 8489 §9: the two integrity attributes may follow each other, in both orders.
#[test]
fn stun_attributes_after_mi_ignored_except_mi256_and_fingerprint() {
    for order in [[Integrity::Sha1, Integrity::Sha256], [Integrity::Sha256, Integrity::Sha1]] {
        let mut out = Vec::new();
        let mut builder = Builder::request(&mut out, Method::BINDING, ID);
        builder.integrity(&key(), order[0]).integrity(&key(), order[1]).fingerprint();
        builder.finish().expect("invariant: fits");
        let message = Message::parse(&out).expect("invariant: well formed");
        assert_eq!(message.verify(&key()), Ok(Integrity::Sha256), "the stronger one is verified");
        assert!(message.has_sha1() && message.has_sha256());
        assert_eq!(message.check_fingerprint(), Ok(()));
    }
}

/// RFC 8489 §14.7: FINGERPRINT is the last attribute.
#[test]
fn nothing_follows_fingerprint() {
    let mut bytes = REQUEST.to_vec();
    bytes.extend_from_slice(&[0x80, 0x22, 0, 0]);
    bytes[3] += 4;
    assert_eq!(Message::parse(&bytes).err(), Some(ParseError::AfterFingerprint));
    let mut out = Vec::new();
    let mut builder = Builder::request(&mut out, Method::BINDING, ID);
    builder.fingerprint().message_integrity(&key());
    assert_eq!(builder.finish(), Err(stun::BuildError::AfterIntegrity));
    assert_eq!(out, [], "a failed message is taken back");
}

/// T-I03: of two equal attributes the first counts.
#[test]
fn t_i03_the_first_of_equal_attributes_counts() {
    fn check<'a, A: Attribute<'a> + PartialEq + Debug>(out: &'a mut Vec<u8>, first: &A, second: &A) {
        let mut builder = Builder::request(out, Method::BINDING, ID);
        builder.attribute(first).attribute(second);
        builder.finish().expect("invariant: fits");
        let message = Message::parse(out).expect("invariant: well formed");
        assert_ne!(first, second);
        assert_eq!(
            message.get::<A>().as_ref(),
            Ok(&Some(A::decode(message.raw(A::TYPE).expect("there"), ID).expect("fine")))
        );
        assert_eq!(message.get::<A>().expect("invariant: fine").as_ref(), Some(first));
        assert_eq!(message.all::<A>().count(), 2);
    }
    let text = |text| Username::new(text).expect("invariant: short");
    check(&mut Vec::new(), &text("first"), &text("second"));
    check(&mut Vec::new(), &Priority::new(1), &Priority::new(2));
    check(&mut Vec::new(), &IceControlled::new(1), &IceControlled::new(2));
    check(&mut Vec::new(), &IceControlling::new(1), &IceControlling::new(2));
    check(&mut Vec::new(), &ErrorCode::new(Code::BAD_REQUEST), &ErrorCode::new(Code::SERVER_ERROR));
    let address = |port| ([192, 0, 2, 1], port).into();
    check(&mut Vec::new(), &XorMappedAddress::new(address(1)), &XorMappedAddress::new(address(2)));
    check(&mut Vec::new(), &MappedAddress::new(address(1)), &MappedAddress::new(address(2)));
    check(&mut Vec::new(), &UserHash::new([1; 32]), &UserHash::new([2; 32]));
    let nonce = |text| Nonce::new(text).expect("invariant: short");
    check(&mut Vec::new(), &nonce("a"), &nonce("b"));
}

/// T-I03: two integrity attributes; the first is the one that is verified.
#[test]
fn t_i03_the_first_of_two_integrity_attributes_counts() {
    let bytes = with_hidden(Integrity::Sha1, |builder| {
        builder.raw(AttributeType::MESSAGE_INTEGRITY, &[0; 20]);
    });
    let message = Message::parse(&bytes).expect("invariant: well formed");
    assert_eq!(message.verify(&key()), Ok(Integrity::Sha1));
}

/// T-I04: text attributes with invalid UTF-8, NUL and all critical lengths.
#[test]
fn t_i04_text_attributes_take_any_bytes_and_bounded_lengths() {
    for len in [0, 1, 508, 509, 763, 764, 4_000, 65_000] {
        for fill in [0_u8, 0xff, 0xc3, b'x'] {
            let value = vec![fill; len];
            for kind in
                [AttributeType::USERNAME, AttributeType::REALM, AttributeType::NONCE, AttributeType::SOFTWARE]
            {
                let bytes = with_attribute(kind, &value);
                let message = Message::parse(&bytes).expect("invariant: well formed");
                stun_message::run(&bytes);
                let software = message.get::<Software<'_>>();
                if kind == AttributeType::SOFTWARE {
                    assert_eq!(software.is_ok(), len <= 763, "{len}");
                }
            }
            let mut value = value;
            value.splice(0..0, [0, 0, 4, 1]);
            let bytes = with_attribute(AttributeType::ERROR_CODE, &value);
            let message = Message::parse(&bytes).expect("invariant: well formed");
            match message.require::<ErrorCode<'_>>() {
                Ok(error) => assert_eq!((error.code(), len <= 763), (Code::UNAUTHENTICATED, true)),
                Err(error) => {
                    assert_eq!((error, len > 763), (AttributeError::Length(AttributeType::ERROR_CODE), true));
                }
            }
        }
    }
    assert!(Username::new(&"x".repeat(508)).is_ok());
    assert!(Username::new(&"x".repeat(509)).is_err());
    assert!(Realm::new(&"x".repeat(127)).is_ok());
    assert!(Realm::new(&"x".repeat(128)).is_err());
    let long = "\u{fffd}".repeat(500);
    let error = ErrorCode::with_reason(Code::BAD_REQUEST, &long);
    assert_eq!(error.reason().chars().count(), 127);
}

/// T-T12: a message whose attributes are more than its length field can say is not written.
#[test]
fn t_t12_lengths_do_not_wrap() {
    for sizes in [&[65_512_usize][..], &[65_508, 4], &[40_000, 40_000], &[65_536], &[70_000]] {
        let mut out = vec![1, 2, 3];
        let mut builder = Builder::request(&mut out, Method::BINDING, ID);
        for size in sizes {
            builder.raw(AttributeType::DATA, &vec![7; *size]);
        }
        let total: usize = sizes.iter().map(|size| size.next_multiple_of(4) + 4).sum();
        let built = builder.finish();
        assert_eq!(built.is_ok(), total <= 65_532, "{sizes:?}");
        if built.is_err() {
            assert_eq!(out, [1, 2, 3]);
        }
    }
}

/// T-T11: padding is zero, also in a buffer that held other bytes.
#[test]
fn t_t11_padding_is_zero() {
    for len in 0..9 {
        let mut out = vec![0xff; 300];
        out.clear();
        let mut builder = Builder::request(&mut out, Method::BINDING, ID);
        builder.raw(AttributeType::SOFTWARE, &vec![0xaa; len]);
        builder.finish().expect("invariant: fits");
        assert!(out[24 + len..].iter().all(|byte| *byte == 0));
    }
}

struct Counter(u8);

impl Random for Counter {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
    }
}

/// T-I06: all 96 bits of a transaction id come from the generator.
#[test]
fn t_i06_transaction_ids_are_all_random() {
    let id = TransactionId::random(&mut Counter(0));
    assert_eq!(id.as_bytes(), &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
}

/// RFC 8489 §6.3.1, §6.3.2.
#[test]
fn stun_unknown_required_yields_420_with_list() {
    let mut out = Vec::new();
    let mut builder = Builder::request(&mut out, Method::BINDING, ID);
    builder.raw(AttributeType::new(0x0003), &[0; 4]).raw(AttributeType::new(0xc001), &[]);
    builder.raw(AttributeType::new(0x7ffe), &[]).attribute(&Priority::new(1));
    builder.finish().expect("invariant: fits");
    let request = Message::parse(&out).expect("invariant: well formed");
    let unknown = UnknownAttributes::new(request.unknown_required(&[AttributeType::PRIORITY]));
    let mut answer = Vec::new();
    let mut builder = Builder::error(&mut answer, &request);
    builder.attribute(&ErrorCode::new(Code::UNKNOWN_ATTRIBUTE)).attribute(&unknown);
    builder.finish().expect("invariant: fits");
    let answer = Message::parse(&answer).expect("invariant: well formed");
    let list = answer.require::<UnknownAttributes>().expect("invariant: there");
    assert_eq!(list.iter().map(AttributeType::number).collect::<Vec<_>>(), [0x0003, 0x7ffe]);
    assert_eq!(answer.transaction_id(), request.transaction_id(), "RFC 8489 §5");
    let many = UnknownAttributes::new((0..500).map(AttributeType::new));
    assert_eq!(many.iter().count(), UnknownAttributes::MAX);
}

/// Algorithms with parameters are walked over and echoed as they came.
#[test]
fn password_algorithm_lists_keep_unknown_entries() {
    let wire = [0, 9, 0, 3, 1, 2, 3, 0, 0, 2, 0, 0];
    let list = PasswordAlgorithms::decode(&wire, ID).expect("invariant: well formed");
    let ids: Vec<_> = list.iter().map(|entry| (entry.id().number(), entry.parameters().len())).collect();
    assert_eq!(ids, [(9, 3), (2, 0)]);
    assert!(list.contains(&PasswordAlgorithm::new(PasswordAlgorithmId::SHA256)));
    assert!(!list.contains(&PasswordAlgorithm::new(PasswordAlgorithmId::new(9))), "parameters count");
    for len in 0..wire.len() {
        let is_whole = [7, 8].contains(&len);
        assert_eq!(PasswordAlgorithms::decode(&wire[..len], ID).is_ok(), is_whole, "{len}");
    }
}

/// T-I15: what the builder writes the parser takes, of every length, and nothing is taken that is longer than any
/// sender may write: RFC 5389 allowed 763 bytes where RFC 8489 allows 509.
#[test]
fn t_i15_limits_of_sender_and_receiver_agree() {
    fn takes<'a, A: Attribute<'a>>(message: &Message<'a>) -> bool {
        message.require::<A>().is_ok()
    }
    type Takes = fn(&Message<'_>) -> bool;
    for len in 0..=1_200 {
        let (text, value) = ("x".repeat(len), vec![b'x'; len]);
        let cases: [(AttributeType, bool, Takes, usize); 5] = [
            (AttributeType::USERNAME, Username::new(&text).is_ok(), |m| takes::<Username<'_>>(m), 763),
            (AttributeType::REALM, Realm::new(&text).is_ok(), |m| takes::<Realm<'_>>(m), 763),
            (AttributeType::NONCE, Nonce::new(&text).is_ok(), |m| takes::<Nonce<'_>>(m), 763),
            (AttributeType::SOFTWARE, Software::new(&text).is_ok(), |m| takes::<Software<'_>>(m), 763),
            (
                AttributeType::ALTERNATE_DOMAIN,
                AlternateDomain::new(&text).is_ok(),
                |m| takes::<AlternateDomain<'_>>(m),
                255,
            ),
        ];
        for (kind, is_sent, is_taken, longest) in cases {
            let bytes = with_attribute(kind, &value);
            let message = Message::parse(&bytes).expect("invariant: well formed");
            assert_eq!(is_taken(&message), len <= longest, "{kind:?} {len}");
            assert!(!is_sent || len <= longest, "{kind:?} {len}");
        }
    }
}
