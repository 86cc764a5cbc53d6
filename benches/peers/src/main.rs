//! Measures peerlane beside its peers, in one run. `cargo xtask bench` builds and calls it.

mod associations;
mod buffers;
mod idle;
mod inputs;
mod kernel;
mod limits;
mod machine;
mod measure;
mod memory;
mod ours;
mod pairs;
mod report;
mod rustrtc_rs;
mod side;
mod str0m_rs;
mod subjects;
mod tcp;
mod webrtc_rs;
mod wire;

use measure::{Effort, Measured, Who};
use std::{env, fs, process::ExitCode};
use subjects::Subject;

#[global_allocator]
static ALLOCATOR: machine::Counting = machine::Counting;

const USAGE: &str = "usage: peers [--quick] [--only NAME]... [--who PARTY]... [--list] [--json FILE] [--write PAGE] [--large-buffers]
NAME is a subject as `--list` shows it, or a part of the name of a row; PARTY is a column of the table";

#[derive(Debug, Default)]
struct Options {
    quick: bool,
    lists: bool,
    only: Vec<String>,
    who: Vec<Who>,
    json: Option<String>,
    write: Option<String>,
    large_buffers: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((first, rest)) if first == "side" => side::main(rest),
        Some((first, rest)) if first == "idle" => idle::main(rest),
        _ => parse(&arguments).and_then(|options| run(&options)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().cloned().ok_or_else(|| format!("{argument} needs a value\n{USAGE}"));
        match argument.as_str() {
            "--quick" => options.quick = true,
            "--large-buffers" => options.large_buffers = true,
            "--list" => options.lists = true,
            "--only" => options.only.push(value()?),
            "--who" => {
                let name = value()?;
                options.who.push(Who::parse(&name).ok_or_else(|| format!("{name:?} is no party\n{USAGE}"))?);
            }
            "--json" => options.json = Some(value()?),
            "--write" => options.write = Some(value()?),
            other => return Err(format!("{other:?} is not an option\n{USAGE}")),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<(), String> {
    if options.lists {
        for Subject { name, about, .. } in subjects::ALL {
            println!("{name:<10} {about}");
        }
        return Ok(());
    }
    let mut effort = if options.quick { Effort::quick() } else { Effort::full() };
    effort.large_buffers = options.large_buffers;
    if options.large_buffers {
        buffers::restore_on_signals();
    }
    machine::raise_file_limit();
    let rows = measure_all(options, &effort);
    if rows.is_empty() {
        return Err(format!("no such row\n{USAGE}"));
    }
    print!("{}", report::tables(&rows));
    if let Some(path) = &options.json {
        fs::write(path, report::json(&rows)).map_err(|error| format!("{path}: {error}"))?;
    }
    if let Some(page) = &options.write {
        report::page::write(page.as_ref(), &rows, &effort).map_err(|error| format!("{page}: {error}"))?;
    }
    Ok(())
}

fn measure_all(options: &Options, effort: &Effort) -> Vec<Measured> {
    let mut all = Vec::new();
    for subject in subjects::ALL {
        let whole = options.only.is_empty() || options.only.iter().any(|name| name == subject.name);
        for make in (subject.groups)(effort) {
            let mut group = make();
            group.probes.retain(|probe| options.who.is_empty() || options.who.contains(&probe.who));
            let named = |row: &measure::Row| options.only.iter().any(|name| row.name.contains(name.as_str()));
            if !whole && !group.rows.iter().any(named) {
                continue;
            }
            let rows = measure::run(subject.name, group, effort);
            for row in &rows {
                eprintln!("{}: {}", row.row.name, report::line(row));
            }
            all.extend(rows);
        }
    }
    all
}
