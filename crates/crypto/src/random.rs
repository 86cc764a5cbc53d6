//! The only source of randomness in peerlane.

/// A cryptographically secure random generator, owned by the machine that uses it.
///
/// Everything unpredictable comes from here: transaction ids, ICE passwords, DTLS randoms, SCTP tags, SSRCs, keys.
/// A seeded generator therefore makes a whole run repeatable; that is for tests alone.
pub trait Random: Send {
    /// Fills `out` with random bytes.
    fn fill(&mut self, out: &mut [u8]);
}

impl<R: Random + ?Sized> Random for Box<R> {
    fn fill(&mut self, out: &mut [u8]) {
        (**self).fill(out);
    }
}

impl dyn Random + '_ {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A random 32-bit number.
    pub fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.bytes())
    }

    /// A random 64-bit number.
    pub fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.bytes())
    }
}
