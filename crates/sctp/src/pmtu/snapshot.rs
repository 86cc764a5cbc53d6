//! What was found of the path MTU, as it moves to another process. Whether it holds on the path from there is asked at
//! once.

use super::{Mode, PathMtu, Phase};
use crate::handover::wire::{Contradiction, Malformed, Wire, ensure, wire_struct};
use crate::path::PathInfo;
use crate::tx::clamp_packet_len;
use base::Reader;
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug)]
pub(crate) struct PathSnapshot {
    info: PathInfo,
    phase: PhaseSnapshot,
    current: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PhaseSnapshot {
    /// The size is known, and no other is searched for.
    Fixed,
    Base,
    Searching(usize),
    /// So long until the next search.
    Complete(Duration),
    /// So long until the next try.
    Error(Duration),
}

wire_struct!(PathSnapshot { info, phase, current });
wire_struct!(PathInfo { base, max, overhead });

impl Wire for PhaseSnapshot {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Fixed => 0_u8.put(out),
            Self::Base => 1_u8.put(out),
            Self::Searching(ceiling) => {
                2_u8.put(out);
                ceiling.put(out);
            }
            Self::Complete(left) => {
                3_u8.put(out);
                left.put(out);
            }
            Self::Error(left) => {
                4_u8.put(out);
                left.put(out);
            }
        }
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        match u8::take(reader)? {
            0 => Ok(Self::Fixed),
            1 => Ok(Self::Base),
            2 => usize::take(reader).map(Self::Searching),
            3 => Duration::take(reader).map(Self::Complete),
            4 => Duration::take(reader).map(Self::Error),
            _ => Err(Malformed),
        }
    }
}

impl PathSnapshot {
    pub(crate) fn check(&self) -> Result<(), Contradiction> {
        let Self { info, phase, current } = self;
        let PathInfo { base, max, overhead } = *info;
        ensure(
            [base, max, *current].into_iter().all(|size| clamp_packet_len(size) == size),
            "a packet size",
        )?;
        ensure(base <= max && overhead <= 1_000, "what is known of the path")?;
        let sound = match phase {
            PhaseSnapshot::Fixed => true,
            PhaseSnapshot::Base => *current == base,
            PhaseSnapshot::Searching(ceiling) => (base..=max).contains(current) && *ceiling <= 1 << 20,
            PhaseSnapshot::Complete(left) => (base..=max).contains(current) && *left <= super::RAISE_TIMER,
            PhaseSnapshot::Error(left) => *current == info.min() && *left <= super::RETRY,
        };
        ensure(sound, "the search for larger packets")
    }
}

impl PathMtu {
    pub(crate) fn snapshot(&self, now: Instant) -> PathSnapshot {
        let Self { info, mode, phase, current, probe: _, pads: _ } = self;
        let left = |at: Instant| at.saturating_duration_since(now);
        let phase = match (mode, *phase) {
            (Mode::Fixed, _) => PhaseSnapshot::Fixed,
            // The search begins with the association, so it has begun.
            (Mode::Search, Phase::Disabled | Phase::Base) => PhaseSnapshot::Base,
            (Mode::Search, Phase::Searching { ceiling }) => PhaseSnapshot::Searching(ceiling),
            (Mode::Search, Phase::SearchComplete { raise_at }) => PhaseSnapshot::Complete(left(raise_at)),
            (Mode::Search, Phase::Error { retry_at }) => PhaseSnapshot::Error(left(retry_at)),
        };
        PathSnapshot { info: *info, phase, current: *current }
    }

    pub(crate) fn restore(snapshot: PathSnapshot, now: Instant, pads: bool) -> Self {
        let PathSnapshot { info, phase, current } = snapshot;
        let (mode, phase) = match phase {
            PhaseSnapshot::Fixed => (Mode::Fixed, Phase::Disabled),
            PhaseSnapshot::Base => (Mode::Search, Phase::Base),
            PhaseSnapshot::Searching(ceiling) => (Mode::Search, Phase::Searching { ceiling }),
            PhaseSnapshot::Complete(left) => (Mode::Search, Phase::SearchComplete { raise_at: now + left }),
            PhaseSnapshot::Error(left) => (Mode::Search, Phase::Error { retry_at: now + left }),
        };
        let mut path = Self { info, mode, phase, current, probe: None, pads };
        match path.phase {
            Phase::Base => path.begin(),
            Phase::Disabled
            | Phase::Searching { .. }
            | Phase::SearchComplete { .. }
            | Phase::Error { .. } => {
                path.doubt();
            }
        }
        path
    }
}
