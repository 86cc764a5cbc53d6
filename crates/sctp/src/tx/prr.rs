//! Proportional rate reduction: how much may go while losses are repaired (RFC 6937).

/// One recovery, in bytes of user data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prr {
    /// The window after it.
    threshold: usize,
    /// `RecoverFS`: in flight when it began.
    in_flight: usize,
    /// `prr_delivered` and `prr_out`.
    delivered: usize,
    sent: usize,
    /// What may go now (`sndcnt`); a packet may exceed it.
    allowance: usize,
}

impl Prr {
    /// `packet_len` may go at once: the first repetition waits for nothing (RFC 9260 §7.2.4, step 3).
    pub(super) fn new(threshold: usize, in_flight: usize, packet_len: usize) -> Self {
        Self { threshold, in_flight: in_flight.max(1), delivered: 0, sent: 0, allowance: packet_len }
    }

    /// `delivered` bytes arrived, and so many are in flight now. `more_lost` says that more was found lost with them.
    pub(super) fn on_ack(&mut self, delivered: usize, in_flight: usize, more_lost: bool, packet_len: usize) {
        self.delivered += delivered;
        let banked = self.delivered.saturating_sub(self.sent);
        self.allowance = if in_flight > self.threshold {
            let due = (self.delivered as u128 * self.threshold as u128).div_ceil(self.in_flight as u128);
            usize::try_from(due).unwrap_or(usize::MAX).saturating_sub(self.sent)
        } else {
            // Slow start up to the threshold as long as nothing else is lost (PRR-SSRB), else packet for packet.
            let limit = if more_lost { banked } else { banked.max(delivered) + packet_len };
            limit.min(self.threshold - in_flight)
        };
        if self.sent == 0 {
            self.allowance = self.allowance.max(packet_len);
        }
    }

    pub(super) fn on_sent(&mut self, bytes: usize) {
        self.sent += bytes;
        self.allowance = self.allowance.saturating_sub(bytes);
    }

    pub(super) fn is_open(&self) -> bool {
        self.allowance > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends packets of one byte for as long as it may; gives how many.
    fn send(prr: &mut Prr, in_flight: &mut usize) -> usize {
        let mut sent = 0;
        while prr.is_open() {
            prr.on_sent(1);
            *in_flight += 1;
            sent += 1;
        }
        sent
    }

    /// RFC 6937 §3.1, first example: packet 0 of 20 is lost; the rate is halved over the round trip, without silence.
    #[test]
    fn rfc6937_3_1_one_loss() {
        // Two more were sent with the first two acknowledgements, and the third finds the loss.
        let mut in_flight = 20 - 1 - 1 + 2 - 2;
        let mut prr = Prr::new(10, 20, 1);
        let mut pattern = Vec::new();
        for _ in 3..=19 {
            in_flight -= 1;
            prr.on_ack(1, in_flight, false, 1);
            pattern.push(send(&mut prr, &mut in_flight));
        }
        assert_eq!(pattern.iter().sum::<usize>(), 9, "{pattern:?}");
        assert_eq!(pattern[..8], [1, 0, 1, 0, 1, 0, 1, 0]);
        assert_eq!(in_flight, 10);
    }

    /// RFC 6937 §3.1, second example: 15 of 20 are lost; it sends two packets for each that arrives.
    #[test]
    fn rfc6937_3_1_a_burst_of_losses() {
        let mut in_flight = 5;
        let mut prr = Prr::new(10, 20, 1);
        let mut pattern = Vec::new();
        for _ in 0..3 {
            in_flight -= 1;
            prr.on_ack(1, in_flight, false, 1);
            pattern.push(send(&mut prr, &mut in_flight));
        }
        assert_eq!(pattern, [2, 2, 2]);
        prr.on_ack(1, in_flight - 1, true, 1);
        assert!(!prr.is_open(), "packet for packet while more is lost");
    }
}
