//! Instruction counts of single pieces of work, and how they have changed.

use crate::{Failure, calls, shell};
use serde_json::{Map, Value};
use std::{fs, path::PathBuf};

/// What was counted when it was written last.
const STORED: &str = "benches/instructions.json";

const BUILD: &[&str] =
    &["build", "--quiet", "--locked", "--release", "-p", "peerlane-benches", "--example", "instructions"];

/// Counts all kernels and compares them with what is stored, or stores them.
pub(super) fn run(writes: bool) -> Result<(), Failure> {
    if !shell::works("valgrind", &["--version"]) {
        println!("SKIPPED: instruction counts need valgrind, which is not installed");
        return Ok(());
    }
    println!("building with optimisations ...");
    shell::run("cargo", BUILD)?;
    let program = calls::release_folder().join("examples/instructions").to_string_lossy().into_owned();
    let names = shell::output(&program, &["--list"])?;
    let stored = stored();
    let mut counted = Map::new();
    println!("{:<36} {:>12} {:>12} {:>8}", "kernel", "stored", "now", "change");
    for name in names.lines() {
        let now = count(&program, name)?;
        let before = stored.get(name).and_then(Value::as_u64);
        println!("{}", line(name, before, now));
        counted.insert(name.to_owned(), now.into());
    }
    for name in stored.keys().filter(|name| !counted.contains_key(*name)) {
        println!("{name:<36} is stored, but there is no such kernel any more");
    }
    if writes {
        let text =
            serde_json::to_string_pretty(&Value::Object(counted)).map_err(|error| error.to_string())?;
        fs::write(path(), text + "\n").map_err(|error| format!("{STORED}: {error}"))?;
        println!("written to {STORED}");
    }
    Ok(())
}

fn path() -> PathBuf {
    shell::root().join(STORED)
}

fn stored() -> Map<String, Value> {
    let text = fs::read_to_string(path()).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn line(name: &str, before: Option<u64>, now: u64) -> String {
    let Some(before) = before else { return format!("{name:<36} {:>12} {now:>12} {:>8}", "-", "new") };
    let change = (now as f64 / (before as f64).max(1.0) - 1.0) * 100.0;
    format!("{name:<36} {before:>12} {now:>12} {change:>+7.1}%")
}

/// Instructions of one piece of work.
fn count(program: &str, name: &str) -> Result<u64, Failure> {
    let arguments = [
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
        "--collect-atstart=no",
        "--toggle-collect=*measured*",
        program,
        name,
    ];
    let output = shell::command("valgrind", &arguments).output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{name}: {}\n{said}", output.status));
    }
    let times = String::from_utf8_lossy(&output.stdout).trim().parse::<u64>();
    let times = times.map_err(|error| format!("{name}: how often it ran is unknown: {error}"))?;
    let all = collected(&said).ok_or_else(|| format!("{name}: valgrind says no count\n{said}"))?;
    Ok(all / times.max(1))
}

/// The sum in what callgrind says at its end: `==1== Collected : 12345`.
fn collected(said: &str) -> Option<u64> {
    let line = said.lines().find_map(|line| line.split_once("Collected :"))?;
    line.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_found_in_what_callgrind_says() {
        let said = "==7== Events    : Ir\n==7== Collected : 123456\n==7==\n";
        assert_eq!(collected(said), Some(123_456));
        assert_eq!(collected("==7== nothing"), None);
    }

    #[test]
    fn changes_are_in_percent() {
        assert!(line("a", Some(200), 150).ends_with("-25.0%"));
        assert!(line("a", Some(200), 210).ends_with("+5.0%"));
        assert!(line("a", None, 210).ends_with("new"));
    }
}
