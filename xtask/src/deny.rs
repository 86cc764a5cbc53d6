//! `cargo xtask deny`: `deny.toml` holds the rules.

use crate::{Failure, shell, tool};

/// Advisories are left out: their database is a repository of its own, which not every machine can reach.
const ARGUMENTS: &[&str] = &["--locked", "--all-features", "check", "bans", "licenses", "sources"];

pub(crate) fn run(_arguments: &[String]) -> Result<(), Failure> {
    let (program, mut arguments) = tool::find("deny")?;
    arguments.extend(ARGUMENTS.iter().map(|argument| (*argument).to_owned()));
    shell::run(&program, &arguments)
}
