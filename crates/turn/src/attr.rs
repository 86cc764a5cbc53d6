//! The attributes of RFC 8656 §18.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

mod error_code;
mod family;

pub use error_code::AddressErrorCode;
pub use family::{AdditionalAddressFamily, Family, RequestedAddressFamily};

use crate::ChannelNumber;
use base::{PutExt, Reader};
use std::{net::SocketAddr, time::Duration};
use stun::{
    Attribute, AttributeError, AttributeType, TransactionId,
    attr::{decode_xor_address, encode_xor_address},
};

macro_rules! xor_address_attribute {
    ($(#[$doc:meta])* $name:ident, $kind:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name(SocketAddr);

        impl $name {
            /// The attribute for an address.
            #[must_use]
            pub const fn new(address: SocketAddr) -> Self {
                Self(address)
            }

            /// The address.
            #[must_use]
            pub const fn address(self) -> SocketAddr {
                self.0
            }
        }

        impl Attribute<'_> for $name {
            const TYPE: AttributeType = AttributeType::$kind;

            fn decode(value: &[u8], id: TransactionId) -> Result<Self, AttributeError> {
                decode_xor_address(Self::TYPE, value, id).map(Self)
            }

            fn encode(&self, id: TransactionId, out: &mut Vec<u8>) {
                encode_xor_address(self.0, id, out);
            }
        }
    };
}

xor_address_attribute! {
    /// A peer as the server sees it (RFC 8656 §18.3).
    XorPeerAddress, XOR_PEER_ADDRESS
}
xor_address_attribute! {
    /// The address that the server allocated (RFC 8656 §18.5).
    XorRelayedAddress, XOR_RELAYED_ADDRESS
}

/// CHANNEL-NUMBER (RFC 8656 §18.1), as received: it may be out of the range of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChannelNumberAttribute(u16);

impl ChannelNumberAttribute {
    /// The attribute for a channel.
    #[must_use]
    pub const fn new(channel: ChannelNumber) -> Self {
        Self(channel.get())
    }

    /// The channel, `None` when the number is not one (RFC 8656 §12).
    #[must_use]
    pub const fn channel(self) -> Option<ChannelNumber> {
        ChannelNumber::new(self.0)
    }
}

impl Attribute<'_> for ChannelNumberAttribute {
    const TYPE: AttributeType = AttributeType::CHANNEL_NUMBER;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, AttributeError> {
        let [a, b, _, _] = fixed(Self::TYPE, value)?;
        Ok(Self(u16::from_be_bytes([a, b])))
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        out.put_u16(self.0);
        out.put_u16(0);
    }
}

/// How long an allocation is to live, or lives, without a refresh (RFC 8656 §18.2). Whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lifetime(u32);

impl Lifetime {
    /// Deletes an allocation.
    pub const ZERO: Self = Self(0);

    /// The attribute for a time; parts of a second are dropped, more than 2^32 - 1 seconds are cut to that.
    #[must_use]
    pub fn new(lifetime: Duration) -> Self {
        Self(u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX))
    }

    /// The time.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }
}

impl Attribute<'_> for Lifetime {
    const TYPE: AttributeType = AttributeType::LIFETIME;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, AttributeError> {
        fixed(Self::TYPE, value).map(|bytes| Self(u32::from_be_bytes(bytes)))
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        out.put_u32(self.0);
    }
}

/// What is relayed (RFC 8656 §18.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a>(&'a [u8]);

impl<'a> Data<'a> {
    /// The attribute for a payload.
    #[must_use]
    pub const fn new(payload: &'a [u8]) -> Self {
        Self(payload)
    }

    /// The payload.
    #[must_use]
    pub const fn payload(self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Attribute<'a> for Data<'a> {
    const TYPE: AttributeType = AttributeType::DATA;

    fn decode(value: &'a [u8], _: TransactionId) -> Result<Self, AttributeError> {
        Ok(Self(value))
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        out.put_slice(self.0);
    }
}

/// Which relayed port is wanted (RFC 8656 §18.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "one bit on the wire")]
pub enum EvenPort {
    /// An even port.
    Even,
    /// An even port, and the next one reserved for a later allocation.
    EvenAndReserveNext,
}

impl Attribute<'_> for EvenPort {
    const TYPE: AttributeType = AttributeType::EVEN_PORT;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, AttributeError> {
        let [flags] = fixed(Self::TYPE, value)?;
        Ok(if flags & 0x80 == 0 { Self::Even } else { Self::EvenAndReserveNext })
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        out.put_u8(match self {
            Self::Even => 0,
            Self::EvenAndReserveNext => 0x80,
        });
    }
}

/// The protocol between server and peers, an IP protocol number (RFC 8656 §18.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestedTransport(u8);

impl RequestedTransport {
    /// UDP, 17.
    pub const UDP: Self = Self(17);
    /// TCP, 6 (RFC 6062).
    pub const TCP: Self = Self(6);

    /// A protocol by number.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl Attribute<'_> for RequestedTransport {
    const TYPE: AttributeType = AttributeType::REQUESTED_TRANSPORT;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, AttributeError> {
        let [number, _, _, _] = fixed(Self::TYPE, value)?;
        Ok(Self(number))
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        out.put_u8(self.0);
        out.put_u24(0);
    }
}

/// The server is to set the DF bit towards the peer (RFC 8656 §18.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DontFragment;

impl DontFragment {
    /// The attribute; it has no value.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Attribute<'_> for DontFragment {
    const TYPE: AttributeType = AttributeType::DONT_FRAGMENT;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, AttributeError> {
        fixed::<0>(Self::TYPE, value).map(|_| Self)
    }

    fn encode(&self, _: TransactionId, _: &mut Vec<u8>) {}
}

/// Names a reserved port (RFC 8656 §18.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReservationToken([u8; 8]);

impl ReservationToken {
    /// The attribute for a token.
    #[must_use]
    pub const fn new(token: [u8; 8]) -> Self {
        Self(token)
    }

    /// The token.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl Attribute<'_> for ReservationToken {
    const TYPE: AttributeType = AttributeType::RESERVATION_TOKEN;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, AttributeError> {
        fixed(Self::TYPE, value).map(Self)
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        out.put_slice(&self.0);
    }
}

/// An ICMP message that came back for a relayed datagram (RFC 8656 §18.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Icmp {
    /// The ICMP type; its meaning depends on the family of the peer.
    pub kind: u8,
    /// The ICMP code.
    pub code: u8,
    /// The MTU of the next hop in bytes for "packet too big", else zero.
    pub data: u32,
}

impl Icmp {
    /// The attribute for an ICMP message.
    #[must_use]
    pub const fn new(kind: u8, code: u8, data: u32) -> Self {
        Self { kind, code, data }
    }
}

impl Attribute<'_> for Icmp {
    const TYPE: AttributeType = AttributeType::ICMP;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, AttributeError> {
        let [_, _, kind, code, a, b, c, d] = fixed(Self::TYPE, value)?;
        Ok(Self { kind, code, data: u32::from_be_bytes([a, b, c, d]) })
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        out.put_u16(0);
        out.put_u8(self.kind);
        out.put_u8(self.code);
        out.put_u32(self.data);
    }
}

fn fixed<const N: usize>(kind: AttributeType, value: &[u8]) -> Result<[u8; N], AttributeError> {
    let mut reader = Reader::new(value);
    let bytes = reader.array().map_err(|_| AttributeError::Length(kind))?;
    if reader.is_empty() { Ok(bytes) } else { Err(AttributeError::Length(kind)) }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use super::*;
    use std::fmt::Debug;

    const ID: TransactionId = TransactionId::new([7; 12]);

    fn round_trip<A: for<'a> Attribute<'a> + PartialEq + Debug>(attribute: A, wire: &[u8]) {
        let mut out = Vec::new();
        attribute.encode(ID, &mut out);
        assert_eq!(out, wire);
        assert_eq!(A::decode(wire, ID).as_ref(), Ok(&attribute));
        for len in 0..wire.len() {
            assert!(A::decode(&wire[..len], ID).is_err(), "{attribute:?} from {len} bytes");
        }
        out.push(0);
        assert!(A::decode(&out, ID).is_err(), "{attribute:?} with a byte too many");
    }

    #[test]
    fn fixed_attributes_round_trip_and_refuse_other_lengths() {
        let channel = ChannelNumber::new(0x4abc).expect("invariant: in range");
        round_trip(ChannelNumberAttribute::new(channel), &[0x4a, 0xbc, 0, 0]);
        round_trip(Lifetime::new(Duration::from_millis(600_900)), &[0, 0, 2, 88]);
        round_trip(EvenPort::Even, &[0]);
        round_trip(EvenPort::EvenAndReserveNext, &[0x80]);
        round_trip(RequestedTransport::UDP, &[17, 0, 0, 0]);
        round_trip(DontFragment::new(), &[]);
        round_trip(ReservationToken::new([1, 2, 3, 4, 5, 6, 7, 8]), &[1, 2, 3, 4, 5, 6, 7, 8]);
        round_trip(Icmp::new(3, 4, 1_400), &[0, 0, 3, 4, 0, 0, 5, 120]);
        let peer = XorPeerAddress::new(([192, 0, 2, 1], 32_853).into());
        round_trip(peer, &[0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
    }

    #[test]
    fn lifetimes_do_not_wrap() {
        assert_eq!(Lifetime::new(Duration::MAX).duration(), Duration::from_secs(u64::from(u32::MAX)));
    }
}
