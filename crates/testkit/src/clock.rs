//! Where virtual time begins.

use std::time::{Duration, Instant};

/// The first instant of a run. Everything later is computed from it, never read from a clock again.
///
/// It lies a day after the real present, so that tests may also look a little into the past.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub fn start() -> Instant {
    Instant::now() + Duration::from_secs(86_400)
}
