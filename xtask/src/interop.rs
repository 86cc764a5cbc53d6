//! `cargo xtask interop`: calls with other implementations.

use crate::{Failure, shell};
use std::fs;

/// How cargo is called; what follows is for the program itself.
pub(crate) const ARGUMENTS: &[&str] =
    &["run", "--quiet", "--locked", "--release", "-p", "peerlane-interop", "--"];

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let mut all: Vec<&str> = ARGUMENTS.to_vec();
    all.extend(arguments.iter().map(String::as_str));
    shell::run("cargo", &all)
}

/// Whether there is more than an empty `main`.
pub(crate) fn exists() -> bool {
    fs::read_to_string(shell::root().join("interop/src/main.rs"))
        .is_ok_and(|source| !source.contains("fn main() {}"))
}
