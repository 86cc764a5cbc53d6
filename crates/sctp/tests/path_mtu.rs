//! Path MTU discovery (RFC 8899): what is found, and what happens when a path carries less than before.

#[path = "common/pair.rs"]
mod pair;

use pair::*;
use sctp::*;
use std::time::Duration;

/// What IPv4, UDP and DTLS 1.2 add.
const OVERHEAD: usize = 28 + 37;
/// What fits a UDP payload of 1,200 bytes.
const BASE: usize = 1_160;

const fn packet_of(ip: usize) -> usize {
    (ip - OVERHEAD) & !3
}

fn path() -> PathInfo {
    PathInfo::new(BASE).with_overhead(OVERHEAD).with_search_up_to(16_000)
}

fn link(delay: u64, loss: f64, ip: usize) -> Link {
    let mut link = Link::new(ms(delay));
    link.loss = loss;
    link.mtu = ip - OVERHEAD;
    link
}

fn searching(seed: u64, link: Link) -> Pair {
    let mut pair = Pair::new(seed, link);
    for end in &mut pair.ends {
        end.set_path(pair.now, path());
    }
    pair.connect();
    pair
}

fn is_found(pair: &Pair, len: usize) -> bool {
    pair.ends.iter().all(|end| end.packet_len() == len)
}

/// RFC 8899 §5.3: it begins with the base size and finds what the path carries.
#[test]
fn rfc8899_the_largest_packet_is_found() {
    for (ip, found, probes) in [
        (1_300, 1_280, 40),
        (1_420, 1_420, 40),
        (1_500, 1_500, 40),
        (9_001, 9_000, 30),
        (65_536, 16_000 + OVERHEAD, 10),
    ] {
        let mut pair = searching(1, link(20, 0.0, ip));
        assert!(is_found(&pair, BASE));
        let begin = pair.now;
        assert!(pair.run_until(ms(5_000), |pair| is_found(pair, packet_of(found))), "{ip}: {:?}", pair.ends);
        let stats = pair.ends[A].stats();
        assert!(pair.now - begin < ms(2_000), "{ip}: {:?}", pair.now - begin);
        // It is done: nothing more is tried for ten minutes, and then little.
        pair.run_for(ms(5_000));
        let after = pair.ends[A].stats().path_probes;
        assert!(after <= probes, "{ip}: {after} probes");
        pair.run_for(ms(590_000));
        assert_eq!(pair.ends[A].stats().path_probes, after);
        pair.run_for(ms(20_000));
        let raised = pair.ends[A].stats().path_probes;
        assert_eq!(raised > after, found + 3 < 16_000, "{ip}");
        assert!(raised <= 2 * probes && is_found(&pair, packet_of(found)));
        assert_eq!(stats.retransmissions, 0);
    }
}

/// RFC 8899 §5.1.1, `PMTU_RAISE_TIMER`: a path that carries more since is noticed.
#[test]
fn rfc8899_a_path_that_grew_is_noticed() {
    let mut pair = searching(1, link(20, 0.0, 1_500));
    pair.run_for(ms(10_000));
    for link in &mut pair.links {
        link.mtu = 9_000;
    }
    pair.run_for(ms(500_000));
    assert!(is_found(&pair, packet_of(1_500)));
    pair.run_for(ms(120_000));
    assert!(is_found(&pair, packet_of(9_000)) || is_found(&pair, packet_of(8_900)), "{:?}", pair.ends);
}

/// Chance loses probes, too: with a tenth of all packets lost a size is still found, and kept while data flows.
#[test]
fn rfc8899_chance_makes_no_packet_too_large() {
    let mut shrunk = 0;
    for seed in 0..20 {
        let mut pair = searching(seed, link(20, 10.0, 1_500));
        let found = |pair: &Pair| is_found(pair, packet_of(1_500));
        assert!(pair.run_until(ms(20_000), found), "{seed}: {:?}", pair.ends);
        pair.bulk(A, 20_000, ms(30_000));
        shrunk += u32::from(!found(&pair));
    }
    assert!(shrunk <= 1, "{shrunk}");
}

/// A path that never carried the base size: the first chunks are small, so data flows after a few round trips.
#[test]
fn rfc8899_a_path_of_576_bytes_from_the_start() {
    for seed in 0..10 {
        let mut pair = Pair::new(seed, link(50, 0.0, 576));
        for end in &mut pair.ends {
            end.set_path(pair.now, path());
        }
        // Nothing but whole chunks, never one that would have to be cut.
        pair.tap = Some(Box::new(|_, packet| packet.len() <= BASE || packet[12] == 4));
        pair.send(A, 1, message(bytes(200_000))).unwrap();
        pair.connect();
        let begin = pair.now;
        assert!(pair.run_until(ms(60_000), |pair| !pair.received[B].is_empty()), "{:?}", pair.ends);
        assert_eq!(pair.received[B][0].1.payload, bytes(200_000));
        assert!(pair.now - begin < ms(8_000), "{:?}", pair.now - begin);
        pair.run_for(ms(5_000));
        assert!(is_found(&pair, packet_of(576)), "{:?}", pair.ends);
        // Later the path carries what others do.
        for link in &mut pair.links {
            link.mtu = packet_of(1_500);
        }
        assert!(pair.run_until(ms(40_000), |pair| is_found(pair, packet_of(1_500))));
    }
}

//= rfc9260 §6.9
//= type=test
//# Instead, if the PMTU has been reduced, then IP fragmentation MUST be used.
/// The path shrinks in the middle of a transfer: it resumes soon, and everything arrives.
#[test]
fn rfc8899_a_black_hole_in_mid_transfer() {
    for (ip, from) in [(576, 1_500), (1_280, 1_500), (1_500, 9_000), (576, 65_536), (1_500, 65_536)] {
        let mut longest = Duration::ZERO;
        for seed in 0..5 {
            let mut pair = searching(seed, link(20, 0.0, from));
            for link in &mut pair.links {
                link.rate = Some((20_000_000, 100_000));
            }
            pair.run_for(ms(2_000));
            pair.bulk(A, 10_000, ms(2_000));
            for link in &mut pair.links {
                link.mtu = ip - OVERHEAD;
            }
            // What is in flight is still large and passes.
            pair.run_for(ms(100));
            pair.received[B].clear();
            let begin = pair.now;
            let mut sent = 0;
            while pair.send(A, 1, message(bytes(10_000))).is_ok() {
                sent += 1;
            }
            assert!(pair.run_until(ms(30_000), |pair| !pair.received[B].is_empty()), "{:?}", pair.ends);
            longest = longest.max(pair.now - begin);
            assert!(pair.run_until(ms(120_000), |pair| pair.ends[A].is_flushed()), "{:?}", pair.ends);
            assert!(pair.received[B].len() >= sent);
            assert!(pair.received[B].iter().all(|(_, message)| message.payload == bytes(10_000)));
        }
        assert!(longest < ms(3_000), "{from} to {ip}: {longest:?}");
    }
}

/// A datagram too long for the local interface is refused at once, and counts as lost at once.
#[test]
fn rfc8899_what_the_interface_refuses_is_too_large() {
    let mut pair = Pair::new(1, link(20, 0.0, 1_500));
    for end in &mut pair.ends {
        end.set_path(pair.now, path());
    }
    pair.connect();
    let begin = pair.now;
    while pair.now < begin + ms(4_000) {
        for side in [A, B] {
            for packet in pair.packets(side) {
                if packet.len() > packet_of(1_500) {
                    pair.ends[side].handle_too_large(pair.now);
                } else {
                    pair.inject(1 - side, &packet);
                }
            }
        }
        pair.now += ms(10);
        for end in &mut pair.ends {
            end.handle_timeout(pair.now);
        }
    }
    assert!(is_found(&pair, packet_of(1_500)));
    let probes = pair.ends[A].stats().path_probes;
    assert!(probes <= 12, "{probes}");
}

/// A new path begins from the base size, and with it the congestion window.
#[test]
fn rfc8899_a_new_path_begins_anew() {
    let mut pair = searching(1, link(20, 0.0, 1_500));
    pair.bulk(A, 10_000, ms(3_000));
    pair.run_until(ms(10_000), |pair| pair.ends[A].is_flushed());
    assert!(pair.ends[A].stats().congestion_window > 20 * 1_500);
    for end in &mut pair.ends {
        end.set_path(pair.now, path());
    }
    assert!(is_found(&pair, BASE));
    assert!(pair.ends[A].stats().congestion_window <= 10 * 1_500);
    assert!(pair.run_until(ms(5_000), |pair| is_found(pair, packet_of(1_500))));
    // A size set by hand ends the search.
    pair.ends[A].set_max_packet_len(800);
    pair.run_for(ms(700_000));
    assert_eq!(pair.ends[A].packet_len(), 800);
}
