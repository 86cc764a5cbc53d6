//! `cargo xtask deny`: `deny.toml` holds the rules.

use crate::{Failure, shell};

/// Advisories are left out: their database is a repository of its own, which not every machine can reach.
pub(crate) const ARGUMENTS: &[&str] =
    &["deny", "--locked", "--all-features", "check", "bans", "licenses", "sources"];

pub(crate) fn run(_arguments: &[String]) -> Result<(), Failure> {
    install()?;
    shell::run("cargo", ARGUMENTS)
}

/// Installs cargo-deny if it is missing, and says so.
pub(crate) fn install() -> Result<(), Failure> {
    if shell::works("cargo", &["deny", "--version"]) {
        return Ok(());
    }
    println!("xtask: cargo-deny is missing, installing it (cargo install cargo-deny --locked)");
    shell::run("cargo", &["install", "cargo-deny", "--locked", "--quiet"])
}
