//! REQUESTED-ADDRESS-FAMILY and ADDITIONAL-ADDRESS-FAMILY (RFC 8656 §18.6, §18.11).

#![deny(clippy::indexing_slicing)]

use super::fixed;
use base::PutExt;
use std::net::IpAddr;
use stun::{Attribute, AttributeError, AttributeType, TransactionId};

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8656 §18.6 knows these two")]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// The family of an address.
    #[must_use]
    pub const fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }

    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Ipv4 => 1,
            Self::Ipv6 => 2,
        }
    }

    pub(super) const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Ipv4),
            2 => Some(Self::Ipv6),
            _ => None,
        }
    }
}

macro_rules! family_attribute {
    ($(#[$doc:meta])* $name:ident, $kind:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name(u8);

        impl $name {
            /// The attribute for a family.
            #[must_use]
            pub const fn new(family: Family) -> Self {
                Self(family.number())
            }

            /// The family, `None` when it is another one.
            #[must_use]
            pub const fn family(self) -> Option<Family> {
                Family::from_number(self.0)
            }
        }

        impl Attribute<'_> for $name {
            const TYPE: AttributeType = AttributeType::$kind;

            fn decode(value: &[u8], _: TransactionId) -> Result<Self, AttributeError> {
                let [number, _, _, _] = fixed(Self::TYPE, value)?;
                Ok(Self(number))
            }

            fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
                out.put_u8(self.0);
                out.put_u24(0);
            }
        }
    };
}

family_attribute! {
    /// A second relayed address in the same allocation (RFC 8656 §18.11).
    AdditionalAddressFamily, ADDITIONAL_ADDRESS_FAMILY
}
family_attribute! {
    /// Which family the relayed address is to have (RFC 8656 §18.6).
    RequestedAddressFamily, REQUESTED_ADDRESS_FAMILY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_families_are_kept_apart() {
        let id = TransactionId::new([0; 12]);
        let family = |number| RequestedAddressFamily::decode(&[number, 9, 9, 9], id).map(|it| it.family());
        assert_eq!(family(1), Ok(Some(Family::Ipv4)));
        assert_eq!(family(2), Ok(Some(Family::Ipv6)));
        assert_eq!(family(3), Ok(None));
        assert!(RequestedAddressFamily::decode(&[1, 0, 0], id).is_err());
    }
}
