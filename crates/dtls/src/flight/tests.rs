use super::*;
use crate::handshake::reassembly::{Limits, Reassembly};
use crate::record::v12;
use base::Reader;
use proptest::prelude::*;

#[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
fn start() -> Instant {
    Instant::now()
}

/// All datagrams of one transmission.
fn send(flight: &mut Flight, mtu: usize, epochs: &mut WriteEpochs) -> Vec<Vec<u8>> {
    let mut datagrams = Vec::new();
    loop {
        let mut out = Vec::new();
        let written = flight.write_datagram(start(), mtu, epochs, &mut out).unwrap();
        assert!(written.records > 0);
        datagrams.push(out);
        if written.done {
            return datagrams;
        }
        assert!(datagrams.len() < 10_000);
    }
}

#[test]
fn a_flight_fills_datagrams_and_repeats() {
    let mut epochs = WriteEpochs::new();
    let mut flight = Flight::new();
    assert!(!flight.is_pending());
    flight.begin(Answer::Awaited, Some(3));
    flight.push(HandshakeType::SERVER_HELLO, 0, 0, vec![1; 80]);
    flight.push(HandshakeType::CERTIFICATE, 1, 0, vec![2; 500]);
    flight.push_change_cipher_spec();
    let first = send(&mut flight, 1_200, &mut epochs);
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].len(), 25 + 80 + 25 + 500 + 14);
    assert!(!flight.is_pending());
    flight.repeat();
    assert!(flight.is_pending() && !flight.is_fresh());
    let second = send(&mut flight, 300, &mut epochs);
    assert_eq!(second.len(), 3);
    assert!(second.iter().all(|datagram| datagram.len() <= 300));
}

#[test]
fn many_losses_make_datagrams_small() {
    let mut epochs = WriteEpochs::new();
    let mut flight = Flight::new();
    flight.begin(Answer::Awaited, None);
    flight.push(HandshakeType::CERTIFICATE, 1, 0, vec![2; 2_000]);
    assert_eq!(send(&mut flight, 1_200, &mut epochs).len(), 2);
    for _ in 0..3 {
        flight.repeat();
    }
    assert!(send(&mut flight, 1_200, &mut epochs).iter().all(|datagram| datagram.len() <= SMALL_MTU));
}

#[test]
fn a_repeated_question_is_answered_again_but_not_at_once() {
    let now = start();
    let pause = Duration::from_millis(25);
    let mut epochs = WriteEpochs::new();
    let mut flight = Flight::new();
    flight.begin(Answer::None, Some(7));
    flight.push_change_cipher_spec();
    assert!(!flight.should_repeat_for(7, now, pause), "it is being sent");
    flight.write_datagram(now, 1_200, &mut epochs, &mut Vec::new()).unwrap();
    assert!(!flight.should_repeat_for(7, now, pause));
    assert!(flight.should_repeat_for(7, now + pause, pause));
    assert!(!flight.should_repeat_for(6, now + pause, pause));
}

#[test]
fn intervals_double_and_recover() {
    let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(3));
    backoff.set_first(Duration::from_millis(100));
    assert_eq!(backoff.interval(), Duration::from_millis(100));
    for _ in 0..10 {
        backoff.expired();
    }
    assert_eq!(backoff.interval(), Duration::from_secs(3));
    backoff.set_first(Duration::from_millis(200));
    assert_eq!(backoff.interval(), Duration::from_secs(3), "kept until a flight goes through");
    backoff.succeeded();
    assert_eq!(backoff.interval(), Duration::from_millis(200));
}

/// RFC 6347 §4.2.4: a flight repeated too early makes the peer repeat its own; that is no reason to repeat the next one.
#[test]
fn an_echo_of_our_own_repetition_is_no_loss() {
    let pause = Duration::from_millis(50);
    let mut epochs = WriteEpochs::new();
    let mut flight = Flight::new();
    flight.begin(Answer::Awaited, None);
    flight.push(HandshakeType::CLIENT_HELLO, 0, 0, vec![0; 50]);
    send(&mut flight, 1_200, &mut epochs);
    flight.repeat();
    send(&mut flight, 1_200, &mut epochs);
    flight.begin(Answer::Awaited, Some(4));
    flight.push(HandshakeType::FINISHED, 1, 0, vec![0; 12]);
    send(&mut flight, 1_200, &mut epochs);
    let later = start() + pause;
    assert!(!flight.should_repeat_for(3, later, pause), "another message");
    assert!(!flight.should_repeat_for(4, later, pause), "the echo");
    assert!(flight.should_repeat_for(4, later, pause), "the peer asks");
    flight.repeat();
    send(&mut flight, 1_200, &mut epochs);
    // The last flight has no timer: nothing may delay it.
    flight.begin(Answer::None, Some(6));
    flight.push(HandshakeType::FINISHED, 2, 0, vec![0; 12]);
    send(&mut flight, 1_200, &mut epochs);
    assert!(flight.should_repeat_for(6, start() + pause, pause));
}

/// RFC 6347 §4.2.4.1: a short maximum must not make a slow path repeat what is still on its way.
#[test]
fn a_path_slower_than_the_maximum_keeps_its_interval() {
    let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(1));
    backoff.set_first(Duration::from_secs(6));
    assert_eq!(backoff.interval(), Duration::from_secs(6));
    backoff.expired();
    assert_eq!(backoff.interval(), Duration::from_secs(6));
}

proptest! {
    /// Whatever the limit and the messages: no datagram is longer, and the peer gets the messages back.
    #[test]
    fn any_mtu_carries_any_messages(
        mtu in 64_usize..1_500,
        bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3_000), 1..6),
    ) {
        let mut epochs = WriteEpochs::new();
        let mut flight = Flight::new();
        flight.begin(Answer::Awaited, None);
        for (seq, body) in bodies.iter().enumerate() {
            flight.push(HandshakeType::CERTIFICATE, seq as u16, 0, body.clone());
        }
        let mut reassembly = Reassembly::new(Limits { message: 16_384, total: 32_768 });
        let mut received = Vec::new();
        for mut datagram in send(&mut flight, mtu, &mut epochs) {
            prop_assert!(!datagram.is_empty() && datagram.len() <= mtu);
            let mut rest = &mut datagram[..];
            while !rest.is_empty() {
                let (_, fragment, next) = v12::split(rest).unwrap();
                reassembly.push(0, &Fragment::read(&mut Reader::new(fragment)).unwrap());
                rest = next;
            }
            while let Some(message) = reassembly.pop() {
                received.push(message.body);
            }
        }
        prop_assert_eq!(received, bodies);
    }
}
