//! Multicast DNS: a resolver and a responder, datagrams from anywhere, names of any kind.

use ice::mdns::{PORT, Resolver, Responder};
use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};
use testkit::fuzz::{Input, reached};

/// docs/limits.md: names asked for at once, answers in a second.
const MOST_QUERIES: usize = 8;
const MOST_ANSWERS: usize = 50;

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut now = testkit::start();
    let (mut resolver, mut responder) = (Resolver::new(), Responder::new());
    for _ in 0..200 {
        if input.is_empty() {
            break;
        }
        match input.u8() % 7 {
            0 => _ = resolver.resolve(now, &name(&mut input)),
            1 => {
                let address =
                    if input.flag() { IpAddr::from([10, 0, 0, 1]) } else { IpAddr::from([0_u16; 8]) };
                let _ = responder.publish(now, &name(&mut input), address);
            }
            2 => responder.withdraw(now, &name(&mut input)),
            3 => now += Duration::from_millis(input.u16().into()),
            4 => {
                let from = from(&mut input);
                let datagram = message(&mut input);
                resolver.handle_datagram(now, from, &datagram);
                responder.handle_datagram(now, from, &datagram);
            }
            5 => {
                let from = from(&mut input);
                let datagram = input.chunk();
                resolver.handle_datagram(now, from, datagram);
                responder.handle_datagram(now, from, datagram);
            }
            _ => {
                // What one says the other hears.
                for datagram in drain(&mut resolver, &mut responder, now) {
                    resolver.handle_datagram(now, SocketAddr::from(([10, 0, 0, 2], PORT)), &datagram);
                    responder.handle_datagram(now, SocketAddr::from(([10, 0, 0, 2], PORT)), &datagram);
                }
            }
        }
        resolver.handle_timeout(now);
        responder.handle_timeout(now);
        drain(&mut resolver, &mut responder, now);
        for next in [resolver.poll_timeout(), responder.poll_timeout()].into_iter().flatten() {
            assert!(next > now, "busy loop: an alarm {:?} ago", now - next);
        }
    }
    let before = resolver.stats().sent;
    now += Duration::from_secs(6);
    resolver.handle_timeout(now);
    drain(&mut resolver, &mut responder, now);
    assert_eq!((resolver.poll_timeout(), resolver.stats().sent), (None, before), "questions end");
}

fn drain(resolver: &mut Resolver, responder: &mut Responder, now: Instant) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut out = Vec::new();
    while let Some(transmit) = resolver.poll_transmit(now, &mut out) {
        all.push(out.split_off(out.len() - transmit.len));
        assert!(all.len() <= 2 * MOST_QUERIES, "more queries than names, each to two groups");
    }
    let queries = all.len();
    while let Some(transmit) = responder.poll_transmit(now, &mut out) {
        assert!(transmit.len <= 512, "an answer of {} bytes", transmit.len);
        reached("answered");
        all.push(out.split_off(out.len() - transmit.len));
        assert!(all.len() - queries <= 4 * MOST_ANSWERS, "more answers than may be");
    }
    assert!(out.is_empty());
    let events = std::iter::from_fn(|| resolver.poll_event());
    assert!(
        events
            .inspect(|event| reached(if event.address.is_some() { "resolved" } else { "not there" }))
            .count()
            <= 64
    );
    all
}

fn name(input: &mut Input<'_>) -> String {
    match input.u8() {
        255 => String::from_utf8_lossy(input.chunk()).into_owned(),
        number => format!("name-{number}.local"),
    }
}

fn from(input: &mut Input<'_>) -> SocketAddr {
    let port = if input.u8() < 200 { PORT } else { input.u16() };
    SocketAddr::from(([10, 0, 0, input.u8()], port))
}

/// A message in order but for what is in it (RFC 1035 §4.1).
fn message(input: &mut Input<'_>) -> Vec<u8> {
    let mut out = vec![0, 0, if input.flag() { 0x84 } else { 0 }, 0];
    let counts = [input.u8() & 3, input.u8() & 3, 0, input.u8() & 1];
    out.extend(counts.iter().flat_map(|count| [0, *count]));
    for (section, count) in counts.into_iter().enumerate() {
        for _ in 0..count {
            record(input, section > 0, &mut out);
        }
    }
    out
}

fn record(input: &mut Input<'_>, has_data: bool, out: &mut Vec<u8>) {
    match input.u8() {
        // A pointer to the name of the first record, or to anywhere.
        0..=40 => out.extend_from_slice(&[0xc0, 12]),
        41..=50 => out.extend_from_slice(&(0xc000 | input.u16()).to_be_bytes()),
        _ => {
            let label = format!("name-{}", input.u8());
            out.push(label.len() as u8);
            out.extend_from_slice(label.as_bytes());
            out.extend_from_slice(b"\x05local\0");
        }
    }
    let kind = input.pick(&[1_u16, 28, 255, 16]);
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&input.pick(&[1_u16, 0x8001, 255]).to_be_bytes());
    if has_data {
        out.extend_from_slice(&u32::from(input.u8()).to_be_bytes());
        let data = match (input.u8() & 3, kind) {
            (0, _) => input.chunk().to_vec(),
            (_, 28) => vec![0xfd; 16],
            _ => vec![10, 0, 0, 3],
        };
        let len = if input.u8() < 200 { data.len() as u16 } else { input.u16() };
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(&data);
    }
}
