//! Two sets of channels in one process: a chat, and a game that prefers fresh news to old.
//!
//! ```text
//! cargo run -p peerlane-datachannel --example two_ends
//! ```
//!
//! Time is virtual; the network loses every tenth packet. The chat arrives complete and in order, of the game's positions
//! some are lost and none is repeated.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program, not a library")]

use datachannel::{ChannelInit, Channels, Config, Event, Order, Payload, Reliability, Role};
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let begin = Instant::now();
    let config = Arc::new(Config::default());
    let make = || Channels::new(Arc::clone(&config), begin, crypto::rustcrypto::os_random());
    let mut world = World { now: begin, ends: [make(), make()], flying: BTreeMap::new(), count: 0 };

    let chat = world.ends[0].open(begin, ChannelInit::new("chat"))?;
    let fresh = ChannelInit::new("positions")
        .with_order(Order::Unordered)
        .with_reliability(Reliability::MaxRetransmits(0));
    let positions = world.ends[0].open(begin, fresh)?;
    world.ends[0].start(begin, Role::Client);
    world.ends[1].start(begin, Role::Server);
    world.run(Duration::from_secs(2));
    while let Some(event) = world.ends[0].poll_event() {
        println!("opener: {event:?}");
    }

    for turn in 0..50 {
        if turn % 10 == 0 {
            world.ends[0].send(world.now, chat, Payload::text(format!("turn {turn}")))?;
        }
        world.ends[0].send(world.now, positions, Payload::binary(vec![turn; 20]))?;
        world.run(Duration::from_millis(50));
    }
    world.ends[0].close(world.now, chat);
    world.run(Duration::from_secs(5));

    let mut seen = Vec::new();
    while let Some(event) = world.ends[1].poll_event() {
        if let Event::Announced(key) = event {
            let label = world.ends[1].init(key).map(|init| init.label().to_owned());
            seen.push((label.unwrap_or_default(), key));
        }
        println!("other side: {event:?}");
    }
    for (label, key) in seen {
        let messages = std::iter::from_fn(|| world.ends[1].recv(world.now, key)).count();
        println!("{label}: {messages} messages arrived");
    }
    Ok(())
}

struct World {
    now: Instant,
    ends: [Channels; 2],
    flying: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    count: u64,
}

impl World {
    fn run(&mut self, duration: Duration) {
        let limit = self.now + duration;
        loop {
            for (side, end) in self.ends.iter_mut().enumerate() {
                let mut packet = Vec::new();
                while end.poll_transmit(self.now, &mut packet).is_some() {
                    self.count += 1;
                    let packet = std::mem::take(&mut packet);
                    if !self.count.is_multiple_of(10) {
                        let at = self.now + Duration::from_millis(20);
                        self.flying.insert((at, self.count), (1 - side, packet));
                    }
                }
            }
            let arrival = self.flying.keys().next().map(|(at, _)| *at);
            let timeouts = self.ends.iter().filter_map(Channels::poll_timeout);
            let next = arrival.into_iter().chain(timeouts).min();
            self.now = next.map_or(limit, |next| next.min(limit));
            while let Some(entry) = self.flying.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let (to, packet) = entry.remove();
                self.ends[to].handle_packet(self.now, &packet);
            }
            for end in &mut self.ends {
                end.handle_timeout(self.now);
            }
            if self.now >= limit {
                return;
            }
        }
    }
}
