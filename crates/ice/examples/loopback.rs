//! Two agents find each other over UDP sockets on the loopback interface and exchange a greeting.
//!
//! Each runs in a thread of its own with a blocking socket; the threads' channels stand for the signalling.

#![expect(clippy::wildcard_enum_match_arm, reason = "other events are of no interest here")]

use ice::{
    Agent, Config, ConnectionState, Credentials, Event, LocalAddress, Loopback, Received, Role,
    net::FiveTuple,
};
use std::{
    error::Error,
    net::UdpSocket,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

/// What the signalling carries.
enum Signal {
    Credentials(Credentials),
    Candidate(Box<ice::Candidate>),
    End,
}

#[expect(clippy::disallowed_methods, reason = "a driver is where threads and clocks are")]
fn main() -> Result<(), Box<dyn Error>> {
    let (to_one, from_other) = channel();
    let (to_other, from_one) = channel();
    let offerer = std::thread::spawn(move || {
        run(Role::Controlling, &to_other, &from_other).map_err(|error| error.to_string())
    });
    run(Role::Controlled, &to_one, &from_one)?;
    offerer.join().map_err(|_| "the other thread panicked")??;
    Ok(())
}

fn run(role: Role, signals: &Sender<Signal>, signalled: &Receiver<Signal>) -> Result<(), Box<dyn Error>> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let local = socket.local_addr()?;
    let config = Arc::new(Config::new().with_loopback(Loopback::Allow));
    let random = crypto::rustcrypto::os_random();
    let mut agent = Agent::new(config, role, &crypto::rustcrypto::provider(), clock(), random);
    signals.send(Signal::Credentials(agent.local_credentials().clone()))?;
    agent.add_local_address(clock(), LocalAddress::new(local));
    agent.start_gathering(clock());
    agent.local_addresses_complete(clock());

    let (mut greeted, mut greeting) = (false, false);
    let (mut out, mut buffer) = (Vec::new(), [0; 2_048]);
    while !(greeted && greeting) {
        for signal in signalled.try_iter() {
            match signal {
                Signal::Credentials(credentials) => agent.set_remote_credentials(clock(), credentials),
                Signal::Candidate(candidate) => agent.add_remote_candidate(clock(), *candidate)?,
                Signal::End => agent.end_of_remote_candidates(clock()),
            }
        }
        while let Some(transmit) = agent.poll_transmit(clock(), &mut out) {
            socket.send_to(&out, transmit.path.remote)?;
            out.clear();
        }
        while let Some(event) = agent.poll_event() {
            match event {
                Event::LocalCandidate(candidate) => signals.send(Signal::Candidate(Box::new(candidate)))?,
                Event::GatheringComplete { .. } => signals.send(Signal::End)?,
                Event::ConnectionStateChanged(ConnectionState::Failed) => return Err("no pair works".into()),
                Event::ConnectionStateChanged(state) => eprintln!("{role}: {state}"),
                _ => {}
            }
        }
        // A real application would send DTLS here; its first byte is from 20 to 63.
        let write = |out: &mut Vec<u8>| {
            out.extend_from_slice(b"\x16hello");
            Some(())
        };
        if !greeting && let Some(((), transmit)) = agent.frame_with(&mut out, write) {
            socket.send_to(&out, transmit.path.remote)?;
            out.clear();
            greeting = true;
        }
        // Short, because nothing here wakes the loop when a signal comes.
        let wait = agent.poll_timeout().map_or(Duration::MAX, |at| at.saturating_duration_since(clock()));
        socket.set_read_timeout(Some(wait.clamp(Duration::from_millis(1), Duration::from_millis(20))))?;
        if let Ok((len, remote)) = socket.recv_from(&mut buffer) {
            let datagram = buffer.get(..len).unwrap_or_default();
            let received = agent.handle_datagram(clock(), FiveTuple::udp(local, remote), datagram);
            if let Received::Peer { payload } = received {
                eprintln!("{role}: {} bytes from {remote}", payload.len());
                greeted = true;
            }
        }
        agent.handle_timeout(clock());
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a driver is where the clock is read")]
fn clock() -> Instant {
    Instant::now()
}
