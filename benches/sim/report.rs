//! The report, written from the measurements.

use crate::{
    plots,
    row::{Family, Figure, Measured, Row, Verdict},
};
use std::{collections::BTreeMap, fmt::Write as _, fs, io, path::Path};

const HEAD: &str = "\
# Bad networks, in virtual time

<!-- Written by `cargo xtask sim --write`; changes by hand are lost. -->

Whole calls, from the first connectivity check to the last message, over networks that lose, delay, reorder, duplicate,
cap, cut and move. Nothing here is a socket or a clock: both ends and the network are one program that moves time itself
(see [testing.md](testing.md)), so hours pass in milliseconds and every run can be repeated.

    cargo xtask sim                                    # all rows, 100 seeds each
    cargo xtask sim --only connect-rtt50-loss20        # one row, or all whose name begins so
    cargo xtask sim --only blackout-25 --seed 7        # one run, with all it measured
    cargo xtask sim --write                            # writes this page

*must* is what every release keeps; *aim* is better and wanted. A figure between the two is **ok**, one that reaches the
second is marked **aim**. Percentiles, longest and shortest are over all seeds of a row; what never happened counts as
longest. *not built yet* marks what needs a part that does not exist, and the reason is given below the table.
";

const TAIL: &str = "
## Left out

What cannot be measured before it exists: a call of sound and pictures on a capped link with bandwidth estimation, the
recovery of a jitter buffer with playout, and a path MTU that is probed for upwards. Faults of sockets and of the operating
system are not here either: in virtual time there are none.
";

/// Writes the page and its plots.
pub(crate) fn write(
    folder: &Path,
    families: &[Family],
    results: &BTreeMap<String, Measured>,
) -> io::Result<()> {
    let plots = plots::all(results);
    let images = folder.join("simulation");
    fs::create_dir_all(&images)?;
    for plot in &plots {
        fs::write(images.join(plot.file), &plot.svg)?;
    }
    let mut page = HEAD.to_owned();
    page.push_str(&summary(families, results));
    for family in families {
        put(&mut page, format_args!("\n## {}\n\n{}\n", family.title, wrapped(family.about)));
        for plot in plots.iter().filter(|plot| plot.family == family.name) {
            put(&mut page, format_args!("\n![{}](simulation/{})\n", plot.caption, plot.file));
        }
        page.push_str(&if family.is_wide { wide(family, results) } else { table(family, results) });
    }
    page.push_str(TAIL);
    fs::write(folder.join("simulation.md"), page)
}

fn summary(families: &[Family], results: &BTreeMap<String, Measured>) -> String {
    let mut counts = BTreeMap::new();
    let mut runs = 0;
    for row in families.iter().flat_map(|family| &family.rows) {
        let Some(measured) = results.get(&row.name) else { continue };
        runs += measured.samples.len();
        for figure in &row.figures {
            let verdict = figure.verdict(figure.reduced(&measured.samples));
            *counts.entry(name(verdict)).or_insert(0_u32) += 1;
        }
    }
    let count = |name: &str| counts.get(name).copied().unwrap_or(0);
    let bounded: u32 = ["aim", "ok", "below", "not built"].iter().map(|name| count(name)).sum();
    let text = format!(
        "{runs} runs; {bounded} figures have a bound. {} reach the aim, {} are ok, {} are below what they must be, and {} \
         need what is not built yet.",
        count("aim"),
        count("ok"),
        count("below"),
        count("not built"),
    );
    format!("\n{}\n", wrapped(&text))
}

const fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Aim => "aim",
        Verdict::Ok => "ok",
        Verdict::Below => "below",
        Verdict::NotBuilt => "not built",
        Verdict::Shown => "shown",
    }
}

fn table(family: &Family, results: &BTreeMap<String, Measured>) -> String {
    let mut table =
        "\n| condition | seeds | figure | measured | must | aim | |\n|---|--:|---|--:|--:|--:|---|\n"
            .to_owned();
    let mut notes: Vec<&str> = Vec::new();
    for row in &family.rows {
        let Some(measured) = results.get(&row.name) else { continue };
        for (place, figure) in row.figures.iter().enumerate() {
            let value = figure.reduced(&measured.samples);
            let verdict = figure.verdict(value);
            if let (Verdict::NotBuilt, Some(why)) = (verdict, figure.not_built)
                && !notes.contains(&why)
            {
                notes.push(why);
            }
            put(&mut table, format_args!("{}\n", line(row, place == 0, figure, measured, value)));
        }
        for (seed, fault) in measured.faults().take(3) {
            put(&mut table, format_args!("| | | **fault, seed {seed}** | {fault} | | | |\n"));
        }
    }
    for note in notes {
        put(&mut table, format_args!("\nNot built yet: {note}.\n"));
    }
    table
}

/// A line for each row and a column for each figure, for families whose rows all measure the same.
fn wide(family: &Family, results: &BTreeMap<String, Measured>) -> String {
    let figures = family.rows.first().map(|row| row.figures.as_slice()).unwrap_or_default();
    let heads: String = figures.iter().map(|figure| format!(" {} |", figure.what)).collect();
    let mut table = format!(
        "\n| condition | seeds |{heads} must | aim | |\n|---|--:|{}--:|--:|---|\n",
        "--:|".repeat(figures.len())
    );
    for row in &family.rows {
        let Some(measured) = results.get(&row.name) else { continue };
        put(&mut table, format_args!("| {} (`{}`) | {} |", row.condition, row.name, measured.samples.len()));
        let (mut must, mut aim, mut verdicts) = (Vec::new(), Vec::new(), Vec::new());
        for figure in &row.figures {
            let value = figure.reduced(&measured.samples);
            put(&mut table, format_args!(" {} |", figure.unit.write(value)));
            let named = |bound: crate::row::Bound| format!("{} {}", figure.what, bound.write(figure.unit));
            must.extend(figure.must.map(named));
            aim.extend(figure.aim.map(named));
            verdicts.extend(figure.must.map(|_| figure.verdict(value)));
        }
        // The worst of them stands for the row.
        let verdict = [Verdict::Below, Verdict::NotBuilt, Verdict::Ok, Verdict::Aim];
        let verdict = match verdicts.as_slice() {
            // A bound that can only be kept does not hide that the other reaches its aim.
            verdicts if verdicts.contains(&Verdict::Aim) && !verdicts.contains(&Verdict::Below) => {
                Some(Verdict::Aim)
            }
            verdicts => verdict.into_iter().find(|verdict| verdicts.contains(verdict)),
        };
        let verdict = verdict.map_or("", Verdict::write);
        put(&mut table, format_args!(" {} | {} | {verdict} |\n", must.join(", "), aim.join(", ")));
        for (seed, fault) in measured.faults().take(3) {
            put(&mut table, format_args!("\nFault with seed {seed}: {fault}\n"));
        }
    }
    table
}

fn line(row: &Row, is_first: bool, figure: &Figure, measured: &Measured, value: f64) -> String {
    let head = match is_first {
        true => format!("{} (`{}`) | {}", row.condition, row.name, measured.samples.len()),
        false => " | ".to_owned(),
    };
    let bound =
        |bound: Option<crate::row::Bound>| bound.map_or_else(String::new, |bound| bound.write(figure.unit));
    format!(
        "| {head} | {} | {} | {} | {} | {} |",
        figure.what,
        figure.unit.write(value),
        bound(figure.must),
        bound(figure.aim),
        figure.verdict(value).write()
    )
}

/// Lines of at most 120 characters.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        if length > 0 && length + 1 + word.len() > 120 {
            lines.push('\n');
            length = 0;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += word.len();
    }
    lines
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("invariant: a string takes everything");
}
