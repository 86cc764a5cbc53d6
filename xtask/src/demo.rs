//! `cargo xtask demo`: the demonstration, an example of the umbrella crate.

use crate::{Failure, calls, shell};

/// How cargo is called; what follows is for the demonstration itself.
const ARGUMENTS: &[&str] = &[
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

/// With `--headless` a browser without window visits the demonstration and tells what it saw.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    if arguments.iter().any(|argument| argument == "--headless") {
        calls::build()?;
        let server = calls::release_folder().join("examples/demo");
        return calls::run(&["--demo", &server.to_string_lossy()]);
    }
    let mut all: Vec<&str> = ARGUMENTS.to_vec();
    all.extend(arguments.iter().map(String::as_str));
    shell::run("cargo", &all)
}
