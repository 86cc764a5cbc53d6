//! Consent (RFC 7675): when sending stops, and what does not keep it alive.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks at what it is about")]

#[path = "common/net.rs"]
mod net;

use ice::{Config, ConnectionState, Event, Received, Role};
use net::{
    Net,
    fake::{Lone, Sent},
    ms, secs,
};
use std::time::Duration;
use stun::attr::Code;

/// Runs in small steps, so that what happens between is seen at the right time.
fn crawl(lone: &mut Lone, time: Duration, mut each: impl FnMut(&mut Lone, &[Sent])) {
    let end = lone.now + time;
    while lone.now < end {
        let mut sent = Vec::new();
        lone.run(ms(100).min(end - lone.now), |_, one| sent.push(one.clone()));
        each(lone, &sent);
    }
}

/// T-I07: neither data, nor requests, nor wrong responses keep consent alive; it ends after 30 s to the millisecond.
#[test]
fn t_i07_only_valid_responses_keep_consent() {
    for role in [Role::Controlling, Role::Controlled] {
        let mut lone = Lone::connected(role, Config::new());
        let (remote, other) = (lone.remote, "10.0.0.2:2001".parse().unwrap());
        // One consent check is answered; its response will be replayed.
        let mut replay = None;
        let mut answered_at = lone.now;
        while replay.is_none() {
            crawl(&mut lone, ms(100), |lone, sent| {
                for sent in sent.iter().filter(|sent| sent.is_request()) {
                    let response = lone.success(sent);
                    let _ = lone.feed(remote, &response);
                    if lone.agent.stats().pairs[0].counters.consent_requests_sent > 0 {
                        answered_at = lone.now;
                        replay = Some(response);
                    }
                }
            });
        }
        let replay = replay.unwrap();
        let wait = answered_at + secs(30) - ms(1) - lone.now;
        crawl(&mut lone, wait, |lone, sent| {
            assert!(matches!(lone.feed(remote, b"\x80 valid SRTP"), Received::Peer { .. }));
            assert_eq!(lone.feed(remote, &replay), Received::Ignored);
            let request = lone.request(role.opposite(), true);
            assert_eq!(lone.feed(remote, &request), Received::Control);
            for sent in sent.iter().filter(|sent| sent.is_request()) {
                let forged = lone.success_with(sent, "wrong-password-wrong-password", sent.path.local);
                assert_eq!(lone.feed(remote, &forged), Received::Ignored);
                let elsewhere = lone.success(sent);
                let _ = lone.feed(other, &elsewhere);
            }
        });
        assert!(lone.can_send(), "{role}: one millisecond before the end");
        let mut last = None;
        lone.run(ms(1), |_, sent| last = Some(sent.clone()));
        assert!(!lone.can_send(), "{role}");
        assert_eq!(lone.agent.connection_state(), ConnectionState::Failed);
        // Late is too late, and nothing leaves any more.
        if let Some(sent) = last.filter(Sent::is_request) {
            lone.answer(&sent);
        }
        let request = lone.request(role.opposite(), true);
        assert_eq!(lone.feed(remote, &request), Received::Ignored);
        assert_eq!(lone.feed(remote, b"\x80 late"), Received::Ignored);
        lone.run(secs(600), |_, sent| panic!("sent {sent:?} without consent"));
        assert!(!lone.agent.is_writable());
        assert!(lone.agent.stats().counters.unauthenticated > 0);
        assert!(lone.agent.stats().counters.asymmetric_responses > 0);
    }
}

/// T-I07: most responses lost, and it stays up.
#[test]
fn t_i07_a_response_now_and_then_is_enough() {
    let mut lone = Lone::connected(Role::Controlling, Config::new());
    let (mut last, mut lost, mut answered) = (lone.now, 0, 0);
    crawl(&mut lone, secs(1_800), |lone, sent| {
        for sent in sent.iter().filter(|sent| sent.is_request()) {
            // The next one could come six seconds from now.
            if sent.at - last >= secs(23) {
                last = lone.now;
                answered += 1;
                lone.answer(sent);
            } else {
                lost += 1;
            }
        }
        assert!(lone.agent.is_writable());
    });
    assert!(lost > 4 * answered, "{lost} lost, {answered} answered");
}

/// RFC 7675 §5.1: a consent check is sent once only; with every fifth datagram lost each way, six in a row are lost within
/// the hour. What is missed is followed by ordinary checks, and no state changes for that.
#[test]
fn rfc7675_5_1_a_lossy_path_does_not_end_consent() {
    for role in [Role::Controlling, Role::Controlled] {
        let mut lone = Lone::connected(role, Config::new().with_disconnect_after(secs(25)));
        lone.run(secs(10), |lone, sent| lone.answer(sent));
        let mut dice = 7_u32;
        let mut sent_in_all = 0;
        let (before, state) = (lone.events.len(), lone.agent.connection_state());
        lone.run(secs(24 * 3_600), |lone, sent| {
            sent_in_all += 1;
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // 36 %: the request or its response.
            if sent.is_request() && (dice >> 16) % 100 >= 36 {
                lone.answer(sent);
            }
        });
        assert!(lone.agent.is_writable(), "{role}");
        assert_eq!(lone.agent.connection_state(), state, "{role}");
        let changes = lone.events.iter().skip(before);
        let changes: Vec<_> =
            changes.filter(|event| matches!(event, Event::ConnectionStateChanged(_))).collect();
        assert!(changes.is_empty(), "{role}: {changes:?}");
        // One every 5 s, and now and then a check more.
        assert!(sent_in_all < 2 * 24 * 3_600 / 5, "{role}: {sent_in_all}");
    }
}

/// A silent peer is asked a few times a second at most, and for no longer than consent lasts.
#[test]
fn rfc7675_5_1_checks_after_missed_consent_are_few() {
    let mut lone = Lone::connected(Role::Controlling, Config::new());
    let (mut sent, start) = (Vec::new(), lone.now);
    lone.run(secs(600), |_, one| sent.push(one.at - start));
    assert!((10..=40).contains(&sent.len()), "{sent:?}");
    assert!(sent.iter().all(|at| *at <= secs(30)), "{sent:?}");
    // Whenever the path comes back it is noticed soon.
    let pauses: Vec<_> = sent.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(pauses.iter().all(|pause| *pause <= secs(6)), "{pauses:?}");
}

/// RFC 7675 §5.1: interval, jitter, new transaction ids, sent once only.
#[test]
fn consent_checks_come_every_4_to_6_seconds_with_new_ids() {
    let mut lone = Lone::connected(Role::Controlled, Config::new());
    let mut sent = Vec::new();
    lone.run(secs(600), |lone, one| {
        sent.push(one.clone());
        lone.answer(one);
    });
    let gaps: Vec<_> = sent.windows(2).map(|two| two[1].at - two[0].at).collect();
    assert!(gaps.iter().all(|gap| (secs(4)..=secs(6)).contains(gap)), "{gaps:?}");
    assert!(gaps.iter().max() > gaps.iter().min());
    let mut ids: Vec<_> = sent.iter().map(|sent| *sent.message().transaction_id().as_bytes()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), sent.len());
}

/// RFC 7675 §5.2.
#[test]
fn a_forbidden_response_ends_consent_at_once() {
    let mut lone = Lone::connected(Role::Controlled, Config::new());
    let remote = lone.remote;
    lone.run(secs(10), |lone, sent| {
        let refusal = lone.error(sent, Code::FORBIDDEN);
        let _ = lone.feed(remote, &refusal);
    });
    assert!(!lone.agent.is_writable());
    lone.run(secs(60), |_, sent| panic!("sent {sent:?}"));
    assert_eq!(lone.agent.connection_state(), ConnectionState::Failed);
}

/// Users 14, and the fault "kill -9": both moments are the configured ones, for ten sets of parameters (users 16).
#[test]
fn users_16_failure_is_detected_when_the_documentation_says() {
    for (index, (interval, disconnect, expiry)) in [
        (5, 7_000, 30),
        (5, 5_000, 30),
        (5, 10_000, 30),
        (4, 7_000, 30),
        (4, 6_500, 25),
        (10, 13_000, 30),
        (5, 7_000, 20),
        (6, 8_000, 15),
        (5, 2_000, 30),
        (8, 11_000, 28),
    ]
    .into_iter()
    .enumerate()
    {
        let mut net = Net::new(index as u64);
        let config = || {
            Config::new()
                .with_consent_interval(secs(interval))
                .with_disconnect_after(ms(disconnect))
                .with_consent_expiry(secs(expiry))
        };
        net.add(config(), Role::Controlling, &["10.0.0.1:1000"]);
        net.add(config(), Role::Controlled, &["10.0.0.2:2000"]);
        net.start();
        assert!(net.run_until_connected(secs(2)));
        net.run(secs(20));
        // The peer is killed: nothing of it arrives any more.
        let killed = net.now;
        net.filter = Some(Box::new(move |_, from, _, _| from == net::address("10.0.0.2:2000")));
        net.run(secs(60));
        let peer = &net.peers[0];
        let disconnected = peer.time_of_state(ConnectionState::Disconnected).unwrap();
        let failed = peer.time_of_state(ConnectionState::Failed).unwrap();
        // What was on the way still arrived, and the last response may be older than the last datagram.
        let longest = secs(interval) * 12 / 10 + ms(50);
        assert!(disconnected - killed <= ms(disconnect) + ms(20), "set {index}");
        assert!(disconnected + longest >= killed + ms(disconnect), "set {index}");
        assert!(failed - killed <= secs(expiry) + ms(20), "set {index}");
        assert!(failed + longest >= killed + secs(expiry), "set {index}");
        assert!(failed > disconnected || secs(expiry) <= ms(disconnect), "set {index}");
    }
}

/// A blackout of 25 s is survived, one of 31 s is not, and both sides say so.
#[test]
fn blackouts_of_25_and_31_seconds() {
    for (blackout, survives) in [(23, true), (37, false)] {
        let mut net = Net::pair(5);
        assert!(net.run_until_connected(secs(2)));
        net.run(secs(10));
        net.filter = Some(Box::new(|_, _, _, _| true));
        let start = net.now;
        net.run(secs(blackout));
        net.filter = None;
        net.run(secs(10));
        for peer in 0..2 {
            if survives {
                assert_eq!(net.state(peer), ConnectionState::Completed, "{blackout} s");
            } else {
                assert_eq!(net.state(peer), ConnectionState::Failed, "{blackout} s");
                let failed = net.peers[peer].time_of_state(ConnectionState::Failed).unwrap();
                assert!(failed - start <= secs(31));
            }
        }
        assert_eq!(net.exchange(), survives);
    }
}

/// Suspended for a minute: no panic, no burst, and the end is said.
#[test]
fn a_suspended_process_wakes_up_without_a_burst() {
    let mut lone = Lone::connected(Role::Controlling, Config::new());
    lone.run(secs(1), |lone, sent| lone.answer(sent));
    lone.now += secs(60);
    lone.agent.handle_timeout(lone.now);
    let sent = lone.drain();
    assert!(sent.len() <= 10, "{} datagrams", sent.len());
    assert_eq!(lone.agent.connection_state(), ConnectionState::Failed);
    assert!(lone.events.iter().any(|event| matches!(event, Event::SelectedPairChanged(None))));
}

/// RFC 7675 §5.1: a process that was suspended finds old responses in its socket; they come too late, whether it looks
/// at the clock or at the socket first.
#[test]
fn rfc7675_5_1_responses_after_expiry_do_not_revive_consent() {
    let mut lone = Lone::connected(Role::Controlling, Config::new());
    let remote = lone.remote;
    let mut last = None;
    lone.run(secs(6), |_, sent| last = Some(sent.clone()));
    let response = lone.success(&last.expect("a consent check"));
    lone.now += secs(60);
    let _ = lone.feed(remote, &response);
    lone.agent.handle_timeout(lone.now);
    assert!(!lone.agent.is_writable());
    assert_eq!(lone.agent.connection_state(), ConnectionState::Failed);
}

/// Suspended for five seconds: the call goes on.
#[test]
fn a_short_suspension_changes_nothing() {
    let mut lone = Lone::connected(Role::Controlling, Config::new());
    lone.run(secs(1), |lone, sent| lone.answer(sent));
    lone.now += secs(5);
    lone.agent.handle_timeout(lone.now);
    let sent = lone.drain();
    lone.answer_all(&sent);
    assert!(sent.len() <= 10);
    assert_eq!(lone.agent.connection_state(), ConnectionState::Completed);
}
