//! MAPPED-ADDRESS, XOR-MAPPED-ADDRESS, ALTERNATE-SERVER (RFC 8489 §14.1, §14.2, §14.15).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |0 0 0 0 0 0 0 0|    Family     |         X-Port                |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                X-Address (Variable)
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

#![deny(clippy::indexing_slicing)]

use super::{Attribute, AttributeError, AttributeType};
use crate::{TransactionId, header::MAGIC_COOKIE};
use base::{PutExt, Reader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const FAMILY_IPV4: u8 = 0x01;
const FAMILY_IPV6: u8 = 0x02;

macro_rules! address_attribute {
    ($(#[$doc:meta])* $name:ident, $kind:ident, $decode:ident, $encode:ident) => {
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
                $decode(Self::TYPE, value, id).map(Self)
            }

            fn encode(&self, id: TransactionId, out: &mut Vec<u8>) {
                $encode(self.0, id, out);
            }
        }
    };
}

address_attribute! {
    /// Another server to try (RFC 8489 §14.15).
    AlternateServer, ALTERNATE_SERVER, decode_plain, encode_plain
}
address_attribute! {
    /// The address a request came from, for RFC 3489 clients (RFC 8489 §14.1).
    MappedAddress, MAPPED_ADDRESS, decode_plain, encode_plain
}
address_attribute! {
    /// The address a request came from (RFC 8489 §14.2).
    XorMappedAddress, XOR_MAPPED_ADDRESS, decode_xor_address, encode_xor_address
}

/// Reads an address that is XORed with the cookie and the transaction id, as in XOR-MAPPED-ADDRESS.
///
/// # Errors
/// [`AttributeError`] naming `kind` for a wrong length or an unknown family.
pub fn decode_xor_address(
    kind: AttributeType,
    value: &[u8],
    id: TransactionId,
) -> Result<SocketAddr, AttributeError> {
    decode_plain(kind, value, id).map(|address| xor(address, id))
}

/// Appends an address XORed with the cookie and the transaction id, as in XOR-MAPPED-ADDRESS.
pub fn encode_xor_address(address: SocketAddr, id: TransactionId, out: &mut Vec<u8>) {
    encode_plain(xor(address, id), id, out);
}

fn decode_plain(kind: AttributeType, value: &[u8], _: TransactionId) -> Result<SocketAddr, AttributeError> {
    let length = AttributeError::Length(kind);
    let mut reader = Reader::new(value);
    //= rfc8489 §14.1
    //# The first 8 bits of the MAPPED-ADDRESS MUST be set to 0 and MUST be
    //# ignored by receivers.
    reader.u8().map_err(|_| length)?;
    let family = reader.u8().map_err(|_| length)?;
    let port = reader.u16().map_err(|_| length)?;
    let ip: IpAddr = match family {
        FAMILY_IPV4 => Ipv4Addr::from(reader.array::<4>().map_err(|_| length)?).into(),
        FAMILY_IPV6 => Ipv6Addr::from(reader.array::<16>().map_err(|_| length)?).into(),
        _ => return Err(AttributeError::Value(kind)),
    };
    if !reader.is_empty() {
        return Err(length);
    }
    Ok(SocketAddr::new(ip, port))
}

fn encode_plain(address: SocketAddr, _: TransactionId, out: &mut Vec<u8>) {
    out.put_u8(0);
    match address.ip() {
        IpAddr::V4(ip) => {
            out.put_u8(FAMILY_IPV4);
            out.put_u16(address.port());
            out.put_slice(&ip.octets());
        }
        IpAddr::V6(ip) => {
            out.put_u8(FAMILY_IPV6);
            out.put_u16(address.port());
            out.put_slice(&ip.octets());
        }
    }
}

fn xor(address: SocketAddr, id: TransactionId) -> SocketAddr {
    let port = address.port() ^ (MAGIC_COOKIE >> 16) as u16;
    let ip: IpAddr = match address.ip() {
        IpAddr::V4(ip) => Ipv4Addr::from(u32::from(ip) ^ MAGIC_COOKIE).into(),
        IpAddr::V6(ip) => {
            let mut mask = [0; 16];
            if let Some((cookie, rest)) = mask.split_first_chunk_mut::<4>() {
                *cookie = MAGIC_COOKIE.to_be_bytes();
                rest.copy_from_slice(id.as_bytes());
            }
            Ipv6Addr::from(u128::from(ip) ^ u128::from_be_bytes(mask)).into()
        }
    };
    SocketAddr::new(ip, port)
}
