//! RFC 8445, 8838, 8863: one test per requirement.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks at what it is about")]

#[path = "common/net.rs"]
mod net;

use ice::{
    AddCandidateError, Candidate, CandidatePairState, Config, ConnectionState, Credentials, Event,
    GatheringState, Implementation, LocalAddress, Received, Role,
};
use net::{Net, address, fake::Lone, ms, secs};
use stun::{
    AttributeType, Message,
    attr::{Code, ErrorCode, IceControlled, IceControlling},
};

/// §7.3.1.1, all four rows; the fake's tie-breaker is 5 or the greatest there is.
#[test]
fn ice_role_conflict_server_side_table() {
    for (ours, tie_breaker, refused) in [
        (Role::Controlling, 0, true),
        (Role::Controlling, u64::MAX, false),
        (Role::Controlled, 0, false),
        (Role::Controlled, u64::MAX, true),
    ] {
        let mut lone = Lone::new(ours, Config::new());
        let username = format!("{}:fake", lone.agent.local_credentials().ufrag());
        let pwd = lone.agent.local_credentials().pwd().to_owned();
        let request = lone.request_with(&username, &pwd, ours, tie_breaker, false);
        let _ = lone.feed(lone.remote, &request);
        let sent = lone.drain();
        let answer = sent.iter().find(|sent| !sent.is_request()).unwrap().message();
        let code = answer.get::<ErrorCode<'_>>().unwrap().map(|error| error.code());
        assert_eq!(code == Some(Code::ROLE_CONFLICT), refused, "{ours} {tie_breaker}");
        assert_eq!(lone.agent.role() == ours, refused, "{ours} {tie_breaker}");
        let changed = lone.events.iter().any(|event| matches!(event, Event::RoleChanged(_)));
        assert_eq!(changed, !refused);
        assert_eq!(lone.agent.stats().counters.role_conflicts, 1);
    }
}

/// §7.2.5.1.
#[test]
fn ice_487_switches_role_and_changes_tiebreaker() {
    let mut lone = Lone::new(Role::Controlling, Config::new());
    lone.add_candidate(lone.remote);
    let sent = lone.drain();
    let before = sent[0].message().get::<IceControlling>().unwrap().unwrap().value();
    let refusal = lone.error(&sent[0], Code::ROLE_CONFLICT);
    let _ = lone.feed(lone.remote, &refusal);
    assert_eq!(lone.agent.role(), Role::Controlled);
    lone.now += ms(50);
    let again = lone.drain();
    let after = again[0].message().get::<IceControlled>().unwrap().unwrap().value();
    assert_ne!(before, after);
    lone.answer_all(&again);
    assert!(lone.agent.is_writable());
}

/// Both sides with the same role connect, and end with different ones.
#[test]
fn role_conflicts_are_repaired_between_two_agents() {
    for role in [Role::Controlling, Role::Controlled] {
        for seed in 0..20 {
            let mut net = Net::new(seed);
            net.add(Config::new(), role, &["10.0.0.1:1000"]);
            net.add(Config::new(), role, &["10.0.0.2:2000"]);
            net.start();
            net.run(secs(5));
            assert_ne!(net.peers[0].agent.role(), net.peers[1].agent.role());
            assert_eq!([0, 1].map(|peer| net.state(peer)), [ConnectionState::Completed; 2]);
        }
    }
}

/// §6.1.1: towards a lite peer we control, whatever was asked for.
#[test]
fn ice_full_vs_lite_roles() {
    let mut lone = Lone::new(Role::Controlled, Config::new());
    lone.agent.set_remote_implementation(Implementation::Lite);
    assert_eq!(lone.agent.role(), Role::Controlling);
    lone.agent.set_role(Role::Controlled);
    assert_eq!(lone.agent.role(), Role::Controlling);
    lone.add_candidate(lone.remote);
    lone.agent.end_of_remote_candidates(lone.now);
    let mut nominated = false;
    lone.run(secs(2), |lone, sent| {
        nominated |= sent.nominates();
        lone.answer(sent);
    });
    assert!(nominated);
    assert_eq!(lone.agent.connection_state(), ConnectionState::Completed);
}

/// §8.1.1: the controlling side nominates one pair; the controlled side never nominates.
#[test]
fn ice_regular_nomination_once_per_component() {
    for seed in 0..20 {
        let mut net = Net::new(seed);
        net.loss = 10;
        net.add(Config::new(), Role::Controlling, &["10.0.0.1:1000", "10.9.0.1:1001"]);
        net.add(Config::new(), Role::Controlled, &["10.0.0.2:2000", "10.9.0.2:2001"]);
        net.start();
        net.run(secs(10));
        let nominations = |peer: usize| {
            let mut paths: Vec<_> = net.peers[peer]
                .sent
                .iter()
                .filter(|(_, _, bytes)| {
                    Message::parse(bytes).is_ok_and(|message| message.contains(AttributeType::USE_CANDIDATE))
                })
                .map(|(_, path, _)| *path)
                .collect();
            paths.sort_unstable();
            paths.dedup();
            paths.len()
        };
        assert_eq!((nominations(0), nominations(1)), (1, 0), "seed {seed}");
        for peer in &net.peers {
            assert_eq!(peer.agent.stats().pairs.iter().filter(|pair| pair.nominated).count(), 1);
        }
        let paths = [0, 1].map(|peer| net.peers[peer].agent.selected_pair().unwrap().path);
        assert_eq!(paths[0], paths[1].reversed());
    }
}

/// §7.3.1.5: a nomination of a pair that is not valid yet counts once our check succeeds.
#[test]
fn a_nomination_waits_for_our_own_check() {
    let mut lone = Lone::new(Role::Controlled, Config::new());
    let request = lone.request(Role::Controlling, true);
    let _ = lone.feed(lone.remote, &request);
    assert!(lone.agent.stats().pairs.iter().all(|pair| !pair.nominated));
    let sent = lone.drain();
    lone.answer_all(&sent);
    assert!(lone.agent.stats().pairs[0].nominated);
}

/// §7.3.1.4: a check from the peer makes ours come at once, even when ours is on its way.
#[test]
fn ice_triggered_checks_queue() {
    let mut lone = Lone::new(Role::Controlled, Config::new());
    for port in 2_000..2_010 {
        lone.add_candidate(([10, 0, 0, 2], port).into());
    }
    assert_eq!(lone.drain().len(), 1);
    let last = address("10.0.0.2:2009");
    let request = lone.request(Role::Controlling, false);
    let _ = lone.feed(last, &request);
    lone.now += ms(50);
    let sent = lone.drain();
    assert!(sent.iter().any(|sent| sent.is_request() && sent.path.remote == last));
    let request = lone.request(Role::Controlling, false);
    let _ = lone.feed(last, &request);
    lone.now += ms(50);
    let again = lone.drain();
    let again = again.iter().find(|sent| sent.is_request()).unwrap();
    assert_eq!(again.path.remote, last, "checked again, in a new transaction");
    // The cancelled one still counts when it is answered.
    let first = sent.iter().find(|sent| sent.is_request()).unwrap();
    lone.answer(first);
    assert!(lone.agent.is_writable());
}

/// §14.1, §14.2.
#[test]
fn ice_ta_50ms_pacing_min_5ms() {
    for pacing in [5, 50, 200] {
        let mut lone = Lone::new(Role::Controlling, Config::new().with_pacing(ms(pacing)));
        for port in 2_000..2_020 {
            lone.add_candidate(([10, 0, 0, 2], port).into());
        }
        let mut times = Vec::new();
        lone.run(ms(pacing * 19).min(ms(450)), |_, sent| times.push(sent.at));
        assert!(times.windows(2).all(|two| two[1] - two[0] == ms(pacing)), "{times:?}");
    }
}

/// §14.3: 0.5, 1, 2, ... seconds between requests, the same bytes every time, 39.5 s in all.
#[test]
fn a_check_is_repeated_as_rfc8489_says() {
    let mut lone = Lone::new(Role::Controlling, Config::new());
    lone.add_candidate(lone.remote);
    let mut sent = Vec::new();
    lone.run(ms(39_499), |_, one| sent.push(one.clone()));
    let start = sent[0].at;
    let times: Vec<_> = sent.iter().map(|sent| sent.at - start).collect();
    assert_eq!(times, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500].map(ms));
    assert!(sent.iter().all(|one| one.bytes == sent[0].bytes));
    assert_eq!(lone.agent.stats().pairs[0].state, CandidatePairState::InProgress);
    lone.run(ms(1), |_, _| ());
    assert_eq!(lone.agent.stats().pairs[0].state, CandidatePairState::Failed);
}

/// RFC 8863 §4: not before 39.5 s, even when every pair has failed long ago.
#[test]
fn pac_timer_39_5s_before_failed() {
    let mut lone = Lone::new(Role::Controlling, Config::new().with_max_transmissions(1));
    let start = lone.now;
    lone.add_candidate(lone.remote);
    lone.agent.end_of_remote_candidates(lone.now);
    lone.run(ms(39_499), |_, _| ());
    assert_eq!(lone.agent.stats().pairs[0].state, CandidatePairState::Failed);
    assert_eq!(lone.agent.connection_state(), ConnectionState::Checking);
    // A check of the peer still connects.
    lone.run(ms(1), |_, _| ());
    assert_eq!(lone.now - start, ms(39_500));
    assert_eq!(lone.agent.connection_state(), ConnectionState::Failed);
}

/// RFC 8863: a peer-reflexive candidate that comes late saves a session without any candidate.
#[test]
fn a_late_check_of_the_peer_connects() {
    let mut lone = Lone::new(Role::Controlled, Config::new());
    lone.agent.end_of_remote_candidates(lone.now);
    lone.run(secs(39), |_, _| ());
    let request = lone.request(Role::Controlling, true);
    let _ = lone.feed(lone.remote, &request);
    let sent = lone.drain();
    lone.answer_all(&sent);
    assert!(lone.agent.is_writable());
}

/// RFC 8838 §8: while candidates may come, nothing is final.
#[test]
fn trickle_checklist_stays_running_until_end_of_candidates() {
    let mut lone = Lone::new(Role::Controlling, Config::new());
    lone.run(secs(30), |_, _| ());
    lone.add_candidate(lone.remote);
    lone.run(secs(39), |_, _| ());
    assert_eq!(lone.agent.connection_state(), ConnectionState::Checking);
    lone.add_candidate("10.0.0.3:3000".parse().unwrap());
    let mut sent = lone.drain();
    sent.retain(|sent| sent.path.remote.port() == 3_000);
    lone.answer_all(&sent);
    assert!(lone.agent.is_writable());
}

/// RFC 8838 §14.
#[test]
fn trickle_remote_candidates_after_end_are_refused() {
    let mut lone = Lone::new(Role::Controlling, Config::new());
    lone.agent.end_of_remote_candidates(lone.now);
    let candidate: Candidate = "candidate:1 1 udp 1 10.0.0.2 2000 typ host".parse().unwrap();
    assert_eq!(
        lone.agent.add_remote_candidate(lone.now, candidate.clone()),
        Err(AddCandidateError::AfterEnd)
    );
    let mut lone = Lone::new(Role::Controlling, Config::new());
    let other = candidate.clone().with_ufrag("other");
    assert_eq!(lone.agent.add_remote_candidate(lone.now, other), Err(AddCandidateError::UnknownUfrag));
    lone.agent.close(lone.now);
    assert_eq!(lone.agent.add_remote_candidate(lone.now, candidate), Err(AddCandidateError::Closed));
}

/// Candidates may come before the credentials.
#[test]
fn candidates_before_credentials_are_kept() {
    let mut net = Net::new(4);
    net.add(Config::new(), Role::Controlling, &["10.0.0.1:1000"]);
    net.add(Config::new(), Role::Controlled, &["10.0.0.2:2000"]);
    for peer in 0..2 {
        net.gather(peer);
    }
    net.run(ms(100));
    assert_eq!([0, 1].map(|peer| net.state(peer)), [ConnectionState::New; 2]);
    net.exchange_credentials();
    assert!(net.run_until_connected(ms(200)));
}

/// §9: new credentials, the same role, and data all the while.
#[test]
fn ice_restart_changes_both_ufrag_pwd_keeps_media() {
    let mut net = Net::pair(9);
    assert!(net.run_until_connected(secs(1)));
    net.run(secs(5));
    let old = net.peers[0].agent.local_credentials().clone();
    let roles = [0, 1].map(|peer| net.peers[peer].agent.role());
    let now = net.now;
    for peer in 0..2 {
        net.peers[peer].agent.restart(now);
    }
    let new = net.peers[0].agent.local_credentials().clone();
    assert!(old.ufrag() != new.ufrag() && old.pwd() != new.pwd());
    // The answer takes its time; the old pair carries on, and keeps its consent.
    for _ in 0..40 {
        net.run(secs(1));
        assert!(net.exchange());
    }
    assert_eq!(net.state(0), ConnectionState::Connected);
    net.start();
    let mut inbox = net.peers[1].inbox.len();
    for _ in 0..200 {
        assert!(net.send_data(0, b"\x80 data"));
        inbox += 1;
        net.run(ms(10));
    }
    net.run(ms(50));
    assert_eq!(net.peers[1].inbox.len(), inbox, "nothing lost");
    net.run(secs(60));
    assert!(net.exchange());
    assert_eq!(roles, [0, 1].map(|peer| net.peers[peer].agent.role()), "ice_role_kept_across_restart");
    assert_eq!([0, 1].map(|peer| net.state(peer)), [ConnectionState::Completed; 2]);
    let ufrags: Vec<_> = net.peers[0].candidates().iter().map(|of| of.ufrag().unwrap().to_owned()).collect();
    assert_eq!(ufrags, [old.ufrag(), new.ufrag()]);
}

/// A restart whose new generation never works leaves the old pair in use until its consent ends.
#[test]
fn a_restart_that_leads_nowhere_does_not_cut_the_old_pair() {
    let mut lone = Lone::connected(Role::Controlling, Config::new());
    lone.agent.restart(lone.now);
    lone.agent.start_gathering(lone.now);
    lone.agent.local_addresses_complete(lone.now);
    let pwd = "another-password-of-22-chars";
    lone.agent.set_remote_credentials(lone.now, Credentials::new("next", pwd).unwrap());
    lone.add_candidate("10.0.0.3:3000".parse().unwrap());
    lone.agent.end_of_remote_candidates(lone.now);
    let old = lone.remote;
    lone.run(secs(300), |lone, sent| {
        if sent.path.remote == old {
            lone.answer(sent);
        }
    });
    assert!(lone.can_send());
    assert_eq!(lone.feed(old, b"\x80 data"), Received::Peer { payload: 0..6 });
    lone.run(secs(31), |_, _| ());
    assert!(!lone.can_send());
    assert_eq!(lone.agent.connection_state(), ConnectionState::Failed);
}

/// The peer restarts, we do not: its new credentials begin a new generation of its side.
#[test]
fn a_peer_that_restarts_alone_is_followed() {
    let mut lone = Lone::connected(Role::Controlling, Config::new());
    let ufrag = lone.agent.local_credentials().ufrag().to_owned();
    lone.credentials = Credentials::new("next", "another-password-of-22-chars").unwrap();
    lone.agent.set_remote_credentials(lone.now, lone.credentials.clone());
    assert_eq!(lone.agent.local_credentials().ufrag(), ufrag);
    assert!(lone.can_send(), "on the old pair");
    lone.add_candidate("10.0.0.3:3000".parse().unwrap());
    lone.run(secs(2), |lone, sent| {
        if sent.path.remote.port() == 3_000 {
            lone.answer(sent);
        }
    });
    assert_eq!(lone.agent.selected_pair().unwrap().path.remote.port(), 3_000);
}

/// RFC 8421: IPv6 and IPv4 take turns.
#[test]
fn ice_dual_stack_interleaving() {
    let mut net = Net::new(21);
    let ours = ["10.0.0.1:1", "10.0.0.3:3", "[2001:db8::1]:1", "[2001:db8::3]:3"];
    net.add(Config::new(), Role::Controlling, &ours);
    net.add(Config::new(), Role::Controlled, &["10.0.0.2:2", "[2001:db8::2]:2"]);
    net.filter = Some(Box::new(|_, _, _, _| true));
    net.start();
    net.run(ms(400));
    let families: Vec<_> = net.peers[0].sent.iter().map(|(_, path, _)| path.remote.is_ipv6()).collect();
    assert_eq!(families[..4], [true, false, true, false]);
    let mut priorities: Vec<_> = net.peers[0].candidates().iter().map(|of| of.priority()).collect();
    priorities.sort_unstable();
    priorities.dedup();
    assert_eq!(priorities.len(), 4, "§5.1.2: unique");
}

/// IPv6 alone, with link-local addresses.
#[test]
fn ipv6_connects_within_its_scope() {
    let mut net = Net::new(22);
    net.add(Config::new(), Role::Controlling, &["[fe80::1]:1", "[2001:db8::1]:1"]);
    net.add(Config::new(), Role::Controlled, &["[fe80::2]:2", "[2001:db8::2]:2"]);
    net.start();
    assert!(net.run_until_connected(secs(1)));
    assert_eq!(net.peers[0].agent.stats().pairs.len(), 2);
    assert!(net.exchange());
}

/// The scope of a link-local address is the host's own affair: not signalled, and put back for sending.
#[test]
fn link_local_scopes_are_kept_apart_from_addresses() {
    let mut lone = Lone::at(Role::Controlling, Config::new(), "[fe80::1%7]:1000", "[fe80::2%7]:2000");
    assert!(lone.agent.local_candidates().all(|candidate| candidate.to_string().contains(" fe80::1 1000 ")));
    let candidate: Candidate = "candidate:1 1 udp 2130706431 fe80::2 2000 typ host".parse().unwrap();
    lone.agent.add_remote_candidate(lone.now, candidate).unwrap();
    let sent = lone.drain();
    assert_eq!(sent[0].path.remote, lone.remote);
    let response = lone.success_with(&sent[0], lone.credentials.pwd(), address("[fe80::1]:1000"));
    let _ = lone.feed(lone.remote, &response);
    assert!(lone.can_send());
    let pair = lone.agent.selected_pair().unwrap();
    assert_eq!(pair.local.kind(), ice::CandidateKind::Host);
    assert_eq!(pair.path.remote, lone.remote);
    assert!(matches!(lone.feed(lone.remote, b"\x80 data"), Received::Peer { .. }));
}

/// Law L7.
#[test]
fn closed_is_final() {
    let mut lone = Lone::connected(Role::Controlling, Config::new());
    lone.agent.close(lone.now);
    let mut last = None;
    let mut out = Vec::new();
    assert!(lone.agent.poll_transmit(lone.now, &mut out).is_none());
    while let Some(event) = lone.agent.poll_event() {
        last = Some(event);
    }
    assert!(matches!(last, Some(Event::Closed)));
    lone.agent.close(lone.now);
    lone.agent.restart(lone.now);
    lone.agent.start_gathering(lone.now);
    lone.agent.add_local_address(lone.now, LocalAddress::new(address("10.5.0.1:5")));
    lone.agent.set_remote_credentials(lone.now, lone.credentials.clone());
    lone.agent.set_role(Role::Controlled);
    let request = lone.request(Role::Controlled, false);
    assert_eq!(lone.feed(lone.remote, &request), Received::Ignored);
    lone.agent.handle_timeout(lone.now + secs(100));
    assert!(lone.agent.poll_event().is_none() && lone.agent.poll_timeout().is_none());
    assert!(lone.agent.poll_transmit(lone.now + secs(100), &mut out).is_none() && out.is_empty());
    assert!(!lone.can_send());
    assert_eq!(lone.agent.connection_state(), ConnectionState::Closed);
}

/// Law L4: same seed, same calls, same bytes.
#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || {
        let mut net = Net::new(77);
        net.loss = 15;
        net.add(Config::new(), Role::Controlling, &["10.0.0.1:1000"]);
        net.add(Config::new(), Role::Controlled, &["10.0.0.2:2000"]);
        let start = net.now;
        net.start();
        net.run(secs(60));
        let sent = |peer: usize| {
            let all = net.peers[peer].sent.iter();
            all.map(|(at, path, bytes)| (*at - start, *path, bytes.clone())).collect::<Vec<_>>()
        };
        (sent(0), sent(1))
    };
    assert_eq!(run(), run());
}

/// Gathering without any server or socket still ends.
#[test]
fn gathering_nothing_completes_at_once() {
    let mut net = Net::new(1);
    net.add(Config::new(), Role::Controlling, &[]);
    net.gather(0);
    net.drain();
    assert_eq!(net.peers[0].agent.gathering_state(), GatheringState::Complete);
}
