//! `cargo xtask relay`: two networks on this machine and a bad line between them.

use crate::{Failure, calls, shell};

/// Built first and then run by itself: what is interrupted is the relay, not cargo.
const BUILD: &[&str] = &["build", "--quiet", "--locked", "--release", "-p", "peerlane-relay"];

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    shell::run("cargo", BUILD)?;
    let program = calls::release_folder().join("relay").to_string_lossy().into_owned();
    shell::run(&program, arguments)
}
