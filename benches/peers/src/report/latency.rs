//! The table and the chart of channels over lines with a round trip and loss.

use super::{chart::escape, number, percent, value};
use crate::measure::{Line, Measured, Who};
use std::time::Duration;

pub const HEADING: &str = "Data channel over a line with latency and loss";

/// Who may take part, in the order of the columns.
const PARTIES: [Who; 6] = [Who::Ours, Who::OursAwsLc, Who::Tcp, Who::Webrtc, Who::Str0m, Who::Rustrtc];

pub fn is_about(rows: &[Measured]) -> bool {
    rows.iter().any(|row| row.row.line.is_some())
}

fn parties(rows: &[Measured]) -> Vec<Who> {
    let has = |who: &Who| rows.iter().any(|row| row.cell(*who).is_some_and(|cell| !cell.values.is_empty()));
    PARTIES.into_iter().filter(has).collect()
}

/// What we reach: with aws-lc-rs, if that was measured.
fn ours(row: &Measured) -> Option<f64> {
    row.median(Who::OursAwsLc).or_else(|| row.median(Who::Ours))
}

/// How many times the goodput of TCP over the same line.
pub fn of_tcp(row: &Measured) -> Option<f64> {
    Some(ours(row)? / row.median(Who::Tcp)?)
}

/// The same, compared with TCP where nothing is lost.
fn of_tcp_without_loss(row: &Measured, rows: &[Measured]) -> Option<f64> {
    let line = row.row.line?;
    let is_it = |other: &&Measured| {
        other.row.line.is_some_and(|other| other.loss_percent == 0.0 && other.same_without_loss(&line))
    };
    Some(ours(row)? / rows.iter().find(is_it)?.median(Who::Tcp)?)
}

/// In cells, headings first. Megabits per second.
pub fn lines(rows: &[Measured]) -> Vec<Vec<String>> {
    let parties = parties(rows);
    let mut heading: Vec<String> = ["rate", "round trip", "loss"].map(str::to_owned).to_vec();
    heading.extend(parties.iter().map(|who| who.name().to_owned()));
    heading.extend(["of TCP without loss", "of TCP"].map(str::to_owned));
    let mut lines = vec![heading];
    for row in rows {
        let Some(line) = row.row.line else { continue };
        let mut words = vec![line.rate_words(), line.round_trip_words(), line.loss_words()];
        words.extend(parties.iter().map(|who| value(row.cell(*who))));
        for share in [of_tcp_without_loss(row, rows), of_tcp(row)] {
            words.push(share.map_or_else(|| "-".to_owned(), percent));
        }
        lines.push(words);
    }
    lines
}

const WIDTH: f64 = 900.0;
const LEFT: f64 = 52.0;
const TOP: f64 = 72.0;
const PANEL: f64 = 176.0;
const PANEL_GAP: f64 = 46.0;
const GAP: f64 = 26.0;
const RIGHT: f64 = 10.0;

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600;font-size:15px}.soft{fill:#59636e}\
.grid{stroke:#d1d9e0;stroke-width:1}path{fill:none;stroke-width:2}\
.peerlane{stroke:#0969da;fill:#0969da}.peerlane-aws-lc{stroke:#0969da;fill:#0969da}.webrtc{stroke:#bc4c00;fill:#bc4c00}\
.str0m{stroke:#1a7f37;fill:#1a7f37}.rustrtc{stroke:#8250df;fill:#8250df}.tcp{stroke:#59636e;fill:#59636e}\
path.tcp{stroke-dasharray:5 3}path.peerlane,path.peerlane-aws-lc{stroke-width:3}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.soft{fill:#9198a1}.grid{stroke:#3d444d}\
.peerlane,.peerlane-aws-lc{stroke:#4493f8;fill:#4493f8}.webrtc{stroke:#db6d28;fill:#db6d28}.str0m{stroke:#3fb950;fill:#3fb950}\
.rustrtc{stroke:#ab7df8;fill:#ab7df8}.tcp{stroke:#9198a1;fill:#9198a1}}path{fill:none!important}";

/// One field for each rate and loss: goodput over the round trip, both on scales of powers of ten.
pub fn chart(rows: &[Measured]) -> Option<String> {
    let rows: Vec<&Measured> = rows.iter().filter(|row| row.row.line.is_some()).collect();
    let line = |row: &Measured| row.row.line;
    let lines: Vec<Line> = rows.iter().filter_map(|row| line(row)).collect();
    let mut round_trips: Vec<Duration> = lines.iter().map(|line| line.round_trip).collect();
    round_trips.sort();
    round_trips.dedup();
    let mut losses: Vec<f64> = lines.iter().map(|line| line.loss_percent).collect();
    losses.sort_by(f64::total_cmp);
    losses.dedup();
    let mut rates: Vec<Option<u64>> = lines.iter().map(|line| line.rate).collect();
    rates.sort();
    rates.dedup();
    if round_trips.len() < 2 {
        return None;
    }
    let owned: Vec<Measured> = rows.iter().map(|row| (*row).clone()).collect();
    let parties = parties(&owned);
    let values = rows.iter().flat_map(|row| parties.iter().filter_map(|who| row.median(*who)));
    let (low, high) = values
        .filter(|value| *value > 0.0)
        .fold((f64::MAX, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    let scale = Scale { low: low.log10().floor(), high: high.log10().ceil() };
    let columns = losses.len() as f64;
    let width = (WIDTH - LEFT - RIGHT - GAP * (columns - 1.0)) / columns;
    let height = TOP + rates.len() as f64 * (PANEL + PANEL_GAP) + 20.0;
    let mut body = legend(&parties);
    for (row_place, rate) in rates.iter().enumerate() {
        for (column, loss) in losses.iter().enumerate() {
            let frame = Frame {
                x: LEFT + column as f64 * (width + GAP),
                y: TOP + row_place as f64 * (PANEL + PANEL_GAP),
                width,
                scale,
                steps: round_trips.len(),
            };
            let title = Line { round_trip: Duration::ZERO, loss_percent: *loss, rate: *rate };
            frame.draw(
                &mut body,
                &format!("{}, {} loss", title.rate_words(), title.loss_words()),
                &round_trips,
                column == 0,
            );
            for who in &parties {
                let points = round_trips.iter().enumerate().filter_map(|(place, round_trip)| {
                    let wanted = Line { round_trip: *round_trip, loss_percent: *loss, rate: *rate };
                    let row = rows.iter().find(|row| line(row) == Some(wanted))?;
                    Some((place, row.median(*who)?))
                });
                frame.series(&mut body, *who, &points.collect::<Vec<_>>());
            }
        }
    }
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         role=\"img\" aria-label=\"{HEADING}\">\n<style>{STYLE}</style>\n\
         <text class=\"title\" x=\"0\" y=\"18\">{HEADING}</text>\n{body}\
         <text class=\"soft\" x=\"{WIDTH}\" y=\"{}\" text-anchor=\"end\">round trip, ms</text>\n</svg>\n",
        height - 6.0
    ))
}

fn legend(parties: &[Who]) -> String {
    let mut text = "<text class=\"soft\" x=\"0\" y=\"40\">Mbit/s</text>\n".to_owned();
    let mut x = LEFT + 30.0;
    for who in parties {
        text.push_str(&format!(
            "<path class=\"{0}\" d=\"M{x:.0} 36h22\"/><text x=\"{1:.0}\" y=\"40\">{0}</text>\n",
            who.name(),
            x + 28.0
        ));
        x += 48.0 + 7.5 * who.name().len() as f64;
    }
    text
}

/// Powers of ten.
#[derive(Clone, Copy)]
struct Scale {
    low: f64,
    high: f64,
}

struct Frame {
    x: f64,
    y: f64,
    width: f64,
    scale: Scale,
    /// Round trips, at equal distances.
    steps: usize,
}

impl Frame {
    fn at(&self, place: usize, value: f64) -> (f64, f64) {
        let x = self.x + self.width * (place as f64 + 0.5) / self.steps as f64;
        let Scale { low, high } = self.scale;
        let share = ((value.log10() - low) / (high - low)).clamp(0.0, 1.0);
        (x, self.y + PANEL * (1.0 - share))
    }

    fn draw(&self, body: &mut String, title: &str, round_trips: &[Duration], labelled: bool) {
        body.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
            self.x,
            self.y - 8.0,
            escape(title)
        ));
        let mut power = self.scale.low;
        while power <= self.scale.high {
            let value = 10_f64.powf(power);
            let (_, y) = self.at(0, value);
            body.push_str(&format!(
                "<line class=\"grid\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\n",
                self.x,
                self.x + self.width
            ));
            if labelled {
                let label = if value < 1.0 {
                    format!("{value}")
                } else {
                    number(value).trim_end_matches(".00").replace(".0", "")
                };
                body.push_str(&format!(
                    "<text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\n",
                    self.x - 6.0,
                    y + 4.0
                ));
            }
            power += 1.0;
        }
        for (place, round_trip) in round_trips.iter().enumerate() {
            let (x, _) = self.at(place, 1.0);
            let words = Line { round_trip: *round_trip, loss_percent: 0.0, rate: None }.round_trip_words();
            body.push_str(&format!(
                "<text class=\"soft\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
                self.y + PANEL + 15.0,
                words.replace(" ms", "")
            ));
        }
    }

    fn series(&self, body: &mut String, who: Who, points: &[(usize, f64)]) {
        let mut path = String::new();
        for (place, value) in points {
            let (x, y) = self.at(*place, *value);
            let letter = if path.is_empty() { 'M' } else { 'L' };
            path.push_str(&format!("{letter}{x:.1} {y:.1}"));
            body.push_str(&format!(
                "<circle class=\"{}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>\n",
                who.name()
            ));
        }
        if points.len() > 1 {
            body.push_str(&format!("<path class=\"{}\" d=\"{path}\"/>\n", who.name()));
        }
    }
}
