//! The 20-byte header (RFC 8489 §5).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use base::Reader;
use crypto::Random;
use std::fmt;

/// Bytes of a STUN header.
pub const HEADER_LEN: usize = 20;

/// The fixed value behind the length field (RFC 8489 §5).
pub const MAGIC_COOKIE: u32 = 0x2112_a442;

/// What a message is for (RFC 8489 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "two bits on the wire")]
pub enum Class {
    /// Asks for a response.
    Request,
    /// Is not answered.
    Indication,
    /// Answers a request that succeeded.
    Success,
    /// Answers a request that failed.
    Error,
}

impl Class {
    const fn from_bits(bits: u16) -> Self {
        match bits & 0b11 {
            0b00 => Self::Request,
            0b01 => Self::Indication,
            0b10 => Self::Success,
            _ => Self::Error,
        }
    }

    const fn bits(self) -> u16 {
        match self {
            Self::Request => 0b00,
            Self::Indication => 0b01,
            Self::Success => 0b10,
            Self::Error => 0b11,
        }
    }

    /// Whether it answers a request.
    #[must_use]
    pub const fn is_response(self) -> bool {
        matches!(self, Self::Success | Self::Error)
    }
}

/// What a request asks for: a 12-bit number (RFC 8489 §18.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Method(u16);

impl Method {
    /// Binding (RFC 8489).
    pub const BINDING: Self = Self(0x001);
    /// Allocate (RFC 8656 §17).
    pub const ALLOCATE: Self = Self(0x003);
    /// Refresh (RFC 8656 §17).
    pub const REFRESH: Self = Self(0x004);
    /// Send, an indication (RFC 8656 §17).
    pub const SEND: Self = Self(0x006);
    /// Data, an indication (RFC 8656 §17).
    pub const DATA: Self = Self(0x007);
    /// `CreatePermission` (RFC 8656 §17).
    pub const CREATE_PERMISSION: Self = Self(0x008);
    /// `ChannelBind` (RFC 8656 §17).
    pub const CHANNEL_BIND: Self = Self(0x009);
    /// Connect (RFC 6062 §6.1).
    pub const CONNECT: Self = Self(0x00a);
    /// `ConnectionBind` (RFC 6062 §6.1).
    pub const CONNECTION_BIND: Self = Self(0x00b);
    /// `ConnectionAttempt`, an indication (RFC 6062 §6.1).
    pub const CONNECTION_ATTEMPT: Self = Self(0x00c);

    /// A method by number, `None` when it has more than 12 bits.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if number < 0x1000 { Some(Self(number)) } else { None }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::BINDING => "Binding",
            Self::ALLOCATE => "Allocate",
            Self::REFRESH => "Refresh",
            Self::SEND => "Send",
            Self::DATA => "Data",
            Self::CREATE_PERMISSION => "CreatePermission",
            Self::CHANNEL_BIND => "ChannelBind",
            Self::CONNECT => "Connect",
            Self::CONNECTION_BIND => "ConnectionBind",
            Self::CONNECTION_ATTEMPT => "ConnectionAttempt",
            Self(number) => return write!(f, "Method({number:#05x})"),
        };
        f.write_str(name)
    }
}

/// The 96 bits that tie a response to its request (RFC 8489 §5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId([u8; 12]);

impl TransactionId {
    /// An id received or stored before.
    #[must_use]
    pub const fn new(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }

    /// A fresh one for a new transaction.
    //= rfc8489 §5
    //# As such, the transaction ID MUST be uniformly
    //# and randomly chosen from the interval 0 .. 2**96-1 and MUST be
    //# cryptographically random.
    #[must_use]
    pub fn random(rng: &mut dyn Random) -> Self {
        Self(rng.bytes())
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 12] {
        &self.0
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Whether a datagram is one whole STUN message by its header alone: type bits, cookie and length.
///
/// It says nothing about the attributes; [`Message::parse`](crate::Message::parse) does.
#[must_use]
pub fn is_stun(datagram: &[u8]) -> bool {
    message_len(datagram) == Some(datagram.len())
}

/// The length in bytes of the STUN message at the front of a byte stream, header included.
///
/// `None` when there are fewer than 20 bytes, or when they are not a STUN header. For STUN over TCP without other
/// framing (RFC 8489 §6.2.2).
#[must_use]
pub fn message_len(stream: &[u8]) -> Option<usize> {
    let header = Header::read(&mut Reader::new(stream)).ok()?;
    Some(HEADER_LEN + usize::from(header.len))
}

/// The header of a message, its fixed parts checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) class: Class,
    pub(crate) method: Method,
    pub(crate) len: u16,
    pub(crate) id: TransactionId,
}

/// Why 20 bytes are not a STUN header.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HeaderError {
    Truncated,
    TypeBits,
    Cookie,
    Unaligned,
}

impl Header {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, HeaderError> {
        let fields = reader.array::<HEADER_LEN>().map_err(|_| HeaderError::Truncated)?;
        let mut fields = Reader::new(&fields);
        let (Ok(kind), Ok(len), Ok(cookie), Ok(id)) =
            (fields.u16(), fields.u16(), fields.u32(), fields.array())
        else {
            return Err(HeaderError::Truncated);
        };
        //= rfc8489 §5
        //# The most significant 2 bits of every STUN message MUST be zeroes.
        if kind & 0xc000 != 0 {
            return Err(HeaderError::TypeBits);
        }
        //= rfc8489 §5
        //# The Magic Cookie field MUST contain the fixed value 0x2112A442 in
        //# network byte order.
        if cookie != MAGIC_COOKIE {
            return Err(HeaderError::Cookie);
        }
        if len % 4 != 0 {
            return Err(HeaderError::Unaligned);
        }
        let (class, method) = split_type(kind);
        Ok(Self { class, method, len, id: TransactionId(id) })
    }
}

/// The 14 bits of a message type, as on the wire.
pub(crate) const fn join_type(class: Class, method: Method) -> u16 {
    let (class, method) = (class.bits(), method.0);
    (method & 0x0f80) << 2
        | (class & 0b10) << 7
        | (method & 0x0070) << 1
        | (class & 0b01) << 4
        | (method & 0x000f)
}

const fn split_type(kind: u16) -> (Class, Method) {
    let class = (kind >> 7) & 0b10 | (kind >> 4) & 0b01;
    let method = (kind >> 2) & 0x0f80 | (kind >> 1) & 0x0070 | kind & 0x000f;
    (Class::from_bits(class), Method(method))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_type_round_trips() {
        for kind in 0..0x4000 {
            let (class, method) = split_type(kind);
            assert_eq!(join_type(class, method), kind);
        }
        assert_eq!(join_type(Class::Success, Method::BINDING), 0x0101);
        assert_eq!(join_type(Class::Error, Method::ALLOCATE), 0x0113);
        assert_eq!(join_type(Class::Indication, Method::SEND), 0x0016);
    }

    #[test]
    fn methods_have_twelve_bits() {
        assert_eq!(Method::new(0x0fff).map(Method::number), Some(0x0fff));
        assert_eq!(Method::new(0x1000), None);
        assert_eq!(format!("{:?} {:?}", Method::CHANNEL_BIND, Method(0x7f)), "ChannelBind Method(0x07f)");
    }

    #[test]
    fn a_stream_tells_the_length_of_its_first_message() {
        let mut header = [0_u8; 24];
        header[1] = 1;
        header[3] = 4;
        header[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
        assert_eq!(message_len(&header), Some(24));
        assert_eq!(message_len(&header[..20]), Some(24));
        assert_eq!(message_len(&header[..19]), None);
        assert!(is_stun(&header));
        assert!(!is_stun(&header[..20]));
        header[3] = 3;
        assert!(!is_stun(&header[..23]));
    }
}
