//! The OpaqueString profile of PRECIS (RFC 8265 §4.2).

use super::CredentialError;
use std::borrow::Cow;

/// Prepares a user name, realm or password.
///
/// Applies the rules of RFC 8265 §4.2.1 that need no Unicode tables: characters that are spaces in any script become
/// U+0020, control characters and the empty string are errors. Text is expected in Unicode normalisation form C
/// already, which is what keyboards and JSON produce; ASCII always is.
///
/// # Errors
/// [`CredentialError::Empty`], [`CredentialError::ControlCharacter`].
pub fn opaque_string(text: &str) -> Result<Cow<'_, str>, CredentialError> {
    if text.is_empty() {
        return Err(CredentialError::Empty);
    }
    if text.chars().any(char::is_control) {
        return Err(CredentialError::ControlCharacter);
    }
    if text.chars().any(is_other_space) {
        return Ok(text.chars().map(|c| if is_other_space(c) { ' ' } else { c }).collect());
    }
    Ok(Cow::Borrowed(text))
}

/// The characters of the general category Zs, except U+0020.
const fn is_other_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8265 §4.3, tables 3 and 4.
    #[test]
    fn stun_sasl_prep_opaque_string_password() {
        assert_eq!(
            opaque_string("correct horse battery staple").as_deref(),
            Ok("correct horse battery staple")
        );
        assert_eq!(
            opaque_string("Correct Horse Battery Staple").as_deref(),
            Ok("Correct Horse Battery Staple")
        );
        assert_eq!(opaque_string("πßå").as_deref(), Ok("πßå"));
        assert_eq!(opaque_string("Jack of ♦s").as_deref(), Ok("Jack of ♦s"));
        assert_eq!(opaque_string("foo\u{1680}bar").as_deref(), Ok("foo bar"));
        assert_eq!(opaque_string(""), Err(CredentialError::Empty));
        assert_eq!(opaque_string("my cat is a \u{9}by"), Err(CredentialError::ControlCharacter));
        assert_eq!(opaque_string("nul\0"), Err(CredentialError::ControlCharacter));
    }
}
