//! The three policies of partial reliability (RFC 7496 §3), and what the sender hears of its messages.

#[path = "common/pair.rs"]
mod pair;

use pair::*;
use sctp::*;

fn told(pair: &Pair) -> Vec<Event> {
    let of_interest = |event: &&Event| matches!(event, Event::Delivered(_) | Event::Abandoned { .. });
    pair.events[A].iter().filter(of_interest).cloned().collect()
}

fn lossy(interleaving: Interleaving) -> Pair {
    let mut link = Link::new(ms(20));
    link.loss = 30.0;
    let config = || Config::default().with_interleaving(interleaving);
    let mut pair = Pair::with(5, link, [config(), config()], [Vec::new(), Vec::new()]);
    pair.connect();
    pair
}

/// `sctp_pr_limited_rtx_and_timed`, RFC 7496 §3.1 and RFC 3758 §4: each message is delivered or given up, its sender is
/// told which, and what it is told is true.
#[test]
fn sctp_pr_limited_rtx_and_timed() {
    for interleaving in [Interleaving::Offered, Interleaving::Off] {
        for reliability in [Reliability::MaxRetransmits(0), Reliability::MaxLifetime(ms(60))] {
            let mut pair = lossy(interleaving);
            for number in 0..300_u32 {
                let options = SendOptions::new().with_reliability(reliability);
                let options = options.with_tracking(MessageId(u64::from(number)));
                let mut payload = number.to_be_bytes().to_vec();
                payload.resize(if number % 7 == 0 { 3_000 } else { 50 }, 0);
                pair.ends[A].send(pair.now, StreamId(number as u16 % 3), message(payload), options).unwrap();
                pair.run_for(ms(10));
            }
            pair.run_for(ms(60_000));
            let mut fates = [None; 300];
            for event in told(&pair) {
                let delivered = matches!(event, Event::Delivered(_));
                let (Event::Delivered(id) | Event::Abandoned { id, .. }) = event else { panic!("{event:?}") };
                assert_eq!(fates[id.0 as usize].replace(delivered), None, "told once");
            }
            let mut received = [false; 300];
            for (_, message) in &pair.received[B] {
                let number = u32::from_be_bytes(message.payload[..4].try_into().unwrap());
                assert!(!std::mem::replace(&mut received[number as usize], true), "twice");
            }
            for (number, (fate, received)) in fates.iter().zip(received).enumerate() {
                let delivered = fate.expect("told");
                // One given up may have arrived all the same.
                assert!(received || !delivered, "{interleaving:?} {reliability:?} {number}");
            }
            let count = received.iter().filter(|received| **received).count();
            assert!((100..300).contains(&count), "{interleaving:?} {reliability:?}: {count}");
            assert!(pair.ends[A].is_flushed());
            assert_eq!(pair.ends[A].stats().send_held, 0);
        }
    }
}

/// RFC 7496 §3.2: the least important, and of these the oldest, make room; what was begun and what is reliable stays.
#[test]
fn rfc7496_3_2_unimportant_messages_make_room() {
    let config = || Config::default().with_send_buffer(10_000).with_send_buffer_cap(0);
    let mut pair = Pair::with(1, Link::new(ms(20)), [config(), config()], [Vec::new(), Vec::new()]);
    pair.connect();
    pair.run_for(ms(1_000));
    pair.links[A].up = false;
    let send = |pair: &mut Pair, id: u64, reliability, len: usize| {
        let options = SendOptions::new().with_reliability(reliability).with_tracking(MessageId(id));
        pair.ends[A].send(pair.now, StreamId(id as u16 % 2), message(vec![id as u8; len]), options)
    };
    let drain = |pair: &mut Pair| -> Vec<u64> {
        let events = std::iter::from_fn(|| pair.ends[A].poll_event());
        events
            .filter_map(|event| {
                let Event::Abandoned { id, progress } = event else { return None };
                assert_eq!(progress, Progress::Unsent);
                Some(id.0)
            })
            .collect()
    };
    send(&mut pair, 0, Reliability::Reliable, 2_000).unwrap();
    for (id, priority) in [(1, 5), (2, 9), (3, 9), (4, 1)] {
        send(&mut pair, id, Reliability::Priority(priority), 1_700).unwrap();
    }
    assert_eq!(drain(&mut pair), []);
    // Not less important than anything here: nothing is dropped for it.
    let refused = send(&mut pair, 5, Reliability::Priority(9), 1_700);
    assert!(matches!(refused, Err(SendError::WouldBlock(_))));
    send(&mut pair, 6, Reliability::Priority(8), 1_700).unwrap();
    assert_eq!(drain(&mut pair), [2]);
    // Without a priority it is more important than all with one.
    send(&mut pair, 7, Reliability::MaxRetransmits(0), 1_700).unwrap();
    assert_eq!(drain(&mut pair), [3]);
    send(&mut pair, 8, Reliability::Reliable, 3_000).unwrap();
    assert_eq!(drain(&mut pair), [6, 1]);
    // What would not be enough is not dropped in vain.
    let refused = send(&mut pair, 9, Reliability::Reliable, 9_000);
    assert!(matches!(refused, Err(SendError::WouldBlock(_))));
    assert_eq!(drain(&mut pair), []);
    pair.links[A].up = true;
    pair.run_for(ms(10_000));
    let mut arrived: Vec<_> = pair.received[B].iter().map(|(_, message)| message.payload[0]).collect();
    arrived.sort_unstable();
    assert_eq!(arrived, [0, 4, 7, 8]);
}

/// Lifetimes of messages that are still open, and of those that wait behind them.
#[test]
fn an_open_message_may_expire() {
    let mut pair = Pair::connected(1, Link::new(ms(20)));
    let options =
        SendOptions::new().with_reliability(Reliability::MaxLifetime(ms(50))).with_tracking(MessageId(1));
    let piece = |end| Piece { ppid: Ppid(53), payload: bytes(5_000), end };
    // The path is full of something else, so that nothing of it goes.
    pair.links[A].up = false;
    while pair.send(A, 2, message(bytes(50_000))).is_ok() {}
    pair.run_for(ms(10));
    pair.ends[A].abort(pair.now, "");
    assert_eq!(
        pair.ends[A].send_piece(pair.now, StreamId(1), piece(End::More), options),
        Err(SendPieceError::Closed)
    );
    // A path that takes the first packets only.
    let mut pair = Pair::connected(1, Link::new(ms(20)));
    pair.run_for(ms(1_000));
    pair.ends[A].send_piece(pair.now, StreamId(1), piece(End::More), options).unwrap();
    pair.flush();
    pair.links[A].up = false;
    pair.ends[A].send_piece(pair.now, StreamId(1), piece(End::More), options).unwrap();
    pair.run_for(ms(3_000));
    assert_eq!(
        pair.ends[A].send_piece(pair.now, StreamId(1), piece(End::More), options),
        Err(SendPieceError::GivenUp)
    );
    assert_eq!(told(&pair), [Event::Abandoned { id: MessageId(1), progress: Progress::Begun }]);
    assert!(!pair.ends[A].is_open(StreamId(1)));
    pair.links[A].up = true;
    pair.send(A, 1, message("next")).unwrap();
    pair.run_for(ms(20_000));
    assert_eq!(pair.received[B].len(), 1);
    assert!(pair.ends[A].is_flushed());
}

/// An owner who asks what became of messages and does not listen gets no more to ask: the memory is bounded.
#[test]
fn names_that_nobody_polls_are_bounded() {
    let mut pair = Pair::connected(1, Link::new(ms(1)));
    let mut accepted = 0;
    for number in 0..100_000_u64 {
        let options = SendOptions::new().with_tracking(MessageId(number));
        if pair.ends[A].send(pair.now, StreamId(1), message("x"), options).is_ok() {
            accepted += 1;
        }
        if number % 100 == 0 {
            // Packets go to and fro; nobody polls the events of A.
            for _ in 0..3 {
                for packet in pair.packets(A) {
                    pair.inject(B, &packet);
                }
                while pair.ends[B].recv().is_some() {}
                for packet in pair.packets(B) {
                    pair.inject(A, &packet);
                }
            }
            pair.now += ms(200);
            let now = pair.now;
            pair.ends[B].handle_timeout(now);
        }
    }
    assert!(pair.ends[A].stats().send_held <= 5 << 18);
    assert!((5_000..20_000).contains(&accepted), "{accepted}");
    // Who listens goes on.
    pair.run_for(ms(1_000));
    assert_eq!(told(&pair).len(), accepted);
    let options = SendOptions::new().with_tracking(MessageId(0));
    pair.ends[A].send(pair.now, StreamId(1), message("x"), options).unwrap();
}
