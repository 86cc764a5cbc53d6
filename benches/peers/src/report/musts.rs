//! What must hold, computed from a run.

use super::{number, percent};
use crate::measure::{Measured, Who};

/// A bound, and what was measured of it; without a figure it was not measured in this run.
struct Must {
    what: String,
    bound: String,
    measured: Option<(String, bool)>,
}

/// As a table in cells, headings first. What this run did not measure is left out.
pub fn lines(rows: &[Measured]) -> Vec<Vec<String>> {
    let mut lines = vec![["what", "must", "measured", ""].map(str::to_owned).to_vec()];
    for must in all(&Rows(rows)) {
        let Some((measured, is_met)) = must.measured else { continue };
        lines.push(vec![must.what, must.bound, measured, if is_met { "met" } else { "NOT MET" }.to_owned()]);
    }
    lines
}

struct Rows<'a>(&'a [Measured]);

impl Rows<'_> {
    fn row(&self, name: &str) -> Option<&Measured> {
        self.0.iter().find(|row| row.row.name == name)
    }

    fn median(&self, name: &str, who: Who) -> Option<f64> {
        self.row(name)?.median(who)
    }
}

fn at_least(what: impl Into<String>, bound: f64, unit: &str, measured: Option<f64>) -> Must {
    bounded(what, "at least", bound, unit, measured, |measured| measured >= bound)
}

fn at_most(what: impl Into<String>, bound: f64, unit: &str, measured: Option<f64>) -> Must {
    bounded(what, "at most", bound, unit, measured, |measured| measured <= bound)
}

fn bounded(
    what: impl Into<String>,
    word: &str,
    bound: f64,
    unit: &str,
    measured: Option<f64>,
    is_met: impl Fn(f64) -> bool,
) -> Must {
    let write = |value: f64| {
        if unit == "%" { percent(value) } else { format!("{} {unit}", number(value)).trim().to_owned() }
    };
    let measured = measured.map(|measured| (write(measured), is_met(measured)));
    Must { what: what.into(), bound: format!("{word} {}", write(bound)), measured }
}

fn all(rows: &Rows<'_>) -> Vec<Must> {
    let mut musts = channel(rows);
    musts.extend(stack(rows));
    musts.extend(latency(rows));
    musts.push(at_most(
        "idle SCTP association, heap",
        4_096.0,
        "B",
        rows.median("idle SCTP association, heap", Who::Ours),
    ));
    musts.push(at_most("idle channel, heap", 256.0, "B", rows.median("idle channel, heap", Who::Ours)));
    musts
}

/// Figures of the reference machine, which are for the column with aws-lc-rs.
fn channel(rows: &Rows<'_>) -> Vec<Must> {
    let ours = Who::OursAwsLc;
    let mut musts = Vec::new();
    for (label, bound) in [("1 KiB", 3_500.0), ("16 KiB", 5_000.0), ("64 KiB", 5_000.0), ("1 MiB", 5_000.0)] {
        let name = format!("channel {label}");
        musts.push(at_least(format!("{name}, aws-lc-rs"), bound, "Mbit/s", rows.median(&name, ours)));
    }
    musts.push(at_least("channel 100 B, aws-lc-rs", 1.5e6, "messages/s", rows.median("channel 100 B", ours)));
    for side in ["sender", "receiver"] {
        for label in ["16 KiB", "64 KiB", "1 MiB"] {
            let name = format!("channel {label}, CPU {side}");
            musts.push(at_most(format!("{name}, aws-lc-rs"), 1.3, "s/GB", rows.median(&name, ours)));
        }
    }
    for label in ["1 KiB", "16 KiB", "64 KiB"] {
        let name = format!("channel {label}");
        let row = rows.row(&name);
        let best = row.and_then(|row| row.against_best(ours)).map(|(_, ratio)| ratio);
        musts.push(at_least(format!("{name}, times the best peer"), 5.0, "", best));
        let large = rows.row(&format!("{name}, large kernel buffers"));
        let best = large.and_then(|row| row.against_best(ours)).map(|(_, ratio)| ratio);
        musts.push(at_least(format!("{name}, times the best peer with large kernel buffers"), 2.5, "", best));
        let share = row.and_then(|row| row.share_of_limit(ours));
        musts.push(at_least(format!("{name}, of the pipe with 16 datagrams a call"), 0.3, "%", share));
        let both = row.and_then(|row| Some(row.median(Who::Ours)? / row.median(ours)?));
        musts.push(at_least(format!("{name}, with RustCrypto, of that with aws-lc-rs"), 0.75, "%", both));
    }
    musts.push(at_most(
        "round trip 64 B, median, aws-lc-rs",
        85.0,
        "us",
        rows.median("round trip 64 B, median", ours),
    ));
    let blocking = rows.median("round trip 64 B, blocking loop, median", ours);
    musts.push(at_most("round trip 64 B, blocking loop, median, aws-lc-rs", 66.0, "us", blocking));
    for side in ["sender", "receiver"] {
        let name = format!("10 channels at once, resident, {side}");
        musts.push(at_most(format!("{name}, aws-lc-rs"), 60.0, "MiB", rows.median(&name, ours)));
    }
    musts
}

fn stack(rows: &Rows<'_>) -> Vec<Must> {
    let name = "SCTP alone, 64 KiB";
    let row = rows.row(name);
    let times = |who: Who| row.and_then(|row| Some(row.median(Who::Ours)? / row.median(who)?));
    vec![
        at_least(name, 2.0, "GB/s", rows.median(name, Who::Ours)),
        at_least(format!("{name}, times sctp-proto"), 2.0, "", times(Who::SctpProto)),
        at_least(format!("{name}, times dcsctp"), 2.0, "", times(Who::Dcsctp)),
    ]
}

fn latency(rows: &Rows<'_>) -> Vec<Must> {
    let lossless = |row: &&Measured| row.row.line.is_some_and(|line| line.loss_percent == 0.0);
    let mut musts: Vec<Must> = rows
        .0
        .iter()
        .filter(lossless)
        .map(|row| at_least(format!("{}, of TCP", row.row.name), 0.8, "%", super::latency::of_tcp(row)))
        .collect();
    let one = |row: &&Measured| row.row.line.is_some_and(|line| line.loss_percent == 1.0);
    musts.extend(rows.0.iter().filter(one).map(|row| {
        at_least(format!("{}, of TCP with this loss", row.row.name), 1.0, "%", super::latency::of_tcp(row))
    }));
    musts
}
