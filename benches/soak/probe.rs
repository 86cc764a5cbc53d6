//! What an application holds while the library works for it, counted.

use peerlane::bytes::Bytes;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Counts the probes of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Probes {
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    made: AtomicU64,
    dropped: AtomicU64,
}

/// Held by a task, a closure or a message. Its `Drop` is the application's: it runs when the library lets go.
#[derive(Debug)]
pub(crate) struct Probe {
    counts: Arc<Counts>,
}

impl Probes {
    pub(crate) fn probe(&self) -> Probe {
        self.counts.made.fetch_add(1, Ordering::Relaxed);
        Probe { counts: Arc::clone(&self.counts) }
    }

    /// A message or frame whose memory is the application's until the library gives it back.
    pub(crate) fn bytes(&self, content: Vec<u8>) -> Bytes {
        Bytes::from_owner(Owned { content, _probe: self.probe() })
    }

    pub(crate) fn made(&self) -> u64 {
        self.counts.made.load(Ordering::Relaxed)
    }

    /// How many are still held.
    pub(crate) fn alive(&self) -> u64 {
        // In this order: a probe that is made in between is not missed.
        let dropped = self.counts.dropped.load(Ordering::SeqCst);
        self.counts.made.load(Ordering::SeqCst).saturating_sub(dropped)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.counts.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

struct Owned {
    content: Vec<u8>,
    _probe: Probe,
}

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        &self.content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_alive_until_its_last_part_is_dropped() {
        let probes = Probes::default();
        let message = probes.bytes(vec![1, 2, 3]);
        let part = message.slice(1..);
        drop(message);
        assert_eq!((probes.alive(), part.len()), (1, 2));
        drop(part);
        assert_eq!((probes.alive(), probes.made()), (0, 1));
    }
}
