//! Logging that compiles to nothing without the feature `tracing`.

macro_rules! debug {
    ($($arg:tt)*) => {{
        #[cfg(feature = "tracing")]
        tracing::debug!($($arg)*);
    }};
}

pub(crate) use debug;
