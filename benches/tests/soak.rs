//! The short form of `cargo xtask soak`, in a process of its own: it measures the process.

use std::process::{Command, Output};

fn soak(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_soak")).arg("--short").args(arguments).output();
    let output = output.expect("the program starts");
    eprintln!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn everything_comes_back() {
    assert!(soak(&[]).status.success(), "the reasons are above");
}

/// A check that cannot fail checks nothing: one hundred bytes lost in every cycle are seen.
#[test]
#[cfg(target_os = "linux")]
fn a_leak_is_noticed() {
    let nothing_else = ["--abandoned", "0", "--failing", "0", "--killed", "0", "--workers", "1"];
    let output = soak(&[&["--leak", "100"], &nothing_else[..]].concat());
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("memory in use grows by +100."), "the fit finds what was lost");
}
