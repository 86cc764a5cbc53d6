//! The laws hold for a good machine, and each catches the machine that breaks it.

use std::{
    collections::VecDeque,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};
use testkit::{DropReason, Link, Machine, Pair, Seed, SeededRandom, Side, Verdict, laws};

/// What is wrong with a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Becomes ready only if events are polled before datagrams (L1).
    OrderMatters,
    /// Its alarm never moves on (L2).
    BusyLoop,
    /// Believes a clock that went back (L3).
    BelievesClock,
    /// Uses a source of randomness that is not its own (L4).
    OwnDice,
    /// Falls over a long datagram (L5).
    Panics,
    /// Floods after a malformed datagram (L5).
    Floods,
    /// Changes the buffer it should append to (L6).
    Overwrites,
    /// Says `None` and then something (L6).
    Stutters,
    /// Talks after its final event (L7).
    Undead,
    /// Never says its last word (L7).
    Immortal,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Event {
    Closed,
    Ready,
}

const INTERVAL: Duration = Duration::from_millis(100);

/// Says hello until it is answered, then beats like a heart until it is closed.
#[derive(Debug)]
struct Greeter {
    fault: Fault,
    random: SeededRandom,
    latest: Instant,
    due: Option<Instant>,
    queue: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
    is_ready: bool,
    has_polled_event: bool,
    stutter: u32,
    is_closed: bool,
}

impl Greeter {
    fn new(now: Instant, seed: Seed, fault: Fault) -> Self {
        let random = if fault == Fault::OwnDice {
            // The address of a fresh allocation differs from run to run.
            let noise = Box::new(0_u8);
            let leaked = std::ptr::from_ref(Box::leak(noise)).addr() as u64;
            Seed::new(leaked).random()
        } else {
            seed.random()
        };
        Self {
            fault,
            random,
            latest: now,
            due: Some(now),
            queue: VecDeque::new(),
            events: VecDeque::new(),
            is_ready: false,
            has_polled_event: false,
            stutter: 0,
            is_closed: false,
        }
    }

    fn see(&mut self, now: Instant) -> Instant {
        self.latest = if self.fault == Fault::BelievesClock { now } else { self.latest.max(now) };
        self.latest
    }

    fn end(&mut self) {
        if std::mem::replace(&mut self.is_closed, true) {
            return;
        }
        self.queue.clear();
        self.queue.push_back(b"bye".to_vec());
        self.due = None;
        self.events.clear();
        if self.fault != Fault::Immortal {
            self.events.push_back(Event::Closed);
        }
    }
}

impl Machine for Greeter {
    type Path = ();
    type Event = Event;

    fn handle_datagram(&mut self, now: Instant, (): (), datagram: &mut [u8]) {
        self.see(now);
        assert!(self.fault != Fault::Panics || datagram.len() < 20, "a long datagram");
        if self.fault == Fault::Floods && datagram.first() == Some(&0xff) {
            self.queue.extend(std::iter::repeat_n(vec![1], 20_000));
        }
        if self.is_closed {
            if self.fault == Fault::Undead {
                self.queue.push_back(vec![2]);
            }
            return;
        }
        match datagram {
            [b'b', b'y', b'e'] => self.end(),
            [b'h', ..] if !self.is_ready => {
                if self.fault == Fault::OrderMatters && self.has_polled_event {
                    return;
                }
                self.is_ready = true;
                self.events.push_back(Event::Ready);
                self.queue.push_back(vec![b'h', 9]);
            }
            _ => {}
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        let now = self.see(now);
        let Some(due) = self.due.filter(|due| *due <= now) else { return };
        if self.fault != Fault::BusyLoop {
            self.due = Some(now + INTERVAL);
        }
        let _ = due;
        let dice = u8::try_from(self.random.below(256)).unwrap_or(0);
        self.queue.push_back(if self.is_ready { vec![b'.', dice] } else { vec![b'h', dice] });
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<((), NonZeroUsize)> {
        self.see(now);
        if self.is_closed
            && self.fault != Fault::Undead
            && self.events.is_empty()
            && self.fault != Fault::Immortal
        {
            self.queue.clear();
        }
        if self.fault == Fault::Overwrites {
            out.clear();
        }
        if self.fault == Fault::Stutters {
            self.stutter += 1;
            if self.stutter.is_multiple_of(2) {
                return None;
            }
        }
        let datagram = self.queue.pop_front()?;
        out.extend_from_slice(&datagram);
        Some(((), NonZeroUsize::new(datagram.len())?))
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.has_polled_event = true;
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    fn close(&mut self, now: Instant) {
        self.see(now);
        self.end();
    }

    fn is_ready(&self) -> bool {
        self.is_ready
    }

    fn is_final(event: &Event) -> bool {
        *event == Event::Closed
    }
}

fn pair_with(fault: Fault) -> impl Fn(Instant, Seed) -> (Greeter, Greeter) {
    move |now, seed| {
        let other = if fault == Fault::OwnDice { fault } else { Fault::None };
        (Greeter::new(now, seed.fork("a"), fault), Greeter::new(now, seed.fork("b"), other))
    }
}

#[test]
fn a_good_machine_keeps_all_laws() {
    laws::check_all(pair_with(Fault::None));
    laws::noise_is_harmless(|now, seed| {
        let (mut a, mut b) = pair_with(Fault::None)(now, seed);
        // Noise may say "bye"; a machine that authenticates would not listen.
        a.is_ready = true;
        b.is_ready = true;
        (a, b)
    });
}

#[test]
fn each_law_catches_its_breaker() {
    type Law = fn(Box<dyn Fn(Instant, Seed) -> (Greeter, Greeter)>);
    let cases: [(Fault, Law, &str); 10] = [
        (Fault::OrderMatters, |make| laws::order_free(make), "ready within"),
        (Fault::BusyLoop, |make| laws::no_busy_loop(make), "busy loop"),
        (Fault::BelievesClock, |make| laws::monotone(make), "differs"),
        (Fault::OwnDice, |make| laws::deterministic(make), "differs"),
        (Fault::Panics, |make| laws::total(make), "a long datagram"),
        (Fault::Floods, |make| laws::total(make), "from one drain"),
        (Fault::Overwrites, |make| laws::output_on_poll(make), "stood in the buffer"),
        (Fault::Stutters, |make| laws::output_on_poll(make), "said None"),
        (Fault::Undead, |make| laws::closed_is_final(make), "after the final event"),
        (Fault::Immortal, |make| laws::closed_is_final(make), "final event"),
    ];
    for (fault, law, expected) in cases {
        let caught = catch_unwind(AssertUnwindSafe(|| law(Box::new(pair_with(fault)))));
        let said = match caught {
            Ok(()) => panic!("{fault:?} was not noticed"),
            Err(said) => said.downcast_ref::<String>().cloned().unwrap_or_default(),
        };
        assert!(said.contains(expected), "{fault:?}: {said}");
    }
}

#[test]
fn a_pair_runs_to_a_condition_and_counts() {
    let link = Link::new().latency(Duration::from_millis(20));
    let mut pair = Pair::new(Seed::new(5), link, pair_with(Fault::None));
    let took = pair.run_until(Duration::from_secs(1), |_, a, b| a.machine.is_ready && b.machine.is_ready);
    assert_eq!(took, Some(Duration::from_millis(20)));
    assert_eq!(pair.a.events, [Event::Ready]);
    pair.run_for(Duration::from_secs(1));
    assert!((10..=13).contains(&pair.a.sent), "{}", pair.a.sent);
    assert_eq!(pair.a.largest, 2);
    let now = pair.now();
    pair.a.machine.close(now);
    assert_eq!(
        pair.run_until(Duration::from_secs(1), |_, _, b| b.events.contains(&Event::Closed)),
        Some(Duration::from_millis(20))
    );
}

#[test]
fn a_pair_loses_intercepts_and_injects() {
    let mut pair = Pair::new(Seed::new(5), Link::new(), pair_with(Fault::None));
    pair.set_link(Side::A, Link::dead());
    pair.on_wire(|from, _, datagram| {
        if from == Side::B && datagram.first() == Some(&b'h') {
            Verdict::Replace(vec![0])
        } else {
            Verdict::Pass
        }
    });
    assert_eq!(
        pair.run_until(Duration::from_secs(2), |_, a, b| a.machine.is_ready || b.machine.is_ready),
        None
    );
    assert!(pair.dropped_for(DropReason::Loss) >= 20);
    pair.inject(Side::B, b"hi");
    let took = pair.run_until(Duration::from_secs(1), |_, _, b| b.machine.is_ready);
    assert_eq!(took, Some(Duration::ZERO));
    assert!(!pair.recorder().is_empty());
}

#[test]
fn the_same_pair_twice_sends_the_same_bytes() {
    let capture = |seed| {
        let link = Link::new().loss(0.2).jitter(Duration::from_millis(30));
        let mut pair = Pair::new(Seed::new(seed), link, pair_with(Fault::None));
        pair.run_for(Duration::from_secs(5));
        pair.recorder().to_pcapng()
    };
    assert_eq!(capture(1), capture(1));
    assert_ne!(capture(1), capture(2));
}
