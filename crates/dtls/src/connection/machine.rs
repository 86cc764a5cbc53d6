//! Which handshake runs, and where it stands.

use crate::connection::context::Context;
use crate::error::Fault;
use crate::handshake::Message;
use crate::{client, server};

/// The handshake of either role.
#[derive(Debug)]
pub(crate) enum Machine {
    /// Not started.
    Idle,
    Client(client::v12::State),
    Server(server::v12::State),
    /// Both Finished messages are right.
    Done,
}

impl Machine {
    pub(crate) fn on_message(self, cx: &mut Context<'_>, message: &Message) -> Result<Self, Fault> {
        match self {
            Self::Client(state) => state.on_message(cx, message),
            Self::Server(state) => state.on_message(cx, message),
            Self::Idle | Self::Done => Ok(self),
        }
    }

    /// Whether a handshake runs.
    pub(crate) const fn is_running(&self) -> bool {
        matches!(self, Self::Client(_) | Self::Server(_))
    }

    /// Whether the next message must come protected, so that clear text has nothing to say any more.
    pub(crate) const fn awaits_protected(&self) -> bool {
        matches!(
            self,
            Self::Client(client::v12::State::Finished(_)) | Self::Server(server::v12::State::Finished(_))
        )
    }

    /// Whether it is a server that has not accepted a hello yet.
    pub(crate) const fn awaits_hello(&self) -> bool {
        matches!(self, Self::Server(server::v12::State::ClientHello(_)))
    }
}

impl From<client::v12::State> for Machine {
    fn from(state: client::v12::State) -> Self {
        Self::Client(state)
    }
}

impl From<server::v12::State> for Machine {
    fn from(state: server::v12::State) -> Self {
        Self::Server(state)
    }
}
