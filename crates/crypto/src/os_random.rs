//! Randomness from the operating system.

use crate::Random;

/// The generator of the operating system.
#[must_use]
pub fn os_random() -> Box<dyn Random> {
    Box::new(OsRandom)
}

#[derive(Debug)]
struct OsRandom;

impl Random for OsRandom {
    fn fill(&mut self, out: &mut [u8]) {
        // No entropy means no security: going on with zeros would be worse than stopping.
        getrandom::fill(out).expect("invariant: the operating system gives randomness");
    }
}
