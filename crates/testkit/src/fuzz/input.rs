//! Bytes as decisions.

/// The input of a fuzz target, read as a list of decisions. Behind its end everything is zero.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(data: &'a [u8]) -> Self {
        Self { rest: data }
    }

    /// Whether all has been read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// One byte.
    pub fn u8(&mut self) -> u8 {
        let (first, rest) = self.rest.split_first().unwrap_or((&0, &[]));
        self.rest = rest;
        *first
    }

    /// Two bytes.
    pub fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.u8(), self.u8()])
    }

    /// Four bytes.
    pub fn u32(&mut self) -> u32 {
        u32::from(self.u16()) << 16 | u32::from(self.u16())
    }

    /// Eight bytes.
    pub fn u64(&mut self) -> u64 {
        u64::from(self.u32()) << 32 | u64::from(self.u32())
    }

    /// A number below `limit`, or 0 when the limit is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        let number = if limit > 0x100 { usize::from(self.u16()) } else { usize::from(self.u8()) };
        number.checked_rem(limit).unwrap_or(0)
    }

    /// One of these.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// The lowest bit of a byte.
    pub fn flag(&mut self) -> bool {
        self.u8() & 1 == 1
    }

    /// So many bytes, or what there is.
    pub fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (head, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        head
    }

    /// A byte string behind its length: one byte, or two more when that is 255.
    pub fn chunk(&mut self) -> &'a [u8] {
        let len = match self.u8() {
            255 => usize::from(self.u16()),
            short => usize::from(short),
        };
        self.bytes(len)
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_in_order_and_zeros_behind_the_end() {
        let mut input = Input::new(&[1, 2, 3, 2, 8, 9, 255, 0, 1, 7, 6]);
        assert_eq!((input.u8(), input.u16()), (1, 0x0203));
        assert_eq!(input.chunk(), [8, 9]);
        assert_eq!(input.chunk(), [7]);
        assert_eq!(input.below(4), 2);
        assert!(input.is_empty());
        assert_eq!((input.u64(), input.below(0), input.chunk().len()), (0, 0, 0));
        assert_eq!(Input::new(&[3]).pick(&[5, 6]), 6);
    }

    #[test]
    fn a_chunk_longer_than_the_input_is_what_there_is() {
        let mut input = Input::new(&[200, 1, 2]);
        assert_eq!(input.chunk(), [1, 2]);
        assert_eq!(input.rest(), []);
    }
}
