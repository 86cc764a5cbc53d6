//! An association as the test kit sees it.

use sctp::{
    Association, Config, Delivery, End as Ending, Event, Message, MessageId, Order, Piece, Ppid, Reliability,
    SendOptions, StreamId,
};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::{Machine, Seed, fuzz::reached};

pub(crate) struct End {
    pub(crate) association: Association,
    closes: u32,
}

/// Which action: 0 to 7, or now and then one of 8 to 11.
fn action(choice: u64) -> u64 {
    if (choice >> 29) & 7 == 7 { 8 + choice % 4 } else { choice % 8 }
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
        match action(choice) {
            8 => self.piece(now, stream, choice),
            9 => {
                let delivery = if choice & 0x1_0000 == 0 { Delivery::Pieces } else { Delivery::Messages };
                self.association.set_delivery(stream, delivery);
            }
            10 => {
                while let Some(piece) = self.association.recv_piece(stream) {
                    reached(if piece.end == Ending::GivenUp { "piece given up" } else { "piece" });
                }
            }
            11 => match (choice >> 16) % 4 {
                0 => {
                    let _ = self.association.abandon_message(now, stream);
                }
                1 => self.association.flush_pieces(now, stream),
                2 => self.association.end_message(now, stream),
                _ => self.association.set_weight(stream, (choice >> 20) as u16),
            },
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
                let reliability = match (choice >> 4) % 4 {
                    0 => Reliability::Reliable,
                    1 => Reliability::MaxRetransmits(1),
                    2 => Reliability::Priority((choice >> 8) as u32 & 3),
                    _ => Reliability::MaxLifetime(Duration::from_millis(50)),
                };
                let order = if choice & 0x80 == 0 { Order::Ordered } else { Order::Unordered };
                let options = SendOptions::new().with_order(order).with_reliability(reliability);
                let options = options.with_tracking(MessageId(choice));
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

impl End {
    pub(crate) fn of(association: Association) -> Self {
        Self { association, closes: 0 }
    }

    fn piece(&mut self, now: Instant, stream: StreamId, choice: u64) {
        let end = if choice & 0x3_0000 == 0 { Ending::Last } else { Ending::More };
        let payload = vec![9; (choice >> 20) as usize % 3_000];
        let piece = Piece { ppid: Ppid(2), payload: payload.into(), end };
        let _ = self.association.send_piece(now, stream, piece, SendOptions::new());
    }
}

/// Two associations that connect to each other.
pub(crate) fn pair(config: Config, now: Instant, seed: Seed) -> (End, End) {
    let config = Arc::new(config);
    let end = |label| {
        let mut association = Association::new(Arc::clone(&config), now, seed.boxed_random(label));
        association.connect(now);
        End::of(association)
    };
    (end("a"), end("b"))
}
