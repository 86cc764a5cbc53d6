use super::*;
use crate::types::Reliability;
use std::time::Duration;

fn make(scheduler: Scheduler, format: Format) -> SendQueue {
    let mut queue = SendQueue::new(scheduler, 1_000);
    queue.start(format, 1_000, 1 << 20);
    queue
}

fn message(len: usize) -> Message {
    Message { ppid: crate::Ppid(53), payload: Bytes::from(vec![7; len]) }
}

#[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
fn start() -> Instant {
    Instant::now()
}

#[test]
fn large_messages_fill_every_packet_and_small_ones_are_not_cut() {
    let mut queue = make(Scheduler::WeightedFair, Format::Plain);
    let now = start();
    queue.push(now, StreamId(1), message(2_500), SendOptions::new());
    queue.push(now, StreamId(1), message(2_500), SendOptions::new());
    queue.push(now, StreamId(1), message(900), SendOptions::new());
    assert_eq!(queue.next_fragment(1_000), Some(1_000));
    let first = queue.take(1_000).unwrap();
    assert!(first.header.begin && !first.header.end);
    queue.take(1_000).unwrap();
    assert_eq!(queue.next_fragment(1_000), Some(500));
    assert!(queue.take(500).unwrap().header.end);
    assert_eq!(queue.next_fragment(484), Some(484));
    queue.take(484).unwrap();
    queue.take(1_000).unwrap();
    queue.take(1_000).unwrap();
    assert_eq!(queue.next_fragment(484), Some(16));
    queue.take(16).unwrap();
    assert_eq!(queue.next_fragment(800), None, "a message that fits a packet waits for the next one");
    assert_eq!(queue.next_fragment(1_000), Some(900));
    queue.take(900).unwrap();
    assert!(queue.is_empty());
    assert_eq!(queue.held(), 0);
}

/// `dc_priority_wfq`: streams share by weight, message by message.
#[test]
fn turns_follow_weights() {
    let mut queue = make(Scheduler::WeightedFair, Format::Plain);
    let now = start();
    queue.set_weight(StreamId(1), 256);
    queue.set_weight(StreamId(2), 768);
    for _ in 0..400 {
        queue.push(now, StreamId(1), message(1_000), SendOptions::new());
        queue.push(now, StreamId(2), message(1_000), SendOptions::new());
    }
    let mut taken = [0, 0];
    for _ in 0..400 {
        let fragment = queue.take(1_000).unwrap();
        taken[usize::from(fragment.header.stream.0) - 1] += 1;
    }
    assert!((98..=102).contains(&taken[0]), "{taken:?}");
}

/// Users 44: the lifetime counts from `send`.
#[test]
fn expired_messages_leave_without_a_sequence_number() {
    let mut queue = make(Scheduler::WeightedFair, Format::Plain);
    let now = start();
    let short = SendOptions::new().with_reliability(Reliability::MaxLifetime(Duration::from_millis(10)));
    queue.set_low_threshold(StreamId(1), 100);
    queue.push(now, StreamId(1), message(100), short);
    queue.push(now, StreamId(1), message(100), SendOptions::new());
    let mut low = Vec::new();
    let late = now + Duration::from_millis(10);
    assert_eq!(queue.drop_expired(late, |dropped| low.extend(dropped.low.then_some(dropped.stream))), 1);
    assert_eq!(low, [StreamId(1)]);
    let fragment = queue.take(100).unwrap();
    assert_eq!(fragment.header.mid, Serial32(0));
    assert_eq!(queue.held(), 0);
}

/// Users 45, T-C04: what goes on the wire are the low 16 bits.
#[test]
fn t_c04_sequence_numbers_wrap() {
    let mut queue = make(Scheduler::WeightedFair, Format::Plain);
    queue.set_next(StreamId(0), Serial32(65_530));
    for expected in [65_530, 65_531, 65_532, 65_533, 65_534, 65_535, 0, 1] {
        queue.push(start(), StreamId(0), message(1), SendOptions::new());
        assert_eq!(queue.take(1).unwrap().header.mid.0 as u16, expected);
    }
    let mut queue = make(Scheduler::WeightedFair, Format::Interleaved);
    queue.set_next(StreamId(0), Serial32(u32::MAX - 2));
    for order in [Order::Ordered, Order::Unordered] {
        for expected in [u32::MAX - 2, u32::MAX - 1, u32::MAX, 0, 1] {
            queue.push(start(), StreamId(0), message(1), SendOptions::new().with_order(order));
            assert_eq!(queue.take(1).unwrap().header.mid, Serial32(expected));
        }
    }
}
