//! How handles reach the task that owns the connection.

use super::{
    data_channel::{Message, MessageFate},
    driver::Driver,
    track::OutgoingMedia,
};
use crate::{Error, data_channel::ChannelKey};
use bytes::Bytes;
use datachannel::{Kind, Payload};
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};
use tokio::sync::{mpsc, oneshot};

/// Commands that wait for the driver; a handle that finds the queue full waits.
pub(super) const COMMAND_QUEUE: usize = 64;
/// Frames that wait for the driver, over all tracks.
pub(super) const MEDIA_QUEUE: usize = 256;

/// One call into the driver. It runs between two turns of the loop, with exclusive access to the session.
#[expect(clippy::type_complexity, reason = "this is the name for it")]
pub(super) struct Command(Box<dyn FnOnce(&mut Driver, Instant) + Send>);

impl Command {
    pub(super) fn run(self, driver: &mut Driver, now: Instant) {
        (self.0)(driver, now);
    }
}

/// What a handle of a data channel sends to the driver, each in its turn.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) channel: ChannelKey,
    pub(super) item: OutgoingItem,
}

#[derive(Debug)]
pub(super) enum OutgoingItem {
    /// Answered when everything before it is acknowledged, dropped when that can no longer be.
    Flush(oneshot::Sender<()>),
    /// The message written in pieces is whole.
    Finish,
    /// The message written in pieces will not be whole.
    GiveUp,
    /// Its bytes are paid for with the channel's credit.
    Message(Payload),
    /// A part of the one message that is written in pieces, paid for with the credit of its writers. The flag tells the
    /// writer that nothing more is wanted.
    Piece { kind: Kind, bytes: Bytes, given_up: Arc<AtomicBool> },
    /// From now on messages are received in pieces.
    ReceivePieces,
    /// A reader of whole messages found one that is larger than it takes: the channel ends.
    RefuseLarge,
    /// A message whose fate is to be told.
    Tracked(Payload, oneshot::Sender<MessageFate>),
}

impl Outgoing {
    /// The message, of one that is a message.
    pub(super) fn into_message(self) -> Message {
        match self.item {
            OutgoingItem::Message(payload) | OutgoingItem::Tracked(payload, _) => {
                Message::from_payload(payload)
            }
            OutgoingItem::Piece { bytes, .. } => Message::Binary(bytes),
            OutgoingItem::Finish
            | OutgoingItem::Flush(_)
            | OutgoingItem::GiveUp
            | OutgoingItem::ReceivePieces
            | OutgoingItem::RefuseLarge => Message::Binary(Bytes::new()),
        }
    }
}

/// The sending ends of the driver's queues. Holding them does not keep the connection open.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) commands: mpsc::Sender<Command>,
    /// Unbounded as a queue, bounded by the byte credit of each channel.
    pub(super) outgoing: mpsc::UnboundedSender<Outgoing>,
    pub(super) media: mpsc::Sender<OutgoingMedia>,
    /// Channels whose last handle was dropped; bounded by the number of channels.
    pub(super) abandoned: mpsc::UnboundedSender<ChannelKey>,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Command")
    }
}

impl Link {
    /// Runs `command` in the driver and returns what it returns.
    ///
    /// Cancellation: dropped before the queue had room, nothing happened; dropped later, the command still runs to
    /// its end.
    pub(super) async fn call<R: Send + 'static>(
        &self,
        command: impl FnOnce(&mut Driver, Instant) -> R + Send + 'static,
    ) -> Result<R, Error> {
        let (reply, mut result) = oneshot::channel();
        let permit = self.commands.reserve().await.map_err(|_| Error::closed())?;
        permit.send(Command(Box::new(move |driver, now| {
            let result = command(driver, now);
            // Who has the answer must find the states that it led to.
            driver.publish();
            // The caller may have gone; the command counts all the same.
            let _ = reply.send(result);
        })));
        tokio::select! {
            biased;
            result = &mut result => result.map_err(|_| Error::closed()),
            // A command that was sent in the moment in which the driver ended may lie in the queue, unseen and unanswered,
            // as long as there are handles. Everything that was run has been answered by then.
            () = self.commands.closed() => result.try_recv().map_err(|_| Error::closed()),
        }
    }

    /// Tells that nobody holds the channel any more. Called from `drop`, so it neither waits nor fails.
    pub(super) fn abandon(&self, channel: ChannelKey) {
        // Refused only when the connection is closed, and its channels with it.
        let _ = self.abandoned.send(channel);
    }
}
