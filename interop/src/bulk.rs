//! Messages of a bulk transfer, as `page/agent.js` makes them: a number in four bytes, then a pattern they share.

use std::sync::LazyLock;

/// Bytes of a message: what every peer takes.
pub(crate) const SIZE: usize = 65_536;

static PATTERN: LazyLock<Vec<u8>> = LazyLock::new(|| (0..SIZE).map(|i| (i * 7 % 251) as u8).collect());

pub(crate) fn message(number: u32) -> Vec<u8> {
    let mut message = number.to_be_bytes().to_vec();
    message.extend_from_slice(PATTERN.get(4..).unwrap_or_default());
    message
}

/// Whether it is this one, unchanged.
pub(crate) fn is_message(number: u32, bytes: &[u8]) -> bool {
    bytes.len() == SIZE && bytes.starts_with(&number.to_be_bytes()) && bytes.get(4..) == PATTERN.get(4..)
}
