//! Two connections in memory: handshake, SRTP keys, data both ways, close.
//!
//! `cargo run -p peerlane-dtls --example pair`

use crypto::HashId;
use dtls::{Certificate, CertificateOptions, Config, Connection, Fingerprint, Role};
use std::error::Error;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

#[expect(clippy::disallowed_methods, reason = "a program reads the clock; the connections do not")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut screen = std::io::stdout();
    let provider = crypto::rustcrypto::provider();
    let config = Arc::new(Config::new(provider));
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let mut now = Instant::now();

    let make = |role| -> Result<(Connection, Fingerprint), Box<dyn Error>> {
        let mut rng = crypto::rustcrypto::os_random();
        let certificate = Certificate::generate(&provider, &mut *rng, wall, &CertificateOptions::new())?;
        let fingerprint = certificate.fingerprint(&provider, HashId::Sha256).ok_or("no SHA-256")?;
        Ok((Connection::new(Arc::clone(&config), role, certificate, now, rng), fingerprint))
    };
    let (mut client, client_print) = make(Role::Client)?;
    let (mut server, server_print) = make(Role::Server)?;
    writeln!(screen, "client announces {client_print}")?;
    writeln!(screen, "server announces {server_print}")?;
    client.expect_fingerprints(now, vec![server_print]);
    server.expect_fingerprints(now, vec![client_print]);
    server.start(now);
    client.start(now);

    while !(client.is_connected() && server.is_connected()) {
        now += Duration::from_millis(10);
        carry(&mut screen, now, "client", &mut client, &mut server)?;
        carry(&mut screen, now, "server", &mut server, &mut client)?;
    }
    writeln!(screen, "client {:?}, server {:?}", client.poll_event(), server.poll_event())?;
    if let Some(suite) = client.cipher_suite() {
        writeln!(screen, "{suite}, {:?}, SRTP profile {:?}", client.group(), client.srtp_profile())?;
    }
    let mut keys = [0; 60];
    client.export_keying_material("EXTRACTOR-dtls_srtp", None, &mut keys)?;
    writeln!(screen, "{} bytes of SRTP keys on both sides", keys.len())?;

    let mut datagram = Vec::new();
    client.seal_with(&mut datagram, |out| {
        out.extend_from_slice(b"hello");
        Some(())
    });
    let len = datagram.len();
    server.handle_datagram(now, &mut datagram, &mut |data| {
        writeln!(screen, "{:?} in a record of {len} bytes", String::from_utf8_lossy(data)).ok();
    });

    client.close(now);
    carry(&mut screen, now, "client", &mut client, &mut server)?;
    carry(&mut screen, now, "server", &mut server, &mut client)?;
    writeln!(screen, "client {:?}, server {:?}", client.poll_event(), server.poll_event())?;
    Ok(())
}

/// Carries everything that one side wants to send to the other.
fn carry(
    screen: &mut impl Write,
    now: Instant,
    name: &str,
    from: &mut Connection,
    to: &mut Connection,
) -> Result<(), Box<dyn Error>> {
    let mut datagram = Vec::new();
    while let Some(len) = from.poll_transmit(now, &mut datagram) {
        writeln!(screen, "{name} sends {len} bytes")?;
        to.handle_datagram(now, &mut datagram, &mut |_| ());
        datagram.clear();
    }
    Ok(())
}
