//! Paths that carry small packets only.

use crate::{
    ms,
    peer::Load,
    rig::{self, Call, Setup, Who},
    row::{Bound::AtMost, Family, Figure, Reduce, Row, Sample, Unit},
    secs,
};
use peerconnection::MediaKind;
use std::time::Duration;
use testkit::{DropReason, Link};

const ONE_WAY: Duration = Duration::from_millis(25);
/// Three tries of each size that could be, in both directions, and none twice.
const PROBES: f64 = 24.0;

pub(crate) fn family() -> Family {
    Family {
        name: "mtu",
        title: "Small packets only",
        about: "Packets larger than the MTU vanish without an ICMP message. Sizes count IP and UDP headers. The round \
            trip is 50 ms, and nothing else is lost. Handshake flights become small after two repetitions; what data \
            may be is found by probes (RFC 8899).",
        is_wide: false,
        rows: vec![enough(), black_hole(), shrinking()],
    }
}

fn enough() -> Row {
    let figures = [
        Figure::new("largest", "largest UDP payload: a probe", Unit::Bytes, Reduce::Max)
            .must(AtMost(1_472.0)),
        Figure::new("dropped", "packets too large: probes", Unit::Count, Reduce::Max).must(AtMost(PROBES)),
    ];
    let row =
        Row::new("mtu-1280", "MTU 1280: handshake, 64 KiB messages, sound and pictures", figures, |seed| {
            let link = Link::new().latency(ONE_WAY).mtu(1_280);
            let mut call = Call::new(seed, Setup::new(link).media(MediaKind::Video));
            if call.connect(secs(30)).is_none() {
                return Sample::fault("not connected");
            }
            call.load_both(Load::Pictures { every: ms(10) });
            call.load(Who::Alice, Load::Bulk { size: 64 * 1024, count: 20 });
            call.world.run_for(secs(10));
            let whole = call.peer(Who::Bob).messages.len() == 20;
            Sample::new()
                .with("largest", call.largest() as f64)
                .with("dropped", call.world.stats().dropped_for(DropReason::Mtu) as f64)
                .with_fault((!whole).then(|| "messages are missing".to_owned()))
        });
    row.short(1)
}

fn black_hole() -> Row {
    let figures = [
        Figure::new("connect", "connecting, longest", Unit::Seconds, Reduce::Max)
            .must(AtMost(15.0))
            .aim(AtMost(6.0)),
        Figure::new("small", "a message of 100 bytes, longest", Unit::Seconds, Reduce::Max).must(AtMost(1.0)),
        Figure::new("large", "a message of 16 KiB, longest", Unit::Seconds, Reduce::Max).must(AtMost(10.0)),
    ];
    let row = Row::new("mtu-576", "MTU 576 from the start", figures, |seed| {
        let link = Link::new().latency(ONE_WAY).mtu(576);
        let mut call = Call::new(seed, Setup::new(link));
        let took = call.connect(secs(60));
        let sample = Sample::new().with_some("connect", took.map(|took| took.as_secs_f64()));
        if took.is_none() {
            return sample;
        }
        call.load(Who::Alice, Load::Bulk { size: 100, count: 1 });
        let small = call.until(secs(10), |call| call.peer(Who::Bob).messages.len() == 1);
        call.load(Who::Alice, Load::Bulk { size: 16 * 1024, count: 1 });
        let large = call.until(secs(60), |call| call.peer(Who::Bob).messages.len() == 2);
        sample
            .with_some("small", small.map(|took| took.as_secs_f64()))
            .with_some("large", large.map(|took| took.as_secs_f64()))
    });
    row.short(1)
}

fn shrinking() -> Row {
    let figures = [
        Figure::new("resumed", "the channel goes on, longest", Unit::Seconds, Reduce::Max)
            .must(AtMost(10.0))
            .aim(AtMost(3.0)),
        Figure::new("up", "calls still up after a minute", Unit::Percent, Reduce::Share),
    ];
    Row::new("mtu-drop", "MTU 1500, and 576 in mid-call", figures, |seed| {
        let mut call = rig::connected(seed, ONE_WAY, |setup| setup);
        call.load(Who::Alice, Load::Messages { size: 4_000, every: ms(20) });
        call.world.run_for(secs(5));
        let link = Link::new().latency(ONE_WAY).mtu(576);
        call.set_links(link.clone(), link);
        // What is under way still arrives.
        call.world.run_for(ONE_WAY);
        let before = call.peer(Who::Bob).messages.len();
        let resumed = call.until(secs(60), |call| call.peer(Who::Bob).messages.len() > before);
        let up = call.are_connected() && call.is_open();
        Sample::new()
            .with_some("resumed", resumed.map(|took| took.as_secs_f64()))
            .with_some("up", up.then_some(1.0))
            .with_fault(call.peer(Who::Bob).disorder())
    })
}
