//! Path MTU discovery (RFC 8899 §5), as a machine that only counts and decides; `procedure/path_mtu.rs` writes for it.
//!
//! ```text
//!               probe of base answered            nothing left to try
//!  Base <----------------------------> Searching ----------------------> SearchComplete
//!    | ^  black hole of what was found                  after 600 s
//!    | +------------------------------------------------------------------------+
//!    | base lost three times
//!    v
//!  Error: packets of the smallest size, base is tried again
//! ```
//!
//! A probe is a pair: a HEARTBEAT padded to the size in question, and one of few bytes behind it. An answer to the
//! second alone says that the path is alive and the first was lost: three times in a row, and the size is too large
//! for the path. So a size that fails costs three round trips, and chance alone hardly ever makes it fail. A pair of
//! which nothing comes back says nothing about sizes.

mod snapshot;

pub(crate) use snapshot::PathSnapshot;

use crate::path::PathInfo;
use std::time::{Duration, Instant};

/// How often in a row a size is lost before it counts as too large.
//= rfc8899 §5.1.2
//# The default value of MAX_PROBES is 3.
const MAX_PROBES: u8 = 3;

/// How long an answer may take.
//= rfc8899 §5.1.1
//# This value MUST NOT be smaller than 1 second and SHOULD be larger than 15 seconds.
//
// The answer to the second packet of the pair is what a loss is concluded from, not this timer; 15 seconds would only
// be 15 seconds in which nothing is known.
const PROBE_TIMER: Duration = Duration::from_secs(1);

/// How long what was found is good.
//= rfc8899 §5.1.1
//# This timer has a period of 600 seconds, as recommended by PLPMTUD [RFC4821].
const RAISE_TIMER: Duration = Duration::from_secs(600);

/// When a path that did not carry the base size is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// Sizes of IP packets worth trying: tunnels over Ethernet, PPPoE, Ethernet itself, FDDI, the networks of large
/// computing centres, jumbo frames.
const COMMON: [usize; 10] = [1_280, 1_400, 1_420, 1_452, 1_472, 1_492, ETHERNET, 4_352, 8_900, 9_000];

/// What is tried first.
const ETHERNET: usize = 1_500;

/// What a probe and its answer are known by.
pub(crate) type Nonce = [u8; 8];

/// RFC 8899 §5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nobody answers yet, or the size is not to be searched for.
    Disabled,
    Base,
    Searching {
        /// The smallest size known, or taken, to be too large.
        ceiling: usize,
    },
    SearchComplete {
        raise_at: Instant,
    },
    Error {
        retry_at: Instant,
    },
}

/// What the pair in question is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// The next step of the phase.
    Step,
    /// Whether what is in use still passes.
    Doubt,
}

/// How far a pair is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// To be written.
    Due,
    /// The large one is written.
    Half,
    /// Both are; an answer is expected until then.
    Waiting(Instant),
}

/// A pair of HEARTBEATs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Probe {
    purpose: Purpose,
    size: usize,
    /// Pairs of this size that were lost before.
    lost: u8,
    large: Nonce,
    small: Nonce,
    progress: Progress,
    /// The small one was answered.
    is_alive: bool,
}

/// What is to be written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// A HEARTBEAT padded to this many bytes.
    Large(usize),
    /// One as small as it is.
    Small,
}

/// What an answer, or the lack of one, meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Unchanged,
    /// Larger packets pass, or the size in use was confirmed.
    Grown,
    /// The size in use does not pass.
    Shrunk,
}

/// Whether there is anything to find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// The caller knows the size.
    Fixed,
    Search,
}

/// The machine.
#[derive(Debug)]
pub(crate) struct PathMtu {
    info: PathInfo,
    mode: Mode,
    phase: Phase,
    /// `PLPMTU`.
    current: usize,
    probe: Option<Probe>,
    /// The peer has announced that it knows PAD (RFC 4820).
    pads: bool,
}

impl PathMtu {
    /// Packets of this size and no search.
    pub(crate) fn fixed(packet_len: usize) -> Self {
        Self {
            info: PathInfo::new(packet_len),
            mode: Mode::Fixed,
            phase: Phase::Disabled,
            current: packet_len,
            probe: None,
            pads: false,
        }
    }

    pub(crate) fn new(info: PathInfo) -> Self {
        Self {
            info,
            mode: Mode::Search,
            phase: Phase::Disabled,
            current: info.base,
            probe: None,
            pads: false,
        }
    }

    /// The peer answers; `pads` is whether it has announced PAD.
    pub(crate) fn start(&mut self, pads: bool) {
        self.pads = pads;
        self.begin();
    }

    fn begin(&mut self) {
        if self.mode == Mode::Fixed {
            return;
        }
        self.phase = Phase::Base;
        self.current = self.info.base;
        self.step(self.info.base);
    }

    /// The largest packet to write.
    pub(crate) fn packet_len(&self) -> usize {
        self.current
    }

    /// The largest packet to write before the peer answers: it is repeated as it is.
    pub(crate) fn first_packet_len(&self) -> usize {
        match self.mode {
            Mode::Fixed => self.current,
            Mode::Search => self.info.min(),
        }
    }

    /// The largest chunk to cut: while the size of packets is not confirmed, a chunk is small enough to go alone in a
    /// packet of the smallest size, since it cannot be cut again.
    pub(crate) fn chunk_packet_len(&self) -> usize {
        match self.phase {
            Phase::Base => self.info.min(),
            Phase::Disabled if self.mode == Mode::Search => self.info.min(),
            Phase::Disabled
            | Phase::Searching { .. }
            | Phase::SearchComplete { .. }
            | Phase::Error { .. } => self.current,
        }
    }

    /// What is to be written before anything else.
    pub(crate) fn due(&self) -> Option<Due> {
        let probe = self.probe.as_ref()?;
        match probe.progress {
            Progress::Due => Some(Due::Large(probe.size)),
            Progress::Half => Some(Due::Small),
            Progress::Waiting(_) => None,
        }
    }

    /// It was written, with this nonce; `timeout` is how long an answer to data would be waited for.
    pub(crate) fn written(&mut self, now: Instant, nonce: Nonce, timeout: Duration) {
        let Some(probe) = &mut self.probe else { return };
        match probe.progress {
            Progress::Due => {
                probe.large = nonce;
                probe.progress = Progress::Half;
            }
            Progress::Half => {
                probe.small = nonce;
                probe.progress = Progress::Waiting(now + timeout.max(PROBE_TIMER));
            }
            Progress::Waiting(_) => {}
        }
    }

    /// A HEARTBEAT ACK came. `grace` is how long the answer to the large one may come behind that to the small one.
    pub(crate) fn on_answer(&mut self, now: Instant, nonce: Nonce, grace: Duration) -> Verdict {
        let Some(probe) = &mut self.probe else { return Verdict::Unchanged };
        let Progress::Waiting(until) = &mut probe.progress else {
            // The large one may be answered before the small one is written.
            let is_answer = probe.progress == Progress::Half && nonce == probe.large;
            return if is_answer { self.passed(now) } else { Verdict::Unchanged };
        };
        if nonce == probe.large {
            return self.passed(now);
        }
        if nonce == probe.small {
            probe.is_alive = true;
            *until = (*until).min(now + grace);
        }
        Verdict::Unchanged
    }

    /// Time passed.
    pub(crate) fn on_timeout(&mut self, now: Instant) -> Verdict {
        if let Some(probe) = self.probe {
            return match probe.progress {
                Progress::Waiting(until) if until <= now => self.lost(now, probe),
                Progress::Waiting(_) | Progress::Due | Progress::Half => Verdict::Unchanged,
            };
        }
        match self.phase {
            Phase::SearchComplete { raise_at } if raise_at <= now => {
                self.phase = Phase::Searching { ceiling: self.largest().saturating_add(4) };
                self.search(now);
            }
            Phase::Error { retry_at } if retry_at <= now => {
                self.phase = Phase::Error { retry_at: now + RETRY };
                self.step(self.info.base);
            }
            Phase::Disabled
            | Phase::Base
            | Phase::Searching { .. }
            | Phase::SearchComplete { .. }
            | Phase::Error { .. } => {}
        }
        Verdict::Unchanged
    }

    /// Data is not acknowledged: maybe its packets are too large by now.
    pub(crate) fn doubt(&mut self) {
        let is_doubted = self.probe.is_some_and(|probe| probe.purpose == Purpose::Doubt);
        if is_doubted || matches!(self.phase, Phase::Disabled | Phase::Base | Phase::Error { .. }) {
            return;
        }
        self.probe = Some(Probe { purpose: Purpose::Doubt, ..Self::pair(self.current) });
    }

    /// The layers below refused a datagram for its length.
    pub(crate) fn refused(&mut self, now: Instant) -> Verdict {
        match self.probe {
            Some(probe) if probe.progress != Progress::Due => {
                self.lost(now, Probe { lost: MAX_PROBES, is_alive: true, ..probe })
            }
            _ if self.phase == Phase::Disabled => Verdict::Unchanged,
            _ => self.fall(now),
        }
    }

    /// When [`on_timeout`](Self::on_timeout) is wanted.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        match (&self.probe, self.phase) {
            (Some(probe), _) => match probe.progress {
                Progress::Waiting(until) => Some(until),
                Progress::Due | Progress::Half => None,
            },
            (None, Phase::SearchComplete { raise_at: at } | Phase::Error { retry_at: at }) => Some(at),
            (None, Phase::Disabled | Phase::Base | Phase::Searching { .. }) => None,
        }
    }

    /// The large one of the pair arrived.
    fn passed(&mut self, now: Instant) -> Verdict {
        let Some(probe) = self.probe.take() else { return Verdict::Unchanged };
        if probe.purpose == Purpose::Step {
            self.current = self.current.max(probe.size);
        }
        if let Phase::Base | Phase::Error { .. } = self.phase {
            self.phase = Phase::Searching { ceiling: self.largest().saturating_add(4) };
        }
        self.search(now);
        if probe.purpose == Purpose::Step { Verdict::Grown } else { Verdict::Unchanged }
    }

    /// The large one of the pair did not arrive.
    fn lost(&mut self, now: Instant, probe: Probe) -> Verdict {
        let lost = probe.lost.saturating_add(u8::from(probe.is_alive));
        if lost < MAX_PROBES {
            self.probe = Some(Probe { purpose: probe.purpose, lost, ..Self::pair(probe.size) });
            return Verdict::Unchanged;
        }
        self.probe = None;
        match self.phase {
            _ if probe.purpose == Purpose::Doubt => self.fall(now),
            Phase::Base => self.fall(now),
            Phase::Searching { .. } => {
                self.phase = Phase::Searching { ceiling: probe.size };
                self.search(now);
                Verdict::Unchanged
            }
            Phase::Disabled | Phase::SearchComplete { .. } | Phase::Error { .. } => Verdict::Unchanged,
        }
    }

    /// What is in use does not pass.
    fn fall(&mut self, now: Instant) -> Verdict {
        self.probe = None;
        if self.current > self.info.base {
            self.begin();
        } else if self.phase == Phase::Base && !self.pads {
            // A peer that does not know PAD should skip it, and some drop the packet: what looks like a path that does
            // not carry the base size is more likely such a peer. It gets that size, and no larger one is searched for.
            self.mode = Mode::Fixed;
            self.phase = Phase::Disabled;
            self.current = self.info.base;
            return Verdict::Unchanged;
        } else {
            self.current = self.info.min();
            self.phase = Phase::Error { retry_at: now + RETRY };
        }
        Verdict::Shrunk
    }

    /// Goes on with the search, or ends it.
    fn search(&mut self, now: Instant) {
        let Phase::Searching { ceiling } = self.phase else { return };
        match self.candidate(ceiling) {
            Some(size) => self.step(size),
            None => self.phase = Phase::SearchComplete { raise_at: now + RAISE_TIMER },
        }
    }

    /// The size to try next: that of Ethernet, since most paths end there; then the largest, since a path that carries
    /// more often carries everything; then the middle of what is left.
    fn candidate(&self, ceiling: usize) -> Option<usize> {
        let largest = self.largest();
        let is_open = |size: usize| size > self.current && size < ceiling && size <= largest;
        let ethernet = self.info.packet_of(ETHERNET);
        if is_open(ethernet) {
            return Some(ethernet);
        }
        if is_open(largest) {
            return Some(largest);
        }
        let left: Vec<_> =
            COMMON.iter().map(|ip| self.info.packet_of(*ip)).filter(|size| is_open(*size)).collect();
        left.get(left.len() / 2).copied()
    }

    /// The largest size to try. That a path carries more than Ethernet does not mean that the peer takes it: there are
    /// some that read 2,048 bytes of a datagram, or 1,500, and end the DTLS connection, or hear nothing more, when a
    /// record is longer. A probe would end the call, so it must not be sent. A peer that announces PAD, of which the
    /// only use is such probes (RFC 4820 §1), expects them.
    fn largest(&self) -> usize {
        if self.pads {
            self.info.max
        } else {
            self.info.max.min(self.info.packet_of(ETHERNET)).max(self.info.base)
        }
    }

    fn step(&mut self, size: usize) {
        self.probe = Some(Self::pair(size));
    }

    fn pair(size: usize) -> Probe {
        Probe {
            purpose: Purpose::Step,
            size,
            lost: 0,
            large: Nonce::default(),
            small: Nonce::default(),
            progress: Progress::Due,
            is_alive: false,
        }
    }
}
