//! Reads numbers of tests out of what test programs print.

use std::ops::AddAssign;

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl Count {
    /// Adds up everything that looks like a summary of nextest, of the test harness or of one of our programs.
    pub(super) fn of(output: &str) -> Self {
        let mut total = Self::default();
        for line in output.lines() {
            let line = line.trim();
            let is_harness = line.starts_with("test result:");
            let is_nextest = line.starts_with("Summary [");
            if is_harness || is_nextest || is_closing_line(line) {
                total += Self {
                    passed: before(line, "passed"),
                    failed: before(line, "failed") + before(line, "timed out") + before(line, "exec failed"),
                    skipped: before(line, "skipped") + before(line, "ignored"),
                };
            }
        }
        total
    }
}

/// `12 passed, 0 failed`, perhaps with `, 3 skipped`, and nothing else.
fn is_closing_line(line: &str) -> bool {
    let mut parts = line.split(", ").map(|part| part.split_once(' '));
    let is_number = |number: &str| number.chars().all(|digit| digit.is_ascii_digit()) && !number.is_empty();
    parts.next().flatten().is_some_and(|(number, word)| is_number(number) && word == "passed")
        && parts.next().flatten().is_some_and(|(number, word)| is_number(number) && word == "failed")
        && parts.all(|part| part.is_some_and(|(number, word)| is_number(number) && word == "skipped"))
}

/// The number before a word.
fn before(line: &str, word: &str) -> u64 {
    let Some(at) = line.find(&format!(" {word}")) else { return 0 };
    let number = line.get(..at).unwrap_or_default().rsplit(|letter: char| !letter.is_ascii_digit()).next();
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_kinds_of_summaries_count() {
        let text = "
            test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 4.57s
            test result: FAILED. 12 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.36s
            Summary [   1.234s] 10 tests run: 8 passed (1 slow), 1 failed, 1 timed out, 2 skipped
            3 passed, 0 failed
            7 passed, 2 failed, 4 skipped
            99 passed, 1 failed, they said
            in all 99 passed, 1 failed";
        assert_eq!(Count::of(text), Count { passed: 35, failed: 5, skipped: 7 });
    }
}
