//! STUN and TURN servers as an application names them: URLs and credentials (RFC 7064, RFC 7065).

use crate::error::{Error, ErrorKind};
use std::{fmt, str::FromStr};

/// One server, or several that share credentials (W3C `RTCIceServer`).
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    urls: Vec<IceUrl>,
    username: Option<String>,
    credential: Option<String>,
}

impl IceServer {
    /// A server without credentials: `stun:` URLs.
    ///
    /// # Errors
    /// As [`IceServer::with_credentials`]; `turn:` URLs are refused here because they need credentials.
    pub fn new<U: AsRef<str>>(urls: impl IntoIterator<Item = U>) -> Result<Self, Error> {
        Self::build(urls, None, None)
    }

    /// A server with long-term credentials (RFC 8489 §9.2).
    ///
    /// # Errors
    /// `SyntaxError` for an empty list or a URL that does not follow RFC 7064 or RFC 7065, `NotSupportedError` for a
    /// scheme or transport this version cannot use, `InvalidAccessError` for a user name over 508 bytes.
    pub fn with_credentials<U: AsRef<str>>(
        urls: impl IntoIterator<Item = U>,
        username: impl Into<String>,
        credential: impl Into<String>,
    ) -> Result<Self, Error> {
        Self::build(urls, Some(username.into()), Some(credential.into()))
    }

    fn build<U: AsRef<str>>(
        urls: impl IntoIterator<Item = U>,
        username: Option<String>,
        credential: Option<String>,
    ) -> Result<Self, Error> {
        let urls = urls.into_iter().map(|url| url.as_ref().parse()).collect::<Result<Vec<IceUrl>, _>>()?;
        if urls.is_empty() {
            return Err(Error::new(ErrorKind::SyntaxError, "an ICE server needs at least one URL"));
        }
        // RFC 8489 §14.3: USERNAME holds fewer than 509 bytes.
        if username.as_ref().is_some_and(|name| name.len() > 508) {
            return Err(Error::new(ErrorKind::InvalidAccessError, "a TURN user name has at most 508 bytes"));
        }
        let is_turn = urls.iter().any(|url| url.kind == IceUrlKind::Turn);
        if is_turn && (username.is_none() || credential.is_none()) {
            return Err(Error::new(
                ErrorKind::InvalidAccessError,
                "a turn: URL needs a user name and a credential, use IceServer::with_credentials",
            ));
        }
        Ok(Self { urls, username, credential })
    }

    /// The URLs.
    #[must_use]
    pub fn urls(&self) -> &[IceUrl] {
        &self.urls
    }

    /// The TURN user name.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// The TURN password.
    #[must_use]
    pub fn credential(&self) -> Option<&str> {
        self.credential.as_deref()
    }
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer")
            .field("urls", &self.urls)
            .field("username", &self.username)
            .field("credential", &self.credential.as_ref().map(|_| "(secret)"))
            .finish()
    }
}

/// What a server is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "STUN and TURN are all there is")]
pub enum IceUrlKind {
    /// A server-reflexive address.
    Stun,
    /// A relayed address.
    Turn,
}

/// A parsed `stun:` or `turn:` URL. The host is a name or an address; names are resolved by the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceUrl {
    kind: IceUrlKind,
    host: String,
    port: u16,
}

impl IceUrl {
    /// What the server is asked for.
    #[must_use]
    pub fn kind(&self) -> IceUrlKind {
        self.kind
    }

    /// Name or address, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// UDP port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for IceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            IceUrlKind::Stun => "stun",
            IceUrlKind::Turn => "turn",
        };
        if self.host.contains(':') {
            write!(f, "{scheme}:[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}:{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for IceUrl {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        let syntax = |what: &str| Error::new(ErrorKind::SyntaxError, format!("{url:?} is not an ICE server URL: {what}"));
        let (scheme, rest) = url.split_once(':').ok_or_else(|| syntax("it has no scheme"))?;
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "stun" => IceUrlKind::Stun,
            "turn" => IceUrlKind::Turn,
            "stuns" | "turns" => {
                return Err(Error::new(
                    ErrorKind::NotSupportedError,
                    format!("{url:?}: STUN and TURN over TLS are not supported by this version, use UDP"),
                ));
            }
            _ => return Err(syntax("the scheme must be stun or turn")),
        };
        let (authority, query) = match rest.split_once('?') {
            Some((authority, query)) => (authority, Some(query)),
            None => (rest, None),
        };
        if authority.contains(['/', '@', '#']) {
            return Err(syntax("only host and port may follow the scheme"));
        }
        match (kind, query) {
            (_, None) | (IceUrlKind::Turn, Some("transport=udp")) => {}
            (IceUrlKind::Stun, Some(_)) => return Err(syntax("a stun URL has no query")),
            (IceUrlKind::Turn, Some("transport=tcp")) => {
                return Err(Error::new(
                    ErrorKind::NotSupportedError,
                    format!("{url:?}: TURN over TCP is not supported by this version, use transport=udp"),
                ));
            }
            (IceUrlKind::Turn, Some(_)) => return Err(syntax("the query must be transport=udp or transport=tcp")),
        }
        let (host, port) = split_authority(authority).ok_or_else(|| syntax("host or port is malformed"))?;
        Ok(Self { kind, host: host.to_owned(), port })
    }
}

/// RFC 7064 §3.1, RFC 7065 §3.1: `host [ ":" port ]`, the default port is 3478.
fn split_authority(authority: &str) -> Option<(&str, u16)> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        (host, port)
    } else {
        let end = authority.find(':').unwrap_or(authority.len());
        let (host, port) = authority.split_at(end);
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
        if host.is_empty() || !host.chars().all(legal) {
            return None;
        }
        (host, port)
    };
    let port = match port {
        "" => 3478,
        _ => {
            let digits = port.strip_prefix(':')?;
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            digits.parse().ok().filter(|port| *port != 0)?
        }
    };
    Some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// W3C webrtc-pc §4.4.1.5, RFC 7064 §3.1, RFC 7065 §3.1.
    #[test]
    fn url_grammar() {
        let good = [
            ("stun:stun.example.org", "stun:stun.example.org:3478"),
            ("STUN:192.0.2.1:1234", "stun:192.0.2.1:1234"),
            ("turn:[2001:db8::1]:99?transport=udp", "turn:[2001:db8::1]:99"),
            ("turn:relay.example.org", "turn:relay.example.org:3478"),
        ];
        for (url, printed) in good {
            assert_eq!(url.parse::<IceUrl>().map(|url| url.to_string()), Ok(printed.to_owned()));
        }
        let bad = [
            ("", ErrorKind::SyntaxError),
            ("stun", ErrorKind::SyntaxError),
            ("http://example.org", ErrorKind::SyntaxError),
            ("stun:", ErrorKind::SyntaxError),
            ("stun:host:", ErrorKind::SyntaxError),
            ("stun:host:0", ErrorKind::SyntaxError),
            ("stun:host:65536", ErrorKind::SyntaxError),
            ("stun:host:+80", ErrorKind::SyntaxError),
            ("stun:user@host", ErrorKind::SyntaxError),
            ("stun:host/path", ErrorKind::SyntaxError),
            ("stun:host#fragment", ErrorKind::SyntaxError),
            ("stun:host?transport=udp", ErrorKind::SyntaxError),
            ("turn:host?transport=sctp", ErrorKind::SyntaxError),
            ("stun:[::1", ErrorKind::SyntaxError),
            ("turn:host?transport=tcp", ErrorKind::NotSupportedError),
            ("turns:host", ErrorKind::NotSupportedError),
        ];
        for (url, kind) in bad {
            assert_eq!(url.parse::<IceUrl>().map_err(|error| error.kind()), Err(kind), "{url:?}");
        }
    }

    #[test]
    fn turn_needs_credentials_and_hides_them() {
        let kind = |result: Result<IceServer, Error>| result.map_err(|error| error.kind()).map(drop);
        assert_eq!(kind(IceServer::new(["turn:host"])), Err(ErrorKind::InvalidAccessError));
        assert_eq!(kind(IceServer::new::<&str>([])), Err(ErrorKind::SyntaxError));
        let long = "u".repeat(509);
        assert_eq!(
            kind(IceServer::with_credentials(["turn:host"], long, "p")),
            Err(ErrorKind::InvalidAccessError)
        );
        let server = IceServer::with_credentials(["turn:host"], "user", "hunter2").unwrap();
        assert!(!format!("{server:?}").contains("hunter2"));
    }
}
