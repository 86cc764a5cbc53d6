//! The matrix: who was called, what was tried, what came of it.

use crate::{peers::PeerKind, scenario::Scenario};
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

/// The same as a page of the documentation.
pub(crate) fn page(columns: &[Column], scenarios: &[&Scenario]) -> String {
    let mut out = String::from(
        "# Interoperability\n\n<!-- Written by `cargo xtask interop`; edit the program, not this page. -->\n\n\
         `cargo xtask interop` calls every peer in every way listed here and writes this page. Each cell is a real call:\n\
         a browser without driver, a Python program, or peerlane itself, in a network of its own.\n\n",
    );
    let _ = writeln!(out, "| peer | version |\n| --- | --- |");
    for column in columns {
        let _ = writeln!(out, "| {} | {} |", column.kind, column.version);
    }
    let _ = write!(out, "\n| scenario | what |");
    for column in columns {
        let _ = write!(out, " {} |", column.kind);
    }
    let _ = writeln!(out, "\n| --- | --- |{}", " --- |".repeat(columns.len()));
    for scenario in scenarios {
        let _ = write!(out, "| {} | {} |", scenario.name, scenario.about);
        for column in columns {
            let text = match column.cell(scenario.name) {
                Some(Cell::Passed(found)) => format!("ok: {found}"),
                Some(Cell::Failed(error)) => format!("**failed**: {}", short(error)),
                Some(Cell::Skipped(reason)) => format!("skipped: {reason}"),
                Some(Cell::Lacking(reason)) => format!("n/a: it {reason}"),
                None => String::new(),
            };
            let _ = write!(out, " {} |", text.replace('|', "/").replace('\n', " "));
        }
        out.push('\n');
    }
    out.push_str(
        "\n\"n/a\" is what the peer itself cannot do. A skipped peer fails the run when `CI=true`.\n",
    );
    out
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
