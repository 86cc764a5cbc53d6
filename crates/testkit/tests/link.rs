//! Links meet the figures they are given.

use std::time::{Duration, Instant};
use testkit::{BurstLoss, Carried, DropReason, Link, Seed, Wire, start};

const COUNT: usize = 100_000;

/// Sends `COUNT` datagrams, one per millisecond.
fn send_many(link: Link) -> (Wire, Vec<(Instant, Carried)>) {
    let mut wire = Wire::new(link, Seed::from_env_or(1));
    let begin = start();
    let fates = (0..COUNT)
        .map(|number| {
            let now = begin + Duration::from_millis(number as u64);
            (now, wire.carry(now, 1_000))
        })
        .collect();
    (wire, fates)
}

fn share(fates: &[(Instant, Carried)], is_wanted: impl Fn(&Carried) -> bool) -> f64 {
    fates.iter().filter(|(_, fate)| is_wanted(fate)).count() as f64 / fates.len() as f64
}

fn arrivals(fates: &[(Instant, Carried)]) -> impl Iterator<Item = (Instant, Instant)> {
    fates.iter().filter_map(|(sent, fate)| match fate {
        Carried::Arrives { at, .. } => Some((*sent, *at)),
        Carried::Dropped(_) => None,
    })
}

#[test]
fn a_perfect_wire_changes_nothing() {
    let (_, fates) = send_many(Link::new());
    assert!(fates.iter().all(|(sent, fate)| *fate == Carried::Arrives { at: *sent, copy: None }));
}

#[test]
fn independent_loss_meets_its_probability() {
    for probability in [0.01, 0.05, 0.2] {
        let (wire, fates) = send_many(Link::new().loss(probability));
        let lost = share(&fates, |fate| *fate == Carried::Dropped(DropReason::Loss));
        // Four standard deviations.
        let tolerance = 4.0 * (probability * (1.0 - probability) / COUNT as f64).sqrt();
        assert!((lost - probability).abs() < tolerance, "{lost} for {probability}");
        assert_eq!(wire.stats().lost + wire.stats().carried, wire.stats().offered);
    }
}

#[test]
fn burst_loss_meets_average_and_length() {
    let (_, fates) = send_many(Link::new().burst_loss(BurstLoss::new(0.05, 8.0)));
    let is_lost = |fate: &Carried| *fate == Carried::Dropped(DropReason::BurstLoss);
    let lost = share(&fates, is_lost);
    assert!((lost - 0.05).abs() < 0.01, "{lost}");
    let mut bursts = Vec::new();
    let mut current = 0_u32;
    for (_, fate) in &fates {
        if is_lost(fate) {
            current += 1;
        } else if current > 0 {
            bursts.push(f64::from(current));
            current = 0;
        }
    }
    let mean = bursts.iter().sum::<f64>() / bursts.len() as f64;
    assert!((7.0..9.0).contains(&mean), "{mean} in {} bursts", bursts.len());
}

#[test]
fn the_full_model_loses_in_both_states() {
    let (_, fates) = send_many(Link::new().burst_loss(BurstLoss::gilbert_elliott(0.01, 0.09, 0.02, 0.5)));
    // A tenth of the time is bad: 0.9 x 0.02 + 0.1 x 0.5.
    let lost = share(&fates, |fate| matches!(fate, Carried::Dropped(_)));
    assert!((lost - 0.068).abs() < 0.01, "{lost}");
}

#[test]
fn latency_and_jitter_keep_the_order() {
    let (latency, jitter) = (Duration::from_millis(20), Duration::from_millis(30));
    let (_, fates) = send_many(Link::new().latency(latency).jitter(jitter));
    let mut last = None;
    for (sent, at) in arrivals(&fates) {
        assert!(at >= sent + latency && at <= sent + latency + jitter);
        assert!(last.is_none_or(|last| at >= last), "overtaken");
        last = Some(at);
    }
    let spread = arrivals(&fates).filter(|(sent, at)| *at > *sent + latency + jitter / 2).count();
    assert!(spread > COUNT / 4, "jitter is spread over its range: {spread}");
}

#[test]
fn reordering_hits_its_share_and_only_those() {
    let (wire, fates) = send_many(Link::new().reorder(0.3, Duration::from_millis(300)));
    let late = arrivals(&fates).filter(|(sent, at)| at > sent).count() as f64 / COUNT as f64;
    assert!((late - 0.3).abs() < 0.01, "{late}");
    assert!(arrivals(&fates).all(|(sent, at)| at <= sent + Duration::from_millis(300)));
    assert!(wire.stats().reordered > 29_000);
}

#[test]
fn duplication_meets_its_probability() {
    let (wire, fates) = send_many(Link::new().duplicate(0.5));
    let twice = share(&fates, |fate| matches!(fate, Carried::Arrives { copy: Some(_), .. }));
    assert!((twice - 0.5).abs() < 0.01, "{twice}");
    assert!(wire.stats().duplicated > 49_000);
}

/// 1,000 bytes every millisecond are 8 Mbit/s offered to 2 Mbit/s.
#[test]
fn rate_and_queue_are_kept() {
    let queue = 50_000;
    let (wire, fates) = send_many(Link::new().rate(2_000_000, queue));
    let through = share(&fates, |fate| matches!(fate, Carried::Arrives { .. }));
    assert!((through - 0.25).abs() < 0.002, "{through}");
    let longest = arrivals(&fates).map(|(sent, at)| at - sent).max();
    // The queue of 50,000 bytes drains in 200 ms.
    assert!(longest.is_some_and(|longest| longest <= Duration::from_millis(200)), "{longest:?}");
    assert!(longest.is_some_and(|longest| longest >= Duration::from_millis(190)), "{longest:?}");
    assert!(wire.stats().queue_drops > 74_000);
    assert!(wire.stats().longest_queue >= Duration::from_millis(190));
}

#[test]
fn a_queue_smaller_than_a_packet_still_sends_on_an_idle_wire() {
    let mut wire = Wire::new(Link::new().rate(8_000, 10), Seed::new(0));
    let now = start();
    assert_eq!(wire.carry(now, 1_000), Carried::Arrives { at: now + Duration::from_secs(1), copy: None });
    assert_eq!(wire.carry(now, 1_000), Carried::Dropped(DropReason::Queue));
}

#[test]
fn larger_than_the_mtu_vanishes() {
    let mut wire = Wire::new(Link::new().mtu(1_280), Seed::new(0));
    let now = start();
    assert_eq!(wire.carry(now, 1_280), Carried::Arrives { at: now, copy: None });
    assert_eq!(wire.carry(now, 1_281), Carried::Dropped(DropReason::Mtu));
    assert_eq!(wire.stats().mtu_drops, 1);
}

#[test]
fn a_reliable_stream_loses_nothing_and_keeps_order() {
    let mut wire = Wire::new(Link::new().loss(0.3).reorder(0.5, Duration::from_secs(1)), Seed::new(3));
    let now = start();
    let mut last = now;
    for _ in 0..1_000 {
        let at = wire.carry_reliable(now, 100).expect("a lossy wire is not a dead one");
        assert!(at >= last);
        last = at;
    }
    assert!(wire.stats().lost > 0);
    assert!(last > now);
    assert_eq!(Wire::new(Link::dead(), Seed::new(3)).carry_reliable(now, 100), None);
}

#[test]
fn same_seed_same_fates() {
    let link = || {
        Link::new()
            .loss(0.1)
            .jitter(Duration::from_millis(10))
            .duplicate(0.1)
            .reorder(0.1, Duration::from_millis(5))
    };
    let begin = start();
    let fates = |seed: u64| {
        let mut wire = Wire::new(link(), Seed::new(seed));
        (0..1_000).map(|_| wire.carry(begin, 100)).collect::<Vec<_>>()
    };
    assert_eq!(fates(1), fates(1));
    assert_ne!(fates(1), fates(2));
}
