//! `cargo xtask interop`: calls with other implementations, and our SCTP against that of others in memory.

use crate::{Failure, calls, shell};

/// The programs of which the second is a workspace of its own: what it brings must not meet our lock file.
const BUILD: &[&str] =
    &["build", "--quiet", "--locked", "--release", "--manifest-path", "interop/sctp/Cargo.toml"];

/// `--sctp` runs the second part only, `--calls` the first; the rest goes to the program.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--sctp", rest @ ..] => sctp(rest),
        ["--calls", rest @ ..] => call(rest),
        // A choice among the calls.
        [_, ..] => call(&words),
        [] => {
            // Both say what they found, whatever the first one did.
            let called = call(&[]);
            sctp(&[]).and(called)
        }
    }
}

fn call(arguments: &[&str]) -> Result<(), Failure> {
    calls::build()?;
    calls::run(arguments)
}

fn sctp(arguments: &[&str]) -> Result<(), Failure> {
    let folder = calls::release_folder();
    // Beside what the workspace is built into: two lock files in one folder would build in turns.
    let folder = folder.parent().unwrap_or(&folder).join("foreign").to_string_lossy().into_owned();
    shell::run_with("cargo", BUILD, &[("CARGO_TARGET_DIR", &folder)])?;
    shell::run(&format!("{folder}/release/foreign-sctp"), arguments)
}
