//! Associations from `a=sctp-init` (draft-hancke-tsvwg-snap).
#![cfg(feature = "snap")]

#[path = "common/pair.rs"]
mod pair;
#[path = "common/raw.rs"]
mod raw;

use pair::*;
use raw::*;
use sctp::*;

/// The example of the draft, decoded.
const EXAMPLE: [u8; 30] = [
    1, 0, 0, 30, 0x89, 0x6c, 0xdd, 0x1d, 0, 0x50, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xe0, 0x79, 0x65, 0x1d, 0xc0,
    0, 0, 4, 0x80, 8, 0, 6, 0x82, 0xc0,
];

fn started(seed: u64) -> Pair {
    let mut pair = Pair::new(seed, Link::new(ms(20)));
    let inits = [A, B].map(|side| RemoteInit::parse(&pair.ends[side].local_init()).expect("readable"));
    for side in [A, B] {
        pair.ends[side].start_from_init(pair.now, &inits[1 - side]).expect("accepted");
        assert!(pair.ends[side].is_connected());
    }
    pair
}

/// Data is there after half a round trip, and no chunk of the handshake is ever sent.
#[test]
fn data_flows_without_a_handshake() {
    let mut pair = started(1);
    pair.tap = Some(Box::new(|_, packet| {
        assert!(chunks(packet).iter().all(|(kind, ..)| ![1, 2, 10, 11].contains(kind)));
        assert_eq!(packet[8..12], [0; 4], "both announced that they take packets without a checksum");
        true
    }));
    for side in [A, B] {
        pair.send(side, 65_534, message("at once")).unwrap();
    }
    let begin = pair.now;
    assert!(pair.run_until(ms(1_000), |pair| pair.received.iter().all(|got| got.len() == 1)));
    assert_eq!(pair.now - begin, ms(20));
    assert!(matches!(pair.events[A][0], Event::Connected { outbound: 65_535, inbound: 65_535 }));
    pair.ends[A].reset_stream(pair.now, StreamId(65_534)).unwrap();
    pair.run_for(ms(1_000));
    let reset = |event: &Event| matches!(event, Event::StreamReset { outcome: ResetOutcome::Performed, .. });
    assert!(pair.events.iter().all(|events| events.iter().any(reset)));
}

/// The value is the same each time and begins nothing; who has begun takes none.
#[test]
fn the_value_begins_nothing() {
    let mut pair = Pair::new(1, Link::new(ms(20)));
    let init = pair.ends[A].local_init();
    assert_eq!(pair.ends[A].local_init(), init);
    assert_eq!(pair.ends[A].poll_timeout(), None);
    assert!(pair.packets(A).is_empty());
    let remote = RemoteInit::parse(&pair.ends[B].local_init()).unwrap();
    pair.connect();
    assert_eq!(pair.ends[A].local_init(), init);
    assert_eq!(pair.ends[A].start_from_init(pair.now, &remote), Err(SnapError::Started));
    pair.send(A, 1, message("x")).unwrap();
    assert!(pair.run_until(ms(1_000), |pair| pair.received[B].len() == 1));
}

/// The example of the draft, cut short everywhere, and values that an INIT must not have.
#[test]
fn inits_of_others() {
    assert!(RemoteInit::parse(&EXAMPLE).is_ok());
    for len in 0..EXAMPLE.len() {
        assert_eq!(RemoteInit::parse(&EXAMPLE[..len]), Err(InitError::Malformed), "{len}");
    }
    let mut padded = EXAMPLE.to_vec();
    padded.extend([0, 0]);
    assert!(RemoteInit::parse(&padded).is_ok());
    padded.extend(chunk(14, 0, &[]));
    assert_eq!(RemoteInit::parse(&padded), Err(InitError::Malformed));
    let mut ack = EXAMPLE;
    ack[0] = 2;
    assert_eq!(RemoteInit::parse(&ack), Err(InitError::Malformed));
    for field in [4..8, 8..12, 12..14, 14..16] {
        let mut init = EXAMPLE;
        init[field].fill(0);
        assert_eq!(RemoteInit::parse(&init), Err(InitError::Unacceptable));
    }
}
