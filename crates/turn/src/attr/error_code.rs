//! ADDRESS-ERROR-CODE (RFC 8656 §18.12).

#![deny(clippy::indexing_slicing)]

use super::Family;
use base::{PutExt, Reader};
use stun::{Attribute, AttributeError, AttributeType, TransactionId, attr::Code};

/// Why one of two requested families was not allocated.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Family       |    Reserved             |Class|     Number    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |      Reason Phrase (variable)                                ..
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressErrorCode {
    family: Family,
    code: Code,
}

impl AddressErrorCode {
    /// The attribute for a family and a code; it is written without a phrase.
    #[must_use]
    pub const fn new(family: Family, code: Code) -> Self {
        Self { family, code }
    }

    /// Which family was not allocated.
    #[must_use]
    pub const fn family(&self) -> Family {
        self.family
    }

    /// Why.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }
}

impl Attribute<'_> for AddressErrorCode {
    const TYPE: AttributeType = AttributeType::ADDRESS_ERROR_CODE;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, AttributeError> {
        let mut reader = Reader::new(value);
        let [family, _, class, number] = reader.array().map_err(|_| AttributeError::Length(Self::TYPE))?;
        let (class, number) = (u16::from(class & 0b111), u16::from(number));
        let code =
            if number < 100 { Code::new(class.saturating_mul(100).saturating_add(number)) } else { None };
        match (Family::from_number(family), code) {
            (Some(family), Some(code)) => Ok(Self { family, code }),
            _ => Err(AttributeError::Value(Self::TYPE)),
        }
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        out.put_u8(self.family.number());
        out.put_u8(0);
        out.put_u8((self.code.number() / 100) as u8);
        out.put_u8((self.code.number() % 100) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_phrase_and_refuses_other_codes() {
        let id = TransactionId::new([0; 12]);
        let error = AddressErrorCode::new(Family::Ipv6, Code::ADDRESS_FAMILY_NOT_SUPPORTED);
        assert_eq!(AddressErrorCode::decode(&[2, 0, 4, 40, b'n', b'o'], id), Ok(error));
        let mut out = Vec::new();
        error.encode(id, &mut out);
        assert_eq!(out, [2, 0, 4, 40]);
        for bad in [&[2, 0, 4][..], &[3, 0, 4, 40], &[2, 0, 2, 40], &[2, 0, 4, 100], &[2, 0, 7, 0]] {
            assert!(AddressErrorCode::decode(bad, id).is_err());
        }
    }
}
