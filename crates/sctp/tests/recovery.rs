//! Loss recovery, congestion control, pacing and windows, over whole associations.

#[path = "common/pair.rs"]
mod pair;

use pair::*;
use sctp::*;
use std::cell::RefCell;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// RFC 8985 §7: the last packet of a message is lost; a probe finds it, not T3-rtx.
#[test]
fn rfc8985_7_a_lost_tail_is_found_by_a_probe() {
    for packets in [1, 2, 3, 10] {
        let mut pair = Pair::connected(1, Link::new(ms(20)));
        // The round trip becomes known.
        pair.send(A, 1, message(bytes(20_000))).unwrap();
        assert!(pair.run_until(ms(2_000), |pair| pair.ends[A].is_flushed()));
        let mut left = packets;
        pair.tap = Some(Box::new(move |side, _| {
            left -= i32::from(side == A);
            side != A || left != 0
        }));
        let begin = pair.now;
        for _ in 0..packets {
            pair.send(A, 1, message(bytes(1_100))).unwrap();
        }
        pair.received[B].clear();
        assert!(pair.run_until(ms(2_000), |pair| pair.received[B].len() == packets as usize));
        let (took, stats) = (pair.now - begin, pair.ends[A].stats());
        assert_eq!(stats.timeouts, 0, "{packets}: {stats:?}");
        assert!(stats.tail_probes >= 1 && took < ms(250), "{packets}: {took:?}");
    }
}

/// RFC 8985 §3.2: a repetition that is lost too does not wait for T3-rtx.
#[test]
fn rfc8985_3_2_a_lost_repetition_is_found() {
    let mut pair = Pair::connected(1, Link::new(ms(20)));
    pair.bulk(A, 16_384, ms(500));
    let seen = Rc::new(RefCell::new((None, 0)));
    let shared = Rc::clone(&seen);
    pair.tap = Some(Box::new(move |side, packet| {
        // The first DATA from now on, and its first repetition.
        if side != A || !packet.get(12).is_some_and(|kind| CARRIES_DATA.contains(kind)) {
            return true;
        }
        let (tsn, dropped) = &mut *shared.borrow_mut();
        let is_it = *tsn.get_or_insert_with(|| packet[16..20].to_vec()) == packet[16..20];
        let drops = is_it && *dropped < 2;
        *dropped += u32::from(drops);
        !drops
    }));
    pair.bulk(A, 16_384, ms(1_000));
    let stats = pair.ends[A].stats();
    assert_eq!(seen.borrow().1, 2);
    assert_eq!(stats.timeouts, 0, "{stats:?}");
}

/// RFC 8985 §6.2: late packets are no losses, and reductions because of them are taken back.
#[test]
fn rfc8985_6_2_reordering_is_tolerated() {
    let mut link = Link::new(ms(40));
    link.jitter = ms(8);
    link.rate = Some((20_000_000, 400_000));
    let mut pair = Pair::connected(3, link);
    let reached = pair.bulk(A, 16_384, ms(5_000)) / 1e6;
    let stats = pair.ends[A].stats();
    // What is lost at the bottleneck is repeated rightly.
    let needless = pair.ends[B].stats().duplicates_received;
    let share = needless as f64 / stats.data_chunks_sent as f64;
    println!("{reached:.1} Mbit/s, {share:.4} repeated, {stats:?}");
    assert!(share < 0.02, "{share}");
    assert!(reached > 15.0, "{reached}");
}

/// The path is filled at any round trip: 100 Mbit/s, after slow start.
#[test]
fn a_path_of_100_mbit_is_filled_at_any_round_trip() {
    for (round_trip, seconds) in [(20, 2), (60, 2), (100, 4), (300, 10)] {
        let mut link = Link::new(ms(round_trip / 2));
        link.rate = Some((100_000_000, 100_000_000 / 8 * round_trip as usize / 1_000));
        let mut pair = Pair::connected(3, link);
        pair.bulk(A, 65_536, ms(seconds * 500));
        let reached = pair.bulk(A, 65_536, ms(seconds * 500)) / 1e6;
        let (sender, receiver) = (pair.ends[A].stats(), pair.ends[B].stats());
        println!(
            "{round_trip} ms: {reached:.1} Mbit/s, window {}, buffers {} {}, {} repeated",
            sender.congestion_window, sender.send_limit, receiver.receive_buffer, sender.retransmissions
        );
        assert!(reached >= 90.0, "{round_trip} ms: {reached} Mbit/s, {sender:?}");
        assert!(receiver.receive_held <= 2 * receiver.receive_buffer);
    }
}

/// Windows grow where a round trip asks for it, and only there.
#[test]
fn windows_grow_with_the_round_trip() {
    for (one_way, seconds, grown) in [(1, 1, false), (150, 6, true)] {
        let mut link = Link::new(ms(one_way));
        link.rate = Some((100_000_000, 4 << 20));
        let mut pair = Pair::connected(3, link);
        pair.bulk(A, 65_536, ms(seconds * 1_000));
        let buffer = pair.ends[B].stats().receive_buffer;
        assert_eq!(buffer == 8 << 20, grown, "{buffer}");
        assert_eq!(buffer == 1 << 20, !grown, "{buffer}");
        let limit = pair.ends[A].stats().send_limit;
        assert!(!grown || limit > 4 << 20, "{limit}");
        assert!(limit <= 8 << 20, "{limit}");
    }
}

/// A transfer stays below its budget, on a path of any length, and the budget can be lifted.
#[test]
fn a_send_budget_bounds_a_bulk_transfer() {
    for one_way in [0, 50] {
        let mut pair = Pair::connected(3, Link::new(ms(one_way)));
        let now = pair.now;
        pair.ends[A].set_send_budget(now, NonZeroU64::new(250_000));
        let before = pair.ends[A].stats().bytes_sent;
        let reached = pair.bulk(A, 16_384, ms(10_000)) / 1e6;
        let sent = pair.ends[A].stats().bytes_sent - before;
        assert!(sent <= 2_500_000 + 20_000, "{sent} bytes in 10 s");
        assert!(reached > 1.8, "{reached} Mbit/s of 2");
        let now = pair.now;
        pair.ends[A].set_send_budget(now, None);
        let reached = if one_way > 0 { pair.bulk(A, 16_384, ms(1_000)) / 1e6 } else { 100.0 };
        assert!(reached > 4.0, "{reached}");
    }
}

/// Packets are spread over the round trip: no burst of a window.
#[test]
fn bursts_are_short_where_the_path_has_latency() {
    let mut link = Link::new(ms(50));
    link.rate = Some((50_000_000, 1 << 20));
    let mut pair = Pair::connected(3, link);
    pair.bulk(A, 65_536, ms(3_000));
    let counts = Rc::new(RefCell::new(Vec::new()));
    let shared = Rc::clone(&counts);
    pair.tap = Some(Box::new(move |side, _| {
        if side == A
            && let Some(last) = shared.borrow_mut().last_mut()
        {
            *last += 1;
        }
        true
    }));
    let limit = pair.now + ms(1_000);
    let payload = bytes(65_536);
    while pair.now < limit {
        while pair.send(A, 1, message(payload.clone())).is_ok() {}
        counts.borrow_mut().push(0);
        pair.step(limit);
        pair.received[B].clear();
    }
    let longest = counts.borrow().iter().max().copied().expect("some");
    let window = pair.ends[A].stats().congestion_window / 1_160;
    assert!(window > 300 && longest <= 32, "{longest} packets at once of a window of {window}");
}

/// Bytes in flight are known for each stream.
#[test]
fn what_is_outstanding_is_known_by_stream() {
    let mut pair = Pair::connected(1, Link::new(ms(20)));
    for stream in [1, 2, 1, 3] {
        pair.send(A, stream, message(bytes(1_000))).unwrap();
    }
    assert!(!pair.ends[A].is_flushed_on(StreamId(3)) && pair.ends[A].is_flushed_on(StreamId(4)));
    pair.flush();
    let of = |pair: &Pair, stream| pair.ends[A].outstanding_on(StreamId(stream));
    assert_eq!([1, 2, 3, 4].map(|stream| of(&pair, stream)), [2_000, 1_000, 1_000, 0]);
    assert_eq!(pair.ends[A].outstanding(), 4_000);
    assert!(pair.run_until(ms(1_000), |pair| pair.ends[A].is_flushed()));
    assert_eq!([1, 2, 3].map(|stream| of(&pair, stream)), [0; 3]);
    assert!([1, 2, 3].iter().all(|stream| pair.ends[A].is_flushed_on(StreamId(*stream))));
}

/// An algorithm from outside: a window that never changes.
#[test]
fn algorithms_can_come_from_outside() {
    #[derive(Debug)]
    struct Fixed;
    impl CongestionControlFactory for Fixed {
        fn build(&self, _: &NewPath) -> Box<dyn CongestionControl> {
            Box::new(Self)
        }
    }
    impl CongestionControl for Fixed {
        fn on_ack(&mut self, _: &Acknowledged) {}
        fn on_loss(&mut self, _: &Loss) {}
        fn on_timeout(&mut self, _: &Loss) {}
        fn on_idle(&mut self, _: u32) {}
        fn set_packet_len(&mut self, _: usize) {}
        fn window(&self) -> usize {
            20_000
        }
        fn threshold(&self) -> usize {
            0
        }
    }
    let config = Config::default().with_congestion_control(Arc::new(Fixed));
    let mut pair = Pair::with(1, Link::new(ms(50)), [config, Config::default()], [vec![], vec![]]);
    pair.connect();
    // 20,000 bytes a round trip of 100 ms are 1.6 Mbit/s; the last packet may exceed the window.
    let reached = pair.bulk(A, 16_384, ms(5_000)) / 1e6;
    assert!((1.4..1.8).contains(&reached), "{reached}");
}

/// Each algorithm moves data through loss and a bottleneck.
#[test]
fn every_algorithm_works() {
    let factories: [Arc<dyn CongestionControlFactory>; 3] =
        [Arc::new(Cubic), Arc::new(NewReno), Arc::new(Scavenger::new())];
    for factory in factories {
        let mut link = Link::new(ms(20));
        link.rate = Some((10_000_000, 100_000));
        let config = || Config::default().with_congestion_control(Arc::clone(&factory));
        let mut pair = Pair::with(1, link, [config(), config()], [vec![], vec![]]);
        pair.connect();
        pair.bulk(A, 16_384, ms(5_000));
        let reached = pair.bulk(A, 16_384, ms(5_000)) / 1e6;
        assert!(reached > 8.5, "{factory:?}: {reached}");
        pair.links[A].loss = 10.0;
        let reached = pair.bulk(A, 16_384, ms(20_000)) / 1e6;
        assert!(reached > 0.1, "{factory:?}: {reached}");
    }
}

/// Two flows of one sender each, through one queue.
fn share(configs: [Config; 2], rate: u64, queue: usize, duration: Duration) -> [f64; 2] {
    let mut seed = 0;
    let mut pairs = configs.map(|config| {
        seed += 1;
        let mut pair = Pair::with(seed, Link::new(ms(20)), [config, Config::default()], [vec![], vec![]]);
        pair.connect();
        pair
    });
    // The clocks agree from here on.
    let latest = pairs.iter().map(|pair| pair.now).max().expect("two");
    for pair in &mut pairs {
        let rest = latest - pair.now;
        pair.run_for(rest);
    }
    let mut free_at = latest;
    let mut taken = [0; 2];
    let payload = bytes(16_384);
    let end = latest + duration;
    let mut now = latest;
    while now < end {
        for index in [0, 1] {
            let pair = &mut pairs[index];
            pair.now = now;
            while pair.send(A, 1, message(payload.clone())).is_ok() {}
            // The queue that both share: a packet is lost when it is full, and late by what is before it.
            let shared = Rc::new(RefCell::new(free_at));
            let other = Rc::clone(&shared);
            pair.links[A].delay = (free_at.max(now) - now) + ms(20);
            pair.tap = Some(Box::new(move |side, packet| {
                if side == B {
                    return true;
                }
                let mut free = other.borrow_mut();
                let waiting = free.saturating_duration_since(now).as_secs_f64() * rate as f64 / 8.0;
                if waiting > queue as f64 {
                    return false;
                }
                *free = (*free).max(now) + Duration::from_secs_f64(packet.len() as f64 * 8.0 / rate as f64);
                true
            }));
            pair.deliver_due();
            pair.flush();
            free_at = *shared.borrow();
            for (_, message) in pair.received[B].drain(..) {
                if now > latest + duration / 2 {
                    taken[index] += message.payload.len();
                }
            }
            pair.events[A].clear();
            pair.events[B].clear();
        }
        now += ms(1);
    }
    taken.map(|bytes| bytes as f64 * 16.0 / duration.as_secs_f64() / 1e6)
}

/// Two of a kind share a bottleneck within two to one.
#[test]
fn two_transfers_share_a_bottleneck() {
    let rates = share([Config::default(), Config::default()], 10_000_000, 50_000, ms(30_000));
    println!("{rates:?}");
    assert!(rates[0] < 2.0 * rates[1] && rates[1] < 2.0 * rates[0], "{rates:?}");
    assert!(rates[0] + rates[1] > 8.0, "{rates:?}");
}

/// A scavenger takes little where another flow fills the queue, and most of it alone.
#[test]
fn a_scavenger_yields() {
    let scavenger = || Config::default().with_congestion_control(Arc::new(Scavenger::new()));
    let rates = share([scavenger(), Config::default()], 10_000_000, 150_000, ms(30_000));
    println!("{rates:?}");
    assert!(rates[0] < rates[1] / 4.0, "{rates:?}");
}
