//! The program that makes calls with other implementations, and the demonstration that a browser visits: built
//! together, so that neither builds the other's crates again.

use crate::{Failure, shell};
use std::{env, path::PathBuf};

const BUILD: &[&str] = &[
    "build",
    "--quiet",
    "--locked",
    "--release",
    "-p",
    "peerlane",
    "-p",
    "peerlane-interop",
    "--example",
    "demo",
    "--bin",
    "peerlane-interop",
    "--features",
    "peerlane/turn-server,peerlane/containers",
];

/// Builds both with optimisations.
pub(crate) fn build() -> Result<(), Failure> {
    println!("building with optimisations; the first time takes some minutes ...");
    shell::run("cargo", BUILD)
}

/// Runs the program.
pub(crate) fn run(arguments: &[&str]) -> Result<(), Failure> {
    let program = release_folder().join("peerlane-interop");
    shell::run(&program.to_string_lossy(), arguments)
}

/// Where cargo puts what it builds with optimisations.
pub(crate) fn release_folder() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| shell::root().join("target"), PathBuf::from);
    shell::root().join(target).join("release")
}
