//! Asks a STUN server for this host's address, or is such a server, over blocking sockets.
//!
//! `binding 127.0.0.1:3478` asks; `binding serve 127.0.0.1:3478` serves.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "the example is the place with a clock and output"
)]

use std::{
    env,
    error::Error,
    io::ErrorKind,
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};
use stun::{
    Builder, Class, Message, Method, Step, Transaction, TransactionConfig, TransactionId,
    attr::{Code, ErrorCode, UnknownAttributes, XorMappedAddress},
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let first = arguments.next().unwrap_or_else(|| "127.0.0.1:3478".to_owned());
    if first == "serve" {
        let address = arguments.next().unwrap_or_else(|| "127.0.0.1:3478".to_owned());
        return serve(&UdpSocket::bind(address)?);
    }
    let address = ask(first.parse()?)?;
    println!("{address}");
    Ok(())
}

/// Repeats one request until there is an answer, or none will come.
fn ask(server: SocketAddr) -> Result<SocketAddr, Box<dyn Error>> {
    let socket = UdpSocket::bind(if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" })?;
    socket.connect(server)?;
    let id = TransactionId::random(&mut *crypto::rustcrypto::os_random());
    let mut request = Vec::new();
    let mut builder = Builder::request(&mut request, Method::BINDING, id);
    builder.fingerprint();
    builder.finish()?;

    let mut transaction = Transaction::new(Instant::now(), &TransactionConfig::new());
    let mut buffer = [0; 2_048];
    loop {
        match transaction.poll(Instant::now()) {
            Step::Send => _ = socket.send(&request)?,
            Step::Wait => {}
            Step::Failed(failure) => return Err(format!("{failure:?}").into()),
        }
        let Some(at) = transaction.poll_timeout() else { continue };
        let wait = at.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        socket.set_read_timeout(Some(wait))?;
        let len = match socket.recv(&mut buffer) {
            Ok(len) => len,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(error) => return Err(error.into()),
        };
        let Ok(response) = Message::parse(&buffer[..len]) else { continue };
        if response.transaction_id() != id || response.unknown_required(KNOWN).next().is_some() {
            continue;
        }
        match response.class() {
            Class::Success => {
                if let Some(time) = transaction.round_trip(Instant::now()) {
                    println!("round trip: {time:?}");
                }
                return Ok(response.require::<XorMappedAddress>()?.address());
            }
            Class::Error => return Err(response.require::<ErrorCode<'_>>()?.code().to_string().into()),
            Class::Request | Class::Indication => {}
        }
    }
}

/// What comprehension-required attributes an answer may have.
const KNOWN: &[stun::AttributeType] = &[
    stun::AttributeType::MAPPED_ADDRESS,
    stun::AttributeType::XOR_MAPPED_ADDRESS,
    stun::AttributeType::ERROR_CODE,
    stun::AttributeType::UNKNOWN_ATTRIBUTES,
];

fn serve(socket: &UdpSocket) -> Result<(), Box<dyn Error>> {
    println!("STUN server at {}", socket.local_addr()?);
    let (mut buffer, mut answer) = ([0; 2_048], Vec::new());
    loop {
        let (len, from) = socket.recv_from(&mut buffer)?;
        let Ok(request) = Message::parse(&buffer[..len]) else { continue };
        if (request.class(), request.method()) != (Class::Request, Method::BINDING) {
            continue;
        }
        answer.clear();
        let unknown = UnknownAttributes::new(request.unknown_required(&[]));
        if unknown.is_empty() {
            let mut builder = Builder::success(&mut answer, &request);
            builder.attribute(&XorMappedAddress::new(from)).fingerprint();
            builder.finish()?;
        } else {
            let mut builder = Builder::error(&mut answer, &request);
            builder.attribute(&ErrorCode::bare(Code::UNKNOWN_ATTRIBUTE)).attribute(&unknown).fingerprint();
            builder.finish()?;
        }
        socket.send_to(&answer, from)?;
    }
}
