//! The attributes of connectivity checks (RFC 8445 §7.1, §16.1).

#![deny(clippy::indexing_slicing)]

use super::{Attribute, AttributeError, AttributeType};
use crate::TransactionId;
use base::PutExt;

macro_rules! number_attribute {
    ($(#[$doc:meta])* $name:ident($number:ty), $kind:ident, $put:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name($number);

        impl $name {
            /// The attribute for a number.
            #[must_use]
            pub const fn new(value: $number) -> Self {
                Self(value)
            }

            /// The number.
            #[must_use]
            pub const fn value(self) -> $number {
                self.0
            }
        }

        impl Attribute<'_> for $name {
            const TYPE: AttributeType = AttributeType::$kind;

            fn decode(value: &[u8], _: TransactionId) -> Result<Self, AttributeError> {
                let bytes = value.try_into().map_err(|_| AttributeError::Length(Self::TYPE))?;
                Ok(Self(<$number>::from_be_bytes(bytes)))
            }

            fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
                out.$put(self.0);
            }
        }
    };
}

number_attribute! {
    /// The priority a peer-reflexive candidate learnt from this check would have (RFC 8445 §7.1.1).
    Priority(u32), PRIORITY, put_u32
}
number_attribute! {
    /// The sender believes it is controlled; carries its tie-breaker (RFC 8445 §7.1.3).
    IceControlled(u64), ICE_CONTROLLED, put_u64
}
number_attribute! {
    /// The sender believes it is controlling; carries its tie-breaker (RFC 8445 §7.1.3).
    IceControlling(u64), ICE_CONTROLLING, put_u64
}

/// The controlling agent nominates the pair of this check (RFC 8445 §7.1.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct UseCandidate;

impl UseCandidate {
    /// The attribute; it has no value.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Attribute<'_> for UseCandidate {
    const TYPE: AttributeType = AttributeType::USE_CANDIDATE;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, AttributeError> {
        if value.is_empty() { Ok(Self) } else { Err(AttributeError::Length(Self::TYPE)) }
    }

    fn encode(&self, _: TransactionId, _: &mut Vec<u8>) {}
}
