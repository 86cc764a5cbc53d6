//! `cargo xtask fmt`.

use crate::{Failure, shell};

pub(crate) const CHECK: &[&str] = &["fmt", "--all", "--check", "--", "--color", "never"];

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    match arguments {
        [] => shell::run("cargo", &["fmt", "--all"]),
        [only] if only == "--check" => shell::run("cargo", CHECK),
        _ => Err("usage: cargo xtask fmt [--check]".to_owned()),
    }
}
