//! One ordered and reliable channel over a line with a round trip, loss and a rate, beside the kernel's TCP.

use crate::{
    measure::{Effort, Group, Line, Probe, Row, Who},
    pairs,
};
use std::time::Duration;

const MESSAGE: usize = 16 << 10;

const ROUND_TRIPS: [Duration; 5] = [
    Duration::from_micros(100),
    Duration::from_millis(20),
    Duration::from_millis(60),
    Duration::from_millis(100),
    Duration::from_millis(300),
];
/// In percent.
const LOSSES: [f64; 4] = [0.0, 0.1, 1.0, 5.0];
/// In megabits.
const RATES: [Option<u64>; 2] = [None, Some(100)];

pub fn groups(effort: &Effort) -> Vec<Box<dyn FnOnce() -> Group>> {
    let mut groups: Vec<Box<dyn FnOnce() -> Group>> = Vec::new();
    for rate in RATES {
        for round_trip in ROUND_TRIPS {
            for loss_percent in LOSSES {
                let line = Line { round_trip, loss_percent, rate };
                if !effort.quick || is_quick(&line) {
                    groups.push(Box::new(move || cell(line)));
                }
            }
        }
    }
    groups
}

/// The cells of a quick run.
fn is_quick(line: &Line) -> bool {
    let milliseconds = line.round_trip.as_millis();
    [60, 300].contains(&milliseconds) && [0.0, 1.0].contains(&line.loss_percent)
}

/// The cells in which the other stacks are measured: they tell how they do with loss and latency, and take half as long.
fn has_peers(line: &Line) -> bool {
    let milliseconds = line.round_trip.as_millis();
    [0, 60, 300].contains(&milliseconds)
        && line.loss_percent != 0.1
        && (line.rate.is_none() || milliseconds == 60)
}

fn cell(line: Line) -> Group {
    let parties = [Who::OursAwsLc, Who::Webrtc, Who::Str0m, Who::Rustrtc, Who::Tcp];
    let probes = parties
        .into_iter()
        .filter(|who| !Who::PEERS.contains(who) || has_peers(&line))
        .map(|who| {
            Probe::new(who, move |effort| Ok(vec![Some(pairs::over(who, MESSAGE, &line, effort)?.megabits)]))
        })
        .collect();
    let name = format!("16 KiB over {}", line.words());
    Group { rows: vec![Row::higher(name, "Mbit/s").over(line)], probes, repetitions: Some(1) }
}
