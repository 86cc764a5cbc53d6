//! A file from one program to another, with progress, and a checksum at the end.
//!
//! ```text
//! cargo run --release -p peerlane --example file_transfer -- receive FOLDER --listen 127.0.0.1:9000
//! cargo run --release -p peerlane --example file_transfer -- send FILE --connect 127.0.0.1:9000
//! ```
//!
//! Through the channel go: a line with name and size, the bytes of the file, a line with their SHA-256; and back, when the
//! file is on the disk, a line that says so.

#[path = "common/signaling.rs"]
#[allow(dead_code, reason = "each example uses a part of it")]
mod signaling;

use peerlane::{ByteStream, DataChannelInit, crypto};
use signaling::{Failure, Options, say};
use std::{
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::{
    fs::File,
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
};

/// What is read, sent and written at a time.
const PIECE: usize = 64 * 1024;
/// The longest line that is believed.
const MAX_LINE: u64 = 4_096;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = Options::parse(std::env::args())?;
    let rest: Vec<&str> = options.rest.iter().map(String::as_str).collect();
    let (["send", path] | ["receive", path]) = rest.as_slice() else {
        return Err("it takes `send FILE` or `receive FOLDER`, and how to meet the other side".into());
    };
    let mut met = options.meet().await?;
    let stream = met.channel("file", DataChannelInit::new()).await?.into_byte_stream()?;
    match rest.first() {
        Some(&"send") => send(stream, Path::new(path)).await?,
        _ => receive(stream, Path::new(path)).await?,
    }
    met.connection.close().await;
    Ok(())
}

async fn send(stream: ByteStream, path: &Path) -> Result<(), Failure> {
    let mut file = File::open(path).await?;
    let size = file.metadata().await?.len();
    let name = path.file_name().ok_or("that is no file")?.to_string_lossy().into_owned();
    let mut stream = BufReader::new(stream);
    let head = serde_json::json!({ "name": name, "size": size });
    stream.write_all(format!("{head}\n").as_bytes()).await?;
    let digest = pump(&mut file, &mut stream, size).await?;
    stream.write_all(format!("{digest}\n").as_bytes()).await?;
    let verdict = line(&mut stream).await?;
    // The other side closes the channel when it knows that we have heard it. However it ends, the verdict stands.
    let _ = stream.read_to_end(&mut Vec::new()).await;
    match verdict.as_str() {
        "stored" => say(&format!("{name}: delivered, SHA-256 {digest}"))?,
        other => return Err(format!("the other side says: {other}").into()),
    }
    Ok(())
}

async fn receive(stream: ByteStream, folder: &Path) -> Result<(), Failure> {
    let mut stream = BufReader::new(stream);
    let head: serde_json::Value = serde_json::from_str(&line(&mut stream).await?)?;
    let size = head.get("size").and_then(serde_json::Value::as_u64).ok_or("no size")?;
    let name = head.get("name").and_then(serde_json::Value::as_str).ok_or("no name")?;
    // The last part only: the other side does not choose the folder.
    let name = Path::new(name).file_name().ok_or("no name of a file")?;
    let path: PathBuf = folder.join(name);
    // What is there already is not overwritten.
    let mut file = File::create_new(&path).await?;
    let digest = pump(&mut stream, &mut file, size).await?;
    file.sync_all().await?;
    let expected = line(&mut stream).await?;
    let verdict = if expected == digest { "stored" } else { "the checksum is wrong" };
    stream.write_all(format!("{verdict}\n").as_bytes()).await?;
    stream.shutdown().await?;
    if expected != digest {
        return Err(format!("{}: {digest} instead of {expected}", path.display()).into());
    }
    say(&format!("{}: received, SHA-256 {digest}", path.display()))?;
    Ok(())
}

/// Carries `size` bytes, shows how it goes, and returns their checksum.
async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    size: u64,
) -> Result<String, Failure> {
    let provider = crypto::rustcrypto::provider();
    let mut hash = provider.hash(crypto::HashId::Sha256).ok_or("no SHA-256")?.start();
    let mut piece = vec![0; PIECE];
    let mut progress = Progress::new(size);
    let mut from = from.take(size);
    loop {
        let len = from.read(&mut piece).await?;
        let Some(bytes) = piece.get(..len).filter(|bytes| !bytes.is_empty()) else { break };
        hash.update(bytes);
        // Waits while the buffer of the channel is full.
        to.write_all(bytes).await?;
        progress.add(len as u64)?;
    }
    to.flush().await?;
    progress.finish()?;
    if progress.done != size {
        return Err(format!("{} of {size} bytes", progress.done).into());
    }
    let mut digest = [0; 32];
    let len = hash.current(&mut digest);
    Ok(digest.iter().take(len).map(|byte| format!("{byte:02x}")).collect())
}

async fn line(stream: &mut BufReader<ByteStream>) -> Result<String, Failure> {
    let mut line = String::new();
    stream.take(MAX_LINE).read_line(&mut line).await?;
    Ok(line.strip_suffix('\n').ok_or("the other side has gone")?.to_owned())
}

/// A line that is written again and again.
struct Progress {
    size: u64,
    done: u64,
    begin: Instant,
    shown: Instant,
}

#[expect(clippy::disallowed_methods, reason = "it shows a rate, by the clock")]
impl Progress {
    fn new(size: u64) -> Self {
        let now = Instant::now();
        Self { size, done: 0, begin: now, shown: now }
    }

    fn add(&mut self, bytes: u64) -> std::io::Result<()> {
        self.done += bytes;
        if self.shown.elapsed() < Duration::from_millis(200) {
            return Ok(());
        }
        self.shown = Instant::now();
        self.show('\r')
    }

    fn finish(&mut self) -> std::io::Result<()> {
        self.show('\n')
    }

    #[expect(clippy::cast_precision_loss, reason = "figures for the eye")]
    fn show(&self, end: char) -> std::io::Result<()> {
        let seconds = self.begin.elapsed().as_secs_f64().max(1e-6);
        let rate = self.done as f64 / seconds;
        let left = self.size.saturating_sub(self.done) as f64 / rate.max(1.0);
        let percent = if self.size == 0 { 100.0 } else { 100.0 * self.done as f64 / self.size as f64 };
        let (done, size, rate) = (self.done as f64 / 1e6, self.size as f64 / 1e6, rate / 1e6);
        let mut screen = std::io::stderr();
        write!(
            screen,
            "{done:8.1} of {size:.1} MB, {percent:3.0} %, {rate:7.1} MB/s, {left:4.0} s left{end}"
        )?;
        screen.flush()
    }
}
