//! Calls over bad networks, in virtual time: `cargo xtask sim`. Each row of the report is run with many seeds; the
//! same seed gives the same run, to the byte.

#![expect(clippy::print_stdout, reason = "a command-line tool talks on standard output")]

mod chart;
mod clock;
mod connect;
mod disorder;
mod goodput;
mod lines;
mod outage;
mod peer;
mod plots;
mod repair;
mod report;
mod rig;
mod row;
mod run;
mod size;

use crate::row::{Family, Figure, Measured, Row, Verdict};
use std::{
    collections::BTreeMap,
    env,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

const USAGE: &str = "usage: sim [--seeds N] [--seed S] [--only NAME]... [--list] [--short] [--write FOLDER]
  --seeds N       runs each row with seeds 0 to N-1; 100 without it, ten times that for the connecting rows with bounds
  --seed S        runs seed S alone and prints what it measured
  --only NAME     rows whose name begins so, or all of a family
  --list          names the rows and runs nothing
  --short         the short form that the tests run: few rows, few seeds
  --write FOLDER  writes simulation.md and its plots there, from all rows";

#[derive(Debug, Default)]
struct Options {
    seeds: Option<u64>,
    seed: Option<u64>,
    only: Vec<String>,
    lists: bool,
    is_short: bool,
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = match parse(env::args().skip(1)) {
        Ok(options) => options,
        Err(complaint) => {
            eprintln!("sim: {complaint}\n{USAGE}");
            return ExitCode::FAILURE;
        }
    };
    let mut families = families();
    for family in &mut families {
        family.rows.retain(|row| options.wants(family.name, row));
    }
    families.retain(|family| !family.rows.is_empty());
    if families.is_empty() {
        eprintln!("sim: there is no such row; --list names them");
        return ExitCode::FAILURE;
    }
    if options.lists {
        list(&families);
        return ExitCode::SUCCESS;
    }
    if let Some(seed) = options.seed {
        return replay(&families, seed);
    }
    let (results, is_well) = measure(&families, &options);
    if let Some(folder) = &options.write {
        if let Err(error) = report::write(folder, &families, &results) {
            eprintln!("sim: {}: {error}", folder.display());
            return ExitCode::FAILURE;
        }
        println!("written: {}", folder.join("simulation.md").display());
    }
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn families() -> Vec<Family> {
    vec![
        connect::family(),
        goodput::family(),
        lines::family(),
        repair::family(),
        disorder::family(),
        size::family(),
        outage::family(),
        clock::family(),
    ]
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        let number = |text: String| text.parse().map_err(|_| format!("{text:?} is not a number"));
        match argument.as_str() {
            "--seeds" => options.seeds = Some(number(value()?)?),
            "--seed" => options.seed = Some(number(value()?)?),
            "--only" => options.only.push(value()?),
            "--list" => options.lists = true,
            "--short" => options.is_short = true,
            "--write" => options.write = Some(value()?.into()),
            other => return Err(format!("{other:?} is not an option")),
        }
    }
    if options.write.is_some() && (options.is_short || !options.only.is_empty()) {
        return Err("--write needs all rows".to_owned());
    }
    Ok(options)
}

impl Options {
    fn wants(&self, family: &str, row: &Row) -> bool {
        let is_named = |wanted: &String| wanted == family || row.name.starts_with(wanted.as_str());
        (self.only.is_empty() || self.only.iter().any(is_named)) && (!self.is_short || row.short > 0)
    }

    fn seeds(&self, row: &Row) -> u64 {
        if self.is_short { row.short } else { (self.seeds.unwrap_or(100).max(1) * row.factor).min(row.most) }
    }
}

fn list(families: &[Family]) {
    for row in families.iter().flat_map(|family| &family.rows) {
        println!("{:<22} {}", row.name, row.condition);
    }
}

fn replay(families: &[Family], seed: u64) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for row in families.iter().flat_map(|family| &family.rows) {
        let sample = run::one(row, seed);
        println!("{}, seed {seed}: {}", row.name, row.condition);
        for (key, value) in &sample.figures {
            println!("  {key:<14} {value:.4}");
        }
        if let Some(fault) = &sample.fault {
            println!("  fault: {fault}");
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// Runs everything and tells what came of it; whether nothing is below its bound.
#[expect(clippy::disallowed_methods, reason = "says how long a row took; nothing depends on it")]
fn measure(families: &[Family], options: &Options) -> (BTreeMap<String, Measured>, bool) {
    let mut results = BTreeMap::new();
    let mut is_well = true;
    for family in families {
        println!("{}", family.title);
        for row in &family.rows {
            let (seeds, begin) = (options.seeds(row), Instant::now());
            let measured = run::measure(row, seeds);
            let took = begin.elapsed();
            println!("  {} ({}), {seeds} seeds, {:.1} s", row.name, row.condition, took.as_secs_f64());
            for figure in &row.figures {
                is_well &= tell(row, figure, &measured);
            }
            for (seed, fault) in measured.faults().take(5) {
                println!("    FAULT with seed {seed}: {fault}");
                println!("      replay: cargo xtask sim --only {} --seed {seed}", row.name);
                is_well = false;
            }
            results.insert(row.name.clone(), measured);
        }
    }
    (results, is_well)
}

/// Prints a figure; whether it is not below its bound.
fn tell(row: &Row, figure: &Figure, measured: &Measured) -> bool {
    let value = figure.reduced(&measured.samples);
    let verdict = figure.verdict(value);
    let bounds = [("must", figure.must), ("aim", figure.aim)];
    let bounds: Vec<String> = bounds
        .iter()
        .filter_map(|(name, bound)| Some(format!("{name} {}", (*bound)?.write(figure.unit))))
        .collect();
    let verdict_text = verdict.write().replace("**", "");
    println!(
        "    {:<44} {:>14}  {:<44} {verdict_text}",
        figure.what,
        figure.unit.write(value),
        bounds.join(", ")
    );
    if verdict == Verdict::Below
        && let Some(seed) = measured.worst(figure)
    {
        println!("      worst seed: cargo xtask sim --only {} --seed {seed}", row.name);
    }
    verdict != Verdict::Below
}
