//! Why there is no relay.

use std::{error::Error, fmt, io};

/// Why two networks could not be made, and what would help.
#[derive(Debug)]
#[non_exhaustive]
pub enum RelayError {
    /// The system does not allow a network namespace.
    Namespace(io::Error),
    /// There is no `/dev/net/tun`, or it must not be opened.
    Device(io::Error),
    /// A device could not be given its address, its size or its state.
    Setup {
        /// What was asked for.
        what: &'static str,
        /// What the system said.
        error: io::Error,
    },
}

impl fmt::Display for RelayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace(error) => write!(
                f,
                "no network namespace could be made: {error}. It takes root; or, where the system has user namespaces, \
                 the command within `unshare --map-root-user`"
            ),
            Self::Device(error) => write!(
                f,
                "/dev/net/tun cannot be used: {error}. `modprobe tun` loads the driver; a container needs the device \
                 (`--device /dev/net/tun`) and the capability NET_ADMIN"
            ),
            Self::Setup { what, error } => write!(f, "{what}: {error}"),
        }
    }
}

impl Error for RelayError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Namespace(error) | Self::Device(error) | Self::Setup { error, .. } => Some(error),
        }
    }
}
