//! Congestion control: how much may be in flight, decided by an algorithm of the application's choice.
//!
//! The association finds losses (RFC 8985), repairs them at a proportional rate (RFC 6937) and takes back what proved
//! needless. An algorithm only sets the window: it hears of acknowledgements and of losses, and says a number.

mod cubic;
mod hystart;
mod new_reno;
mod scavenger;

pub use cubic::Cubic;
pub use new_reno::NewReno;
pub use scavenger::Scavenger;

use std::fmt;
use std::time::{Duration, Instant};

/// Makes the algorithm of each association: see [`Config::with_congestion_control`](crate::Config::with_congestion_control).
pub trait CongestionControlFactory: fmt::Debug + Send + Sync {
    /// An algorithm for a path of which nothing is known but `path`.
    fn build(&self, path: &NewPath) -> Box<dyn CongestionControl>;
}

/// Sets the congestion window of one association (RFC 9260 §7.2).
///
/// All sizes are in bytes of user data. The window may be exceeded by the last packet of a burst, and is not asked
/// while losses are repaired: then the sending rate falls step by step to the window set by
/// [`on_loss`](Self::on_loss).
pub trait CongestionControl: fmt::Debug + Send {
    /// The peer acknowledged data.
    fn on_ack(&mut self, ack: &Acknowledged);

    /// Loss was found, for the first time in this round trip: the window is to be reduced.
    fn on_loss(&mut self, loss: &Loss);

    /// T3-rtx expired: nothing was heard for long (RFC 9260 §7.2.3).
    fn on_timeout(&mut self, loss: &Loss);

    /// Nothing had been lost when [`on_loss`](Self::on_loss) or [`on_timeout`](Self::on_timeout) was called last: the
    /// reduction is to be taken back. An algorithm that does nothing is safe, and slow where packets are reordered.
    fn on_needless_reduction(&mut self) {}

    /// Nothing was sent for this many retransmission timeouts (RFC 9260 §7.2.1).
    fn on_idle(&mut self, timeouts: u32);

    /// Packets have another size from now on.
    fn set_packet_len(&mut self, bytes: usize);

    /// How many bytes may be in flight.
    fn window(&self) -> usize;

    /// The window below which it is doubled each round trip.
    fn threshold(&self) -> usize;

    /// How fast packets may follow each other on a path with this round trip, in bytes a second. Default: two windows
    /// a round trip in slow start, and a window and a quarter afterwards, so that the window stays the limit.
    fn pacing_rate(&self, round_trip: Duration) -> u64 {
        let quarters = if self.window() < self.threshold() { 8 } else { 5 };
        let bytes = self.window() as u128 * quarters / 4;
        u64::try_from(bytes * 1_000_000_000 / round_trip.as_nanos().max(1)).unwrap_or(u64::MAX)
    }
}

/// What is known when an association begins.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NewPath {
    /// The largest packet, in bytes.
    pub packet_len: usize,
    /// The first window, in bytes: see [`Config::with_initial_window`](crate::Config::with_initial_window).
    pub initial_window: usize,
    /// The window that the peer advertised first, in bytes; it may grow later.
    pub peer_window: usize,
}

impl NewPath {
    /// A path for packets of this length, ten of which may go at once.
    #[must_use]
    pub const fn new(packet_len: usize) -> Self {
        Self { packet_len, initial_window: 10 * packet_len, peer_window: usize::MAX }
    }

    /// Sets what the peer advertised.
    #[must_use]
    pub const fn with_peer_window(self, peer_window: usize) -> Self {
        Self { peer_window, ..self }
    }
}

/// An acknowledgement.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Acknowledged {
    /// When it came.
    pub now: Instant,
    /// Bytes acknowledged for the first time.
    pub bytes: usize,
    /// Bytes in flight before it.
    pub in_flight: usize,
    /// The number of the newest packet it acknowledges; packets are counted from 1.
    pub packet: u64,
    /// The number of the newest packet sent.
    pub newest_packet: u64,
    /// The round trip of the newest packet, if that was sent once only.
    pub round_trip: Option<Duration>,
    /// The shortest round trip of the last minute.
    pub shortest: Option<Duration>,
    /// The smoothed round trip.
    pub smoothed: Option<Duration>,
    /// Whether the window was what kept more from being sent. One that was not used says nothing about the path.
    pub window_limited: bool,
    /// Whether a loss is being repaired: data sent before the last reduction is acknowledged.
    pub recovering: bool,
}

impl Acknowledged {
    /// `bytes` were acknowledged, the window was used up, and nothing else is known.
    #[must_use]
    pub const fn new(now: Instant, bytes: usize) -> Self {
        Self {
            now,
            bytes,
            in_flight: bytes,
            packet: 0,
            newest_packet: 0,
            round_trip: None,
            shortest: None,
            smoothed: None,
            window_limited: true,
            recovering: false,
        }
    }
}

/// A loss.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Loss {
    /// When it was found.
    pub now: Instant,
    /// Bytes in flight before it was found.
    pub in_flight: usize,
    /// The number of the newest packet sent.
    pub newest_packet: u64,
}

impl Loss {
    /// A loss among this many bytes in flight.
    #[must_use]
    pub const fn new(now: Instant, in_flight: usize) -> Self {
        Self { now, in_flight, newest_packet: 0 }
    }
}

/// Halves a window for each timeout without traffic, down to four packets (RFC 9260 §7.2.1).
fn idle_window(window: usize, packet_len: usize, timeouts: u32) -> usize {
    let floor = 4 * packet_len;
    (0..timeouts.min(32)).fold(window, |window, _| window.min((window / 2).max(floor)))
}
