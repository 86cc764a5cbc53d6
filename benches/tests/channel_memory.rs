//! What an association and its channels take while nothing happens on them, measured at the allocator.

#[path = "../rigs/heap.rs"]
#[allow(unreachable_pub, reason = "shared by several tests")]
mod heap;

use datachannel::{ChannelInit, ChannelKey, Channels, Config, Event, Payload, Role};
use heap::held;
use sctp::Association;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use testkit::Seed;

/// The most that an idle association may hold, and an idle channel, in bytes.
const ASSOCIATION: isize = 4_096;
const CHANNEL: isize = 256;

/// Two ends side by side; what each of them holds is known.
struct Both {
    now: Instant,
    ends: [Channels; 2],
    held: [isize; 2],
    keys: [Vec<ChannelKey>; 2],
}

impl Both {
    fn connected() -> Self {
        let now = testkit::start();
        let config = Arc::new(Config::default());
        let mut sums = [0; 2];
        let mut index = 0;
        let ends = [Role::Client, Role::Server].map(|role| {
            let random = Seed::new(7).boxed_random(if role == Role::Client { "a" } else { "b" });
            let before = held();
            let mut end = Channels::new(Arc::clone(&config), now, random);
            end.start(now, role);
            sums[index] = held() - before;
            index += 1;
            end
        });
        let mut both = Self { now, ends, held: sums, keys: [Vec::new(), Vec::new()] };
        both.settle();
        both
    }

    /// Does something at one end, and counts it.
    fn at<R>(&mut self, side: usize, work: impl FnOnce(&mut Channels, Instant) -> R) -> R {
        let before = held();
        let result = work(&mut self.ends[side], self.now);
        self.held[side] += held() - before;
        result
    }

    /// Lets both talk until they have nothing to say.
    fn exchange(&mut self) {
        let mut silent = false;
        while !silent {
            silent = true;
            for side in [0, 1] {
                let mut out = Vec::with_capacity(2_000);
                while self.at(side, |end, now| end.poll_transmit(now, &mut out)).is_some() {
                    silent = false;
                    self.at(1 - side, |end, now| end.handle_packet(now, &out));
                    out.clear();
                }
                self.pull(side);
            }
        }
    }

    /// The same for five seconds.
    fn settle(&mut self) {
        for _ in 0..50 {
            self.exchange();
            self.now += Duration::from_millis(100);
            for side in [0, 1] {
                self.at(side, Channels::handle_timeout);
            }
        }
    }

    fn open(&mut self, count: usize) {
        for number in 0..count {
            let name = format!("{number}");
            self.at(0, |end, now| end.open(now, ChannelInit::new(name))).expect("a channel");
            if number % 16 == 15 {
                self.settle();
            }
        }
        self.settle();
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the other events are of no interest here")]
    fn pull(&mut self, side: usize) {
        while let Some(event) = self.at(side, |end, _| end.poll_event()) {
            match event {
                Event::Announced(key) | Event::Opened(key) => self.keys[side].push(key),
                Event::Readable(key) => while self.at(side, |end, now| end.recv(now, key).is_some()) {},
                _ => {}
            }
        }
    }
}

#[test]
fn an_idle_association_holds_little() {
    let now = testkit::start();
    let config = Arc::new(sctp::Config::default());
    let random = Seed::new(1).boxed_random("x");
    let (grown, association) = heap::growth(|| Association::new(config, now, random));
    println!("an association that waits: {grown} bytes, and {} in itself", size_of_val(&association));
    assert!(grown + size_of_val(&association).cast_signed() <= ASSOCIATION, "{grown}");
    let both = Both::connected();
    for side in [0, 1] {
        let sum = both.held[side] + size_of::<Channels>().cast_signed();
        println!("connected, with no channel: {sum} bytes");
        assert!(sum <= ASSOCIATION, "{sum}");
    }
}

#[test]
fn an_idle_channel_holds_little() {
    for (count, used) in [(100, false), (900, false), (900, true)] {
        let mut both = Both::connected();
        // What the association itself keeps for its work is not the channels'.
        both.open(100);
        let before = both.held;
        both.open(count);
        both.settle();
        if used {
            for side in [0, 1] {
                for key in both.keys[side].clone() {
                    let send =
                        |end: &mut Channels, now| end.send(now, key, Payload::binary(vec![7; 3_000])).is_ok();
                    if !both.at(side, send) {
                        both.settle();
                        assert!(both.at(side, send), "room");
                    }
                    both.exchange();
                }
            }
        }
        both.settle();
        for side in [0, 1] {
            assert_eq!(both.keys[side].len(), 100 + count);
            let each = (both.held[side] - before[side]) / count.cast_signed();
            println!("{count} channels, used: {used}: {each} bytes each");
            assert!(each <= CHANNEL, "{count} {used}: {each}");
        }
    }
}

/// What a transfer needed is given back within a minute of silence, but for small queues with room for the next.
#[test]
fn what_a_transfer_took_comes_back() {
    let mut both = Both::connected();
    both.open(1);
    let key = both.keys[0][0];
    let mut most = 0;
    for _ in 0..200 {
        let sent = both.at(0, |end, now| end.send(now, key, Payload::binary(vec![7; 16_384])).is_ok());
        assert!(sent, "room for it");
        both.exchange();
        most = most.max(both.held[0]);
        both.now += Duration::from_millis(10);
        for side in [0, 1] {
            both.at(side, Channels::handle_timeout);
        }
    }
    for _ in 0..13 {
        both.settle();
    }
    for side in [0, 1] {
        let sum = both.held[side] + size_of::<Channels>().cast_signed();
        println!("a minute after a transfer: {sum} bytes, at most {most} before");
        assert!(sum <= ASSOCIATION + CHANNEL + 3_072, "{sum}");
    }
}
