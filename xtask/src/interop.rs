//! `cargo xtask interop`: calls with other implementations.

use crate::{Failure, calls};

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    calls::build()?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    calls::run(&arguments)
}
