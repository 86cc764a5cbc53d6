//! An association as the test kit sees it.

use sctp::{Association, Config, Event, Message, Order, Ppid, Reliability, SendOptions, StreamId};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::{Machine, Seed, fuzz::reached};

pub(crate) struct End {
    pub(crate) association: Association,
    closes: u32,
}

impl Machine for End {
    type Path = ();
    type Event = Event;

    fn handle_datagram(&mut self, now: Instant, (): (), datagram: &mut [u8]) {
        self.association.handle_packet(now, datagram);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.association.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<((), NonZeroUsize)> {
        let promised = self.association.next_len(now);
        let len = self.association.poll_transmit(now, out);
        assert!(promised.is_none() || promised == len.map(NonZeroUsize::get), "next_len");
        len.map(|len| ((), len))
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.association.poll_event()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.association.poll_timeout()
    }

    fn command(&mut self, now: Instant, choice: u64) {
        let stream = StreamId((choice >> 8) as u16 % 4);
        match choice % 8 {
            0 => {
                if self.association.recv().is_some() {
                    reached("message");
                }
            }
            1 => {
                let _ = self.association.recv_from(stream);
            }
            2 => {
                let _ = self.association.reset_stream(now, stream);
            }
            3 => self.association.set_max_packet_len((choice >> 16) as usize % 3_000),
            _ => {
                let reliability = match (choice >> 4) % 3 {
                    0 => Reliability::Reliable,
                    1 => Reliability::MaxRetransmits(1),
                    _ => Reliability::MaxLifetime(Duration::from_millis(50)),
                };
                let order = if choice & 0x80 == 0 { Order::Ordered } else { Order::Unordered };
                let options = SendOptions::new().with_order(order).with_reliability(reliability);
                let message =
                    Message { ppid: Ppid(1), payload: vec![7; (choice >> 16) as usize % 5_000].into() };
                let _ = self.association.send(now, stream, message, options);
            }
        }
    }

    fn close(&mut self, now: Instant) {
        self.closes += 1;
        if self.closes == 1 {
            self.association.shutdown(now);
        } else {
            self.association.abort(now, "closed twice");
        }
    }

    fn is_ready(&self) -> bool {
        self.association.is_connected()
    }

    fn is_final(event: &Event) -> bool {
        matches!(event, Event::Closed(_))
    }
}

/// Two associations that connect to each other.
pub(crate) fn pair(config: Config, now: Instant, seed: Seed) -> (End, End) {
    let config = Arc::new(config);
    let end = |label| {
        let mut association = Association::new(Arc::clone(&config), now, seed.boxed_random(label));
        association.connect(now);
        End { association, closes: 0 }
    };
    (end("a"), end("b"))
}
