//! How to reach a server and what to ask of it.

use super::ClientError;
use crate::Family;
use crypto::{Provider, Secret};
use std::time::Duration;
use stun::{TransactionConfig, attr::Software, auth::LongTerm, net::FiveTuple};

/// Configuration of a [`Client`](super::Client).
#[derive(Debug)]
pub struct ClientConfig {
    path: FiveTuple,
    username: String,
    password: Secret,
    pub(super) family: Family,
    pub(super) software: Option<String>,
    pub(super) lifetime: Option<Duration>,
    pub(super) transaction: TransactionConfig,
    pub(super) max_permissions: usize,
    pub(super) max_channels: usize,
}

impl ClientConfig {
    /// From our socket to the server (RFC 8656 §5: one allocation per 5-tuple), with long-term credentials.
    #[must_use]
    pub fn new(path: FiveTuple, username: impl Into<String>, password: &str) -> Self {
        Self {
            path,
            username: username.into(),
            password: Secret::from(password.as_bytes()),
            family: Family::Ipv4,
            software: None,
            lifetime: None,
            transaction: TransactionConfig::new(),
            max_permissions: 256,
            max_channels: 256,
        }
    }

    /// The family of the relayed address. Default IPv4 (RFC 8656 §7.1).
    #[must_use]
    pub const fn with_family(mut self, family: Family) -> Self {
        self.family = family;
        self
    }

    /// What SOFTWARE says in Allocate and Refresh requests, up to 127 characters. Default: not sent, since it tells
    /// everybody on the path what runs here (RFC 8489 §16.1.2).
    #[must_use]
    pub fn with_software(mut self, software: impl Into<String>) -> Self {
        self.software = Some(software.into());
        self
    }

    /// The lifetime to ask for, in whole seconds. Default: the server's, usually 600 s (RFC 8656 §7.2).
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// How requests are repeated. Default that of RFC 8489 §6.2.1: failure after 39.5 s.
    #[must_use]
    pub const fn with_transaction(mut self, transaction: TransactionConfig) -> Self {
        self.transaction = transaction;
        self
    }

    /// Permissions that may be wanted at once. Default 256.
    #[must_use]
    pub const fn with_max_permissions(mut self, count: usize) -> Self {
        self.max_permissions = count;
        self
    }

    /// Channels that may be wanted at once, those counted that run out. Default 256, at most 4,096 make sense.
    #[must_use]
    pub const fn with_max_channels(mut self, count: usize) -> Self {
        self.max_channels = count;
        self
    }

    pub(super) const fn path(&self) -> FiveTuple {
        self.path
    }

    pub(super) fn credentials(&self, provider: &Provider) -> Result<LongTerm, ClientError> {
        if self.software.as_deref().is_some_and(|software| Software::new(software).is_err()) {
            return Err(ClientError::SoftwareTooLong);
        }
        let password = std::str::from_utf8(self.password.as_bytes()).unwrap_or_default();
        LongTerm::new(provider, &self.username, password).map_err(ClientError::Credentials)
    }
}
