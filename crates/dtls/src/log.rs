//! Logging that compiles to nothing without the feature `tracing`.

/// State moves and dropped input.
#[cfg(feature = "tracing")]
macro_rules! debug {
    ($($arg:tt)*) => { tracing::debug!($($arg)*) };
}

/// State moves and dropped input.
#[cfg(not(feature = "tracing"))]
macro_rules! debug {
    ($($arg:tt)*) => {};
}

pub(crate) use debug;
