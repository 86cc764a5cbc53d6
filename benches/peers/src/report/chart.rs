//! Bars as SVG, readable on light and on dark pages.

use crate::{
    measure::{Better, Measured, Who},
    report::number,
};

const WIDTH: usize = 760;
const LEFT: usize = 120;
const BAR: usize = 16;
const STEP: usize = 20;
const TITLE: usize = 24;
const GAP: usize = 14;
/// The longest bar; the rest of the width is for the figure.
const LONGEST: f64 = 480.0;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}.note{fill:#59636e}\
.peerlane{fill:#0969da}.peerlane-aws-lc{fill:#54aeff}.webrtc{fill:#bc4c00}.str0m{fill:#1a7f37}.rustrtc{fill:#8250df}.limit,.limit-aws-lc{fill:#afb8c1}\
.spread{stroke:#1f2328;stroke-width:1.5}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.note{fill:#9198a1}.peerlane{fill:#4493f8}.peerlane-aws-lc{fill:#1f5fa8}.webrtc{fill:#db6d28}\
.str0m{fill:#3fb950}.rustrtc{fill:#ab7df8}.limit,.limit-aws-lc{fill:#656c76}.spread{stroke:#e6edf3}}";

/// One group of bars for each row; within a row the longest bar is the largest figure.
pub fn bars(heading: &str, rows: &[&Measured]) -> String {
    let mut body = String::new();
    let mut y = 28;
    body.push_str(&format!(
        "<text class=\"title\" x=\"0\" y=\"18\" font-size=\"15\">{}</text>\n",
        escape(heading)
    ));
    for row in rows {
        y += TITLE;
        let better = match row.row.better {
            Better::Higher => "longer is better",
            Better::Lower => "shorter is better",
        };
        body.push_str(&format!(
            "<text x=\"0\" y=\"{y}\"><tspan class=\"title\">{}</tspan> <tspan class=\"note\">{}, {better}</tspan></text>\n",
            escape(&row.row.name),
            escape(row.row.unit)
        ));
        y += 8;
        let highest = row.cells.iter().filter_map(|cell| Some(cell.range()?.1)).fold(0.0, f64::max);
        for who in Who::ALL {
            let Some(cell) = row.cell(who) else { continue };
            let (Some(median), Some((low, high))) = (cell.median(), cell.range()) else { continue };
            let at = |value: f64| LEFT as f64 + LONGEST * value / highest.max(f64::MIN_POSITIVE);
            let middle = y + BAR / 2;
            body.push_str(&format!(
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
                 <rect class=\"{}\" x=\"{LEFT}\" y=\"{y}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"2\"/>\
                 <line class=\"spread\" x1=\"{:.1}\" y1=\"{middle}\" x2=\"{:.1}\" y2=\"{middle}\"/>\
                 <text x=\"{:.1}\" y=\"{}\">{}</text>\n",
                LEFT - 8,
                y + 13,
                who.name(),
                who.name(),
                (at(median) - LEFT as f64).max(1.0),
                at(low),
                at(high),
                at(high) + 8.0,
                y + 13,
                number(median),
            ));
            y += STEP;
        }
        y += GAP - 4;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{y}\" viewBox=\"0 0 {WIDTH} {y}\" \
         role=\"img\" aria-label=\"{}\">\n<style>{STYLE}</style>\n{body}</svg>\n",
        escape(heading)
    )
}

pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
