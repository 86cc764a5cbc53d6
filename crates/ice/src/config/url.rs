//! Server URLs: `stun:`, `stuns:`, `turn:` and `turns:` (RFC 7064 §3.1, RFC 7065 §3.1).

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

/// Longest URL that is read, in bytes.
const MAX_LEN: usize = 2_048;

/// A parsed server URL. The host may be a name: resolving it is the driver's task.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerUrl {
    scheme: ServerScheme,
    host: String,
    port: u16,
    transport: ServerTransport,
    text: String,
}

impl ServerUrl {
    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> ServerScheme {
        self.scheme
    }

    /// The host: a name, an IPv4 address, or an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 3478 or 5349 when the URL has none.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The transport to the server, below any TLS.
    #[must_use]
    pub fn transport(&self) -> ServerTransport {
        self.transport
    }

    /// The URL as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for ServerUrl {
    type Err = ParseUrlError;

    fn from_str(text: &str) -> Result<Self, ParseUrlError> {
        if text.len() > MAX_LEN {
            return Err(ParseUrlError::Length);
        }
        let (scheme, rest) = text.split_once(':').ok_or(ParseUrlError::Scheme)?;
        let scheme = ServerScheme::named(scheme).ok_or(ParseUrlError::Scheme)?;
        let (authority, query) = match rest.split_once('?') {
            Some((authority, query)) => (authority, Some(query)),
            None => (rest, None),
        };
        let (host, port) = split_authority(authority)?;
        Ok(Self {
            scheme,
            host,
            port: port.unwrap_or_else(|| scheme.default_port()),
            transport: transport(scheme, query)?,
            text: text.to_owned(),
        })
    }
}

/// The four schemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7064 and RFC 7065 have these four")]
pub enum ServerScheme {
    /// `stun:`
    Stun,
    /// `stuns:`
    Stuns,
    /// `turn:`
    Turn,
    /// `turns:`
    Turns,
}

impl ServerScheme {
    /// The word before the colon.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stun => "stun",
            Self::Stuns => "stuns",
            Self::Turn => "turn",
            Self::Turns => "turns",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Stun | Self::Turn => 3_478,
            Self::Stuns | Self::Turns => 5_349,
        }
    }

    fn named(word: &str) -> Option<Self> {
        [Self::Stun, Self::Stuns, Self::Turn, Self::Turns]
            .into_iter()
            .find(|scheme| word.eq_ignore_ascii_case(scheme.as_str()))
    }
}

/// The transport between us and a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7065 §3.1 has these two")]
pub enum ServerTransport {
    /// TCP, under TLS for `stuns:` and `turns:`.
    Tcp,
    /// UDP, under DTLS for `stuns:` and `turns:`.
    Udp,
}

/// Why a server URL could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseUrlError {
    /// The host is missing or has a character it may not have.
    Host,
    /// Too long.
    Length,
    /// The port is not a number from 1 to 65,535.
    Port,
    /// A query other than `transport=udp` or `transport=tcp`, or a query on `stun:` or `stuns:`.
    Query,
    /// Not one of the four schemes.
    Scheme,
}

impl fmt::Display for ParseUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "the server URL has no valid host",
            Self::Length => "the server URL is too long",
            Self::Port => "the server URL has a bad port",
            Self::Query => "the server URL has a query that is not allowed",
            Self::Scheme => "the server URL has none of the schemes stun, stuns, turn, turns",
        })
    }
}

impl std::error::Error for ParseUrlError {}

fn transport(scheme: ServerScheme, query: Option<&str>) -> Result<ServerTransport, ParseUrlError> {
    match (scheme, query) {
        (ServerScheme::Stun | ServerScheme::Turn, None) => Ok(ServerTransport::Udp),
        (ServerScheme::Stuns | ServerScheme::Turns, None) => Ok(ServerTransport::Tcp),
        (ServerScheme::Turn | ServerScheme::Turns, Some("transport=udp")) => Ok(ServerTransport::Udp),
        (ServerScheme::Turn | ServerScheme::Turns, Some("transport=tcp")) => Ok(ServerTransport::Tcp),
        (_, Some(_)) => Err(ParseUrlError::Query),
    }
}

fn split_authority(authority: &str) -> Result<(String, Option<u16>), ParseUrlError> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(ParseUrlError::Host)?;
        host.parse::<Ipv6Addr>().map_err(|_| ParseUrlError::Host)?;
        match after {
            "" => (host, None),
            _ => (host, Some(after.strip_prefix(':').ok_or(ParseUrlError::Host)?)),
        }
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    let named = !host.is_empty()
        && host.len() <= 253
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    if !named && host.parse::<IpAddr>().is_err() {
        return Err(ParseUrlError::Host);
    }
    Ok((host.to_owned(), port.map(parse_port).transpose()?))
}

fn parse_port(text: &str) -> Result<u16, ParseUrlError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|port| *port != 0).ok_or(ParseUrlError::Port)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7065 §3.1 and its appendix A, RFC 7064 appendix A.
    #[test]
    fn reads_the_examples_of_the_rfcs() {
        let cases = [
            ("stun:example.org", ServerScheme::Stun, "example.org", 3_478, ServerTransport::Udp),
            ("stuns:example.org", ServerScheme::Stuns, "example.org", 5_349, ServerTransport::Tcp),
            ("stun:example.org:8000", ServerScheme::Stun, "example.org", 8_000, ServerTransport::Udp),
            ("turn:example.org", ServerScheme::Turn, "example.org", 3_478, ServerTransport::Udp),
            ("turns:example.org", ServerScheme::Turns, "example.org", 5_349, ServerTransport::Tcp),
            ("turn:example.org:8000", ServerScheme::Turn, "example.org", 8_000, ServerTransport::Udp),
            ("turn:192.0.2.1?transport=udp", ServerScheme::Turn, "192.0.2.1", 3_478, ServerTransport::Udp),
            (
                "turn:[2001:db8::1]:1?transport=tcp",
                ServerScheme::Turn,
                "2001:db8::1",
                1,
                ServerTransport::Tcp,
            ),
            (
                "TURNS:example.org?transport=tcp",
                ServerScheme::Turns,
                "example.org",
                5_349,
                ServerTransport::Tcp,
            ),
        ];
        for (text, scheme, host, port, transport) in cases {
            let url: ServerUrl = text.parse().expect(text);
            assert_eq!(
                (url.scheme(), url.host(), url.port(), url.transport()),
                (scheme, host, port, transport),
                "{text}"
            );
            assert_eq!(url.to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_no_server() {
        use ParseUrlError::{Host, Port, Query, Scheme};
        let cases = [
            ("example.org", Scheme),
            ("http:example.org", Scheme),
            ("stun:", Host),
            ("stun://example.org", Host),
            ("turn:user@example.org", Host),
            ("turn:example.org/", Host),
            ("turn:exa mple", Host),
            ("turn:[::1", Host),
            ("turn:[1.2.3.4]", Host),
            ("turn:[::1]1", Host),
            ("turn:example.org:", Port),
            ("turn:example.org:0", Port),
            ("turn:example.org:65536", Port),
            ("turn:example.org:+1", Port),
            ("stun:example.org?transport=udp", Query),
            ("turn:example.org?transport=sctp", Query),
            ("turn:example.org?", Query),
            ("turn:example.org?transport=udp&x", Query),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<ServerUrl>(), Err(error), "{text}");
        }
    }
}
