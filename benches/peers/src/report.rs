//! The tables on the screen, and the rows as JSON.

pub mod chart;
pub mod latency;
pub mod musts;
pub mod page;

use crate::measure::{Better, Cell, Measured, Who};
use serde_json::{Value, json};

/// All that was measured, a table for each subject, and what must hold.
pub fn tables(rows: &[Measured]) -> String {
    let mut text = String::new();
    for rows in by_subject(rows) {
        let lines = if latency::is_about(rows) { latency::lines(rows) } else { lines(rows) };
        text.push_str(&format!("\n{}\n{}", rows[0].subject, aligned(&lines)));
    }
    let reasons = reasons(rows);
    if !reasons.is_empty() {
        text.push_str("\nWhere there is no figure:\n");
        for reason in reasons {
            text.push_str(&format!("  {reason}\n"));
        }
    }
    let musts = musts::lines(rows);
    if musts.len() > 1 {
        text.push_str(&format!("\nmusts\n{}", aligned(&musts)));
    }
    text
}

/// The rows of each subject.
pub fn by_subject(rows: &[Measured]) -> impl Iterator<Item = &[Measured]> {
    rows.chunk_by(|left, right| left.subject == right.subject)
}

/// A table in cells, headings first: a column for each party that takes part.
pub fn lines(rows: &[Measured]) -> Vec<Vec<String>> {
    let has = |who: Who| rows.iter().any(|row| row.cell(who).is_some_and(|cell| !cell.values.is_empty()));
    let parties: Vec<Who> = Who::ALL.into_iter().filter(|who| has(*who)).collect();
    let ours: Vec<Who> = [Who::Ours, Who::OursAwsLc].into_iter().filter(|who| has(*who)).collect();
    let has_peers = Who::PEERS.into_iter().any(has);
    let has_limits = has(Who::Limit) && !ours.is_empty();
    let mut heading = vec!["row".to_owned(), "unit".to_owned()];
    heading.extend(parties.iter().map(|who| who.name().to_owned()));
    let prefix = |who: &Who| if *who == Who::Ours { "" } else { "aws-lc " };
    if has_peers {
        heading.extend(ours.iter().map(|who| format!("{}ratio", prefix(who))));
    }
    if has_limits {
        heading.extend(ours.iter().map(|who| format!("{}of limit", prefix(who))));
    }
    let mut lines = vec![heading];
    for row in rows {
        let mut line = vec![row.row.name.clone(), unit(row)];
        line.extend(parties.iter().map(|who| value(row.cell(*who))));
        if has_peers {
            line.extend(ours.iter().map(|who| {
                row.against_best(*who).map_or_else(
                    || "-".to_owned(),
                    |(best, ratio)| format!("{} ({})", number(ratio), best.name()),
                )
            }));
        }
        if has_limits {
            line.extend(
                ours.iter().map(|who| row.share_of_limit(*who).map_or_else(|| "-".to_owned(), percent)),
            );
        }
        lines.push(line);
    }
    lines
}

fn aligned(lines: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for line in lines {
        for (place, (word, width)) in line.iter().zip(&widths).enumerate() {
            let pad = " ".repeat(width.saturating_sub(word.chars().count()));
            let padded = if place < 2 { format!("{word}{pad}") } else { format!("{pad}{word}") };
            text.push_str(&padded);
            text.push_str(if place + 1 == line.len() { "\n" } else { "  " });
        }
    }
    text
}

pub fn json(rows: &[Measured]) -> String {
    let mut all = Vec::new();
    for row in rows {
        for cell in &row.cells {
            let Some(median) = cell.median() else { continue };
            let range = cell.range();
            all.push(json!({
                "name": row.row.name,
                "subject": row.subject,
                "peer": cell.who.name(),
                "value": median,
                "min": range.map(|(low, _)| low),
                "max": range.map(|(_, high)| high),
                "samples": cell.values.len(),
                "unit": row.row.unit,
                "better": match row.row.better { Better::Higher => "higher", Better::Lower => "lower" },
                "ratio": match cell.who {
                    Who::Ours | Who::OursAwsLc => row.against_best(cell.who).map(|(_, ratio)| ratio),
                    _ => row.ratio(median),
                },
                "line": row.row.line.map(|line| json!({
                    "round_trip_ms": line.round_trip.as_secs_f64() * 1_000.0,
                    "loss_percent": line.loss_percent,
                    "megabits": line.rate,
                })),
            }));
        }
    }
    serde_json::to_string_pretty(&Value::Array(all)).unwrap_or_default() + "\n"
}

/// Who has no figure where, and why; each reason once.
pub fn reasons(rows: &[Measured]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for row in rows {
        for cell in row.cells.iter().filter(|cell| cell.values.is_empty()) {
            let Some(reason) = &cell.reason else { continue };
            let line = format!("{}, {}: {reason}", row.subject, cell.who.name());
            if !all.contains(&line) {
                all.push(line);
            }
        }
    }
    all
}

fn unit(row: &Measured) -> String {
    let arrow = match row.row.better {
        Better::Higher => '+',
        Better::Lower => '-',
    };
    format!("{} {arrow}", row.row.unit)
}

/// Median and spread.
pub fn value(cell: Option<&Cell>) -> String {
    let Some(cell) = cell else { return "-".to_owned() };
    match (cell.median(), cell.range()) {
        (Some(median), Some((low, high))) if cell.values.len() > 1 => {
            format!("{} ({}..{})", number(median), number(low), number(high))
        }
        (Some(median), _) => number(median),
        _ => "-".to_owned(),
    }
}

/// Three significant digits, thousands apart.
pub fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 1_000.0 {
        let digits = format!("{value:.0}");
        let mut text = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) && text != "-" {
                text.push(',');
            }
            text.push(digit);
        }
        return text;
    }
    if magnitude >= 100.0 {
        format!("{value:.0}")
    } else if magnitude >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A row as it is done, while others are still measured.
pub fn line(row: &Measured) -> String {
    let words =
        row.cells.iter().filter_map(|cell| Some(format!("{} {}", cell.who.name(), number(cell.median()?))));
    format!("{} {}", words.collect::<Vec<_>>().join(", "), row.row.unit)
}
