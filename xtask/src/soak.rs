//! `cargo xtask soak`: connections by the thousand, and whether everything comes back.

use crate::{Failure, calls, shell};

const BUILD: &[&str] =
    &["build", "--quiet", "--locked", "--release", "-p", "peerlane-benches", "--bin", "soak"];

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    println!("building with optimisations; the first time takes some minutes ...");
    shell::run("cargo", BUILD)?;
    let program = calls::release_folder().join("soak");
    shell::run(&program.to_string_lossy(), arguments)
}
