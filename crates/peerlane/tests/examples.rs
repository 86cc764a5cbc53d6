//! The examples that need two programs, run as their headers say.
#![cfg(all(feature = "tokio", feature = "rustcrypto"))]
#![expect(clippy::disallowed_methods, reason = "programs run beside it, by the clock")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A running example. What it says is read as it comes, so that it never waits for us.
struct Program {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<Vec<u8>>,
    said: Receiver<String>,
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// `None`, and a line that says so, when there is no cargo to build it with.
    fn start(name: &str, arguments: &[&str]) -> Option<Self> {
        static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
        let Some(folder) = BUILT.get_or_init(build) else {
            eprintln!("SKIPPED {name}: cargo does not run this test, so the example may be missing or old");
            return None;
        };
        let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        let mut child = Command::new(path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        let (send_output, output) = mpsc::channel();
        let (send_said, said) = mpsc::channel();
        let (mut stdout, stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        thread::spawn(move || {
            let mut piece = vec![0; 4_096];
            while let Ok(len @ 1..) = stdout.read(&mut piece) {
                if send_output.send(piece[..len].to_vec()).is_err() {
                    break;
                }
            }
        });
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if send_said.send(line).is_err() {
                    break;
                }
            }
        });
        let input = child.stdin.take();
        Some(Self { name: format!("{name} {}", arguments.join(" ")), child, input, output, said })
    }

    /// What follows `words` in a line that it says.
    fn hears(&self, words: &str) -> String {
        let end = Instant::now() + PATIENCE;
        let mut last = String::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.said.recv_timeout(left) else {
                panic!("{}: no {words:?}, but {last:?}", self.name)
            };
            last.clone_from(&line);
            if let Some((_, rest)) = line.split_once(words) {
                return rest.trim().to_owned();
            }
        }
    }

    fn type_in(&mut self, text: &[u8]) {
        self.input.as_mut().expect("open").write_all(text).expect("it reads");
    }

    /// Reads standard output up to so many bytes.
    fn reads(&self, len: usize) -> Vec<u8> {
        let end = Instant::now() + PATIENCE;
        let mut all = Vec::new();
        while all.len() < len {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(piece) = self.output.recv_timeout(left) else {
                panic!("{}: {} of {len} bytes", self.name, all.len())
            };
            all.extend(piece);
        }
        all
    }

    fn ends_well(mut self) {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a status") {
                break status;
            }
            assert!(Instant::now() < end, "{} goes on and on", self.name);
            thread::sleep(Duration::from_millis(10));
        };
        let said: Vec<String> = self.said.iter().collect();
        assert!(status.success(), "{}: {status}: {said:?}", self.name);
    }
}

/// Builds the examples into the folder of this test, with the features that the libraries have there already.
fn build() -> Option<PathBuf> {
    let cargo = std::env::var_os("CARGO")?;
    let test = std::env::current_exe().ok()?;
    let profile = test.parent()?.parent()?;
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--locked", "--target-dir"]).arg(profile.parent()?);
    command.args(["--example", "chat", "--example", "file_transfer", "--example", "netcat"]);
    if cfg!(feature = "aws-lc-rs") {
        command.args(["--workspace", "--all-features"]);
    } else {
        command.args(["--package", "peerlane"]);
    }
    if profile.ends_with("release") {
        command.arg("--release");
    }
    assert!(command.status().ok()?.success(), "the examples do not build");
    Some(profile.join("examples"))
}

/// Two of them that meet at a free port of this machine: the listening one first.
fn pair(name: &str, listening: &[&str], connecting: &[&str]) -> Option<[Program; 2]> {
    let first = Program::start(name, &[listening, &["--listen", "127.0.0.1:0"]].concat())?;
    let address = first.hears("listening on");
    let second = Program::start(name, &[connecting, &["--connect", &address]].concat())?;
    for program in [&first, &second] {
        program.hears("connected");
    }
    Some([first, second])
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("peerlane-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at / 251 + at) as u8).collect()
}

#[test]
fn a_file_is_transferred() {
    let folder = folder("files");
    for (name, size) in [("empty", 0), ("large", 3_000_001)] {
        let (path, to) = (folder.join(name), folder.join(format!("to-{name}")));
        fs::write(&path, pattern(size)).expect("written");
        fs::create_dir_all(&to).expect("a folder");
        let (path_text, to_text) = (path.to_string_lossy().into_owned(), to.to_string_lossy().into_owned());
        let Some([receiver, sender]) = pair("file_transfer", &["receive", &to_text], &["send", &path_text])
        else {
            return;
        };
        assert!(sender.hears("100 %,").contains("MB/s"), "progress");
        let sent = sender.hears("delivered, SHA-256");
        assert_eq!(receiver.hears("received, SHA-256"), sent, "the same checksum");
        sender.ends_well();
        receiver.ends_well();
        assert!(fs::read(to.join(name)).expect("stored") == pattern(size), "the same bytes");
    }
    fs::remove_dir_all(folder).expect("removed");
}

#[test]
fn a_chat_goes_both_ways() {
    let Some([mut alice, mut bob]) = pair("chat", &["Alice"], &["Bob"]) else { return };
    let here = b"(Bob is here)\n";
    assert_eq!(alice.reads(here.len()), here);
    let here = b"(Alice is here)\n";
    assert_eq!(bob.reads(here.len()), here);
    alice.type_in("Grüße\n".as_bytes());
    assert_eq!(bob.reads("Alice: Grüße\n".len()), "Alice: Grüße\n".as_bytes());
    bob.type_in(b"hello\n");
    assert_eq!(alice.reads(b"Bob: hello\n".len()), b"Bob: hello\n");
    // An empty line ends it here, and there too.
    alice.type_in(b"\n");
    alice.ends_well();
    assert!(bob.hears("the end:").contains("peer"));
    bob.ends_well();
}

#[test]
fn netcat_carries_both_inputs_to_their_end() {
    let Some([mut a, mut b]) = pair("netcat", &[], &[]) else { return };
    let sent = pattern(1_000_000);
    let expected = sent.clone();
    let mut input = b.input.take().expect("open");
    let typing = thread::spawn(move || input.write_all(&sent));
    assert!(a.reads(expected.len()) == expected, "the same bytes");
    typing.join().expect("no panic").expect("it reads all");
    // One direction has ended; the other one has not.
    assert_eq!(a.hears("received"), "1000000 bytes");
    a.type_in(b"thank you");
    drop(a.input.take());
    assert_eq!(b.reads(9), b"thank you");
    a.ends_well();
    b.ends_well();
}

#[test]
fn netcat_carries_tcp_connections() {
    // A server that answers when it has heard the end.
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for mut client in server.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let mut all = Vec::new();
                client.read_to_end(&mut all).and_then(|_| client.write_all(&all))
            });
        }
    });
    let Some([_far, near]) = pair("netcat", &["--to", &address], &["--from", "127.0.0.1:0"]) else { return };
    let entrance = near.hears("forwarding from");
    let clients: Vec<_> = [10, 100_000, 300_000]
        .map(|size| {
            let entrance = entrance.clone();
            thread::spawn(move || {
                let mut client = TcpStream::connect(entrance).expect("accepted");
                client.set_read_timeout(Some(PATIENCE)).expect("set");
                let sent = pattern(size);
                client.write_all(&sent).expect("taken");
                client.shutdown(Shutdown::Write).expect("half closed");
                let mut back = Vec::new();
                client.read_to_end(&mut back).expect("the answer");
                assert!(back == sent, "the same {size} bytes");
            })
        })
        .into();
    for client in clients {
        client.join().expect("its bytes came back");
    }
}
