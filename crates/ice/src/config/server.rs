//! STUN and TURN servers to gather from.

use super::ServerUrl;
use std::{fmt, net::SocketAddr};

/// Longest username, in bytes (RFC 8489 §14.3).
const MAX_USERNAME: usize = 508;

/// Most addresses of one server that are kept.
const MAX_ADDRESSES: usize = 8;

/// One server: its URL, the addresses the driver resolved it to, and for TURN the credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    url: ServerUrl,
    addresses: Vec<SocketAddr>,
    login: Option<(String, String)>,
}

impl IceServer {
    /// A STUN server at `addresses`, of which the first of each family is used.
    ///
    /// # Errors
    /// [`ServerError`] when the URL is not a `stun:` URL or there is no address.
    pub fn stun(url: ServerUrl, addresses: &[SocketAddr]) -> Result<Self, ServerError> {
        match url {
            ServerUrl::Stun(_) => Self::new(url, addresses, None),
            ServerUrl::Turn(_) => Err(ServerError::Scheme),
        }
    }

    /// A TURN server at `addresses`, of which the first of each family is used. It also serves as a STUN server.
    ///
    /// # Errors
    /// [`ServerError`] when the URL is not a `turn:` URL over UDP, there is no address, or the username is too long.
    pub fn turn(
        url: ServerUrl,
        addresses: &[SocketAddr],
        username: impl Into<String>,
        credential: impl Into<String>,
    ) -> Result<Self, ServerError> {
        if let ServerUrl::Stun(_) = url {
            return Err(ServerError::Scheme);
        }
        let (username, credential) = (username.into(), credential.into());
        if username.len() > MAX_USERNAME {
            return Err(ServerError::UsernameLength { actual: username.len() });
        }
        Self::new(url, addresses, Some((username, credential)))
    }

    fn new(
        url: ServerUrl,
        addresses: &[SocketAddr],
        login: Option<(String, String)>,
    ) -> Result<Self, ServerError> {
        if !url.is_supported() {
            return Err(ServerError::UnsupportedTransport);
        }
        let addresses: Vec<_> = addresses.iter().take(MAX_ADDRESSES).copied().collect();
        if addresses.is_empty() {
            return Err(ServerError::NoAddress);
        }
        Ok(Self { url, addresses, login })
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &ServerUrl {
        &self.url
    }

    /// The first address of the family of `local`.
    pub(crate) fn address_for(&self, local: SocketAddr) -> Option<SocketAddr> {
        self.addresses.iter().copied().find(|address| address.is_ipv4() == local.is_ipv4())
    }

    /// Username and credential of a TURN server.
    pub(crate) fn login(&self) -> Option<(&str, &str)> {
        self.login.as_ref().map(|(username, credential)| (username.as_str(), credential.as_str()))
    }
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer")
            .field("url", &format_args!("{}", self.url))
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

/// Why a server cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerError {
    /// No address was given.
    NoAddress,
    /// A TURN URL for a STUN server, or the other way round.
    Scheme,
    /// TURN and STUN over TCP, TLS or DTLS are not supported yet.
    UnsupportedTransport,
    /// The username is longer than 508 bytes (RFC 8489 §14.3).
    UsernameLength {
        /// Its length in bytes.
        actual: usize,
    },
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress => f.write_str("the server has no address"),
            Self::Scheme => f.write_str("the URL has the scheme of another kind of server"),
            Self::UnsupportedTransport => f.write_str("servers over TCP, TLS or DTLS are not supported yet"),
            Self::UsernameLength { actual } => write!(f, "the username has {actual} bytes, more than 508"),
        }
    }
}

impl std::error::Error for ServerError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> ServerUrl {
        text.parse().unwrap()
    }

    #[test]
    fn what_cannot_be_used_is_said_at_configuration() {
        let addresses = [SocketAddr::from(([192, 0, 2, 1], 3_478))];
        for text in ["turns:x", "turn:x?transport=tcp", "turns:x?transport=udp"] {
            let error = IceServer::turn(url(text), &addresses, "u", "p").unwrap_err();
            assert_eq!(error, ServerError::UnsupportedTransport, "{text}");
        }
        let stuns = IceServer::stun(url("stuns:x"), &addresses).unwrap_err();
        assert_eq!(stuns, ServerError::UnsupportedTransport);
        assert_eq!(IceServer::stun(url("turn:x"), &addresses).unwrap_err(), ServerError::Scheme);
        assert_eq!(IceServer::stun(url("stun:x"), &[]).unwrap_err(), ServerError::NoAddress);
        let long = IceServer::turn(url("turn:x"), &addresses, "u".repeat(509), "p").unwrap_err();
        assert_eq!(long, ServerError::UsernameLength { actual: 509 });
        let server = IceServer::turn(url("turn:x"), &addresses, "user", "hunter2").unwrap();
        assert!(!format!("{server:?}").contains("hunter2"));
        assert_eq!(server.address_for(([10, 0, 0, 1], 1).into()), Some(addresses[0]));
        assert_eq!(server.address_for("[::1]:1".parse().unwrap()), None);
    }
}
