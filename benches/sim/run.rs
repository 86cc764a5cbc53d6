//! Runs a row with many seeds on all processors.

use crate::row::{Measured, Row, Sample};
use std::{
    any::Any,
    io::{IsTerminal as _, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

/// All seeds from 0 up to, and without, `seeds`. The result does not depend on the number of processors.
pub(crate) fn measure(row: &Row, seeds: u64) -> Measured {
    let next = AtomicU64::new(0);
    let workers = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let work = || {
        let mut samples = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return samples;
            }
            show(&row.name, seed, seeds);
            samples.push((seed, one(row, seed)));
        }
    };
    let mut samples: Vec<(u64, Sample)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    samples.sort_by_key(|(seed, _)| *seed);
    clear();
    Measured { samples }
}

/// One run. A panic is a fault of the row, not the end of the program.
pub(crate) fn one(row: &Row, seed: u64) -> Sample {
    catch_unwind(AssertUnwindSafe(|| (row.run)(seed))).unwrap_or_else(|panic| Sample::fault(told(&*panic)))
}

fn told(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    format!("panicked: {}", text.lines().next().unwrap_or_default())
}

fn show(name: &str, seed: u64, seeds: u64) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[2K{name}: {} of {seeds}", seed + 1);
        // Only the display suffers when this fails.
        drop(std::io::stderr().flush());
    }
}

fn clear() {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[2K");
    }
}
