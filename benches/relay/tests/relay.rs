//! Datagrams and streams through a relay. Where the system does not allow networks of one's own, nothing is tested, and
//! the test says so.

#![expect(clippy::disallowed_methods, reason = "a relay lives in real time")]

use relay::{Impairment, Impairments, Relay, RelayError, Side};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    time::{Duration, Instant},
};

fn start(text: &str) -> Option<Relay> {
    let mut impairment = Impairment::default();
    impairment.change(text).expect("readable");
    match Relay::start(&Impairments::both(&impairment), 1_500) {
        Ok(relay) => Some(relay),
        Err(error @ (RelayError::Namespace(_) | RelayError::Device(_))) => {
            eprintln!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn sockets(relay: &Relay) -> [UdpSocket; 2] {
    [Side::Left, Side::Right].map(|side| {
        let socket = relay.namespace(side).within(|| UdpSocket::bind((side.address(), 5_000)));
        let socket = socket.expect("bound");
        socket.set_read_timeout(Some(Duration::from_millis(500))).expect("set");
        socket
    })
}

#[test]
fn datagrams_are_late_by_the_delay_both_ways() {
    let Some(relay) = start("delay=20ms") else { return };
    let [left, right] = sockets(&relay);
    let mut buffer = [0; 100];
    let begin = Instant::now();
    left.send_to(b"ping", (Side::Right.address(), 5_000)).unwrap();
    let (length, from) = right.recv_from(&mut buffer).unwrap();
    assert_eq!((&buffer[..length], from.ip()), (&b"ping"[..], Side::Left.address().into()));
    right.send_to(b"pong", from).unwrap();
    left.recv_from(&mut buffer).unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(40), "{:?}", begin.elapsed());
    assert!(relay.counters().iter().all(|counters| counters.carried >= 1));
}

#[test]
fn loss_is_for_all_and_can_be_changed() {
    let Some(relay) = start("loss=100") else { return };
    let [left, right] = sockets(&relay);
    let mut buffer = [0; 100];
    left.send_to(b"lost", (Side::Right.address(), 5_000)).unwrap();
    assert!(right.recv_from(&mut buffer).is_err());
    assert!(relay.counters()[0].lost >= 1);
    relay.set(&Impairments::default());
    // The order takes effect when the thread wakes.
    std::thread::sleep(Duration::from_millis(100));
    left.send_to(b"there", (Side::Right.address(), 5_000)).unwrap();
    let (length, _) = right.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"there");
}

#[test]
fn tcp_goes_through_whole_with_loss_and_a_rate() {
    let Some(relay) = start("delay=1ms,loss=1,rate=50mbit,queue=64000") else { return };
    let listener =
        relay.namespace(Side::Right).within(|| TcpListener::bind((Side::Right.address(), 0))).unwrap();
    let address = listener.local_addr().unwrap();
    let sent: Vec<u8> = (0..1_000_000_u32).map(|count| count as u8).collect();
    let received = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut all = Vec::new();
            listener.accept().unwrap().0.read_to_end(&mut all).unwrap();
            all
        });
        let mut stream = relay.namespace(Side::Left).within(|| TcpStream::connect(address)).unwrap();
        stream.write_all(&sent).unwrap();
        drop(stream);
        reader.join().unwrap()
    });
    assert!(received == sent, "{} bytes", received.len());
    assert!(relay.counters()[0].lost > 0);
}

#[test]
fn a_process_is_started_within() {
    let Some(relay) = start("") else { return };
    let mut command = std::process::Command::new("cat");
    command.arg("/proc/net/dev").stdout(std::process::Stdio::piped());
    let output = relay.namespace(Side::Left).spawn(&mut command).unwrap().wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("line0:") && !text.contains("eth0:"), "{text}");
}
