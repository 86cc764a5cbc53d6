//! All runs on this machine so far.

use super::{files, progress::Progress, target::Target};
use crate::Failure;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// A table in a file that grows from run to run.
pub(super) struct History {
    path: PathBuf,
}

impl History {
    pub(super) fn new(folder: &Path) -> Self {
        Self { path: folder.join("history.tsv") }
    }

    pub(super) fn note(&self, target: &Target, progress: &Progress, found: usize) -> Result<(), Failure> {
        let fail = |error: io::Error| format!("{}: {error}", self.path.display());
        let mut file = fs::File::options().create(true).append(true).open(&self.path).map_err(fail)?;
        // In one piece: two runs at a time write to the same file.
        let row = format!("{}\n", progress.row(&target.name, found));
        file.write_all(row.as_bytes()).map_err(fail)
    }

    /// The table of `docs/fuzzing.md`: all runs of each target together.
    pub(super) fn table(&self, targets: &[Target]) -> Result<String, Failure> {
        let text =
            fs::read_to_string(&self.path).map_err(|error| format!("{}: {error}", self.path.display()))?;
        let mut table = String::from("| target | seconds | executions | edges | features | findings |\n");
        table.push_str("| --- | ---: | ---: | ---: | ---: | ---: |\n");
        for target in targets {
            let found = files(&target.folder.join("found").join(&target.name)).len();
            table.push_str(&row(&text, &target.name, found));
        }
        Ok(table)
    }
}

fn row(history: &str, name: &str, found: usize) -> String {
    let (mut seconds, mut executions, mut edges, mut features) = (0, 0, 0, 0);
    for line in history.lines() {
        let mut words = line.split('\t');
        if words.next() != Some(name) {
            continue;
        }
        let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or(0_u64);
        seconds += number();
        executions += number();
        edges = edges.max(number());
        features = features.max(number());
    }
    let [seconds, executions, edges, features] = [seconds, executions, edges, features].map(grouped);
    format!("| `{name}` | {seconds} | {executions} | {edges} | {features} | {found} |\n")
}

/// With a comma before every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_a_target_are_summed_up() {
        let history = "a\t10\t1000\t5\t9\t1\t0\nb\t1\t1\t1\t1\t1\t1\na\t20\t2000500\t4\t10\t1\t0\n";
        assert_eq!(row(history, "a", 2), "| `a` | 30 | 2,001,500 | 5 | 10 | 2 |\n");
        assert_eq!(row(history, "c", 0), "| `c` | 0 | 0 | 0 | 0 | 0 |\n");
    }
}
