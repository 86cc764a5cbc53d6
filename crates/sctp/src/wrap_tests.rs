//! T-C04: numbers of messages that wrap on the way, which from outside would take 2^32 messages.

#[path = "../tests/common/pair.rs"]
mod pair;

use crate::{Config, Delivery, End, Interleaving, Order, Reliability, SendOptions, StreamId};
use base::Serial32;
use pair::{A, B, Link, Pair, bytes, message, ms};

fn near_the_end(seed: u64, interleaving: Interleaving, loss: f64) -> Pair {
    let mut link = Link::new(ms(10));
    link.loss = loss;
    link.jitter = ms(10);
    let config = || Config::default().with_interleaving(interleaving);
    let first = [vec![1, u32::MAX - 20], vec![2, u32::MAX - 20]];
    let mut pair = Pair::with(seed, link, [config(), config()], first);
    pair.connect();
    let near = match interleaving {
        Interleaving::Offered => Serial32(u32::MAX - 2),
        Interleaving::Off => Serial32(65_530),
    };
    pair.ends[A].sender.queue.set_next(StreamId(1), near);
    pair.ends[B].receiver.set_next(StreamId(1), near);
    pair
}

#[test]
fn t_c04_message_numbers_wrap_on_the_way() {
    for interleaving in [Interleaving::Offered, Interleaving::Off] {
        for (seed, loss) in [(1, 0.0), (2, 10.0), (3, 25.0)] {
            let mut pair = near_the_end(seed, interleaving, loss);
            for number in 0..60_u8 {
                let order = if number % 4 == 3 { Order::Unordered } else { Order::Ordered };
                let options = SendOptions::new().with_order(order);
                let payload = vec![number; 1 + usize::from(number) * 100];
                pair.ends[A].send(pair.now, StreamId(1), message(payload), options).unwrap();
            }
            assert!(
                pair.run_until(ms(60_000), |pair| pair.received[B].len() == 60),
                "{interleaving:?} {loss}"
            );
            let numbers: Vec<_> = pair.received[B].iter().map(|(_, message)| message.payload[0]).collect();
            let ordered: Vec<_> = numbers.iter().filter(|number| **number % 4 != 3).collect();
            assert!(ordered.is_sorted() && ordered.len() == 45);
        }
    }
}

#[test]
fn t_c04_numbers_of_messages_given_up_wrap() {
    for interleaving in [Interleaving::Offered, Interleaving::Off] {
        for seed in 0..5 {
            let mut pair = near_the_end(seed, interleaving, 30.0);
            for number in 0..100_u8 {
                let reliability =
                    if number % 10 == 0 { Reliability::Reliable } else { Reliability::MaxRetransmits(0) };
                let order = if number % 4 == 3 { Order::Unordered } else { Order::Ordered };
                let options = SendOptions::new().with_reliability(reliability).with_order(order);
                let payload = vec![number; 1 + usize::from(number) * 30];
                pair.ends[A].send(pair.now, StreamId(1), message(payload), options).unwrap();
                pair.run_for(ms(5));
            }
            pair.run_for(ms(60_000));
            assert!(pair.ends[A].is_flushed() && pair.ends[A].is_connected());
            let numbers: Vec<_> = pair.received[B].iter().map(|(_, message)| message.payload[0]).collect();
            assert!((0..10).all(|number| numbers.contains(&(number * 10))), "{numbers:?}");
            assert!(numbers.iter().filter(|number| **number % 4 != 3).is_sorted());
            // Nothing is left behind but the numbers themselves.
            assert_eq!(pair.ends[B].stats().receive_held, 2 * 4);
        }
    }
}

#[test]
fn t_c04_pieces_across_the_wrap() {
    for interleaving in [Interleaving::Offered, Interleaving::Off] {
        let mut pair = near_the_end(9, interleaving, 10.0);
        pair.ends[B].set_delivery(StreamId(1), Delivery::Pieces);
        for _ in 0..10 {
            pair.send(A, 1, message(bytes(20_000))).unwrap();
        }
        let mut messages = vec![Vec::new()];
        for _ in 0..20_000 {
            let limit = pair.now + ms(100);
            pair.step(limit);
            while let Some(piece) = pair.ends[B].recv_piece(StreamId(1)) {
                messages.last_mut().unwrap().extend_from_slice(&piece.payload);
                if piece.end == End::Last {
                    messages.push(Vec::new());
                }
            }
            if messages.len() == 11 {
                break;
            }
        }
        assert!(messages[..10].iter().all(|message| *message == bytes(20_000)));
    }
}
