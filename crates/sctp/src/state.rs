//! Where an association stands (RFC 9260 §4), and what it may be waiting for.

use crate::event::CloseReason;
use base::TimerTable;

/// RFC 9260 §4, figure 3, with a last step for the packet that ends it.
///
/// ```text
///            connect                INIT ACK                COOKIE ACK
///  Closed ------------> CookieWait -----------> CookieEchoed -----------+
///    |                      |  COOKIE ECHO           | COOKIE ECHO      v
///    +----------------------+------------------------+-----------> Established
///                                                                       |
///         shutdown                  SHUTDOWN                            |
///    ShutdownPending <------------------+------------------> ShutdownReceived
///           | all acked                                             | all acked
///           v            SHUTDOWN                                   v
///      ShutdownSent -------------------------------------> ShutdownAckSent
///           | SHUTDOWN ACK                                          | SHUTDOWN COMPLETE
///           v                                                       v
///        Ending (SHUTDOWN COMPLETE or ABORT is written) ---------> Done
/// ```
#[derive(Debug)]
pub(crate) enum State {
    /// Nothing sent, nothing believed: what came is in cookies the peer holds.
    Closed,
    CookieWait,
    CookieEchoed {
        /// As it came in INIT ACK; every repetition is the same to the byte.
        cookie: Vec<u8>,
    },
    Established,
    ShutdownPending,
    ShutdownSent,
    ShutdownReceived,
    ShutdownAckSent,
    /// One packet is left to write.
    Ending {
        last: LastChunk,
        reason: CloseReason,
    },
    Done,
}

/// The chunk that ends an association.
#[derive(Debug)]
pub(crate) enum LastChunk {
    Abort { cause: u16, text: Vec<u8> },
    ShutdownComplete,
}

impl State {
    /// Both sides know each other: chunks other than those of the handshake mean something.
    pub(crate) fn is_connected(&self) -> bool {
        match self {
            Self::Established
            | Self::ShutdownPending
            | Self::ShutdownSent
            | Self::ShutdownReceived
            | Self::ShutdownAckSent => true,
            Self::Closed
            | Self::CookieWait
            | Self::CookieEchoed { .. }
            | Self::Ending { .. }
            | Self::Done => false,
        }
    }

    //= rfc9260 §5
    //# the two endpoints MUST complete an initialization process in order to set up an SCTP association between them.
    /// New data may be sent, or what is queued.
    pub(crate) fn may_send_data(&self) -> bool {
        matches!(self, Self::Established | Self::ShutdownPending | Self::ShutdownReceived)
    }

    //= rfc9260 §6
    //# DATA chunks MUST only be received according to the rules below in ESTABLISHED, SHUTDOWN-PENDING, and
    //# SHUTDOWN-SENT states.
    /// Data from the peer is taken. In `CookieEchoed` the peer may be established already, its COOKIE ACK lost.
    pub(crate) fn may_receive_data(&self) -> bool {
        matches!(
            self,
            Self::CookieEchoed { .. } | Self::Established | Self::ShutdownPending | Self::ShutdownSent
        )
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self, Self::Ending { .. } | Self::Done)
    }
}

/// What an association may be waiting for, by the names of RFC 9260.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timer {
    /// T1-init: for INIT ACK (§5.1).
    Init,
    /// T1-cookie: for COOKIE ACK (§5.1).
    Cookie,
    /// T2-shutdown: for SHUTDOWN ACK or SHUTDOWN COMPLETE (§9.2).
    Shutdown,
    /// A tail loss probe: for the acknowledgement of the last data, before T3-rtx (RFC 8985 §7).
    TailProbe,
    /// Data that may be reordered counts as lost (RFC 8985 §6.2, step 5).
    Reorder,
    /// T3-rtx: for the acknowledgement of data (§6.3).
    Retransmit,
    /// A delayed acknowledgement is to be sent (§6.2).
    Ack,
    /// The path is to be probed (§8.3).
    Heartbeat,
    /// Pacing: the next packet may go.
    Pace,
    /// For the answer to a stream reset (RFC 6525 §5.1.1).
    Reconfig,
    /// For the answer to a probe of the path MTU, or until the next one (RFC 8899 §5.1.1).
    PathMtu,
}

pub(crate) type Timers = TimerTable<Timer, 11>;

pub(crate) fn timers() -> Timers {
    TimerTable::new(
        [
            Timer::Init,
            Timer::Cookie,
            Timer::Shutdown,
            Timer::TailProbe,
            Timer::Reorder,
            Timer::Retransmit,
            Timer::Ack,
            Timer::Heartbeat,
            Timer::Pace,
            Timer::Reconfig,
            Timer::PathMtu,
        ],
        |timer| timer as usize,
    )
}
