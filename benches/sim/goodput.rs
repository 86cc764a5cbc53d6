//! Bulk transfer over a data channel.

use crate::{
    ms,
    peer::{Arrival, Load},
    rig::{self, Call, Who},
    row::{
        Bound::{AtLeast, AtMost},
        Family, Figure, Reduce, Row, Sample, Unit,
    },
    secs,
};
use peerconnection::PeerConnectionState;
use std::time::{Duration, Instant};
use testkit::Link;

/// One way, in milliseconds: a round trip of 60 ms.
const ONE_WAY: u64 = 30;
/// A full SCTP packet, and the same with DTLS, UDP and IP around it.
const SCTP_PACKET: u64 = 1_160;
const IP_PACKET: u64 = 1_228 - 3;
const MESSAGE: usize = 16 * 1024;
/// Percent, and what must be reached.
pub(crate) const LOSSES: [(u32, f64); 4] = [(1, 1.8), (5, 0.7), (10, 0.4), (20, 0.1)];
/// What is wanted at those losses.
pub(crate) const AIMS: [f64; 4] = [4.0, 1.5, 0.8, 0.25];

pub(crate) fn family() -> Family {
    let mut rows = vec![
        capped(1, 0.85, 0.95, secs(30)).short(1),
        capped(18, 16.0, 17.0, secs(10)),
        queue(1, secs(30)),
        queue(18, secs(10)),
    ];
    rows.extend(LOSSES.iter().zip(AIMS).map(|((loss, must), aim)| lossy(*loss, *must, aim)));
    rows.push(mebibyte());
    Family {
        name: "bulk",
        title: "Bulk transfer",
        about: "One reliable, ordered channel from Alice to Bob that always has something to send, over a round trip of \
            60 ms, with datagrams of at most 1,200 bytes. Goodput is payload delivered to the application. A cap is that \
            of full SCTP packets; the link itself is as much faster as DTLS, UDP and IP need. Loss is in both directions \
            and begins once the call is up.",
        is_wide: false,
        rows,
    }
}

pub(crate) fn name(loss: u32) -> String {
    format!("bulk-loss{loss}")
}

/// Mathis, Semke, Mahdavi and Ott 1997: what loss-based control reaches with ideal recovery, in Mbit/s.
pub(crate) fn theory(loss: f64) -> f64 {
    1.22 * SCTP_PACKET as f64 * 8.0 / 0.06 / loss.sqrt() / 1e6
}

fn start(seed: u64, link: Link, count: u64) -> (Call, Instant) {
    let mut call = rig::connected(seed, ms(ONE_WAY), |setup| setup);
    call.set_links(link.clone().latency(ms(ONE_WAY)), link.latency(ms(ONE_WAY)));
    let begin = call.world.now();
    call.load(Who::Alice, Load::Bulk { size: MESSAGE, count });
    (call, begin)
}

/// Megabits per second of what arrived in a span.
fn rate(messages: &[Arrival], begin: Instant, span: Duration) -> f64 {
    let inside = messages.iter().filter(|message| message.at <= begin + span);
    inside.map(|message| message.len).sum::<usize>() as f64 * 8.0 / span.as_secs_f64() / 1e6
}

/// What every transfer is to be: in order, whole, and not the end of the call.
fn judged(call: &Call, sample: Sample) -> Sample {
    let ended =
        (call.state(Who::Alice) != PeerConnectionState::Connected).then(|| "the call ended".to_owned());
    let closed = (!call.is_open()).then(|| "the association ended".to_owned());
    sample.with_fault(call.peer(Who::Bob).disorder()).with_fault(ended).with_fault(closed)
}

fn bits(megabits: u64) -> u64 {
    megabits * 1_000_000 * IP_PACKET / SCTP_PACKET
}

/// Bytes of a bandwidth-delay product.
fn product(megabits: u64) -> usize {
    (bits(megabits) * 2 * ONE_WAY / 8_000) as usize
}

fn capped(megabits: u64, must: f64, aim: f64, span: Duration) -> Row {
    let figures = [
        Figure::new("rate", "goodput", Unit::Megabits, Reduce::Mean).must(AtLeast(must)).aim(AtLeast(aim)),
        Figure::new("rate", "the slowest run", Unit::Megabits, Reduce::Min),
    ];
    let condition = format!("{megabits} Mbit/s, with a queue of two bandwidth-delay products");
    Row::new(format!("bulk-{megabits}mbit"), condition, figures, move |seed| {
        let link = rig::wire().rate(bits(megabits), product(megabits) * 2);
        let (mut call, begin) = start(seed, link, u64::MAX);
        call.world.run_for(span);
        let reached = rate(&call.peer(Who::Bob).messages, begin, span);
        judged(&call, Sample::new().with("rate", reached))
    })
}

/// How much of a deep queue is filled.
fn queue(megabits: u64, span: Duration) -> Row {
    let figures = [
        Figure::new("median", "wait in the queue, median", Unit::Seconds, Reduce::Mean),
        Figure::new("p95", "wait in the queue, p95", Unit::Seconds, Reduce::Mean)
            .must(AtMost(0.12))
            .not_built("loss-based control fills any queue; delay-based control is planned"),
        Figure::new("rate", "goodput", Unit::Megabits, Reduce::Mean),
    ];
    let condition =
        format!("{megabits} Mbit/s, with a queue of a second; two bandwidth-delay products are 120 ms");
    Row::new(format!("queue-{megabits}mbit"), condition, figures, move |seed| {
        let link = rig::wire().rate(bits(megabits), (bits(megabits) / 8) as usize);
        let (mut call, begin) = start(seed, link, u64::MAX);
        let mut waits = Vec::new();
        while call.world.now() < begin + span {
            call.world.run_for(ms(20));
            waits.push(call.queue().as_secs_f64());
        }
        waits.sort_by(f64::total_cmp);
        let at = |share: f64| waits.get((waits.len() as f64 * share) as usize).copied();
        let reached = rate(&call.peer(Who::Bob).messages, begin, span);
        let sample =
            Sample::new().with_some("median", at(0.5)).with_some("p95", at(0.95)).with("rate", reached);
        judged(&call, sample)
    })
}

fn lossy(loss: u32, must: f64, aim: f64) -> Row {
    let figures = [
        Figure::new("rate", "goodput", Unit::Megabits, Reduce::Mean).must(AtLeast(must)).aim(AtLeast(aim)),
        Figure::new("rate", "the slowest run", Unit::Megabits, Reduce::Min),
    ];
    let row = Row::new(name(loss), format!("{loss} % loss"), figures, move |seed| {
        let (mut call, begin) = start(seed, rig::wire().loss(f64::from(loss) / 100.0), u64::MAX);
        call.world.run_for(secs(60));
        let reached = rate(&call.peer(Who::Bob).messages, begin, secs(60));
        judged(&call, Sample::new().with("rate", reached))
    });
    if loss == 5 { row.short(1) } else { row }
}

fn mebibyte() -> Row {
    let figures = [
        Figure::new("took", "longest", Unit::Seconds, Reduce::Max).must(AtMost(120.0)),
        Figure::new("took", "median", Unit::Seconds, Reduce::Percentile(50.0)),
    ];
    Row::new("bulk-1mib-loss20", "1 MiB at 20 % loss", figures, |seed| {
        let count = (1 << 20) / MESSAGE;
        let (mut call, _) = start(seed, rig::wire().loss(0.2), count as u64);
        let took = call.until(secs(600), |call| call.peer(Who::Bob).messages.len() == count);
        judged(&call, Sample::new().with_some("took", took.map(|took| took.as_secs_f64())))
    })
    .short(2)
}
