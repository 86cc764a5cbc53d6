//! `cargo xtask fuzz`: runs the fuzz targets, and the sessions with a mutation each.

mod history;
mod progress;
mod target;

use crate::{Failure, shell, tool};
use history::History;
use progress::Progress;
use std::{
    env, fs,
    io::{self, BufRead, BufReader, IsTerminal, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};
use target::Target;

pub(crate) use target::names as target_names;

const USAGE: &str = "usage: cargo xtask fuzz [--list | --table] [--seconds N] [--keep] [TARGET]...
       cargo xtask fuzz --sessions N
Without a target: all, one after another. `--seconds` is for each of them, 60 if not said.
`--keep` puts the smallest set of inputs that covers what is covered into crates/*/fuzz/corpus.
`--table` sums up all runs so far, as docs/fuzzing.md has them.
`--sessions` runs so many whole sessions in virtual time, each with one mutation on the wire.";

/// Why no build for fuzzing takes AddressSanitizer: `unsafe` is forbidden in this workspace, and it takes half of the
/// speed. Overflow checks and debug assertions are on.
const BUILD: &[&str] = &["--sanitizer", "none", "--debug-assertions"];
/// Bytes; a datagram has no more, and a schedule is long enough.
const MAX_LEN: &str = "-max_len=4096";
/// Seconds after which one input counts as endless.
const TIMEOUT: &str = "-timeout=20";
/// Mebibytes.
const MEMORY: &str = "-rss_limit_mb=2048";

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    lists: bool,
    tabulates: bool,
    keeps: bool,
    seconds: Option<u64>,
    sessions: Option<u64>,
    targets: Vec<String>,
}

pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let options = parse(arguments)?;
    if let Some(sessions) = options.sessions {
        return run_sessions(sessions);
    }
    let chosen = choose(target::all(&shell::root())?, &options.targets)?;
    if options.lists {
        for target in &chosen {
            println!("{:<24} {}", target.name, target.about);
        }
        return Ok(());
    }
    let places = Places::new();
    if options.tabulates {
        print!("{}", History::new(&places.work).table(&chosen)?);
        return Ok(());
    }
    build(&chosen, &places)?;
    let seconds = options.seconds.unwrap_or(60);
    println!("{}", Progress::HEAD);
    let mut found = Vec::new();
    for target in &chosen {
        found.extend(fuzz(target, &places, seconds)?);
        if options.keeps {
            keep(target, &places)?;
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(found.join("\n"))
}

/// Where things are that do not belong to the repository.
struct Places {
    build: PathBuf,
    work: PathBuf,
}

impl Places {
    fn new() -> Self {
        let root = shell::root();
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        Self { build: target.join("fuzz"), work: root.join("target/fuzz") }
    }

    fn folder(&self, kind: &str, target: &Target) -> Result<PathBuf, Failure> {
        let folder = self.work.join(kind).join(&target.name);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }
}

fn parse(arguments: &[String]) -> Result<Options, Failure> {
    let mut options = Options::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let number = match argument.as_str() {
            "--list" => {
                options.lists = true;
                continue;
            }
            "--keep" => {
                options.keeps = true;
                continue;
            }
            "--table" => {
                options.tabulates = true;
                continue;
            }
            "--seconds" => &mut options.seconds,
            "--sessions" => &mut options.sessions,
            option if option.starts_with('-') => return Err(format!("{option:?} is not an option\n{USAGE}")),
            name => {
                options.targets.push(name.to_owned());
                continue;
            }
        };
        let value = rest.next().and_then(|value| value.parse().ok());
        *number = Some(value.ok_or_else(|| format!("{argument} needs a number\n{USAGE}"))?);
    }
    Ok(options)
}

fn choose(all: Vec<Target>, names: &[String]) -> Result<Vec<Target>, Failure> {
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|target| target.name == **name)) {
        return Err(format!("there is no target {unknown:?}; `cargo xtask fuzz --list` names them\n{USAGE}"));
    }
    Ok(all.into_iter().filter(|target| names.is_empty() || names.contains(&target.name)).collect())
}

/// The mutated sessions are a test, which is told how many.
fn run_sessions(count: u64) -> Result<(), Failure> {
    let count = count.to_string();
    let arguments = [
        "test",
        "--locked",
        "--release",
        "-p",
        "peerlane-peerconnection",
        "--all-features",
        "--test",
        "mutated_sessions",
        "--",
        "--nocapture",
    ];
    shell::run_with("cargo", &arguments, &[("PEERLANE_MUTATED_SESSIONS", &count)])
}

fn build(targets: &[Target], places: &Places) -> Result<(), Failure> {
    let (program, before) = tool::find("fuzz")?;
    for (index, target) in targets.iter().enumerate() {
        println!("building {} ({} of {})", target.name, index + 1, targets.len());
        let mut arguments = before.clone();
        arguments.push("build".to_owned());
        arguments.extend(["--fuzz-dir".to_owned(), target.folder.to_string_lossy().into_owned()]);
        arguments.extend(["--target-dir".to_owned(), places.build.to_string_lossy().into_owned()]);
        arguments.extend(BUILD.iter().map(|argument| (*argument).to_owned()));
        arguments.push(target.name.clone());
        let output = shell::command(&program, &arguments)
            // The instrumentation is not stable; the compiler that has it is.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TERM_QUIET", "true")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cargo fuzz build: {error}"))?;
        if !output.status.success() {
            return Err(format!(
                "{}: it does not build\n{}",
                target.name,
                String::from_utf8_lossy(&output.stderr)
            ));
        }
    }
    Ok(())
}

/// The program of a target: libFuzzer with the target in it.
fn program(target: &Target, places: &Places) -> Result<PathBuf, Failure> {
    let version = shell::output("rustc", &["-vV"])?;
    let host =
        version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc -vV names no host")?;
    let file = format!("{}{}", target.name, env::consts::EXE_SUFFIX);
    Ok(places.build.join(host).join("release").join(file))
}

/// Runs one target; how to repeat what was found.
fn fuzz(target: &Target, places: &Places, seconds: u64) -> Result<Vec<String>, Failure> {
    let (corpus, artifacts) = (places.folder("corpus", target)?, places.folder("artifacts", target)?);
    let known = files(&artifacts);
    let mut command = Command::new(program(target, places)?);
    command
        .current_dir(shell::root())
        .args([MAX_LEN, TIMEOUT, MEMORY, "-print_final_stats=1"])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(&corpus)
        .args(target.kept())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let progress = watch(&mut command, target, places)?;
    let new: Vec<PathBuf> = files(&artifacts).into_iter().filter(|file| !known.contains(file)).collect();
    println!("{}", progress.line(&target.name, new.len()));
    History::new(&places.work).note(target, &progress, new.len())?;
    if new.is_empty() && !progress.is_done {
        return Ok(vec![format!("{}: it stopped by itself\n{}", target.name, progress.last_words())]);
    }
    Ok(new.iter().map(|file| how_to_repeat(target, file, &progress)).collect())
}

/// Runs the fuzzer and reads along. Everything it says is also in a file.
#[expect(clippy::disallowed_methods, reason = "how long it ran is part of the report")]
fn watch(command: &mut Command, target: &Target, places: &Places) -> Result<Progress, Failure> {
    let fail = |error: io::Error| format!("{}: {error}", target.name);
    let mut log = fs::File::create(places.folder("logs", target)?.join("last.log")).map_err(fail)?;
    let start = Instant::now();
    let mut child = command.spawn().map_err(fail)?;
    let mut progress = Progress::default();
    let is_terminal = io::stdout().is_terminal();
    if let Some(words) = child.stderr.take() {
        for line in BufReader::new(words).split(b'\n') {
            let line = String::from_utf8_lossy(&line.map_err(fail)?).into_owned();
            writeln!(log, "{line}").map_err(fail)?;
            if progress.read(&line) && is_terminal {
                progress.seconds = start.elapsed().as_secs();
                print!("{}\r", progress.line(&target.name, 0));
                io::stdout().flush().map_err(fail)?;
            }
        }
    }
    let status = child.wait().map_err(fail)?;
    progress.seconds = start.elapsed().as_secs();
    progress.is_done = status.success();
    Ok(progress)
}

fn how_to_repeat(target: &Target, file: &Path, progress: &Progress) -> String {
    format!(
        "{name} failed: {words}\n  input   {file}\n  repeat  mkdir -p {kept} && cp {file} {kept}/ && cargo test -p {package} \
         --all-features --test fuzz_corpus {name}",
        name = target.name,
        words = progress.last_words(),
        file = file.display(),
        kept = target.relative("found"),
        package = target.package(),
    )
}

/// Puts the smallest set of inputs that reaches all that is reached into the repository. What has a name of its own was
/// put there by somebody and stays.
fn keep(target: &Target, places: &Places) -> Result<(), Failure> {
    let (corpus, kept) = (places.folder("corpus", target)?, target.folder.join("corpus").join(&target.name));
    let merged = places.folder("merged", target)?;
    let fail = |error: io::Error| format!("{}: {error}", kept.display());
    for file in files(&merged) {
        fs::remove_file(file).map_err(fail)?;
    }
    let status = Command::new(program(target, places)?)
        .args([MAX_LEN, TIMEOUT, MEMORY, "-set_cover_merge=1", "-use_counters=0"])
        .arg(&merged)
        .arg(&corpus)
        .args(target.kept())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(fail)?;
    let chosen = files(&merged);
    if !status.success() || chosen.is_empty() {
        return Err(format!("{}: the inputs could not be merged: {status}", target.name));
    }
    fs::create_dir_all(&kept).map_err(fail)?;
    let (computed, named): (Vec<_>, Vec<_>) = files(&kept).into_iter().partition(|file| is_hash(file));
    for file in computed {
        fs::remove_file(file).map_err(fail)?;
    }
    let named: Vec<Vec<u8>> = named.iter().map(fs::read).collect::<Result<_, _>>().map_err(fail)?;
    for file in &chosen {
        let data = fs::read(file).map_err(fail)?;
        if !named.contains(&data) {
            let name = file.file_name().unwrap_or_default();
            fs::write(kept.join(name), data).map_err(fail)?;
        }
    }
    println!("{}: {} inputs are kept", target.name, files(&kept).len());
    Ok(())
}

/// Whether libFuzzer named the file, by what is in it.
fn is_hash(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The files of a folder; none when it is missing.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_are_read() {
        let options = parse(&words("--seconds 5 rtcp --keep sdp_text")).unwrap();
        assert_eq!((options.seconds, options.keeps, options.targets.len()), (Some(5), true, 2));
        assert_eq!(parse(&words("--sessions 7")).unwrap().sessions, Some(7));
        assert!(parse(&words("--list")).unwrap().lists);
        for wrong in ["--seconds", "--seconds x", "--fast"] {
            assert!(parse(&words(wrong)).unwrap_err().contains("usage"), "{wrong}");
        }
    }

    #[test]
    fn targets_are_chosen_by_name() {
        let all = || target::all(&shell::root()).unwrap();
        assert!(all().len() >= 20);
        assert_eq!(choose(all(), &[]).unwrap().len(), all().len());
        assert_eq!(choose(all(), &words("rtcp sdp_text")).unwrap().len(), 2);
        assert!(choose(all(), &words("nothing")).is_err());
    }

    #[test]
    fn files_named_by_hand_are_told_from_others() {
        assert!(is_hash(Path::new("x/1dca90ead946de587b89255c6f4fb4018c227d04")));
        assert!(!is_hash(Path::new("x/relays")) && !is_hash(Path::new("x/a-stream-of-a-high-number")));
    }

    #[test]
    fn a_finding_says_how_to_repeat_it() {
        let target =
            target::all(&shell::root()).unwrap().into_iter().find(|target| target.name == "rtcp").unwrap();
        let mut progress = Progress::default();
        progress.read("thread '<unnamed>' panicked at a.rs:1:2:");
        let text = how_to_repeat(&target, Path::new("x/crash-1"), &progress);
        assert!(text.contains("cp x/crash-1 crates/rtp/fuzz/found/rtcp/"), "{text}");
        assert!(text.contains("cargo test -p peerlane-rtp") && text.contains("panicked at"), "{text}");
    }
}
