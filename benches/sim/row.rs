//! Rows of the report: a condition of the network, what is measured in it, and what it must be.

use std::collections::BTreeMap;

/// What a run with one seed measured, by the key of the figure. What is missing never happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) figures: BTreeMap<&'static str, f64>,
    /// What must not happen and did: wrong data, a panic.
    pub(crate) fault: Option<String>,
}

impl Sample {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn with(mut self, key: &'static str, value: f64) -> Self {
        self.figures.insert(key, value);
        self
    }

    /// A figure that may never come.
    pub(crate) fn with_some(self, key: &'static str, value: Option<f64>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    pub(crate) fn fault(fault: impl Into<String>) -> Self {
        Self { fault: Some(fault.into()), ..Self::default() }
    }

    pub(crate) fn with_fault(self, fault: Option<String>) -> Self {
        Self { fault: self.fault.or(fault), ..self }
    }

    pub(crate) fn get(&self, key: &str) -> Option<f64> {
        self.figures.get(key).copied()
    }
}

/// How the runs of all seeds become one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reduce {
    /// Of this share of the runs the number is not larger. Runs in which it never happened are the largest.
    Percentile(f64),
    Max,
    Mean,
    Min,
    /// How many runs lack the figure.
    Missing,
    /// The share of the runs with the figure, in percent.
    Share,
}

/// The unit a figure is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Bytes,
    Count,
    Megabits,
    Percent,
    /// Percent with three more digits.
    Share,
    Seconds,
}

impl Unit {
    pub(crate) fn write(self, value: f64) -> String {
        if value.is_infinite() {
            return "never".to_owned();
        }
        if value.is_nan() {
            return "no case".to_owned();
        }
        match self {
            Self::Bytes => format!("{value:.0} B"),
            Self::Count if value.fract() == 0.0 => format!("{value:.0}"),
            Self::Count => format!("{value:.2}"),
            Self::Megabits => format!("{value:.2} Mbit/s"),
            Self::Percent => format!("{value:.1} %"),
            Self::Share => format!("{value:.4} %"),
            Self::Seconds if value < 1.0 => format!("{:.0} ms", value * 1_000.0),
            Self::Seconds => format!("{value:.2} s"),
        }
    }

    /// A bound, without digits that say nothing.
    fn write_bound(self, value: f64) -> String {
        match self {
            Self::Megabits => format!("{value} Mbit/s"),
            Self::Percent | Self::Share => format!("{value} %"),
            Self::Seconds if value >= 1.0 => format!("{value} s"),
            Self::Bytes | Self::Count | Self::Seconds => self.write(value),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    pub(crate) fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }

    pub(crate) fn write(self, unit: Unit) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {}", unit.write_bound(bound)),
            Self::AtMost(bound) => format!("≤ {}", unit.write_bound(bound)),
        }
    }
}

/// One number of a row.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) key: &'static str,
    pub(crate) what: &'static str,
    pub(crate) unit: Unit,
    pub(crate) reduce: Reduce,
    pub(crate) must: Option<Bound>,
    pub(crate) aim: Option<Bound>,
    /// Why this cannot be met by what exists.
    pub(crate) not_built: Option<&'static str>,
}

impl Figure {
    pub(crate) const fn new(key: &'static str, what: &'static str, unit: Unit, reduce: Reduce) -> Self {
        Self { key, what, unit, reduce, must: None, aim: None, not_built: None }
    }

    pub(crate) const fn must(self, bound: Bound) -> Self {
        Self { must: Some(bound), ..self }
    }

    pub(crate) const fn aim(self, bound: Bound) -> Self {
        Self { aim: Some(bound), ..self }
    }

    pub(crate) const fn not_built(self, why: &'static str) -> Self {
        Self { not_built: Some(why), ..self }
    }

    /// The number over all runs.
    pub(crate) fn reduced(&self, samples: &[(u64, Sample)]) -> f64 {
        let values: Vec<Option<f64>> = samples.iter().map(|(_, sample)| sample.get(self.key)).collect();
        let there = || values.iter().copied().flatten();
        let count = values.len().max(1) as f64;
        match self.reduce {
            Reduce::Missing => values.iter().filter(|value| value.is_none()).count() as f64,
            Reduce::Share => there().count() as f64 / count * 100.0,
            Reduce::Mean => there().sum::<f64>() / there().count() as f64,
            Reduce::Min => there().fold(f64::INFINITY, f64::min),
            Reduce::Max if there().count() < values.len() => f64::INFINITY,
            Reduce::Max => there().fold(f64::NEG_INFINITY, f64::max),
            Reduce::Percentile(percent) => percentile(&values, percent),
        }
    }

    pub(crate) fn verdict(&self, value: f64) -> Verdict {
        // No run is one that the bound is for.
        let Some(must) = self.must.filter(|_| !value.is_nan()) else { return Verdict::Shown };
        if !must.is_met(value) {
            return if self.not_built.is_some() { Verdict::NotBuilt } else { Verdict::Below };
        }
        match self.aim {
            Some(aim) if aim.is_met(value) => Verdict::Aim,
            _ => Verdict::Ok,
        }
    }
}

/// Nearest rank: the smallest value that `percent` of all runs do not exceed.
fn percentile(values: &[Option<f64>], percent: f64) -> f64 {
    let mut sorted: Vec<f64> = values.iter().map(|value| value.unwrap_or(f64::INFINITY)).collect();
    sorted.sort_by(f64::total_cmp);
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Better than the aim.
    Aim,
    /// What must be.
    Ok,
    Below,
    NotBuilt,
    /// There is no bound.
    Shown,
}

impl Verdict {
    pub(crate) const fn write(self) -> &'static str {
        match self {
            Self::Aim => "aim",
            Self::Ok => "ok",
            Self::Below => "**below must**",
            Self::NotBuilt => "not built yet",
            Self::Shown => "",
        }
    }
}

type Run = Box<dyn Fn(u64) -> Sample + Send + Sync>;

/// A condition, and what is measured in it.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) condition: String,
    /// Seeds for each seed asked for.
    pub(crate) factor: u64,
    /// Seeds at most: for runs that are long.
    pub(crate) most: u64,
    /// Seeds in the short form; none: left out there.
    pub(crate) short: u64,
    pub(crate) figures: Vec<Figure>,
    pub(crate) run: Run,
}

impl Row {
    pub(crate) fn new(
        name: impl Into<String>,
        condition: impl Into<String>,
        figures: impl IntoIterator<Item = Figure>,
        run: impl Fn(u64) -> Sample + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            condition: condition.into(),
            factor: 1,
            most: u64::MAX,
            short: 0,
            figures: figures.into_iter().collect(),
            run: Box::new(run),
        }
    }

    /// Takes part in the short form, with this many seeds.
    pub(crate) fn short(self, seeds: u64) -> Self {
        Self { short: seeds, ..self }
    }

    /// Never runs with more seeds than this.
    pub(crate) fn at_most(self, seeds: u64) -> Self {
        Self { most: seeds, ..self }
    }

    pub(crate) fn factor(self, factor: u64) -> Self {
        Self { factor, ..self }
    }
}

/// Rows that belong together.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What is done, in a paragraph or two.
    pub(crate) about: &'static str,
    /// All rows have the same figures: the report gives each a column.
    pub(crate) is_wide: bool,
    pub(crate) rows: Vec<Row>,
}

/// All runs of a row.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) samples: Vec<(u64, Sample)>,
}

impl Measured {
    pub(crate) fn faults(&self) -> impl Iterator<Item = (u64, &str)> {
        self.samples.iter().filter_map(|(seed, sample)| Some((*seed, sample.fault.as_deref()?)))
    }

    /// The seed that is worst for a figure, to look at.
    pub(crate) fn worst(&self, figure: &Figure) -> Option<u64> {
        let up = matches!(figure.must.or(figure.aim), Some(Bound::AtLeast(_)));
        let key = |sample: &Sample| {
            sample.get(figure.key).unwrap_or(if up { f64::NEG_INFINITY } else { f64::INFINITY })
        };
        let order = |a: &&(u64, Sample), b: &&(u64, Sample)| key(&a.1).total_cmp(&key(&b.1));
        let worst = if up { self.samples.iter().min_by(order) } else { self.samples.iter().max_by(order) };
        worst.map(|(seed, _)| *seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[Option<f64>]) -> Vec<(u64, Sample)> {
        (0..).zip(values).map(|(seed, value)| (seed, Sample::new().with_some("x", *value))).collect()
    }

    fn reduced(reduce: Reduce, values: &[Option<f64>]) -> f64 {
        Figure::new("x", "x", Unit::Count, reduce).reduced(&samples(values))
    }

    #[test]
    fn what_never_came_is_the_largest() {
        let values = [Some(3.0), Some(1.0), None, Some(2.0)];
        assert_eq!(reduced(Reduce::Percentile(50.0), &values), 2.0);
        assert_eq!(reduced(Reduce::Percentile(75.0), &values), 3.0);
        assert!(reduced(Reduce::Percentile(99.0), &values).is_infinite());
        assert!(reduced(Reduce::Max, &values).is_infinite());
        assert_eq!(reduced(Reduce::Missing, &values), 1.0);
        assert_eq!(reduced(Reduce::Share, &values), 75.0);
        assert_eq!(reduced(Reduce::Mean, &values), 2.0);
        assert_eq!(reduced(Reduce::Min, &values), 1.0);
    }

    #[test]
    fn verdicts() {
        let figure = Figure::new("x", "x", Unit::Seconds, Reduce::Max)
            .must(Bound::AtMost(3.0))
            .aim(Bound::AtMost(1.0));
        assert_eq!(figure.verdict(1.0), Verdict::Aim);
        assert_eq!(figure.verdict(3.0), Verdict::Ok);
        assert_eq!(figure.verdict(3.1), Verdict::Below);
        assert_eq!(figure.verdict(f64::INFINITY), Verdict::Below);
        assert_eq!(figure.verdict(f64::NAN), Verdict::Shown);
        assert_eq!(figure.not_built("later").verdict(4.0), Verdict::NotBuilt);
    }
}
