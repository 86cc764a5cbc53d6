//! Whole connections: made, and left alone.

use crate::{
    idle::{self, Drive},
    kernel, machine,
    measure::{Effort, Group, Probe, Row, Who},
    ours, rustrtc_rs, side, str0m_rs, webrtc_rs,
};
use std::{
    future::Future,
    time::{Duration, Instant},
};

const NO_DRIVER: &str = "it brings no sockets";
const NO_MEMORY: &str = "its connections cannot be driven without sockets";

/// Several in a row; the median time, and the mean of the processor time.
fn several(
    mut connect: impl FnMut() -> Result<Duration, String> + 'static,
) -> impl FnMut(&Effort) -> Result<Vec<Option<f64>>, String> {
    move |effort| {
        let cpu = || {
            let (user, system) = machine::cpu();
            (user + system).as_secs_f64()
        };
        let before = cpu();
        let mut times = Vec::new();
        for _ in 0..effort.set_ups {
            times.push(connect()?.as_secs_f64() * 1_000.0);
        }
        times.sort_by(f64::total_cmp);
        let used = (cpu() - before) * 1_000.0 / effort.set_ups as f64;
        Ok(vec![times.get(times.len() / 2).copied(), Some(used)])
    }
}

fn over_tokio<P: Send + 'static, F>(who: Who, connect: impl Fn() -> F + Copy + Send + 'static) -> Probe
where
    F: Future<Output = Result<(P, Duration), String>> + Send,
{
    Probe::new(
        who,
        several(move || {
            side::in_runtime(async move {
                let (pair, took) = tokio::time::timeout(Duration::from_secs(20), connect())
                    .await
                    .map_err(|_| "the channel did not open".to_owned())??;
                drop(pair);
                Ok(took)
            })
        }),
    )
}

pub fn set_up(_: &Effort) -> Vec<Box<dyn FnOnce() -> Group>> {
    vec![
        Box::new(|| Group {
            rows: vec![
                Row::lower("offer to open channel, loopback", "ms"),
                Row::lower("offer to open channel, CPU of both", "ms"),
            ],
            probes: vec![
                over_tokio(Who::Ours, || ours::channel::connect(ours::provider(Who::Ours))),
                over_tokio(Who::OursAwsLc, || ours::channel::connect(ours::provider(Who::OursAwsLc))),
                over_tokio(Who::Webrtc, webrtc_rs::channel::connect),
                Probe::new(Who::Str0m, several(str0m_rs::channel::connect)),
                over_tokio(Who::Rustrtc, rustrtc_rs::channel::connect),
            ],
            repetitions: None,
        }),
        Box::new(|| Group {
            rows: vec![Row::lower("offer to open channel, no sockets, both ends", "ns")],
            probes: vec![
                in_memory(Who::Ours),
                in_memory(Who::OursAwsLc),
                Probe::without(Who::Webrtc, NO_MEMORY),
                kernel::nanoseconds(Who::Str0m, || {
                    kernel::repeat(|| {
                        let now = Instant::now();
                        str0m_rs::session::pair(now).connect(now).expect("connects");
                    })
                }),
                Probe::without(Who::Rustrtc, NO_MEMORY),
            ],
            repetitions: None,
        }),
    ]
}

fn in_memory(who: Who) -> Probe {
    kernel::nanoseconds(who, move || {
        kernel::repeat(move || {
            let now = Instant::now();
            ours::session::pair(ours::provider(who), now).connect(now).expect("connects");
        })
    })
}

fn idling(who: Who, drive: Drive) -> Probe {
    Probe::new(who, move |effort| {
        let idle = idle::measure(who, drive, effort.idle_pairs, effort.idle_window)?;
        Ok(vec![Some(idle.resident), Some(idle.heap), Some(idle.cpu)])
    })
}

fn idle_rows(how: &str) -> Vec<Row> {
    vec![
        Row::lower(format!("idle connection, {how}, resident"), "KiB"),
        Row::lower(format!("idle connection, {how}, heap"), "KiB"),
        Row::lower(format!("1,000 idle connections, {how}"), "% of a core"),
    ]
}

pub fn idle(_: &Effort) -> Vec<Box<dyn FnOnce() -> Group>> {
    vec![
        Box::new(|| Group {
            rows: idle_rows("sockets"),
            probes: vec![
                idling(Who::Ours, Drive::Sockets),
                idling(Who::Webrtc, Drive::Sockets),
                Probe::without(Who::Str0m, NO_DRIVER),
                idling(Who::Rustrtc, Drive::Sockets),
            ],
            repetitions: Some(3),
        }),
        Box::new(|| Group {
            rows: idle_rows("no sockets"),
            probes: vec![
                idling(Who::Ours, Drive::Memory),
                Probe::without(Who::Webrtc, NO_MEMORY),
                idling(Who::Str0m, Drive::Memory),
                Probe::without(Who::Rustrtc, NO_MEMORY),
            ],
            repetitions: Some(3),
        }),
        Box::new(|| Group {
            rows: vec![Row::lower("idle SCTP association, heap", "B")],
            probes: vec![heap(Drive::Association)],
            repetitions: Some(1),
        }),
        Box::new(|| Group {
            rows: vec![Row::lower("idle channel, heap", "B")],
            probes: vec![heap(Drive::Channel)],
            repetitions: Some(1),
        }),
    ]
}

/// What one end of many holds.
fn heap(drive: Drive) -> Probe {
    Probe::new(Who::Ours, move |effort| {
        let idle = idle::measure(Who::Ours, drive, effort.idle_pairs, effort.idle_window)?;
        Ok(vec![Some(idle.heap * 1_024.0)])
    })
}
