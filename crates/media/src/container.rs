//! Files to read frames from and to write them to: IVF for VP8, Ogg for Opus, byte streams for H.264.
//!
//! Readers work on a whole file in memory and give slices of it; writers append to a `Vec<u8>`. They serve tests,
//! examples and recordings; they are not general demultiplexers.

#[cfg(feature = "h264")]
pub mod annexb;
pub mod ivf;
#[cfg(feature = "opus")]
pub mod ogg;
#[cfg(any(feature = "h264", feature = "opus", feature = "vp8"))]
pub mod recorder;

use std::fmt;

/// Why a file cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContainerError {
    /// A field has a value that the format rules out.
    Invalid(&'static str),
    /// The file ends within a field.
    Truncated,
}

impl From<base::Truncated> for ContainerError {
    fn from(_: base::Truncated) -> Self {
        Self::Truncated
    }
}

impl fmt::Display for ContainerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(what) => write!(f, "invalid {what}"),
            Self::Truncated => f.write_str("the file ends within a field"),
        }
    }
}

impl std::error::Error for ContainerError {}

/// Little-endian fields, which these formats use.
pub(crate) mod little {
    use base::{Reader, Truncated};

    pub(crate) fn u16(reader: &mut Reader<'_>) -> Result<u16, Truncated> {
        reader.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(reader: &mut Reader<'_>) -> Result<u32, Truncated> {
        reader.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(reader: &mut Reader<'_>) -> Result<u64, Truncated> {
        reader.array().map(u64::from_le_bytes)
    }
}
