//! Bytes that say they are an association: read, written again, and brought to life alone; or those of a real one, changed
//! here and there, with the peer it had.

use super::machine;
use machine::End;
use sctp::{Association, Config, Handover};
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::{
    Machine as _, Seed,
    fuzz::{Bounds, Input, Lone, Mended, mend_sctp, null_crypto, reached, sequence},
};

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    if input.u8() & 1 == 0 {
        alone(input.rest());
    } else {
        with_peer(&mut input);
    }
}

fn config() -> Config {
    Config::new(&null_crypto())
        .expect("invariant: the provider has HMAC")
        .with_receive_buffer(64 * 1_024)
        .with_send_buffer(64 * 1_024)
}

/// An association of these bytes, if they are one.
fn wake(now: Instant, bytes: &[u8]) -> Option<Association> {
    let handover = match Handover::from_bytes(bytes) {
        Ok(handover) => handover,
        Err(error) => {
            reached(&format!("{error:?}"));
            return None;
        }
    };
    let mut again = Vec::new();
    handover.to_bytes(&mut again);
    assert!(again == bytes, "what is read is written as it was");
    let random = Seed::new(7).boxed_random("resumed");
    match Association::resume(Arc::new(config()), now, random, handover) {
        Ok(association) => {
            reached("resumed");
            Some(association)
        }
        Err(_) => {
            reached("no room");
            None
        }
    }
}

fn alone(bytes: &[u8]) {
    let mut found = false;
    let make = |now| {
        let awake = wake(now, bytes);
        found = awake.is_some();
        let nobody = || Association::new(Arc::new(config()), now, Seed::new(1).boxed_random("nobody"));
        End::of(awake.unwrap_or_else(nobody))
    };
    // All that is in the bytes may be found lost at once.
    let mut lone = Lone::new(make, Bounds::new(512 + bytes.len(), 1_024 * 1_024 + 8 * bytes.len()));
    if !found {
        return;
    }
    lone.drain();
    while lone.machine.association.recv().is_some() {
        reached("message");
    }
    for step in 0..40_u64 {
        let choice = step.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7;
        lone.machine.command(lone.now, choice);
        lone.advance(Duration::from_millis(20 << (step % 8)));
    }
    lone.machine.close(lone.now);
    lone.drain();
    lone.machine.close(lone.now);
    lone.drain();
    assert_eq!(lone.machine.poll_timeout(), None, "aborted is over");
}

fn with_peer(input: &mut Input<'_>) {
    let scene = input.u32();
    let changes: Vec<_> = (0..input.below(6)).map(|_| (input.u8(), input.u16(), input.u8())).collect();
    let make = |now, seed: Seed| {
        let (one, other) = in_the_midst(now, seed, scene);
        let handover = one.association.hand_over(now);
        let mut bytes = Vec::new();
        handover.expect("it is connected").to_bytes(&mut bytes);
        let mut changed = bytes.clone();
        for change in &changes {
            apply(&mut changed, *change);
        }
        // What is refused is there as it was.
        let one = wake(now, &changed).or_else(|| wake(now, &bytes)).expect("what was written can be read");
        let bounds = |machine| Mended { machine, mend: mend_sctp };
        (bounds(End::of(one)), bounds(other))
    };
    sequence(make, Bounds::new(4_096, 4 * 1_024 * 1_024), input.rest());
}

fn apply(bytes: &mut Vec<u8>, (kind, at, value): (u8, u16, u8)) {
    let at = usize::from(at) % bytes.len().max(1);
    match kind % 8 {
        0 => bytes.truncate(at),
        1 => {
            let end = bytes.len().min(at + 8);
            bytes[at..end].fill(value);
        }
        2 => bytes.insert(at, value),
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= value;
            }
        }
    }
}

/// Two that are connected, after some calls and with some packets on their way lost.
fn in_the_midst(now: Instant, seed: Seed, scene: u32) -> (End, End) {
    let (mut one, mut other) = machine::pair(config(), now, seed);
    exchange(now, &mut one, &mut other, || true);
    assert!(one.is_ready() && other.is_ready(), "connected");
    let mut state = u64::from(scene) << 1 | 1;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 16
    };
    for _ in 0..1 + scene % 24 {
        let choice = next();
        let end = if next() & 1 == 0 { &mut one } else { &mut other };
        end.command(now, choice);
        if next() & 3 == 0 {
            let lost = next() & 3;
            exchange(now, &mut one, &mut other, || next() & 3 > lost);
        }
    }
    (one, other)
}

/// Hands over packets, those that arrive, until there are none.
fn exchange(now: Instant, one: &mut End, other: &mut End, mut arrives: impl FnMut() -> bool) {
    let mut packet = Vec::new();
    for _ in 0..100 {
        let mut quiet = true;
        for turn in 0..2 {
            let (from, to) = if turn == 0 { (&mut *one, &mut *other) } else { (&mut *other, &mut *one) };
            while from.poll_transmit(now, &mut packet).is_some() {
                quiet = false;
                if arrives() {
                    to.handle_datagram(now, (), &mut packet);
                }
                packet.clear();
            }
        }
        if quiet {
            return;
        }
    }
}
