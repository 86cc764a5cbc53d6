//! Cargo's subcommands that are installed for this repository alone.

use crate::{Failure, shell};

/// How to call `cargo-NAME`: that of the machine, or else one in `target/tools`, which is installed if it is missing.
/// Returns the program and what comes before the arguments.
pub(crate) fn find(name: &str) -> Result<(String, Vec<String>), Failure> {
    if shell::works("cargo", &[name, "--version"]) {
        return Ok(("cargo".to_owned(), vec![name.to_owned()]));
    }
    let folder = shell::root().join("target/tools");
    let file = format!("cargo-{name}{}", std::env::consts::EXE_SUFFIX);
    let program = folder.join("bin").join(file).to_string_lossy().into_owned();
    if !shell::works(&program, &[name, "--version"]) {
        println!("xtask: cargo-{name} is missing, installing it in {} (a minute or two)", folder.display());
        // Without optimisation: that halves the time to build it, and what it does takes a second either way.
        let (package, root) = (format!("cargo-{name}"), folder.to_string_lossy());
        shell::run("cargo", &["install", &package, "--locked", "--quiet", "--debug", "--root", &root])?;
    }
    Ok((program, vec![name.to_owned()]))
}
