//! Counters, as they move to another process: they go on where they were.

use super::Stats;
use crate::handover::wire::{Contradiction, MAX_COUNT, ensure, wire_struct};

#[derive(Clone, Copy, Debug)]
pub(crate) struct CountersSnapshot {
    channels_opened: u64,
    channels_closed: u64,
    opens_refused: u64,
    messages_dropped: u64,
    messages_sent: u64,
    bytes_sent: u64,
    messages_received: u64,
    bytes_received: u64,
}

macro_rules! counters {
    ($($field:ident),+ $(,)?) => {
        wire_struct!(CountersSnapshot { $($field),+ });

        impl CountersSnapshot {
            pub(crate) fn check(&self) -> Result<(), Contradiction> {
                let Self { $($field),+ } = *self;
                ensure([$($field),+].into_iter().all(|count| count < MAX_COUNT), "a counter")
            }
        }

        impl Stats {
            /// What the association counts is not kept here.
            pub(crate) fn snapshot(&self) -> CountersSnapshot {
                let Self {
                    $($field),+,
                    packets_sent: _,
                    packets_received: _,
                    retransmissions: _,
                    packet_len: _,
                    congestion_window: _,
                    peer_window: _,
                    in_flight: _,
                    rtt: _,
                } = *self;
                CountersSnapshot { $($field),+ }
            }

            pub(crate) fn restore(snapshot: CountersSnapshot) -> Self {
                let CountersSnapshot { $($field),+ } = snapshot;
                Self { $($field),+, ..Self::default() }
            }
        }
    };
}

counters!(
    channels_opened,
    channels_closed,
    opens_refused,
    messages_dropped,
    messages_sent,
    bytes_sent,
    messages_received,
    bytes_received,
);
