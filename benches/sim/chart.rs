//! Line charts as SVG, readable on light and dark backgrounds.

use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 160.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 58.0;

/// Colours are chosen by the reader's background; a page may force one by the attribute `data-theme`.
const STYLE: &str = "\
    .back{fill:#ffffff}.ink{fill:#1f2328}.soft{fill:#59636e}.grid{stroke:#d9dee3;stroke-width:1}\
    .axis{stroke:#59636e;stroke-width:1.2;fill:none}.band{fill:#cf222e;fill-opacity:.10}\
    .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.dash{stroke-dasharray:6 5}\
    .c0{stroke:#0969da}.c1{stroke:#1a7f37}.c2{stroke:#9a6700}.c3{stroke:#bc4c00}.c4{stroke:#a40e26}.c5{stroke:#59636e}\
    .f0{fill:#0969da}.f1{fill:#1a7f37}.f2{fill:#9a6700}.f3{fill:#bc4c00}.f4{fill:#a40e26}.f5{fill:#59636e}\
    text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;font-size:13px}\
    .title{font-size:16px;font-weight:600}\
    @media(prefers-color-scheme:dark){\
    .back{fill:#0d1117}.ink{fill:#e6edf3}.soft{fill:#9198a1}.grid{stroke:#262c36}.axis{stroke:#9198a1}\
    .band{fill:#f85149;fill-opacity:.16}\
    .c0{stroke:#4493f8}.c1{stroke:#3fb950}.c2{stroke:#d29922}.c3{stroke:#f0883e}.c4{stroke:#ff7b72}.c5{stroke:#9198a1}\
    .f0{fill:#4493f8}.f1{fill:#3fb950}.f2{fill:#d29922}.f3{fill:#f0883e}.f4{fill:#ff7b72}.f5{fill:#9198a1}}";

/// One axis: what it shows, from where to where, and its marks with their labels.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(crate) label: &'static str,
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) is_log: bool,
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Axis {
    pub(crate) fn new(label: &'static str, from: f64, to: f64) -> Self {
        Self { label, from, to, is_log: false, ticks: Vec::new() }
    }

    pub(crate) fn log(self) -> Self {
        Self { is_log: true, ..self }
    }

    pub(crate) fn ticks(self, ticks: &[f64], label: impl Fn(f64) -> String) -> Self {
        Self { ticks: ticks.iter().map(|tick| (*tick, label(*tick))).collect(), ..self }
    }

    /// 0 at its beginning, 1 at its end.
    fn place(&self, value: f64) -> f64 {
        let (from, to, value) = if self.is_log {
            (self.from.ln(), self.to.ln(), value.max(self.from).ln())
        } else {
            (self.from, self.to, value)
        };
        ((value - from) / (to - from)).clamp(0.0, 1.0)
    }
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Dashed,
    Line,
    /// Points with a bar from the smallest to the largest.
    Points,
}

#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) label: String,
    pub(crate) colour: usize,
    pub(crate) mark: Mark,
    pub(crate) points: Vec<(f64, f64)>,
    /// For points: smallest and largest.
    pub(crate) ranges: Vec<(f64, f64)>,
}

/// A chart under construction.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) title: &'static str,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) series: Vec<Series>,
    /// Spans of x with a name.
    pub(crate) bands: Vec<(f64, f64, String)>,
    /// Moments with a name.
    pub(crate) moments: Vec<(f64, String)>,
}

impl Chart {
    pub(crate) fn new(title: &'static str, x: Axis, y: Axis) -> Self {
        Self { title, x, y, series: Vec::new(), bands: Vec::new(), moments: Vec::new() }
    }

    pub(crate) fn line(
        &mut self,
        label: impl Into<String>,
        colour: usize,
        mark: Mark,
        points: Vec<(f64, f64)>,
    ) {
        self.series.push(Series { label: label.into(), colour, mark, points, ranges: Vec::new() });
    }

    pub(crate) fn svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n\
             <title>{}</title>\n<style>{STYLE}</style>\n\
             <rect class=\"back\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"8\"/>\n\
             <text class=\"ink title\" x=\"{LEFT}\" y=\"28\">{}</text>\n",
            self.title, self.title
        );
        self.frame(&mut svg);
        for (from, to, label) in &self.bands {
            let (left, right) = (self.at_x(*from), self.at_x(*to));
            put(
                &mut svg,
                format_args!(
                    "<rect class=\"band\" x=\"{left:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/>\n\
                 <text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>\n",
                    right - left,
                    HEIGHT - TOP - BOTTOM,
                    (left + right) / 2.0,
                    TOP + 18.0,
                ),
            );
        }
        for (place, (at, label)) in self.moments.iter().enumerate() {
            let x = self.at_x(*at);
            // To the left and to the right by turns, so that neighbours do not meet.
            let (anchor, text) = if place % 2 == 0 { ("end", x - 5.0) } else { ("start", x + 5.0) };
            put(
                &mut svg,
                format_args!(
                    "<line class=\"axis dash\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\n\
                     <text class=\"soft\" x=\"{text:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{label}</text>\n",
                    TOP + 26.0,
                    HEIGHT - BOTTOM,
                    TOP + 40.0,
                ),
            );
        }
        for series in &self.series {
            self.draw(&mut svg, series);
        }
        self.legend(&mut svg);
        svg.push_str("</svg>\n");
        svg
    }

    fn at_x(&self, value: f64) -> f64 {
        LEFT + self.x.place(value) * (WIDTH - LEFT - RIGHT)
    }

    fn at_y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.place(value) * (HEIGHT - TOP - BOTTOM)
    }

    /// Grid, marks and labels.
    fn frame(&self, svg: &mut String) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for (value, label) in &self.x.ticks {
            let x = self.at_x(*value);
            put(
                svg,
                format_args!(
                    "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\n\
                 <text class=\"soft\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>\n",
                    bottom + 20.0,
                ),
            );
        }
        for (value, label) in &self.y.ticks {
            let y = self.at_y(*value);
            put(
                svg,
                format_args!(
                    "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\n\
                 <text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\n",
                    LEFT - 9.0,
                    y + 4.5,
                ),
            );
        }
        put(
            svg,
            format_args!(
                "<path class=\"axis\" d=\"M{LEFT} {TOP}V{bottom}H{right}\"/>\n\
             <text class=\"ink\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n\
             <text class=\"ink\" transform=\"translate(20 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                f64::midpoint(LEFT, right),
                HEIGHT - 14.0,
                self.x.label,
                f64::midpoint(TOP, bottom),
                self.y.label,
            ),
        );
    }

    fn draw(&self, svg: &mut String, series: &Series) {
        let colour = series.colour;
        if series.mark == Mark::Points {
            for ((x, y), (low, high)) in series.points.iter().zip(&series.ranges) {
                let (x, y) = (self.at_x(*x), self.at_y(*y));
                put(
                    svg,
                    format_args!(
                        "<line class=\"line c{colour}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\n\
                     <circle class=\"f{colour}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\"/>\n",
                        self.at_y(*low),
                        self.at_y(*high),
                    ),
                );
            }
            return;
        }
        let class = if series.mark == Mark::Dashed { "line dash" } else { "line" };
        let mut path = String::new();
        let mut last = None;
        for (x, y) in &series.points {
            let point = (format!("{:.1}", self.at_x(*x)), format!("{:.1}", self.at_y(*y)));
            // Points that fall together say nothing.
            if last.as_ref() == Some(&point) {
                continue;
            }
            let letter = if last.is_none() { 'M' } else { 'L' };
            put(&mut path, format_args!("{letter}{} {}", point.0, point.1));
            last = Some(point);
        }
        put(svg, format_args!("<path class=\"{class} c{colour}\" d=\"{path}\"/>\n"));
    }

    fn legend(&self, svg: &mut String) {
        let x = WIDTH - RIGHT + 16.0;
        for (place, series) in self.series.iter().filter(|series| !series.label.is_empty()).enumerate() {
            let y = TOP + 12.0 + 22.0 * place as f64;
            let colour = series.colour;
            if series.mark == Mark::Points {
                put(
                    svg,
                    format_args!(
                        "<circle class=\"f{colour}\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"4.5\"/>\n",
                        x + 11.0
                    ),
                );
            } else {
                let dash = if series.mark == Mark::Dashed { " dash" } else { "" };
                put(
                    svg,
                    format_args!(
                        "<line class=\"line c{colour}{dash}\" x1=\"{x}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\n",
                        x + 22.0
                    ),
                );
            }
            put(
                svg,
                format_args!(
                    "<text class=\"ink\" x=\"{}\" y=\"{:.1}\">{}</text>\n",
                    x + 30.0,
                    y + 4.5,
                    series.label
                ),
            );
        }
    }
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("invariant: a string takes everything");
}
