//! `turn:` and `turns:` URIs (RFC 7065).

#![deny(clippy::indexing_slicing)]

use std::{fmt, str::FromStr};
use stun::{
    net::Transport,
    uri::{Authority, Host, Security, UriError},
};

/// Where a TURN server is, and over what.
///
/// ```
/// use turn::{Transport, TurnUri};
///
/// let uri: TurnUri = "turn:turn.example.org?transport=tcp".parse()?;
/// assert_eq!((uri.port(), uri.transport()), (3_478, Transport::Tcp));
/// # Ok::<(), stun::uri::UriError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TurnUri {
    security: Security,
    authority: Authority,
    transport: Option<Transport>,
}

impl TurnUri {
    /// Whether the server is reached over TLS or DTLS: `turns:`.
    #[must_use]
    pub const fn security(&self) -> Security {
        self.security
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> &Host {
        self.authority.host()
    }

    /// The port as written, or the default: 3478, or 5349 for `turns:` (RFC 8656 §4.1).
    #[must_use]
    pub fn port(&self) -> u16 {
        self.authority.port().unwrap_or_else(|| self.security.default_port())
    }

    /// What is under TURN, or under its TLS: as written, or UDP for `turn:` and TCP for `turns:`. UDP with `turns:` is
    /// DTLS (RFC 7350).
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport.unwrap_or(match self.security {
            Security::Plain => Transport::Udp,
            Security::Tls => Transport::Tcp,
        })
    }

    /// The transport as written.
    #[must_use]
    pub const fn explicit_transport(&self) -> Option<Transport> {
        self.transport
    }
}

impl FromStr for TurnUri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        let (scheme, rest) = text.split_once(':').ok_or(UriError::Scheme)?;
        let security = if scheme.eq_ignore_ascii_case("turn") {
            Security::Plain
        } else if scheme.eq_ignore_ascii_case("turns") {
            Security::Tls
        } else {
            return Err(UriError::Scheme);
        };
        let (authority, query) = match rest.split_once('?') {
            Some((authority, query)) => (authority, Some(query)),
            None => (rest, None),
        };
        let transport = match query.map(|query| query.strip_prefix("transport=").ok_or(UriError::Query)) {
            None => None,
            Some(Err(error)) => return Err(error),
            Some(Ok(name)) if name.eq_ignore_ascii_case("udp") => Some(Transport::Udp),
            Some(Ok(name)) if name.eq_ignore_ascii_case("tcp") => Some(Transport::Tcp),
            Some(Ok(_)) => return Err(UriError::Transport),
        };
        Ok(Self { security, authority: authority.parse()?, transport })
    }
}

impl fmt::Display for TurnUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.security {
            Security::Plain => "turn",
            Security::Tls => "turns",
        };
        write!(f, "{scheme}:{}", self.authority)?;
        match self.transport {
            Some(transport) => write!(f, "?transport={transport}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7065 §3.1, and the examples of its appendix A.
    #[test]
    fn turn_turns_uri_uses_tls_or_dtls_default_5349() {
        let parse = |text: &str| text.parse::<TurnUri>();
        for (text, security, port, transport) in [
            ("turn:example.org", Security::Plain, 3_478, Transport::Udp),
            ("turns:example.org", Security::Tls, 5_349, Transport::Tcp),
            ("turn:example.org:8000", Security::Plain, 8_000, Transport::Udp),
            ("turn:example.org?transport=udp", Security::Plain, 3_478, Transport::Udp),
            ("turn:example.org?transport=tcp", Security::Plain, 3_478, Transport::Tcp),
            ("turns:example.org?transport=TCP", Security::Tls, 5_349, Transport::Tcp),
            ("turns:[2001:db8::1]:443?transport=udp", Security::Tls, 443, Transport::Udp),
        ] {
            let uri = parse(text).expect("invariant: a good one");
            assert_eq!((uri.security(), uri.port(), uri.transport()), (security, port, transport), "{text}");
            assert_eq!(parse(&uri.to_string()), Ok(uri));
        }
        for (text, error) in [
            ("stun:example.org", UriError::Scheme),
            ("turn:", UriError::Host),
            ("turn:?transport=udp", UriError::Host),
            ("turn:example.org/x?transport=udp", UriError::Host),
            ("turn:example.org?", UriError::Query),
            ("turn:example.org?x=y", UriError::Query),
            ("turn:example.org?transport=", UriError::Transport),
            ("turn:example.org?transport=sctp", UriError::Transport),
            ("turn:example.org?transport=udp&x=y", UriError::Transport),
            ("turn:example.org:99999?transport=udp", UriError::Port),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }
}
