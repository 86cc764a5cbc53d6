//! Rows, probes, and the order in which they run.

use std::time::Duration;

/// Whose figure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// With default settings.
    Ours,
    /// The same over aws-lc-rs.
    OursAwsLc,
    Webrtc,
    Str0m,
    Rustrtc,
    /// SCTP alone, as str0m has it.
    SctpProto,
    /// SCTP alone, of those who write that of Chromium.
    Dcsctp,
    /// The TCP of the kernel.
    Tcp,
    /// The same work without a protocol: what the machine can do at most.
    Limit,
    /// The same over aws-lc-rs.
    LimitAwsLc,
}

impl Who {
    pub const PEERS: [Self; 5] = [Self::Webrtc, Self::Str0m, Self::Rustrtc, Self::SctpProto, Self::Dcsctp];
    pub const ALL: [Self; 10] = [
        Self::Ours,
        Self::OursAwsLc,
        Self::Webrtc,
        Self::Str0m,
        Self::Rustrtc,
        Self::SctpProto,
        Self::Dcsctp,
        Self::Tcp,
        Self::Limit,
        Self::LimitAwsLc,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "peerlane",
            Self::OursAwsLc => "peerlane-aws-lc",
            Self::Webrtc => "webrtc",
            Self::Str0m => "str0m",
            Self::Rustrtc => "rustrtc",
            Self::SctpProto => "sctp-proto",
            Self::Dcsctp => "dcsctp",
            Self::Tcp => "tcp",
            Self::Limit => "limit",
            Self::LimitAwsLc => "limit-aws-lc",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|who| who.name() == name)
    }
}

/// Which direction is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    Higher,
    Lower,
}

#[derive(Clone, Debug)]
pub struct Row {
    pub name: String,
    pub unit: &'static str,
    pub better: Better,
    /// The line that it was measured over, if not over loopback.
    pub line: Option<Line>,
}

impl Row {
    pub fn higher(name: impl Into<String>, unit: &'static str) -> Self {
        Self { name: name.into(), unit, better: Better::Higher, line: None }
    }

    pub fn lower(name: impl Into<String>, unit: &'static str) -> Self {
        Self { name: name.into(), unit, better: Better::Lower, line: None }
    }

    pub fn over(self, line: Line) -> Self {
        Self { line: Some(line), ..self }
    }
}

/// What lies between two sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    pub round_trip: Duration,
    /// Of packets, in each direction.
    pub loss_percent: f64,
    /// Megabits per second of IP packets.
    pub rate: Option<u64>,
}

impl Line {
    pub fn same_without_loss(&self, other: &Self) -> bool {
        self.round_trip == other.round_trip && self.rate == other.rate
    }

    pub fn round_trip_words(&self) -> String {
        let microseconds = self.round_trip.as_micros();
        if microseconds < 1_000 {
            format!("{} ms", microseconds as f64 / 1_000.0)
        } else {
            format!("{} ms", microseconds / 1_000)
        }
    }

    pub fn loss_words(&self) -> String {
        format!("{} %", self.loss_percent)
    }

    pub fn rate_words(&self) -> String {
        self.rate.map_or_else(|| "unlimited".to_owned(), |rate| format!("{rate} Mbit/s"))
    }

    pub fn words(&self) -> String {
        format!("{}, {}, {}", self.round_trip_words(), self.loss_words(), self.rate_words())
    }
}

/// How long and how often to measure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    pub quick: bool,
    pub repetitions: usize,
    /// One sample of a loop in memory.
    pub kernel: Duration,
    /// Before and within a measurement over the network.
    pub warm_up: Duration,
    pub window: Duration,
    /// The same over a line with a round trip, of which the first ten come before it.
    pub line_window: Duration,
    pub round_trips: usize,
    pub idle_pairs: usize,
    pub idle_window: Duration,
    pub set_ups: usize,
    /// Whether the default size of socket buffers is raised for some rows.
    pub large_buffers: bool,
}

impl Effort {
    pub fn full() -> Self {
        Self {
            quick: false,
            repetitions: 5,
            kernel: Duration::from_millis(60),
            warm_up: Duration::from_millis(700),
            window: Duration::from_millis(2_000),
            line_window: Duration::from_secs(6),
            round_trips: 4_000,
            idle_pairs: 500,
            idle_window: Duration::from_secs(5),
            set_ups: 10,
            large_buffers: false,
        }
    }

    pub fn quick() -> Self {
        Self {
            quick: true,
            repetitions: 5,
            kernel: Duration::from_millis(10),
            warm_up: Duration::from_millis(200),
            window: Duration::from_millis(400),
            line_window: Duration::from_millis(2_500),
            round_trips: 500,
            idle_pairs: 50,
            idle_window: Duration::from_secs(1),
            set_ups: 2,
            large_buffers: false,
        }
    }
}

/// One measurement: a value for each row of its group, `None` where it has none.
pub type Sample = Box<dyn FnMut(&Effort) -> Result<Vec<Option<f64>>, String>>;

/// One party of a group: how it is measured, or why it is not.
pub struct Probe {
    pub who: Who,
    pub sample: Result<Sample, String>,
}

impl Probe {
    pub fn new(who: Who, sample: impl FnMut(&Effort) -> Result<Vec<Option<f64>>, String> + 'static) -> Self {
        Self { who, sample: Ok(Box::new(sample)) }
    }

    pub fn without(who: Who, reason: &str) -> Self {
        Self { who, sample: Err(reason.to_owned()) }
    }
}

/// Rows that one measurement fills, and who is measured.
pub struct Group {
    pub rows: Vec<Row>,
    pub probes: Vec<Probe>,
    /// For measurements that are long: fewer repetitions than the effort says.
    pub repetitions: Option<usize>,
}

/// The values of one party in one row.
#[derive(Clone, Debug)]
pub struct Cell {
    pub who: Who,
    pub values: Vec<f64>,
    /// Why there are none.
    pub reason: Option<String>,
}

impl Cell {
    pub fn median(&self) -> Option<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => None,
            length if length % 2 == 1 => sorted.get(middle).copied(),
            _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
        }
    }

    pub fn range(&self) -> Option<(f64, f64)> {
        let low = self.values.iter().copied().min_by(f64::total_cmp)?;
        let high = self.values.iter().copied().max_by(f64::total_cmp)?;
        Some((low, high))
    }
}

#[derive(Clone, Debug)]
pub struct Measured {
    pub subject: &'static str,
    pub row: Row,
    pub cells: Vec<Cell>,
}

impl Measured {
    pub fn cell(&self, who: Who) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.who == who)
    }

    pub fn median(&self, who: Who) -> Option<f64> {
        self.cell(who).and_then(Cell::median)
    }

    /// How many times better we are than `other`, with default settings; above 1 we are ahead.
    pub fn ratio(&self, other: f64) -> Option<f64> {
        self.ratio_of(Who::Ours, other)
    }

    pub fn ratio_of(&self, who: Who, other: f64) -> Option<f64> {
        let ours = self.median(who)?;
        let (above, below) = match self.row.better {
            Better::Higher => (ours, other),
            Better::Lower => (other, ours),
        };
        (below > 0.0).then(|| above / below)
    }

    /// The best peer, and how one of our columns compares with it.
    pub fn against_best(&self, ours: Who) -> Option<(Who, f64)> {
        let best = Who::PEERS.into_iter().filter_map(|who| Some((who, self.median(who)?)));
        let best = best.reduce(|left, right| {
            let right_wins = match self.row.better {
                Better::Higher => right.1 > left.1,
                Better::Lower => right.1 < left.1,
            };
            if right_wins { right } else { left }
        })?;
        Some((best.0, self.ratio_of(ours, best.1)?))
    }

    /// How much of the limit one of our columns reaches; of that with its own ciphers, if there are two.
    pub fn share_of_limit(&self, ours: Who) -> Option<f64> {
        let own = (ours == Who::OursAwsLc).then(|| self.median(Who::LimitAwsLc)).flatten();
        self.ratio_of(ours, own.or_else(|| self.median(Who::Limit))?)
    }
}

/// Runs a group: all parties once, then all again, so that a change of the machine meets all of them.
pub fn run(subject: &'static str, mut group: Group, effort: &Effort) -> Vec<Measured> {
    let mut measured: Vec<Measured> = group
        .rows
        .iter()
        .map(|row| Measured {
            subject,
            row: row.clone(),
            cells: group
                .probes
                .iter()
                .map(|probe| Cell {
                    who: probe.who,
                    values: Vec::new(),
                    reason: probe.sample.as_ref().err().cloned(),
                })
                .collect(),
        })
        .collect();
    let repetitions = group.repetitions.map_or(effort.repetitions, |most| most.min(effort.repetitions));
    for _ in 0..repetitions {
        for (place, probe) in group.probes.iter_mut().enumerate() {
            let Ok(sample) = &mut probe.sample else { continue };
            match sample(effort) {
                Ok(values) => {
                    for (row, value) in measured.iter_mut().zip(values) {
                        row.cells[place].values.extend(value);
                    }
                }
                Err(reason) => {
                    eprintln!("peers: {}, {}: {reason}", measured[0].row.name, probe.who.name());
                    for row in &mut measured {
                        row.cells[place].reason = Some(reason.clone());
                    }
                }
            }
        }
    }
    measured
}
