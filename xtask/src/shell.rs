//! Other programs.

use crate::Failure;
use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The root of the repository: that of the checkout `cargo xtask` was called in, even when several share a target
/// folder.
pub(crate) fn root() -> PathBuf {
    let here =
        env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).filter(|folder| folder.ends_with("xtask"));
    let here = here.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    here.parent().map_or_else(|| here.clone(), Path::to_path_buf)
}

/// A command in the root of the repository. `cargo` is the one that runs us.
pub(crate) fn command(program: &str, arguments: &[impl AsRef<str>]) -> Command {
    let program = if program == "cargo" {
        env::var("CARGO").unwrap_or_else(|_| program.to_owned())
    } else {
        program.to_owned()
    };
    let mut command = Command::new(program);
    command.current_dir(root()).args(arguments.iter().map(AsRef::as_ref));
    command
}

/// Runs a command that talks to the user itself.
pub(crate) fn run(program: &str, arguments: &[impl AsRef<str>]) -> Result<(), Failure> {
    run_with(program, arguments, &[])
}

/// The same with environment variables.
pub(crate) fn run_with(
    program: &str,
    arguments: &[impl AsRef<str>],
    variables: &[(&str, &str)],
) -> Result<(), Failure> {
    let line = spell(program, arguments, variables);
    let status = command(program, arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("{line}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{line}: {status}")) }
}

/// What a command prints.
pub(crate) fn output(program: &str, arguments: &[impl AsRef<str>]) -> Result<String, Failure> {
    let line = spell(program, arguments, &[]);
    let output = command(program, arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{line}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{line}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// Whether a program can be started and says it is well.
pub(crate) fn works(program: &str, arguments: &[&str]) -> bool {
    command(program, arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A command as one would type it.
pub(crate) fn spell(program: &str, arguments: &[impl AsRef<str>], variables: &[(&str, &str)]) -> String {
    let mut words: Vec<String> =
        variables.iter().map(|(name, value)| format!("{name}={}", quote(value))).collect();
    words.push(program.to_owned());
    words.extend(arguments.iter().map(|argument| quote(argument.as_ref())));
    words.join(" ")
}

fn quote(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=,:+".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) { word.to_owned() } else { format!("'{word}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_spelled_so_that_they_can_be_repeated() {
        let line = spell("cargo", &["doc", "-p", "a b"], &[("RUSTDOCFLAGS", "-D warnings")]);
        assert_eq!(line, "RUSTDOCFLAGS='-D warnings' cargo doc -p 'a b'");
    }

    #[test]
    fn failures_carry_the_command_and_its_words() {
        let failure = output("sh", &["-c", "echo oops >&2; exit 3"]).unwrap_err();
        assert!(failure.contains("exit status: 3") && failure.contains("oops"), "{failure}");
        assert!(works("true", &[]) && !works("false", &[]) && !works("no-such-program", &[]));
    }
}
