//! Calls between peerlane and other stacks, in a network of their own. Started by `cargo xtask interop`.

#![expect(clippy::print_stdout, reason = "a command-line tool talks on standard output")]

mod agent;
mod browser;
mod bulk;
mod demo;
mod hub;
mod ours;
mod own_agent;
mod peers;
mod report;
mod sandbox;
mod scenario;
mod usage;

use peers::{Peer, PeerKind};
use report::{Cell, Column};
use scenario::{Context, Scenario};
use std::{path::Path, process::ExitCode, time::Duration};
use tokio::time::{Instant, timeout};

const HELP: &str = "\
Calls every peer in every way and prints a matrix.

Usage: cargo xtask interop [OPTIONS]

  --peer NAME      only this peer (chromium, firefox, aiortc, peerlane); may be given again
  --scenario NAME  only this scenario; may be given again
  --write          write docs/interop.md (done by itself when everything was run); what was not run stays
  --list           name the scenarios
  --help           this text";

/// No scenario takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Default)]
struct Options {
    peers: Vec<PeerKind>,
    scenarios: Vec<String>,
    write: bool,
    agent: bool,
    hidden: bool,
    demo: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            println!("{message}");
            return ExitCode::from(2);
        }
    };
    if options.agent {
        return finish(own_agent::run(options.hidden).await.map(|()| true));
    }
    if !sandbox::is_inside() {
        if options.demo.is_none() {
            // Out here, where packages can be had; inside it is only looked for.
            peers::python().await;
        }
        match sandbox::run_inside() {
            Ok(Some(status)) => return if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE },
            Ok(None) => println!(
                "no network of our own can be made here (that takes root and iproute2): using this one"
            ),
            Err(error) => println!("no network of our own: {error}; using this one"),
        }
    }
    match &options.demo {
        Some(server) => finish(demo::run(server).await),
        None => finish(run(options).await),
    }
}

fn finish(result: Result<bool, String>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(flag) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{flag} needs a value\n\n{HELP}"));
        match flag.as_str() {
            "--peer" => {
                let name = value()?;
                let kind = PeerKind::ALL.into_iter().find(|kind| kind.name() == name);
                options.peers.push(kind.ok_or_else(|| format!("there is no peer {name:?}\n\n{HELP}"))?);
            }
            "--scenario" => {
                let name = value()?;
                if !scenario::ALL.iter().any(|scenario| scenario.name == name) {
                    return Err(format!("there is no scenario {name:?}; --list names them"));
                }
                options.scenarios.push(name);
            }
            "--write" => options.write = true,
            "--agent" => options.agent = true,
            "--hidden" => options.hidden = true,
            "--demo" => options.demo = Some(value()?),
            "--list" => {
                let lines: Vec<String> = scenario::ALL
                    .iter()
                    .map(|scenario| format!("{:16} {}", scenario.name, scenario.about))
                    .collect();
                return Err(lines.join("\n"));
            }
            _ => return Err(HELP.to_owned()),
        }
    }
    Ok(options)
}

async fn run(options: Options) -> Result<bool, String> {
    let kinds = if options.peers.is_empty() { PeerKind::ALL.to_vec() } else { options.peers.clone() };
    let scenarios: Vec<&Scenario> = scenario::ALL
        .iter()
        .filter(|scenario| {
            options.scenarios.is_empty() || options.scenarios.iter().any(|name| name == scenario.name)
        })
        .collect();
    let python = peers::python().await;
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let mut columns = Vec::new();
    for kind in kinds {
        columns.push(column(kind, &scenarios, python.as_deref(), &results).await);
    }
    print!("\n{}", report::terminal(&columns, &scenarios));
    let everything = options.peers.is_empty() && options.scenarios.is_empty();
    if everything || options.write {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/interop.md");
        let old = std::fs::read_to_string(&page).unwrap_or_default();
        std::fs::write(&page, report::page(&columns, &old)).map_err(|error| error.to_string())?;
    }
    let (passed, failed, skipped) = report::counts(&columns);
    println!("\n{passed} passed, {failed} failed, {skipped} skipped");
    if skipped > 0 && is_strict() {
        println!("a skipped peer is a failure when CI=true");
    }
    Ok(failed == 0 && (skipped == 0 || !is_strict()))
}

/// Whether what is missing on this machine is a failure.
fn is_strict() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

async fn column(
    kind: PeerKind,
    scenarios: &[&'static Scenario],
    python: Option<&Path>,
    results: &Path,
) -> Column {
    let mut column = Column { kind, version: String::new(), cells: Vec::new() };
    if let Some(reason) = kind.missing(python) {
        println!("SKIPPED {kind}: {reason}");
        "not here".clone_into(&mut column.version);
        column.cells =
            scenarios.iter().map(|scenario| (scenario.name, Cell::Skipped(reason.clone()), 0.0)).collect();
        return column;
    }
    column.version = kind.version(python).await;
    let mut running: Option<Peer> = None;
    for scenario in scenarios {
        if let Some((_, reason)) = scenario.lacking.iter().find(|(peer, _)| *peer == kind) {
            column.cells.push((scenario.name, Cell::Lacking(reason), 0.0));
            continue;
        }
        let begun = Instant::now();
        let outcome = attempt(kind, scenario, python, results, &mut running).await;
        let seconds = begun.elapsed().as_secs_f64();
        let cell = match outcome {
            Ok(found) => {
                println!("{kind:9} {:16} ok      {seconds:5.1} s  {found}", scenario.name);
                Cell::Passed(found)
            }
            Err(error) => {
                println!("{kind:9} {:16} FAILED  {seconds:5.1} s  {error}", scenario.name);
                // What is left of a failed call must not disturb the next.
                if let Some(peer) = running.take() {
                    peer.stop().await;
                }
                Cell::Failed(error)
            }
        };
        column.cells.push((scenario.name, cell, seconds));
    }
    if let Some(peer) = running.take() {
        peer.stop().await;
    }
    column
}

async fn attempt(
    kind: PeerKind,
    scenario: &Scenario,
    python: Option<&Path>,
    results: &Path,
    running: &mut Option<Peer>,
) -> Result<String, String> {
    if !running.as_mut().is_some_and(|peer| peer.fits(kind, scenario.addresses)) {
        if let Some(peer) = running.take() {
            peer.stop().await;
        }
        *running = Some(Peer::start(kind, scenario.addresses, python).await?);
    }
    let peer = running.as_mut().ok_or("the peer did not start")?;
    let folder = results.join(kind.name()).join(scenario.name);
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let process = peer.process();
    let (agent, hub) = peer.parts();
    let context = Context { agent, kind, process, hub, folder, python: python.map(Path::to_owned) };
    let outcome = timeout(PATIENCE, (scenario.run)(context)).await;
    if scenario.name.contains("reload") {
        // The page is another one now.
        if let Some(peer) = running.take() {
            peer.stop().await;
        }
    }
    outcome.unwrap_or_else(|_| Err(format!("not done within {} s", PATIENCE.as_secs())))
}
