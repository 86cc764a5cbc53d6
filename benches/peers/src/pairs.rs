//! Two sides as two processes, each on a core of its own.

use crate::{
    measure::{Effort, Line, Who},
    side::Job,
    wire::Mark,
};
use relay::{Impairment, Impairments, Relay, Side as End};
use std::{
    io::{BufRead, BufReader, Write},
    net::Ipv4Addr,
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
    /// Starts both and returns when both have all channels open. Over a relay each is in a network of its own.
    fn start(who: Who, job: Job, connections: usize, relay: Option<&Relay>) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let (sender, lines) = mpsc::channel();
        let start = |place: usize| {
            let role = ["offer", "answer"][place];
            let place_of = [End::Left, End::Right][place];
            let address = relay.map_or(Ipv4Addr::LOCALHOST, |_| place_of.address());
            let mut command = Command::new(&program);
            command
                .args(["side", who.name(), role])
                .args(job.to_words())
                .args([place.to_string(), address.to_string(), connections.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped());
            let child = match relay {
                Some(relay) => relay.namespace(place_of).spawn(&mut command),
                None => command.spawn(),
            };
            let mut child = child.map_err(|error| error.to_string())?;
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
        marks
            .iter()
            .copied()
            .collect::<Option<Vec<_>>>()
            .and_then(|marks| marks.try_into().ok())
            .ok_or_else(|| "a side is gone".to_owned())
    }
}

/// What went through a channel, or through several together.
pub struct Flow {
    pub megabits: f64,
    pub messages: f64,
    /// Processor seconds for a gigabyte (1e9 bytes) of messages.
    pub sender: f64,
    pub receiver: f64,
    /// Bytes of memory that were in use at the end, sending side first.
    pub resident: [u64; 2],
}

pub fn flood(who: Who, bytes: usize, effort: &Effort) -> Result<Flow, String> {
    several(who, bytes, 1, effort)
}

/// So many connections at once between the same two processes.
pub fn several(who: Who, bytes: usize, connections: usize, effort: &Effort) -> Result<Flow, String> {
    let sides = Sides::start(who, Job::Flood(bytes), connections, None)?;
    measured(sides, effort.warm_up, effort.window)
}

/// Ethernet's.
const MTU: u16 = 1_500;
/// What may wait for the rate at least.
const LEAST_QUEUE: usize = 128 << 10;

/// One connection over a line. Nothing is lost until it is open.
pub fn over(who: Who, bytes: usize, line: &Line, effort: &Effort) -> Result<Flow, String> {
    let mut both = Impairment::default();
    both.delay = line.round_trip / 2;
    both.rate = line.rate.map(|megabits| megabits * 1_000_000);
    let product = line.rate.unwrap_or(0) as f64 * 1e6 / 8.0 * line.round_trip.as_secs_f64();
    both.queue = LEAST_QUEUE.max(product as usize);
    // Networks of its own for each sample: the kernel remembers the paths of TCP.
    let relay = Relay::start(&Impairments::both(&both), MTU).map_err(|error| error.to_string())?;
    let sides = Sides::start(who, Job::Flood(bytes), 1, Some(&relay))?;
    both.loss = line.loss_percent / 100.0;
    relay.set(&Impairments::both(&both));
    measured(sides, effort.warm_up + 10 * line.round_trip, effort.line_window)
}

fn measured(mut sides: Sides, warm_up: Duration, window: Duration) -> Result<Flow, String> {
    thread::sleep(warm_up);
    let before = sides.mark()?;
    thread::sleep(window);
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
        resident: after.map(|mark| mark.resident),
    })
}

/// Round trips in microseconds: median and 99th percentile.
pub fn ping_pong(who: Who, job: Job) -> Result<(f64, f64), String> {
    let sides = Sides::start(who, job, 1, None)?;
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
