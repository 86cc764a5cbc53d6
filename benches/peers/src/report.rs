//! The table on the screen, and the rows as JSON.

pub mod chart;
pub mod page;

use crate::measure::{Better, Cell, Measured, Who};
use serde_json::{Value, json};

pub fn table(rows: &[Measured]) -> String {
    let mut lines: Vec<Vec<String>> = vec![
        ["row", "unit", "peerlane", "peerlane-aws-lc", "webrtc", "str0m", "rustrtc", "limit", "best peer", "ratio", "aws-lc", "of limit"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for row in rows {
        let mut line = vec![row.row.name.clone(), unit(row)];
        line.extend(Who::ALL.into_iter().map(|who| value(row.cell(who))));
        let best = row.best_peer();
        line.push(best.map_or("-", |(who, _)| who.name()).to_owned());
        line.push(best.map_or_else(|| "-".to_owned(), |(_, ratio)| format!("{ratio:.2}")));
        let other = row.against_best(Who::OursAwsLc);
        line.push(other.map_or_else(|| "-".to_owned(), |(_, ratio)| format!("{ratio:.2}")));
        line.push(row.share_of_limit().map_or_else(|| "-".to_owned(), percent));
        lines.push(line);
    }
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for line in &lines {
        for (place, (word, width)) in line.iter().zip(&widths).enumerate() {
            let pad = " ".repeat(width.saturating_sub(word.chars().count()));
            let padded = if place < 2 { format!("{word}{pad}") } else { format!("{pad}{word}") };
            text.push_str(&padded);
            text.push_str(if place + 1 == line.len() { "\n" } else { "  " });
        }
    }
    let reasons = reasons(rows);
    if !reasons.is_empty() {
        text.push_str("\nWhere there is no figure:\n");
        for reason in reasons {
            text.push_str(&format!("  {reason}\n"));
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
    let words = row.cells.iter().filter_map(|cell| Some(format!("{} {}", cell.who.name(), number(cell.median()?))));
    format!("{} {}", words.collect::<Vec<_>>().join(", "), row.row.unit)
}
