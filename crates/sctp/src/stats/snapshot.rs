//! Counters, as they move to another process: they go on where they were.

use super::Stats;
use crate::handover::wire::{Contradiction, MAX_COUNT, ensure, wire_struct};

#[derive(Clone, Copy, Debug)]
pub(crate) struct CountersSnapshot {
    packets_sent: u64,
    packets_received: u64,
    bytes_sent: u64,
    bytes_received: u64,
    data_chunks_sent: u64,
    data_chunks_received: u64,
    retransmissions: u64,
    timeouts: u64,
    needless_reductions: u64,
    tail_probes: u64,
    messages_abandoned: u64,
    messages_sent: u64,
    messages_received: u64,
    sacks_sent: u64,
    path_probes: u64,
    duplicates_received: u64,
    data_dropped: u64,
    malformed_packets: u64,
    wrong_tag: u64,
    bad_cookies: u64,
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
            /// What is kept in other places is filled in there.
            pub(crate) fn snapshot(&self) -> CountersSnapshot {
                let Self {
                    $($field),+,
                    congestion_events: _,
                    packet_len: _,
                    congestion_window: _,
                    slow_start_threshold: _,
                    peer_window: _,
                    in_flight: _,
                    receive_held: _,
                    receive_buffer: _,
                    send_limit: _,
                    send_held: _,
                    rtt: _,
                    rto: _,
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
    packets_sent,
    packets_received,
    bytes_sent,
    bytes_received,
    data_chunks_sent,
    data_chunks_received,
    retransmissions,
    timeouts,
    needless_reductions,
    tail_probes,
    messages_abandoned,
    messages_sent,
    messages_received,
    sacks_sent,
    path_probes,
    duplicates_received,
    data_dropped,
    malformed_packets,
    wrong_tag,
    bad_cookies,
);
