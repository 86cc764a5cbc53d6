//! Loops in memory, on one core. Their time is processor time of the thread: what else runs on the machine then only
//! costs what it does to the caches.

use crate::{
    machine::{self, thread_time},
    measure::{Effort, Probe, Who},
};
use std::time::Duration;

/// Does a piece of work so many times and says how long that took. What it prepares is not counted.
pub type Timed = Box<dyn FnMut(u64) -> Duration>;

/// The same work again and again.
pub fn repeat(mut work: impl FnMut() + 'static) -> Timed {
    Box::new(move |times| {
        let begin = thread_time();
        for _ in 0..times {
            work();
        }
        thread_time().saturating_sub(begin)
    })
}

/// How many are prepared at once: few enough to stay in the cache.
const BATCH: u64 = 64;

/// Work on something that is made for each time and used up.
pub fn prepared<T: 'static>(
    mut make: impl FnMut() -> T + 'static,
    mut work: impl FnMut(T) + 'static,
) -> Timed {
    Box::new(move |times| {
        let mut total = Duration::ZERO;
        let mut left = times;
        while left > 0 {
            let count = left.min(BATCH);
            let batch: Vec<T> = (0..count).map(|_| make()).collect();
            let begin = thread_time();
            for item in batch {
                work(item);
            }
            total += thread_time().saturating_sub(begin);
            left -= count;
        }
        total
    })
}

/// Nanoseconds for one piece of work.
pub fn nanoseconds(who: Who, make: impl FnOnce() -> Timed + 'static) -> Probe {
    scaled(who, make, |times, took| took.as_nanos() as f64 / times as f64)
}

/// Pieces of work per second.
pub fn per_second(who: Who, make: impl FnOnce() -> Timed + 'static) -> Probe {
    scaled(who, make, |times, took| times as f64 / took.as_secs_f64())
}

/// Gigabytes (1e9) per second, and cycles for a byte where the clock is known, of work on so many bytes.
pub fn gigabytes(who: Who, bytes: usize, make: impl FnOnce() -> Timed + 'static) -> Probe {
    let clock = machine::clock();
    several(who, make, move |times, took| {
        let all = times as f64 * bytes as f64;
        vec![Some(all / 1e9 / took.as_secs_f64()), clock.map(|clock| clock * took.as_secs_f64() / all)]
    })
}

/// Megabits per second, of work on so many bytes.
pub fn megabits(who: Who, bytes: usize, make: impl FnOnce() -> Timed + 'static) -> Probe {
    scaled(who, make, move |times, took| times as f64 * bytes as f64 * 8.0 / 1e6 / took.as_secs_f64())
}

fn scaled(
    who: Who,
    make: impl FnOnce() -> Timed + 'static,
    scale: impl Fn(u64, Duration) -> f64 + 'static,
) -> Probe {
    several(who, make, move |times, took| vec![Some(scale(times, took))])
}

fn several(
    who: Who,
    make: impl FnOnce() -> Timed + 'static,
    scale: impl Fn(u64, Duration) -> Vec<Option<f64>> + 'static,
) -> Probe {
    let mut make = Some(make);
    let mut calibrated: Option<(Timed, u64)> = None;
    Probe::new(who, move |effort| {
        // Only what is measured is made.
        if let Some(make) = make.take() {
            let mut timed = make();
            let times = calibrate(&mut timed, effort);
            calibrated = Some((timed, times));
        }
        let (timed, times) = calibrated.as_mut().ok_or("could not be made")?;
        let took = timed(*times);
        Ok(scale(*times, took))
    })
}

/// How many times fill the time of a sample. Also warms caches and predictors.
fn calibrate(timed: &mut Timed, effort: &Effort) -> u64 {
    let mut times = 1;
    loop {
        let took = timed(times);
        if took >= effort.kernel / 4 {
            let wanted = effort.kernel.as_secs_f64() / took.as_secs_f64() * times as f64;
            return (wanted as u64).max(1);
        }
        times *= 2;
    }
}
