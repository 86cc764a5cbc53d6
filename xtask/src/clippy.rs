//! `cargo xtask clippy`: each package on its own, since features unified over the workspace hide errors.

use crate::{Failure, metadata::Workspace, shell};

pub(crate) fn run(_arguments: &[String]) -> Result<(), Failure> {
    for package in &Workspace::load()?.packages {
        shell::run("cargo", &arguments(&package.name))?;
    }
    Ok(())
}

/// The arguments of cargo for one package.
pub(crate) fn arguments(package: &str) -> Vec<String> {
    [
        "clippy",
        "--quiet",
        "--locked",
        "-p",
        package,
        "--all-features",
        "--all-targets",
        "--no-deps",
        "--",
        "-D",
        "warnings",
    ]
    .map(str::to_owned)
    .to_vec()
}
