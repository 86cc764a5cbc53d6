//! Logging that compiles to nothing without the feature `tracing`.

#[cfg(feature = "tracing")]
macro_rules! debug {
    ($($message:tt)*) => { tracing::debug!($($message)*) };
}

#[cfg(not(feature = "tracing"))]
macro_rules! debug {
    ($($message:tt)*) => { let _ = format_args!($($message)*); };
}

pub(crate) use debug;
