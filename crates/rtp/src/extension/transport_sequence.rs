//! One sequence over all packets of a transport, for congestion control.

use base::PutExt;

use super::{ExtensionKind, ExtensionValue};
use crate::numbers::SequenceNumber;

/// The transport-wide sequence number (draft-holmer-rmcat-transport-wide-cc-extensions-01 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a number and nothing else")]
pub struct TransportSequence(pub SequenceNumber);

impl ExtensionValue for TransportSequence {
    const KIND: ExtensionKind = ExtensionKind::TransportSequence;

    fn parse(data: &[u8]) -> Option<Self> {
        // Version 2 of the extension appends a feedback request of two bytes, which is of no use here.
        let number = *data.first_chunk()?;
        matches!(data.len(), 2 | 4).then(|| Self(SequenceNumber(u16::from_be_bytes(number))))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.put_u16(self.0.0);
    }

    fn encoded_len(&self) -> usize {
        2
    }
}
