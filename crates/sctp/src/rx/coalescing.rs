//! How many SACKs a batch of packets is worth.
//!
//! A SACK for a batch says all that one for every second packet would (RFC 9260 §6.2), and costs a fraction. But there
//! are senders that answer each SACK with four packets or five (`Max.Burst` of RFC 9260 §16), and wait for the next: to
//! those a single SACK is worth that much, however many packets it acknowledges. So a batch that is no larger than what
//! such a sender would have sent is acknowledged two packets at a time; a larger one shows that the sender is of another
//! kind, until it sends small batches alone.

/// What a sender limited to bursts sends for one SACK, in packets: four (RFC 9260 §16), and room for one that was late
/// or had to be repeated.
const MAX_BURST: u16 = 6;

/// SACKs for one batch, the last one left out.
const MAX_MARKS: u16 = 32;

/// So many batches in a row that bursts could explain, and the sender may be limited to them after all.
const SMALL_BATCHES: u8 = 8;

/// Packets since the last SACK.
#[derive(Debug)]
pub(super) struct Coalescing {
    packets: u16,
    /// What was the cumulative TSN after every second packet.
    marks: Vec<u64>,
    /// SACKs written for this batch, one for each mark in turn.
    written: u16,
    /// As many packets a sender that is limited to bursts may have sent for the last batch's.
    burst: u16,
    /// Batches until the sender counts as limited to bursts, after one that was larger.
    free: u8,
}

impl Coalescing {
    pub(super) fn new() -> Self {
        Self { packets: 0, marks: Vec::new(), written: 0, burst: MAX_BURST, free: 0 }
    }

    /// A packet with data was handled; `cumulative` is the TSN up to which everything is there, if that is all there is.
    pub(super) fn on_packet(&mut self, cumulative: Option<u64>) {
        self.packets = self.packets.saturating_add(1);
        if self.packets > self.burst || self.free > 0 {
            self.marks.clear();
        } else if let Some(cumulative) = cumulative
            && self.packets.is_multiple_of(2)
            && self.marks.len() < usize::from(MAX_MARKS)
        {
            self.marks.push(cumulative);
        }
    }

    /// What the next SACK acknowledges, of those before the last one; `cumulative` is for that.
    pub(super) fn next(&mut self, cumulative: u64) -> Option<u64> {
        let mark = self.marks.get(usize::from(self.written)).filter(|mark| **mark < cumulative).copied()?;
        self.written = self.written.saturating_add(1);
        Some(mark)
    }

    /// The last one is written.
    pub(super) fn finish(&mut self) {
        self.free = if self.packets > self.burst { SMALL_BATCHES } else { self.free.saturating_sub(1) };
        self.burst = MAX_BURST.saturating_mul(self.written.saturating_add(1));
        self.packets = 0;
        self.written = 0;
        self.marks.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes in packets up to `last`; gives what the SACKs acknowledge.
    fn batch(coalescing: &mut Coalescing, next: &mut u64, packets: u64) -> Vec<u64> {
        for _ in 0..packets {
            *next += 1;
            coalescing.on_packet(Some(*next));
        }
        let mut acknowledged: Vec<_> = std::iter::from_fn(|| coalescing.next(*next)).collect();
        coalescing.finish();
        acknowledged.push(*next);
        acknowledged
    }

    /// RFC 9260 §6.1, D: a sender with bursts of four gets from four packets to eighteen in three batches, instead of
    /// staying at four.
    #[test]
    fn rfc9260_6_1_d_a_sender_limited_to_bursts_gets_a_sack_for_two_packets() {
        let (mut coalescing, mut tsn) = (Coalescing::new(), 0);
        assert_eq!(batch(&mut coalescing, &mut tsn, 4), [2, 4]);
        assert_eq!(batch(&mut coalescing, &mut tsn, 8), [6, 8, 10, 12]);
        assert_eq!(batch(&mut coalescing, &mut tsn, 16), [14, 16, 18, 20, 22, 24, 26, 28]);
        assert_eq!(batch(&mut coalescing, &mut tsn, 32).len(), 16);
        assert_eq!(batch(&mut coalescing, &mut tsn, 80).len(), 33, "bounded");
    }

    #[test]
    fn a_batch_larger_than_such_bursts_gets_one() {
        let (mut coalescing, mut tsn) = (Coalescing::new(), 0);
        assert_eq!(batch(&mut coalescing, &mut tsn, 7), [7]);
        assert_eq!(batch(&mut coalescing, &mut tsn, 1), [8]);
        assert_eq!(batch(&mut coalescing, &mut tsn, 6), [14]);
        assert_eq!(batch(&mut coalescing, &mut tsn, 16), [30]);
        assert_eq!(batch(&mut coalescing, &mut tsn, 2), [32]);
    }

    /// What was taken for another kind of sender because its packets waited somewhere on the way is so for a while only.
    #[test]
    fn a_sender_of_small_batches_may_be_limited_after_all() {
        let (mut coalescing, mut tsn) = (Coalescing::new(), 0);
        batch(&mut coalescing, &mut tsn, 16);
        for _ in 0..SMALL_BATCHES {
            assert_eq!(batch(&mut coalescing, &mut tsn, 4).len(), 1);
        }
        assert_eq!(batch(&mut coalescing, &mut tsn, 4).len(), 2);
    }
}
