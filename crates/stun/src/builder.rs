//! Writing messages.

#![deny(clippy::indexing_slicing)]

use crate::{
    Attribute, AttributeType, Class, HEADER_LEN, Integrity, IntegrityKey, Message, Method, TransactionId,
    fingerprint::{self, FINGERPRINT_LEN},
    header::{MAGIC_COOKIE, join_type},
    integrity::HmacText,
};
use base::PutExt;
use std::fmt;

/// Appends one message to a buffer, and touches nothing that was there before.
///
/// A step that cannot be done (too long, out of order, no algorithm) is remembered; [`finish`](Self::finish) then
/// removes the message again and says why.
///
/// ```
/// use stun::{Builder, Method, TransactionId, attr::Software};
///
/// let mut datagram = Vec::new();
/// let mut builder = Builder::request(&mut datagram, Method::BINDING, TransactionId::new([7; 12]));
/// builder.attribute(&Software::new("example")?).fingerprint();
/// let len = builder.finish()?;
/// assert_eq!(len, datagram.len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "without `finish` a failed message may stay in the buffer"]
pub struct Builder<'b> {
    out: &'b mut Vec<u8>,
    start: usize,
    id: TransactionId,
    stage: Stage,
    error: Option<BuildError>,
}

/// What has been written; attributes may only move it forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Attributes,
    Integrity,
    Fingerprint,
}

impl<'b> Builder<'b> {
    /// Starts a message at the end of `out`.
    pub fn new(out: &'b mut Vec<u8>, class: Class, method: Method, id: TransactionId) -> Self {
        let start = out.len();
        out.put_u16(join_type(class, method));
        out.put_u16(0);
        out.put_u32(MAGIC_COOKIE);
        out.put_slice(id.as_bytes());
        Self { out, start, id, stage: Stage::Attributes, error: None }
    }

    /// Starts a request.
    pub fn request(out: &'b mut Vec<u8>, method: Method, id: TransactionId) -> Self {
        Self::new(out, Class::Request, method, id)
    }

    /// Starts an indication.
    pub fn indication(out: &'b mut Vec<u8>, method: Method, id: TransactionId) -> Self {
        Self::new(out, Class::Indication, method, id)
    }

    /// Starts the success response to a request: same method, same transaction id.
    pub fn success(out: &'b mut Vec<u8>, request: &Message<'_>) -> Self {
        Self::new(out, Class::Success, request.method(), request.transaction_id())
    }

    /// Starts the error response to a request; the caller adds the [`ErrorCode`](crate::attr::ErrorCode).
    pub fn error(out: &'b mut Vec<u8>, request: &Message<'_>) -> Self {
        Self::new(out, Class::Error, request.method(), request.transaction_id())
    }

    /// Appends an attribute.
    pub fn attribute<'a, A: Attribute<'a>>(&mut self, attribute: &A) -> &mut Self {
        let id = self.id;
        self.attribute_with(A::TYPE, |out| attribute.encode(id, out))
    }

    /// Appends an attribute when there is one.
    pub fn attribute_opt<'a, A: Attribute<'a>>(&mut self, attribute: Option<&A>) -> &mut Self {
        match attribute {
            Some(attribute) => self.attribute(attribute),
            None => self,
        }
    }

    /// Appends an attribute of which only the bytes are known.
    pub fn raw(&mut self, kind: AttributeType, value: &[u8]) -> &mut Self {
        self.attribute_with(kind, |out| out.put_slice(value))
    }

    /// Appends an attribute whose value `write` appends.
    pub fn attribute_with(&mut self, kind: AttributeType, write: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        if self.stage != Stage::Attributes {
            self.error.get_or_insert(BuildError::AfterIntegrity);
        }
        self.append(kind, write);
        self
    }

    /// Appends MESSAGE-INTEGRITY (RFC 8489 §14.5).
    pub fn message_integrity(&mut self, key: &IntegrityKey) -> &mut Self {
        self.integrity(key, Integrity::Sha1)
    }

    /// Appends MESSAGE-INTEGRITY-SHA256 (RFC 8489 §14.6).
    pub fn message_integrity_sha256(&mut self, key: &IntegrityKey) -> &mut Self {
        self.integrity(key, Integrity::Sha256)
    }

    /// Appends the integrity attribute of an algorithm.
    pub fn integrity(&mut self, key: &IntegrityKey, algorithm: Integrity) -> &mut Self {
        let Some(mac) = key.mac(algorithm) else {
            self.error.get_or_insert(BuildError::Unsupported);
            return self;
        };
        if self.stage == Stage::Fingerprint {
            self.error.get_or_insert(BuildError::AfterIntegrity);
        }
        let (kind, len) = match algorithm {
            Integrity::Sha1 => (AttributeType::MESSAGE_INTEGRITY, algorithm.tag_len()),
            Integrity::Sha256 => (AttributeType::MESSAGE_INTEGRITY_SHA256, algorithm.tag_len()),
        };
        let at = self.message_len();
        let mut tag = [0; 32];
        let text = HmacText::new(self.written(), at, len);
        mac.sign(&text.parts(), &mut tag);
        self.append(kind, |out| out.put_slice(tag.get(..len).unwrap_or_default()));
        self.stage = self.stage.max(Stage::Integrity);
        self
    }

    /// Appends FINGERPRINT, the last attribute (RFC 8489 §14.7).
    pub fn fingerprint(&mut self) -> &mut Self {
        if self.stage == Stage::Fingerprint {
            self.error.get_or_insert(BuildError::AfterIntegrity);
        }
        let at = self.out.len();
        self.append(AttributeType::FINGERPRINT, |out| out.put_zeros(FINGERPRINT_LEN));
        // The checksum covers the length field, which `append` has just filled in.
        let covered = self.out.get(self.start..at).unwrap_or_default();
        let value = fingerprint::compute(covered).to_be_bytes();
        if let Some(slot) = self.out.get_mut(at + 4..at + 4 + FINGERPRINT_LEN) {
            slot.copy_from_slice(&value);
        }
        self.stage = Stage::Fingerprint;
        self
    }

    /// The transaction id of the message.
    #[must_use]
    pub const fn transaction_id(&self) -> TransactionId {
        self.id
    }

    /// Bytes of the message so far, header included.
    #[must_use]
    pub fn message_len(&self) -> usize {
        self.out.len() - self.start
    }

    /// Ends the message and returns its length in bytes, header included.
    ///
    /// # Errors
    /// [`BuildError`] when a step could not be done; the buffer is then as it was before.
    pub fn finish(self) -> Result<usize, BuildError> {
        match self.error {
            None => Ok(self.message_len()),
            Some(error) => {
                self.out.truncate(self.start);
                Err(error)
            }
        }
    }

    fn written(&self) -> &[u8] {
        self.out.get(self.start..).unwrap_or_default()
    }

    /// Appends type, length, value and padding, and brings the length in the header up to date.
    fn append(&mut self, kind: AttributeType, write: impl FnOnce(&mut Vec<u8>)) {
        if self.error.is_some() {
            return;
        }
        let start = self.out.len();
        self.out.put_u16(kind.number());
        self.out.put_u16(0);
        let body = self.out.len();
        write(self.out);
        let len = self.out.len() - body;
        // Padding bytes are always zero: they must not carry what the memory held before (T-T11).
        self.out.put_zeros(len.next_multiple_of(4) - len);
        let total = self.out.len() - self.start - HEADER_LEN;
        let (Ok(len), Ok(total)) = (u16::try_from(len), u16::try_from(total)) else {
            self.error = Some(BuildError::TooLong);
            self.out.truncate(start);
            return;
        };
        self.patch(start + 2, len);
        self.patch(self.start + 2, total);
    }

    fn patch(&mut self, at: usize, value: u16) {
        if let Some(field) = self.out.get_mut(at..at + 2) {
            field.copy_from_slice(&value.to_be_bytes());
        }
    }
}

/// A message could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// An attribute was added behind an integrity attribute or FINGERPRINT, where receivers ignore it.
    AfterIntegrity,
    /// The message would be longer than its 16-bit length field can say.
    TooLong,
    /// The crypto provider has not the integrity algorithm.
    Unsupported,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AfterIntegrity => "an attribute was added behind message integrity or fingerprint",
            Self::TooLong => "the message is longer than 65,535 bytes",
            Self::Unsupported => "the crypto provider lacks the integrity algorithm",
        })
    }
}

impl std::error::Error for BuildError {}
