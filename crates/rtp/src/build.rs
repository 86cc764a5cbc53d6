//! Packets as they leave: appended to the caller's buffer.

use base::PutExt;

use crate::error::ExtensionError;
use crate::extension::{ExtensionId, ExtensionValue, ONE_BYTE_PROFILE, TWO_BYTE_PROFILE};
use crate::numbers::Ssrc;
use crate::packet::Header;

/// Which of the two layouts of RFC 8285 a packet's extension elements use. One packet never mixes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtensionForm {
    /// RFC 8285 §4.2: identifiers 1 to 14, 1 to 16 bytes each.
    #[default]
    OneByte,
    /// RFC 8285 §4.3: identifiers 1 to 255, 0 to 255 bytes each. Only when the peer is known to read it.
    TwoByte,
}

impl ExtensionForm {
    /// Whether an element fits this form.
    ///
    /// # Errors
    ///
    /// Says whether the identifier or the length is at fault.
    pub fn check(self, id: ExtensionId, len: usize) -> Result<(), ExtensionError> {
        let (max_id, lengths) = match self {
            Self::OneByte => (14, 1..=16),
            Self::TwoByte => (255, 0..=255),
        };
        if id.value() > max_id {
            return Err(ExtensionError::Id);
        }
        if lengths.contains(&len) { Ok(()) } else { Err(ExtensionError::Length) }
    }

    /// Bytes of identifier and length before each element's data.
    #[must_use]
    pub const fn element_overhead(self) -> usize {
        match self {
            Self::OneByte => 1,
            Self::TwoByte => 2,
        }
    }
}

/// Appends one packet's header; the caller appends the payload behind it.
///
/// Nothing is allocated, and nothing that was in the buffer before is touched.
///
/// ```
/// use rtp::{AudioLevel, ExtensionForm, ExtensionId, Header, PacketBuilder, PayloadType, SequenceNumber, Ssrc, Timestamp};
///
/// # fn main() -> Result<(), rtp::ExtensionError> {
/// let header = Header::new(PayloadType::PCMU, SequenceNumber(1), Timestamp(160), Ssrc(7));
/// let level = ExtensionId::new(1).expect("not zero");
/// let mut out = Vec::new();
/// let mut packet = PacketBuilder::new(&mut out, header, &[], ExtensionForm::OneByte);
/// packet.extension(level, &AudioLevel::silence())?;
/// assert_eq!(packet.finish(), 20);
/// out.extend_from_slice(b"payload");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the extension length is only right after `finish`"]
pub struct PacketBuilder<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    form: ExtensionForm,
    /// Where the extension's own four-byte header is, once there is one.
    block: Option<usize>,
}

impl<'a> PacketBuilder<'a> {
    /// Appends the fixed header and the contributing sources.
    //= rfc3550 §5.1
    //# If there are more than 15 contributing sources, only 15 can be identified.
    pub fn new(out: &'a mut Vec<u8>, header: Header, csrcs: &[Ssrc], form: ExtensionForm) -> Self {
        let start = out.len();
        let csrcs = csrcs.get(..15).unwrap_or(csrcs);
        out.put_u8(0x80 | csrcs.len() as u8);
        out.put_u8(u8::from(header.marker) << 7 | header.payload_type.value());
        out.put_u16(header.sequence_number.0);
        out.put_u32(header.timestamp.0);
        out.put_u32(header.ssrc.0);
        for csrc in csrcs {
            out.put_u32(csrc.0);
        }
        Self { out, start, form, block: None }
    }

    /// Appends an extension element.
    ///
    /// # Errors
    ///
    /// The identifier or the length does not fit the form; nothing was appended.
    pub fn extension<T: ExtensionValue>(&mut self, id: ExtensionId, value: &T) -> Result<(), ExtensionError> {
        self.element(id, |out| value.write(out))
    }

    /// Appends an extension element given as bytes.
    ///
    /// # Errors
    ///
    /// The identifier or the length does not fit the form; nothing was appended.
    pub fn extension_bytes(&mut self, id: ExtensionId, data: &[u8]) -> Result<(), ExtensionError> {
        self.element(id, |out| out.put_slice(data))
    }

    /// Closes the header and returns its length; the payload comes next.
    #[must_use]
    pub fn finish(self) -> usize {
        if let Some(block) = self.block {
            let elements = self.out.len() - (block + 4);
            self.out.put_zeros(elements.next_multiple_of(4) - elements);
            let words = (elements.div_ceil(4)) as u16;
            if let Some(field) = self.out.get_mut(block + 2..block + 4) {
                field.copy_from_slice(&words.to_be_bytes());
            }
            if let Some(first) = self.out.get_mut(self.start) {
                *first |= 0x10;
            }
        }
        self.out.len() - self.start
    }

    fn element(&mut self, id: ExtensionId, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), ExtensionError> {
        let before = self.out.len();
        let block = *self.block.get_or_insert(before);
        if block == before {
            self.out.put_u16(match self.form {
                ExtensionForm::OneByte => ONE_BYTE_PROFILE,
                ExtensionForm::TwoByte => TWO_BYTE_PROFILE,
            });
            self.out.put_u16(0);
        }
        let element = self.out.len();
        self.out.put_zeros(self.form.element_overhead());
        write(self.out);
        let len = self.out.len() - element - self.form.element_overhead();
        let checked = self.form.check(id, len).and_then(|()| {
            if self.out.len() - (block + 4) > 4 * 0xffff { Err(ExtensionError::Full) } else { Ok(()) }
        });
        if checked.is_err() {
            self.out.truncate(before);
            self.block = (block != before).then_some(block);
            return checked;
        }
        let head = match self.form {
            ExtensionForm::OneByte => [id.value() << 4 | (len - 1) as u8, 0],
            ExtensionForm::TwoByte => [id.value(), len as u8],
        };
        for (place, byte) in self.out.iter_mut().skip(element).zip(head).take(self.form.element_overhead()) {
            *place = byte;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
