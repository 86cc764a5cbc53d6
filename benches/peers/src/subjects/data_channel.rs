//! One ordered and reliable channel between two processes.

use crate::{
    buffers::Raised,
    limits,
    measure::{Effort, Group, Probe, Row, Who},
    pairs,
    side::Job,
};
use std::time::Duration;

/// Sizes of the messages, and what they are called.
const SIZES: &[(usize, &str)] = &[
    (1 << 10, "1 KiB"),
    (16 << 10, "16 KiB"),
    (64 << 10, "64 KiB"),
    (256 << 10, "256 KiB"),
    (1 << 20, "1 MiB"),
];

/// Datagrams a call in the limit: what peerlane puts into one.
const BATCH: usize = 16;

/// Who has channels.
const PARTIES: [Who; 5] = [Who::Ours, Who::OursAwsLc, Who::Webrtc, Who::Str0m, Who::Rustrtc];

/// Connections at once.
const SEVERAL: usize = 10;

pub fn groups(effort: &Effort) -> Vec<Box<dyn FnOnce() -> Group>> {
    let mut groups: Vec<Box<dyn FnOnce() -> Group>> = Vec::new();
    for (bytes, label) in SIZES {
        groups.push(Box::new(move || throughput(*bytes, label)));
    }
    groups.push(Box::new(small));
    if effort.large_buffers {
        for (bytes, label) in SIZES.iter().filter(|(bytes, _)| (1 << 10..=64 << 10).contains(bytes)) {
            groups.push(Box::new(move || large(*bytes, label)));
        }
    }
    groups.push(Box::new(at_once));
    groups.push(Box::new(round_trip));
    groups.push(Box::new(blocking_round_trip));
    groups
}

fn throughput(bytes: usize, label: &str) -> Group {
    let rows = vec![
        Row::higher(format!("channel {label}"), "Mbit/s"),
        Row::lower(format!("channel {label}, CPU sender"), "s/GB"),
        Row::lower(format!("channel {label}, CPU receiver"), "s/GB"),
    ];
    let mut probes: Vec<Probe> = PARTIES
        .into_iter()
        .map(|who| {
            if who == Who::Str0m && bytes > 128 << 10 {
                return Probe::without(who, "a message larger than its send buffer (128 KiB) is never taken");
            }
            if who == Who::Webrtc && bytes > 256 << 10 {
                return Probe::without(who, "it refuses a message of this size");
            }
            Probe::new(who, move |effort| {
                let flow = pairs::flood(who, bytes, effort)?;
                Ok(vec![Some(flow.megabits), Some(flow.sender), Some(flow.receiver)])
            })
        })
        .collect();
    for (limit, ours) in [(Who::Limit, Who::Ours), (Who::LimitAwsLc, Who::OursAwsLc)] {
        probes.push(Probe::new(limit, move |effort| {
            Ok(vec![Some(limits::pipe(ours, BATCH, effort.window.min(Duration::from_secs(1)))), None, None])
        }));
    }
    Group { rows, probes, repetitions: None }
}

/// With sockets that get 4 MiB without asking, which only root can give: for those who do not ask.
fn large(bytes: usize, label: &str) -> Group {
    let probes = PARTIES
        .into_iter()
        .map(|who| {
            Probe::new(who, move |effort| {
                let _raised = Raised::raise()?;
                Ok(vec![Some(pairs::flood(who, bytes, effort)?.megabits)])
            })
        })
        .collect();
    let rows = vec![Row::higher(format!("channel {label}, large kernel buffers"), "Mbit/s")];
    Group { rows, probes, repetitions: None }
}

/// Ten connections between the same two processes; each process has one core.
fn at_once() -> Group {
    let rows = vec![
        Row::higher(format!("{SEVERAL} channels at once, 16 KiB, sum"), "Mbit/s"),
        Row::lower(format!("{SEVERAL} channels at once, resident, sender"), "MiB"),
        Row::lower(format!("{SEVERAL} channels at once, resident, receiver"), "MiB"),
    ];
    let probes = PARTIES
        .into_iter()
        .map(|who| {
            Probe::new(who, move |effort| {
                let flow = pairs::several(who, 16 << 10, SEVERAL, effort)?;
                let [sender, receiver] = flow.resident.map(|bytes| Some(bytes as f64 / f64::from(1 << 20)));
                Ok(vec![Some(flow.megabits), sender, receiver])
            })
        })
        .collect();
    Group { rows, probes, repetitions: Some(3) }
}

fn small() -> Group {
    let rows = vec![
        Row::higher("channel 100 B", "messages/s"),
        Row::lower("channel 100 B, CPU sender", "s/GB"),
        Row::lower("channel 100 B, CPU receiver", "s/GB"),
    ];
    let probes = PARTIES
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
    ping_pong("round trip 64 B", &PARTIES, Job::PingPong)
}

/// In a loop over a blocking socket: str0m is always measured so, the others have no such interface.
fn blocking_round_trip() -> Group {
    ping_pong(
        "round trip 64 B, blocking loop",
        &[Who::Ours, Who::OursAwsLc, Who::Str0m],
        Job::BlockingPingPong,
    )
}

/// `job` is what is run for so many round trips.
fn ping_pong(title: &str, parties: &[Who], job: fn(usize) -> Job) -> Group {
    let rows = vec![Row::lower(format!("{title}, median"), "us"), Row::lower(format!("{title}, p99"), "us")];
    let ours = parties.iter().map(|who| {
        let who = *who;
        Probe::new(who, move |effort| {
            let (median, high) = pairs::ping_pong(who, job(effort.round_trips))?;
            Ok(vec![Some(median), Some(high)])
        })
    });
    let limit = Probe::new(Who::Limit, |effort| {
        let (median, high) = limits::round_trip(effort.round_trips);
        Ok(vec![Some(median), Some(high)])
    });
    Group { rows, probes: ours.chain([limit]).collect(), repetitions: None }
}
