//! PASSWORD-ALGORITHMS and PASSWORD-ALGORITHM (RFC 8489 §14.11, §14.12).

#![deny(clippy::indexing_slicing)]

use super::{Attribute, AttributeError, AttributeType};
use crate::TransactionId;
use base::{PutExt, Reader};

/// The number of a password algorithm (RFC 8489 §18.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PasswordAlgorithmId(u16);

impl PasswordAlgorithmId {
    /// MD5, for old systems only (RFC 8489 §18.5.1.1).
    pub const MD5: Self = Self(0x0001);
    /// SHA-256 (RFC 8489 §18.5.1.2).
    pub const SHA256: Self = Self(0x0002);

    /// An algorithm by number.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// The algorithm that a request uses.
///
/// Neither of the algorithms known today has parameters; they are carried for those to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordAlgorithm<'a> {
    id: PasswordAlgorithmId,
    parameters: &'a [u8],
}

impl<'a> PasswordAlgorithm<'a> {
    /// An algorithm without parameters.
    #[must_use]
    pub const fn new(id: PasswordAlgorithmId) -> Self {
        Self { id, parameters: &[] }
    }

    /// Which one.
    #[must_use]
    pub const fn id(&self) -> PasswordAlgorithmId {
        self.id
    }

    /// Its parameters, without padding.
    #[must_use]
    pub const fn parameters(&self) -> &'a [u8] {
        self.parameters
    }

    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let id = PasswordAlgorithmId(reader.u16().ok()?);
        let len = usize::from(reader.u16().ok()?);
        let parameters = reader.take(len).ok()?;
        // Senders differ in whether the last padding counts as part of the attribute.
        let padding = base::padding(len).min(reader.remaining());
        reader.take(padding).ok()?;
        Some(Self { id, parameters })
    }

    fn write(&self, out: &mut Vec<u8>) {
        let parameters = self.parameters.get(..0x7fff).unwrap_or(self.parameters);
        out.put_u16(self.id.0);
        out.put_u16(parameters.len() as u16);
        out.put_slice(parameters);
        out.put_zeros(base::padding(parameters.len()));
    }
}

impl<'a> Attribute<'a> for PasswordAlgorithm<'a> {
    const TYPE: AttributeType = AttributeType::PASSWORD_ALGORITHM;

    fn decode(value: &'a [u8], _: TransactionId) -> Result<Self, AttributeError> {
        let mut reader = Reader::new(value);
        let algorithm = Self::read(&mut reader).filter(|_| reader.is_empty());
        algorithm.ok_or(AttributeError::Length(Self::TYPE))
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        self.write(out);
    }
}

/// The algorithms that a server supports, the most preferred first.
///
/// Holds the encoded list: a client must send it back unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordAlgorithms<'a>(&'a [u8]);

impl<'a> PasswordAlgorithms<'a> {
    /// MD5 alone.
    pub const MD5: PasswordAlgorithms<'static> = PasswordAlgorithms(&[0, 1, 0, 0]);
    /// SHA-256, then MD5.
    pub const SHA256_MD5: PasswordAlgorithms<'static> = PasswordAlgorithms(&[0, 2, 0, 0, 0, 1, 0, 0]);
    /// SHA-256 alone.
    pub const SHA256: PasswordAlgorithms<'static> = PasswordAlgorithms(&[0, 2, 0, 0]);

    /// The encoded list.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// The algorithms in order.
    #[must_use]
    pub fn iter(&self) -> PasswordAlgorithmsIter<'a> {
        PasswordAlgorithmsIter(Reader::new(self.0))
    }

    /// Whether the list has this algorithm, parameters included.
    #[must_use]
    pub fn contains(&self, algorithm: &PasswordAlgorithm<'_>) -> bool {
        self.iter().any(|entry| entry == *algorithm)
    }
}

impl<'a> IntoIterator for &PasswordAlgorithms<'a> {
    type Item = PasswordAlgorithm<'a>;
    type IntoIter = PasswordAlgorithmsIter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a> Attribute<'a> for PasswordAlgorithms<'a> {
    const TYPE: AttributeType = AttributeType::PASSWORD_ALGORITHMS;

    fn decode(value: &'a [u8], _: TransactionId) -> Result<Self, AttributeError> {
        let length = AttributeError::Length(Self::TYPE);
        let mut reader = Reader::new(value);
        while !reader.is_empty() {
            PasswordAlgorithm::read(&mut reader).ok_or(length)?;
        }
        if value.is_empty() { Err(length) } else { Ok(Self(value)) }
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        out.put_slice(self.0);
    }
}

/// Walks over a list of password algorithms.
#[derive(Clone, Debug)]
pub struct PasswordAlgorithmsIter<'a>(Reader<'a>);

impl<'a> Iterator for PasswordAlgorithmsIter<'a> {
    type Item = PasswordAlgorithm<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() { None } else { PasswordAlgorithm::read(&mut self.0) }
    }
}
