//! Our end.

use crate::end::{End, Fact, MAX_MESSAGE, MAX_PACKET, Mode, PPID, Received, Reliability, Sent, Settings};
use sctp::{
    Association, CloseReason, Config, Direction, Event, Message, Order, Ppid, ResetOutcome, SendError,
    SendOptions, StreamId,
};
use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

/// The start of the program, where virtual time begins.
#[expect(clippy::disallowed_methods, reason = "virtual time begins somewhere")]
pub(crate) static BASE: LazyLock<Instant> = LazyLock::new(Instant::now);

pub(crate) struct Ours {
    pub(crate) association: Association,
}

impl Ours {
    pub(crate) fn new(settings: Settings, now: Duration) -> Self {
        let config = Config::default()
            .with_max_packet_len(MAX_PACKET)
            .with_max_message_size(MAX_MESSAGE)
            .with_receive_buffer(settings.receive_window);
        let random = Box::new(Random(settings.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1));
        Self { association: Association::new(Arc::new(config), *BASE + now, random) }
    }
}

impl End for Ours {
    fn connect(&mut self, now: Duration) {
        self.association.connect(*BASE + now);
    }

    fn send(&mut self, now: Duration, stream: u16, payload: &[u8], mode: Mode) -> Sent {
        let order = if mode.ordered { Order::Ordered } else { Order::Unordered };
        let reliability = match mode.reliability {
            Reliability::Reliable => sctp::Reliability::Reliable,
            Reliability::Retransmits(times) => sctp::Reliability::MaxRetransmits(times),
            Reliability::Lifetime(time) => sctp::Reliability::MaxLifetime(time),
        };
        let options = SendOptions::new().with_order(order).with_reliability(reliability);
        let message = Message { ppid: Ppid(PPID), payload: payload.to_vec().into() };
        match self.association.send(*BASE + now, StreamId(stream), message, options) {
            Ok(()) => Sent::Taken,
            Err(SendError::WouldBlock(_) | SendError::Resetting) => Sent::Full,
            Err(error) => Sent::Refused(error.to_string()),
        }
    }

    fn recv(&mut self, _now: Duration) -> Option<Received> {
        let (stream, message) = self.association.recv()?;
        Some(Received { stream: stream.0, ppid: message.ppid.0, payload: message.payload.to_vec() })
    }

    fn handle_packet(&mut self, now: Duration, packet: &[u8]) {
        self.association.handle_packet(*BASE + now, packet);
    }

    fn poll_packet(&mut self, now: Duration) -> Option<Vec<u8>> {
        let mut packet = Vec::new();
        let promised = self.association.next_len(*BASE + now);
        let len = self.association.poll_transmit(*BASE + now, &mut packet)?.get();
        assert!(promised.is_none_or(|promised| promised == len), "{promised:?} promised, {len} written");
        Some(packet)
    }

    fn handle_timeout(&mut self, now: Duration) {
        self.association.handle_timeout(*BASE + now);
    }

    fn poll_timeout(&self) -> Option<Duration> {
        self.association.poll_timeout().map(|at| at.saturating_duration_since(*BASE))
    }

    fn poll_fact(&mut self, _now: Duration) -> Option<Fact> {
        loop {
            return Some(match self.association.poll_event()? {
                Event::Connected { .. } => Fact::Connected,
                Event::Restarted => Fact::Restarted,
                Event::Closed(reason) => {
                    Fact::Closed { gracefully: reason == CloseReason::Shutdown, why: format!("{reason:?}") }
                }
                Event::StreamReset { stream, outcome: ResetOutcome::Performed, direction } => match direction
                {
                    Direction::Incoming => Fact::IncomingReset(stream.0),
                    Direction::Outgoing => Fact::OutgoingReset(stream.0),
                },
                event @ (Event::StreamReset { .. } | Event::MessageTooLarge(_)) => {
                    Fact::Remark(format!("{event:?}"))
                }
                _ => continue,
            });
        }
    }

    fn reset(&mut self, now: Duration, stream: u16) -> Result<(), String> {
        self.association.reset_stream(*BASE + now, StreamId(stream)).map_err(|error| error.to_string())
    }

    fn shutdown(&mut self, now: Duration) {
        self.association.shutdown(*BASE + now);
    }

    fn abort(&mut self, now: Duration) {
        self.association.abort(*BASE + now, "enough");
    }
}

/// One number gives one run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Whether something of this probability, in percent, happens.
    pub(crate) fn chance(&mut self, percent: f64) -> bool {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64 * 100.0 < percent
    }
}

impl crypto::Random for Random {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            *byte = (self.next() >> 32) as u8;
        }
    }
}
