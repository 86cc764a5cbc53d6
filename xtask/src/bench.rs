//! `cargo xtask bench`: figures beside those of other implementations, in one run.

mod instructions;

use crate::{Failure, calls, shell};

const USAGE: &str =
    "usage: cargo xtask bench [--quick] [--only NAME]... [--who PARTY]... [--list] [--json FILE] [--write] | --instructions [--write]
NAME is a subject as `--list` shows it, or a part of the name of a row; PARTY is a column of the table";

/// The program is a workspace of its own: what it compares with must not meet our lock file.
const BUILD: &[&str] =
    &["build", "--quiet", "--locked", "--release", "--manifest-path", "benches/peers/Cargo.toml"];

/// Where `--write` puts the tables; the charts go into the folder of that name.
const PAGE: &str = "docs/performance.md";

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let writes = arguments.iter().any(|argument| argument == "--write");
    let rest: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| *word != "--write").collect();
    if let Some(place) = rest.iter().position(|word| *word == "--instructions") {
        return match rest.get(place + 1..) {
            Some([]) if place == 0 => instructions::run(writes),
            _ => Err(format!("--instructions goes with --write alone\n{USAGE}")),
        };
    }
    if rest.first() == Some(&"--help") {
        println!("{USAGE}");
        return Ok(());
    }
    println!("building with optimisations; the first time takes some minutes ...");
    shell::run_with("cargo", BUILD, &[("CARGO_TARGET_DIR", &folder())])?;
    let mut words = rest;
    if writes {
        words.extend(["--write", PAGE]);
    }
    let program = format!("{}/release/peers", folder());
    shell::run(&program, &words)
}

/// Beside what the workspace is built into: two lock files in one folder would build in turns.
fn folder() -> String {
    let target = calls::release_folder();
    let target = target.parent().unwrap_or(&target);
    target.join("peers").to_string_lossy().into_owned()
}
