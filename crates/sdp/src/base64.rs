//! Base 64 (RFC 4648 §4), for values that are bytes.

use std::fmt::{self, Write};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes with padding.
pub(crate) fn write(out: &mut impl Write, bytes: &[u8]) -> fmt::Result {
    for chunk in bytes.chunks(3) {
        let mut word = 0_u32;
        for at in 0..3 {
            word = word << 8 | u32::from(chunk.get(at).copied().unwrap_or(0));
        }
        for at in 0..4 {
            let letter =
                usize::try_from(word >> (18 - 6 * at) & 63).ok().and_then(|index| ALPHABET.get(index));
            let letter = letter.filter(|_| at <= chunk.len()).copied().unwrap_or(b'=');
            out.write_char(char::from(letter))?;
        }
    }
    Ok(())
}

/// Reads what is padded, and has zeros where the last letter says more than the bytes need (RFC 4648 §3.5).
pub(crate) fn read(text: &str) -> Option<Vec<u8>> {
    let letters = text.as_bytes();
    if letters.is_empty() || !letters.len().is_multiple_of(4) {
        return None;
    }
    let padding = letters.iter().rev().take_while(|letter| **letter == b'=').count();
    let digits = letters.len().checked_sub(padding).filter(|_| padding <= 2)?;
    let mut bytes = Vec::with_capacity(letters.len() / 4 * 3);
    let (mut word, mut bits) = (0_u32, 0_u32);
    for letter in letters.get(..digits)? {
        let value = ALPHABET.iter().position(|known| known == letter)?;
        word = (word << 6 | u32::try_from(value).ok()?) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(word >> bits & 0xff).ok()?);
        }
    }
    (word & ((1 << bits) - 1) == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 §10.
    #[test]
    fn rfc4648_vectors() {
        for (bytes, text) in [
            (&b"f"[..], "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"foob", "Zm9vYg=="),
            (b"fooba", "Zm9vYmE="),
            (b"foobar", "Zm9vYmFy"),
        ] {
            let mut written = String::new();
            write(&mut written, bytes).unwrap();
            assert_eq!(written, text);
            assert_eq!(read(text).as_deref(), Some(bytes));
        }
    }

    #[test]
    fn what_is_not_base_64_is_refused() {
        for text in
            ["", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Z g=", "Zm9v\n", "Zm-_", "Zm9é"]
        {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
