//! HEARTBEAT (RFC 9260 §8.3).

use crate::association::Association;
use crate::chunk;
use crate::packet;
use crate::state::{State, Timer};
use crate::tlv::{self, Tlv};
use std::time::{Duration, Instant};

/// The parameter that carries what the sender wants back.
const HEARTBEAT_INFO: [u8; 4] = [0, 1, 0, 12];

/// Answers owed at once; more than this in one go nobody needs.
const MAX_ANSWERS: usize = 4;

/// The probe in flight.
#[derive(Debug, Default)]
pub(crate) struct Heartbeat {
    sent: Option<([u8; 8], Instant)>,
}

impl Association {
    pub(crate) fn on_heartbeat(&mut self, heartbeat: &Tlv<'_>) {
        // T-C07: the answer is as long as the question, so a question that fills more than a packet gets none.
        //= rfc9260 §12.4
        //# the sender of the response chunk(s) MUST NOT send more than one packet containing chunks other than DATA chunks.
        let owed: usize = self.pending.heartbeat_acks.iter().map(|value| tlv::padded(value.len())).sum();
        let owed = owed + chunk::HEADER_LEN * self.pending.heartbeat_acks.len();
        let fits = packet::HEADER_LEN + owed + heartbeat.whole.len() <= self.max_packet_len;
        //= rfc9260 §8.3
        //# A receiver of a HEARTBEAT chunk MUST respond to a HEARTBEAT chunk with a HEARTBEAT ACK chunk after
        //# entering the COOKIE-ECHOED state
        let may_answer = self.state.is_connected() || matches!(self.state, State::CookieEchoed { .. });
        if !may_answer || !fits || self.pending.heartbeat_acks.len() >= MAX_ANSWERS {
            return;
        }
        //= rfc9260 §3.3.6
        //# An endpoint MUST send this chunk to its peer endpoint as a response to a HEARTBEAT chunk (see Section
        //# 8.3).
        //= rfc9260 §3.3.6
        //# This field MUST contain the Heartbeat Info parameter (as defined in Section 3.3.5) of the Heartbeat
        //# Request to which this Heartbeat Acknowledgement is responding.
        self.pending.heartbeat_acks.push(heartbeat.value.to_vec());
    }

    pub(crate) fn on_heartbeat_ack(&mut self, now: Instant, chunk: &Tlv<'_>) {
        // Only the probe in flight counts: not an older one, not one answered before.
        let answered = self.heartbeat.sent.take_if(|(nonce, _)| {
            chunk
                .value
                .split_at_checked(4)
                .is_some_and(|(head, rest)| head == HEARTBEAT_INFO && rest == nonce)
        });
        if let Some((_, at)) = answered {
            self.sender.rto.observe(now.saturating_duration_since(at));
            self.errors = 0;
            return;
        }
        let nonce = chunk.value.strip_prefix(&HEARTBEAT_INFO).and_then(|nonce| nonce.try_into().ok());
        if let Some(nonce) = nonce {
            self.on_probe_answer(now, nonce);
        }
    }

    /// Sets the timer for the next look at the path.
    pub(crate) fn arm_heartbeat(&mut self, now: Instant) {
        let Some(interval) = self.config.heartbeat_interval else { return };
        // RFC 9260 §8.3: RTO plus HB.interval, with a jitter of half the RTO either way, which keeps many associations
        // of one machine from beating together.
        let rto = self.sender.rto.timeout();
        let jitter = rto.mul_f64(f64::from(self.rng.u32() % 1_000) / 1_000.0);
        self.timers.set(Timer::Heartbeat, now + interval.max(Duration::from_millis(1)) + rto / 2 + jitter);
    }

    pub(crate) fn on_heartbeat_timeout(&mut self, now: Instant) {
        if !self.state.is_connected() {
            return;
        }
        if self.heartbeat.sent.take().is_some() && self.count_error() {
            return;
        }
        self.arm_heartbeat(now);
        // While data is in flight, its acknowledgements say all that a probe would.
        if self.sender.is_all_acked() {
            self.pending.heartbeat = true;
            self.sender.shrink();
            self.receiver.shrink();
        }
    }

    /// The value of the HEARTBEAT that is written now.
    pub(crate) fn heartbeat_value(&mut self, now: Instant) -> [u8; 12] {
        //= rfc9260 §3.3.5
        //# it MUST include a random nonce of length 64 bits or longer
        let nonce = self.rng.bytes::<8>();
        self.heartbeat.sent = Some((nonce, now));
        value_of(nonce)
    }
}

/// The value of a HEARTBEAT that is known by `nonce`.
pub(crate) fn value_of(nonce: [u8; 8]) -> [u8; 12] {
    let mut value = [0; 12];
    for (to, from) in value.iter_mut().zip(HEARTBEAT_INFO.iter().chain(&nonce)) {
        *to = *from;
    }
    value
}
