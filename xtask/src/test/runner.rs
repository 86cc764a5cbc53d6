//! Runs steps one after the other, shows how it goes, and remembers what failed.

use super::count::Count;
use crate::Failure;
use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Between two looks at a running step.
const LOOK: Duration = Duration::from_millis(50);
/// Between two signs of life.
const SIGN: Duration = Duration::from_secs(60);
/// A step that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(25 * 60);
/// Lines shown of a step that failed.
const TAIL: usize = 80;

pub(super) struct Runner {
    steps: usize,
    done: usize,
    tests: Count,
    failures: Vec<(String, String)>,
    /// Those of the failures that no test accounts for: what could not be built, a check that is no test.
    failed_without_tests: u64,
    skips: Vec<String>,
    begin: Instant,
}

impl Runner {
    #[expect(clippy::disallowed_methods, reason = "steps are timed")]
    pub(super) fn new(steps: usize) -> Self {
        Self {
            steps,
            done: 0,
            tests: Count::default(),
            failures: Vec::new(),
            failed_without_tests: 0,
            skips: Vec::new(),
            begin: Instant::now(),
        }
    }

    /// Runs one step; `repeat` is how to run it alone.
    #[expect(clippy::disallowed_methods, reason = "steps are timed")]
    pub(super) fn run(&mut self, name: &str, repeat: &str, command: Command) {
        self.done += 1;
        let label = format!("[{:>2}/{}] {name}", self.done, self.steps);
        print!("{label:<48}");
        let _ = io::stdout().flush();
        let begin = Instant::now();
        let (output, failure) = execute(name, command);
        let count = Count::of(&output);
        self.tests += count;
        self.skips.extend(skips(&output));
        let seconds = begin.elapsed().as_secs_f64();
        let tests = if count == Count::default() {
            String::new()
        } else {
            format!("  {} passed, {} failed, {} skipped", count.passed, count.failed, count.skipped)
        };
        match failure {
            None => println!(" ok     {seconds:>6.1} s{tests}"),
            Some(why) => {
                println!(" FAILED {seconds:>6.1} s{tests}");
                for line in tail(&output) {
                    println!("    {line}");
                }
                println!("    {why}");
                self.failed_without_tests += u64::from(count.failed == 0);
                self.failures.push((name.to_owned(), repeat.to_owned()));
            }
        }
    }

    /// Says what was skipped and what failed, and ends with the count alone on its line.
    #[expect(clippy::disallowed_methods, reason = "steps are timed")]
    pub(super) fn finish(self) -> Result<(), Failure> {
        let minutes = self.begin.elapsed().as_secs_f64() / 60.0;
        println!("\n{} steps in {minutes:.1} minutes", self.steps);
        for skip in &self.skips {
            println!("  {skip}");
        }
        for (name, repeat) in &self.failures {
            println!("FAILED {name}\n    {repeat}");
        }
        let (passed, failed) = self.sums();
        println!("{passed} passed, {failed} failed");
        if failed == 0 { Ok(()) } else { Err(String::new()) }
    }

    /// Tests and steps together.
    fn sums(&self) -> (u64, u64) {
        let passed = (self.done as u64).saturating_sub(self.failures.len() as u64);
        (self.tests.passed + passed, self.tests.failed + self.failed_without_tests)
    }
}

/// Runs a program with its output in a file, so that nothing blocks on a full pipe.
fn execute(name: &str, command: Command) -> (String, Option<String>) {
    match try_execute(name, command) {
        Ok(result) => result,
        Err(error) => (String::new(), Some(error.to_string())),
    }
}

#[expect(clippy::disallowed_methods, reason = "steps are timed")]
fn try_execute(name: &str, mut command: Command) -> io::Result<(String, Option<String>)> {
    let path = log_path(name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let log = File::create(&path)?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .env("CARGO_TERM_COLOR", "never")
        .spawn()?;
    let begin = Instant::now();
    let mut next_sign = SIGN;
    let failure = loop {
        if let Some(status) = child.try_wait()? {
            break (!status.success()).then(|| format!("{status}; all of it is in {}", path.display()));
        }
        if begin.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            break Some(format!("still running after {} minutes, stopped", LIMIT.as_secs() / 60));
        }
        if begin.elapsed() > next_sign {
            print!(" {} s..", next_sign.as_secs());
            io::stdout().flush()?;
            next_sign += SIGN;
        }
        thread::sleep(LOOK);
    };
    Ok((String::from_utf8_lossy(&fs::read(&path)?).into_owned(), failure))
}

/// `target/xtask-logs/NAME.log`, beside the profile folder that holds this program.
fn log_path(name: &str) -> PathBuf {
    let target = std::env::current_exe()
        .ok()
        .and_then(|program| program.ancestors().nth(2).map(std::path::Path::to_path_buf))
        .unwrap_or_else(std::env::temp_dir);
    target.join("xtask-logs").join(format!("{}.log", name.replace(' ', "-")))
}

/// Lines by which tests say that they could not do their work here. nextest moves what a test prints four to the right;
/// what is further in is no test's own word, as the closing lines that the tests of this file make.
fn skips(output: &str) -> Vec<String> {
    let own = output.lines().map(|line| line.strip_prefix("    ").unwrap_or(line));
    own.filter(|line| line.starts_with("SKIPPED")).map(str::to_owned).collect()
}

fn tail(output: &str) -> Vec<&str> {
    let lines: Vec<&str> = output.lines().collect();
    lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn tests_and_steps_are_summed() {
        let mut runner = Runner::new(4);
        runner.run("runner test one", "x", shell("true"));
        runner.run("runner test passes", "x", shell("echo '3 passed, 0 failed'; echo SKIPPED: it"));
        let harness = "echo 'test result: FAILED. 1 passed; 2 failed'; exit 1";
        runner.run("runner test fails", "x", shell(harness));
        runner.run("runner test absent", "x", Command::new("no-such-program"));
        // Two steps and 3 + 1 tests; two tests and one step.
        assert_eq!(runner.sums(), (6, 3));
        assert_eq!(runner.skips, ["SKIPPED: it"]);
        let names: Vec<&str> = runner.failures.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["runner test fails", "runner test absent"]);
        assert!(runner.finish().is_err());
    }

    /// One test that fails is one failure, not one more for the step it is in.
    #[test]
    fn a_failed_test_counts_once() {
        let mut runner = Runner::new(1);
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/test/count/nextest.txt");
        runner.run("runner test nextest", "x", shell(&format!("cat '{path}'; exit 100")));
        assert_eq!(runner.sums(), (1, 1));
        assert_eq!(runner.skips, ["SKIPPED: it is not here"]);
        assert!(runner.finish().is_err());
    }

    #[test]
    fn everything_passed_is_a_success() {
        let mut runner = Runner::new(1);
        runner.run("runner test success", "x", shell("true"));
        assert!(runner.finish().is_ok());
    }

    #[test]
    fn the_tail_is_short() {
        let long = "x\n".repeat(500);
        assert_eq!(tail(&long).len(), TAIL);
        assert_eq!(tail("a\nb").len(), 2);
    }
}
