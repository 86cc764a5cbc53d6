//! What the handles of a channel share with the driver.

use crate::{
    data_channel::{ChannelKey, DataChannelEnd, DataChannelInit, DataChannelState},
    tokio::command::Link,
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};
use tokio::sync::{Notify, Semaphore};

/// Bookkeeping charged to every queued message, so that a million empty ones are not free.
pub(in crate::tokio) const MESSAGE_OVERHEAD: usize = 64;

/// What a channel can say about itself at any time, without asking the driver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tokio) struct Status {
    pub(in crate::tokio) state: DataChannelState,
    pub(in crate::tokio) id: Option<u16>,
    /// Set with the state "closed".
    pub(in crate::tokio) end: Option<DataChannelEnd>,
}

/// What handle and driver share. Neither side keeps the connection open through it.
#[derive(Debug)]
pub(in crate::tokio) struct Shared {
    pub(in crate::tokio) label: String,
    pub(in crate::tokio) init: DataChannelInit,
    /// Bytes that may still be queued. One permit a byte.
    pub(in crate::tokio) credit: Semaphore,
    pub(in crate::tokio) send_buffer: usize,
    /// Bytes that the writer of a message in pieces may still have queued. A buffer of its own: messages that wait for
    /// this one to end must not keep it from ending.
    pub(in crate::tokio) piece_credit: Semaphore,
    /// One message is written in pieces at a time.
    pub(in crate::tokio) writer_turn: Arc<Semaphore>,
    /// The largest message that may be written in pieces, in bytes.
    pub(in crate::tokio) max_streamed_size: AtomicU64,
    /// Payload bytes queued and not yet given to the network.
    pub(in crate::tokio) buffered: AtomicUsize,
    pub(in crate::tokio) low_threshold: AtomicUsize,
    pub(in crate::tokio) drained: Notify,
    /// Payload bytes given to the network and not yet acknowledged, as of the driver's last turn.
    pub(in crate::tokio) outstanding: AtomicUsize,
    /// Bytes delivered to the handle and not yet read, bookkeeping included.
    pub(in crate::tokio) unread: AtomicUsize,
    pub(in crate::tokio) receive_buffer: usize,
    /// The largest message that is put together for a reader of whole ones, in bytes.
    pub(in crate::tokio) max_received: usize,
    pub(in crate::tokio) max_message_size: AtomicUsize,
    /// Wakes the driver when the reader has made room.
    pub(in crate::tokio) wake_driver: Arc<Notify>,
}

impl Shared {
    /// What a message of `len` bytes costs; a message larger than the buffer may pass when the buffer is empty.
    pub(in crate::tokio) fn cost(&self, len: usize) -> usize {
        (len + MESSAGE_OVERHEAD).min(self.send_buffer)
    }

    /// The same in permits.
    pub(super) fn permits(&self, len: usize) -> u32 {
        u32::try_from(self.cost(len)).unwrap_or(u32::MAX)
    }

    /// Whether the peer has everything that was sent, as far as is known.
    pub(super) fn is_flushed(&self) -> bool {
        self.buffered.load(Ordering::Acquire) == 0 && self.outstanding.load(Ordering::Acquire) == 0
    }

    /// A reader took something that counted `cost` bytes.
    pub(super) fn make_room(&self, cost: usize) {
        let before = self.unread.fetch_sub(cost, Ordering::AcqRel);
        let half = self.receive_buffer / 2;
        // One wake-up when half of the buffer has become free, not one per message.
        if before >= half && before.saturating_sub(cost) < half {
            self.wake_driver.notify_one();
        }
    }
}

/// Closes the channel when the last handle is dropped.
#[derive(Debug)]
pub(super) struct Closer {
    pub(super) key: ChannelKey,
    pub(super) link: Link,
}

impl Drop for Closer {
    fn drop(&mut self) {
        self.link.abandon(self.key);
    }
}
