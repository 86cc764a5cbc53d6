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
    /// Adds up what looks like a summary of nextest, of the test harness or of one of our programs. What a test printed
    /// is no summary, whatever it looks like: nextest and the harness show it for each test that failed.
    pub(super) fn of(output: &str) -> Self {
        let lines: Vec<&str> = output.lines().collect();
        let spoken = without_captured(&lines);
        if spoken.iter().any(|line| line.starts_with(" Nextest run ID ")) {
            return nextest_summary(&lines).map(Self::of_line).unwrap_or_default();
        }
        let mut total = Self::default();
        for line in spoken {
            if line.starts_with("test result:") || is_closing_line(line) {
                total += Self::of_line(line);
            }
        }
        total
    }

    fn of_line(line: &str) -> Self {
        Self {
            passed: before(line, "passed"),
            failed: before(line, "failed") + before(line, "timed out") + before(line, "exec failed"),
            skipped: before(line, "skipped") + before(line, "ignored"),
        }
    }
}

/// The last summary that follows a rule. What tests printed is indented, its rules too.
fn nextest_summary<'a>(lines: &[&'a str]) -> Option<&'a str> {
    let is_rule = |line: &str| !line.is_empty() && line.chars().all(|letter| letter == '─');
    lines.windows(2).rev().find_map(|pair| match pair {
        [rule, summary] if is_rule(rule) && summary.trim_start().starts_with("Summary [") => Some(*summary),
        _ => None,
    })
}

/// All lines but those between `failures:` and the list of names that `failures:` opens as well: there the harness shows
/// what the failed tests printed.
fn without_captured<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let mut is_captured = false;
    let mut kept = Vec::with_capacity(lines.len());
    for line in lines {
        if *line == "failures:" {
            is_captured = !is_captured;
        } else if !is_captured {
            kept.push(*line);
        }
    }
    kept
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
    fn harness_and_closing_lines_count() {
        let text = "
test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 4.57s
test result: FAILED. 12 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.36s
3 passed, 0 failed
7 passed, 2 failed, 4 skipped
99 passed, 1 failed, they said
in all 99 passed, 1 failed";
        assert_eq!(Count::of(text), Count { passed: 27, failed: 3, skipped: 5 });
    }

    #[test]
    fn every_word_of_nextest_counts() {
        let text = "
 Nextest run ID 0536b074-5d67-4f91-b880-e4b02cd16177 with nextest profile: default
────────────
     Summary [   1.234s] 12/14 tests run: 8 passed (1 slow), 1 failed, 1 timed out, 2 exec failed, 2 skipped";
        assert_eq!(Count::of(text), Count { passed: 8, failed: 4, skipped: 2 });
    }

    /// Two tests of which one fails, having printed what summaries look like; the other one says that it was skipped.
    /// As cargo-nextest 0.9.143 wrote it, without the lower half of the stack.
    #[test]
    fn a_test_that_fails_under_nextest_counts_once() {
        let text = include_str!("count/nextest.txt");
        assert!(text.contains("test result: FAILED. 0 passed; 1 failed"), "the harness speaks, too");
        assert_eq!(Count::of(text), Count { passed: 1, failed: 1, skipped: 1 });
    }

    /// The same two tests as `cargo test` shows them.
    #[test]
    fn a_test_that_fails_under_the_harness_counts_once() {
        let text = include_str!("count/harness.txt");
        assert!(text.contains("\n12 passed, 3 failed"), "the test speaks, too");
        assert_eq!(Count::of(text), Count { passed: 1, failed: 1, skipped: 1 });
    }

    /// It was stopped, or nothing could be built: what a test printed is not taken for the end.
    #[test]
    fn nextest_without_a_summary_counts_nothing() {
        let whole = include_str!("count/nextest.txt");
        let cut = whole.find("─\n     Summary").expect("a summary");
        assert_eq!(Count::of(&whole[..cut]), Count::default());
    }
}
