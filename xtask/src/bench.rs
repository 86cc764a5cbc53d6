//! `cargo xtask bench`: figures beside those of other implementations, in one run.

mod instructions;

use crate::{Failure, calls, shell};

const USAGE: &str =
    "usage: cargo xtask bench [--quick] [--only NAME]... [--who PARTY]... [--list] [--json FILE] [--write]
                          [--large-buffers]
       cargo xtask bench --instructions [--write]
       cargo xtask bench --criterion [FILTER]
NAME is a subject as `--list` shows it, or a part of the name of a row; PARTY is a column of the table. The subject
`latency` takes root or `unshare --map-root-user`; so does --large-buffers, which adds rows with 4 MiB for everybody";

/// The program is a workspace of its own: what it compares with must not meet our lock file.
const BUILD: &[&str] =
    &["build", "--quiet", "--locked", "--release", "--manifest-path", "benches/peers/Cargo.toml"];

/// Where `--write` puts the tables; the charts go into the folder of that name.
const PAGE: &str = "docs/performance.md";

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let writes = arguments.iter().any(|argument| argument == "--write");
    let rest: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| *word != "--write").collect();
    match rest.as_slice() {
        ["--help"] => {
            println!("{USAGE}");
            return Ok(());
        }
        ["--instructions"] => return instructions::run(writes),
        ["--criterion", filter @ ..] => return criterion(filter),
        words if words.iter().any(|word| ["--instructions", "--criterion"].contains(word)) => {
            return Err(format!("that goes with nothing else\n{USAGE}"));
        }
        _ => {}
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

/// The benchmarks of our own package; a filter chooses among them.
fn criterion(filter: &[&str]) -> Result<(), Failure> {
    let mut words = vec!["bench", "--locked", "-p", "peerlane-benches", "--benches", "--"];
    words.extend(filter);
    shell::run("cargo", &words)
}

/// Beside what the workspace is built into: two lock files in one folder would build in turns.
fn folder() -> String {
    let target = calls::release_folder();
    let target = target.parent().unwrap_or(&target);
    target.join("peers").to_string_lossy().into_owned()
}
