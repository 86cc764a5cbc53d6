//! Work in rounds: so many connections at a time, then a look at what is left.

use crate::{
    Failure,
    measure::{Level, Sample, now},
    probe::Probes,
};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;

/// Between two signs of life.
const SIGN: Duration = Duration::from_secs(15);

/// What a phase did and what it left.
#[derive(Debug)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    pub(crate) workers: usize,
    /// What was counted: cycles or connections.
    pub(crate) done: u64,
    pub(crate) took: Duration,
    pub(crate) start: Level,
    pub(crate) end: Level,
    /// Probes that were made in this phase; all of them fired when `end` equals `start`.
    pub(crate) probes: u64,
    /// At the end of each round.
    pub(crate) samples: Vec<Sample>,
}

/// How a phase goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) workers: usize,
    pub(crate) total: u64,
    /// How many of them a round has.
    pub(crate) per_round: u64,
}

impl Plan {
    /// Runs `round` with the numbers of its connections until all are done, and measures after each.
    pub(crate) async fn run(
        self,
        probes: &Probes,
        mut round: impl AsyncFnMut(std::ops::Range<u64>) -> Result<(), Failure>,
    ) -> Result<Phase, Failure> {
        let Self { name, workers, total, per_round } = self;
        let fail = |at: u64, failure| format!("{name}, {workers} workers, behind number {at}: {failure}");
        let start = Level::now(probes)?;
        let made = probes.made();
        // All at once: the list must not grow in what it measures.
        let rounds = usize::try_from(total.div_ceil(per_round)).unwrap_or_default();
        let mut samples = Vec::with_capacity(rounds);
        let begin = now();
        let mut last_sign = begin;
        let mut done = 0;
        while done < total {
            let next = (done + per_round).min(total);
            round(done..next).await.map_err(|failure| fail(done, failure))?;
            start.settled(probes).await.map_err(|failure| fail(done, failure))?;
            done = next;
            samples.push(Sample::take(done)?);
            if now() - last_sign > SIGN {
                last_sign = now();
                let seconds = (last_sign - begin).as_secs();
                println!("  {name}, {workers} workers: {done} of {total} in {seconds} s");
            }
        }
        let took = now() - begin;
        let end = Level::now(probes)?;
        Ok(Phase { name, workers, done, took, start, end, probes: probes.made() - made, samples })
    }
}

/// Calls `work` with each number, so many at a time, each in a task of its own.
pub(crate) async fn at_a_time<F>(
    limit: u64,
    numbers: std::ops::Range<u64>,
    work: impl Fn(u64) -> F + Clone + Send + 'static,
) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let next = Arc::new(AtomicU64::new(numbers.start));
    let mut tasks: JoinSet<Result<(), Failure>> = JoinSet::new();
    for _ in 0..limit.min(numbers.end - numbers.start) {
        let (next, work, end) = (Arc::clone(&next), work.clone(), numbers.end);
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= end {
                    return Ok(());
                }
                work(number).await.map_err(|failure| format!("number {number}: {failure}"))?;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| format!("a task panicked: {error}"))??;
    }
    Ok(())
}
