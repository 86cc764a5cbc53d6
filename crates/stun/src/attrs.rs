//! Walking over attributes (RFC 8489 §14).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         Type                  |            Length             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                         Value (variable)                ....
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use crate::AttributeType;
use base::Reader;

/// One attribute as it stands in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RawAttribute<'a> {
    /// Its type.
    pub kind: AttributeType,
    /// Its value, without padding.
    pub value: &'a [u8],
    /// Where it starts, counted from the end of the header.
    pub offset: usize,
}

/// The visible attributes of a message, in order.
#[derive(Clone, Debug)]
pub struct Attributes<'a>(pub(crate) Walk<'a>);

impl<'a> Iterator for Attributes<'a> {
    type Item = RawAttribute<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().flatten()
    }
}

/// Walks over attributes whose lengths nobody has checked yet: yields `None` for the one that does not fit, and
/// nothing after it.
#[derive(Clone, Debug)]
pub(crate) struct Walk<'a>(Reader<'a>);

impl<'a> Walk<'a> {
    pub(crate) fn new(attributes: &'a [u8]) -> Self {
        Self(Reader::new(attributes))
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Option<RawAttribute<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let attribute = read(&mut self.0);
        if attribute.is_none() {
            self.0.take_rest();
        }
        Some(attribute)
    }
}

fn read<'a>(reader: &mut Reader<'a>) -> Option<RawAttribute<'a>> {
    let offset = reader.offset();
    let kind = AttributeType::new(reader.u16().ok()?);
    let len = usize::from(reader.u16().ok()?);
    let value = reader.take(len).ok()?;
    reader.take(base::padding(len)).ok()?;
    Some(RawAttribute { kind, value, offset })
}
