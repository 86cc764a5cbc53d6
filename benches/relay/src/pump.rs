//! Moves packets in one direction, in a thread of its own.

use crate::{
    Impairment, RelayError,
    line::{Fate, Line},
    tun::Tun,
};
use std::{
    collections::VecDeque,
    io,
    os::fd::AsRawFd,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, Sender, TryRecvError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Packets read before what is due is written.
const BATCH: usize = 64;
/// Nearer deadlines are waited for without sleeping.
const SPIN: Duration = Duration::from_micros(15);
/// Sleeps no longer than this, to see that it is to end.
const NAP: Duration = Duration::from_millis(50);

/// What one direction has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Packets that came.
    pub offered: u64,
    /// Packets given to the other side.
    pub carried: u64,
    /// Their bytes, with IP headers.
    pub carried_bytes: u64,
    /// Packets lost at random.
    pub lost: u64,
    /// Packets that found the queue full.
    pub dropped: u64,
    /// Packets that the other side did not take.
    pub refused: u64,
}

/// What the thread counts and its owner reads.
#[derive(Debug, Default)]
struct Shared {
    offered: AtomicU64,
    carried: AtomicU64,
    carried_bytes: AtomicU64,
    lost: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
}

impl Shared {
    fn counters(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            offered: read(&self.offered),
            carried: read(&self.carried),
            carried_bytes: read(&self.carried_bytes),
            lost: read(&self.lost),
            dropped: read(&self.dropped),
            refused: read(&self.refused),
        }
    }
}

/// The thread of one direction. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Pump {
    shared: Arc<Shared>,
    /// What the line is to do from now on; closed, the thread ends.
    orders: Option<Sender<Impairment>>,
    thread: Option<JoinHandle<()>>,
}

impl Pump {
    pub(crate) fn start(
        from: Arc<Tun>,
        to: Arc<Tun>,
        impairment: Impairment,
        mtu: usize,
    ) -> Result<Self, RelayError> {
        let shared = Arc::new(Shared::default());
        let (sender, orders) = mpsc::channel();
        let line = Line::new(impairment);
        let mover = Mover {
            from,
            to,
            shared: Arc::clone(&shared),
            orders,
            line,
            waiting: VecDeque::new(),
            spare: Vec::new(),
            mtu,
        };
        let thread = thread::Builder::new().name("relay".to_owned()).spawn(move || mover.run());
        let thread = thread.map_err(|error| RelayError::Setup { what: "a thread", error })?;
        Ok(Self { shared, orders: Some(sender), thread: Some(thread) })
    }

    pub(crate) fn set(&self, impairment: Impairment) {
        if let Some(orders) = &self.orders {
            // The thread ends before us only when its device is gone.
            drop(orders.send(impairment));
        }
    }

    pub(crate) fn counters(&self) -> Counters {
        self.shared.counters()
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct Packet {
    due: Instant,
    bytes: Vec<u8>,
}

struct Mover {
    from: Arc<Tun>,
    to: Arc<Tun>,
    shared: Arc<Shared>,
    orders: Receiver<Impairment>,
    line: Line,
    /// In the order of their arrival, which is that of their departure.
    waiting: VecDeque<Packet>,
    /// Buffers to be used again.
    spare: Vec<Vec<u8>>,
    mtu: usize,
}

impl Mover {
    fn run(mut self) {
        // A deadline may otherwise be late by the slack of an ordinary thread, which is as long as the shortest delay.
        // SAFETY: a call without pointers, for this thread alone.
        unsafe {
            libc::prctl(libc::PR_SET_TIMERSLACK, 1);
        }
        loop {
            match self.orders.try_recv() {
                Ok(impairment) => self.line.set(impairment),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return,
            }
            // An error means that the device is gone.
            let Ok(has_read) = self.read() else { return };
            self.write();
            if !has_read {
                self.wait();
            }
        }
    }

    /// Takes packets; whether there may be more.
    fn read(&mut self) -> io::Result<bool> {
        // One look at the clock for all: they have waited for this moment together.
        let now = clock();
        for _ in 0..BATCH {
            let mut bytes = self.spare.pop().unwrap_or_default();
            bytes.resize(self.mtu, 0);
            let Some(length) = self.from.read(&mut bytes)? else {
                self.spare.push(bytes);
                return Ok(false);
            };
            bytes.truncate(length);
            count(&self.shared.offered, 1);
            match self.line.carry(now, length) {
                Fate::Arrives(due) => self.waiting.push_back(Packet { due, bytes }),
                Fate::Lost => {
                    count(&self.shared.lost, 1);
                    self.spare.push(bytes);
                }
                Fate::Dropped => {
                    count(&self.shared.dropped, 1);
                    self.spare.push(bytes);
                }
            }
        }
        Ok(true)
    }

    /// Gives away what is due.
    fn write(&mut self) {
        let now = clock();
        while self.waiting.front().is_some_and(|packet| packet.due <= now) {
            let Some(packet) = self.waiting.pop_front() else { break };
            if self.to.write(&packet.bytes) {
                count(&self.shared.carried, 1);
                count(&self.shared.carried_bytes, packet.bytes.len() as u64);
            } else {
                count(&self.shared.refused, 1);
            }
            self.spare.push(packet.bytes);
        }
    }

    /// Until a packet comes or one is due.
    fn wait(&self) {
        let timeout = match self.waiting.front() {
            Some(packet) => packet.due.saturating_duration_since(clock()).min(NAP),
            None => NAP,
        };
        if timeout < SPIN {
            std::hint::spin_loop();
            return;
        }
        // Wakes a little early: the rest is spun away.
        let timeout = timeout - SPIN / 2;
        let time = libc::timespec {
            tv_sec: timeout.as_secs() as libc::time_t,
            tv_nsec: libc::c_long::from(timeout.subsec_nanos() as i32),
        };
        let mut poll = libc::pollfd { fd: self.from.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one valid structure and its count; the time outlives the call; no signal mask.
        unsafe {
            libc::ppoll(&raw mut poll, 1, &raw const time, std::ptr::null());
        }
    }
}

fn count(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

#[expect(clippy::disallowed_methods, reason = "a relay lives in real time")]
fn clock() -> Instant {
    Instant::now()
}
