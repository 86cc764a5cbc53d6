//! Both roles against the `openssl` program over loopback UDP. Without the program the tests say so and do nothing.

#![allow(clippy::unwrap_used, reason = "a failure in a helper is a failure of the test")]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

#[path = "common/pair.rs"]
mod pair;

use crypto::HashId;
use dtls::{Certificate, CertificateOptions, CipherSuite, Config, Connection, Event, Fingerprint, Role};
use pair::{WALL, provider};
use std::fs::{self, File};
use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const PROFILES: &str = "SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";

#[derive(Clone, Copy, Debug)]
enum Key {
    Ecdsa,
    Rsa,
}

/// The `openssl` program with a certificate of its own.
struct Peer {
    directory: PathBuf,
    fingerprint: Fingerprint,
    child: Option<Child>,
}

impl Peer {
    /// `None` where there is no such program.
    fn new(name: &str, key: Key) -> Option<Self> {
        if Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_err() {
            println!("skipped {name}: there is no openssl program");
            return None;
        }
        let directory =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("openssl-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let new_key: &[&str] = match key {
            Key::Ecdsa => &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
            Key::Rsa => &["-newkey", "rsa:2048"],
        };
        let made = Command::new("openssl")
            .current_dir(&directory)
            .args([
                "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=peer", "-keyout", "key.pem", "-out",
                "cert.pem",
            ])
            .args(new_key)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success());
        let der = Command::new("openssl")
            .current_dir(&directory)
            .args(["x509", "-in", "cert.pem", "-outform", "DER"])
            .output()
            .unwrap()
            .stdout;
        let fingerprint = Fingerprint::of(&provider(), HashId::Sha256, &der).unwrap();
        Some(Self { directory, fingerprint, child: None })
    }

    /// Runs the program to its end and returns what it writes.
    fn run(&self, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new("openssl").current_dir(&self.directory).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    fn spawn(&mut self, arguments: &[&str]) {
        let out = File::create(self.directory.join("out")).unwrap();
        let child = Command::new("openssl")
            .current_dir(&self.directory)
            .args(arguments)
            .args(["-dtls1_2", "-cert", "cert.pem", "-key", "key.pem", "-use_srtp", PROFILES])
            .args(["-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "60"])
            .stdin(Stdio::piped())
            .stderr(Stdio::from(out.try_clone().unwrap()))
            .stdout(Stdio::from(out))
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    fn say(&mut self, text: &str) {
        self.child.as_mut().unwrap().stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.directory.join("out")).unwrap()).into_owned()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            child.kill().ok();
            child.wait().ok();
        }
        fs::remove_dir_all(&self.directory).ok();
    }
}

/// Our end on a socket.
struct Ours {
    socket: UdpSocket,
    remote: Option<SocketAddr>,
    connection: Connection,
    events: Vec<Event>,
    received: Vec<u8>,
}

#[expect(clippy::disallowed_methods, reason = "the other program lives in real time")]
fn now() -> Instant {
    Instant::now()
}

impl Ours {
    fn new(role: Role, expected: &Fingerprint) -> Self {
        let mut rng = crypto::rustcrypto::os_random();
        let certificate =
            Certificate::generate(&provider(), &mut *rng, WALL, &CertificateOptions::new()).unwrap();
        let config = Arc::new(Config::new(provider()));
        let mut connection = Connection::new(config, role, certificate, now(), rng);
        connection.expect_fingerprints(now(), vec![expected.clone()]);
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        Self { socket, remote: None, connection, events: Vec::new(), received: Vec::new() }
    }

    fn turn(&mut self) {
        let mut buffer = [0; 2_048];
        if let Ok((len, from)) = self.socket.recv_from(&mut buffer) {
            self.remote = Some(from);
            let received = &mut self.received;
            self.connection
                .handle_datagram(now(), &mut buffer[..len], &mut |data| received.extend_from_slice(data));
        }
        if self.connection.poll_timeout().is_some_and(|at| at <= now()) {
            self.connection.handle_timeout(now());
        }
        self.flush();
        while let Some(event) = self.connection.poll_event() {
            self.events.push(event);
        }
    }

    fn flush(&mut self) {
        let mut out = Vec::new();
        while let Some(len) = self.connection.poll_transmit(now(), &mut out) {
            self.send(&out[..len.get()]);
            out.clear();
        }
    }

    fn send(&self, datagram: &[u8]) {
        if let Some(remote) = self.remote {
            self.socket.send_to(datagram, remote).ok();
        }
    }

    fn run_until(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let end = now() + Duration::from_secs(20);
        while !done(self) {
            assert!(now() < end, "no {what}: {:?} {:?}", self.connection, self.events);
            self.turn();
        }
    }
}

/// Connects, compares keys, sends data both ways, closes.
fn talk(mut ours: Ours, mut peer: Peer, suite: CipherSuite) {
    ours.connection.start(now());
    ours.flush();
    ours.run_until("connection", |ours| ours.connection.is_connected());
    assert_eq!(ours.connection.cipher_suite(), Some(suite));
    assert_eq!(ours.connection.srtp_profile(), Some(8));

    let mut keys = [0; 60];
    ours.connection.export_keying_material("EXTRACTOR-dtls_srtp", None, &mut keys).unwrap();
    let keys: String = keys.iter().map(|byte| format!("{byte:02X}")).collect();
    ours.run_until("keying material", |_| peer.output().contains(&keys));

    peer.say("hello from them\n");
    ours.run_until("their data", |ours| ours.received == b"hello from them\n");

    let mut record = Vec::new();
    ours.connection.seal_with(&mut record, |out| {
        out.extend_from_slice(b"hello from us\n");
        Some(())
    });
    ours.send(&record);
    ours.run_until("our data", |_| peer.output().contains("hello from us"));

    ours.connection.close(now());
    ours.run_until("end", |ours| matches!(ours.events.last(), Some(Event::Closed(_))));
    assert_eq!(ours.connection.stats().dropped_unauthentic, 0);
}

fn as_client(name: &str, key: Key, suite: CipherSuite, options: &[&str]) {
    let Some(mut peer) = Peer::new(name, key) else { return };
    let address = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address_text = address.to_string();
    peer.spawn(&[&["s_server", "-accept", &address_text, "-Verify", "1"], options].concat());
    let mut ours = Ours::new(Role::Client, &peer.fingerprint);
    ours.remote = Some(address);
    ours.connection.set_round_trip(Duration::from_millis(30));
    talk(ours, peer, suite);
}

fn as_server(name: &str, key: Key, options: &[&str]) {
    let Some(mut peer) = Peer::new(name, key) else { return };
    let ours = Ours::new(Role::Server, &peer.fingerprint);
    let address = ours.socket.local_addr().unwrap().to_string();
    peer.spawn(&[&["s_client", "-connect", &address], options].concat());
    talk(ours, peer, CipherSuite::ECDHE_ECDSA_AES_128_GCM_SHA256);
}

/// Its server asks for a cookie first.
#[test]
fn client_against_an_ecdsa_server() {
    as_client("ecdsa-server", Key::Ecdsa, CipherSuite::ECDHE_ECDSA_AES_128_GCM_SHA256, &[]);
}

#[test]
fn client_against_an_rsa_server() {
    as_client("rsa-server", Key::Rsa, CipherSuite::ECDHE_RSA_AES_128_GCM_SHA256, &[]);
}

#[test]
fn server_against_an_ecdsa_client() {
    as_server("ecdsa-client", Key::Ecdsa, &[]);
}

#[test]
fn server_against_an_rsa_client() {
    as_server("rsa-client", Key::Rsa, &[]);
}

/// Small datagrams make many fragments; P-256 is the other group.
#[test]
fn client_against_a_server_with_small_datagrams() {
    let options = ["-mtu", "400", "-groups", "P-256"];
    as_client("small-server", Key::Rsa, CipherSuite::ECDHE_RSA_AES_128_GCM_SHA256, &options);
}

#[test]
fn server_against_a_client_with_small_datagrams() {
    as_server("small-client", Key::Rsa, &["-mtu", "400", "-groups", "P-256"]);
}

/// RSASSA-PSS from the server; from us only what our key can.
#[test]
fn client_against_an_rsa_pss_server() {
    let options = ["-sigalgs", "rsa_pss_rsae_sha384:ecdsa_secp256r1_sha256"];
    as_client("pss-server", Key::Rsa, CipherSuite::ECDHE_RSA_AES_128_GCM_SHA256, &options);
}

/// A certificate and a key that were made elsewhere, and fingerprints as others print them.
#[test]
fn certificates_from_elsewhere_can_be_loaded() {
    let Some(peer) = Peer::new("loaded", Key::Ecdsa) else { return };
    let der = peer.run(&["x509", "-in", "cert.pem", "-outform", "DER"]);
    let key = peer.run(&["pkcs8", "-topk8", "-nocrypt", "-in", "key.pem", "-outform", "DER"]);
    let certificate = Certificate::from_der(&provider(), &der, &key).unwrap();
    for (option, name, hash) in [
        ("-sha256", "sha-256", HashId::Sha256),
        ("-sha384", "sha-384", HashId::Sha384),
        ("-sha512", "sha-512", HashId::Sha512),
    ] {
        let printed = peer.run(&["x509", "-in", "cert.pem", "-noout", "-fingerprint", option]);
        let printed = String::from_utf8(printed).unwrap();
        let digits = printed.trim().split_once('=').unwrap().1;
        let fingerprint: Fingerprint = format!("{name} {digits}").parse().unwrap();
        assert_eq!(certificate.fingerprint(&provider(), hash), Some(fingerprint));
    }
    let other = peer.run(&[
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-outform",
        "DER",
    ]);
    assert!(Certificate::from_der(&provider(), &der, &other).is_err());
}
