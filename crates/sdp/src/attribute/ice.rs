//! Values of the `ice-*` attributes.

use crate::grammar::{Failure, is_ice_char, is_visible, run, sized, spaced};

pub(super) fn ufrag(input: &str) -> Result<(&str, String), Failure<'_>> {
    //= rfc8839 §5.4
    //# For compatibility with the 512-character limitation
    //# for the STUN username attribute value and for bandwidth conservation
    //# considerations, the "ice-ufrag" attribute MUST NOT be longer than 32
    //# characters when sending, but an implementation MUST accept up to 256
    //# characters when receiving.
    sized(input, 4..=256, is_ice_char, "4 to 256 characters of A-Z a-z 0-9 + /")
        .map(|(rest, ufrag)| (rest, ufrag.to_owned()))
}

pub(super) fn pwd(input: &str) -> Result<(&str, String), Failure<'_>> {
    sized(input, 22..=256, is_ice_char, "22 to 256 characters of A-Z a-z 0-9 + /")
        .map(|(rest, pwd)| (rest, pwd.to_owned()))
}

pub(super) fn options(input: &str) -> Result<(&str, Vec<String>), Failure<'_>> {
    spaced(input, |input| {
        run(input, is_visible, "an ICE option").map(|(rest, option)| (rest, option.to_owned()))
    })
}
