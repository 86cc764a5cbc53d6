//! One ordered and reliable channel between two processes.

use crate::{
    limits,
    measure::{Effort, Group, Probe, Row, Who},
    pairs,
};
use std::time::Duration;

/// Sizes of the messages, and what they are called.
const SIZES: &[(usize, &str)] =
    &[(1 << 10, "1 KiB"), (16 << 10, "16 KiB"), (64 << 10, "64 KiB"), (256 << 10, "256 KiB")];

/// Datagrams a call in the limit: what peerlane puts into one.
const BATCH: usize = 16;

pub fn groups(_: &Effort) -> Vec<Box<dyn FnOnce() -> Group>> {
    let mut groups: Vec<Box<dyn FnOnce() -> Group>> = Vec::new();
    for (bytes, label) in SIZES {
        groups.push(Box::new(move || throughput(*bytes, label)));
    }
    groups.push(Box::new(small));
    groups.push(Box::new(round_trip));
    groups
}

fn throughput(bytes: usize, label: &str) -> Group {
    let rows = vec![
        Row::higher(format!("channel {label}"), "Mbit/s"),
        Row::lower(format!("channel {label}, CPU sender"), "s/GB"),
        Row::lower(format!("channel {label}, CPU receiver"), "s/GB"),
    ];
    let mut probes: Vec<Probe> = [Who::Ours, Who::OursAwsLc, Who::Webrtc, Who::Str0m, Who::Rustrtc]
        .into_iter()
        .map(|who| {
            if who == Who::Str0m && bytes > 128 << 10 {
                return Probe::without(who, "a message larger than its send buffer (128 KiB) is never taken");
            }
            Probe::new(who, move |effort| {
                let flow = pairs::flood(who, bytes, effort)?;
                Ok(vec![Some(flow.megabits), Some(flow.sender), Some(flow.receiver)])
            })
        })
        .collect();
    probes.push(Probe::new(Who::Limit, |effort| {
        Ok(vec![Some(limits::pipe(BATCH, effort.window.min(Duration::from_secs(1)))), None, None])
    }));
    Group { rows, probes, repetitions: None }
}

fn small() -> Group {
    let rows = vec![
        Row::higher("channel 100 B", "messages/s"),
        Row::lower("channel 100 B, CPU sender", "s/GB"),
        Row::lower("channel 100 B, CPU receiver", "s/GB"),
    ];
    let probes = [Who::Ours, Who::OursAwsLc, Who::Webrtc, Who::Str0m, Who::Rustrtc]
        .into_iter()
        .map(|who| {
            Probe::new(who, move |effort| {
                let flow = pairs::flood(who, 100, effort)?;
                Ok(vec![Some(flow.messages), Some(flow.sender), Some(flow.receiver)])
            })
        })
        .collect();
    Group { rows, probes, repetitions: None }
}

fn round_trip() -> Group {
    let rows = vec![Row::lower("round trip 64 B, median", "us"), Row::lower("round trip 64 B, p99", "us")];
    let mut probes: Vec<Probe> = [Who::Ours, Who::OursAwsLc, Who::Webrtc, Who::Str0m, Who::Rustrtc]
        .into_iter()
        .map(|who| {
            Probe::new(who, move |effort| {
                let (median, high) = pairs::ping_pong(who, effort)?;
                Ok(vec![Some(median), Some(high)])
            })
        })
        .collect();
    probes.push(Probe::new(Who::Limit, |effort| {
        let (median, high) = limits::round_trip(effort.round_trips);
        Ok(vec![Some(median), Some(high)])
    }));
    Group { rows, probes, repetitions: None }
}
