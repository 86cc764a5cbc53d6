use std::{fmt, time::Duration};

use crate::grammar::{Failure, fail, run};

/// How much media one packet holds, in milliseconds (RFC 8866 §6.4 and §6.5): a number above zero, kept as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketTime {
    text: String,
}

impl PacketTime {
    /// Whole milliseconds; zero is no packet time.
    #[must_use]
    pub fn from_millis(millis: u32) -> Option<Self> {
        (millis > 0).then(|| Self { text: millis.to_string() })
    }

    /// The time; at most [`Duration::MAX`].
    #[must_use]
    pub fn duration(&self) -> Duration {
        let seconds = self.text.parse::<f64>().unwrap_or(0.0) / 1_000.0;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    pub(super) fn parse(input: &str) -> Result<(&str, Self), Failure<'_>> {
        const EXPECTED: &str = "a number of milliseconds above zero";
        let (rest, text) = run(input, |byte| byte.is_ascii_digit() || byte == b'.', EXPECTED)?;
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "1"));
        let canonical = !whole.is_empty() && (whole == "0" || !whole.starts_with('0'));
        let fractional = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
        if canonical && fractional && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
            return Ok((rest, Self { text: text.to_owned() }));
        }
        fail(input, EXPECTED)
    }
}

impl fmt::Display for PacketTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
