//! Many connections that do nothing, in a process of their own.

use crate::{
    associations, machine,
    measure::Who,
    memory::{Node, Pair},
    ours, rustrtc_rs, side, str0m_rs, webrtc_rs,
};
use std::{
    collections::BTreeSet,
    future::Future,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// How connections are driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drive {
    /// By the stack itself, over tokio and UDP.
    Sockets,
    /// In memory, by a loop that sleeps until the next deadline.
    Memory,
    /// Associations of SCTP alone, connected; nothing drives them.
    Association,
    /// Channels of one connection.
    Channel,
}

impl Drive {
    const fn name(self) -> &'static str {
        match self {
            Self::Sockets => "sockets",
            Self::Memory => "memory",
            Self::Association => "association",
            Self::Channel => "channel",
        }
    }
}

/// What one idle connection costs; both ends of a pair count.
pub struct Idle {
    pub resident: f64,
    pub heap: f64,
    /// Processor seconds per second, for a thousand connections.
    pub cpu: f64,
}

/// Starts the process and reads what it says.
pub fn measure(who: Who, drive: Drive, pairs: usize, window: Duration) -> Result<Idle, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program)
        .args(["idle", who.name(), drive.name()])
        .args([pairs.to_string(), window.as_millis().to_string()])
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut words = text
        .lines()
        .find_map(|line| line.strip_prefix("idle "))
        .ok_or_else(|| String::from_utf8_lossy(&output.stderr).trim().to_owned())?
        .split_whitespace()
        .filter_map(|word| word.parse().ok());
    let mut next = || words.next().ok_or_else(|| "unreadable".to_owned());
    Ok(Idle { resident: next()?, heap: next()?, cpu: next()? })
}

/// `peers idle WHO sockets|memory|association|channel PAIRS MILLISECONDS`
pub fn main(arguments: &[String]) -> Result<(), String> {
    let usage = || "usage: peers idle WHO sockets|memory|association|channel PAIRS MILLISECONDS".to_owned();
    let [who, drive, pairs, window] = arguments else { return Err(usage()) };
    let who = Who::parse(who).ok_or_else(usage)?;
    let pairs: usize = pairs.parse().map_err(|_| usage())?;
    let window = Duration::from_millis(window.parse().map_err(|_| usage())?);
    machine::count_allocations();
    machine::raise_file_limit();
    match (who, drive.as_str()) {
        (Who::Ours, "sockets") => {
            side::in_runtime(sockets(pairs, window, || ours::channel::connect(ours::provider(Who::Ours))))
        }
        (Who::Webrtc, "sockets") => side::in_runtime(sockets(pairs, window, webrtc_rs::channel::connect)),
        (Who::Rustrtc, "sockets") => side::in_runtime(sockets(pairs, window, rustrtc_rs::channel::connect)),
        (Who::Ours, "memory") => {
            memory(pairs, window, |now| ours::session::pair(ours::provider(Who::Ours), now))
        }
        (Who::Ours, "association") => associations_alone(pairs),
        (Who::Ours, "channel") => channels(pairs),
        (Who::Str0m, "memory") => memory(pairs, window, str0m_rs::session::pair),
        _ => Err(usage()),
    }
}

/// The first pairs make what a process has once; they do not count.
const FIRST: usize = 4;
/// Pairs that connect at the same time.
const AT_ONCE: usize = 10;

async fn sockets<P, F>(
    pairs: usize,
    window: Duration,
    connect: impl Fn() -> F + Copy + Send + 'static,
) -> Result<(), String>
where
    P: Send + 'static,
    F: Future<Output = Result<(P, Duration), String>> + Send + 'static,
{
    let mut kept = Vec::with_capacity(pairs + FIRST);
    let mut before = Baseline::now();
    while kept.len() < pairs + FIRST {
        let count = if kept.is_empty() { FIRST } else { AT_ONCE.min(pairs + FIRST - kept.len()) };
        let tasks: Vec<_> = (0..count).map(|_| tokio::spawn(connect())).collect();
        for task in tasks {
            kept.push(task.await.map_err(|error| error.to_string())??.0);
        }
        if kept.len() == FIRST {
            tokio::time::sleep(Duration::from_secs(1)).await;
            before = Baseline::now();
        }
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = Baseline::now();
    tokio::time::sleep(window).await;
    before.tell(&after, pairs, window);
    // Nobody waits for a thousand good-byes.
    std::process::exit(0);
}

fn memory<N: Node>(pairs: usize, window: Duration, make: impl Fn(Instant) -> Pair<N>) -> Result<(), String> {
    let mut kept: Vec<Pair<N>> = Vec::with_capacity(pairs + FIRST);
    let mut before = Baseline::now();
    while kept.len() < pairs + FIRST {
        // Each in real time: virtual time would leave deadlines of another clock.
        let mut pair = make(Instant::now());
        pair.carry(Instant::now());
        let begin = Instant::now();
        while !pair.ends.iter().all(Node::is_ready) {
            if begin.elapsed() > Duration::from_secs(10) {
                return Err("the ends do not connect".to_owned());
            }
            let next = pair.next().unwrap_or_else(Instant::now);
            thread::sleep(next.saturating_duration_since(Instant::now()).min(Duration::from_millis(20)));
            pair.wake(Instant::now());
        }
        kept.push(pair);
        if kept.len() == FIRST {
            before = Baseline::now();
        }
    }
    sleep(&mut kept, Duration::from_secs(2));
    let after = Baseline::now();
    sleep(&mut kept, window);
    before.tell(&after, pairs, window);
    Ok(())
}

fn associations_alone(pairs: usize) -> Result<(), String> {
    let now = Instant::now();
    let mut kept = Vec::with_capacity(pairs + FIRST);
    let mut before = Baseline::now();
    for count in 0..pairs + FIRST {
        if count == FIRST {
            before = Baseline::now();
        }
        let pair = associations::ours::pair(now);
        // What is in the association itself is on the heap too, as with everybody who keeps many.
        kept.push(pair.map(|end| Box::new(end.association)));
    }
    before.tell(&Baseline::now(), pairs, Duration::from_secs(1));
    Ok(())
}

/// Both ends of a channel count as one end each, as with connections.
fn channels(count: usize) -> Result<(), String> {
    let mut now = Instant::now();
    let mut pair = ours::session::pair(ours::provider(Who::Ours), now);
    now = pair.connect(now)?;
    let before = Baseline::now();
    let open = ours::session::open_channels(&mut pair, &mut now, count)?;
    before.tell(&Baseline::now(), open, Duration::from_secs(1));
    Ok(())
}

/// Does what is due, and sleeps. The deadlines are in order, so that the connections that have nothing to do cost nothing.
fn sleep<N: Node>(pairs: &mut [Pair<N>], duration: Duration) {
    let end = Instant::now() + duration;
    let mut due: BTreeSet<(Instant, usize)> =
        pairs.iter().enumerate().filter_map(|(place, pair)| Some((pair.next()?, place))).collect();
    loop {
        let now = Instant::now();
        while let Some(&(at, place)) = due.first()
            && at <= now
        {
            due.pop_first();
            pairs[place].wake(now);
            due.extend(pairs[place].next().map(|at| (at.max(now + SLACK), place)));
        }
        if now >= end {
            return;
        }
        // Deadlines within a millisecond are met together.
        let next = due.first().map_or(end, |&(at, _)| at.min(end));
        thread::sleep(next.saturating_duration_since(now).max(SLACK));
    }
}

/// How late a deadline may be met.
const SLACK: Duration = Duration::from_millis(1);

struct Baseline {
    resident: u64,
    heap: i64,
    cpu: Duration,
}

impl Baseline {
    fn now() -> Self {
        let (user, system) = machine::cpu();
        Self { resident: machine::resident(), heap: machine::allocated(), cpu: user + system }
    }

    /// `after` was taken when the idling began; now it ends.
    fn tell(&self, after: &Self, pairs: usize, window: Duration) {
        let ends = (2 * pairs) as f64;
        let (user, system) = machine::cpu();
        let cpu = (user + system - after.cpu).as_secs_f64() / window.as_secs_f64();
        println!(
            "idle {} {} {}",
            after.resident.saturating_sub(self.resident) as f64 / ends / 1_024.0,
            (after.heap - self.heap) as f64 / ends / 1_024.0,
            cpu / ends * 1_000.0 * 100.0
        );
    }
}
