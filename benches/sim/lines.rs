//! Bulk transfer over every combination of round trip, loss and rate that `cargo xtask bench --only latency` measures with
//! sockets.

use crate::{
    peer::Load,
    rig::{self, Who},
    row::{Bound::AtLeast, Family, Figure, Reduce, Row, Sample, Unit},
    secs,
};
use peerconnection::PeerConnectionState;
use std::time::Duration;

const ROUND_TRIPS: [Duration; 5] = [
    Duration::from_micros(100),
    Duration::from_millis(20),
    Duration::from_millis(60),
    Duration::from_millis(100),
    Duration::from_millis(300),
];
/// In percent.
const LOSSES: [f64; 4] = [0.0, 0.1, 1.0, 5.0];
/// In megabits per second. Nothing is unlimited in virtual time: a wire without a rate would carry any window at once.
const RATES: [u64; 2] = [1_000, 100];

const MESSAGE: usize = 16 * 1024;
/// The transfer ends with one of both.
const MOST: u64 = 64 << 20;
const SPAN: Duration = secs(20);
const LEAST_QUEUE: usize = 128 << 10;
/// The largest window, by default.
const WINDOW: usize = 8 << 20;

pub(crate) fn family() -> Family {
    let mut rows = Vec::new();
    for rate in RATES {
        for round_trip in ROUND_TRIPS {
            rows.extend(LOSSES.map(|loss| line(rate, round_trip, loss)));
        }
    }
    Family {
        name: "lines",
        title: "Bulk transfer over lines with latency and loss",
        about: "Messages of 16 KiB over one reliable, ordered channel with default settings, for 20 s or 64 MiB, whichever \
            ends first, with the start of the transfer. The rate is that of the wire, which has a queue of one \
            bandwidth-delay product and at least 128 KiB; loss is in both directions and begins once the call is up. \
            performance.md has the same lines with sockets, beside the TCP of a kernel.",
        is_wide: true,
        rows,
    }
}

fn line(megabits: u64, round_trip: Duration, loss: f64) -> Row {
    let figures = [
        Figure::new("rate", "goodput", Unit::Megabits, Reduce::Mean),
        Figure::new("rate", "slowest", Unit::Megabits, Reduce::Min).must(AtLeast(least(
            megabits as f64,
            round_trip.as_secs_f64(),
            loss / 100.0,
        ))),
    ];
    let milliseconds = round_trip.as_secs_f64() * 1_000.0;
    let name = format!("line-{megabits}mbit-rtt{milliseconds}-loss{loss}");
    let condition = format!("{megabits} Mbit/s, {milliseconds} ms round trip, {loss} % loss");
    Row::new(name, condition, figures, move |seed| run(seed, megabits, round_trip, loss)).at_most(5)
}

/// What must be reached, in megabits per second: nine tenths of what a window that is halved by each loss reaches in the
/// long run, 1.22 packets a round trip over the root of the loss; or, where other things bound it, 40 % of the wire or of
/// the largest window in a round trip. The start of the transfer counts, and is a large part of 64 MiB.
fn least(megabits: f64, round_trip: f64, loss: f64) -> f64 {
    let packet = 1_400.0 * 8.0 / 1e6;
    let halved = 1.22 * packet / round_trip / loss.sqrt();
    let window = WINDOW as f64 * 8.0 / 1e6 / round_trip;
    let most = 0.4 * megabits.min(window);
    (0.9 * halved).min(most)
}

fn run(seed: u64, megabits: u64, round_trip: Duration, loss: f64) -> Sample {
    let one_way = round_trip / 2;
    let mut call = rig::connected(seed, one_way, |setup| setup);
    let product = megabits as f64 * 1e6 / 8.0 * round_trip.as_secs_f64();
    let queue = LEAST_QUEUE.max(product as usize);
    let link = rig::wire().latency(one_way).rate(megabits * 1_000_000, queue).loss(loss / 100.0);
    call.set_links(link.clone(), link);
    let begin = call.world.now();
    let count = MOST / MESSAGE as u64;
    call.load(Who::Alice, Load::Bulk { size: MESSAGE, count });
    // In steps: to look after each event would cost more than the event.
    let step = (SPAN / 2_000).max(round_trip);
    while call.world.now() < begin + SPAN && (call.peer(Who::Bob).messages.len() as u64) < count {
        call.world.run_for(step);
    }
    let messages = &call.peer(Who::Bob).messages;
    let is_whole = messages.len() as u64 >= count;
    let last = messages.last().map_or(begin, |message| message.at);
    let took = if is_whole { last.saturating_duration_since(begin) } else { SPAN };
    let bytes: usize =
        messages.iter().filter(|message| message.at <= begin + took).map(|message| message.len).sum();
    let ended =
        (call.state(Who::Alice) != PeerConnectionState::Connected).then(|| "the call ended".to_owned());
    let closed = (!call.is_open()).then(|| "the association ended".to_owned());
    Sample::new()
        .with("rate", bytes as f64 * 8.0 / 1e6 / took.as_secs_f64())
        .with_fault(call.peer(Who::Bob).disorder())
        .with_fault(ended)
        .with_fault(closed)
}
