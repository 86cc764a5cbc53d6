//! Paths that stop, move or come back.

use crate::{
    ms,
    peer::Load,
    rig::{self, BOB, BOB_ELSEWHERE, Call, Setup, Who, address_of},
    row::{
        Bound::{AtLeast, AtMost},
        Family, Figure, Reduce, Row, Sample, Unit,
    },
    secs,
};
use peerconnection::{MediaKind, PeerConnectionState};
use std::time::{Duration, Instant};
use testkit::{Link, Seed};

const ONE_WAY: Duration = Duration::from_millis(25);

pub(crate) fn family() -> Family {
    Family {
        name: "outage",
        title: "Paths that stop, move or come back",
        about: "A call with a message every 50 ms and a packet of sound every 20 ms, both ways, over a round trip of 50 \
            ms. What happens, happens at a moment that has nothing to do with the timers of the call. Consent to send \
            is asked for every 4 to 6 s and ends 30 s after the last answer (RFC 7675), which was up to 6 s before the \
            path stopped: some calls cannot survive 25 s.",
        is_wide: false,
        rows: vec![survived(), given_up(), killed(), rebound(), restarted(), second_pair()],
    }
}

fn seconds(key: &'static str, what: &'static str) -> Figure {
    Figure::new(key, what, Unit::Seconds, Reduce::Max)
}

/// A call that talks, some time after its beginning.
pub(crate) fn talking(seed: u64, setup: impl FnOnce(Setup) -> Setup) -> Call {
    let mut call = rig::connected(seed, ONE_WAY, |start| setup(start.media(MediaKind::Audio)));
    call.load_both(Load::Sound { every: ms(20) });
    call.load_both(Load::Messages { size: 200, every: ms(50) });
    let moment = Seed::new(seed).fork("moment").random().up_to(secs(12));
    call.world.run_for(secs(20) + moment);
    call
}

/// Nothing of Alice's arrives from now on.
pub(crate) fn stop(call: &mut Call) {
    call.set_links(Link::dead(), rig::wire().latency(ONE_WAY));
}

pub(crate) fn go_on(call: &mut Call) {
    let link = rig::wire().latency(ONE_WAY);
    call.set_links(link.clone(), link);
}

/// How long before the end of consent the path has to be back for a call that must go on: the longest pause between two
/// tries, and a round trip.
const NOTICED: Duration = Duration::from_millis(2_100);

/// A path that comes back.
fn survived() -> Row {
    let figures = [
        Figure::new("fair", "calls that go on, where consent had 2.1 s left", Unit::Percent, Reduce::Mean)
            .must(AtLeast(100.0)),
        Figure::new("up", "calls that go on, of all", Unit::Percent, Reduce::Share),
        Figure::new("resumed", "messages flow again, p95 of all", Unit::Seconds, Reduce::Percentile(95.0)),
    ];
    Row::new("blackout-25", "nothing of Alice's arrives for 25 s", figures, |seed| {
        let mut call = talking(seed, |setup| setup);
        let begin = call.world.now();
        stop(&mut call);
        call.world.run_for(secs(25));
        let end = call.world.now();
        go_on(&mut call);
        let is_fair = Who::BOTH.iter().all(|who| last_answer(&call, *who, begin) + secs(30) >= end + NOTICED);
        let before = call.peer(Who::Bob).messages.len();
        let resumed =
            call.until(secs(40), |call| call.peer(Who::Bob).messages.len() > before && call.are_connected());
        call.world.run_for(secs(5));
        let resumed = resumed.filter(|_| call.are_connected() && call.is_open());
        let fair = is_fair.then_some(if resumed.is_some() { 100.0 } else { 0.0 });
        Sample::new()
            .with_some("fair", fair)
            .with_some("up", resumed.map(|_| 1.0))
            .with_some("resumed", resumed.map(|took| took.as_secs_f64()))
            .with_fault(call.peer(Who::Bob).disorder())
    })
}

/// A path that comes back too late.
fn given_up() -> Row {
    let longest = |key, what| Figure::new(key, what, Unit::Seconds, Reduce::Max);
    let figures = [
        longest("expired", "last answer until failed, longest").must(AtMost(31.0)),
        Figure::new("expired", "the same, shortest", Unit::Seconds, Reduce::Min).must(AtLeast(29.0)),
        longest("disconnected", "until Bob's side is disconnected, longest").must(AtMost(7.1)),
        Figure::new("up", "calls that go on", Unit::Percent, Reduce::Share).must(AtMost(0.0)),
    ];
    let row = Row::new("blackout-31", "nothing of Alice's arrives for 31 s", figures, |seed| {
        let mut call = talking(seed, |setup| setup);
        let begin = call.world.now();
        stop(&mut call);
        call.world.run_for(secs(31));
        go_on(&mut call);
        call.world.run_for(secs(40));
        let sample = Sample::new().with_some("up", call.are_connected().then_some(1.0));
        expiries(&call, begin, sample)
    });
    row.short(1)
}

/// When both sides gave up, counted from the last answer to a check of theirs that can have arrived.
fn expiries(call: &Call, begin: Instant, sample: Sample) -> Sample {
    let mut latest: Option<f64> = None;
    let mut silent: Option<f64> = None;
    for who in Who::BOTH {
        let failed = call.entered(who, PeerConnectionState::Failed, begin).map(|took| begin + took);
        let Some(failed) = failed else { return sample.with_fault(Some("consent did not end".to_owned())) };
        let answered = last_answer(call, who, begin);
        let took = failed.saturating_duration_since(answered).as_secs_f64();
        latest = Some(latest.map_or(took, |latest: f64| latest.max(took)));
        if who == Who::Bob {
            let gone = call.entered(who, PeerConnectionState::Disconnected, begin);
            silent = gone.map(|took| took.as_secs_f64());
        }
    }
    sample.with_some("expired", latest).with_some("disconnected", silent)
}

/// When the answer to the last check of a side arrived that was sent before the path stopped.
fn last_answer(call: &Call, who: Who, begin: Instant) -> Instant {
    let sent = call.sent.borrow();
    let answers = sent.iter().filter(|sent| {
        sent.who == who.other() && sent.kind == rig::Kind::Answer && (who == Who::Alice || sent.at < begin)
    });
    // Alice's check must have arrived before the path stopped; the answer may come later.
    answers.map(|sent| sent.at + ONE_WAY).filter(|at| *at <= begin + ONE_WAY * 2).max().unwrap_or(begin)
}

fn killed() -> Row {
    let figures = [
        seconds("disconnected", "until disconnected, longest").must(AtMost(7.1)),
        seconds("failed", "until failed, longest").must(AtMost(31.0)),
        Figure::new("datagrams", "datagrams sent after that", Unit::Count, Reduce::Max).must(AtMost(0.0)),
    ];
    let row = Row::new("kill", "Bob's process is killed", figures, |seed| {
        let mut call = talking(seed, |setup| setup);
        let begin = call.world.now();
        call.with(Who::Bob, crate::peer::Peer::kill);
        call.world.run_for(secs(35));
        let failed = call.entered(Who::Alice, PeerConnectionState::Failed, begin);
        call.world.run_for(secs(60));
        let after = failed.map(|took| begin + took);
        let is_late =
            |sent: &&rig::Sent| after.is_some_and(|after| sent.who == Who::Alice && sent.at > after);
        let datagrams = call.sent.borrow().iter().filter(is_late).count();
        Sample::new()
            .with_some(
                "disconnected",
                call.entered(Who::Alice, PeerConnectionState::Disconnected, begin)
                    .map(|took| took.as_secs_f64()),
            )
            .with_some("failed", failed.map(|took| took.as_secs_f64()))
            .with("datagrams", datagrams as f64)
    });
    row.short(1)
}

/// The longest pauses of sound at both ends after `begin`, and whether the call is whole.
fn gaps(call: &Call, begin: Instant) -> Sample {
    let until = call.world.now();
    let gap = |who| call.peer(who).longest_gap(begin, until).as_secs_f64();
    let up = call.are_connected() && call.is_open();
    Sample::new()
        .with("at Alice", gap(Who::Alice))
        .with("at Bob", gap(Who::Bob))
        .with("longer", gap(Who::Alice).max(gap(Who::Bob)))
        .with_fault(call.peer(Who::Alice).disorder())
        .with_fault(call.peer(Who::Bob).disorder())
        .with_fault((!up).then(|| "the call ended".to_owned()))
}

fn rebound() -> Row {
    let figures = [
        seconds("at Bob", "pause from Alice to Bob, longest").must(AtMost(12.0)),
        seconds("at Alice", "pause from Bob to Alice, longest").must(AtMost(12.0)),
        Figure::new("early", "packets taken from the new port before a check", Unit::Count, Reduce::Max)
            .must(AtMost(0.0)),
    ];
    let row = Row::new("nat-rebind", "Alice's translator forgets her port", figures, |seed| {
        let mut call = talking(seed, Setup::behind_nat);
        let begin = call.world.now();
        call.rebind();
        // What is sent just before reaches the translator after it.
        let since = begin - ONE_WAY;
        let first = |call: &Call| {
            let sent = call.sent.borrow();
            let checks = sent.iter().rev().take_while(|sent| sent.at >= since);
            checks
                .filter(|sent| sent.who == Who::Alice && sent.kind == rig::Kind::Check)
                .last()
                .map(|sent| sent.at)
        };
        let noticed = call.until(secs(20), |call| first(call).is_some());
        // All that is on its way before the first check comes too early.
        let limit = first(&call).filter(|_| noticed.is_some()).unwrap_or(begin) + ONE_WAY;
        call.world.run_for(secs(40));
        let bob = call.peer(Who::Bob);
        let early =
            bob.packets.iter().filter(|packet| packet.at > begin + ONE_WAY && packet.at < limit).count();
        gaps(&call, begin).with("early", early as f64)
    });
    row.short(1)
}

fn restarted() -> Row {
    let figures = [
        seconds("longer", "pause of sound, longest").must(AtMost(2.0)),
        Figure::new("longer", "the same, median", Unit::Seconds, Reduce::Percentile(50.0)),
    ];
    let what = "Bob's address vanishes, another appears; he restarts ICE, signalling takes a round trip";
    let row = Row::new("switch-restart", what, figures, |seed| {
        let mut call = talking(seed, |setup| setup);
        let begin = call.world.now();
        let [first, _] = call.bob;
        call.world.take_down(first);
        call.act(Who::Bob, |session, now| {
            session.remove_local_address(now, address_of(BOB));
            session.add_local_address(now, address_of(BOB_ELSEWHERE), None);
            session.restart_ice(now);
        });
        call.world.run_for(ONE_WAY * 2);
        call.negotiate_again(Who::Bob);
        call.world.run_for(secs(20));
        gaps(&call, begin)
    });
    row.short(1)
}

fn second_pair() -> Row {
    let figures = [
        seconds("longer", "pause of sound, longest").must(AtMost(0.5)),
        Figure::new("longer", "the same, median", Unit::Seconds, Reduce::Percentile(50.0)),
    ];
    let what = "the same with both of Bob's addresses known from the start, without a restart";
    let row = Row::new("switch-second-pair", what, figures, |seed| {
        let mut call = talking(seed, Setup::second_pair);
        let begin = call.world.now();
        let [first, _] = call.bob;
        call.world.take_down(first);
        call.act(Who::Bob, |session, now| session.remove_local_address(now, address_of(BOB)));
        call.world.run_for(secs(40));
        gaps(&call, begin)
    });
    row.short(1)
}
