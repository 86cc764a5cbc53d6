//! What becomes of a message.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::sync::oneshot;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageFate {
    /// It was given up: its lifetime or its retransmissions are used up (RFC 3758), or its channel ended first.
    Abandoned,
    /// The peer has acknowledged it, to its last byte.
    Delivered,
}

/// A future that tells what becomes of a message, from [`DataChannel::send_tracked`](crate::tokio::DataChannel::send_tracked).
/// Dropping it changes nothing.
#[derive(Debug)]
#[must_use = "it tells what becomes of the message"]
pub struct Receipt {
    fate: oneshot::Receiver<MessageFate>,
}

impl Receipt {
    pub(super) fn new(fate: oneshot::Receiver<MessageFate>) -> Self {
        Self { fate }
    }
}

impl Future for Receipt {
    type Output = MessageFate;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<MessageFate> {
        // Nobody is left to tell when the channel has ended before.
        Pin::new(&mut self.fate).poll(cx).map(|fate| fate.unwrap_or(MessageFate::Abandoned))
    }
}
