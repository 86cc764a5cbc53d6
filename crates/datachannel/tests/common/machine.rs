//! Channels as the test kit sees them.

use datachannel::{
    ChannelInit, ChannelKey, Channels, Config, Delivery, End as Ending, Event, Kind, MessageId, Payload,
    Piece, Role, SendOptions,
};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;
use testkit::{Machine, Seed, fuzz::reached};

pub(crate) struct End {
    pub(crate) channels: Channels,
    keys: Vec<ChannelKey>,
    connected: bool,
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
        self.channels.handle_packet(now, datagram);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.channels.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<((), NonZeroUsize)> {
        self.channels.poll_transmit(now, out).map(|len| ((), len))
    }

    fn poll_event(&mut self) -> Option<Event> {
        let event = self.channels.poll_event();
        match event {
            Some(Event::Connected { .. }) => self.connected = true,
            Some(Event::Announced(key)) => self.keys.push(key),
            _ => {}
        }
        event
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.channels.poll_timeout()
    }

    fn command(&mut self, now: Instant, choice: u64) {
        let key = self.keys.get((choice >> 8) as usize % self.keys.len().max(1)).copied();
        match (action(choice), key) {
            (0, _) | (_, None) => self.keys.extend(self.channels.open(now, ChannelInit::new("x"))),
            (1, Some(key)) => self.channels.close(now, key),
            (2 | 3, Some(key)) => {
                if self.channels.recv(now, key).is_some() {
                    reached("message");
                }
            }
            (8, Some(key)) => {
                let end = if choice & 0x3_0000 == 0 { Ending::Last } else { Ending::More };
                let data = vec![9; (choice >> 20) as usize % 3_000].into();
                let options = SendOptions::new().with_tracking(MessageId(choice));
                let _ = self.channels.send_piece(now, key, Piece { kind: Kind::Binary, data, end }, options);
            }
            (9, Some(key)) => {
                let delivery = if choice & 0x1_0000 == 0 { Delivery::Pieces } else { Delivery::Messages };
                self.channels.set_delivery(now, key, delivery);
            }
            (10, Some(key)) => {
                while self.channels.recv_piece(now, key).is_some() {
                    reached("piece");
                }
            }
            (11, Some(key)) => {
                if choice & 0x1_0000 == 0 {
                    self.channels.flush_pieces(now, key);
                } else {
                    let _ = self.channels.abandon_message(now, key);
                }
            }
            (_, Some(key)) => {
                let payload = Payload::binary(vec![7; (choice >> 16) as usize % 5_000]);
                let _ = self.channels.send(now, key, payload);
            }
        }
    }

    fn close(&mut self, now: Instant) {
        self.closes += 1;
        if self.closes == 1 {
            self.channels.shutdown(now);
        } else {
            self.channels.abort(now, "closed twice");
        }
    }

    fn is_ready(&self) -> bool {
        self.connected
    }

    fn is_final(event: &Event) -> bool {
        matches!(event, Event::AssociationClosed(_))
    }
}

/// Two sides that connect to each other.
pub(crate) fn pair(config: Config, now: Instant, seed: Seed) -> (End, End) {
    let config = Arc::new(config);
    let end = |label, role| {
        let mut channels = Channels::new(Arc::clone(&config), now, seed.boxed_random(label));
        channels.start(now, role);
        End { channels, keys: Vec::new(), connected: false, closes: 0 }
    };
    (end("a", Role::Client), end("b", Role::Server))
}
