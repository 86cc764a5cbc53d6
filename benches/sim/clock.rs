//! Clocks and processes that stop or jump.

use crate::{
    ms,
    peer::{Load, Peer},
    rig::{self, Call, Kind, Setup, WALL, Who},
    row::{Bound::AtLeast, Bound::AtMost, Family, Figure, Reduce, Row, Sample, Unit},
    secs,
};
use peerconnection::{MediaKind, PeerConnectionState};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

pub(crate) fn family() -> Family {
    Family {
        name: "clock",
        title: "Clocks and processes",
        about: "The engines know one clock, the monotonic one that their owner hands in; wall time goes into \
            certificates and sender reports and is compared with nothing. A suspended process is not run at all and \
            then gets all that its socket has kept, at once.",
        is_wide: false,
        rows: vec![walls(), suspended(5), suspended(60), absurd()],
    }
}

fn walls() -> Row {
    let figures =
        [Figure::new("same", "calls that are the same, datagram by datagram", Unit::Percent, Reduce::Share)
            .must(AtLeast(100.0))];
    let row =
        Row::new("wall-clock", "wall clocks wrong by an hour and by a year, either way", figures, |seed| {
            let trace = |walls: [Duration; 2]| {
                let link = rig::wire().latency(ms(25)).loss(0.05);
                let mut call = Call::new(seed, Setup::new(link).walls(walls));
                call.connect(secs(60))?;
                call.load_both(Load::Messages { size: 500, every: ms(20) });
                call.world.run_for(secs(10));
                let begin = call.world.now() - call.world.elapsed();
                let sent = call.sent.borrow();
                Some(sent.iter().map(|sent| (sent.at - begin, sent.who, sent.kind)).collect::<Vec<_>>())
            };
            let Some(right) = trace([WALL; 2]) else { return Sample::fault("not connected") };
            let wrong = [
                [WALL + HOUR, WALL],
                [WALL, WALL + HOUR],
                [WALL - HOUR, WALL + HOUR],
                [WALL + YEAR, WALL],
                [WALL, WALL + YEAR],
                [WALL - YEAR, WALL + YEAR],
            ];
            let same = wrong.iter().all(|walls| trace(*walls).is_some_and(|other| other == right));
            Sample::new().with_some("same", same.then_some(1.0))
        });
    row.short(1)
}

fn suspended(length: u64) -> Row {
    let burst = |key, what| Figure::new(key, what, Unit::Count, Reduce::Max).must(AtMost(10.0));
    let mut figures = vec![
        burst("checks", "most checks sent at once"),
        burst("rtcp", "most RTCP packets sent at once"),
        burst("dtls", "most DTLS datagrams sent at once"),
    ];
    if length < 30 {
        figures
            .push(Figure::new("up", "calls that go on", Unit::Percent, Reduce::Share).must(AtLeast(100.0)));
        figures.push(
            Figure::new("resumed", "messages flow again, longest", Unit::Seconds, Reduce::Max)
                .must(AtMost(1.0)),
        );
    } else {
        figures.push(
            Figure::new("failed", "after waking, until failed, longest", Unit::Seconds, Reduce::Max)
                .must(AtMost(1.0)),
        );
        figures.push(
            Figure::new("peer", "the peer: until failed, longest", Unit::Seconds, Reduce::Max)
                .must(AtMost(31.0)),
        );
    }
    let name = format!("suspend-{length}");
    let row = Row::new(name, format!("Alice's process is suspended for {length} s"), figures, move |seed| {
        let mut call = rig::connected(seed, ms(25), |setup| setup.media(MediaKind::Video));
        call.load_both(Load::Pictures { every: ms(20) });
        call.load_both(Load::Messages { size: 200, every: ms(20) });
        call.world.run_for(secs(15) + ms(seed * 97 % 6_000));
        let begin = call.world.now();
        call.with(Who::Alice, Peer::suspend);
        call.world.run_for(secs(length));
        let woken = call.world.now();
        let before = call.peer(Who::Bob).messages.len();
        let mark = call.sent.borrow().len();
        call.with(Who::Alice, |peer| peer.resume(woken));
        let most = |kind: Kind| {
            let sent = call.sent.borrow();
            sent.iter().skip(mark).filter(|sent| sent.who == Who::Alice && sent.kind == kind).count() as f64
        };
        let sample = Sample::new()
            .with("checks", most(Kind::Check))
            .with("rtcp", most(Kind::Rtcp))
            .with("dtls", most(Kind::Dtls));
        let resumed = call.until(secs(10), |call| call.peer(Who::Bob).messages.len() > before);
        call.world.run_for(secs(10));
        let entered = |who, from| call.entered(who, PeerConnectionState::Failed, from);
        let up = call.are_connected() && call.is_open();
        sample
            .with_some("up", up.then_some(1.0))
            .with_some("resumed", resumed.map(|took| took.as_secs_f64()))
            .with_some("failed", entered(Who::Alice, woken).map(|took| took.as_secs_f64()))
            .with_some("peer", entered(Who::Bob, begin).map(|took| took.as_secs_f64()))
            .with_fault(call.peer(Who::Bob).disorder())
    });
    row.short(1)
}

fn absurd() -> Row {
    let figures = [
        Figure::new("failed", "until both say failed, longest", Unit::Seconds, Reduce::Max)
            .must(AtMost(120.0)),
        Figure::new("datagrams", "datagrams of both in two days", Unit::Count, Reduce::Max)
            .must(AtMost(200.0)),
        Figure::new("up", "calls that came up", Unit::Count, Reduce::Share).must(AtMost(0.0)),
    ];
    let row = Row::new("absurd", "a round trip of two hours, 10 % loss", figures, |seed| {
        let link = rig::wire().latency(HOUR).loss(0.1);
        let mut call = Call::new(seed, Setup::new(link));
        call.negotiate_first();
        let begin = call.world.now();
        call.world.run_for(HOUR * 48);
        let failed = Who::BOTH.map(|who| call.entered(who, PeerConnectionState::Failed, begin));
        let failed: Option<Vec<Duration>> = failed.into_iter().collect();
        Sample::new()
            .with_some(
                "failed",
                failed.and_then(|both| both.into_iter().max()).map(|took| took.as_secs_f64()),
            )
            .with("datagrams", call.sent.borrow().len() as f64)
            .with_some("up", call.is_open().then_some(1.0))
    });
    row.short(1)
}
