//! How long a call takes to come up.

use crate::{
    ms,
    rig::{self, Call, Setup, Who},
    row::{Bound::AtMost, Family, Figure, Reduce, Row, Sample, Unit},
    secs,
};
use peerconnection::IceConnectionState;
use std::time::Duration;

/// Percent.
pub(crate) const LOSSES: [u32; 5] = [0, 1, 5, 10, 20];
/// Milliseconds.
pub(crate) const ROUND_TRIPS: [u64; 3] = [0, 50, 200];
/// The round trip with bounds.
pub(crate) const PROMISED: u64 = 50;

pub(crate) fn family() -> Family {
    let rows = ROUND_TRIPS.iter().flat_map(|rtt| LOSSES.iter().map(move |loss| row(*rtt, *loss)));
    Family {
        name: "connect",
        title: "Connecting",
        about: "From the moment both sides have both descriptions until a data channel is open at both ends: \
            connectivity checks, DTLS 1.2, SCTP, and the opening of the channel, about five round trips. Every datagram \
            is lost with the given probability, in each direction. A call that is not up after a minute has failed.",
        is_wide: true,
        rows: rows.collect(),
    }
}

pub(crate) fn name(rtt: u64, loss: u32) -> String {
    format!("connect-rtt{rtt}-loss{loss}")
}

fn row(rtt: u64, loss: u32) -> Row {
    let figure = |what, reduce| Figure::new("connect", what, Unit::Seconds, reduce);
    let mut p99 = figure("p99", Reduce::Percentile(99.0));
    let mut failures = Figure::new("connect", "failures", Unit::Count, Reduce::Missing);
    if rtt == PROMISED {
        let (must, aim) = match loss {
            0 => (1.0, 0.5),
            1 => (1.5, 0.7),
            5 => (3.0, 1.2),
            10 => (5.0, 2.0),
            _ => (10.0, 5.0),
        };
        p99 = p99.must(AtMost(must)).aim(AtMost(aim));
        failures = failures.must(AtMost(if loss > 10 { 1.0 } else { 0.0 }));
    }
    let figures = [
        figure("median", Reduce::Percentile(50.0)),
        figure("p95", Reduce::Percentile(95.0)),
        p99,
        figure("longest", Reduce::Max),
        failures,
        Figure::new("checks", "of it checks, p99", Unit::Seconds, Reduce::Percentile(99.0)),
        Figure::new("handshake", "of it DTLS, p99", Unit::Seconds, Reduce::Percentile(99.0)),
        Figure::new("channel", "of it SCTP and the channel, p99", Unit::Seconds, Reduce::Percentile(99.0)),
    ];
    let row =
        Row::new(name(rtt, loss), format!("{rtt} ms round trip, {loss} % loss"), figures, move |seed| {
            run(seed, rtt, loss)
        });
    if rtt == PROMISED { row.factor(10).short(if loss <= 10 { 20 } else { 0 }) } else { row }
}

fn run(seed: u64, rtt: u64, loss: u32) -> Sample {
    let link = rig::wire().latency(ms(rtt) / 2).loss(f64::from(loss) / 100.0);
    let mut call = Call::new(seed, Setup::new(link));
    call.negotiate_first();
    // One after the other: the limit is for all three.
    let limit = secs(60);
    let checked = call.until(limit, |call| Who::BOTH.iter().all(|who| has_path(call, *who)));
    let shaken = call.until(left(limit, &call), Call::are_connected);
    let opened = call.until(left(limit, &call), Call::is_open);
    let seconds = |took: Duration| took.as_secs_f64();
    let all = opened.map(|_| call.world.elapsed());
    Sample::new()
        .with_some("connect", all.map(seconds))
        .with_some("checks", checked.map(seconds))
        .with_some("handshake", shaken.map(seconds))
        .with_some("channel", opened.map(seconds))
        .with("flights", call.flights_resent() as f64)
}

fn has_path(call: &Call, who: Who) -> bool {
    let state = call.peer(who).session.ice_connection_state();
    matches!(state, IceConnectionState::Connected | IceConnectionState::Completed)
}

fn left(limit: Duration, call: &Call) -> Duration {
    limit.saturating_sub(call.world.elapsed())
}
