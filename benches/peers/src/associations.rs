//! Messages through two SCTP associations in memory, without DTLS or sockets. All parties run in the same loop.

pub mod dcsctp_rs;
pub mod ours;
pub mod sctp_proto_rs;

use crate::{kernel::Timed, machine::thread_time};
use bytes::Bytes;
use std::time::{Duration, Instant};

/// One end of an association.
pub trait End {
    /// Bytes taken and not yet acknowledged or sent, whichever the stack counts.
    fn buffered(&mut self) -> usize;
    fn send(&mut self, now: Instant, message: &Bytes);
    /// Hands over up to so many packets; how many there were.
    fn packets(&mut self, now: Instant, most: usize, deliver: &mut dyn FnMut(&[u8])) -> usize;
    fn handle(&mut self, now: Instant, packet: &[u8]);
    /// Messages that arrived since the last call; each is looked at.
    fn received(&mut self) -> u64;
    /// Does what is due.
    fn timeout(&mut self, now: Instant);
}

/// What may wait in an end: more would only leave the caches.
const ROOM: usize = 128 << 10;
/// Packets before the other end gets to answer, as a driver does.
const BATCH: usize = 16;

/// One piece of work is one message. The ends are connected.
pub fn messages<E: End + 'static>(mut a: E, mut b: E, begin: Instant, bytes: usize) -> Timed {
    let payload = Bytes::from(vec![7; bytes]);
    let mut now = begin;
    Box::new(move |times| {
        let start = thread_time();
        let (mut sent, mut received) = (0, 0);
        while received < times {
            while sent < times && a.buffered() + bytes <= ROOM.max(bytes) {
                a.send(now, &payload);
                sent += 1;
            }
            let there = a.packets(now, BATCH, &mut |packet| b.handle(now, packet));
            let back = b.packets(now, usize::MAX, &mut |packet| a.handle(now, packet));
            received += b.received();
            a.received();
            // A loop that has nothing to carry waits for a timer.
            now += if there + back > 0 { Duration::from_micros(10) } else { Duration::from_millis(5) };
            a.timeout(now);
            b.timeout(now);
        }
        thread_time().saturating_sub(start)
    })
}

/// Carries packets both ways until there are none.
fn settle(now: Instant, a: &mut impl End, b: &mut impl End) {
    loop {
        let there = a.packets(now, usize::MAX, &mut |packet| b.handle(now, packet));
        let back = b.packets(now, usize::MAX, &mut |packet| a.handle(now, packet));
        if there + back == 0 {
            return;
        }
    }
}
