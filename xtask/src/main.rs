//! Repository commands: `cargo xtask help`.

#![expect(clippy::print_stdout, reason = "a command-line tool talks on standard output")]

mod bench;
mod calls;
mod clippy;
mod code;
mod demo;
mod deny;
mod doc;
mod fmt;
mod fuzz;
mod graph;
mod interop;
mod metadata;
mod package;
mod relay;
mod requirements;
mod rfc;
mod rules;
mod setup;
mod shell;
mod sim;
mod soak;
mod test;
mod tidy;
mod tool;
mod tree;

use std::{env, process::ExitCode};

/// Why a command failed, in one or more lines for people; empty when it was said already.
type Failure = String;

struct Command {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result<(), Failure>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "bench",
        about: "measures beside other implementations; --help says more",
        run: bench::run,
    },
    Command { name: "clippy", about: "lints each package on its own, warnings denied", run: clippy::run },
    Command {
        name: "coverage-of-rules",
        about: "lists known faults, with the tests that prove them absent; --short",
        run: rules::run,
    },
    Command { name: "demo", about: "runs the demonstration; arguments are passed on", run: demo::run },
    Command {
        name: "deny",
        about: "checks duplicates, licences and sources of dependencies",
        run: deny::run,
    },
    Command { name: "doc", about: "builds the documentation, warnings denied", run: doc::run },
    Command { name: "fmt", about: "formats all packages; --check only looks", run: fmt::run },
    Command {
        name: "fuzz",
        about: "runs fuzz targets; --list, --seconds N, --keep, --sessions N, TARGET",
        run: fuzz::run,
    },
    Command { name: "graph", about: "compares the dependency graph with the design", run: graph::run },
    Command {
        name: "interop",
        about: "runs against other implementations; --calls, --sctp; further arguments are passed on",
        run: interop::run,
    },
    Command {
        name: "package",
        about: "packs every published crate and looks at the lists of files",
        run: package::run,
    },
    Command {
        name: "relay",
        about: "two networks on this machine and a bad line between them; --help says more",
        run: relay::run,
    },
    Command {
        name: "requirements",
        about: "where each MUST of an RFC is met; --write, --open, RFC",
        run: requirements::run,
    },
    Command {
        name: "sim",
        about: "simulates calls over bad networks; --list, --only NAME, --seeds N, --seed S, --write",
        run: sim::run,
    },
    Command {
        name: "soak",
        about: "makes and ends connections by the thousand: does everything come back? arguments are passed on",
        run: soak::run,
    },
    Command {
        name: "test",
        about: "runs everything above and all tests; --list, --only NAME, --skip NAME",
        run: test::run,
    },
    Command { name: "tidy", about: "checks the rules of the house", run: tidy::run },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (name, rest) = match arguments.split_first() {
        Some((name, rest)) => (name.as_str(), rest),
        None => ("help", [].as_slice()),
    };
    if matches!(name, "help" | "--help" | "-h") {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprint!("xtask: there is no command {name:?}\n\n{}", help());
        return ExitCode::FAILURE;
    };
    match (command.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_empty() {
                eprintln!("{failure}");
            }
            ExitCode::FAILURE
        }
    }
}

fn help() -> String {
    let mut text = "cargo xtask COMMAND\n\n".to_owned();
    for command in COMMANDS {
        text.push_str(&format!("  {:<17} {}\n", command.name, command.about));
    }
    text
}
