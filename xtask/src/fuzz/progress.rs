//! What libFuzzer says while it runs.

/// The state of a run, as far as it has told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) seconds: u64,
    pub(super) executions: u64,
    /// Edges of the program.
    coverage: u64,
    /// Edges with how often, and comparisons.
    features: u64,
    corpus: u64,
    /// It ended as it was told to.
    pub(super) is_done: bool,
    /// What the target said about a failure.
    words: Vec<String>,
}

impl Progress {
    pub(super) const HEAD: &str =
        "target                   seconds   executions   exec/s    cov     ft  corpus  found";

    /// Reads a line; whether it told something about the run.
    ///
    /// `#4096  REDUCE cov: 372 ft: 1127 corp: 103/1907b lim: 43 exec/s: 2048 rss: 40Mb L: 17/43 MS: 1 EraseBytes-`
    pub(super) fn read(&mut self, line: &str) -> bool {
        if let Some(executions) = line.strip_prefix("stat::number_of_executed_units:") {
            self.executions = executions.trim().parse().unwrap_or(self.executions);
            return false;
        }
        let Some(rest) = line.strip_prefix('#') else {
            let is_telling =
                line.contains("panicked at") || line.starts_with("==") || line.starts_with("SUMMARY");
            if is_telling || self.words.last().is_some_and(|last| last.contains("panicked at")) {
                self.words.push(line.to_owned());
            }
            return false;
        };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let Some(executions) = words.first().and_then(|word| word.parse().ok()) else { return false };
        self.executions = executions;
        for pair in words.windows(2) {
            let number = || pair[1].split('/').next().and_then(|word| word.parse().ok());
            match pair[0] {
                "cov:" => self.coverage = number().unwrap_or(self.coverage),
                "ft:" => self.features = number().unwrap_or(self.features),
                "corp:" => self.corpus = number().unwrap_or(self.corpus),
                _ => {}
            }
        }
        true
    }

    pub(super) fn line(&self, name: &str, found: usize) -> String {
        format!(
            "{name:<24} {:>7} {:>12} {:>8} {:>6} {:>6} {:>7} {found:>6}",
            self.seconds,
            self.executions,
            self.executions / self.seconds.max(1),
            self.coverage,
            self.features,
            self.corpus,
        )
    }

    pub(super) fn row(&self, name: &str, found: usize) -> String {
        let Self { seconds, executions, coverage, features, corpus, .. } = self;
        format!("{name}\t{seconds}\t{executions}\t{coverage}\t{features}\t{corpus}\t{found}")
    }

    /// What was said about the failure, in one line.
    pub(super) fn last_words(&self) -> String {
        let words: Vec<&str> = self.words.iter().take(3).map(String::as_str).collect();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_run_are_understood() {
        let mut progress = Progress::default();
        assert!(!progress.read("INFO: Seed: 2189"));
        assert!(progress.read(
            "#4096\tREDUCE cov: 372 ft: 1127 corp: 103/1907b lim: 43 exec/s: 2048 rss: 40Mb L: 17/43 MS: 1 EraseBytes-"
        ));
        assert!(!progress.read("stat::number_of_executed_units: 5000"));
        progress.seconds = 2;
        assert_eq!(progress.row("x", 0), "x\t2\t5000\t372\t1127\t103\t0");
        assert_eq!(progress.line("x", 1).split_whitespace().nth(3), Some("2500"));
        assert_eq!(Progress::HEAD.len(), progress.line("x", 1).len());
    }

    #[test]
    fn a_failure_is_remembered_in_its_own_words() {
        let mut progress = Progress::default();
        progress.read("thread '<unnamed>' panicked at src/a.rs:1:2:");
        progress.read("index out of bounds");
        progress.read("note: run with RUST_BACKTRACE=1");
        assert_eq!(progress.last_words(), "thread '<unnamed>' panicked at src/a.rs:1:2: index out of bounds");
    }
}
