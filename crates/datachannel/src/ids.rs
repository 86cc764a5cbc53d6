//! Which stream a channel gets (RFC 8832 §4, §6).

use sctp::StreamId;
use std::fmt;

/// The number of a channel: that of its stream in both directions (RFC 8831 §6.4). At most 65,534.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a wire number and nothing else")]
pub struct ChannelId(pub u16);

impl ChannelId {
    /// The highest number: 65,535 is not a stream (RFC 8832 §6).
    pub const MAX: Self = Self(65_534);

    pub(crate) fn stream(self) -> StreamId {
        StreamId(self.0)
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which side of the DTLS handshake we were. It decides who uses which numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "DTLS has two roles")]
pub enum Role {
    /// Our channels get even numbers.
    Client,
    /// Our channels get odd numbers.
    Server,
}

impl Role {
    /// Whether we may give out this number.
    ///
    //= rfc8832 §6
    //# If the side is acting as the DTLS client, it MUST choose an even stream identifier; if the side is acting as
    //# the DTLS server, it MUST choose an odd one.
    pub(crate) fn owns(self, id: ChannelId) -> bool {
        id.0 % 2 == self.first()
    }

    /// The lowest number of ours below `limit` that is not taken.
    pub(crate) fn lowest_free(self, limit: u16, is_taken: impl Fn(ChannelId) -> bool) -> Option<ChannelId> {
        // A count of at most 65,535: the highest number is then 65,534.
        (self.first()..limit).step_by(2).map(ChannelId).find(|id| !is_taken(*id))
    }

    fn first(self) -> u16 {
        match self {
            Self::Client => 0,
            Self::Server => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `dcep_client_even_server_odd`.
    #[test]
    fn dcep_client_even_server_odd() {
        assert_eq!(Role::Client.lowest_free(u16::MAX, |id| id.0 < 5), Some(ChannelId(6)));
        assert_eq!(Role::Server.lowest_free(u16::MAX, |id| id.0 < 5), Some(ChannelId(5)));
        assert_eq!(Role::Client.lowest_free(u16::MAX, |id| id < ChannelId::MAX), Some(ChannelId::MAX));
        assert_eq!(Role::Client.lowest_free(u16::MAX, |_| true), None);
        assert_eq!(Role::Server.lowest_free(1, |_| false), None);
    }
}
