//! Our client and our server against each other, in virtual time.

use std::time::Duration;
use turn::{
    ClientConfig, Family, FiveTuple,
    client::{AllocateError, CloseReason, CommandError, Event, RequestError},
    server::{self, PasswordPolicy, ReleaseReason},
};

#[path = "harness/net.rs"]
mod net;
use net::{Net, PASSWORD, SERVER6, USER, addr, client_path, server_config};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const PEER: &str = "192.0.2.77:5000";

#[test]
fn allocates_permits_binds_and_relays_both_ways() {
    let mut net = Net::with_client(1);
    let peer = addr(PEER);
    let relayed = net.permit(peer);
    let Some(Event::Allocated { mapped, lifetime, .. }) = net.client_events[0].first() else {
        panic!("no allocation: {:?}", net.client_events[0]);
    };
    assert_eq!((*mapped, *lifetime), (client_path(0).local, secs(600)));
    assert_eq!(net.client_events[0][1], Event::PermissionReady(peer.ip()));

    assert!(net.send(0, peer, b"by indication"));
    net.send_from_peer(peer, relayed, b"hello");
    net.run(secs(1));
    assert_eq!(
        net.at_peers.pop().map(|it| (it.from, it.to, it.payload)),
        Some((relayed, peer, b"by indication".to_vec()))
    );
    assert_eq!(net.at_clients.pop(), Some((0, peer, b"hello".to_vec())));

    net.clients[0].bind_channel(net.now, peer).expect("invariant: allocated");
    assert!(net.run_until(secs(5), |net| net.clients[0].has_channel(peer)));
    assert_eq!(net.clients[0].overhead(peer), 4);
    assert!(net.send(0, peer, b"by channel"));
    net.run(secs(1));
    assert!(net.send(0, peer, b""));
    net.send_from_peer(peer, relayed, b"back");
    net.run(secs(1));
    let payloads: Vec<_> = net.at_peers.iter().map(|it| it.payload.clone()).collect();
    assert_eq!(payloads, [b"by channel".to_vec(), Vec::new()]);
    assert_eq!(net.at_clients.pop(), Some((0, peer, b"back".to_vec())));
    let stats = net.clients[0].stats();
    assert_eq!((stats.datagrams_sent, stats.datagrams_received, stats.bytes_received), (3, 2, 9));
}

/// RFC 8656 §11.3, §9: permissions are per address, not per port.
#[test]
fn turn_data_from_unpermitted_peer_dropped() {
    let mut net = Net::with_client(2);
    let relayed = net.permit(addr(PEER));
    net.send_from_peer(addr("192.0.2.78:5000"), relayed, b"stranger");
    net.send_from_peer(addr("192.0.2.77:6000"), relayed, b"other port");
    net.run(secs(1));
    assert_eq!(net.at_clients, [(0, addr("192.0.2.77:6000"), b"other port".to_vec())]);
    assert_eq!(net.server.stats().unpermitted, 1);
    assert!(!net.send(0, addr("192.0.2.79:1"), b"no permission"), "the client does not even try");
}

#[test]
fn ipv6_over_ipv6() {
    let mut net = Net::new(server_config(), 3);
    let path = FiveTuple::udp(addr("[2001:db8::9]:4000"), addr(SERVER6));
    net.add_client(ClientConfig::new(path, USER, PASSWORD).with_family(Family::Ipv6));
    let peer = addr("[2001:db8:1::77]:5000");
    assert_eq!(net.clients[0].create_permission(net.now, addr(PEER)), Err(CommandError::FamilyMismatch));
    let relayed = net.permit(peer);
    assert!(relayed.is_ipv6());
    assert!(net.send(0, peer, b"six"));
    net.send_from_peer(peer, relayed, b"xis");
    net.run(secs(1));
    assert_eq!(net.at_peers.len(), 1);
    assert_eq!(net.at_clients, [(0, peer, b"xis".to_vec())]);
    assert_eq!(net.clients[0].create_permission(net.now, addr(PEER)), Err(CommandError::FamilyMismatch));
}

/// Two clients of one server reach each other over both relays, which is what two browsers behind firewalls do.
#[test]
fn relay_to_relay_on_one_server() {
    let mut net = Net::with_client(4);
    net.add_client(ClientConfig::new(client_path(1), USER, PASSWORD));
    assert!(
        net.run_until(secs(5), |net| net.clients.iter().all(|client| client.relayed_address().is_some()))
    );
    let address =
        |net: &Net, index: usize| net.clients[index].relayed_address().expect("invariant: allocated");
    let (first, second) = (address(&net, 0), address(&net, 1));
    net.clients[0].bind_channel(net.now, second).expect("invariant: allocated");
    net.clients[1].create_permission(net.now, first).expect("invariant: allocated");
    assert!(net.run_until(secs(5), |net| net.clients[0].has_channel(second)
        && net.clients[1].has_permission(first)));
    assert!(net.send(0, second, b"over two relays"));
    assert!(net.send(1, first, b"and back"));
    net.run(secs(1));
    assert_eq!(net.at_clients.len(), 2);
    assert!(net.at_clients.contains(&(1, first, b"over two relays".to_vec())));
    assert!(net.at_clients.contains(&(0, second, b"and back".to_vec())));
}

#[test]
fn sha256_is_used_when_the_server_offers_it() {
    for policy in [PasswordPolicy::Sha256, PasswordPolicy::Sha256OrMd5, PasswordPolicy::Md5] {
        let mut net = Net::new(server_config().with_passwords(policy), 5);
        net.add_client(ClientConfig::new(client_path(0), USER, PASSWORD));
        net.permit(addr(PEER));
        net.run(secs(3_600));
        assert!(net.clients[0].has_permission(addr(PEER)), "{policy:?}");
    }
}

/// RFC 8656 §8, §9, §12: everything is refreshed in time, over hours and many nonces.
#[test]
fn turn_refresh_before_expiry_default_600s() {
    let mut net = Net::with_client(6);
    let peer = addr(PEER);
    let relayed = net.permit(peer);
    net.clients[0].bind_channel(net.now, peer).expect("invariant: allocated");
    assert!(net.run_until(secs(5), |net| net.clients[0].has_channel(peer)));
    for _ in 0..24 * 6 {
        net.run(secs(600));
        assert!(net.send(0, peer, b"still"));
        net.send_from_peer(peer, relayed, b"here");
        net.run(secs(1));
        assert_eq!((net.at_peers.len(), net.at_clients.len()), (1, 1));
        net.at_peers.clear();
        net.at_clients.clear();
    }
    assert_eq!(net.client_events[0].len(), 3, "nothing new to tell: {:?}", net.client_events[0]);
    assert!(net.clients[0].stats().stale_nonces > 100, "nonces of 600 s ran out on the way");
    // One allocation every 480 s, one permission every 240 s, one channel every 480 s, each with a stale nonce at
    // most: nowhere near a busy loop.
    assert!(net.clients[0].stats().requests_sent < 1_500, "{}", net.clients[0].stats().requests_sent);
}

/// The same with loss, repetition and reordering.
#[test]
fn survives_loss_and_repetition() {
    for seed in 0..40 {
        let mut net = Net::with_client(100 + seed);
        (net.loss_percent, net.duplicate_percent) = (20, 20);
        net.latency = Duration::from_millis(60);
        let peer = addr(PEER);
        net.clients[0].bind_channel(net.now, peer).expect("invariant: before the allocation is fine");
        assert!(
            net.run_until(secs(120), |net| net.clients[0].has_channel(peer)),
            "seed {seed}: {:?} {:?}",
            net.clients[0],
            net.client_events
        );
        net.run(secs(2 * 3_600));
        assert!(net.clients[0].has_channel(peer), "seed {seed}: {:?}", net.client_events[0]);
        assert_eq!(net.server.allocations(), 1, "seed {seed}: retransmissions make no second one");
        assert_eq!(net.opened, 1, "seed {seed}");
        net.clients[0].close(net.now);
        net.run(secs(20));
        assert_eq!(net.client_events[0].last(), Some(&Event::Closed(CloseReason::Local)), "seed {seed}");
    }
}

/// RFC 8656 §8: lifetime zero.
#[test]
fn turn_refresh_zero_deletes() {
    let mut net = Net::with_client(7);
    net.permit(addr(PEER));
    net.clients[0].close(net.now);
    net.clients[0].close(net.now);
    net.run(secs(1));
    assert_eq!(net.client_events[0].last(), Some(&Event::Closed(CloseReason::Local)));
    assert_eq!((net.server.allocations(), net.relays.len()), (0, 0));
    let is_deleted = |event: &server::Event| {
        matches!(event, server::Event::Released { reason: ReleaseReason::Deleted, .. })
    };
    assert!(net.server_events.iter().any(is_deleted));
    assert_eq!(net.clients[0].poll_timeout(), None);
    assert_eq!(net.clients[0].create_permission(net.now, addr(PEER)), Err(CommandError::Ended));
    assert!(!net.send(0, addr(PEER), b"too late"));
}

/// A close at any moment leaves nothing at the server.
#[test]
fn a_close_while_allocating_leaves_nothing_behind() {
    for ms in (0..200).step_by(5) {
        let mut net = Net::with_client(8);
        net.run(Duration::from_millis(ms));
        net.clients[0].close(net.now);
        net.run(secs(30));
        let last = net.client_events[0].last();
        assert_eq!(last, Some(&Event::Closed(CloseReason::Local)), "after {ms} ms");
        assert_eq!(net.server.allocations(), 0, "after {ms} ms");
        assert!(net.relays.is_empty(), "after {ms} ms");
    }
}

#[test]
fn a_silent_server_is_a_timeout() {
    let mut net = Net::with_client(9);
    net.loss_percent = 100;
    net.run(secs(40));
    let failed = Event::Failed(AllocateError::Request(RequestError::Timeout));
    assert_eq!(net.client_events[0], [failed]);
    assert_eq!(net.clients[0].stats().requests_sent, 7);
}

/// RFC 8656 §7.4.
#[test]
fn turn_wrong_credentials_are_refused_once() {
    for (user, password) in [(USER, "wrong"), ("nobody", PASSWORD)] {
        let mut net = Net::new(server_config(), 10);
        net.add_client(ClientConfig::new(client_path(0), user, password));
        net.run(secs(60));
        assert_eq!(net.client_events[0], [Event::Failed(AllocateError::CredentialsRefused)]);
        assert_eq!(net.clients[0].stats().requests_sent, 2, "never again with the same credentials");
    }
}

/// RFC 8656 §7.4, §5.
#[test]
fn turn_442_443_446_447_486_508_mapping() {
    let expect = |config, error| {
        let mut net = Net::new(config, 11);
        net.add_client(ClientConfig::new(client_path(0), USER, PASSWORD));
        net.run(secs(60));
        assert_eq!(net.client_events[0], [Event::Failed(error)]);
    };
    expect(server_config().with_max_allocations_per_user(0), AllocateError::QuotaReached);
    expect(server_config().with_max_allocations(0), AllocateError::CapacityReached);
    let only6 = turn::ServerConfig::new(net::REALM, [server::RelayAddress::new(addr(SERVER6).ip())]);
    expect(only6, AllocateError::FamilyNotSupported);
}

/// Users 18, RFC 8656 §7.4: another client on the same 5-tuple.
#[test]
fn turn_error_437_mismatch_new_5tuple() {
    let mut net = Net::with_client(12);
    net.allocate();
    // The client crashes and comes back from the same port.
    net.clients[0] = net::new_client(ClientConfig::new(client_path(0), USER, PASSWORD), net.now, 77);
    net.client_events[0].clear();
    net.run(secs(5));
    assert_eq!(net.client_events[0], [Event::Failed(AllocateError::AllocationMismatch)]);
}

/// RFC 8656 §5.
#[test]
fn turn_437_on_non_allocate_means_gone() {
    let mut net = Net::with_client(13);
    net.permit(addr(PEER));
    let now = net.now;
    net.server = net::new_server(server_config(), now, 99);
    net.relays.clear();
    net.run(secs(700));
    assert_eq!(net.client_events[0].last(), Some(&Event::Closed(CloseReason::AllocationLost)));
}

/// Users 20: the driver cannot open a socket: the session is freed, the client is told.
#[test]
fn users_20_a_failed_socket_frees_the_session() {
    let mut net = Net::with_client(14);
    net.opens_relays = false;
    net.run(secs(1));
    assert_eq!(net.server.allocations(), 1);
    let Some(server::Event::OpenRelay { relay, .. }) = net.server_events.pop() else { panic!("no request") };
    net.server.relay_failed(net.now, relay);
    net.server.relay_failed(net.now, relay);
    net.run(secs(1));
    assert_eq!(net.client_events[0], [Event::Failed(AllocateError::CapacityReached)]);
    assert_eq!((net.server.allocations(), net.server_events.len()), (0, 0));
}

/// The driver does not answer at all, or much too late.
#[test]
fn a_driver_that_forgets_a_socket_costs_nothing() {
    let mut net = Net::with_client(15);
    net.opens_relays = false;
    net.run(secs(1));
    let Some(server::Event::OpenRelay { relay, .. }) = net.server_events.pop() else { panic!("no request") };
    net.relays.insert(relay, addr("198.51.100.1:50000"));
    net.run(secs(30));
    assert_eq!(net.client_events[0], [Event::Failed(AllocateError::CapacityReached)]);
    assert_eq!((net.server.allocations(), net.relays.len()), (0, 0));
    net.server.relay_opened(net.now, relay, addr("198.51.100.1:50000"));
    assert_eq!(
        net.server.poll_event(),
        Some(server::Event::CloseRelay { relay }),
        "come late, closed at once"
    );
}

/// A client that vanished is forgotten.
#[test]
fn allocations_expire_without_refresh() {
    let mut net = Net::with_client(16);
    net.permit(addr(PEER));
    net.loss_percent = 100;
    net.run(secs(601));
    assert_eq!((net.server.allocations(), net.relays.len()), (0, 0));
    net.run(secs(200));
    assert_eq!(net.client_events[0].last(), Some(&Event::Closed(CloseReason::Expired)));
}

/// Users 19: a host that slept for hours: the overdue refresh finds that the allocation is gone; nothing loops.
#[test]
fn a_suspended_host_finds_its_allocation_gone() {
    let mut net = Net::with_client(17);
    net.permit(addr(PEER));
    let before = net.clients[0].stats().requests_sent;
    net.now += secs(5 * 3_600);
    net.run(secs(10));
    assert_eq!(net.client_events[0].last(), Some(&Event::Closed(CloseReason::AllocationLost)));
    assert!(net.clients[0].stats().requests_sent - before < 10);
}

/// More permissions than may be in flight at once: all are had, ten at a time.
#[test]
fn many_permissions_are_asked_for_ten_at_a_time() {
    let mut net = Net::with_client(18);
    net.allocate();
    for host in 0..200 {
        let peer = ([192, 0, 2, host], 1).into();
        net.clients[0].create_permission(net.now, peer).expect("invariant: below the limit");
        net.clients[0].create_permission(net.now, peer).expect("invariant: asking twice is fine");
    }
    net.run(secs(3));
    for host in 0..200 {
        assert!(net.clients[0].has_permission(([192, 0, 2, host], 9).into()));
    }
    net.run(secs(1_000));
    assert!(net.clients[0].has_permission(addr("192.0.2.199:1")));
    for host in 0..56 {
        net.clients[0]
            .create_permission(net.now, ([198, 18, 0, host], 1).into())
            .expect("invariant: 256 in all");
    }
    let full = net.clients[0].create_permission(net.now, addr("192.0.3.1:1"));
    assert_eq!(full, Err(CommandError::LimitReached));
}

/// A peer that is not wanted any more runs out, and can be wanted again.
#[test]
fn forgotten_peers_run_out() {
    let mut net = Net::with_client(19);
    let peer = addr(PEER);
    let relayed = net.permit(peer);
    net.clients[0].bind_channel(net.now, peer).expect("invariant: allocated");
    net.run(secs(1));
    net.clients[0].forget_peer(net.now, peer);
    assert!(!net.send(0, peer, b"forgotten"));
    net.send_from_peer(peer, relayed, b"late");
    net.run(secs(1));
    assert_eq!(net.at_clients, []);
    net.run(secs(601));
    net.send_from_peer(peer, relayed, b"later");
    net.run(secs(1));
    assert!(net.server.stats().unpermitted > 0, "the server dropped it");
    net.clients[0].bind_channel(net.now, peer).expect("invariant: below the limit");
    net.run(secs(1));
    assert!(net.clients[0].has_channel(peer), "{:?}", net.client_events[0]);
    assert!(net.send(0, peer, b"again"));
}

/// RFC 8656 §5: what is over the bandwidth is dropped and counted.
#[test]
fn bandwidth_is_limited_per_allocation() {
    let rate = server::ByteRate::per_second(std::num::NonZeroU64::new(100_000).expect("invariant: not zero"));
    let mut net = Net::new(server_config().with_max_bandwidth(rate), 20);
    net.add_client(ClientConfig::new(client_path(0), USER, PASSWORD));
    let peer = addr(PEER);
    let relayed = net.permit(peer);
    for _ in 0..500 {
        assert!(net.send(0, peer, &[1; 1_000]));
        net.send_from_peer(peer, relayed, &[2; 1_000]);
        net.run(Duration::from_millis(10));
    }
    net.run(secs(1));
    let bytes = (net.at_peers.len() + net.at_clients.len()) * 1_000;
    assert!((500_000..=620_000).contains(&bytes), "{bytes} bytes in five seconds and a burst");
    assert_eq!(net.server.stats().over_limit as usize, 1_000 - bytes / 1_000);
}

#[test]
fn closing_the_server_closes_all_sockets_and_is_final() {
    let mut net = Net::with_client(21);
    net.permit(addr(PEER));
    net.server.close(net.now);
    net.run(Duration::from_millis(1));
    assert!(net.relays.is_empty());
    assert_eq!(net.server_events.last(), Some(&server::Event::Closed));
    let path = client_path(0).reversed();
    assert_eq!(net.inject(path, &[0; 20]), server::Received::Ignored);
    assert_eq!((net.server.poll_event(), net.server.poll_timeout(), net.answers().len()), (None, None, 0));
}
