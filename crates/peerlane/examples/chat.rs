//! A chat between two terminals: what is typed in one appears in the other.
//!
//! ```text
//! cargo run -p peerlane --example chat -- --listen 127.0.0.1:9000 Alice
//! cargo run -p peerlane --example chat -- --connect 127.0.0.1:9000 Bob
//! ```
//!
//! An empty line, or the end of the input, ends it. On two machines: an address of the listening one. Without any way
//! between them but two people: `--offer` on one side and `--answer` on the other.

#[path = "common/signaling.rs"]
#[allow(dead_code, reason = "each example uses a part of it")]
mod signaling;

use peerlane::{DataChannelInit, Message};
use signaling::{Failure, Options, say};
use std::io::Write;
use tokio::io::{AsyncBufReadExt, BufReader};

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(chat());
    // Somebody may still be asked for a line: that cannot be taken back, and is not waited for.
    runtime.shutdown_background();
    outcome
}

async fn chat() -> Result<(), Failure> {
    let options = Options::parse(std::env::args())?;
    let name = options.rest.first().map_or("anonymous", String::as_str).to_owned();
    let mut met = options.meet().await?;
    let mut chat = met.channel("chat", DataChannelInit::new()).await?;

    chat.send(format!("({name} is here)")).await?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        // Both can be waited for at once: neither loses anything when the other comes first.
        tokio::select! {
            line = lines.next_line() => match line?.filter(|line| !line.is_empty()) {
                Some(line) => chat.send(format!("{name}: {line}")).await?,
                None => break,
            },
            message = chat.recv() => match message {
                Some(Message::Text(text)) => writeln!(std::io::stdout(), "{text}")?,
                Some(Message::Binary(_)) => {}
                None => break,
            },
        }
    }
    match chat.end() {
        Some(end) => say(&format!("the end: {end}"))?,
        // What was typed last has to arrive before we go.
        None => chat.flush().await?,
    }
    chat.close().await;
    met.connection.close().await;
    Ok(())
}
