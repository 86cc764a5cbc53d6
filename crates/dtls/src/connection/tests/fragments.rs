//! Flights cut anew on their way.

use super::pair::{Fate, Pair, Side};
use crate::handshake::fragment::Fragment;
use crate::record::v12;
use base::Reader;
use proptest::prelude::*;
use std::time::Duration;

/// Every handshake message in clear text becomes datagrams of one small fragment each, in the order of `order`, some
/// of them twice, and overlapping by `overlap` bytes. Other records pass behind them.
fn cut(datagram: &[u8], pieces: usize, overlap: usize, order: u64) -> Vec<Vec<u8>> {
    let mut datagram = datagram.to_vec();
    let mut rest = &mut datagram[..];
    let (mut small, mut others) = (Vec::new(), Vec::new());
    while !rest.is_empty() {
        let (header, body, next) = v12::split(rest).unwrap();
        if header.epoch == 0 && header.content == 22 {
            let whole = Fragment::read(&mut Reader::new(body)).unwrap();
            let size = whole.body.len().div_ceil(pieces).max(1);
            let mut at = 0;
            loop {
                let end = (at + size + overlap).min(whole.body.len());
                let piece =
                    Fragment { offset: whole.offset + at as u32, body: &whole.body[at..end], ..whole };
                let mut body = Vec::new();
                piece.write(&mut body);
                small.push(super::record(22, header.sequence, &body));
                at += size;
                if at >= whole.body.len() {
                    break;
                }
            }
        } else {
            let mut record = header.encode().to_vec();
            record.extend_from_slice(body);
            others.extend(record);
        }
        rest = next;
    }
    let copies: Vec<Vec<u8>> = small.iter().step_by(3).cloned().collect();
    small.extend(copies);
    let mut state = order;
    for at in (1..small.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        small.swap(at, (state >> 33) as usize % (at + 1));
    }
    if !others.is_empty() {
        small.push(others);
    }
    small
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Users 21, T-D11: all messages of both sides in 2 to 20 pieces, any order, repeated and overlapping.
    #[test]
    fn users_21_handshakes_in_pieces_complete(pieces in 2_usize..21, overlap in 0_usize..9, order: u64) {
        let mut pair = Pair::new();
        let start = pair.now;
        pair.network = Box::new(move |_, _, datagram| Fate::Replace(cut(datagram, pieces, overlap, order)));
        pair.start();
        pair.run(Duration::from_secs(30));
        pair.assert_talking();
        prop_assert_eq!(pair.now - start, Duration::from_millis(40), "nothing had to be sent again");
    }

    /// T-D17: datagrams of noise, and true ones cut or changed, at any time: no panic, and no end but a reasoned one.
    #[test]
    fn t_d17_noise_is_survived(
        noise in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..100)), 1..40),
        first in prop::sample::select(vec![20_u8, 21, 22, 23, 25, 0x2f, 0x80]),
    ) {
        let mut pair = Pair::new();
        pair.start();
        for (to_server, mut bytes) in noise {
            if let Some(byte) = bytes.first_mut() {
                *byte = first;
            }
            let (side, now) = (if to_server { Side::Server } else { Side::Client }, pair.now);
            let mut own = pair.log.last().map(|(_, datagram)| datagram.clone()).unwrap_or_default();
            own.truncate(bytes.len() * 13);
            pair.peer(side).deliver(now, bytes);
            pair.peer(side).deliver(now, own);
            let end = pair.now + Duration::from_secs(1);
            pair.step(end);
        }
        pair.run(Duration::from_secs(300));
        for side in [Side::Client, Side::Server] {
            let peer = pair.peer(side);
            prop_assert!(peer.is_connected() || peer.close_reason().is_some(), "{:?}", peer.connection);
        }
    }
}
