//! The one trait over all protocol machines.

use std::{fmt::Debug, num::NonZeroUsize, time::Instant};
use stun::net::{FiveTuple, Fragmentation};

/// What a datagram is addressed by.
pub trait Path: Copy + Debug + Eq {
    /// The same path as the other side sees it.
    #[must_use]
    fn reversed(self) -> Self;
}

impl Path for () {
    fn reversed(self) -> Self {}
}

impl Path for FiveTuple {
    fn reversed(self) -> Self {
        Self::reversed(self)
    }
}

/// A protocol machine as the test kit sees it. Each crate adapts its own in its `tests/`.
///
/// The first five methods are the idiom. The others have defaults; a machine that fills them in is tested harder.
pub trait Machine {
    /// [`FiveTuple`] for machines that know addresses, `()` for those that see bytes only.
    type Path: Path;
    /// What `poll_event` yields.
    type Event: Debug;
    /// Whether the machine comes to an end after [`close`](Self::close) and says so by a
    /// [final](Self::is_final) event.
    const ENDS: bool = true;

    /// A datagram arrived.
    fn handle_datagram(&mut self, now: Instant, path: Self::Path, datagram: &mut [u8]);
    /// The clock moved on.
    fn handle_timeout(&mut self, now: Instant);
    /// Appends the next datagram to `out` and returns its path and length.
    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<(Self::Path, NonZeroUsize)>;
    /// The next event.
    fn poll_event(&mut self) -> Option<Self::Event>;
    /// When `handle_timeout` is wanted.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Does one of the things an application may do, picked by `choice`: send, open, restart. It must not
    /// close. Errors that a caller may get are fine. Default: nothing.
    fn command(&mut self, now: Instant, choice: u64) {
        let _ = (now, choice);
    }

    /// Whether IP may cut the datagram polled last. Default: it may not.
    fn fragmentation(&self) -> Fragmentation {
        Fragmentation::Forbidden
    }

    /// Asks for the end of life. Default: nothing.
    fn close(&mut self, now: Instant) {
        let _ = now;
    }

    /// Whether the machine reached what it was made for, such as being connected. Default: always.
    fn is_ready(&self) -> bool {
        true
    }

    /// Asserts what must hold at any time, such as limits of memory. Called after every step of a schedule.
    /// Default: nothing.
    fn check(&self) {}

    /// Whether this event is the last one of a life (`Closed`, law L7). Default: none is.
    #[must_use]
    fn is_final(event: &Self::Event) -> bool {
        let _ = event;
        false
    }
}

/// Bytes that stand before the output of a machine, to see that it only appends.
const GUARD: &[u8; 5] = b"guard";

/// One datagram and where it goes.
pub(crate) struct Polled<P> {
    pub(crate) path: P,
    pub(crate) datagram: Vec<u8>,
}

/// Polls one datagram and checks the append-only contract.
pub(crate) fn poll_checked<M: Machine + ?Sized>(
    machine: &mut M,
    now: Instant,
) -> Result<Option<Polled<M::Path>>, String> {
    let mut out = GUARD.to_vec();
    let polled = machine.poll_transmit(now, &mut out);
    if out.get(..GUARD.len()) != Some(GUARD.as_slice()) {
        return Err("poll_transmit changed bytes that stood in the buffer before".to_owned());
    }
    let appended = out.split_off(GUARD.len());
    match polled {
        None if appended.is_empty() => Ok(None),
        None => Err(format!("poll_transmit returned None after appending {} bytes", appended.len())),
        Some((path, len)) if len.get() == appended.len() => Ok(Some(Polled { path, datagram: appended })),
        Some((_, len)) => {
            Err(format!("poll_transmit says {len} bytes and appended {} bytes", appended.len()))
        }
    }
}
