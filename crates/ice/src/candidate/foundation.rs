//! Foundations (RFC 8445 §5.1.1.3).

use super::CandidateKind;
use crate::credentials::is_ice_char;
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

/// The same for candidates of the same type, base address, protocol and server: 1 to 32 `ice-char`s.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Foundation(String);

impl Foundation {
    /// Takes 1 to 32 `ice-char`s; `None` for anything else.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let valid = (1..=32).contains(&text.len()) && text.bytes().all(is_ice_char);
        valid.then(|| Self(text.to_owned()))
    }

    pub(crate) fn from_number(number: u32) -> Self {
        Self(number.to_string())
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Foundation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What two candidates must share to share a foundation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FoundationKey {
    pub(crate) kind: CandidateKind,
    pub(crate) base: IpAddr,
    pub(crate) server: Option<SocketAddr>,
}

/// Numbers foundations in the order in which they first appear.
///
/// A number says nothing about an address. A hash of the address would: it could be searched for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Foundations {
    keys: Vec<FoundationKey>,
}

impl Foundations {
    /// The number for `key`, from 1.
    pub(crate) fn number(&mut self, key: FoundationKey) -> u32 {
        let place = self.keys.iter().position(|known| *known == key).unwrap_or_else(|| {
            self.keys.push(key);
            self.keys.len() - 1
        });
        u32::try_from(place).map_or(u32::MAX, |place| place.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foundations_are_shared_by_type_base_and_server_only() {
        let mut foundations = Foundations::default();
        let key = |kind, last: u8, server: Option<u16>| FoundationKey {
            kind,
            base: [10, 0, 0, last].into(),
            server: server.map(|port| ([9, 9, 9, 9], port).into()),
        };
        let host = foundations.number(key(CandidateKind::Host, 1, None));
        assert_eq!(host, foundations.number(key(CandidateKind::Host, 1, None)));
        let others = [
            key(CandidateKind::Host, 2, None),
            key(CandidateKind::ServerReflexive, 1, Some(1)),
            key(CandidateKind::ServerReflexive, 1, Some(2)),
            key(CandidateKind::Relayed, 1, Some(1)),
        ]
        .map(|key| foundations.number(key));
        assert_eq!(others, [2, 3, 4, 5]);
    }

    #[test]
    fn only_ice_chars_and_32_of_them() {
        assert!(Foundation::new("aZ09+/").is_some());
        assert!(Foundation::new("").is_none());
        assert!(Foundation::new(&"1".repeat(33)).is_none());
        assert!(Foundation::new("a b").is_none());
    }
}
