//! Requests of RFC 6525 beyond the reset of what we send: the reset of what the peer sends, and more streams.

#[path = "common/pair.rs"]
mod pair;
#[path = "common/raw.rs"]
mod raw;

use pair::*;
use raw::*;
use sctp::*;
use std::num::NonZeroU16;

fn count(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("not zero")
}

fn connected(seed: u64, loss: f64, streams: [u16; 2]) -> Pair {
    let config = |streams| Config::default().with_streams(streams, streams);
    let mut link = Link::new(ms(20));
    link.loss = loss;
    let mut pair = Pair::with(seed, link, streams.map(config), [Vec::new(), Vec::new()]);
    pair.connect();
    pair.events = [Vec::new(), Vec::new()];
    pair
}

/// RFC 6525 §5.1.5 and §5.1.6, with packets lost: whoever asks, both sides agree on the numbers, and data flows on the
/// new streams.
#[test]
fn rfc6525_streams_are_added_both_ways() {
    for seed in 0..20 {
        let mut pair = connected(seed, 20.0, [10, 40]);
        pair.ends[A].add_streams(pair.now, Direction::Outgoing, count(5)).unwrap();
        let again = pair.ends[A].add_streams(pair.now, Direction::Outgoing, count(5));
        assert_eq!(again, Err(AddStreamsError::AlreadyAdding));
        assert_eq!(pair.send(A, 14, message("early")), Err(SendError::UnknownStream));
        pair.ends[A].add_streams(pair.now, Direction::Incoming, count(7)).unwrap();
        let all = |events: &[Event], outbound, inbound| {
            events.contains(&Event::StreamsChanged { outbound, inbound })
        };
        let done = |pair: &Pair| all(&pair.events[A], 15, 17) && all(&pair.events[B], 17, 15);
        assert!(pair.run_until(ms(60_000), done), "{:?}", pair.events);
        pair.send(A, 14, message("from a")).unwrap();
        pair.send(B, 16, message("from b")).unwrap();
        assert_eq!(pair.send(A, 15, message("x")), Err(SendError::UnknownStream));
        assert_eq!(pair.send(B, 17, message("x")), Err(SendError::UnknownStream));
        assert!(pair.run_until(ms(60_000), |pair| pair.received.iter().all(|got| got.len() == 1)));
        // Nothing is left that would repeat itself.
        let denied = |event: &Event| matches!(event, Event::StreamsDenied(_));
        assert!(!pair.events.iter().flatten().any(denied));
        pair.run_for(ms(5_000));
        pair.ends[A].add_streams(pair.now, Direction::Incoming, count(1)).unwrap();
        assert!(pair.run_until(ms(60_000), |pair| all(&pair.events[A], 15, 18)));
    }
}

/// RFC 6525 §5.2.5, §5.2.6: what the peer's user did not want is denied, and changes nothing.
#[test]
fn rfc6525_streams_beyond_the_limit_are_denied() {
    let mut pair = connected(1, 0.0, [4, 4]);
    for direction in [Direction::Outgoing, Direction::Incoming] {
        pair.ends[A].add_streams(pair.now, direction, count(1)).unwrap();
        pair.run_for(ms(2_000));
        assert_eq!(pair.events[A].pop(), Some(Event::StreamsDenied(direction)));
        assert_eq!(pair.send(A, 4, message("x")), Err(SendError::UnknownStream));
    }
    assert!(pair.events[B].is_empty());
    // When both ask, both have it.
    pair.ends[A].add_streams(pair.now, Direction::Outgoing, count(1)).unwrap();
    pair.ends[B].add_streams(pair.now, Direction::Incoming, count(1)).unwrap();
    let five = |pair: &Pair| pair.events[A].contains(&Event::StreamsChanged { outbound: 5, inbound: 4 });
    assert!(pair.run_until(ms(60_000), five), "{:?}", pair.events);
    let mut pair = connected(2, 0.0, [65_535, 65_535]);
    let full = pair.ends[A].add_streams(pair.now, Direction::Outgoing, count(1));
    assert_eq!(full, Err(AddStreamsError::TooMany { available: 0 }));
}

/// RFC 6525 §5.1.3: the event comes behind the messages sent before, and the stream begins anew.
#[test]
fn rfc6525_the_peer_is_asked_to_reset_its_streams() {
    for seed in 0..20 {
        let mut pair = connected(seed, 20.0, [10, 10]);
        for _ in 0..5 {
            pair.send(B, 3, message(bytes(3_000))).unwrap();
        }
        pair.run_until(ms(60_000), |pair| !pair.received[A].is_empty());
        pair.ends[A].request_reset(pair.now, StreamId(3)).unwrap();
        assert_eq!(pair.ends[A].request_reset(pair.now, StreamId(3)), Err(ResetError::AlreadyResetting));
        assert_eq!(pair.ends[A].request_reset(pair.now, StreamId(10)), Err(ResetError::UnknownStream));
        let reset = |direction, outcome| Event::StreamReset { stream: StreamId(3), direction, outcome };
        let incoming = reset(Direction::Incoming, ResetOutcome::Performed);
        assert!(pair.run_until(ms(60_000), |pair| pair.events[A].contains(&incoming)));
        assert_eq!(pair.received[A].len(), 5);
        let outgoing = reset(Direction::Outgoing, ResetOutcome::Performed);
        assert!(pair.run_until(ms(60_000), |pair| pair.events[B].contains(&outgoing)));
        // There is nothing to do now.
        pair.run_for(ms(20_000));
        pair.ends[A].request_reset(pair.now, StreamId(3)).unwrap();
        let nothing = reset(Direction::Incoming, ResetOutcome::NothingToDo);
        assert!(pair.run_until(ms(60_000), |pair| pair.events[A].contains(&nothing)));
        pair.send(B, 3, message("new")).unwrap();
        assert!(pair.run_until(ms(60_000), |pair| pair.received[A].len() == 6));
    }
}

/// The result in the first RE-CONFIG of an answer.
fn result(answer: &[(u8, u8, Vec<u8>)]) -> u32 {
    let (_, _, value) = answer.iter().find(|(kind, ..)| *kind == 130).expect("a RE-CONFIG");
    word(value, 2)
}

/// T-C06: requests by hand: an empty list means all, an SSN/TSN reset is denied, and so are no streams or too many.
#[test]
fn t_c06_requests_by_hand() {
    let mut script = Script::established();
    let request = |number, kind, rest: &[u32]| {
        let mut value = words(&[number]);
        value.extend(words(rest));
        chunk(130, 0, &parameter(kind, &value))
    };
    for (number, kind, rest, expected) in [
        (TSN, 15, &[][..], 2),
        (TSN + 1, 17, &[0], 2),
        (TSN + 2, 17, &[65_535 << 16], 2),
        (TSN + 3, 18, &[0], 2),
        (TSN + 4, 18, &[65_535 << 16], 2),
        (TSN + 5, 14, &[], 0),
        (TSN + 6, 17, &[1 << 16], 1),
        // Again, and out of turn.
        (TSN + 6, 17, &[1 << 16], 1),
        (TSN + 9, 17, &[1 << 16], 5),
    ] {
        script.say(&[request(number, kind, rest)]);
        assert_eq!(result(&script.answer()), expected, "{kind} {rest:?}");
    }
    assert_eq!(script.events(), [Event::StreamsChanged { outbound: 100, inbound: 101 }]);
    // All streams in use, and no others.
    for stream in [3, 7] {
        script.end.send(script.now, StreamId(stream), message("x"), SendOptions::new()).unwrap();
    }
    script.written();
    script.say(&[request(TSN + 7, 14, &[])]);
    let answer = script.answer();
    assert_eq!(result(&answer), 1);
    let reset = &answer.iter().filter(|(kind, ..)| *kind == 130).nth(1).expect("our own request").2;
    assert_eq!(&reset[..4], [0, 13, 0, 20]);
    assert_eq!(word(reset, 2), TSN + 7, "in answer to theirs");
    assert_eq!(word(reset, 4), (3 << 16) | 7);
}
