//! `cargo xtask doc`.

use crate::{Failure, shell};

pub(crate) const ARGUMENTS: &[&str] =
    &["doc", "--quiet", "--locked", "--workspace", "--no-deps", "--all-features"];
pub(crate) const VARIABLES: &[(&str, &str)] = &[("RUSTDOCFLAGS", "-D warnings")];

pub(crate) fn run(_arguments: &[String]) -> Result<(), Failure> {
    shell::run_with("cargo", ARGUMENTS, VARIABLES)
}
