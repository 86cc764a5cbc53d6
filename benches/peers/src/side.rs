//! One side of a connection, as a process of its own.

use crate::{
    machine,
    measure::Who,
    ours, rustrtc_rs, str0m_rs, tcp, webrtc_rs,
    wire::{self, Wire},
};
use std::{future::Future, net::Ipv4Addr, time::Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Offer,
    Answer,
}

/// What the channel is used for; the offering side begins.
#[derive(Clone, Copy, Debug)]
pub enum Job {
    /// Messages of this size, as many as the channel takes.
    Flood(usize),
    /// So many round trips of 64 bytes.
    PingPong(usize),
    /// The same in a loop over a blocking socket, for those who otherwise have tasks.
    BlockingPingPong(usize),
}

impl Job {
    /// The size of its messages, in bytes.
    pub const fn message(self) -> usize {
        match self {
            Self::Flood(bytes) => bytes,
            Self::PingPong(_) | Self::BlockingPingPong(_) => PING,
        }
    }
}

/// All that a side is to know.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    pub role: Role,
    pub job: Job,
    /// Where to bind.
    pub address: Ipv4Addr,
    /// Connections at once, all of which do the job.
    pub connections: usize,
}

impl Job {
    pub fn to_words(self) -> [String; 2] {
        match self {
            Self::Flood(bytes) => ["flood".to_owned(), bytes.to_string()],
            Self::PingPong(rounds) => ["ping-pong".to_owned(), rounds.to_string()],
            Self::BlockingPingPong(rounds) => ["blocking-ping-pong".to_owned(), rounds.to_string()],
        }
    }

    fn parse(kind: &str, number: &str) -> Option<Self> {
        let number = number.parse().ok()?;
        match kind {
            "flood" => Some(Self::Flood(number)),
            "ping-pong" => Some(Self::PingPong(number)),
            "blocking-ping-pong" => Some(Self::BlockingPingPong(number)),
            _ => None,
        }
    }
}

/// Bytes of a ping.
pub const PING: usize = 64;
/// Round trips before those that count.
pub const FIRST_ROUNDS: usize = 200;

/// `peers side WHO ROLE JOB NUMBER CORE ADDRESS CONNECTIONS`
pub fn main(arguments: &[String]) -> Result<(), String> {
    let usage = || {
        "usage: peers side WHO offer|answer flood|ping-pong|blocking-ping-pong NUMBER CORE ADDRESS CONNECTIONS".to_owned()
    };
    let [who, role, kind, number, core, address, connections] = arguments else { return Err(usage()) };
    let who = Who::parse(who).ok_or_else(usage)?;
    let role = if role == "offer" { Role::Offer } else { Role::Answer };
    let job = Job::parse(kind, number).ok_or_else(usage)?;
    let address = address.parse().map_err(|_| usage())?;
    let connections = connections.parse().map_err(|_| usage())?;
    let task = Task { role, job, address, connections };
    machine::pin(core.parse().map_err(|_| usage())?);
    let wire = Wire::start();
    match (who, job) {
        (Who::Ours | Who::OursAwsLc, Job::BlockingPingPong(rounds)) => {
            ours::blocking::side(ours::provider(who), &task, rounds, &wire)
        }
        (Who::Ours | Who::OursAwsLc, _) => in_runtime(ours::channel::side(ours::provider(who), task, wire)),
        (Who::Webrtc, _) => in_runtime(webrtc_rs::channel::side(task, wire)),
        (Who::Rustrtc, _) => in_runtime(rustrtc_rs::channel::side(task, wire)),
        (Who::Str0m, _) => str0m_rs::channel::side(task, &wire),
        (Who::Tcp, _) => tcp::side(task, &wire),
        (Who::SctpProto | Who::Dcsctp | Who::Limit | Who::LimitAwsLc, _) => Err(usage()),
    }
}

/// Does the job on all connections at once, each in a task of its own.
pub async fn on_all<E, F>(ends: Vec<E>, work: impl Fn(E) -> F) -> Result<(), String>
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    wire::say("open", "");
    let tasks: Vec<_> = ends.into_iter().map(|end| tokio::spawn(work(end))).collect();
    for task in tasks {
        task.await.map_err(|error| error.to_string())??;
    }
    // The measuring process ends this one.
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    Ok(())
}

/// In a runtime with as many workers as this process has cores. The work is a task like those of the stacks, so that a
/// message does not change threads on its way to them.
pub fn in_runtime<T: Send + 'static>(
    work: impl Future<Output = Result<T, String>> + Send + 'static,
) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async { tokio::spawn(work).await.map_err(|error| error.to_string())? })
}

/// Collects round trips and tells them.
pub struct Rounds {
    begin: Instant,
    wanted: usize,
    microseconds: Vec<f64>,
    seen: usize,
}

impl Rounds {
    pub fn new(wanted: usize) -> Self {
        Self { begin: Instant::now(), wanted, microseconds: Vec::with_capacity(wanted), seen: 0 }
    }

    /// A ping is about to leave.
    pub fn ping(&mut self) {
        self.begin = Instant::now();
    }

    /// The answer is there. Returns whether that was the last one; then the result is on its way.
    pub fn pong(&mut self) -> bool {
        let took = self.begin.elapsed().as_nanos() as f64 / 1_000.0;
        self.seen += 1;
        if self.seen <= FIRST_ROUNDS {
            return false;
        }
        self.microseconds.push(took);
        if self.microseconds.len() < self.wanted {
            return false;
        }
        self.microseconds.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = (share * (self.microseconds.len() - 1) as f64).round() as usize;
            self.microseconds.get(place).copied().unwrap_or(0.0)
        };
        wire::say("rounds", &format!("{} {}", at(0.5), at(0.99)));
        true
    }
}
