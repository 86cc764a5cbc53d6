//! Messages that are not yet whole, as they move to another process.

use super::{Reassembly, Run};
use crate::chunk::data::DataHeader;
use crate::handover::wire::{Contradiction, ensure, wire_struct};
use crate::rx::tracker::TrackerSnapshot;
use crate::types::StreamId;
use bytes::Bytes;

/// Runs by their first TSN.
#[derive(Clone, Debug)]
pub(crate) struct ReassemblySnapshot {
    runs: Vec<(u64, RunSnapshot)>,
}

#[derive(Clone, Debug)]
struct RunSnapshot {
    next: u64,
    header: DataHeader,
    ended: bool,
    data: Bytes,
    oversized: bool,
    taken: bool,
}

wire_struct!(ReassemblySnapshot { runs });
wire_struct!(RunSnapshot { next, header, ended, data, oversized, taken });

impl ReassemblySnapshot {
    pub(crate) fn check(&self, tracker: &TrackerSnapshot, inbound: u16) -> Result<(), Contradiction> {
        let mut free = 0;
        for (first, run) in &self.runs {
            let RunSnapshot { next, header, ended, data, oversized, taken } = run;
            ensure(free <= *first && first < next, "fragments that lie over each other")?;
            free = *next;
            ensure(tracker.has(*first, next.saturating_sub(1)), "a fragment that did not arrive")?;
            ensure(!(header.begin && *ended), "a whole message among fragments")?;
            ensure(header.begin || !taken, "the middle of a message given out")?;
            let len = data.len() as u64;
            let sound = if *oversized { len == 0 } else { *taken || len >= next.saturating_sub(*first) };
            ensure(sound, "the bytes of a fragment")?;
            ensure(header.stream.0 < inbound, "a fragment of a stream that does not exist")?;
        }
        Ok(())
    }

    pub(crate) fn payload(&self) -> usize {
        self.runs.iter().fold(0, |sum, (_, run)| sum.saturating_add(run.data.len()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

impl Reassembly {
    pub(crate) fn snapshot(&self) -> ReassemblySnapshot {
        let Self { runs, max_message_size: _, usual: _, payload: _, capacity: _, fronts: _ } = self;
        ReassemblySnapshot { runs: runs.iter().map(|(first, run)| (*first, run.snapshot())).collect() }
    }

    /// `streamed` are the streams received in pieces.
    pub(crate) fn restore(
        snapshot: ReassemblySnapshot,
        max_message_size: usize,
        streamed: impl Iterator<Item = StreamId>,
    ) -> Self {
        let ReassemblySnapshot { runs } = snapshot;
        let mut reassembly = Self::new(max_message_size);
        for (first, run) in runs {
            let run = Run::restore(run);
            reassembly.charge(&run);
            reassembly.runs.insert(first, run);
        }
        for stream in streamed {
            reassembly.stream_pieces(stream);
        }
        reassembly
    }
}

impl Run {
    fn snapshot(&self) -> RunSnapshot {
        let Self { next, header, ended, data, oversized, taken } = self;
        RunSnapshot {
            next: *next,
            header: *header,
            ended: *ended,
            data: Bytes::copy_from_slice(data),
            oversized: *oversized,
            taken: *taken,
        }
    }

    fn restore(snapshot: RunSnapshot) -> Self {
        let RunSnapshot { next, header, ended, data, oversized, taken } = snapshot;
        Self { next, header, ended, data: data.into(), oversized, taken }
    }
}
