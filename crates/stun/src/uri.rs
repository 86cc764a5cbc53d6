//! `stun:` and `stuns:` URIs (RFC 7064).

#![deny(clippy::indexing_slicing)]

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// The longest host name that the DNS can carry.
const MAX_NAME: usize = 253;

/// Where a STUN server is.
///
/// ```
/// use stun::uri::{Host, StunUri};
///
/// let uri: StunUri = "stun:stun.example.org".parse()?;
/// assert_eq!(uri.host(), &Host::Name("stun.example.org".to_owned()));
/// assert_eq!(uri.port(), 3_478);
/// # Ok::<(), stun::uri::UriError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StunUri {
    security: Security,
    authority: Authority,
}

impl StunUri {
    /// Whether the server is reached over TLS or DTLS: `stuns:`.
    #[must_use]
    pub const fn security(&self) -> Security {
        self.security
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> &Host {
        self.authority.host()
    }

    /// The port as written, or the default: 3478, or 5349 for `stuns:` (RFC 8489 §18.6).
    #[must_use]
    pub fn port(&self) -> u16 {
        self.authority.port().unwrap_or_else(|| self.security.default_port())
    }

    /// The port as written.
    #[must_use]
    pub const fn explicit_port(&self) -> Option<u16> {
        self.authority.port()
    }
}

impl FromStr for StunUri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        let (scheme, rest) = text.split_once(':').ok_or(UriError::Scheme)?;
        let security = if scheme.eq_ignore_ascii_case("stun") {
            Security::Plain
        } else if scheme.eq_ignore_ascii_case("stuns") {
            Security::Tls
        } else {
            return Err(UriError::Scheme);
        };
        Ok(Self { security, authority: rest.parse()? })
    }
}

impl fmt::Display for StunUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.security {
            Security::Plain => "stun",
            Security::Tls => "stuns",
        };
        write!(f, "{scheme}:{}", self.authority)
    }
}

/// Whether a server is reached in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "a scheme has an s or has none")]
pub enum Security {
    /// Over UDP or TCP.
    Plain,
    /// Over DTLS or TLS.
    Tls,
}

impl Security {
    /// The port registered for it (RFC 8489 §18.6).
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Plain => 3_478,
            Self::Tls => 5_349,
        }
    }
}

/// A host, as URIs write it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 3986 §3.2.2 has no others that are in use")]
pub enum Host {
    /// An address. IPv6 stands in brackets.
    Ip(IpAddr),
    /// A name, not looked up yet.
    Name(String),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V4(ip)) => fmt::Display::fmt(ip, f),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// `host[:port]`, what the URIs of STUN and TURN have behind their scheme.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Authority {
    host: Host,
    port: Option<u16>,
}

impl Authority {
    /// The host.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The port as written.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }
}

impl FromStr for Authority {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        let (host, port) = match text.strip_prefix('[') {
            Some(literal) => {
                let (literal, port) = literal.split_once(']').ok_or(UriError::Host)?;
                let ip: Ipv6Addr = literal.parse().map_err(|_| UriError::Host)?;
                (Host::Ip(ip.into()), port)
            }
            None => {
                let end = text.find(':').unwrap_or(text.len());
                let (host, port) = text.split_at_checked(end).ok_or(UriError::Host)?;
                (parse_name(host)?, port)
            }
        };
        let port = match port.strip_prefix(':') {
            // RFC 3986 §3.2.3 lets the port be empty.
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                let port = digits.parse().map_err(|_| UriError::Port)?;
                Some(port).filter(|port| *port != 0).ok_or(UriError::Port).map(Some)?
            }
            Some(_) => return Err(UriError::Port),
            None if port.is_empty() => None,
            None => return Err(UriError::Host),
        };
        Ok(Self { host, port })
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => fmt::Display::fmt(&self.host, f),
        }
    }
}

/// A name or an IPv4 address. Path, query, user and percent-encoding are not part of it: no host needs them.
fn parse_name(text: &str) -> Result<Host, UriError> {
    if let Ok(ip) = text.parse::<Ipv4Addr>() {
        return Ok(Host::Ip(ip.into()));
    }
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if text.is_empty() || text.len() > MAX_NAME || !text.bytes().all(is_allowed) {
        return Err(UriError::Host);
    }
    Ok(Host::Name(text.to_owned()))
}

/// A text is not a URI of a STUN or TURN server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriError {
    /// The host is missing or malformed, or something stands behind it that is not a port.
    Host,
    /// The port is not a number from 1 to 65535.
    Port,
    /// The part behind `?` is not `transport=` and a value.
    Query,
    /// The scheme is another one, or missing.
    Scheme,
    /// The transport is neither `udp` nor `tcp`.
    Transport,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "the host is missing or malformed",
            Self::Port => "the port is not a number from 1 to 65535",
            Self::Query => "the query is not a transport",
            Self::Scheme => "the scheme is missing or another one",
            Self::Transport => "the transport is neither udp nor tcp",
        })
    }
}

impl std::error::Error for UriError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7064 §3.1, and the examples of its appendix A.
    #[test]
    fn stun_uri_grammar_rfc7064() {
        let parse = |text: &str| text.parse::<StunUri>();
        for (text, security, host, port) in [
            ("stun:example.org", Security::Plain, "example.org", 3_478),
            ("stuns:example.org", Security::Tls, "example.org", 5_349),
            ("stun:example.org:8000", Security::Plain, "example.org", 8_000),
            ("STUN:192.0.2.1:1", Security::Plain, "192.0.2.1", 1),
            ("stuns:[2001:db8::1]:65535", Security::Tls, "[2001:db8::1]", 65_535),
            ("stun:[::1]", Security::Plain, "[::1]", 3_478),
            ("stun:a-b_c.d~e:", Security::Plain, "a-b_c.d~e", 3_478),
        ] {
            let uri = parse(text).expect("invariant: a good one");
            assert_eq!((uri.security(), uri.host().to_string().as_str(), uri.port()), (security, host, port));
            let again = parse(&uri.to_string()).expect("invariant: a good one");
            assert_eq!(again, uri);
        }
        for (text, error) in [
            ("", UriError::Scheme),
            ("example.org", UriError::Scheme),
            ("turn:example.org", UriError::Scheme),
            ("stun", UriError::Scheme),
            ("stun:", UriError::Host),
            ("stun://example.org", UriError::Host),
            ("stun:user@example.org", UriError::Host),
            ("stun:example.org/path", UriError::Host),
            ("stun:example.org?transport=udp", UriError::Host),
            ("stun: example.org", UriError::Host),
            ("stun:[::1", UriError::Host),
            ("stun:[::1]x", UriError::Host),
            ("stun:[fe80::1%eth0]", UriError::Host),
            ("stun:::1", UriError::Host),
            ("stun:bücher.example", UriError::Host),
            ("stun:example.org:x", UriError::Port),
            ("stun:example.org:+1", UriError::Port),
            ("stun:example.org:0", UriError::Port),
            ("stun:example.org:65536", UriError::Port),
            ("stun:example.org:1:2", UriError::Port),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
        assert_eq!(parse(&format!("stun:{}", "x".repeat(254))), Err(UriError::Host));
    }
}
