//! STUN and TURN servers as an application names them: URLs and credentials (RFC 7064, RFC 7065).

use crate::error::{Error, ErrorKind};
use ice::ServerUrl;
use std::{fmt, net::SocketAddr};

/// One server, or several that share credentials (W3C `RTCIceServer`).
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    urls: Vec<ServerUrl>,
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
        let urls = urls.into_iter().map(|url| parse(url.as_ref())).collect::<Result<Vec<_>, _>>()?;
        if urls.is_empty() {
            return Err(Error::new(ErrorKind::SyntaxError, "an ICE server needs at least one URL"));
        }
        // RFC 8489 §14.3: USERNAME holds fewer than 509 bytes.
        if username.as_ref().is_some_and(|name| name.len() > 508) {
            return Err(Error::new(ErrorKind::InvalidAccessError, "a TURN user name has at most 508 bytes"));
        }
        let is_turn = urls.iter().any(|url| matches!(url, ServerUrl::Turn(_)));
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
    pub fn urls(&self) -> &[ServerUrl] {
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

/// A server URL with the addresses that its host name stands for. Whoever drives a session resolves names.
#[derive(Clone, Debug)]
pub struct ResolvedServer {
    pub(crate) url: ServerUrl,
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) login: Option<(String, String)>,
}

impl ResolvedServer {
    /// `url` is one of the URLs of `server`; `addresses` may be empty when the name does not resolve.
    #[must_use]
    pub fn new(server: &IceServer, url: &ServerUrl, addresses: Vec<SocketAddr>) -> Self {
        let login = server.username.clone().zip(server.credential.clone());
        Self { url: url.clone(), addresses, login }
    }
}

fn parse(url: &str) -> Result<ServerUrl, Error> {
    let parsed: ServerUrl = url.parse().map_err(|error| {
        Error::new(ErrorKind::SyntaxError, format!("{url:?} is not an ICE server URL")).with_source(error)
    })?;
    if !parsed.is_supported() {
        return Err(Error::new(
            ErrorKind::NotSupportedError,
            format!("{url:?}: servers over TCP and TLS are not supported by this version, use UDP"),
        ));
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// W3C webrtc-pc §4.4.1.5.
    #[test]
    fn errors_have_the_w3c_names() {
        let kind = |result: Result<IceServer, Error>| result.map_err(|error| error.kind()).map(drop);
        assert_eq!(kind(IceServer::new(["stun:stun.example.org"])), Ok(()));
        assert_eq!(kind(IceServer::new(["http://example.org"])), Err(ErrorKind::SyntaxError));
        assert_eq!(kind(IceServer::new(["stun:host:65536"])), Err(ErrorKind::SyntaxError));
        assert_eq!(kind(IceServer::new::<&str>([])), Err(ErrorKind::SyntaxError));
        assert_eq!(kind(IceServer::new(["stuns:host"])), Err(ErrorKind::NotSupportedError));
        assert_eq!(kind(IceServer::new(["turn:host"])), Err(ErrorKind::InvalidAccessError));
        let turn = |url: &str, name: String| kind(IceServer::with_credentials([url], name, "p"));
        assert_eq!(turn("turn:host?transport=udp", "u".into()), Ok(()));
        assert_eq!(turn("turn:host?transport=tcp", "u".into()), Err(ErrorKind::NotSupportedError));
        assert_eq!(turn("turn:host", "u".repeat(509)), Err(ErrorKind::InvalidAccessError));
    }

    #[test]
    fn credentials_are_not_shown() {
        let server = IceServer::with_credentials(["turn:host"], "user", "hunter2").unwrap();
        assert!(!format!("{server:?}").contains("hunter2"));
    }
}
