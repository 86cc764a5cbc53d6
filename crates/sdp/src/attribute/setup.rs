use std::fmt;

use crate::grammar::{Failure, fail, token};

/// Who starts the DTLS handshake (RFC 4145 §4, RFC 8842 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the grammar of RFC 4145 §4 has these four")]
pub enum Setup {
    /// The writer starts: it is the DTLS client.
    Active,
    /// The answerer chooses.
    Actpass,
    /// Nobody starts for now; WebRTC does not use it.
    Holdconn,
    /// The other side starts: the writer is the DTLS server.
    Passive,
}

impl Setup {
    pub(super) fn parse(input: &str) -> Result<(&str, Self), Failure<'_>> {
        const EXPECTED: &str = "active, passive, actpass or holdconn";
        let (rest, word) = token(input, EXPECTED)?;
        let all = [Self::Active, Self::Actpass, Self::Holdconn, Self::Passive];
        match all.into_iter().find(|setup| setup.as_str() == word) {
            Some(setup) => Ok((rest, setup)),
            None => fail(input, EXPECTED),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Actpass => "actpass",
            Self::Holdconn => "holdconn",
            Self::Passive => "passive",
        }
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
