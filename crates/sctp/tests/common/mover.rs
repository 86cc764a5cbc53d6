//! Moves ends of a pair to another place, by way of bytes.
#![allow(dead_code, reason = "each test file uses its part")]

use super::pair::*;
use sctp::*;
use std::sync::Arc;

/// The bytes of an end, which is gone.
pub(crate) fn take_out(pair: &mut Pair, side: usize) -> Vec<u8> {
    let nobody = Association::new(Arc::new(Config::default()), pair.now, Box::new(Seeded::new(1)));
    let end = std::mem::replace(&mut pair.ends[side], nobody);
    bytes_of(&end.hand_over(pair.now).expect("it is established"))
}

pub(crate) fn bytes_of(handover: &Handover) -> Vec<u8> {
    let mut bytes = vec![0xee];
    handover.to_bytes(&mut bytes);
    assert_eq!(bytes.remove(0), 0xee, "they are appended");
    bytes
}

/// Goes on from bytes.
pub(crate) fn put_in(pair: &mut Pair, side: usize, bytes: &[u8], config: &Arc<Config>, seed: u64) {
    let handover = Handover::from_bytes(bytes).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let rng = Box::new(Seeded::new(seed));
    let end = Association::resume(Arc::clone(config), pair.now, rng, handover);
    pair.ends[side] = end.expect("the configuration is the same");
}

/// Both. What is handed over twice in a row is the same.
pub(crate) fn move_end(pair: &mut Pair, side: usize, config: &Arc<Config>, seed: u64) {
    let bytes = take_out(pair, side);
    put_in(pair, side, &bytes, config, seed);
    let again = take_out(pair, side);
    assert_eq!(bytes.len(), again.len(), "seed {seed}");
    let differs = bytes.iter().zip(&again).position(|(one, other)| one != other);
    assert_eq!(differs, None, "seed {seed}: the first byte that differs");
    put_in(pair, side, &again, config, seed);
}
