//! Appending big-endian fields to a caller's buffer, with lengths filled in afterwards.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

/// Append helpers for `Vec<u8>`.
pub trait PutExt {
    /// Appends one byte.
    fn put_u8(&mut self, value: u8);
    /// Appends a 16-bit number.
    fn put_u16(&mut self, value: u16);
    /// Appends the low 24 bits of `value`.
    fn put_u24(&mut self, value: u32);
    /// Appends a 32-bit number.
    fn put_u32(&mut self, value: u32);
    /// Appends the low 48 bits of `value`.
    fn put_u48(&mut self, value: u64);
    /// Appends a 64-bit number.
    fn put_u64(&mut self, value: u64);
    /// Appends bytes.
    fn put_slice(&mut self, bytes: &[u8]);
    /// Appends `count` zero bytes.
    fn put_zeros(&mut self, count: usize);
}

impl PutExt for Vec<u8> {
    fn put_u8(&mut self, value: u8) {
        self.push(value);
    }

    fn put_u16(&mut self, value: u16) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_u24(&mut self, value: u32) {
        let [_, a, b, c] = value.to_be_bytes();
        self.extend_from_slice(&[a, b, c]);
    }

    fn put_u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_u48(&mut self, value: u64) {
        let [_, _, a, b, c, d, e, f] = value.to_be_bytes();
        self.extend_from_slice(&[a, b, c, d, e, f]);
    }

    fn put_u64(&mut self, value: u64) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_slice(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn put_zeros(&mut self, count: usize) {
        self.resize(self.len().saturating_add(count), 0);
    }
}

/// A length field that is written before what it counts and filled in after it.
///
/// `N` is its width in bytes, 1 to 4. A length that does not fit its field saturates in release builds and is a
/// bug of the caller; writers bound what they append.
#[derive(Clone, Copy, Debug)]
#[must_use = "the length stays zero until `finish`"]
pub struct LengthPrefix<const N: usize> {
    at: usize,
}

impl<const N: usize> LengthPrefix<N> {
    /// Reserves the field at the end of `out`.
    pub fn start(out: &mut Vec<u8>) -> Self {
        let at = out.len();
        out.put_zeros(N);
        Self { at }
    }

    /// Fills in the number of bytes appended since `start`, not counting the field itself.
    pub fn finish(self, out: &mut [u8]) {
        let rest = out.len().saturating_sub(self.at);
        let Some(field) = out.get_mut(self.at..).and_then(<[u8]>::first_chunk_mut::<N>) else { return };
        let len = rest.saturating_sub(N) as u64;
        let bits = u64::BITS.saturating_sub(8_u32.saturating_mul(N as u32));
        let max = u64::MAX.checked_shr(bits).unwrap_or(0);
        debug_assert!(len <= max, "length {len} does not fit {N} bytes");
        let bytes = len.min(max).to_be_bytes();
        if let Some(bytes) = bytes.last_chunk::<N>() {
            *field = *bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_big_endian() {
        let mut out = Vec::new();
        out.put_u8(1);
        out.put_u16(0x0203);
        out.put_u24(0x0004_0506);
        out.put_u32(0x0708_090a);
        out.put_u48(0x0b0c_0d0e_0f10);
        out.put_u64(0x1112_1314_1516_1718);
        assert_eq!(out, (1..=0x18).collect::<Vec<u8>>());
    }

    #[test]
    fn length_prefixes_nest() {
        let mut out = vec![0xaa];
        let outer = LengthPrefix::<2>::start(&mut out);
        out.put_u8(1);
        let inner = LengthPrefix::<3>::start(&mut out);
        out.put_slice(b"abc");
        inner.finish(&mut out);
        outer.finish(&mut out);
        assert_eq!(out, [0xaa, 0, 7, 1, 0, 0, 3, b'a', b'b', b'c']);
    }
}
