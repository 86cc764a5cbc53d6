//! `cargo xtask deny`: `deny.toml` holds the rules.

use crate::{Failure, shell};
use std::path::Path;

/// Advisories are left out: their database is a repository of its own, which not every machine can reach.
const ARGUMENTS: &[&str] = &["deny", "--locked", "--all-features", "check", "bans", "licenses", "sources"];

/// Installs cargo-deny for this repository alone if the machine has none, and says so.
pub(crate) fn run(_arguments: &[String]) -> Result<(), Failure> {
    if shell::works("cargo", &["deny", "--version"]) {
        return shell::run("cargo", ARGUMENTS);
    }
    let folder = shell::root().join("target/tools");
    let program = program(&folder);
    if !shell::works(&program, &["deny", "--version"]) {
        println!("xtask: cargo-deny is missing, installing it in {} (a minute or two)", folder.display());
        // Without optimisation: that halves the time to build it, and checking takes a second either way.
        let root = folder.to_string_lossy();
        let install = ["install", "cargo-deny", "--locked", "--quiet", "--debug", "--root", &root];
        shell::run("cargo", &install)?;
    }
    shell::run(&program, ARGUMENTS)
}

fn program(folder: &Path) -> String {
    let name = if cfg!(windows) { "cargo-deny.exe" } else { "cargo-deny" };
    folder.join("bin").join(name).to_string_lossy().into_owned()
}
