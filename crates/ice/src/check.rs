//! Connectivity checks on the wire (RFC 8445 §7, §16).

#![deny(clippy::indexing_slicing)]

use crate::{Priority, Role, checklist::PairId};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use stun::{
    AttributeType, Builder, Class, IntegrityKey, Message, Method, Transaction, TransactionConfig,
    TransactionId,
    attr::{
        self, Code, ErrorCode, IceControlled, IceControlling, UnknownAttributes, UseCandidate,
        XorMappedAddress,
    },
};

/// What RFC 8445 and RFC 8489 allow in a check; an unknown attribute below 0x8000 is refused.
const KNOWN: [AttributeType; 8] = [
    AttributeType::USERNAME,
    AttributeType::PRIORITY,
    AttributeType::USE_CANDIDATE,
    AttributeType::XOR_MAPPED_ADDRESS,
    AttributeType::MAPPED_ADDRESS,
    AttributeType::ERROR_CODE,
    AttributeType::UNKNOWN_ATTRIBUTES,
    AttributeType::USERHASH,
];

/// Longest USERNAME read: two fragments of 256 characters and a colon (RFC 8839 §5.4).
const MAX_USERNAME: usize = 513;

/// A check on its way: everything needed to write the same bytes again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check {
    pub(crate) id: TransactionId,
    pub(crate) pair: PairId,
    pub(crate) fields: CheckFields,
    pub(crate) transaction: Transaction,
    /// It follows a consent check that was missed, on a pair that is valid already.
    pub(crate) doubts: bool,
    /// When a cancelled check stops waiting for a late response; it is not sent any more.
    pub(crate) cancelled_until: Option<Instant>,
    /// Waited for after the last request.
    last_wait: Duration,
    max_requests: u32,
}

impl Check {
    pub(crate) fn new(
        now: Instant,
        id: TransactionId,
        pair: PairId,
        fields: CheckFields,
        rto: Duration,
        max_requests: u32,
    ) -> Self {
        let config = TransactionConfig::new().with_rto(rto).with_max_requests(max_requests);
        Self {
            id,
            pair,
            fields,
            transaction: Transaction::new(now, &config),
            doubts: false,
            cancelled_until: None,
            last_wait: rto * 16,
            max_requests,
        }
    }

    pub(crate) fn cancel(&mut self, now: Instant) {
        let until = now + self.last_wait;
        self.cancelled_until.get_or_insert(until);
    }

    /// Whether all requests are out, so that polling the transaction can only end it.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.transaction.requests_sent() >= self.max_requests
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.cancelled_until.or_else(|| self.transaction.poll_timeout())
    }
}

/// The attributes of a check that may differ from one to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckFields {
    pub(crate) role: Role,
    pub(crate) tie_breaker: u64,
    pub(crate) priority: Priority,
    pub(crate) nominates: bool,
}

/// Appends a Binding request (RFC 8445 §7.2.2). `None` when the provider lacks the HMAC.
pub(crate) fn write_request(
    out: &mut Vec<u8>,
    id: TransactionId,
    username: &str,
    fields: &CheckFields,
    key: &IntegrityKey,
) -> Option<()> {
    let mut builder = Builder::request(out, Method::BINDING, id);
    builder.raw(AttributeType::USERNAME, username.as_bytes());
    builder.attribute(&attr::Priority::new(fields.priority.0));
    match fields.role {
        Role::Controlling => builder.attribute(&IceControlling::new(fields.tie_breaker)),
        Role::Controlled => builder.attribute(&IceControlled::new(fields.tie_breaker)),
    };
    //= rfc8445 §7.1.2
    //# The controlled agent MUST NOT include the USE-CANDIDATE
    //# attribute in a Binding request.
    if fields.nominates && fields.role == Role::Controlling {
        builder.attribute(&UseCandidate::new());
    }
    builder.message_integrity(key).fingerprint();
    builder.finish().ok().map(drop)
}

/// What a response says.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Success {
        mapped: SocketAddr,
    },
    Error(Code),
    /// 420, with what was not understood.
    Unknown(UnknownAttributes),
}

/// Appends a response (RFC 8445 §7.3). `None` when the provider lacks the HMAC.
pub(crate) fn write_response(
    out: &mut Vec<u8>,
    id: TransactionId,
    verdict: &Verdict,
    key: &IntegrityKey,
) -> Option<()> {
    let class = if matches!(verdict, Verdict::Success { .. }) { Class::Success } else { Class::Error };
    let mut builder = Builder::new(out, class, Method::BINDING, id);
    match verdict {
        Verdict::Success { mapped } => builder.attribute(&XorMappedAddress::new(*mapped)),
        Verdict::Error(code) => builder.attribute(&ErrorCode::bare(*code)),
        Verdict::Unknown(unknown) => {
            builder.attribute(&ErrorCode::bare(Code::UNKNOWN_ATTRIBUTE)).attribute(unknown)
        }
    };
    builder.message_integrity(key).fingerprint();
    builder.finish().ok().map(drop)
}

/// A received check, its integrity verified.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) priority: Priority,
    pub(crate) nominates: bool,
    /// The role the peer believes to have, and its tie-breaker.
    pub(crate) role: Option<(Role, u64)>,
}

impl Request {
    /// Reads the attributes of a verified request; otherwise the answer it deserves.
    pub(crate) fn read(message: &Message<'_>) -> Result<Self, Verdict> {
        let unknown = UnknownAttributes::new(message.unknown_required(&KNOWN));
        if !unknown.is_empty() {
            return Err(Verdict::Unknown(unknown));
        }
        let bad = |_| Verdict::Error(Code::BAD_REQUEST);
        let priority = message.require::<attr::Priority>().map_err(bad)?;
        let controlling = message.get::<IceControlling>().map_err(bad)?;
        let controlled = message.get::<IceControlled>().map_err(bad)?;
        let role = match (controlling, controlled) {
            (Some(controlling), _) => Some((Role::Controlling, controlling.value())),
            (None, Some(controlled)) => Some((Role::Controlled, controlled.value())),
            (None, None) => None,
        };
        let nominates = message.get::<UseCandidate>().map_err(bad)?.is_some();
        Ok(Self { priority: Priority(priority.value()), nominates, role })
    }
}

/// Splits USERNAME at the first colon into our fragment and the peer's.
pub(crate) fn split_username<'a>(message: &Message<'a>) -> Option<(&'a str, &'a str)> {
    let username = message.raw(AttributeType::USERNAME).filter(|username| username.len() <= MAX_USERNAME)?;
    std::str::from_utf8(username).ok()?.split_once(':')
}

/// Reads a response whose integrity is verified. `None` when it lacks what it must have: it is dropped.
pub(crate) fn read_response(message: &Message<'_>) -> Option<Verdict> {
    if message.unknown_required(&KNOWN).next().is_some() {
        return None;
    }
    match message.class() {
        Class::Success => {
            let mapped = message.get::<XorMappedAddress>().ok()??;
            Some(Verdict::Success { mapped: mapped.address() })
        }
        Class::Error => Some(Verdict::Error(message.get::<ErrorCode<'_>>().ok()??.code())),
        Class::Request | Class::Indication => None,
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "tests know their lengths")]
mod tests {
    use super::*;

    const ID: TransactionId = TransactionId::new([7; 12]);

    fn key() -> IntegrityKey {
        IntegrityKey::new(&crypto::rustcrypto::provider(), b"VOkJxbRl1RmTxUk/WvJxBt").unwrap()
    }

    fn fields(role: Role, nominates: bool) -> CheckFields {
        CheckFields { role, tie_breaker: 0x0102_0304_0506_0708, priority: Priority(0x6e00_01ff), nominates }
    }

    /// RFC 8445 §7.1, §7.2.2, §16.1.
    #[test]
    fn ice_binding_request_attrs() {
        let mut out = vec![0xaa];
        write_request(&mut out, ID, "evtj:h6vY", &fields(Role::Controlling, true), &key()).unwrap();
        let message = Message::parse(&out[1..]).unwrap();
        message.check_fingerprint().unwrap();
        message.verify(&key()).unwrap();
        let kinds: Vec<_> = message.attributes().map(|attribute| attribute.kind).collect();
        assert_eq!(
            kinds,
            [
                AttributeType::USERNAME,
                AttributeType::PRIORITY,
                AttributeType::ICE_CONTROLLING,
                AttributeType::USE_CANDIDATE
            ]
        );
        assert_eq!(split_username(&message), Some(("evtj", "h6vY")));
        let request = Request::read(&message).unwrap();
        assert!(request.nominates);
        assert_eq!(request.priority, Priority(0x6e00_01ff));
        assert_eq!(request.role, Some((Role::Controlling, 0x0102_0304_0506_0708)));
    }

    #[test]
    fn ice_controlled_never_sends_use_candidate() {
        let mut out = Vec::new();
        write_request(&mut out, ID, "a:b", &fields(Role::Controlled, true), &key()).unwrap();
        let message = Message::parse(&out).unwrap();
        assert!(!message.contains(AttributeType::USE_CANDIDATE));
        assert!(message.contains(AttributeType::ICE_CONTROLLED));
    }

    /// T-I02: what stands behind MESSAGE-INTEGRITY has no effect.
    #[test]
    fn t_i02_attributes_behind_integrity_are_not_obeyed() {
        let mut out = Vec::new();
        let mut builder = Builder::request(&mut out, Method::BINDING, ID);
        builder.raw(AttributeType::USERNAME, b"a:b").attribute(&attr::Priority::new(5));
        builder.attribute(&IceControlled::new(1)).message_integrity(&key());
        builder.finish().unwrap();
        // A man in the middle appends what he likes, and repairs length and fingerprint.
        out.extend_from_slice(&[0x00, 0x25, 0, 0]);
        out.extend_from_slice(&[0x80, 0x2a, 0, 8, 255, 255, 255, 255, 255, 255, 255, 255]);
        out.extend_from_slice(&[0x00, 0x24, 0, 4, 255, 255, 255, 255]);
        let len = (out.len() - 20) as u16;
        out[2..4].copy_from_slice(&len.to_be_bytes());
        let message = Message::parse(&out).unwrap();
        message.verify(&key()).unwrap();
        let request = Request::read(&message).unwrap();
        assert!(!request.nominates);
        assert_eq!(request.priority, Priority(5));
        assert_eq!(request.role, Some((Role::Controlled, 1)));
    }

    /// T-I03: of several attributes of one type the first counts.
    #[test]
    fn t_i03_the_first_of_repeated_attributes_counts() {
        let mut out = Vec::new();
        let mut builder = Builder::request(&mut out, Method::BINDING, ID);
        builder.raw(AttributeType::USERNAME, b"a:b").raw(AttributeType::USERNAME, b"c:d");
        builder.attribute(&attr::Priority::new(5)).attribute(&attr::Priority::new(6));
        builder.attribute(&IceControlling::new(1)).attribute(&IceControlling::new(2));
        builder.message_integrity(&key()).fingerprint();
        builder.finish().unwrap();
        let message = Message::parse(&out).unwrap();
        assert_eq!(split_username(&message), Some(("a", "b")));
        let request = Request::read(&message).unwrap();
        assert_eq!((request.priority, request.role), (Priority(5), Some((Role::Controlling, 1))));
    }

    #[test]
    fn unknown_required_attributes_get_420_and_unknown_optional_ones_are_ignored() {
        let build = |kind: u16| {
            let mut out = Vec::new();
            let mut builder = Builder::request(&mut out, Method::BINDING, ID);
            builder.raw(AttributeType::USERNAME, b"a:b").attribute(&attr::Priority::new(5));
            builder.raw(AttributeType::new(kind), &[1, 2, 3, 4]).message_integrity(&key()).fingerprint();
            builder.finish().unwrap();
            out
        };
        // GOOG-NETWORK-INFO.
        assert!(Request::read(&Message::parse(&build(0xc057)).unwrap()).is_ok());
        let refused = Request::read(&Message::parse(&build(0x7abc)).unwrap()).unwrap_err();
        let mut out = Vec::new();
        write_response(&mut out, ID, &refused, &key()).unwrap();
        let response = Message::parse(&out).unwrap();
        response.verify(&key()).unwrap();
        assert_eq!(response.get::<ErrorCode<'_>>().unwrap().unwrap().code(), Code::UNKNOWN_ATTRIBUTE);
        let listed = response.get::<UnknownAttributes>().unwrap().unwrap();
        assert_eq!(listed.iter().collect::<Vec<_>>(), [AttributeType::new(0x7abc)]);
    }

    /// T-I01, T-I04: every prefix and hostile usernames.
    #[test]
    fn t_i04_hostile_usernames_are_refused() {
        for username in [&b""[..], b"nocolon", b"\xff\xfe:a", &[b'a'; 514][..], &[b':'; 509][..], b"a\0:b"] {
            let mut out = Vec::new();
            let mut builder = Builder::request(&mut out, Method::BINDING, ID);
            builder.raw(AttributeType::USERNAME, username).message_integrity(&key()).fingerprint();
            builder.finish().unwrap();
            let message = Message::parse(&out).unwrap();
            let split = split_username(&message);
            assert!(split.is_none_or(|(local, _)| local.is_empty() || local == "a\0"), "{username:?}");
            assert!(matches!(Request::read(&message), Err(Verdict::Error(Code::BAD_REQUEST))));
        }
    }
}
