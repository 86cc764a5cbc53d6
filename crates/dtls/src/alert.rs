//! Alerts (RFC 5246 §7.2): the peer's way of saying why it gives up.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use std::fmt;

/// How serious an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 5246 §7.2 has these two, and TLS 1.3 ignores the field")]
pub enum AlertLevel {
    /// The connection goes on.
    Warning,
    /// The connection ends.
    Fatal,
}

/// What an alert says, as in the TLS Alerts registry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a number of the wire, open by itself")]
pub struct AlertDescription(pub u8);

impl AlertDescription {
    /// The sender will send nothing more.
    pub const CLOSE_NOTIFY: Self = Self(0);
    /// A message came at the wrong time.
    pub const UNEXPECTED_MESSAGE: Self = Self(10);
    /// A record did not authenticate. Never sent here: such records are dropped in silence (RFC 6347 §4.1.2.7).
    pub const BAD_RECORD_MAC: Self = Self(20);
    /// Nothing in common to negotiate.
    pub const HANDSHAKE_FAILURE: Self = Self(40);
    /// The certificate is damaged, or has not the announced fingerprint (RFC 8122 §6.2).
    pub const BAD_CERTIFICATE: Self = Self(42);
    /// The certificate is of a kind that is not supported.
    pub const UNSUPPORTED_CERTIFICATE: Self = Self(43);
    /// A field has a value that is not allowed.
    pub const ILLEGAL_PARAMETER: Self = Self(47);
    /// A message could not be parsed.
    pub const DECODE_ERROR: Self = Self(50);
    /// A signature or a Finished message did not verify.
    pub const DECRYPT_ERROR: Self = Self(51);
    /// No common protocol version.
    pub const PROTOCOL_VERSION: Self = Self(70);
    /// Something failed that has nothing to do with the peer.
    pub const INTERNAL_ERROR: Self = Self(80);
    /// Renegotiation is refused.
    pub const NO_RENEGOTIATION: Self = Self(100);
    /// An extension came that was not asked for.
    pub const UNSUPPORTED_EXTENSION: Self = Self(110);

    fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            22 => "record_overflow",
            40 => "handshake_failure",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            90 => "user_canceled",
            100 => "no_renegotiation",
            110 => "unsupported_extension",
            120 => "no_application_protocol",
            _ => return None,
        })
    }
}

impl fmt::Display for AlertDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "alert {}", self.0),
        }
    }
}

impl fmt::Debug for AlertDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlertDescription({self})")
    }
}

/// An alert as it was received or will be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Alert {
    /// How serious it is.
    pub level: AlertLevel,
    /// What it says.
    pub description: AlertDescription,
}

impl Alert {
    pub(crate) const fn fatal(description: AlertDescription) -> Self {
        Self { level: AlertLevel::Fatal, description }
    }

    pub(crate) const fn warning(description: AlertDescription) -> Self {
        Self { level: AlertLevel::Warning, description }
    }

    /// Reads the two bytes of an alert; `None` for anything else.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let &[level, description] = body else { return None };
        let level = match level {
            1 => AlertLevel::Warning,
            2 => AlertLevel::Fatal,
            _ => return None,
        };
        Some(Self { level, description: AlertDescription(description) })
    }

    pub(crate) fn encode(self) -> [u8; 2] {
        let level = match self.level {
            AlertLevel::Warning => 1,
            AlertLevel::Fatal => 2,
        };
        [level, self.description.0]
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.description.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_it_writes_and_nothing_else() {
        let alert = Alert::fatal(AlertDescription::BAD_CERTIFICATE);
        assert_eq!(alert.encode(), [2, 42]);
        assert_eq!(Alert::parse(&alert.encode()), Some(alert));
        assert_eq!(alert.to_string(), "bad_certificate");
        assert_eq!(Alert::parse(&[]), None);
        assert_eq!(Alert::parse(&[2]), None);
        assert_eq!(Alert::parse(&[2, 42, 0]), None);
        assert_eq!(Alert::parse(&[3, 42]), None);
        assert_eq!(AlertDescription(199).to_string(), "alert 199");
    }
}
