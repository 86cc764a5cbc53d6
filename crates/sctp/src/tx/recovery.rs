//! Recoveries: from a reduction of the window until something sent after it is acknowledged, and what may show that the
//! reduction was needless.

use super::prr::Prr;

/// Repetitions remembered for the reports of duplicates. A recovery with more than these was no mistake.
const MAX_REPEATS: usize = 64;

/// The last recovery, over or not.
#[derive(Clone, Debug, Default)]
pub(super) struct Recovery {
    /// Packets up to this number belong to the period before the reduction.
    until: u64,
    /// The period is not over.
    active: bool,
    /// The rate while losses are repaired; none after a timeout.
    prr: Option<Prr>,
    /// Chunks counted as lost since it began, and not shown to have arrived; `None` once that is of no interest.
    marked: Option<usize>,
    /// TSNs repeated since then.
    repeats: Vec<u64>,
}

impl Recovery {
    /// Whether a loss of this packet begins a new recovery.
    pub(super) fn is_new(&self, packet: u64) -> bool {
        packet > self.until
    }

    pub(super) fn is_active(&self) -> bool {
        self.active
    }

    /// Begins; `newest` is the last packet sent. After a timeout there is no `prr`.
    pub(super) fn begin(&mut self, newest: u64, prr: Option<Prr>) {
        *self = Self { until: newest, active: true, prr, marked: Some(0), repeats: Vec::new() };
    }

    /// Something in this packet was acknowledged. Tells whether that ends the recovery.
    pub(super) fn on_ack(&mut self, packet: u64) -> bool {
        let ends = self.active && packet > self.until;
        if ends {
            self.active = false;
            self.prr = None;
        }
        ends
    }

    /// Whether the window is reached step by step.
    pub(super) fn is_repairing(&self) -> bool {
        self.prr.is_some()
    }

    pub(super) fn prr(&mut self) -> Option<&mut Prr> {
        self.prr.as_mut()
    }

    /// Chunks were counted as lost.
    pub(super) fn on_marked(&mut self, chunks: usize) {
        if let Some(marked) = &mut self.marked {
            *marked += chunks;
        }
    }

    /// A chunk was repeated.
    pub(super) fn on_repeated(&mut self, tsn: u64) {
        if self.repeats.len() >= MAX_REPEATS {
            self.forget();
        } else if self.marked.is_some() {
            self.repeats.push(tsn);
        }
    }

    /// A repeated chunk arrived before its repetition could, or twice. Tells whether it was one of this recovery.
    pub(super) fn on_needless_repeat(&mut self, tsn: u64) -> bool {
        let Some(at) = self.repeats.iter().position(|repeated| *repeated == tsn) else { return false };
        self.repeats.swap_remove(at);
        self.on_needless(1);
        true
    }

    /// Chunks counted as lost arrived before they were repeated.
    pub(super) fn on_needless(&mut self, chunks: usize) {
        if let Some(marked) = &mut self.marked {
            *marked = marked.saturating_sub(chunks);
        }
    }

    /// Everything counted as lost had arrived; the recovery is over thereby. Says so once.
    pub(super) fn take_needless(&mut self) -> bool {
        let needless = self.marked == Some(0);
        if needless {
            self.forget();
            self.active = false;
            self.prr = None;
        }
        needless
    }

    fn forget(&mut self) {
        self.marked = None;
        self.repeats = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_window_of_loss_is_one_recovery() {
        let mut recovery = Recovery::default();
        assert!(recovery.is_new(5));
        recovery.begin(20, None);
        assert!(!recovery.is_new(20));
        assert!(!recovery.on_ack(20));
        assert!(recovery.is_active());
        assert!(recovery.on_ack(21));
        assert!(!recovery.is_active() && recovery.is_new(21));
    }

    #[test]
    fn it_was_needless_when_everything_arrived() {
        let mut recovery = Recovery::default();
        recovery.begin(20, None);
        recovery.on_marked(3);
        recovery.on_repeated(7);
        recovery.on_repeated(8);
        recovery.on_needless(1);
        assert!(recovery.on_needless_repeat(8));
        assert!(!recovery.on_needless_repeat(8), "once");
        assert!(!recovery.take_needless());
        assert!(recovery.on_needless_repeat(7));
        assert!(recovery.take_needless() && !recovery.is_active());
        assert!(!recovery.take_needless(), "once");
    }
}
