//! The one walk over everything that has a type, a length and a value: chunks, parameters, error causes.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use base::Reader;

/// The walk met something that is not a whole item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl From<base::Truncated> for Malformed {
    fn from(_: base::Truncated) -> Self {
        Self
    }
}

/// One item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tlv<'a> {
    /// The two bytes before the length: type and flags of a chunk, the type of a parameter or cause.
    head: [u8; 2],
    /// What follows the four byte header, padding left out.
    pub(crate) value: &'a [u8],
    /// Header and value, padding left out.
    pub(crate) whole: &'a [u8],
}

impl Tlv<'_> {
    /// The type, when the item is a chunk.
    pub(crate) fn chunk_type(&self) -> u8 {
        self.head[0]
    }

    /// The flags, when the item is a chunk.
    pub(crate) fn flags(&self) -> u8 {
        self.head[1]
    }

    /// The type, when the item is a parameter or a cause.
    pub(crate) fn code(&self) -> u16 {
        u16::from_be_bytes(self.head)
    }
}

/// Walks over items padded to four bytes.
///
/// The padding of the last item may be missing: its length does not count it (RFC 9260 §3.2), and in a parameter
/// list the enclosing chunk's length does not either.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tlvs<'a> {
    reader: Reader<'a>,
    failed: bool,
}

impl<'a> Tlvs<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { reader: Reader::new(bytes), failed: false }
    }

    fn item(&mut self) -> Result<Tlv<'a>, Malformed> {
        let all = self.reader.rest();
        let head = self.reader.array::<2>()?;
        let len = usize::from(self.reader.u16()?);
        let value = self.reader.take(len.checked_sub(4).ok_or(Malformed)?)?;
        let whole = all.get(..len).ok_or(Malformed)?;
        //= rfc9260 §3.2.1
        //# The receiver MUST ignore the padding bytes.
        //= rfc9260 §3.2
        //# The receiver MUST ignore the padding bytes.
        let padding = len.wrapping_neg() & 3;
        self.reader.take(padding.min(self.reader.remaining()))?;
        Ok(Tlv { head, value, whole })
    }
}

impl<'a> Iterator for Tlvs<'a> {
    type Item = Result<Tlv<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.reader.is_empty() {
            return None;
        }
        let item = self.item();
        self.failed = item.is_err();
        Some(item)
    }
}

/// Fills up to a multiple of four, counted from `start`.
pub(crate) fn pad(out: &mut Vec<u8>, start: usize) {
    //= rfc9260 §3.2
    //# If the length of the chunk is not a multiple of 4 bytes, the sender MUST pad the chunk with all zero
    //# bytes, and this padding is not included in the Chunk Length field.
    //= rfc9260 §3.2
    //# MUST be a multiple of 4 bytes.
    //= rfc9260 §3.2
    //# The sender MUST NOT pad with more than 3 bytes.
    //= rfc9260 §3.2.1
    //# A sender MUST NOT pad with more than 3 bytes.
    //= rfc9260 §3.3.1
    //# A sender MUST never add more than 3 bytes of padding.
    let len = out.len().saturating_sub(start);
    out.resize(out.len().saturating_add(len.wrapping_neg() & 3), 0);
}

/// `len` rounded up to a multiple of four.
pub(crate) const fn padded(len: usize) -> usize {
    len.saturating_add(3) & !3
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// T-C01: partial last item, length below four, padding missing.
    /// T-C01, users 39.
    #[test]
    fn t_c01_the_walk_ends_at_the_first_broken_item() {
        let good = [0, 1, 0, 5, 9, 0, 0, 0, 0, 2, 0, 5, 7];
        let items: Vec<_> = Tlvs::new(&good).map(|item| item.map(|tlv| (tlv.code(), tlv.value))).collect();
        assert_eq!(items, [Ok((1, &[9][..])), Ok((2, &[7][..]))]);
        for broken in [&[0, 1, 0, 3][..], &[0, 1, 0, 0], &[0, 1, 0, 9, 1], &[0, 1, 0], &[0]] {
            assert_eq!(Tlvs::new(broken).collect::<Vec<_>>(), [Err(Malformed)], "{broken:?}");
        }
    }

    //= rfc9260 §3.2.1
    //= type=test
    //# A sender MUST NOT pad with more than 3 bytes.
    //= rfc9260 §3.3.1
    //= type=test
    //# A sender MUST never add more than 3 bytes of padding.
    //= rfc9260 §3.2.1
    //= type=test
    //# The receiver MUST ignore the padding bytes.
    #[test]
    fn rfc9260_3_2_1_padding_is_less_than_a_word_and_says_nothing() {
        for len in 0..9_u8 {
            let mut out = vec![7; 5];
            out.extend([0, 1, 0, len + 4]);
            out.extend(vec![9; usize::from(len)]);
            let unpadded = out.len();
            pad(&mut out, 5);
            assert!((out.len() - 5).is_multiple_of(4) && out.len() - unpadded < 4);
            assert!(out[unpadded..].iter().all(|byte| *byte == 0));
            out[unpadded..].fill(0xff);
            out.extend([0, 2, 0, 4]);
            let items: Vec<_> = Tlvs::new(&out[5..]).map(|item| item.map(|tlv| tlv.value.len())).collect();
            assert_eq!(items, [Ok(usize::from(len)), Ok(0)]);
        }
    }

    proptest! {
        #[test]
        fn t_c01_any_bytes_are_walked_without_panic_and_within_bounds(bytes: Vec<u8>) {
            let mut total = 0;
            for item in Tlvs::new(&bytes).flatten() {
                total += item.whole.len();
            }
            prop_assert!(total <= bytes.len());
        }
    }
}
