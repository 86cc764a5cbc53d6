//! The others.

mod dcsctp;
mod sctp_proto;
#[cfg(usrsctp)]
mod usrsctp;

use crate::end::{End, Settings};
use std::{fmt, time::Duration};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
    Dcsctp,
    SctpProto,
    Usrsctp,
}

impl Foreign {
    pub(crate) const ALL: [Self; 3] = [Self::Dcsctp, Self::SctpProto, Self::Usrsctp];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Dcsctp => "dcsctp",
            Self::SctpProto => "sctp-proto",
            Self::Usrsctp => "usrsctp",
        }
    }

    pub(crate) const fn version(self) -> &'static str {
        match self {
            Self::Dcsctp => "dcsctp 0.1.16, crate",
            Self::SctpProto => "sctp-proto 0.10.8, crate",
            Self::Usrsctp => "usrsctp 0.9.5, Debian's library",
        }
    }

    /// Why it cannot be run here.
    pub(crate) const fn missing(self) -> Option<&'static str> {
        match self {
            Self::Usrsctp if !cfg!(usrsctp) => Some("libusrsctp-dev is not installed"),
            _ => None,
        }
    }

    pub(crate) fn make(self, settings: Settings, now: Duration) -> Box<dyn End> {
        match self {
            Self::Dcsctp => Box::new(dcsctp::Socket::new(settings, now)),
            Self::SctpProto => Box::new(sctp_proto::Peer::new(settings, now)),
            #[cfg(usrsctp)]
            Self::Usrsctp => Box::new(usrsctp::Socket::new(settings, now)),
            #[cfg(not(usrsctp))]
            Self::Usrsctp => unreachable!("it is missing"),
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
