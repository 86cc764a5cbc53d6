//! UNKNOWN-ATTRIBUTES (RFC 8489 §14.13).

#![deny(clippy::indexing_slicing)]

use super::{Attribute, AttributeError, AttributeType};
use crate::TransactionId;
use base::PutExt;

/// The comprehension-required attributes that a server did not know; at most 16 are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownAttributes {
    kinds: [AttributeType; Self::MAX],
    len: usize,
}

impl UnknownAttributes {
    /// How many it holds at most. More tell the client nothing and would make answers large.
    pub const MAX: usize = 16;

    /// The first [`MAX`](Self::MAX) of `kinds`.
    #[must_use]
    pub fn new(kinds: impl IntoIterator<Item = AttributeType>) -> Self {
        let mut list = Self { kinds: [AttributeType::new(0); Self::MAX], len: 0 };
        for (slot, kind) in list.kinds.iter_mut().zip(kinds) {
            *slot = kind;
            list.len = list.len.saturating_add(1);
        }
        list
    }

    /// The attribute types.
    pub fn iter(&self) -> impl Iterator<Item = AttributeType> + '_ {
        self.kinds.iter().copied().take(self.len)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Attribute<'_> for UnknownAttributes {
    const TYPE: AttributeType = AttributeType::UNKNOWN_ATTRIBUTES;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, AttributeError> {
        let (numbers, rest) = value.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(AttributeError::Length(Self::TYPE));
        }
        Ok(Self::new(numbers.iter().map(|number| AttributeType::new(u16::from_be_bytes(*number)))))
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        for kind in self.iter() {
            out.put_u16(kind.number());
        }
    }
}
