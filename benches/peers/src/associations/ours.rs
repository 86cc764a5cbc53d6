//! peerlane.

use super::{End, settle};
use crate::{kernel::Timed, measure::Who, ours::provider};
use bytes::Bytes;
use std::{hint::black_box, sync::Arc, time::Instant};

const STREAM: sctp::StreamId = sctp::StreamId(1);

pub struct Ours {
    pub association: sctp::Association,
    out: Vec<u8>,
}

impl End for Ours {
    fn buffered(&mut self) -> usize {
        self.association.buffered(STREAM) as usize
    }

    fn send(&mut self, now: Instant, message: &Bytes) {
        let message = sctp::Message { ppid: sctp::Ppid(53), payload: message.clone() };
        self.association.send(now, STREAM, message, sctp::SendOptions::default()).expect("room");
    }

    fn packets(&mut self, now: Instant, most: usize, deliver: &mut dyn FnMut(&[u8])) -> usize {
        let mut count = 0;
        while count < most {
            self.out.clear();
            if self.association.poll_transmit(now, &mut self.out).is_none() {
                break;
            }
            deliver(&self.out);
            count += 1;
        }
        count
    }

    fn handle(&mut self, now: Instant, packet: &[u8]) {
        self.association.handle_packet(now, packet);
    }

    fn received(&mut self) -> u64 {
        let mut count = 0;
        while let Some(message) = self.association.recv() {
            black_box(&message);
            count += 1;
        }
        while self.association.poll_event().is_some() {}
        count
    }

    fn timeout(&mut self, now: Instant) {
        if self.association.poll_timeout().is_some_and(|due| due <= now) {
            self.association.handle_timeout(now);
        }
    }
}

/// Two ends that are connected.
pub fn pair(now: Instant) -> [Ours; 2] {
    let config = Arc::new(sctp::Config::new(&provider(Who::Ours)).expect("HMAC is there"));
    let end = || Ours {
        association: sctp::Association::new(Arc::clone(&config), now, crypto::os_random()),
        out: Vec::with_capacity(2_048),
    };
    let (mut a, mut b) = (end(), end());
    a.association.connect(now);
    settle(now, &mut a, &mut b);
    assert!(a.association.is_connected() && b.association.is_connected(), "the associations connect");
    [a, b]
}

pub fn messages(bytes: usize) -> Timed {
    let now = Instant::now();
    let [a, b] = pair(now);
    super::messages(a, b, now, bytes)
}
