//! `cargo xtask sim`: calls over bad networks, in virtual time.

use crate::{Failure, shell};

/// How cargo is called; what follows is for the program itself.
const ARGUMENTS: &[&str] =
    &["run", "--quiet", "--locked", "--release", "-p", "peerlane-benches", "--bin", "sim", "--"];

/// With `--write`, which takes no value here, `docs/simulation.md` and its plots are written anew.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let mut all: Vec<&str> = ARGUMENTS.to_vec();
    for argument in arguments {
        all.push(argument);
        if argument == "--write" {
            all.push("docs");
        }
    }
    shell::run("cargo", &all)
}
