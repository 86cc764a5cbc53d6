//! Logging that costs nothing without the `tracing` feature.

/// `tracing::debug!`, or nothing.
macro_rules! debug {
    ($($arg:tt)*) => {{
        #[cfg(feature = "tracing")]
        ::tracing::debug!($($arg)*);
    }};
}

pub(crate) use debug;
