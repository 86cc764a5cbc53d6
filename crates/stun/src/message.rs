//! A checked view of a received message.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use crate::{
    Attribute, AttributeError, AttributeType, Class, HEADER_LEN, Integrity, IntegrityError, IntegrityKey,
    Method, TransactionId,
    attrs::{Attributes, RawAttribute, Walk},
    fingerprint::{self, FINGERPRINT_LEN},
    header::{Header, HeaderError},
    integrity::{HmacText, SHA1_LEN},
};
use base::Reader;
use std::fmt;

/// A received message: header and attributes checked for form, nothing copied.
///
/// *Visible* attributes are those in front of the first integrity attribute. What comes behind it is not covered by
/// it, could have been put there by anyone, and is never shown: only the other integrity attribute and FINGERPRINT
/// may stand there (RFC 8489 §9). Of several attributes of one type, the first counts (RFC 8489 §14).
#[derive(Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a [u8],
    class: Class,
    method: Method,
    id: TransactionId,
    /// Where the visible attributes end.
    visible_end: usize,
    /// Offset of MESSAGE-INTEGRITY; its value has 20 bytes.
    sha1_at: Option<usize>,
    /// Offset of MESSAGE-INTEGRITY-SHA256 and the length of its value.
    sha256_at: Option<(usize, usize)>,
    /// Offset of FINGERPRINT; it is the last attribute.
    fingerprint_at: Option<usize>,
}

impl<'a> Message<'a> {
    /// Checks that `bytes` are one whole message and nothing else.
    ///
    /// Looks at the header, the lengths of all attributes and the places of integrity and fingerprint. It verifies
    /// neither; see [`verify`](Self::verify) and [`check_fingerprint`](Self::check_fingerprint).
    ///
    /// # Errors
    /// [`ParseError`] saying what is wrong; such bytes are to be dropped, or are of another protocol.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let header = Header::read(&mut reader)?;
        if reader.remaining() != usize::from(header.len) {
            return Err(ParseError::Length);
        }
        let mut message = Self {
            bytes,
            class: header.class,
            method: header.method,
            id: header.id,
            visible_end: bytes.len(),
            sha1_at: None,
            sha256_at: None,
            fingerprint_at: None,
        };
        for attribute in Walk::new(reader.rest()) {
            message.admit(attribute.ok_or(ParseError::AttributeLength)?)?;
        }
        Ok(message)
    }

    /// Its class.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.class
    }

    /// Its method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// Its transaction id.
    #[must_use]
    pub const fn transaction_id(&self) -> TransactionId {
        self.id
    }

    /// The bytes it was parsed from.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// All visible attributes in order, known or not.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        let visible = self.bytes.get(HEADER_LEN..self.visible_end).unwrap_or_default();
        Attributes(Walk::new(visible))
    }

    /// The value of the first visible attribute of a type.
    #[must_use]
    pub fn raw(&self, kind: AttributeType) -> Option<&'a [u8]> {
        self.attributes().find(|attribute| attribute.kind == kind).map(|attribute| attribute.value)
    }

    /// Whether there is a visible attribute of a type.
    #[must_use]
    pub fn contains(&self, kind: AttributeType) -> bool {
        self.raw(kind).is_some()
    }

    /// The first visible attribute of a type, `None` when there is none.
    ///
    /// # Errors
    /// [`AttributeError`] when it is there and its value is not allowed.
    pub fn get<A: Attribute<'a>>(&self) -> Result<Option<A>, AttributeError> {
        self.raw(A::TYPE).map(|value| A::decode(value, self.id)).transpose()
    }

    /// The first visible attribute of a type, which must be there.
    ///
    /// # Errors
    /// [`AttributeError`] when it is missing or its value is not allowed.
    pub fn require<A: Attribute<'a>>(&self) -> Result<A, AttributeError> {
        self.get()?.ok_or(AttributeError::Missing(A::TYPE))
    }

    /// All visible attributes of a type in order, for the few that may be repeated.
    pub fn all<A: Attribute<'a>>(&self) -> impl Iterator<Item = Result<A, AttributeError>> + 'a + use<'a, A> {
        let id = self.id;
        self.attributes()
            .filter(|attribute| attribute.kind == A::TYPE)
            .map(move |attribute| A::decode(attribute.value, id))
    }

    /// The visible comprehension-required attributes that are not in `known`, in order (RFC 8489 §6.3).
    ///
    /// A request with such gets a 420 answer with [`UnknownAttributes`](crate::attr::UnknownAttributes); an
    /// indication or a response with such is dropped.
    pub fn unknown_required<'k>(
        &self,
        known: &'k [AttributeType],
    ) -> impl Iterator<Item = AttributeType> + use<'a, 'k> {
        self.attributes()
            .map(|attribute| attribute.kind)
            .filter(|kind| kind.is_comprehension_required() && !known.contains(kind))
    }

    /// Which integrity attribute protects it: SHA-256 when both are there (RFC 8489 §9.1.3, §9.2.4).
    #[must_use]
    pub const fn integrity(&self) -> Option<Integrity> {
        match (self.sha256_at, self.sha1_at) {
            (Some(_), _) => Some(Integrity::Sha256),
            (None, Some(_)) => Some(Integrity::Sha1),
            (None, None) => None,
        }
    }

    /// Whether MESSAGE-INTEGRITY is there, with or without MESSAGE-INTEGRITY-SHA256.
    #[must_use]
    pub const fn has_sha1(&self) -> bool {
        self.sha1_at.is_some()
    }

    /// Whether MESSAGE-INTEGRITY-SHA256 is there.
    #[must_use]
    pub const fn has_sha256(&self) -> bool {
        self.sha256_at.is_some()
    }

    /// Verifies the integrity attribute that [`integrity`](Self::integrity) names, in constant time.
    ///
    /// A truncated MESSAGE-INTEGRITY-SHA256 is refused: no usage here allows it (RFC 8489 §14.6).
    ///
    /// # Errors
    /// [`IntegrityError`] when it is absent, wrong, or the key cannot do its algorithm.
    pub fn verify(&self, key: &IntegrityKey) -> Result<Integrity, IntegrityError> {
        self.verify_truncated(key, 32)
    }

    /// As [`verify`](Self::verify), for usages that allow MESSAGE-INTEGRITY-SHA256 to be cut down to `min_len` bytes.
    ///
    /// # Errors
    /// [`IntegrityError`] when it is absent, too short, wrong, or the key cannot do its algorithm.
    pub fn verify_truncated(&self, key: &IntegrityKey, min_len: usize) -> Result<Integrity, IntegrityError> {
        let (algorithm, at, len) = match (self.sha256_at, self.sha1_at) {
            (Some((at, len)), _) => (Integrity::Sha256, at, len),
            (None, Some(at)) => (Integrity::Sha1, at, SHA1_LEN),
            (None, None) => return Err(IntegrityError::Missing),
        };
        if algorithm == Integrity::Sha256 && len < min_len {
            return Err(IntegrityError::Mismatch);
        }
        let mac = key.mac(algorithm).ok_or(IntegrityError::Unsupported)?;
        let start = at.saturating_add(4);
        let tag = self.bytes.get(start..start.saturating_add(len)).unwrap_or_default();
        let text = HmacText::new(self.bytes, at, len);
        mac.verify(&text.parts(), tag).map_err(|_| IntegrityError::Mismatch)?;
        Ok(algorithm)
    }

    /// Whether FINGERPRINT is there.
    #[must_use]
    pub const fn has_fingerprint(&self) -> bool {
        self.fingerprint_at.is_some()
    }

    /// Checks FINGERPRINT (RFC 8489 §14.7).
    ///
    /// # Errors
    /// [`FingerprintError`] when it is absent or wrong.
    pub fn check_fingerprint(&self) -> Result<(), FingerprintError> {
        let at = self.fingerprint_at.ok_or(FingerprintError::Missing)?;
        let (covered, attribute) = self.bytes.split_at_checked(at).ok_or(FingerprintError::Missing)?;
        let expected = fingerprint::compute(covered);
        if attribute.get(4..) == Some(&expected.to_be_bytes()) {
            Ok(())
        } else {
            Err(FingerprintError::Mismatch)
        }
    }

    /// Takes note of an attribute that the walk found.
    fn admit(&mut self, attribute: RawAttribute<'a>) -> Result<(), ParseError> {
        //= rfc8489 §14.7
        //# When present, the FINGERPRINT attribute MUST be the last attribute in
        //# the message and thus will appear after MESSAGE-INTEGRITY and MESSAGE-
        //# INTEGRITY-SHA256.
        if self.fingerprint_at.is_some() {
            return Err(ParseError::AfterFingerprint);
        }
        let (at, len) = (HEADER_LEN.saturating_add(attribute.offset), attribute.value.len());
        //= rfc8489 §9
        //# Note that agents MUST ignore all attributes that follow MESSAGE-
        //# INTEGRITY, with the exception of the MESSAGE-INTEGRITY-SHA256 and
        //# FINGERPRINT attributes.
        match attribute.kind {
            AttributeType::MESSAGE_INTEGRITY if self.sha1_at.is_none() => {
                if len != SHA1_LEN {
                    return Err(ParseError::IntegrityLength);
                }
                self.sha1_at = Some(at);
                self.visible_end = self.visible_end.min(at);
            }
            AttributeType::MESSAGE_INTEGRITY_SHA256 if self.sha256_at.is_none() => {
                //= rfc8489 §14.6
                //# The value will be at most 32
                //# bytes, but it MUST be at least 16 bytes and MUST be a multiple of 4
                //# bytes.
                if !(16..=32).contains(&len) || len % 4 != 0 {
                    return Err(ParseError::IntegrityLength);
                }
                self.sha256_at = Some((at, len));
                self.visible_end = self.visible_end.min(at);
            }
            AttributeType::FINGERPRINT => {
                if len != FINGERPRINT_LEN {
                    return Err(ParseError::FingerprintLength);
                }
                self.fingerprint_at = Some(at);
                self.visible_end = self.visible_end.min(at);
            }
            _ => {}
        }
        Ok(())
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Message");
        f.field("class", &self.class).field("method", &self.method).field("id", &self.id);
        f.field("attributes", &self.attributes().map(|attribute| attribute.kind).collect::<Vec<_>>());
        f.field("integrity", &self.integrity()).field("fingerprint", &self.has_fingerprint()).finish()
    }
}

/// Bytes are not a STUN message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// An attribute stands behind FINGERPRINT.
    AfterFingerprint,
    /// An attribute reaches over the end of the message.
    AttributeLength,
    /// The magic cookie is another number: this is another protocol.
    Cookie,
    /// FINGERPRINT has not 4 bytes.
    FingerprintLength,
    /// An integrity attribute has a length that no hash gives.
    IntegrityLength,
    /// The length field is not the number of bytes behind the header, or no multiple of 4.
    Length,
    /// There are fewer bytes than a header has.
    Truncated,
    /// One of the first two bits is set: this is another protocol.
    TypeBits,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AfterFingerprint => "an attribute follows FINGERPRINT",
            Self::AttributeLength => "an attribute reaches over the end of the message",
            Self::Cookie => "the magic cookie is wrong",
            Self::FingerprintLength => "FINGERPRINT has a wrong length",
            Self::IntegrityLength => "an integrity attribute has a wrong length",
            Self::Length => "the length field does not match the datagram",
            Self::Truncated => "the header is cut short",
            Self::TypeBits => "the first two bits are not zero",
        })
    }
}

impl std::error::Error for ParseError {}

impl From<HeaderError> for ParseError {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::Cookie => Self::Cookie,
            HeaderError::Truncated => Self::Truncated,
            HeaderError::TypeBits => Self::TypeBits,
            HeaderError::Unaligned => Self::Length,
        }
    }
}

/// FINGERPRINT does not prove that this is STUN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FingerprintError {
    /// The checksum is wrong.
    Mismatch,
    /// The attribute is absent.
    Missing,
}

impl fmt::Display for FingerprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mismatch => "FINGERPRINT is wrong",
            Self::Missing => "FINGERPRINT is missing",
        })
    }
}

impl std::error::Error for FingerprintError {}
