//! Two sides as two processes, each on a core of its own.

use crate::{
    measure::{Effort, Who},
    side::Job,
    wire::Mark,
};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

/// Longer than any peer takes to open a channel.
const PATIENCE: Duration = Duration::from_secs(20);

struct Side {
    child: Child,
    input: ChildStdin,
}

impl Drop for Side {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Offering side first.
struct Sides {
    sides: [Side; 2],
    lines: Receiver<(usize, String)>,
}

impl Sides {
    /// Starts both and returns when both have the channel open.
    fn start(who: Who, job: Job) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let (sender, lines) = mpsc::channel();
        let start = |place: usize| {
            let role = ["offer", "answer"][place];
            let mut child = Command::new(&program)
                .args(["side", who.name(), role])
                .args(job.to_words())
                .arg(place.to_string())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .map_err(|error| error.to_string())?;
            let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
                return Err("no pipes".to_owned());
            };
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if sender.send((place, line)).is_err() {
                        break;
                    }
                }
            });
            Ok(Side { child, input })
        };
        let mut sides = Self { sides: [start(0)?, start(1)?], lines };
        let mut open = [false; 2];
        while open != [true; 2] {
            let (from, line) = sides.line(PATIENCE, "the channel did not open")?;
            match line.split_once(' ') {
                Some(("text", _)) => sides.tell(1 - from, &line)?,
                Some(("open", _)) => open[from] = true,
                _ => {}
            }
        }
        Ok(sides)
    }

    fn line(&self, patience: Duration, otherwise: &str) -> Result<(usize, String), String> {
        self.lines.recv_timeout(patience).map_err(|_| otherwise.to_owned())
    }

    fn tell(&mut self, side: usize, line: &str) -> Result<(), String> {
        let input = &mut self.sides[side].input;
        writeln!(input, "{line}").and_then(|()| input.flush()).map_err(|error| error.to_string())
    }

    fn mark(&mut self) -> Result<[Mark; 2], String> {
        let mut marks = [None; 2];
        for side in 0..2 {
            self.tell(side, "mark")?;
        }
        let begin = Instant::now();
        while marks.iter().any(Option::is_none) {
            let left = PATIENCE.saturating_sub(begin.elapsed());
            let (from, line) = self.line(left, "a side does not answer")?;
            if let Some(text) = line.strip_prefix("mark ") {
                marks[from] = Mark::parse(text);
            }
        }
        marks.iter().copied().collect::<Option<Vec<_>>>().and_then(|marks| marks.try_into().ok()).ok_or_else(|| "a side is gone".to_owned())
    }
}

/// What went through a channel.
pub struct Flow {
    pub megabits: f64,
    pub messages: f64,
    /// Processor seconds for a gigabyte (1e9 bytes) of messages.
    pub sender: f64,
    pub receiver: f64,
}

pub fn flood(who: Who, bytes: usize, effort: &Effort) -> Result<Flow, String> {
    let mut sides = Sides::start(who, Job::Flood(bytes))?;
    thread::sleep(effort.warm_up);
    let before = sides.mark()?;
    thread::sleep(effort.window);
    let after = sides.mark()?;
    let seconds = after[1].seconds - before[1].seconds;
    let received = (after[1].bytes - before[1].bytes) as f64;
    if received == 0.0 {
        return Err("nothing arrived".to_owned());
    }
    let cpu = |side: usize| (after[side].cpu_seconds - before[side].cpu_seconds) / (received / 1e9);
    Ok(Flow {
        megabits: received * 8.0 / 1e6 / seconds,
        messages: (after[1].messages - before[1].messages) as f64 / seconds,
        sender: cpu(0),
        receiver: cpu(1),
    })
}

/// Round trips in microseconds: median and 99th percentile.
pub fn ping_pong(who: Who, effort: &Effort) -> Result<(f64, f64), String> {
    let sides = Sides::start(who, Job::PingPong(effort.round_trips))?;
    let begin = Instant::now();
    loop {
        let left = Duration::from_secs(30).saturating_sub(begin.elapsed());
        let (_, line) = sides.line(left, "the round trips do not end")?;
        if let Some(text) = line.strip_prefix("rounds ") {
            let mut words = text.split_whitespace().filter_map(|word| word.parse().ok());
            return words.next().zip(words.next()).ok_or_else(|| "unreadable".to_owned());
        }
    }
}
