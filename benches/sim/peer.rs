//! A session as a node of the network: with an application that reads everything and sends what it is told to.

use peerconnection::{
    ChannelKey, Datagram, Session, SessionEvent, TransceiverId,
    bytes::BytesMut,
    datachannel::Payload,
    media::{EncodedFrame, MediaTime},
    stun::net::{FiveTuple, Transmit},
};
use std::{
    num::NonZeroUsize,
    time::{Duration, Instant},
};
use testkit::Node;

/// What the operating system keeps for a program that does not read: Linux's default receive buffer.
const SOCKET_BUFFER: usize = 212_992;
/// What each datagram takes of it beside its payload.
const SOCKET_OVERHEAD: usize = 768;

/// What the application of a side sends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Load {
    /// Messages of this many bytes, as fast as they are taken, up to this many in all.
    Bulk { size: usize, count: u64 },
    /// A message of this many bytes each time.
    Messages { size: usize, every: Duration },
    /// A frame of one packet of sound each time.
    Sound { every: Duration },
    /// A frame of one packet of pictures each time.
    Pictures { every: Duration },
}

/// A numbered thing that arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) at: Instant,
    pub(crate) number: u64,
    pub(crate) len: usize,
}

#[derive(Debug)]
struct Ticker {
    load: Load,
    next: Instant,
    every: Duration,
    number: u64,
}

#[derive(Debug)]
struct Bulk {
    size: usize,
    left: u64,
    number: u64,
    waiting: Option<Payload>,
}

#[derive(Debug)]
enum Life {
    Running,
    /// The process does not run; its socket still receives.
    Suspended {
        held: Vec<(FiveTuple, Vec<u8>)>,
        bytes: usize,
    },
    Killed,
}

/// One side of a call.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) session: Session,
    pub(crate) events: Vec<(Instant, SessionEvent)>,
    /// The channel of the call, once there is one.
    pub(crate) channel: Option<ChannelKey>,
    pub(crate) media: Option<TransceiverId>,
    pub(crate) messages: Vec<Arrival>,
    pub(crate) packets: Vec<Arrival>,
    /// When each packet of media was sent, by its number.
    pub(crate) packets_sent: Vec<Instant>,
    /// Messages that were taken to be sent.
    pub(crate) messages_sent: u64,
    tickers: Vec<Ticker>,
    bulk: Option<Bulk>,
    life: Life,
}

impl Peer {
    pub(crate) fn new(session: Session) -> Self {
        Self {
            session,
            events: Vec::new(),
            channel: None,
            media: None,
            messages: Vec::new(),
            packets: Vec::new(),
            packets_sent: Vec::new(),
            messages_sent: 0,
            tickers: Vec::new(),
            bulk: None,
            life: Life::Running,
        }
    }

    pub(crate) fn start_load(&mut self, now: Instant, load: Load) {
        let every = match load {
            Load::Bulk { size, count } => {
                self.bulk = Some(Bulk { size, left: count, number: 0, waiting: None });
                return;
            }
            Load::Messages { every, .. } | Load::Sound { every } | Load::Pictures { every } => every,
        };
        self.tickers.push(Ticker { load, next: now + every, every, number: 0 });
    }

    pub(crate) fn stop_loads(&mut self) {
        self.tickers.clear();
        self.bulk = None;
    }

    /// The process stops; what arrives waits in its socket, as far as there is room.
    pub(crate) fn suspend(&mut self) {
        self.life = Life::Suspended { held: Vec::new(), bytes: 0 };
    }

    /// The process goes on and gets everything at once.
    pub(crate) fn resume(&mut self, now: Instant) {
        if let Life::Suspended { held, .. } = std::mem::replace(&mut self.life, Life::Running) {
            for (path, datagram) in held {
                self.hand_over(now, path, &datagram);
            }
            for ticker in &mut self.tickers {
                ticker.next = ticker.next.max(now + ticker.every);
            }
            self.session.handle_timeout(now);
        }
    }

    /// The process is gone without a word.
    pub(crate) fn kill(&mut self) {
        self.life = Life::Killed;
    }

    /// The longest time without a packet of media in a span.
    pub(crate) fn longest_gap(&self, from: Instant, until: Instant) -> Duration {
        let inside = self.packets.iter().map(|packet| packet.at).filter(|at| (from..=until).contains(at));
        let mut last = from;
        let mut longest = Duration::ZERO;
        for at in inside.chain([until]) {
            longest = longest.max(at.saturating_duration_since(last));
            last = at;
        }
        longest
    }

    /// Why the messages are not exactly the first so many, each once and in order; `None` if they are.
    pub(crate) fn disorder(&self) -> Option<String> {
        let wrong = self.messages.iter().zip(0..).find(|(message, number)| message.number != *number);
        wrong.map(|(message, number)| format!("message {} came in place of {number}", message.number))
    }

    fn hand_over(&mut self, now: Instant, path: FiveTuple, datagram: &[u8]) {
        let payload = BytesMut::from(datagram);
        self.session.handle_datagram(now, Datagram { path, ecn: None, arrival: now, payload });
    }

    /// What an application does in each turn: fetch, read, send.
    fn work(&mut self, now: Instant) {
        while let Some(event) = self.session.poll_event() {
            if let SessionEvent::DataChannel(announced) = &event {
                self.channel = Some(announced.channel);
            }
            self.events.push((now, event));
        }
        if let Some(key) = self.channel {
            while let Some(message) = self.session.recv_data(now, key) {
                let (number, len) = (number_in(&message.data), message.data.len());
                self.messages.push(Arrival { at: now, number, len });
            }
        }
        if let Some(id) = self.media {
            while let Some(received) = self.session.recv_packet(id) {
                let payload = &received.packet.payload;
                let (number, len) = (number_in(payload), payload.len());
                self.packets.push(Arrival { at: received.arrived, number, len });
            }
        }
        self.fill(now);
    }

    fn fill(&mut self, now: Instant) {
        let (Some(bulk), Some(key)) = (&mut self.bulk, self.channel) else { return };
        while bulk.left > 0 {
            let message = bulk.waiting.take().unwrap_or_else(|| message(bulk.size, bulk.number));
            match self.session.send_data(now, key, message) {
                Ok(()) => {
                    bulk.number += 1;
                    bulk.left -= 1;
                    self.messages_sent += 1;
                }
                Err(refused) => {
                    bulk.waiting = refused;
                    return;
                }
            }
        }
    }

    fn tick(&mut self, now: Instant) {
        for place in 0..self.tickers.len() {
            let Some(ticker) = self.tickers.get_mut(place).filter(|ticker| ticker.next <= now) else {
                continue;
            };
            ticker.next = now + ticker.every;
            let (load, number) = (ticker.load, ticker.number);
            if self.emit(now, load, number)
                && let Some(ticker) = self.tickers.get_mut(place)
            {
                ticker.number += 1;
            }
        }
    }

    /// Whether it was taken.
    fn emit(&mut self, now: Instant, load: Load, number: u64) -> bool {
        let (frame, rate) = match load {
            Load::Bulk { .. } => return false,
            Load::Messages { size, .. } => {
                let Some(key) = self.channel else { return false };
                let taken = self.session.send_data(now, key, message(size, number)).is_ok();
                self.messages_sent += u64::from(taken);
                return taken;
            }
            Load::Sound { every } => (sound(number), 48_000 * every.as_micros() as u64 / 1_000_000),
            Load::Pictures { every } => (picture(number), 90_000 * every.as_micros() as u64 / 1_000_000),
        };
        let Some(id) = self.media else { return false };
        let frame = EncodedFrame::new(frame.into(), MediaTime(number * rate), now);
        let taken = self.session.send_frame(now, id, frame).is_ok();
        if taken {
            self.packets_sent.push(now);
        }
        taken
    }
}

impl Node for Peer {
    fn on_datagram(&mut self, now: Instant, path: FiveTuple, datagram: &mut [u8]) {
        match &mut self.life {
            Life::Running => self.hand_over(now, path, datagram),
            Life::Suspended { held, bytes } => {
                let size = datagram.len() + SOCKET_OVERHEAD;
                if *bytes + size <= SOCKET_BUFFER {
                    *bytes += size;
                    held.push((path, datagram.to_vec()));
                }
            }
            Life::Killed => {}
        }
    }

    fn on_timeout(&mut self, now: Instant) {
        if self.session.poll_timeout().is_some_and(|at| at <= now) {
            self.session.handle_timeout(now);
        }
        self.tick(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        if !matches!(self.life, Life::Running) {
            return None;
        }
        self.work(now);
        self.session.poll_transmit(now, NonZeroUsize::MIN, out)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        if !matches!(self.life, Life::Running) {
            return None;
        }
        let tick = self.tickers.iter().map(|ticker| ticker.next).min();
        self.session.poll_timeout().into_iter().chain(tick).min()
    }
}

/// A message that ends with its number.
fn message(size: usize, number: u64) -> Payload {
    Payload::binary(numbered(vec![0; size], number))
}

/// A VP8 frame (RFC 6386 §9.1) that fits a packet and ends with its number. Every hundredth is a key frame.
fn picture(number: u64) -> Vec<u8> {
    let mut frame = match number.is_multiple_of(100) {
        true => vec![0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00],
        false => vec![0x11, 0x02, 0x00],
    };
    frame.resize(900, 0);
    numbered(frame, number)
}

/// An Opus packet of one frame of 20 ms (RFC 6716 §3.1) that ends with its number.
fn sound(number: u64) -> Vec<u8> {
    let mut packet = vec![0; 80];
    if let Some(first) = packet.first_mut() {
        *first = 0x78;
    }
    numbered(packet, number)
}

fn numbered(mut bytes: Vec<u8>, number: u64) -> Vec<u8> {
    let place = bytes.len().saturating_sub(8);
    bytes.truncate(place);
    bytes.extend(number.to_be_bytes());
    bytes
}

fn number_in(bytes: &[u8]) -> u64 {
    bytes.last_chunk().map_or(u64::MAX, |number| u64::from_be_bytes(*number))
}
