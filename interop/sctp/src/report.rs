//! The matrix: who, what, what came of it.

use crate::foreign::Foreign;
use crate::scenario::Scenario;
use std::{fmt::Write, fs, path::Path};

/// What came of one cell.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Failed(String),
    /// The peer cannot do it, or not where as much is lost; before that it has passed, with a remark for each loss.
    Lacking(Vec<String>, &'static str),
    /// With a remark for each loss.
    Passed(Vec<String>),
    /// The peer is not on this machine.
    Skipped(&'static str),
}

/// One scenario with everybody.
pub(crate) struct Row {
    pub(crate) scenario: &'static Scenario,
    pub(crate) cells: Vec<(Foreign, Cell)>,
}

/// Where our part of the page begins; it goes on to the next heading of this kind.
const HEADING: &str = "## SCTP in memory";

const TEXT: &str = "\
`cargo xtask interop --sctp` runs our SCTP association against three others in one process: no sockets, no DTLS, a clock of
its own, 20 ms each way. Every cell ran at 0, 1 and 10 % loss in each direction, and has three results, in this order.
Everything reliable arrived once, in order and unchanged; nothing else arrived; no association ended that should not.
Times and rates are virtual: they are the protocol's, not the processor's.";

pub(crate) fn line(cell: &Cell) -> String {
    match cell {
        Cell::Failed(error) => format!("FAILED   {error}"),
        Cell::Lacking(found, reason) if found.is_empty() => format!("n/a      it {reason}"),
        Cell::Lacking(found, reason) => format!("ok       {}, then n/a: it {reason}", remarks(found)),
        Cell::Passed(found) => format!("ok       {}", remarks(found)),
        Cell::Skipped(reason) => format!("skipped  {reason}"),
    }
}

/// Writes the matrix into its part of the page. Cells that were not run now stay as they were.
pub(crate) fn write(page: &Path, rows: &[Row]) -> Result<(), String> {
    let text = fs::read_to_string(page).unwrap_or_default();
    let begin = text.find(HEADING).unwrap_or(text.len());
    let old = text.get(begin..).unwrap_or_default();
    let end = old.get(1..).and_then(|rest| rest.find("\n## ")).map_or(text.len(), |at| begin + 1 + at + 1);
    let (before, after) = (text.get(..begin).unwrap_or_default(), text.get(end..).unwrap_or_default());
    let section = section(rows, text.get(begin..end).unwrap_or_default());
    let gap = if before.is_empty() || before.ends_with("\n\n") { "" } else { "\n" };
    let below = if after.is_empty() { "" } else { "\n" };
    fs::write(page, format!("{before}{gap}{section}{below}{after}"))
        .map_err(|error| format!("{}: {error}", page.display()))
}

fn section(rows: &[Row], old: &str) -> String {
    let mut out = format!("{HEADING}\n\n{TEXT}\n\n| peer | version |\n| --- | --- |\n");
    for peer in Foreign::ALL {
        let _ = writeln!(out, "| {peer} | {} |", peer.version());
    }
    let names: Vec<&str> = Foreign::ALL.iter().map(|peer| peer.name()).collect();
    let _ = writeln!(out, "\n| scenario | what | {} |", names.join(" | "));
    let _ = writeln!(out, "| --- | --- |{}", " --- |".repeat(names.len()));
    for scenario in crate::scenario::ALL {
        let _ = write!(out, "| {} | {} |", scenario.name, scenario.about);
        let new = rows.iter().find(|row| row.scenario.name == scenario.name);
        for (column, peer) in Foreign::ALL.into_iter().enumerate() {
            let cell = new.and_then(|row| row.cells.iter().find(|(name, _)| *name == peer));
            let text = cell.map_or_else(|| kept(old, scenario.name, column), |(_, cell)| word(cell));
            let _ = write!(out, " {text} |");
        }
        out.push('\n');
    }
    out
}

/// What stands in a cell of the old page.
fn kept(old: &str, scenario: &str, column: usize) -> String {
    let row = old.lines().find(|line| line.starts_with(&format!("| {scenario} |")));
    row.and_then(|row| row.split('|').nth(column + 3)).map_or("", str::trim).to_owned()
}

fn word(cell: &Cell) -> String {
    let text = match cell {
        Cell::Failed(error) => {
            format!(
                "**failed** {}",
                error.lines().next().unwrap_or_default().chars().take(120).collect::<String>()
            )
        }
        Cell::Lacking(found, reason) if found.is_empty() => format!("n/a: it {reason}"),
        Cell::Lacking(found, reason) => format!("ok: {}, then n/a: it {reason}", remarks(found)),
        Cell::Passed(found) if remarks(found).is_empty() => "ok".to_owned(),
        Cell::Passed(found) => format!("ok: {}", remarks(found)),
        Cell::Skipped(reason) => format!("skipped: {reason}"),
    };
    text.replace('|', "/")
}

fn remarks(found: &[String]) -> String {
    found.iter().filter(|remark| !remark.is_empty()).cloned().collect::<Vec<_>>().join(", ")
}

/// How many cells passed, failed and were skipped.
pub(crate) fn counts(rows: &[Row]) -> (usize, usize, usize) {
    let count = |test: fn(&Cell) -> bool| {
        rows.iter().flat_map(|row| &row.cells).filter(|(_, cell)| test(cell)).count()
    };
    (
        count(|cell| match cell {
            Cell::Passed(_) => true,
            Cell::Lacking(found, _) => !found.is_empty(),
            Cell::Failed(_) | Cell::Skipped(_) => false,
        }),
        count(|cell| matches!(cell, Cell::Failed(_))),
        count(|cell| matches!(cell, Cell::Skipped(_))),
    )
}
