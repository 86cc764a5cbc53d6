//! How values stand in the bytes of a handover: big-endian, fixed fields in a fixed order, counts before lists. It is
//! the form that the handover of the association has.

use bytes::Bytes;
use sctp::{Delivery, End, MessageId, Progress};
use std::time::Duration;

/// The bytes end early, or a value stands for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// What contradicts itself, in a few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contradiction(pub(crate) &'static str);

/// An error unless `holds`.
pub(crate) fn ensure(holds: bool, what: &'static str) -> Result<(), Contradiction> {
    if holds { Ok(()) } else { Err(Contradiction(what)) }
}

/// Counters stay below this: they can be counted on for longer than anything lasts.
pub(crate) const MAX_COUNT: u64 = 1 << 62;

/// Written to the end, and read from the front.
pub(crate) trait Wire: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed>;
}

/// So many bytes from the front.
pub(crate) fn split<'a>(bytes: &mut &'a [u8], len: usize) -> Result<&'a [u8], Malformed> {
    let (head, rest) = bytes.split_at_checked(len).ok_or(Malformed)?;
    *bytes = rest;
    Ok(head)
}

/// A struct is its fields, all of them, in the order given.
macro_rules! wire_struct {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl crate::handover::wire::Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field),+ } = self;
                $(crate::handover::wire::Wire::put($field, out);)+
            }

            fn take(bytes: &mut &[u8]) -> Result<Self, crate::handover::wire::Malformed> {
                Ok(Self { $($field: crate::handover::wire::Wire::take(bytes)?),+ })
            }
        }
    };
}

/// An enum without data is a byte.
macro_rules! wire_enum {
    ($name:ident { $($value:literal => $variant:ident),+ $(,)? }) => {
        impl crate::handover::wire::Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                out.push(match self { $(Self::$variant => $value),+ });
            }

            fn take(bytes: &mut &[u8]) -> Result<Self, crate::handover::wire::Malformed> {
                match <u8 as crate::handover::wire::Wire>::take(bytes)? {
                    $($value => Ok(Self::$variant),)+
                    _ => Err(crate::handover::wire::Malformed),
                }
            }
        }
    };
}

/// A number in a struct is the number.
macro_rules! wire_newtype {
    ($($name:ident),+) => {$(
        impl crate::handover::wire::Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                crate::handover::wire::Wire::put(&self.0, out);
            }

            fn take(bytes: &mut &[u8]) -> Result<Self, crate::handover::wire::Malformed> {
                crate::handover::wire::Wire::take(bytes).map(Self)
            }
        }
    )+};
}

pub(crate) use {wire_enum, wire_newtype, wire_struct};

macro_rules! wire_number {
    ($($name:ident),+) => {$(
        impl Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
                let (head, rest) = bytes.split_first_chunk().ok_or(Malformed)?;
                *bytes = rest;
                Ok(Self::from_be_bytes(*head))
            }
        }
    )+};
}

wire_number!(u8, u16, u32, u64);
wire_newtype!(MessageId);
wire_enum!(Delivery { 0 => Messages, 1 => Pieces });
wire_enum!(End { 0 => More, 1 => Last, 2 => GivenUp });
wire_enum!(Progress { 0 => Unsent, 1 => Begun });

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        match u8::take(bytes)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }
}

/// 64 bits, on every machine.
impl Wire for usize {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u64).put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Self::try_from(u64::take(bytes)?).map_err(|_| Malformed)
    }
}

/// Nanoseconds, up to 584 years.
impl Wire for Duration {
    fn put(&self, out: &mut Vec<u8>) {
        u64::try_from(self.as_nanos()).unwrap_or(u64::MAX).put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        u64::take(bytes).map(Self::from_nanos)
    }
}

impl Wire for Bytes {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        out.extend_from_slice(self);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let len = usize::take(bytes)?;
        split(bytes, len).map(Self::copy_from_slice)
    }
}

impl Wire for Box<str> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let len = usize::take(bytes)?;
        std::str::from_utf8(split(bytes, len)?).map(Self::from).map_err(|_| Malformed)
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        if bool::take(bytes)? { T::take(bytes).map(Some) } else { Ok(None) }
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        for value in self {
            value.put(out);
        }
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let count = usize::take(bytes)?;
        // Each takes a byte at least, and nothing is reserved by the count.
        if count > bytes.len() {
            return Err(Malformed);
        }
        (0..count).map(|_| T::take(bytes)).collect()
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok((A::take(bytes)?, B::take(bytes)?))
    }
}
