//! str0m over UDP: it brings no sockets, so this is the loop of its examples, one thread a connection.

use crate::{
    machine,
    side::{Job, PING, Role, Rounds, Task},
    wire::{self, Wire},
};
use std::{
    io::ErrorKind,
    net::{Ipv4Addr, UdpSocket},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig,
    change::{SdpAnswer, SdpOffer},
    channel::ChannelId,
    net::{Protocol, Receive},
};

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The two ways that descriptions go.
trait Signalling {
    fn send(&self, text: String);
    fn recv(&self) -> Result<String, String>;
}

impl Signalling for &Wire {
    fn send(&self, text: String) {
        Wire::send(self, &text);
    }

    fn recv(&self) -> Result<String, String> {
        Wire::recv(self)
    }
}

impl Signalling for (Sender<String>, Receiver<String>) {
    fn send(&self, text: String) {
        let _ = self.0.send(text);
    }

    fn recv(&self) -> Result<String, String> {
        self.1.recv().map_err(text)
    }
}

struct End {
    rtc: Rtc,
    socket: UdpSocket,
    buffer: Vec<u8>,
}

/// What came of one turn.
enum Turn {
    Open(ChannelId),
    Message(ChannelId, Vec<u8>),
    Wait(Instant),
}

impl End {
    fn build(address: Ipv4Addr) -> Result<Self, String> {
        let socket = UdpSocket::bind((address, 0)).map_err(text)?;
        // As large as peerlane asks for: str0m leaves sockets to its user.
        machine::buffers(&socket, 4 << 20);
        let mut rtc = RtcConfig::new().build(Instant::now());
        let candidate = Candidate::host(socket.local_addr().map_err(text)?, "udp").map_err(text)?;
        rtc.add_local_candidate(candidate);
        Ok(Self { rtc, socket, buffer: vec![0; 2_000] })
    }

    fn negotiate(&mut self, role: Role, signalling: &impl Signalling) -> Result<(), String> {
        if role == Role::Offer {
            let mut change = self.rtc.sdp_api();
            change.add_channel("bench".to_owned());
            let (offer, pending) = change.apply().ok_or("no offer")?;
            signalling.send(offer.to_sdp_string());
            let answer = SdpAnswer::from_sdp_string(&signalling.recv()?).map_err(text)?;
            self.rtc.sdp_api().accept_answer(pending, answer).map_err(text)
        } else {
            let offer = SdpOffer::from_sdp_string(&signalling.recv()?).map_err(text)?;
            let answer = self.rtc.sdp_api().accept_offer(offer).map_err(text)?;
            signalling.send(answer.to_sdp_string());
            Ok(())
        }
    }

    /// Sends what there is to send until something happens or there is nothing left to do.
    fn turn(&mut self) -> Result<Turn, String> {
        loop {
            match self.rtc.poll_output().map_err(text)? {
                Output::Timeout(due) => return Ok(Turn::Wait(due)),
                Output::Transmit(transmit) => {
                    match self.socket.send_to(&transmit.contents, transmit.destination) {
                        Ok(_) => {}
                        // As if it were lost.
                        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                        Err(error) => return Err(error.to_string()),
                    }
                }
                Output::Event(Event::ChannelOpen(id, _)) => return Ok(Turn::Open(id)),
                Output::Event(Event::ChannelData(data)) => return Ok(Turn::Message(data.id, data.data)),
                Output::Event(_) => {}
            }
        }
    }

    /// Waits for a datagram or until `due`.
    fn wait(&mut self, due: Instant) -> Result<(), String> {
        let timeout = due.saturating_duration_since(Instant::now());
        if timeout.is_zero() {
            self.rtc.handle_input(Input::Timeout(Instant::now())).map_err(text)?;
        }
        // What is due leaves the socket readable: a datagram that waits is taken in either case.
        self.socket.set_nonblocking(timeout.is_zero()).map_err(text)?;
        if !timeout.is_zero() {
            self.socket.set_read_timeout(Some(timeout.max(Duration::from_micros(1)))).map_err(text)?;
        }
        self.buffer.resize(2_000, 0);
        let input = match self.socket.recv_from(&mut self.buffer) {
            Ok((length, source)) => {
                let received = self.buffer.get(..length).unwrap_or_default();
                let Ok(contents) = received.try_into() else { return Ok(()) };
                let destination = self.socket.local_addr().map_err(text)?;
                Input::Receive(
                    Instant::now(),
                    Receive { proto: Protocol::Udp, source, destination, contents },
                )
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Input::Timeout(Instant::now())
            }
            Err(error) => return Err(error.to_string()),
        };
        self.rtc.handle_input(input).map_err(text)
    }

    fn opened(&mut self) -> Result<ChannelId, String> {
        loop {
            match self.turn()? {
                Turn::Open(id) => return Ok(id),
                Turn::Message(..) => {}
                Turn::Wait(due) => self.wait(due)?,
            }
        }
    }

    /// Whether the channel took it.
    fn write(&mut self, id: ChannelId, data: &[u8]) -> Result<bool, String> {
        self.rtc.channel(id).ok_or("the channel closed")?.write(true, data).map_err(text)
    }
}

pub fn side(task: Task, wire: &Wire) -> Result<(), String> {
    let mut threads = Vec::new();
    for _ in 0..task.connections {
        let mut end = End::build(task.address)?;
        end.negotiate(task.role, &wire)?;
        let id = end.opened()?;
        threads.push(thread::spawn(move || work(&mut end, id, &task)));
    }
    wire::say("open", "");
    for thread in threads {
        thread.join().map_err(|_| "a thread failed")??;
    }
    Ok(())
}

fn work(end: &mut End, id: ChannelId, task: &Task) -> Result<(), String> {
    match (task.role, task.job) {
        (Role::Offer, Job::Flood(bytes)) => flood(end, id, &vec![7; bytes]),
        (Role::Answer, Job::Flood(_)) => loop {
            match end.turn()? {
                Turn::Message(_, data) => wire::count(data.len()),
                Turn::Open(_) => {}
                Turn::Wait(due) => end.wait(due)?,
            }
        },
        (Role::Offer, Job::PingPong(wanted) | Job::BlockingPingPong(wanted)) => ping(end, id, wanted),
        (Role::Answer, Job::PingPong(_) | Job::BlockingPingPong(_)) => loop {
            match end.turn()? {
                Turn::Message(id, data) => {
                    end.write(id, &data)?;
                }
                Turn::Open(_) => {}
                Turn::Wait(due) => end.wait(due)?,
            }
        },
    }
}

fn flood(end: &mut End, id: ChannelId, message: &[u8]) -> Result<(), String> {
    loop {
        while end.write(id, message)? {}
        // Only a datagram or a deadline makes room; to ask more often would only burn time.
        loop {
            match end.turn()? {
                Turn::Wait(due) => {
                    end.wait(due)?;
                    break;
                }
                Turn::Open(_) | Turn::Message(..) => {}
            }
        }
    }
}

fn ping(end: &mut End, id: ChannelId, wanted: usize) -> Result<(), String> {
    let mut rounds = Rounds::new(wanted);
    let mut done = false;
    rounds.ping();
    end.write(id, &[7; PING])?;
    loop {
        match end.turn()? {
            Turn::Message(..) if !done => {
                done = rounds.pong();
                rounds.ping();
                end.write(id, &[7; PING])?;
            }
            Turn::Open(_) | Turn::Message(..) => {}
            Turn::Wait(due) => end.wait(due)?,
        }
    }
}

/// Connects two connections, each in a thread of its own; the time is from the offer until the channel is open.
pub fn connect() -> Result<Duration, String> {
    let (to_answerer, from_offerer) = channel();
    let (to_offerer, from_answerer) = channel();
    let mut offerer = End::build(Ipv4Addr::LOCALHOST)?;
    let mut answerer = End::build(Ipv4Addr::LOCALHOST)?;
    let begin = Instant::now();
    // Both go on until the other one is done too.
    let (done, others) = channel::<()>();
    let thread = thread::spawn(move || {
        answerer.negotiate(Role::Answer, &(to_offerer, from_offerer))?;
        answerer.opened()?;
        let took = begin.elapsed();
        while others.try_recv().is_err() {
            if let Turn::Wait(due) = answerer.turn()? {
                answerer.wait(due.min(Instant::now() + Duration::from_millis(1)))?;
            }
        }
        Ok::<Duration, String>(took)
    });
    offerer.negotiate(Role::Offer, &(to_answerer, from_answerer))?;
    offerer.opened()?;
    let took = begin.elapsed();
    let _ = done.send(());
    let theirs = thread.join().map_err(|_| "the answering thread failed")??;
    Ok(took.max(theirs))
}
