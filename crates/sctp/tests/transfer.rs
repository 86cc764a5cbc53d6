//! Whole associations over networks of all kinds.

#[path = "common/pair.rs"]
mod pair;

use pair::*;
use sctp::*;
use std::time::Duration;

#[test]
fn both_connect_and_messages_arrive_in_order() {
    const SIZES: [usize; 9] = [1, 2, 100, 1_131, 1_132, 1_133, 5_000, 65_536, 262_144];
    let mut pair = Pair::connected(1, Link::new(ms(10)));
    assert!(matches!(pair.events[A][0], Event::Connected { outbound: 65_535, inbound: 65_535 }));
    for size in SIZES {
        pair.send(A, 3, message(bytes(size))).unwrap();
    }
    assert!(pair.run_until(ms(5_000), |pair| pair.received[B].len() == SIZES.len()));
    for (received, size) in pair.received[B].iter().zip(SIZES) {
        assert_eq!(received, &(StreamId(3), message(bytes(size))));
    }
    assert!(pair.run_until(ms(1_000), |pair| pair.ends[A].is_flushed()));
    assert_eq!(pair.ends[A].stats().retransmissions, 0);
    assert_eq!(pair.ends[A].stats().send_held, 0);
}

/// Goodput with loss at 60 ms, against the rates that must be reached.
#[test]
fn goodput_with_loss() {
    for (loss, must) in [(1.0, 1.8), (5.0, 0.7), (10.0, 0.4), (20.0, 0.1)] {
        let mut sum = 0.0;
        for seed in 0..4 {
            let mut link = Link::new(ms(30));
            link.loss = loss;
            let mut pair = Pair::connected(seed + 10, link);
            let rate = pair.bulk(A, 65_536, ms(60_000)) / 1e6;
            let stats = pair.ends[A].stats();
            println!(
                "{loss} %: {rate:.2} Mbit/s, {} timeouts, {} reductions, {} of {} chunks repeated",
                stats.timeouts, stats.congestion_events, stats.retransmissions, stats.data_chunks_sent
            );
            sum += rate / 4.0;
        }
        assert!(sum >= must, "{loss} %: {sum:.2} Mbit/s, must be {must}");
    }
}

/// Goodput through a bottleneck with a queue of two bandwidth-delay products.
#[test]
fn goodput_with_a_bottleneck() {
    for (rate, must) in [(1_000_000_u64, 0.85), (18_000_000, 16.0)] {
        let mut link = Link::new(ms(30));
        link.rate = Some((rate, (rate as f64 * 0.06 / 8.0 * 2.0) as usize));
        let mut pair = Pair::connected(3, link);
        let reached = pair.bulk(A, 65_536, ms(20_000)) / 1e6;
        println!("{rate} bit/s: {reached:.2} Mbit/s");
        assert!(reached >= must, "{reached}");
    }
}

/// With latency and no loss, the window is the limit and is reached quickly.
#[test]
fn a_long_fat_path_is_filled() {
    let config = || Config::default().with_receive_buffer_cap(0);
    let mut pair = Pair::with(3, Link::new(ms(50)), [config(), config()], [vec![], vec![]]);
    pair.connect();
    let reached = pair.bulk(A, 65_536, ms(5_000)) / 1e6;
    // 1 MiB a round trip of 100 ms is 84 Mbit/s.
    assert!(reached > 60.0, "{reached}");
    assert_eq!(pair.ends[A].stats().retransmissions, 0);
}

/// Users 51: with loss below one half, bytes go on arriving, or the end is reported.
#[test]
fn stall_invariant() {
    for loss in [20.0, 40.0] {
        for seed in 0..10 {
            let mut link = Link::new(ms(20));
            link.loss = loss;
            let mut pair = Pair::connected(seed + 50, link);
            for _ in 0..10 {
                let rate = pair.bulk(A, 16_000, ms(60_000));
                let closed = matches!(pair.events[A].last(), Some(Event::Closed(_)));
                assert!(rate > 0.0 || closed, "{loss} % seed {seed}: stalled");
                assert!(loss > 30.0 || !closed, "{loss} % seed {seed}: aborted");
                if closed {
                    break;
                }
            }
        }
    }
}

/// Delivered exactly once, in order, whatever the network does.
#[test]
fn exactly_once_under_loss_reordering_and_duplication() {
    for seed in 0..20 {
        let mut link = Link::new(ms(10));
        link.loss = 5.0;
        link.duplicate = 50.0;
        link.jitter = ms(60);
        let mut pair = Pair::connected(seed, link);
        let count = 200_u32;
        for number in 0..count {
            let size = 4 + (number as usize * 97) % 4_000;
            let mut payload = number.to_be_bytes().to_vec();
            payload.resize(size, number as u8);
            let stream = (number % 3) as u16;
            while pair.send(A, stream, message(payload.clone())).is_err() {
                pair.run_for(ms(50));
            }
        }
        assert!(pair.run_until(ms(120_000), |pair| pair.received[B].len() as u32 >= count), "seed {seed}");
        pair.run_for(ms(5_000));
        let mut next = [0_u32, 1, 2];
        for (stream, message) in &pair.received[B] {
            let number = u32::from_be_bytes(message.payload[..4].try_into().unwrap());
            assert_eq!(number, next[usize::from(stream.0)], "seed {seed}");
            next[usize::from(stream.0)] += 3;
        }
        assert_eq!(pair.received[B].len() as u32, count);
        assert!(pair.ends[A].is_flushed());
    }
}

//= rfc9260 §1.6
//= type=test
//# Since the space is finite, all arithmetic dealing with Transmission Sequence Numbers MUST be performed modulo
//# 2^32.
//= rfc9260 §1.6
//= type=test
//# That is, the next TSN a DATA chunk MUST use after transmitting TSN = 2^32 - 1 is TSN = 0.
//= rfc9260 §6.5
//= type=test
//# In particular, when the Stream Sequence Number reaches the value 65535, the next Stream Sequence Number MUST be
//# set to 0.
/// T-C04: numbers wrap: TSNs from 2^32 - 10, and sequence numbers through 65,535.
#[test]
fn t_c04_numbers_wrap() {
    let mut link = Link::new(ms(5));
    link.loss = 2.0;
    let first = [vec![0xa, u32::MAX - 9], vec![0xb, u32::MAX - 9]];
    let mut pair = Pair::with(1, link, [Config::default(), Config::default()], first);
    pair.connect();
    for _ in 0..300 {
        pair.send(A, 1, message(bytes(3_000))).unwrap();
    }
    assert!(pair.run_until(ms(60_000), |pair| pair.received[B].len() == 300));
    pair.received[B].clear();
    pair.links[A].loss = 0.0;
    pair.links[B].loss = 0.0;
    let mut sent = 0_u32;
    let mut taken = 0_u32;
    while taken < 70_000 {
        while sent < 70_000 && pair.send(A, 2, message(sent.to_be_bytes().to_vec())).is_ok() {
            sent += 1;
        }
        pair.run_for(ms(10));
        for (_, message) in pair.received[B].drain(..) {
            assert_eq!(message.payload[..], taken.to_be_bytes());
            taken += 1;
        }
    }
}

/// Users 40 and 44: unreliable channels lose messages and nothing else.
#[test]
fn limited_retransmissions_at_30_percent_loss() {
    for (order, reliability) in [
        (Order::Unordered, Reliability::MaxRetransmits(0)),
        (Order::Ordered, Reliability::MaxRetransmits(0)),
        (Order::Ordered, Reliability::MaxRetransmits(1)),
        (Order::Ordered, Reliability::MaxLifetime(ms(100))),
    ] {
        let mut link = Link::new(ms(20));
        link.loss = 30.0;
        let mut pair = Pair::connected(9, link);
        let options = SendOptions::new().with_order(order).with_reliability(reliability);
        // Messages of one and of several chunks, and one reliable message now and then on the same stream.
        let count = 2_000_u32;
        for number in 0..count {
            let mut payload = number.to_be_bytes().to_vec();
            payload.resize(if number % 5 == 0 { 4_000 } else { 100 }, 0);
            let options = if number % 50 == 0 { SendOptions::new() } else { options };
            while pair.ends[A].send(pair.now, StreamId(1), message(payload.clone()), options).is_err() {
                pair.run_for(ms(50));
            }
            pair.run_for(ms(10));
        }
        pair.run_for(ms(60_000));
        assert!(pair.ends[A].is_connected() && pair.ends[B].is_connected(), "{order:?} {reliability:?}");
        assert!(pair.ends[A].is_flushed(), "{:?}", pair.ends[A].stats());
        let numbers: Vec<_> = pair.received[B]
            .iter()
            .map(|(_, message)| u32::from_be_bytes(message.payload[..4].try_into().unwrap()))
            .collect();
        for reliable in (0..count).step_by(50) {
            assert!(numbers.contains(&reliable), "{order:?} {reliability:?}: reliable message {reliable}");
        }
        if order == Order::Ordered {
            assert!(numbers.is_sorted(), "{order:?} {reliability:?}");
        }
        let share = numbers.len() as f64 / f64::from(count);
        println!("{order:?} {reliability:?}: {share:.2} arrived");
        assert!(share > 0.04 && share < 1.0, "{order:?} {reliability:?}: {share}");
        // Nothing is left behind: no window leaks.
        assert_eq!(pair.ends[B].stats().receive_held, 2 * 4, "{:?}", pair.ends[B].stats());
    }
}

/// T-C14, users 42 and 43: a peer that does not read bounds both sides; when it reads, everything arrives.
#[test]
fn t_c14_a_slow_reader_bounds_both_sides_and_loses_nothing() {
    let mut pair = Pair::connected(1, Link::new(ms(5)));
    pair.reads[B] = false;
    let mut accepted = 0_u64;
    let payload = bytes(10_000);
    for offer in 0..100_000 {
        // 1 GB is offered.
        match pair.send(A, 1, message(payload.clone())) {
            Ok(()) => accepted += 1,
            Err(SendError::WouldBlock(message)) => assert_eq!(message.payload.len(), 10_000),
            Err(error) => panic!("{error}"),
        }
        if offer % 100 == 0 {
            pair.step(pair.now + ms(1));
        }
    }
    pair.run_for(ms(120_000));
    let (sender, receiver) = (pair.ends[A].stats(), pair.ends[B].stats());
    assert!(sender.send_held <= 1 << 20, "{sender:?}");
    assert!(receiver.receive_held <= 2 << 20, "{receiver:?}");
    assert!(pair.ends[A].is_connected(), "probes are answered");
    assert_eq!(sender.peer_window, 0);
    pair.reads[B] = true;
    // A window update, and then the rest: no time is lost with waiting for timers.
    assert!(pair.run_until(ms(1_000), |pair| pair.received[B].len() as u64 == accepted), "{:?}", pair.ends);
    pair.run_for(ms(300));
    assert!(pair.events[A].contains(&Event::SendSpace));
    assert!(pair.ends[A].is_flushed());
}

//= rfc9260 §6.2
//= type=test
//# However, an SCTP transmitter MUST NOT be more aggressive in sending SACK chunks than the following algorithms
//# allow.
/// L6, `sctp_delayed_sack_2_packets_200ms_max_500`: packets taken in together are answered once, when they are more than a
/// sender with bursts of four would have sent.
#[test]
fn ten_packets_in_one_sack_out() {
    let mut pair = Pair::connected(1, Link::new(ms(5)));
    // The first ones are answered one by one.
    for _ in 0..40 {
        pair.send(A, 1, message(bytes(1_100))).unwrap();
    }
    pair.run_for(ms(100));
    for _ in 0..10 {
        pair.send(A, 1, message(bytes(1_100))).unwrap();
    }
    let packets = pair.packets(A);
    assert_eq!(packets.len(), 10);
    for packet in &packets {
        pair.inject(B, packet);
    }
    let sacks = pair.packets(B);
    assert_eq!(sacks.len(), 1);
    pair.inject(A, &sacks[0]);
    // One packet alone waits for 25 ms.
    pair.send(A, 1, message(bytes(1_100))).unwrap();
    let packets = pair.packets(A);
    pair.inject(B, &packets[0]);
    assert!(pair.packets(B).is_empty());
    let at = pair.ends[B].next_timer().unwrap();
    assert_eq!(at, (pair.now + ms(25), Timer::Ack));
    pair.ends[B].handle_timeout(at.0);
    pair.now = at.0;
    assert_eq!(pair.packets(B).len(), 1);
}

//= rfc9260 §6.1
//= type=test
//# The sender MUST also have an algorithm for sending new DATA chunks to avoid silly window syndrome (SWS) as
//# described in [RFC1122].
//= rfc9260 §6.9
//= type=test
//# the SCTP implementation MUST take into account the SCTP packet header as well as the DATA chunk header(s).
/// Packets of a burst have equal sizes: the tail of one message goes with the head of the next.
#[test]
fn packets_of_a_burst_are_full_and_equal() {
    for size in [16_384, 65_536] {
        let mut pair = Pair::connected(1, Link::new(ms(5)));
        for _ in 0..8 {
            pair.send(A, 1, message(bytes(size))).unwrap();
        }
        let log = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
        let copy = std::rc::Rc::clone(&log);
        pair.tap = Some(Box::new(move |side, packet| {
            if side == A {
                copy.borrow_mut().push(packet.to_vec());
            }
            true
        }));
        assert!(pair.run_until(ms(1_000), |pair| pair.received[B].len() == 8));
        let mut packets = log.take();
        // The receiver asks for the round trip once.
        packets.retain(|packet| CARRIES_DATA.contains(&packet[12]));
        let (last, full) = packets.split_last().unwrap();
        assert!(full.iter().all(|packet| packet.len() == 1_160), "{size}");
        assert!(last.len() <= 1_160);
    }
    // The same for small messages.
    let mut pair = Pair::connected(1, Link::new(ms(5)));
    for _ in 0..90 {
        pair.send(A, 1, message(bytes(100))).unwrap();
    }
    let packets = pair.packets(A);
    assert_eq!(packets.len(), 10);
    assert!(packets.iter().all(|packet| packet.len() == packets[0].len()));
}

/// Users 46: the side that was connected to starts as fast as the other.
#[test]
fn the_answering_side_starts_as_fast() {
    for side in [A, B] {
        let mut pair = Pair::new(1, Link::new(ms(50)));
        pair.ends[A].connect(pair.now);
        assert!(pair.run_until(ms(1_000), |pair| pair.ends.iter().all(Association::is_connected)));
        assert!(pair.ends[side].stats().slow_start_threshold >= 1 << 20);
        pair.bulk(side, 65_536, ms(500));
        assert!(pair.ends[side].stats().congestion_window > 150_000, "{:?}", pair.ends[side].stats());
    }
}

/// `sctp_shutdown_sequence`: everything queued arrives, and both sides end.
#[test]
fn sctp_shutdown_sequence() {
    for seed in 0..20 {
        let mut link = Link::new(ms(20));
        link.loss = 20.0;
        let mut pair = Pair::connected(seed, link);
        for _ in 0..5 {
            pair.send(A, 1, message(bytes(20_000))).unwrap();
            pair.send(B, 1, message(bytes(20_000))).unwrap();
        }
        pair.ends[A].shutdown(pair.now);
        if seed % 2 == 0 {
            pair.ends[B].shutdown(pair.now);
        }
        assert_eq!(pair.send(A, 1, message("late")), Err(SendError::ShuttingDown));
        let ended =
            |pair: &Pair| pair.events.iter().all(|events| matches!(events.last(), Some(Event::Closed(_))));
        assert!(pair.run_until(ms(300_000), ended), "seed {seed}: {:?}", pair.ends);
        assert_eq!(pair.received[A].len(), 5, "seed {seed}");
        assert_eq!(pair.received[B].len(), 5, "seed {seed}");
        // The last packet may be lost; the side that waits for it gives up by itself.
        assert!(
            pair.events.iter().any(|events| events.last() == Some(&Event::Closed(CloseReason::Shutdown)))
        );
    }
}

//= rfc9260 §9.1
//= type=test
//# the receiving endpoint MUST remove the association from its record
/// L7, `sctp_abort_immediate`.
#[test]
fn sctp_abort_immediate_and_closed_is_final() {
    let mut pair = Pair::connected(1, Link::new(ms(20)));
    pair.send(A, 1, message(bytes(200_000))).unwrap();
    pair.run_for(ms(30));
    pair.ends[A].abort(pair.now, "enough");
    pair.run_for(ms(100));
    assert_eq!(pair.events[A].last(), Some(&Event::Closed(CloseReason::LocalAbort)));
    assert_eq!(pair.events[B].last(), Some(&Event::Closed(CloseReason::PeerAbort(Some(12)))));
    for side in [A, B] {
        pair.ends[side].connect(pair.now);
        pair.ends[side].handle_timeout(pair.now + ms(1_000_000));
        assert_eq!(pair.send(side, 1, message("x")), Err(SendError::Closed));
        assert!(pair.packets(side).is_empty());
        assert_eq!(pair.ends[side].poll_event(), None);
        assert_eq!(pair.ends[side].poll_timeout(), None);
    }
}

//= rfc9260 §8.1
//= type=test
//# SHALL stop transmitting any more data to it
/// `sctp_heartbeat_rtt_and_path_failure`: an idle path that dies is noticed; a blackout of 25 s is survived.
#[test]
fn dead_paths_are_noticed_and_blackouts_survived() {
    let mut pair = Pair::connected(1, Link::new(ms(20)));
    pair.run_for(ms(200_000));
    assert!(pair.ends[A].is_connected());
    assert!(pair.ends[A].stats().rtt.is_some());
    for _ in 0..20 {
        pair.send(A, 1, message(bytes(10_000))).unwrap();
    }
    pair.links[A].up = false;
    pair.run_for(ms(25_000));
    pair.links[A].up = true;
    assert!(pair.run_until(ms(12_000), |pair| pair.received[B].len() == 20), "{:?}", pair.ends[A]);
    pair.links[A].up = false;
    pair.links[B].up = false;
    let noticed = |pair: &Pair| pair.events[A].last() == Some(&Event::Closed(CloseReason::Timeout));
    assert!(pair.run_until(Duration::from_secs(600), noticed));
}

/// Two hours of round trip with loss: no panic, no storm.
#[test]
fn absurd_delay_fails_cleanly() {
    let mut link = Link::new(Duration::from_secs(3_600));
    link.loss = 10.0;
    let mut pair = Pair::new(1, link);
    pair.ends[A].connect(pair.now);
    pair.run_for(Duration::from_secs(100_000));
    assert_eq!(pair.events[A], [Event::Closed(CloseReason::Timeout)]);
    assert!(pair.links[A].carried < 50);
}

/// RFC 6525 with data around it, under loss: sequence numbers begin anew and nothing is lost or mixed.
#[test]
fn streams_reset_with_data_around() {
    for seed in 0..20 {
        let mut link = Link::new(ms(20));
        link.loss = 10.0;
        link.jitter = ms(20);
        let mut pair = Pair::connected(seed, link);
        for round in 0..10_u8 {
            for _ in 0..5 {
                pair.send(A, 1, message(vec![round; 3_000])).unwrap();
                pair.send(A, 2, message(vec![round; 300])).unwrap();
            }
            pair.ends[A].reset_stream(pair.now, StreamId(1)).unwrap();
            assert_eq!(pair.ends[A].reset_stream(pair.now, StreamId(1)), Err(ResetError::AlreadyResetting));
            assert_eq!(pair.send(A, 1, message("x")), Err(SendError::Resetting));
            let done = |pair: &Pair| {
                pair.events[A].contains(&Event::StreamReset {
                    stream: StreamId(1),
                    direction: Direction::Outgoing,
                    outcome: ResetOutcome::Performed,
                })
            };
            assert!(pair.run_until(ms(60_000), done), "seed {seed} round {round}");
            let seen = pair.events[B].iter().filter(|event| matches!(event, Event::StreamReset { .. }));
            assert_eq!(seen.count(), 1, "seed {seed}");
            pair.events[A].clear();
            pair.events[B].clear();
        }
        assert!(pair.run_until(ms(60_000), |pair| pair.received[B].len() == 100), "seed {seed}");
        for stream in [1, 2] {
            let rounds: Vec<_> = pair.received[B]
                .iter()
                .filter(|(id, _)| id.0 == stream)
                .map(|(_, message)| message.payload[0])
                .collect();
            assert!(rounds.is_sorted() && rounds.len() == 50, "seed {seed}");
        }
    }
}

/// L3 and L4: time does not run backwards, and the same calls give the same bytes.
#[test]
fn runs_repeat_to_the_byte_and_time_never_goes_back() {
    let run = || {
        let mut link = Link::new(ms(20));
        link.loss = 10.0;
        let mut pair = Pair::new(5, link);
        let log = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
        let copy = std::rc::Rc::clone(&log);
        pair.tap = Some(Box::new(move |side, packet| {
            copy.borrow_mut().push((side, packet.to_vec()));
            true
        }));
        pair.connect();
        pair.bulk(A, 30_000, ms(2_000));
        drop(pair);
        std::rc::Rc::into_inner(log).map(std::cell::RefCell::into_inner)
    };
    let first = run();
    assert!(first.is_some() && first == run());
    let mut pair = Pair::connected(1, Link::new(ms(10)));
    let earlier = pair.now - ms(100);
    pair.send(A, 1, message("x")).unwrap();
    let mut out = vec![0xaa];
    assert!(pair.ends[A].poll_transmit(earlier, &mut out).is_some());
    assert_eq!(out[0], 0xaa, "appends");
    pair.ends[A].handle_timeout(earlier);
    assert!(pair.ends[A].poll_timeout().unwrap() > pair.now);
}
