//! The page with the table, and its charts.

use crate::{
    machine::Machine,
    measure::{Effort, Measured, Who},
    report::{chart, number, percent, reasons, unit, value},
};
use std::{fs, io, path::Path};

/// The page is written by the program; nobody edits it.
const PAGE: &str = "table.md";

struct Chart {
    file: &'static str,
    heading: &'static str,
    rows: &'static [&'static str],
}

const CHARTS: &[Chart] = &[
    Chart {
        file: "channel.svg",
        heading: "Data channel over loopback, two processes",
        rows: &["channel 1 KiB", "channel 16 KiB", "channel 64 KiB", "channel 256 KiB", "channel 100 B"],
    },
    Chart {
        file: "processor.svg",
        heading: "Processor time of a data channel",
        rows: &[
            "channel 1 KiB, CPU sender",
            "channel 1 KiB, CPU receiver",
            "channel 64 KiB, CPU sender",
            "channel 64 KiB, CPU receiver",
        ],
    },
    Chart {
        file: "media.svg",
        heading: "Media, one core",
        rows: &[
            "SRTP protect AEAD_AES_128_GCM, 1200 B",
            "SRTP protect AES128_CM_HMAC_SHA1_80, 1200 B",
            "forward 1,200 B to 100 subscribers, each",
        ],
    },
    Chart {
        file: "connection.svg",
        heading: "Connections",
        rows: &[
            "offer to open channel, loopback",
            "DTLS 1.2 handshake, both ends",
            "round trip 64 B, median",
            "idle connection, sockets, resident",
            "1,000 idle connections, sockets",
        ],
    },
];

pub fn write(folder: &Path, rows: &[Measured], effort: &Effort) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut charts = String::new();
    for chart in CHARTS {
        let chosen: Vec<&Measured> = chart
            .rows
            .iter()
            .filter_map(|name| rows.iter().find(|row| row.row.name == *name))
            .filter(|row| row.cells.iter().any(|cell| !cell.values.is_empty()))
            .collect();
        if chosen.is_empty() {
            continue;
        }
        fs::write(folder.join(chart.file), chart::bars(chart.heading, &chosen))?;
        charts.push_str(&format!("![{}]({})\n\n", chart.heading, chart.file));
    }
    fs::write(folder.join(PAGE), page(rows, effort, &charts))
}

fn page(rows: &[Measured], effort: &Effort, charts: &str) -> String {
    let machine = Machine::read();
    let mut text = String::from("# Beside the peers\n\n<!-- Written by `cargo xtask bench --write`; do not edit. -->\n\n");
    text.push_str(&format!(
        "All in one run of one program on one machine: {}, {} cores, {} GiB, {}. The parties take turns, one sample each, \
         {} times; figures are the median and, in brackets, the least and the largest sample.\n\n",
        machine.processor, machine.cores, machine.memory_gib, machine.system, effort.repetitions
    ));
    text.push_str(&format!("Versions: {}.\n\n", versions()));
    text.push_str(
        "*Ratio* compares with the best peer of the row; above 1, peerlane is ahead. *Of limit* compares with the same \
         work without a protocol. A `+` after the unit means that more is better, a `-` that less is. With sockets and two \
         processes a difference below 1.3 is none.\n\n",
    );
    text.push_str("Repeat it with `cargo xtask bench`");
    text.push_str(if effort.quick { " (this was a quick run: `--quick`).\n\n" } else { ".\n\n" });
    text.push_str(charts);
    let mut subject = "";
    for row in rows {
        if row.subject != subject {
            subject = row.subject;
            text.push_str(&format!(
                "\n## {subject}\n\n`cargo xtask bench --only {subject}`\n\n\
                 | row | unit | peerlane | webrtc | str0m | rustrtc | limit | ratio | of limit |\n\
                 | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
            ));
        }
        text.push_str(&line(row));
    }
    let reasons = reasons(rows);
    if !reasons.is_empty() {
        text.push_str("\n## Where there is no figure\n\n");
        for reason in reasons {
            text.push_str(&format!("- {reason}\n"));
        }
    }
    text
}

fn line(row: &Measured) -> String {
    let mut text = format!("| {} | {} |", row.row.name, unit(row));
    for who in Who::ALL {
        text.push_str(&format!(" {} |", value(row.cell(who))));
    }
    let ratio = row.best_peer().map_or_else(
        || "-".to_owned(),
        |(who, ratio)| {
            let words = format!("{} ({})", number(ratio), who.name());
            if ratio >= 1.0 { format!("**{words}**") } else { words }
        },
    );
    text.push_str(&format!(" {ratio} |"));
    text.push_str(&format!(" {} |\n", row.share_of_limit().map_or_else(|| "-".to_owned(), percent)));
    text
}

/// Names and versions of what is compared, from the lock file.
fn versions() -> String {
    let lock = include_str!("../../Cargo.lock");
    let version = |wanted: &str| {
        let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{wanted}\""));
        let version = lines.nth(1).and_then(|line| line.split('"').nth(1)).unwrap_or("?");
        format!("{wanted} {version}")
    };
    let names = ["peerlane", "webrtc", "rtc", "ring", "str0m", "dimpl", "is", "sctp-proto", "aws-lc-rs", "rustrtc", "tokio"];
    names.map(version).join(", ")
}
