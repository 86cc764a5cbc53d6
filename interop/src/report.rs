//! The matrix: who was called, what was tried, what came of it.

use crate::{
    peers::PeerKind,
    scenario::{self, Scenario},
};
use std::fmt::Write;

/// What came of one cell.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Failed(String),
    /// The peer cannot do it.
    Lacking(&'static str),
    Passed(String),
    /// The peer is not on this machine.
    Skipped(String),
}

/// One peer with its column.
pub(crate) struct Column {
    pub(crate) kind: PeerKind,
    pub(crate) version: String,
    pub(crate) cells: Vec<(&'static str, Cell, f64)>,
}

/// The matrix for a terminal.
pub(crate) fn terminal(columns: &[Column], scenarios: &[&Scenario]) -> String {
    let mut out = String::new();
    let width = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or_default();
    let _ = write!(out, "{:width$}", "");
    for column in columns {
        let _ = write!(out, "  {:<9}", column.kind);
    }
    out.push('\n');
    for scenario in scenarios {
        let _ = write!(out, "{:width$}", scenario.name);
        for column in columns {
            let word = match column.cell(scenario.name) {
                Some(Cell::Passed(_)) => "ok",
                Some(Cell::Failed(_)) => "FAILED",
                Some(Cell::Skipped(_)) => "skipped",
                Some(Cell::Lacking(_)) => "n/a",
                None => "",
            };
            let _ = write!(out, "  {word:<9}");
        }
        out.push('\n');
    }
    out
}

/// The same as a page of the documentation. What was not run now stays as it is in the old page.
pub(crate) fn page(columns: &[Column], old: &str) -> String {
    let find = |kind: PeerKind| columns.iter().find(|column| column.kind == kind);
    let mut out = String::from(
        "# Interoperability\n\n<!-- Written by `cargo xtask interop`; edit the program, not this page. -->\n\n\
         `cargo xtask interop` calls every peer in every way listed here and writes this page. Each cell is a real call:\n\
         a browser without driver, a Python program, or peerlane itself, in a network of its own.\n\n",
    );
    let _ = writeln!(out, "| peer | version |\n| --- | --- |");
    for kind in PeerKind::ALL {
        let version = find(kind).map_or_else(|| kept(old, kind.name(), 1), |column| column.version.clone());
        let _ = writeln!(out, "| {kind} | {version} |");
    }
    let _ = write!(out, "\n| scenario | what |");
    for kind in PeerKind::ALL {
        let _ = write!(out, " {kind} |");
    }
    let _ = writeln!(out, "\n| --- | --- |{}", " --- |".repeat(PeerKind::ALL.len()));
    for scenario in scenario::ALL {
        let _ = write!(out, "| {} | {} |", scenario.name, scenario.about);
        for (place, kind) in PeerKind::ALL.into_iter().enumerate() {
            let text = match find(kind).and_then(|column| column.cell(scenario.name)) {
                Some(Cell::Passed(found)) => format!("ok: {found}"),
                Some(Cell::Failed(error)) => format!("**failed**: {}", short(error)),
                Some(Cell::Skipped(reason)) => format!("skipped: {reason}"),
                Some(Cell::Lacking(reason)) => format!("n/a: it {reason}"),
                None => kept(old, scenario.name, place + 2),
            };
            let _ = write!(out, " {} |", text.replace('|', "/").replace('\n', " "));
        }
        out.push('\n');
    }
    out.push_str(
        "\n\"n/a\" is what the peer itself cannot do. A skipped peer fails the run when `CI=true`.\n",
    );
    // Other programs have written what follows.
    if let Some(rest) = old.find("\n## ").and_then(|at| old.get(at..)) {
        out.push_str(rest);
    }
    out
}

/// What stands in our tables of the old page: the cell of this row, counted from 0.
fn kept(old: &str, row: &str, place: usize) -> String {
    let ours = old.split("\n## ").next().unwrap_or_default();
    let line = ours.lines().find(|line| line.starts_with(&format!("| {row} |")));
    line.and_then(|line| line.split('|').nth(place + 1)).map_or("", str::trim).to_owned()
}

/// How many cells passed, failed and were skipped.
pub(crate) fn counts(columns: &[Column]) -> (usize, usize, usize) {
    let count = |test: fn(&Cell) -> bool| {
        columns.iter().flat_map(|column| &column.cells).filter(|(_, cell, _)| test(cell)).count()
    };
    (
        count(|cell| matches!(cell, Cell::Passed(_))),
        count(|cell| matches!(cell, Cell::Failed(_))),
        count(|cell| matches!(cell, Cell::Skipped(_))),
    )
}

impl Column {
    fn cell(&self, scenario: &str) -> Option<&Cell> {
        self.cells.iter().find(|(name, ..)| *name == scenario).map(|(_, cell, _)| cell)
    }
}

fn short(error: &str) -> String {
    let line = error.lines().next().unwrap_or_default();
    line.chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_leaves_the_rest_as_it_was() {
        let column = |kind, found: &str| Column {
            kind,
            version: format!("{kind} 1"),
            cells: vec![("data-offer", Cell::Passed(found.to_owned()), 0.0)],
        };
        let first = page(&[column(PeerKind::Chromium, "a"), column(PeerKind::Firefox, "b")], "");
        let both =
            page(&[column(PeerKind::Firefox, "c")], &format!("{first}\n## More\n\n| data-offer | x |\n"));
        let row = both.lines().find(|line| line.starts_with("| data-offer")).unwrap();
        assert!(row.contains("| ok: a | ok: c |  |  |"), "{row}");
        assert!(both.contains("| chromium | chromium 1 |") && both.contains("| firefox | firefox 1 |"));
        assert!(both.ends_with("when `CI=true`.\n\n## More\n\n| data-offer | x |\n"));
    }
}
