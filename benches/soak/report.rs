//! What the run found, as tables, and the sentences for what did not come back.

use crate::{
    alloc,
    fit::{FEWEST, Fit},
    measure::Sample,
    rounds::Phase,
};
use std::fmt::Write as _;

/// Fewer connections than this have not filled the allocator's caches: their resident memory is shown, not judged.
const JUDGED_FROM: u64 = 1_000;

/// Which memory of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    Heap,
    Resident,
}

impl Memory {
    pub(crate) fn of(self, sample: &Sample) -> usize {
        match self {
            Self::Heap => sample.heap,
            Self::Resident => sample.resident,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Heap => "in use",
            Self::Resident => "resident",
        }
    }
}

/// The line through the second half of the samples: the first half is warm-up, in which pools and caches fill.
pub(crate) fn fit(phase: &Phase, memory: Memory) -> Option<Fit> {
    let half = phase.samples.get(phase.samples.len() / 2..).unwrap_or_default();
    let points: Vec<(f64, f64)> =
        half.iter().map(|sample| (sample.at as f64, memory.of(sample) as f64)).collect();
    Fit::of(&points)
}

/// Prints both tables; returns a sentence for everything that did not come back.
pub(crate) fn print(phases: &[Phase]) -> Vec<String> {
    let mut failures = Vec::new();
    println!("\n{}", counts(phases, &mut failures));
    println!("{}", memories(phases, &mut failures));
    println!("in use when the runtimes are gone: {} KiB", alloc::live() >> 10);
    failures
}

fn counts(phases: &[Phase], failures: &mut Vec<String>) -> String {
    let mut text =
        "workers  phase      connections  seconds  descriptors  tasks     probes         verdict\n"
            .to_owned();
    for phase in phases {
        let (start, end) = (phase.start, phase.end);
        let comes_back = start == end;
        if !comes_back {
            failures.push(format!(
                "{}, {} workers: {start:?} at the start, {end:?} at the end",
                phase.name, phase.workers
            ));
        }
        let _ = writeln!(
            text,
            "{:<7}  {:<9}  {:>11}  {:>7.0}  {:<11}  {:<8}  {:<13}  {}",
            phase.workers,
            phase.name,
            phase.done,
            phase.took.as_secs_f64(),
            format!("{} -> {}", start.descriptors, end.descriptors),
            format!("{} -> {}", start.tasks, end.tasks),
            format!("{} of {}", phase.probes - (end.probes.saturating_sub(start.probes)), phase.probes),
            if comes_back { "all back" } else { "LOST" },
        );
    }
    text
}

fn memories(phases: &[Phase], failures: &mut Vec<String>) -> String {
    let mut text = "workers  phase      memory    first KiB  half KiB  last KiB  bytes per connection  samples  verdict\n".to_owned();
    for phase in phases {
        for memory in [Memory::Resident, Memory::Heap] {
            let kib = |sample: Option<&Sample>| sample.map_or(0, |sample| memory.of(sample) >> 10);
            let fit = fit(phase, memory);
            let is_judged = memory == Memory::Heap || phase.done >= JUDGED_FROM;
            let (slope, samples, verdict) = match fit {
                None => ("-".to_owned(), 0, format!("not judged: fewer than {FEWEST} samples")),
                Some(fit) => {
                    let slope = format!("{:+.2} +- {:.2}", fit.slope, fit.error);
                    let verdict = match (fit.rises(), is_judged) {
                        (true, true) => "GROWS".to_owned(),
                        (false, true) => "0 within noise".to_owned(),
                        (_, false) => format!("not judged: fewer than {JUDGED_FROM}"),
                    };
                    if fit.rises() && is_judged {
                        failures.push(format!(
                            "{}, {} workers: memory {} grows by {slope} bytes per connection",
                            phase.name,
                            phase.workers,
                            memory.name()
                        ));
                    }
                    (slope, fit.samples, verdict)
                }
            };
            let _ = writeln!(
                text,
                "{:<7}  {:<9}  {:<8}  {:>9}  {:>8}  {:>8}  {:>20}  {:>7}  {}",
                phase.workers,
                phase.name,
                memory.name(),
                kib(phase.samples.first()),
                kib(phase.samples.get(phase.samples.len() / 2)),
                kib(phase.samples.last()),
                slope,
                samples,
                verdict,
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Level;
    use std::time::Duration;

    fn phase(done: u64, end: Level, leak: usize) -> Phase {
        let start = Level { descriptors: 9, tasks: 0, probes: 0 };
        let sample = |index: u64| {
            let grown = leak * usize::try_from(index).unwrap();
            Sample { at: index * done / 50, resident: 20_000_000 + grown, heap: 1_000_000 + grown }
        };
        let samples = (1..=50).map(sample).collect();
        Phase { name: "cycles", workers: 1, done, took: Duration::ZERO, start, end, probes: 7, samples }
    }

    #[test]
    fn what_comes_back_is_no_failure() {
        let level = Level { descriptors: 9, tasks: 0, probes: 0 };
        assert_eq!(print(&[phase(10_000, level, 0)]), [""; 0]);
    }

    #[test]
    fn what_is_lost_is_a_sentence() {
        let level = Level { descriptors: 9, tasks: 0, probes: 0 };
        for lost in
            [Level { descriptors: 10, ..level }, Level { tasks: 1, ..level }, Level { probes: 1, ..level }]
        {
            let failures = print(&[phase(10_000, lost, 0)]);
            assert!(failures.len() == 1 && failures[0].contains("at the end"), "{failures:?}");
        }
        let failures = print(&[phase(10_000, level, 5_000)]);
        assert_eq!(failures.len(), 2, "{failures:?}");
        assert!(failures[0].contains("resident grows by +25.00"), "{failures:?}");
        let failures = print(&[phase(100, level, 5_000)]);
        assert_eq!(failures.len(), 1, "few cycles fill caches, the heap is judged: {failures:?}");
    }
}
