//! Numbers that grow without harm.

/// Bytes from `len` to the next multiple of four: how most formats pad their fields.
#[must_use]
pub const fn padding(len: usize) -> usize {
    len.wrapping_neg() & 3
}

/// Adds to a counter, which stays at its end rather than to begin anew.
pub fn count(counter: &mut u64, by: usize) {
    *counter = counter.saturating_add(by as u64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_fills_words() {
        assert_eq!((0..9).map(padding).collect::<Vec<_>>(), [0, 3, 2, 1, 0, 3, 2, 1, 0]);
        assert_eq!(padding(usize::MAX), 1);
    }

    #[test]
    fn counters_stay_at_their_end() {
        let mut counter = u64::MAX - 5;
        count(&mut counter, 3);
        assert_eq!(counter, u64::MAX - 2);
        count(&mut counter, 3);
        assert_eq!(counter, u64::MAX);
    }
}
