//! Everything that is tried with every peer.

mod bulk;
mod connect;
mod ending;
mod extensions;
mod partial;
mod reset;
mod window;

use crate::end::{Fact, Mode, Settings};
use crate::foreign::Foreign;
use crate::rig::{Rig, Side};
use crate::traffic::{Flow, transfer};
use std::time::Duration;

/// What it takes to make a rig.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) foreign: Foreign,
    /// Percent, in each direction.
    pub(crate) loss: f64,
    pub(crate) seed: u64,
    /// Every packet is printed.
    pub(crate) traces: bool,
}

/// A remark for the table, often empty, or what went wrong.
pub(crate) type Outcome = Result<String, String>;

/// One row.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Peers that cannot do it.
    pub(crate) lacking: &'static [Lack],
    pub(crate) run: fn(Setting) -> Outcome,
}

/// What a peer cannot do, and why.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lack {
    pub(crate) peer: Foreign,
    /// It can where less is lost than so many percent.
    pub(crate) from: f64,
    pub(crate) why: &'static str,
}

/// Percent of packets lost in each direction.
pub(crate) const LOSSES: &[f64] = &[0.0, 1.0, 10.0];

/// No part of a scenario takes longer, in virtual time.
const LIMIT: Duration = Duration::from_secs(300);

const NO_ABORT: &str = "sends no ABORT";

pub(crate) const ALL: &[Scenario] = &[
    row("connect-both", "both sides begin", connect::both),
    row("connect-ours", "we begin", connect::ours),
    row("connect-theirs", "the peer begins", connect::theirs),
    row("bulk", "messages of 1 byte to 256 KiB, ordered and unordered, both ways at once", bulk::both_ways),
    row("many-streams", "100 streams at once, both ways", bulk::many_streams),
    row("retransmits-0", "never repeated, both ways, then a reliable transfer", partial::no_retransmits),
    row(
        "retransmits-3",
        "repeated three times at most, both ways, then a reliable transfer",
        partial::three_retransmits,
    ),
    Scenario {
        lacking: &[always(
            Foreign::Dcsctp,
            "stops in the middle of a message that expires, without a FORWARD TSN: it is never whole",
        )],
        ..row("lifetime", "given up after 100 ms, both ways, then a reliable transfer", partial::lifetime)
    },
    Scenario {
        lacking: &[with_loss(
            Foreign::Usrsctp,
            "after a loss joins pieces of two messages, or keeps pieces of one given up: its window stays small",
        )],
        ..row(
            "forward-tsn",
            "fragmented messages given up in the middle: no window leaks",
            partial::fragmented,
        )
    },
    row("reset-ours", "a stream closed and used again 100 times, by us first", reset::by_us),
    row("reset-theirs", "a stream closed and used again 100 times, by the peer first", reset::by_them),
    row("slow-reader", "nobody reads for 20 s, then everybody, both ways", window::slow_reader),
    Scenario {
        lacking: &[
            always(Foreign::SctpProto, "has no I-DATA"),
            with_loss(
                Foreign::Usrsctp,
                "lists reliable messages that are half acknowledged in its I-FORWARD-TSN: they are lost",
            ),
        ],
        ..row(
            "interleaving",
            "I-DATA and I-FORWARD-TSN (RFC 8260): large, small and given up messages at once, both ways",
            extensions::interleaving,
        )
    },
    row("batched", "2 MiB to us, packets handed over every 5 ms", extensions::batched),
    row(
        "zero-checksum",
        "no CRC32c where both agree (RFC 9653), and always where not",
        extensions::zero_checksum,
    ),
    row("small-window", "1 MiB through a window of 32 KiB, both ways", window::small),
    row("shutdown-ours", "we shut down with data queued: all of it arrives", ending::shutdown_by_us),
    Scenario {
        lacking: &[
            always(Foreign::SctpProto, "shuts down before its data is acknowledged, and then never ends"),
            with_loss(
                Foreign::Dcsctp,
                "after a loss shuts down as soon as nothing is in flight, with data queued: what is queued is lost",
            ),
        ],
        ..row(
            "shutdown-theirs",
            "the peer shuts down with data queued: all of it arrives",
            ending::shutdown_by_them,
        )
    },
    row("abort-ours", "we abort: the peer knows", ending::abort_by_us),
    Scenario {
        lacking: &[always(Foreign::SctpProto, NO_ABORT)],
        ..row("abort-theirs", "the peer aborts: we know", ending::abort_by_them)
    },
    row("restart", "the peer loses its state and begins anew", ending::restart),
];

const fn always(peer: Foreign, why: &'static str) -> Lack {
    Lack { peer, from: 0.0, why }
}

/// Only where packets are lost.
const fn with_loss(peer: Foreign, why: &'static str) -> Lack {
    Lack { peer, from: f64::MIN_POSITIVE, why }
}

const fn row(name: &'static str, about: &'static str, run: fn(Setting) -> Outcome) -> Scenario {
    Scenario { name, about, lacking: &[], run }
}

impl Setting {
    fn settings(self) -> Settings {
        Settings { seed: self.seed, ..Settings::default() }
    }

    /// Connected, both sides having begun.
    fn connected(self) -> Result<Rig, String> {
        self.connected_with([self.settings(); 2])
    }

    fn connected_with(self, settings: [Settings; 2]) -> Result<Rig, String> {
        let mut rig = Rig::new(self, settings);
        for side in Side::BOTH {
            if !settings[side as usize].passive {
                let now = rig.now;
                rig.end(side).connect(now);
            }
        }
        rig.run_until(Duration::from_secs(30), "connect", |rig| {
            Ok(Side::BOTH.into_iter().all(|side| rig.has(side, &Fact::Connected)))
        })?;
        Ok(rig)
    }
}

/// A short reliable exchange both ways, on streams that nobody else uses.
fn exchange(rig: &mut Rig, stream: u16) -> Result<(), String> {
    let sizes = [1, 1_000, 5_000, 2];
    let mut flows = Side::BOTH.map(|side| Flow::new(side, stream, Mode::ORDERED, sizes));
    transfer(rig, &mut flows, LIMIT)
}

fn check(condition: bool, sentence: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(sentence()) }
}

/// Virtual time for the table.
fn time(rig: &Rig) -> String {
    format!("{:.1} s", rig.elapsed().as_secs_f64())
}
