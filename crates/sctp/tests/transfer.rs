//! Whole associations over networks of all kinds.

#[path = "common/pair.rs"]
mod pair;

use pair::*;
use sctp::*;

#[test]
fn both_connect_and_messages_arrive_in_order() {
    let mut pair = Pair::connected(1, Link::new(ms(10)));
    assert!(matches!(pair.events[A][0], Event::Connected { outbound: 65_535, inbound: 65_535 }));
    for size in [1, 2, 100, 1_131, 1_132, 1_133, 5_000, 65_536, 262_144] {
        pair.send(A, 3, message(bytes(size))).unwrap();
    }
    assert!(pair.run_until(ms(5_000), |pair| pair.received[B].len() == 9));
    for (received, size) in pair.received[B].iter().zip([1, 2, 100, 1_131, 1_132, 1_133, 5_000, 65_536, 262_144]) {
        assert_eq!(received, &(StreamId(3), message(bytes(size))));
    }
    assert!(pair.run_until(ms(1_000), |pair| pair.ends[A].is_flushed()));
    assert_eq!(pair.ends[A].stats().retransmissions, 0);
    assert_eq!(pair.ends[A].stats().send_held, 0);
}

#[test]
fn goodput() {
    for (loss, must) in [(0.0, 50.0), (1.0, 1.8), (5.0, 0.7), (10.0, 0.4), (20.0, 0.1)] {
        let mut link = Link::new(ms(30));
        let mut sum = 0.0;
        for seed in 0..5 {
            link.loss = loss;
            let mut pair = Pair::connected(seed + 10, link.clone());
            let rate = pair.bulk(A, 65_536, ms(60_000)) / 1e6;
            sum += rate;
            let stats = pair.ends[A].stats();
            eprintln!("{loss}%: {rate:.2} Mbit/s, {} timeouts, {} events, {} rtx of {}", stats.timeouts, stats.congestion_events, stats.retransmissions, stats.data_chunks_sent);
        }
        assert!(sum / 5.0 >= must, "{loss}%: {} < {must}", sum / 5.0);
    }
}
