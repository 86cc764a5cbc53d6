//! `cargo xtask demo`: the demonstration, an example of the umbrella crate.

use crate::{Failure, shell};

/// How cargo is called; what follows is for the demonstration itself.
pub(crate) const ARGUMENTS: &[&str] = &[
    "run",
    "--quiet",
    "--locked",
    "--release",
    "-p",
    "peerlane",
    "--example",
    "demo",
    "--features",
    "turn-server,containers",
    "--",
];
/// Where the demonstration is, one of them.
const SOURCES: [&str; 2] = ["crates/peerlane/examples/demo.rs", "crates/peerlane/examples/demo/main.rs"];

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let mut all: Vec<&str> = ARGUMENTS.to_vec();
    all.extend(arguments.iter().map(String::as_str));
    shell::run("cargo", &all)
}

pub(crate) fn exists() -> bool {
    SOURCES.iter().any(|path| shell::root().join(path).exists())
}
