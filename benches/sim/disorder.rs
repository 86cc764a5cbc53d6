//! Datagrams that come late, twice, or in another order.

use crate::{
    ms,
    peer::Load,
    rig::{self, Call, Setup, Who},
    row::{
        Bound::{AtLeast, AtMost},
        Family, Figure, Reduce, Row, Sample, Unit,
    },
    secs,
};
use peerconnection::{MediaKind, PeerConnectionState};
use std::time::Duration;

const ONE_WAY: Duration = Duration::from_millis(25);

pub(crate) fn family() -> Family {
    Family {
        name: "disorder",
        title: "Late, twice, out of order",
        about: "Nothing is lost here, so every repetition and every request for one is needless. Reordering makes \
            datagrams late by a time uniform up to the given one, and those behind overtake them. Jitter holds up all \
            that is behind. Both directions are alike, and the round trip is 50 ms before that.",
        is_wide: false,
        rows: vec![reordered_data(), reordered_media(300), reordered_media(100), duplicated(), jittered()],
    }
}

fn count(key: &'static str, what: &'static str) -> Figure {
    Figure::new(key, what, Unit::Count, Reduce::Max)
}

fn reordered_data() -> Row {
    let figures = [
        Figure::new("spurious", "data packets repeated for nothing", Unit::Percent, Reduce::Mean)
            .must(AtMost(5.0))
            .aim(AtMost(1.0))
            .not_built(
                "what is late by five round trips counts as lost: RACK waits for one at most (RFC 8985 §6.2)",
            ),
        Figure::new("rate", "goodput", Unit::Megabits, Reduce::Mean),
    ];
    let row = Row::new("reorder-data", "30 % late by up to 300 ms, bulk transfer", figures, |seed| {
        let mut call = rig::connected(seed, ONE_WAY, |setup| setup);
        let link = rig::wire().latency(ONE_WAY).reorder(0.3, ms(300));
        call.set_links(link.clone(), link);
        let before = call.stats(Who::Alice).data;
        call.load(Who::Alice, Load::Bulk { size: 16 * 1024, count: u64::MAX });
        call.world.run_for(secs(20));
        let after = call.stats(Who::Alice).data;
        let repeated = (after.retransmissions - before.retransmissions) as f64;
        let bob = call.peer(Who::Bob);
        let bytes: usize = bob.messages.iter().map(|message| message.len).sum();
        Sample::new()
            .with("spurious", repeated / (after.packets_sent - before.packets_sent) as f64 * 100.0)
            .with("rate", bytes as f64 * 8.0 / 20.0 / 1e6)
            .with_fault(bob.disorder())
    });
    row.short(1)
}

fn reordered_media(late: u64) -> Row {
    let mut figures = vec![
        Figure::new("arrived", "packets delivered", Unit::Share, Reduce::Min).must(AtLeast(100.0)),
        count("twice", "packets delivered twice").must(AtMost(0.0)),
        count("refused", "SRTP packets refused").must(AtMost(0.0)),
    ];
    if late == 100 {
        figures.push(
            Figure::new("asked", "packets asked for again, after 5 s", Unit::Percent, Reduce::Mean)
                .must(AtMost(0.0)),
        );
    } else {
        let what = "packets asked for again, after 5 s";
        figures.push(Figure::new("asked", what, Unit::Percent, Reduce::Mean));
    }
    let condition = format!("30 % late by up to {late} ms, 100 packets of video a second");
    let row = Row::new(format!("reorder-media-{late}"), condition, figures, move |seed| {
        let mut call = rig::connected(seed, ONE_WAY, |setup| setup.media(MediaKind::Video));
        let link = rig::wire().latency(ONE_WAY).reorder(0.3, ms(late));
        call.set_links(link.clone(), link);
        call.load(Who::Alice, Load::Pictures { every: ms(10) });
        // The receiver learns what the path is like.
        call.world.run_for(secs(5));
        let (learned, before) = (asked(&call), call.peer(Who::Alice).packets_sent.len());
        call.world.run_for(secs(30));
        call.stop_loads();
        call.world.run_for(secs(1));
        let sent = call.peer(Who::Alice).packets_sent.len() as f64;
        let (once, twice) = distinct(&call, Who::Bob);
        let stats = call.stats(Who::Bob);
        let asked = (asked(&call) - learned) as f64 / (sent - before as f64);
        Sample::new()
            .with("arrived", once / sent * 100.0)
            .with("twice", twice)
            .with("refused", stats.drops.unauthenticated as f64)
            .with("asked", asked * 100.0)
    });
    row.short(1)
}

/// Packets that Bob asked for again.
fn asked(call: &Call) -> u64 {
    call.stats(Who::Bob).inbound.iter().map(|inbound| inbound.counters.nacked_packets).sum()
}

/// How many packets a side delivered, and how many of them more than once.
fn distinct(call: &Call, who: Who) -> (f64, f64) {
    let mut numbers: Vec<u64> = call.peer(who).packets.iter().map(|packet| packet.number).collect();
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    (numbers.len() as f64, (all - numbers.len()) as f64)
}

fn duplicated() -> Row {
    let figures = [
        count("flights", "handshake flights repeated").must(AtMost(0.0)),
        count("twice", "packets and messages delivered twice").must(AtMost(0.0)),
        Figure::new("arrived", "packets and messages delivered", Unit::Share, Reduce::Min)
            .must(AtLeast(100.0)),
        Figure::new("lost", "smallest loss reported by RTCP", Unit::Count, Reduce::Min).must(AtLeast(0.0)),
        count("repeated", "data packets repeated"),
    ];
    let row = Row::new("duplicate", "50 % arrive twice, from the first check on", figures, |seed| {
        let link = rig::wire().latency(ONE_WAY).duplicate(0.5);
        let mut call = Call::new(seed, Setup::new(link).media(MediaKind::Video));
        if call.connect(secs(30)).is_none() {
            return Sample::fault("not connected");
        }
        call.load_both(Load::Pictures { every: ms(10) });
        call.load_both(Load::Messages { size: 2_000, every: ms(10) });
        call.world.run_for(secs(10));
        call.stop_loads();
        call.world.run_for(secs(2));
        let mut sample = Sample::new().with("flights", call.flights_resent() as f64);
        let (mut all, mut there, mut twice, mut lost, mut repeated) = (0.0, 0.0, 0.0, f64::INFINITY, 0.0);
        for who in Who::BOTH {
            let (peer, other) = (call.peer(who), call.peer(who.other()));
            let (once, more) = distinct(&call, who);
            all += other.packets_sent.len() as f64 + other.messages_sent as f64;
            there += once + peer.messages.len() as f64;
            twice += more;
            let stats = call.stats(who);
            repeated += stats.data.retransmissions as f64;
            for remote in stats.outbound.iter().filter_map(|outbound| outbound.counters.remote) {
                lost = remote.fraction_lost.min(remote.packets_lost as f64).min(lost);
            }
            sample = sample.with_fault(peer.disorder());
        }
        sample
            .with("arrived", there / all * 100.0)
            .with("twice", twice)
            .with("lost", lost)
            .with("repeated", repeated)
    });
    row.short(1)
}

fn jittered() -> Row {
    let figures = [
        count("flights", "handshake flights repeated for nothing").must(AtMost(2.0)),
        Figure::new("connect", "connecting, longest", Unit::Seconds, Reduce::Max),
        count("disconnects", "disconnections in five minutes").must(AtMost(0.0)),
    ];
    let row = Row::new("jitter", "each datagram 0 to 300 ms late, in order", figures, |seed| {
        let mut call = Call::new(seed, Setup::new(rig::wire().latency(ONE_WAY).jitter(ms(300))));
        let took = call.connect(secs(60));
        let sample = Sample::new()
            .with("flights", call.flights_resent() as f64)
            .with_some("connect", took.map(|took| took.as_secs_f64()));
        let begin = call.world.now();
        call.world.run_for(secs(300));
        let gone = |who: &Who| call.entered(*who, PeerConnectionState::Disconnected, begin).is_some();
        sample.with("disconnects", Who::BOTH.iter().filter(|who| gone(who)).count() as f64)
    });
    row.short(5)
}
