//! Chunk types we do not know (RFC 9260 §3.2).

/// What the two highest bits of the type ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    /// Leave the rest of the packet alone.
    pub(crate) stop: bool,
    /// Tell the peer with an ERROR chunk.
    pub(crate) report: bool,
}

/// RFC 9260 §3.2, table 1.
pub(crate) fn action(kind: u8) -> Action {
    Action { stop: kind & 0x80 == 0, report: kind & 0x40 != 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sctp_unknown_chunk_high_bits_actions`.
    #[test]
    fn sctp_unknown_chunk_high_bits_actions() {
        assert_eq!(action(0x3f), Action { stop: true, report: false });
        assert_eq!(action(0x7f), Action { stop: true, report: true });
        assert_eq!(action(0xbf), Action { stop: false, report: false });
        assert_eq!(action(0xff), Action { stop: false, report: true });
    }
}
