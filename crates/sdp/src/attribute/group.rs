use std::fmt;

use crate::grammar::{Failure, push, space, token};

/// Media descriptions that belong together (RFC 5888 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// In which way: `BUNDLE` (RFC 9143), `LS` (RFC 5888 §7), ...
    pub semantics: String,
    /// Identification tags, in order.
    pub mids: Vec<String>,
}

impl Group {
    /// The word for media that share one transport (RFC 9143 §5).
    pub const BUNDLE: &'static str = "BUNDLE";

    /// A group of the given kind.
    #[must_use]
    pub fn new(semantics: impl Into<String>, mids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { semantics: semantics.into(), mids: mids.into_iter().map(Into::into).collect() }
    }

    /// Whether the group shares one transport.
    #[must_use]
    pub fn is_bundle(&self) -> bool {
        self.semantics == Self::BUNDLE
    }

    pub(super) fn parse(input: &str) -> Result<(&str, Self), Failure<'_>> {
        let (mut rest, semantics) = token(input, "group semantics")?;
        let mut mids = Vec::new();
        while !rest.is_empty() {
            let (after, ()) = space(rest)?;
            let (after, mid) = token(after, "an identification tag")?;
            (rest, ()) = push(&mut mids, mid.to_owned(), after)?;
        }
        Ok((rest, Self { semantics: semantics.to_owned(), mids }))
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.semantics)?;
        self.mids.iter().try_for_each(|mid| write!(f, " {mid}"))
    }
}
