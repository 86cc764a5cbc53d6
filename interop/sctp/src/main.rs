//! Our SCTP against that of others, in memory and in virtual time. Started by `cargo xtask interop --sctp`.

mod end;
mod foreign;
mod ours;
mod report;
mod rig;
mod scenario;
mod trace;
mod traffic;

use foreign::Foreign;
use report::{Cell, Row};
use scenario::{LOSSES, Scenario, Setting};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    process::ExitCode,
};

const HELP: &str = "\
Runs our SCTP against other implementations in memory, in virtual time, and prints a matrix.

Usage: cargo xtask interop --sctp [OPTIONS]

  --peer NAME      only this one (dcsctp, sctp-proto, usrsctp); may be given again
  --scenario NAME  only this scenario; may be given again
  --seed N         of the network (default 1)
  --loss PERCENT   only this loss
  --trace          print every packet
  --write          write the matrix into docs/interop.md (done by itself when everything was run)
  --list           name the scenarios
  --help           this text";

#[derive(Default)]
struct Options {
    peers: Vec<Foreign>,
    scenarios: Vec<String>,
    seed: Option<u64>,
    loss: Option<f64>,
    traces: bool,
    write: bool,
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            println!("{message}");
            ExitCode::from(2)
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
                let peer = Foreign::ALL.into_iter().find(|peer| peer.name() == name);
                options.peers.push(peer.ok_or_else(|| format!("there is no peer {name:?}\n\n{HELP}"))?);
            }
            "--scenario" => {
                let name = value()?;
                if !scenario::ALL.iter().any(|scenario| scenario.name == name) {
                    return Err(format!("there is no scenario {name:?}; --list names them"));
                }
                options.scenarios.push(name);
            }
            "--seed" => options.seed = Some(value()?.parse().map_err(|_| HELP.to_owned())?),
            "--loss" => options.loss = Some(value()?.parse().map_err(|_| HELP.to_owned())?),
            "--trace" => options.traces = true,
            "--write" => options.write = true,
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

fn run(options: &Options) -> Result<bool, String> {
    let peers = if options.peers.is_empty() { Foreign::ALL.to_vec() } else { options.peers.clone() };
    let chosen = scenario::ALL.iter().filter(|scenario| {
        options.scenarios.is_empty() || options.scenarios.iter().any(|name| name == scenario.name)
    });
    let mut rows = Vec::new();
    for scenario in chosen {
        let cells: Vec<(Foreign, Cell)> =
            peers.iter().map(|peer| (*peer, cell(*peer, scenario, options))).collect();
        for (peer, cell) in &cells {
            println!("{peer:10} {:16} {}", scenario.name, report::line(cell));
        }
        rows.push(Row { scenario, cells });
    }
    let everything = options.peers.is_empty() && options.scenarios.is_empty() && options.loss.is_none();
    if everything || options.write {
        let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/interop.md");
        report::write(&page, &rows)?;
    }
    let (passed, failed, skipped) = report::counts(&rows);
    println!("\n{passed} passed, {failed} failed, {skipped} skipped");
    let is_strict = std::env::var("CI").is_ok_and(|value| value == "true");
    if skipped > 0 && is_strict {
        println!("a skipped peer is a failure when CI=true");
    }
    Ok(failed == 0 && (skipped == 0 || !is_strict))
}

fn cell(foreign: Foreign, scenario: &Scenario, options: &Options) -> Cell {
    if let Some(reason) = foreign.missing() {
        return Cell::Skipped(reason);
    }
    let lack = scenario.lacking.iter().find(|lack| lack.peer == foreign);
    let mut found = Vec::new();
    for loss in LOSSES.iter().filter(|loss| options.loss.is_none_or(|only| only == **loss)) {
        if let Some(lack) = lack.filter(|lack| lack.from <= *loss) {
            return Cell::Lacking(found, lack.why);
        }
        let (seed, traces) = (options.seed.unwrap_or(1), options.traces);
        let setting = Setting { foreign, loss: *loss, seed, traces };
        match catch_unwind(AssertUnwindSafe(|| (scenario.run)(setting))) {
            Ok(Ok(remark)) => found.push(remark),
            Ok(Err(error)) => return Cell::Failed(format!("at {loss} % loss: {error}")),
            Err(_) => return Cell::Failed(format!("at {loss} % loss: a panic")),
        }
    }
    Cell::Passed(found)
}
