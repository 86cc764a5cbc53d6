//! Session descriptions as applications exchange them (W3C `RTCSessionDescription`), and the state of the exchange.

use std::{fmt, sync::Arc};

use crate::error::{Error, ErrorKind};

/// What a description is for (W3C `RTCSdpType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the set is closed by the W3C specification")]
pub enum SdpType {
    /// The last word on an offer.
    Answer,
    /// A proposal.
    Offer,
    /// An answer that another one may follow.
    Pranswer,
    /// Takes the proposal back; has no content.
    Rollback,
}

impl SdpType {
    /// The W3C name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Offer => "offer",
            Self::Pranswer => "pranswer",
            Self::Rollback => "rollback",
        }
    }
}

impl fmt::Display for SdpType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where the exchange of descriptions stands (W3C `RTCSignalingState`, RFC 9429 §3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the set is closed by the W3C specification")]
pub enum SignalingState {
    /// Nothing is proposed.
    #[default]
    Stable,
    /// We proposed.
    HaveLocalOffer,
    /// The other side proposed.
    HaveRemoteOffer,
    /// The other side proposed, and we answered for now.
    HaveLocalPranswer,
    /// We proposed, and the other side answered for now.
    HaveRemotePranswer,
    /// The connection is closed.
    Closed,
}

impl SignalingState {
    /// The W3C name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::HaveLocalOffer => "have-local-offer",
            Self::HaveRemoteOffer => "have-remote-offer",
            Self::HaveLocalPranswer => "have-local-pranswer",
            Self::HaveRemotePranswer => "have-remote-pranswer",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for SignalingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A description with its type (W3C `RTCSessionDescription`).
///
/// `Display` prints the SDP text, which is what travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    kind: SdpType,
    sdp: Option<Arc<sdp::Description>>,
}

impl Description {
    /// Reads a text; that of a rollback is not looked at.
    ///
    /// # Errors
    ///
    /// `SyntaxError` with line, column and what was expected there.
    pub fn parse(kind: SdpType, text: &str) -> Result<Self, Error> {
        if kind == SdpType::Rollback {
            return Ok(Self::rollback());
        }
        let sdp = sdp::Description::parse(text).map_err(|error| {
            Error::new(ErrorKind::SyntaxError, format!("the {kind} is not SDP: {error}")).with_source(error)
        })?;
        Ok(Self::new(kind, sdp))
    }

    /// An offer from its text.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn offer(text: &str) -> Result<Self, Error> {
        Self::parse(SdpType::Offer, text)
    }

    /// An answer from its text.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn answer(text: &str) -> Result<Self, Error> {
        Self::parse(SdpType::Answer, text)
    }

    /// Takes back what was proposed.
    #[must_use]
    pub fn rollback() -> Self {
        Self { kind: SdpType::Rollback, sdp: None }
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> SdpType {
        self.kind
    }

    /// The SDP text; empty for a rollback.
    #[must_use]
    pub fn sdp(&self) -> String {
        self.to_string()
    }

    pub(crate) fn new(kind: SdpType, sdp: impl Into<Arc<sdp::Description>>) -> Self {
        Self { kind, sdp: Some(sdp.into()) }
    }

    /// The content; none for a rollback.
    #[cfg(test)]
    pub(crate) fn document(&self) -> Option<&sdp::Description> {
        self.sdp.as_deref()
    }

    /// The content without a copy; none for a rollback.
    pub(crate) fn shared(&self) -> Option<Arc<sdp::Description>> {
        self.sdp.clone()
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sdp.as_ref().map_or(Ok(()), |sdp| sdp.fmt(f))
    }
}
