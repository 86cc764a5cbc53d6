//! Channels, and a peer that owns a whole association and says what it likes on it: any message on any stream.

use super::machine;
use datachannel::Config;
use machine::End;
use sctp::{Association, Message, Order, Ppid, Reliability, SendOptions, StreamId};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use testkit::{
    Machine as _, Seed,
    fuzz::{Bounds, Input, Lone, null_crypto},
};

const MOST_CHANNELS: usize = 16;
/// RFC 8831 §8: DCEP, text, binary, their forms for nothing, deprecated and unknown ones.
const PPIDS: [u32; 8] = [50, 51, 52, 53, 54, 56, 57, 77];

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let make = |now| {
        let config = Config::new(&null_crypto())
            .expect("invariant: the provider has HMAC")
            .with_max_channels(MOST_CHANNELS)
            .with_receive_buffer(64 * 1_024)
            .with_max_message_size(16 * 1_024);
        machine::pair(config, now, Seed::new(1)).0
    };
    let mut lone = Lone::new(make, Bounds::new(512, 512 * 1_024));
    let config = sctp::Config::new(&null_crypto()).expect("invariant: the provider has HMAC");
    let mut peer = Association::new(Arc::new(config), lone.now, Seed::new(2).boxed_random("peer"));
    peer.connect(lone.now);
    exchange(&mut lone, &mut peer);
    assert!(lone.machine.is_ready() && peer.is_connected(), "connected");
    for _ in 0..200 {
        if input.is_empty() {
            break;
        }
        let now = lone.now;
        match input.u8() % 8 {
            0..=3 => {
                let stream = StreamId(u16::from(input.u8()));
                let message = message(&mut input);
                let _ = peer.send(now, stream, message, SendOptions::new());
            }
            4 => {
                let options = SendOptions::new()
                    .with_order(Order::Unordered)
                    .with_reliability(Reliability::MaxRetransmits(0));
                let _ = peer.send(now, StreamId(u16::from(input.u8() & 3)), message(&mut input), options);
            }
            5 => _ = peer.reset_stream(now, StreamId(u16::from(input.u8()))),
            6 => lone.machine.command(now, input.u32().into()),
            _ => {
                lone.advance(Duration::from_millis(20) * input.u8().into());
                peer.handle_timeout(lone.now);
            }
        }
        exchange(&mut lone, &mut peer);
        let stats = lone.machine.channels.stats();
        let alive = stats.channels_opened.saturating_sub(stats.channels_closed);
        assert!(alive <= MOST_CHANNELS as u64, "{alive} channels");
    }
}

fn message(input: &mut Input<'_>) -> Message {
    let ppid = Ppid(input.pick(&PPIDS));
    let form = input.u8();
    let payload = if ppid.0 == 50 && form & 1 == 0 { open(input) } else { input.chunk().to_vec() };
    let payload = if form >= 0xf0 { vec![form; usize::from(input.u16())] } else { payload };
    Message { ppid, payload: payload.into() }
}

/// A DATA_CHANNEL_OPEN in order but for what is in it (RFC 8832 §5.1).
fn open(input: &mut Input<'_>) -> Vec<u8> {
    let mut open = vec![3, input.u8()];
    open.extend_from_slice(&input.u16().to_be_bytes());
    open.extend_from_slice(&u32::from(input.u8()).to_be_bytes());
    let (label, protocol) = (input.chunk(), input.chunk());
    for text in [label, protocol] {
        open.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    }
    open.extend_from_slice(label);
    open.extend_from_slice(protocol);
    open
}

/// Carries packets to and fro until both are silent.
fn exchange(lone: &mut Lone<End>, peer: &mut Association) {
    let now: Instant = lone.now;
    let mut to_peer = lone.drain();
    for _ in 0..1_000 {
        for ((), packet) in to_peer.drain(..) {
            peer.handle_packet(now, &packet);
        }
        let mut to_us = Vec::new();
        let mut out = Vec::new();
        while peer.poll_transmit(now, &mut out).is_some() {
            to_us.push(std::mem::take(&mut out));
        }
        while peer.poll_event().is_some() {}
        while peer.recv().is_some() {}
        if to_us.is_empty() {
            return;
        }
        for packet in to_us {
            to_peer.extend(lone.deliver((), &packet));
        }
    }
    panic!("they talk without end");
}
