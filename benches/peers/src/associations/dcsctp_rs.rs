//! dcsctp 0.1, with default settings. It has no clock of its own: time is how long a socket is there.

use super::{End, settle};
use crate::kernel::Timed;
use bytes::Bytes;
use dcsctp::api::{
    DcSctpSocket, Message, Options, PpId, SendOptions, SocketEvent, SocketState, SocketTime, StreamId,
};
use std::{collections::VecDeque, hint::black_box, time::Instant};

const STREAM: StreamId = StreamId(1);

struct Dcsctp {
    socket: Box<dyn DcSctpSocket>,
    begin: Instant,
    out: VecDeque<Vec<u8>>,
}

impl Dcsctp {
    fn new(name: &str, now: Instant) -> Self {
        Self { socket: dcsctp::new_socket(name, &Options::default()), begin: now, out: VecDeque::new() }
    }

    fn time(&self, now: Instant) -> SocketTime {
        SocketTime::zero() + now.saturating_duration_since(self.begin)
    }

    fn events(&mut self) {
        while let Some(event) = self.socket.poll_event() {
            if let SocketEvent::SendPacket(packet) = event {
                self.out.push_back(packet);
            }
        }
    }
}

impl End for Dcsctp {
    fn buffered(&mut self) -> usize {
        self.socket.buffered_amount(STREAM)
    }

    fn send(&mut self, _now: Instant, message: &Bytes) {
        let message = Message::new(STREAM, PpId(53), message.to_vec());
        self.socket.send(message, &SendOptions::default()).expect("room");
    }

    fn packets(&mut self, _now: Instant, most: usize, deliver: &mut dyn FnMut(&[u8])) -> usize {
        self.events();
        let count = self.out.len().min(most);
        for packet in self.out.drain(..count) {
            deliver(&packet);
        }
        count
    }

    fn handle(&mut self, _now: Instant, packet: &[u8]) {
        self.socket.handle_input(packet);
    }

    fn received(&mut self) -> u64 {
        let mut count = 0;
        while let Some(message) = self.socket.get_next_message() {
            black_box(&message);
            count += 1;
        }
        count
    }

    fn timeout(&mut self, now: Instant) {
        let time = self.time(now);
        if self.socket.poll_timeout() <= time {
            self.socket.advance_time(time);
        }
    }
}

pub fn messages(bytes: usize) -> Timed {
    let now = Instant::now();
    let (mut a, mut b) = (Dcsctp::new("a", now), Dcsctp::new("b", now));
    a.socket.connect();
    settle(now, &mut a, &mut b);
    assert!(a.socket.state() == SocketState::Connected, "the associations connect");
    super::messages(a, b, now, bytes)
}
