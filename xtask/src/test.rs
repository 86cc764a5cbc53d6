//! `cargo xtask test`: everything, in one go, with a count at the end.

mod count;
mod runner;

use crate::{
    Failure, clippy, doc, fmt,
    metadata::{Package, Workspace},
    setup, shell,
};
use runner::Runner;
use std::{env, process::Command};

/// One step of the run.
struct Step {
    /// Short, for `--only` and `--skip`; the first word is the kind of the step.
    name: String,
    /// `xtask` is this program.
    program: &'static str,
    arguments: Vec<String>,
    variables: &'static [(&'static str, &'static str)],
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    lists: bool,
    only: Vec<String>,
    skip: Vec<String>,
}

const USAGE: &str = "usage: cargo xtask test [--list] [--only NAME]... [--skip NAME]...
NAME is a step as `--list` shows it, or the first word of several: `--only clippy`, `--skip 'clippy xtask'`";

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let options = parse(arguments)?;
    let workspace = Workspace::load()?;
    let chosen: Vec<Step> = steps(&workspace).into_iter().filter(|step| options.wants(&step.name)).collect();
    if chosen.is_empty() {
        return Err(format!("no such step\n{USAGE}"));
    }
    if options.lists {
        for step in &chosen {
            println!("{:<36} {}", step.name, step.repeat());
        }
        return Ok(());
    }
    if chosen.iter().any(|step| step.name.starts_with("interop")) {
        // A machine without browsers still runs everything else.
        if let Err(failure) = setup::run() {
            println!("xtask: {failure}");
        }
    }
    let mut runner = Runner::new(chosen.len());
    for step in &chosen {
        runner.run(&step.name, &step.repeat(), step.command()?);
    }
    runner.finish()
}

impl Step {
    fn xtask(name: &str) -> Self {
        Self { program: "xtask", ..Self::cargo(name, &[name]) }
    }

    fn cargo(name: impl Into<String>, arguments: &[impl AsRef<str>]) -> Self {
        let arguments = arguments.iter().map(|argument| argument.as_ref().to_owned()).collect();
        Self { name: name.into(), program: "cargo", arguments, variables: &[] }
    }

    fn with(self, variables: &'static [(&'static str, &'static str)]) -> Self {
        Self { variables, ..self }
    }

    /// How to run this step alone.
    fn repeat(&self) -> String {
        let line = shell::spell(self.program, &self.arguments, self.variables);
        if self.program == "xtask" { format!("cargo {line}") } else { line }
    }

    fn command(&self) -> Result<Command, Failure> {
        let mut command = if self.program == "xtask" {
            let program = env::current_exe().map_err(|error| format!("xtask: {error}"))?;
            shell::command(&program.to_string_lossy(), &self.arguments)
        } else {
            shell::command(self.program, &self.arguments)
        };
        command.envs(self.variables.iter().copied());
        Ok(command)
    }
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        let is_named = |list: &[String]| {
            list.iter().any(|wanted| name == wanted || name.split(' ').next() == Some(wanted))
        };
        (self.only.is_empty() || is_named(&self.only)) && !is_named(&self.skip)
    }
}

fn parse(arguments: &[String]) -> Result<Options, Failure> {
    let mut options = Options::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let list = match argument.as_str() {
            "--list" => {
                options.lists = true;
                continue;
            }
            "--only" => &mut options.only,
            "--skip" => &mut options.skip,
            other => return Err(format!("{other:?} is not an option\n{USAGE}")),
        };
        list.push(rest.next().ok_or_else(|| format!("{argument} needs a name\n{USAGE}"))?.clone());
    }
    Ok(options)
}

/// All steps, the cheap ones first. Clippy and the checks of single crates share what they compile of other people's
/// crates; so do unit, integration and documentation tests.
fn steps(workspace: &Workspace) -> Vec<Step> {
    let mut steps =
        vec![Step::cargo("fmt", fmt::CHECK), Step::xtask("tidy"), Step::xtask("graph"), Step::xtask("deny")];
    steps.push(Step::xtask("coverage-of-rules"));
    steps.push(Step::xtask("requirements"));
    for package in &workspace.packages {
        steps.push(Step::cargo(format!("clippy {}", package.name), &clippy::arguments(&package.name)));
    }
    for package in workspace.published() {
        steps.extend(alone(package));
    }
    steps.push(Step::cargo("doc", doc::ARGUMENTS).with(doc::VARIABLES));
    steps.push(tests());
    // Each benchmark does its work once.
    steps.push(Step::cargo(
        "benches",
        &["test", "--locked", "-p", "peerlane-benches", "--all-features", "--benches"],
    ));
    steps.push(Step::cargo(
        "doctests",
        &["test", "--locked", "--workspace", "--all-features", "--doc", "--no-fail-fast"],
    ));
    steps.push(Step::xtask("package"));
    steps.push(Step { program: "xtask", ..Step::cargo("demo", &["demo", "--headless"]) });
    steps.push(Step { program: "xtask", ..Step::cargo("interop-sctp", &["interop", "--sctp"]) });
    steps.push(Step { program: "xtask", ..Step::cargo("interop", &["interop", "--calls"]) });
    steps
}

/// A crate as somebody sees it who uses nothing else: no dev-dependencies, whose features would hide errors.
fn alone(package: &Package) -> [Step; 2] {
    let name = package.name.as_str();
    let common = ["check", "--quiet", "--locked", "-p", name, "--lib"];
    let default: Vec<&str> = common.to_vec();
    let mut none = common.to_vec();
    none.push("--no-default-features");
    [
        Step::cargo(format!("alone {name}"), &default),
        Step::cargo(format!("alone-without-features {name}"), &none),
    ]
}

fn tests() -> Step {
    if shell::works("cargo", &["nextest", "--version"]) {
        let config = "xtask/nextest.toml";
        let arguments = [
            "nextest",
            "run",
            "--locked",
            "--workspace",
            "--all-features",
            "--no-fail-fast",
            "--config-file",
            config,
            "--cargo-quiet",
            "--status-level",
            "fail",
            "--final-status-level",
            "fail",
            // Or nobody would hear of a test that passes because it was skipped.
            "--success-output",
            "immediate",
            // Where the end of the log shows it.
            "--failure-output",
            "final",
            "--hide-progress-bar",
        ];
        Step::cargo("tests", &arguments)
    } else {
        let targets = ["--lib", "--bins", "--tests", "--examples"];
        let mut arguments = vec!["test", "--locked", "--workspace", "--all-features", "--no-fail-fast"];
        arguments.extend(targets);
        Step::cargo("tests", &arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_choose_steps() {
        let options = parse(&words("--only clippy --only tests --skip doctests")).unwrap();
        assert!(options.wants("clippy xtask") && options.wants("tests"));
        assert!(!options.wants("doctests") && !options.wants("fmt"));
        let all = parse(&["--skip".to_owned(), "clippy xtask".to_owned()]).unwrap();
        assert!(all.wants("fmt") && all.wants("clippy peerlane") && !all.wants("clippy xtask"));
        assert!(parse(&words("--only")).is_err());
        assert!(parse(&words("everything")).is_err());
    }

    #[test]
    fn every_published_crate_is_tried_alone_and_every_package_linted() {
        let text = r#"{"workspace_root":"/r","packages":[
            {"name":"a","version":"0.1.0","publish":null,"manifest_path":"/r/a/Cargo.toml","targets":[],"dependencies":[]},
            {"name":"b","version":"0.1.0","publish":[],"manifest_path":"/r/b/Cargo.toml","targets":[],"dependencies":[]}]}"#;
        let names: Vec<String> =
            steps(&Workspace::parse(text).unwrap()).into_iter().map(|step| step.name).collect();
        for wanted in [
            "fmt",
            "tidy",
            "graph",
            "deny",
            "coverage-of-rules",
            "requirements",
            "clippy a",
            "clippy b",
            "alone a",
            "alone-without-features a",
            "doc",
            "tests",
            "doctests",
            "package",
            "interop-sctp",
            "interop",
        ] {
            assert!(names.iter().any(|name| name == wanted), "{wanted}: {names:?}");
        }
        assert!(!names.contains(&"alone b".to_owned()));
    }

    #[test]
    fn steps_say_how_to_repeat_them() {
        let step = Step::cargo("doc", doc::ARGUMENTS).with(doc::VARIABLES);
        assert!(step.repeat().starts_with("RUSTDOCFLAGS='-D warnings' cargo doc"), "{}", step.repeat());
    }
}
