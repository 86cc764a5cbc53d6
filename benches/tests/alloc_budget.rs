//! How often each path allocates per packet, once it runs. The zeros are promises.

#[path = "../rigs/stack.rs"]
#[allow(dead_code, unreachable_pub, reason = "the benches use the rest")]
mod stack;

use peerconnection::{
    Datagram,
    bytes::{Bytes, BytesMut},
    datachannel::Payload,
    media::{EncodedFrame, MediaTime},
};
use srtp::{Config, Profile, Protector, Unprotector};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    num::NonZeroUsize,
    time::Duration,
};
use stun::{Builder, IntegrityKey, Message, Method, TransactionId, attr::Username};

/// The system's allocator, and how often this thread asked it for memory.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending has no counter any more, and nothing to count.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call is passed on unchanged to `System`; the counter neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above; `pointer` came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above; `pointer` came from `System`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `work` allocates.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// Packets before the measurement, and measured.
const WARM_UP: u16 = 2_000;
const PACKETS: u16 = 1_000;

fn rtp(number: u16, packet: &mut Vec<u8>) {
    packet.clear();
    packet.extend_from_slice(&[0x80, 96]);
    packet.extend_from_slice(&number.to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 2]);
    packet.resize(1_000, 7);
}

#[test]
fn the_allocator_counts() {
    assert_eq!(allocations(|| drop(Box::new(std::hint::black_box(1)))), 1);
    assert_eq!(allocations(|| ()), 0);
}

#[test]
fn srtp_allocates_nothing() {
    let provider = stack::provider();
    for profile in Profile::ALL {
        let (key, salt) = (vec![1; profile.key_len()], vec![2; profile.salt_len()]);
        let mut protector = Protector::new(&provider, profile, &key, &salt, Config::new()).expect("keys fit");
        let mut unprotector =
            Unprotector::new(&provider, profile, &key, &salt, Config::new()).expect("keys fit");
        let mut packet = Vec::with_capacity(1_500);
        let mut run = |from, to| {
            for number in from..to {
                rtp(number, &mut packet);
                protector.protect_rtp(&mut packet, 0).expect("protected");
                let len = unprotector.unprotect_rtp(&mut packet).expect("authentic");
                assert_eq!(len, 1_000);
            }
        };
        run(0, WARM_UP);
        assert_eq!(allocations(|| run(WARM_UP, WARM_UP + PACKETS)), 0, "{}", profile.name());
    }
}

#[test]
fn stun_parse_and_verify_allocate_nothing() {
    let key = IntegrityKey::new(&stack::provider(), b"VOkJxbRl1RmTxUk/WvJxBt").expect("a key");
    let mut request = Vec::new();
    let id = TransactionId::random(&mut testkit::Seed::new(1).random());
    let mut builder = Builder::request(&mut request, Method::BINDING, id);
    builder.attribute(&Username::new("evtj:h6vY").expect("short")).message_integrity(&key).fingerprint();
    builder.finish().expect("built");
    let check = || {
        let message = Message::parse(&request).expect("readable");
        message.check_fingerprint().expect("intact");
        message.verify(&key).expect("authentic");
        assert_eq!(message.require::<Username<'_>>().expect("there").as_str(), Some("evtj:h6vY"));
    };
    check();
    assert_eq!(allocations(|| (0..PACKETS).for_each(|_| check())), 0);
}

#[test]
fn dtls_seal_and_open_allocate_nothing() {
    let now = testkit::start();
    let mut pair = stack::dtls_pair(now);
    let mut out = Vec::with_capacity(1_500);
    let mut run = |count| (0..count).for_each(|_| stack::seal_and_open(now, &mut pair, 1_100, &mut out));
    run(WARM_UP);
    assert_eq!(allocations(|| run(PACKETS)), 0);
}

/// Allocations and datagrams of the sending side alone, while `messages` of `size` bytes go through.
fn data_out(stack: &mut stack::Stack, size: usize, messages: usize) -> (u64, u64) {
    let message = Bytes::from(vec![7; size]);
    let (mut allocated, mut sent) = (0, 0);
    let mut out = Vec::with_capacity(1 << 16);
    for _ in 0..messages {
        let payload = Payload::binary(message.clone());
        allocated +=
            allocations(|| stack.a.send_data(stack.now, stack.channel, payload).expect("there is room"));
        loop {
            out.clear();
            let mut transmit = None;
            allocated +=
                allocations(|| transmit = stack.a.poll_transmit(stack.now, NonZeroUsize::MIN, &mut out));
            let Some(transmit) = transmit else { break };
            sent += 1;
            stack.b.handle_datagram(stack.now, stack::datagram(stack.now, transmit, &out));
        }
        stack.step();
        while stack.b.recv_data(stack.now, stack.other).is_some() {}
        while stack.a.poll_event().is_some() || stack.b.poll_event().is_some() {}
    }
    (allocated, sent)
}

/// Data out: no allocation for a datagram, nor for a message. Now and then a queue takes a new block.
#[test]
fn data_out_stays_within_its_budget() {
    let mut stack = stack::Stack::new(testkit::start());
    for (size, limit) in [(100, 0.01), (16_384, 0.01)] {
        data_out(&mut stack, size, 400);
        let (allocated, sent) = data_out(&mut stack, size, 400);
        let rate = allocated as f64 / sent as f64;
        println!("data out, {size} bytes: {allocated} allocations for {sent} datagrams");
        assert!(sent >= 400 && rate <= limit, "{size} bytes: {allocated} allocations for {sent} datagrams");
    }
}

/// Media: nothing for a packet in either direction, one for each frame that is put together.
#[test]
fn media_out_and_in_stay_within_their_budget() {
    let mut stack = stack::Stack::new(testkit::start());
    let mut frame = vec![0x10, 2, 0, 0x9d, 1, 0x2a, 64, 1, 240, 0];
    frame.resize(20_000, 0);
    let frame = Bytes::from(frame);
    let video = stack.b.transceivers().next().expect("made by the offer").id;
    let mut out = Vec::with_capacity(1 << 16);
    // What datagrams arrive in: pieces of one large buffer, as a driver reads them.
    let mut pool = BytesMut::new();
    let mut measure = |stack: &mut stack::Stack, frames: u64, start: u64| {
        let (mut sending, mut receiving, mut packets, mut received) = (0, 0, 0, 0);
        for number in 0..frames {
            let time = MediaTime((start + number) * 3_000);
            let encoded = EncodedFrame::new(frame.clone(), time, stack.now);
            sending += allocations(|| stack.a.send_frame(stack.now, stack.video, encoded).expect("room"));
            loop {
                out.clear();
                let mut transmit = None;
                sending +=
                    allocations(|| transmit = stack.a.poll_transmit(stack.now, NonZeroUsize::MIN, &mut out));
                let Some(transmit) = transmit else { break };
                packets += u64::from(out.first().is_some_and(|first| (128..=191).contains(first)));
                if pool.capacity() < 2_048 {
                    // The first piece makes the buffer shared: once for a hundred packets.
                    pool = BytesMut::with_capacity(1 << 18);
                    drop(pool.split());
                }
                pool.extend_from_slice(&out);
                let payload = pool.split();
                let path = transmit.path.reversed();
                let datagram = Datagram { path, ecn: None, arrival: stack.now, payload };
                receiving += allocations(|| stack.b.handle_datagram(stack.now, datagram));
            }
            let mut taken = None;
            receiving += allocations(|| taken = stack.b.recv_frame(video));
            received += u64::from(taken.is_some());
            drop(taken);
            stack.step();
            stack.now += Duration::from_millis(32);
            while stack.a.poll_event().is_some() || stack.b.poll_event().is_some() {}
        }
        (sending, receiving, packets, received)
    };
    measure(&mut stack, 100, 0);
    let (sending, receiving, packets, received) = measure(&mut stack, 100, 100);
    println!("media: {packets} packets in {received} frames, {sending} allocations out, {receiving} in");
    assert!(packets >= 1_700 && received >= 99, "{packets} packets, {received} frames");
    // Now and then a map or a queue takes a new block.
    assert!(sending * 100 <= packets, "{sending} allocations for {packets} packets out");
    assert!(receiving <= received + packets / 50, "{receiving} allocations for {received} frames in");
}
