//! How values stand in the bytes of a handover: big-endian, fixed fields in a fixed order, counts before lists.
//!
//! Nothing is reserved by a count that was read: a list grows with the bytes that are there for it.

use crate::chunk::data::DataHeader;
use crate::event::Direction;
use crate::types::{End, MessageId, Order, Ppid, StreamId};
use base::{PutExt, Reader, Serial32, Truncated};
use bytes::Bytes;
use std::time::Duration;

/// The bytes end early, or a value stands for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl From<Truncated> for Malformed {
    fn from(_: Truncated) -> Self {
        Self
    }
}

/// What contradicts itself, in a few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contradiction(pub(crate) &'static str);

/// An error unless `holds`.
pub(crate) fn ensure(holds: bool, what: &'static str) -> Result<(), Contradiction> {
    if holds { Ok(()) } else { Err(Contradiction(what)) }
}

/// Extended sequence numbers, counters and the like stay below this: they can be counted on for longer than anything
/// lasts.
pub(crate) const MAX_COUNT: u64 = 1 << 62;

/// Written and read.
pub(crate) trait Wire: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed>;
}

/// A struct is its fields, all of them, in the order given.
macro_rules! wire_struct {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl crate::handover::wire::Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field),+ } = self;
                $(crate::handover::wire::Wire::put($field, out);)+
            }

            fn take(reader: &mut base::Reader<'_>) -> Result<Self, crate::handover::wire::Malformed> {
                Ok(Self { $($field: crate::handover::wire::Wire::take(reader)?),+ })
            }
        }
    };
}

/// An enum without data is a byte.
macro_rules! wire_enum {
    ($name:ident { $($value:literal => $variant:ident),+ $(,)? }) => {
        impl crate::handover::wire::Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                let byte: u8 = match self { $(Self::$variant => $value),+ };
                crate::handover::wire::Wire::put(&byte, out);
            }

            fn take(reader: &mut base::Reader<'_>) -> Result<Self, crate::handover::wire::Malformed> {
                match <u8 as crate::handover::wire::Wire>::take(reader)? {
                    $($value => Ok(Self::$variant),)+
                    _ => Err(crate::handover::wire::Malformed),
                }
            }
        }
    };
}

pub(crate) use {wire_enum, wire_struct};

macro_rules! wire_number {
    ($($name:ident $put:ident),+) => {$(
        impl Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                out.$put(*self);
            }

            fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
                Ok(reader.$name()?)
            }
        }
    )+};
}

wire_number!(u8 put_u8, u16 put_u16, u32 put_u32, u64 put_u64);

macro_rules! wire_newtype {
    ($($name:ident),+) => {$(
        impl Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                self.0.put(out);
            }

            fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
                Wire::take(reader).map(Self)
            }
        }
    )+};
}

wire_newtype!(StreamId, Ppid, MessageId, Serial32);
wire_enum!(Order { 0 => Ordered, 1 => Unordered });
wire_enum!(Direction { 0 => Incoming, 1 => Outgoing });
wire_enum!(End { 0 => More, 1 => Last, 2 => GivenUp });
wire_struct!(DataHeader { stream, mid, fsn, ppid, unordered, begin, end });

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.put_u8(u8::from(*self));
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        match reader.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }
}

/// 64 bits, on every machine.
impl Wire for usize {
    fn put(&self, out: &mut Vec<u8>) {
        out.put_u64(*self as u64);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::try_from(reader.u64()?).map_err(|_| Malformed)
    }
}

/// Nanoseconds, up to 584 years.
impl Wire for Duration {
    fn put(&self, out: &mut Vec<u8>) {
        out.put_u64(u64::try_from(self.as_nanos()).unwrap_or(u64::MAX));
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self::from_nanos(reader.u64()?))
    }
}

impl Wire for Bytes {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        out.put_slice(self);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let len = usize::take(reader)?;
        Ok(Self::copy_from_slice(reader.take(len)?))
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        if bool::take(reader)? { T::take(reader).map(Some) } else { Ok(None) }
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        for value in self {
            value.put(out);
        }
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = usize::take(reader)?;
        // Each takes a byte at least.
        if count > reader.remaining() {
            return Err(Malformed);
        }
        let mut values = Self::new();
        for _ in 0..count {
            values.push(T::take(reader)?);
        }
        Ok(values)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok((A::take(reader)?, B::take(reader)?))
    }
}

/// Whether each is smaller than the next.
pub(crate) fn is_ascending<T: PartialOrd>(values: impl IntoIterator<Item = T>) -> bool {
    values.into_iter().is_sorted_by(|one, next| one < next)
}
