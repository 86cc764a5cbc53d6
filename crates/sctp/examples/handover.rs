//! An association moves in the midst of a transfer: its state leaves one place as bytes and goes on in another, while data
//! is in flight, queued and half received. In memory and in virtual time, over a path with delay and loss.
//!
//! ```text
//! cargo run -p peerlane-sctp --example handover
//! ```
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program, not a library")]

use bytes::Bytes;
use sctp::{Association, Config, Handover, Message, Ppid, SendError, SendOptions, StreamId};
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

const MESSAGE: usize = 20_000;
const COUNT: u32 = 100;
const DELAY: Duration = Duration::from_millis(20);
/// The sender moves after this many messages have arrived, the receiver after twice as many.
const MOVES_AFTER: usize = 25;

fn main() -> Result<(), Box<dyn Error>> {
    let begin = Instant::now();
    let mut now = begin;
    let config = Arc::new(Config::default());
    let make = || Association::new(Arc::clone(&config), begin, crypto::rustcrypto::os_random());
    let mut ends = [make(), make()];
    for end in &mut ends {
        end.connect(now);
    }

    let mut sent = 0;
    let mut received = Vec::new();
    let mut path = Path::default();
    let mut moves = vec![(2 * MOVES_AFTER, 1), (MOVES_AFTER, 0)];
    while received.len() < COUNT as usize {
        feed(&mut ends[0], now, &mut sent)?;
        path.carry(&mut ends, now);
        if moves.last().is_some_and(|(after, _)| received.len() >= *after)
            && let Some((_, side)) = moves.pop()
        {
            let [one, other] = ends;
            // The new place has a random generator, a configuration and a clock of its own.
            let later = now + Duration::from_millis(3);
            ends = match side {
                0 => [relocate(one, now, later, &config)?, other],
                _ => [one, relocate(other, now, later, &config)?],
            };
            now = later;
            path.carry(&mut ends, now);
        }
        while let Some((_, message)) = ends[1].recv() {
            received.push(message.payload);
        }
        // Time goes on to the next thing that happens.
        let timeouts = ends.iter().filter_map(Association::poll_timeout);
        now = path.next().into_iter().chain(timeouts).min().ok_or("nothing left to happen")?.max(now);
        path.deliver(&mut ends, now);
        for end in &mut ends {
            end.handle_timeout(now);
        }
    }
    let expected: Vec<_> = (0..COUNT).map(payload).collect();
    assert_eq!(received, expected, "every message, once, in order");
    println!("{COUNT} messages of {MESSAGE} bytes, every one once and in order, although both ends moved");
    println!("{} packets, {} chunks repeated", ends[0].stats().packets_sent, ends[0].stats().retransmissions);
    Ok(())
}

/// From one place to the other: all that crosses are the bytes.
fn relocate(
    end: Association,
    now: Instant,
    later: Instant,
    config: &Arc<Config>,
) -> Result<Association, Box<dyn Error>> {
    let (outstanding, held) = (end.outstanding(), end.stats().receive_held);
    let mut bytes = Vec::new();
    end.hand_over(now)?.to_bytes(&mut bytes);
    println!("moves as {} bytes: {outstanding} in flight, {held} held for the application", bytes.len());

    let handover = Handover::from_bytes(&bytes)?;
    let resumed = Association::resume(Arc::clone(config), later, crypto::rustcrypto::os_random(), handover)?;
    assert_eq!(resumed.outstanding(), outstanding, "what was in flight is in flight");
    Ok(resumed)
}

fn payload(number: u32) -> Bytes {
    let number = number.to_be_bytes();
    (0..MESSAGE).map(|index| number[index % 4] ^ (index / 4 % 251) as u8).collect::<Vec<_>>().into()
}

/// Hands over messages until the send buffer is full.
fn feed(end: &mut Association, now: Instant, sent: &mut u32) -> Result<(), SendError> {
    while *sent < COUNT {
        let message = Message { ppid: Ppid(53), payload: payload(*sent) };
        match end.send(now, StreamId(1), message, SendOptions::new()) {
            Ok(()) => *sent += 1,
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
