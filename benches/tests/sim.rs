//! The short form of the simulation: what must be, where few seeds tell it reliably. `cargo xtask sim` has it all.

use std::process::Command;

#[test]
fn calls_keep_their_bounds_over_bad_networks() {
    let output = Command::new(env!("CARGO_BIN_EXE_sim")).arg("--short").output().expect("the program starts");
    let (told, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{complained}");
    assert!(told.contains("connect-rtt50-loss10"), "nothing was run:\n{told}");
}
