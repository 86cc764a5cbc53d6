//! Memory over cycles as a picture.

use crate::{
    report::{self, Memory},
    rounds::Phase,
};
use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 260.0;
const MARGIN: f64 = 60.0;

/// Writes one SVG per phase into `folder`; returns where they are.
pub(crate) fn write(folder: &Path, phases: &[Phase]) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let mut written = Vec::new();
    for phase in phases {
        let path = folder.join(format!("{}-{}.svg", phase.name, phase.workers));
        fs::write(&path, draw(phase))?;
        written.push(path);
    }
    Ok(written)
}

fn draw(phase: &Phase) -> String {
    let height = 2.0 * (HEIGHT + MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{height}\" font-family=\"sans-serif\" \
         font-size=\"12\"><rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        WIDTH + 2.0 * MARGIN
    );
    panel(&mut svg, phase, Memory::Resident, 0.0);
    panel(&mut svg, phase, Memory::Heap, HEIGHT + MARGIN);
    svg.push_str("</svg>\n");
    svg
}

/// One memory: a dot per sample, the fit over the second half as a line.
fn panel(svg: &mut String, phase: &Phase, memory: Memory, top: f64) {
    let values = phase.samples.iter().map(|sample| memory.of(sample) as f64);
    let (low, high) =
        values.fold((f64::MAX, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    // A flat line is drawn in the middle of at least 64 KiB.
    let room = ((high - low) * 0.1).max(32_768.0);
    let (low, high) = (low - room, high + room);
    let last = phase.samples.last().map_or(1, |sample| sample.at.max(1)) as f64;
    let x = |at: f64| MARGIN + at / last * WIDTH;
    let y = |value: f64| top + MARGIN / 2.0 + (high - value) / (high - low) * HEIGHT;
    let fit = report::fit(phase, memory);
    let label =
        fit.map_or_else(String::new, |fit| format!(", {:+.2} ± {:.2} bytes each", fit.slope, fit.error));
    let _ = writeln!(
        svg,
        "<text x=\"{MARGIN}\" y=\"{}\">{}, {} workers: {memory:?}, {:.0} to {:.0} KiB{label}</text>\
         <rect x=\"{MARGIN}\" y=\"{}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"none\" stroke=\"gray\"/>",
        top + MARGIN / 2.0 - 8.0,
        phase.name,
        phase.workers,
        low / 1_024.0,
        high / 1_024.0,
        top + MARGIN / 2.0,
    );
    for sample in &phase.samples {
        let (x, y) = (x(sample.at as f64), y(memory.of(sample) as f64));
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\" fill=\"steelblue\"/>");
    }
    if let Some(fit) = fit {
        let line = |at: f64| (x(at), y(fit.origin + fit.slope * at));
        let ((x1, y1), (x2, y2)) = (line(last / 2.0), line(last));
        let _ = writeln!(
            svg,
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"firebrick\" stroke-width=\"2\"/>"
        );
    }
}
