//! How the process that measures and the two sides of a connection talk: lines over pipes.

use crate::machine;
use std::{
    io::{BufRead, Write},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
    time::Instant,
};

static BYTES: AtomicU64 = AtomicU64::new(0);
static MESSAGES: AtomicU64 = AtomicU64::new(0);

/// A message has arrived.
pub fn count(bytes: usize) {
    BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
    MESSAGES.fetch_add(1, Ordering::Relaxed);
}

/// What a side had received and used at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    pub seconds: f64,
    pub bytes: u64,
    pub messages: u64,
    pub cpu_seconds: f64,
    /// Bytes of memory that are in use now.
    pub resident: u64,
}

impl Mark {
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        Some(Self {
            seconds: words.next()?.parse().ok()?,
            bytes: words.next()?.parse().ok()?,
            messages: words.next()?.parse().ok()?,
            cpu_seconds: words.next()?.parse().ok()?,
            resident: words.next()?.parse().ok()?,
        })
    }
}

/// The end of a side.
pub struct Wire {
    texts: Receiver<String>,
}

impl Wire {
    /// Listens on standard input. `mark` is answered at any time; when the pipe closes, the process ends.
    pub fn start() -> Self {
        let (sender, texts) = mpsc::channel();
        let begin = Instant::now();
        thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { break };
                if line == "mark" {
                    let (user, system) = machine::cpu();
                    let (bytes, messages) = (BYTES.load(Ordering::Relaxed), MESSAGES.load(Ordering::Relaxed));
                    let cpu = (user + system).as_secs_f64();
                    let resident = machine::resident();
                    let seconds = begin.elapsed().as_secs_f64();
                    say("mark", &format!("{seconds} {bytes} {messages} {cpu} {resident}"));
                } else if let Some(text) = line.strip_prefix("text ")
                    && let Ok(text) = serde_json::from_str(text)
                    && sender.send(text).is_err()
                {
                    break;
                }
            }
            std::process::exit(0);
        });
        Self { texts }
    }

    /// Gives a text to the other side.
    pub fn send(&self, text: &str) {
        say("text", &serde_json::Value::from(text).to_string());
    }

    /// The next text of the other side.
    pub fn recv(&self) -> Result<String, String> {
        self.texts.recv().map_err(|_| "the other side is gone".to_owned())
    }

    /// The same from a task: others go on meanwhile.
    pub fn recv_in_task(&self) -> Result<String, String> {
        tokio::task::block_in_place(|| self.recv())
    }
}

/// Tells the process that measures.
pub fn say(kind: &str, text: &str) {
    let mut out = std::io::stdout().lock();
    // The reader is gone when the measurement is over.
    let _ = writeln!(out, "{kind} {text}").and_then(|()| out.flush());
}
