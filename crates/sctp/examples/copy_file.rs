//! Copies a file between two associations in one process, in virtual time, over a path with delay and loss.
//!
//! ```text
//! cargo run -p peerlane-sctp --example copy_file [FILE]
//! ```
//!
//! The file (1 MiB of made-up bytes when none is given) is cut into messages of 64 KiB; the last one carries another
//! payload protocol identifier. It shows back-pressure: the sender goes on when the association says that there is
//! room.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program, not a library")]

use bytes::Bytes;
use sctp::{Association, Config, Message, Ppid, SendError, SendOptions, StreamId};
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

const PIECE: usize = 64 << 10;
const DELAY: Duration = Duration::from_millis(20);
const MORE: Ppid = Ppid(1);
const LAST: Ppid = Ppid(2);

fn main() -> Result<(), Box<dyn Error>> {
    let file: Bytes = match std::env::args().nth(1) {
        Some(path) => std::fs::read(path)?.into(),
        None => (0..1 << 20).map(|index: u32| (index * 7 % 251) as u8).collect::<Vec<_>>().into(),
    };
    let begin = Instant::now();
    let mut now = begin;
    let config = Arc::new(Config::default());
    let make = || Association::new(Arc::clone(&config), begin, crypto::rustcrypto::os_random());
    let mut ends = [make(), make()];
    for end in &mut ends {
        end.connect(now);
    }

    let mut rest = file.clone();
    let mut copy = Vec::with_capacity(file.len());
    let mut path = Path::default();
    loop {
        feed(&mut ends[0], now, &mut rest)?;
        path.carry(&mut ends, now);
        let mut done = false;
        while let Some((_, message)) = ends[1].recv() {
            copy.extend_from_slice(&message.payload);
            done |= message.ppid == LAST;
        }
        if done {
            break;
        }
        // Time goes on to the next thing that happens.
        let timeouts = ends.iter().filter_map(Association::poll_timeout);
        now = path.next().into_iter().chain(timeouts).min().ok_or("nothing left to happen")?;
        path.deliver(&mut ends, now);
        for end in &mut ends {
            end.handle_timeout(now);
        }
    }
    assert_eq!(copy, file, "the copy differs");
    let stats = ends[0].stats();
    println!(
        "{} bytes in {:.2} s of virtual time, {} packets, {} chunks repeated",
        copy.len(),
        (now - begin).as_secs_f64(),
        stats.packets_sent,
        stats.retransmissions
    );
    Ok(())
}

/// Hands over messages until the send buffer is full.
fn feed(end: &mut Association, now: Instant, rest: &mut Bytes) -> Result<(), SendError> {
    while !rest.is_empty() {
        let payload = rest.slice(..rest.len().min(PIECE));
        let len = payload.len();
        let ppid = if len == rest.len() { LAST } else { MORE };
        match end.send(now, StreamId(1), Message { ppid, payload }, SendOptions::new()) {
            Ok(()) => *rest = rest.slice(len..),
            Err(SendError::WouldBlock(_)) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A network that delays every packet and loses every fiftieth.
#[derive(Default)]
struct Path {
    flying: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    count: u64,
}

impl Path {
    fn carry(&mut self, ends: &mut [Association; 2], now: Instant) {
        for (side, end) in ends.iter_mut().enumerate() {
            let mut packet = Vec::new();
            while end.poll_transmit(now, &mut packet).is_some() {
                self.count += 1;
                let packet = std::mem::take(&mut packet);
                if !self.count.is_multiple_of(50) {
                    self.flying.insert((now + DELAY, self.count), (1 - side, packet));
                }
            }
        }
    }

    fn next(&self) -> Option<Instant> {
        self.flying.keys().next().map(|(at, _)| *at)
    }

    fn deliver(&mut self, ends: &mut [Association; 2], now: Instant) {
        while let Some(entry) = self.flying.first_entry().filter(|entry| entry.key().0 <= now) {
            let (to, packet) = entry.remove();
            ends[to].handle_packet(now, &packet);
        }
    }
}
