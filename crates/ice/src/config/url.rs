//! Server URLs: `stun:` and `stuns:` (RFC 7064), `turn:` and `turns:` (RFC 7065).

use std::{fmt, str::FromStr};
use stun::{
    net::Transport,
    uri::{Host, Security, StunUri, UriError},
};
use turn::TurnUri;

/// Longest URL that is read, in bytes.
const MAX_LEN: usize = 2_048;

/// The URL of a server. The host may be a name: resolving it is the driver's task.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8445 §2 gathers from these two")]
pub enum ServerUrl {
    /// A STUN server.
    Stun(StunUri),
    /// A TURN server.
    Turn(TurnUri),
}

impl ServerUrl {
    /// The host.
    #[must_use]
    pub const fn host(&self) -> &Host {
        match self {
            Self::Stun(uri) => uri.host(),
            Self::Turn(uri) => uri.host(),
        }
    }

    /// The port; 3478 or 5349 when the URL has none.
    #[must_use]
    pub fn port(&self) -> u16 {
        match self {
            Self::Stun(uri) => uri.port(),
            Self::Turn(uri) => uri.port(),
        }
    }

    /// Whether the server is reached over TLS or DTLS.
    #[must_use]
    pub const fn security(&self) -> Security {
        match self {
            Self::Stun(uri) => uri.security(),
            Self::Turn(uri) => uri.security(),
        }
    }

    /// What is under STUN or TURN, or under its TLS.
    #[must_use]
    pub fn transport(&self) -> Transport {
        match self {
            // RFC 7064 §3.2 has no parameter for it: UDP in the clear, TLS over TCP.
            Self::Stun(uri) if uri.security() == Security::Plain => Transport::Udp,
            Self::Stun(_) => Transport::Tcp,
            Self::Turn(uri) => uri.transport(),
        }
    }

    /// Whether this version can reach the server: over plain UDP.
    #[must_use]
    pub fn is_supported(&self) -> bool {
        (self.security(), self.transport()) == (Security::Plain, Transport::Udp)
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stun(uri) => fmt::Display::fmt(uri, f),
            Self::Turn(uri) => fmt::Display::fmt(uri, f),
        }
    }
}

impl FromStr for ServerUrl {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        if text.len() > MAX_LEN {
            return Err(UriError::Host);
        }
        match text.parse() {
            Ok(uri) => Ok(Self::Stun(uri)),
            Err(UriError::Scheme) => text.parse().map(Self::Turn),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_leads_to_its_own_grammar() {
        for (text, port, transport, is_supported) in [
            ("stun:example.org", 3_478, Transport::Udp, true),
            ("stuns:example.org", 5_349, Transport::Tcp, false),
            ("turn:192.0.2.1:8000?transport=udp", 8_000, Transport::Udp, true),
            ("turn:[2001:db8::1]:1?transport=tcp", 1, Transport::Tcp, false),
            ("turns:example.org", 5_349, Transport::Tcp, false),
            ("turns:example.org?transport=udp", 5_349, Transport::Udp, false),
        ] {
            let url: ServerUrl = text.parse().expect(text);
            assert_eq!(
                (url.port(), url.transport(), url.is_supported()),
                (port, transport, is_supported),
                "{text}"
            );
            assert_eq!(url.to_string(), text);
        }
        for (text, error) in [
            ("example.org", UriError::Scheme),
            ("http://example.org", UriError::Scheme),
            ("stun:example.org?transport=udp", UriError::Host),
            ("turn:example.org?transport=sctp", UriError::Transport),
            (&format!("stun:{}", "x".repeat(MAX_LEN)), UriError::Host),
        ] {
            assert_eq!(text.parse::<ServerUrl>(), Err(error), "{text}");
        }
    }
}
