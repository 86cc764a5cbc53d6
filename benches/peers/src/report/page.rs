//! The page with the table, and its charts.

use crate::{
    machine::Machine,
    measure::{Effort, Measured},
    report::{by_subject, chart, latency, lines, musts, reasons},
    subjects,
};
use std::{fs, io, path::Path};

/// The part of the page that the program writes; what is around it is for people.
const BEGIN: &str = "<!-- From here written by `cargo xtask bench --write`. -->\n";
const END: &str = "<!-- To here. -->\n";

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

/// Draws the charts into the folder beside `page` that has its name, and the tables into `page` itself.
pub fn write(page: &Path, rows: &[Measured], effort: &Effort) -> io::Result<()> {
    let folder = page.with_extension("");
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    fs::create_dir_all(&folder)?;
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
        charts.push_str(&format!("![{}]({name}/{})\n\n", chart.heading, chart.file));
    }
    if let Some(drawn) = latency::chart(rows) {
        fs::write(folder.join("latency.svg"), drawn)?;
        charts.push_str(&format!("![{}]({name}/latency.svg)\n\n", latency::HEADING));
    }
    let old = fs::read_to_string(page)?;
    let missing = || io::Error::other(format!("the line {BEGIN:?} or {END:?} is missing"));
    let (before, rest) = old.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    fs::write(page, format!("{before}{BEGIN}\n{}\n{END}{after}", tables(rows, effort, &charts)))
}

fn tables(rows: &[Measured], effort: &Effort, charts: &str) -> String {
    let machine = Machine::read();
    let mut text = format!(
        "Machine: {}, {} cores, {} GiB, {}. All figures are of one run of one program; the parties take turns, one sample \
         each, {} times. A figure is the median, and in brackets the least and the largest sample.\n\n",
        machine.processor, machine.cores, machine.memory_gib, machine.system, effort.repetitions
    );
    text.push_str(&format!("Versions: {}.\n\n", versions()));
    let large = if effort.large_buffers { " --large-buffers" } else { "" };
    text.push_str(&if effort.quick {
        format!(
            "Command: `cargo xtask bench --quick{large} --write`: a quick run, good for a glance only.\n\n"
        )
    } else {
        format!("Command: `cargo xtask bench{large} --write`.\n\n")
    });
    text.push_str(charts);
    for rows in by_subject(rows) {
        let subject = rows[0].subject;
        let lines = if latency::is_about(rows) { latency::lines(rows) } else { lines(rows) };
        text.push_str(&format!(
            "\n### {subject}: {}\n\n`cargo xtask bench --only {subject}`\n\n{}",
            about(subject),
            marked(&lines)
        ));
    }
    let musts = musts::lines(rows);
    if musts.len() > 1 {
        text.push_str(&format!(
            "\n### What must hold\n\nComputed from the figures above.\n\n{}",
            marked(&musts)
        ));
    }
    let reasons = reasons(rows);
    if !reasons.is_empty() {
        text.push_str("\n### Where there is no figure\n\n");
        for reason in reasons {
            text.push_str(&format!("- {reason}\n"));
        }
    }
    text
}

fn about(subject: &str) -> &'static str {
    subjects::ALL.iter().find(|known| known.name == subject).map_or("", |known| known.about)
}

/// As Markdown; a ratio that is not below 1 is bold.
fn marked(lines: &[Vec<String>]) -> String {
    let mut text = String::new();
    let headings = lines.first().map(Vec::as_slice).unwrap_or_default();
    for (place, line) in lines.iter().enumerate() {
        let words = line.iter().zip(headings).map(|(word, heading)| {
            let ratio = heading
                .contains("ratio")
                .then(|| word.split(' ').next()?.replace(',', "").parse::<f64>().ok());
            if ratio.flatten().is_some_and(|ratio| ratio >= 1.0) {
                format!("**{word}**")
            } else {
                word.clone()
            }
        });
        text.push_str(&format!("| {} |\n", words.collect::<Vec<_>>().join(" | ")));
        if place == 0 {
            text.push_str(&format!("|{}\n", " --- |".repeat(line.len())));
        }
    }
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
    let names = [
        "peerlane",
        "webrtc",
        "rtc",
        "ring",
        "str0m",
        "dimpl",
        "is",
        "sctp-proto",
        "dcsctp",
        "aws-lc-rs",
        "rustrtc",
        "tokio",
    ];
    names.map(version).join(", ")
}
