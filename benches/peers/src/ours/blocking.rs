//! peerlane over a blocking socket: a loop around `Session`, without tokio.

use super::WALL;
use crate::{
    machine,
    side::{PING, Role, Rounds, Task},
    wire::{self, Wire},
};
use crypto::Provider;
use peerconnection::{
    ChannelKey, Configuration, DataChannelInit, DataChannelState, Datagram, Description, Session,
    SessionEvent,
    bytes::{Bytes, BytesMut},
    datachannel::Payload,
    stun::net::FiveTuple,
};
use std::{
    io::ErrorKind,
    net::{SocketAddr, UdpSocket},
    num::NonZeroUsize,
    time::{Duration, Instant},
};

/// How late a deadline may be met.
const SLACK: Duration = Duration::from_millis(1);

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

struct End {
    session: Session,
    socket: UdpSocket,
    address: SocketAddr,
    channel: Option<ChannelKey>,
    out: Vec<u8>,
    buffer: Vec<u8>,
}

impl End {
    fn build(provider: Provider, task: &Task) -> Result<Self, String> {
        let now = Instant::now();
        let socket = UdpSocket::bind((task.address, 0)).map_err(text)?;
        machine::buffers(&socket, 4 << 20);
        socket.set_read_timeout(Some(SLACK)).map_err(text)?;
        let address = socket.local_addr().map_err(text)?;
        let mut session =
            Session::new(Configuration::new(provider), now, WALL, crypto::os_random).map_err(text)?;
        session.add_local_address(now, address, None);
        session.local_addresses_complete(now);
        Ok(Self {
            session,
            socket,
            address,
            channel: None,
            out: Vec::with_capacity(2_048),
            buffer: vec![0; 2_048],
        })
    }

    fn negotiate(&mut self, role: Role, wire: &Wire) -> Result<(), String> {
        let now = Instant::now();
        if role == Role::Offer {
            self.channel =
                Some(self.session.create_data_channel(now, "bench", &DataChannelInit::new()).map_err(text)?);
            self.session.set_local_description(now, None).map_err(text)?;
            wire.send(&self.session.descriptions().pending_local.ok_or("no offer")?.sdp());
            let answer = Description::answer(&wire.recv()?).map_err(text)?;
            self.session.set_remote_description(Instant::now(), answer).map_err(text)
        } else {
            let offer = Description::offer(&wire.recv()?).map_err(text)?;
            self.session.set_remote_description(now, offer).map_err(text)?;
            self.session.set_local_description(now, None).map_err(text)?;
            wire.send(&self.session.descriptions().current_local.ok_or("no answer")?.sdp());
            Ok(())
        }
    }

    fn transmit(&mut self, now: Instant) -> Result<(), String> {
        while let Some(transmit) = self.session.poll_transmit(now, NonZeroUsize::MIN, &mut self.out) {
            let result = self.socket.send_to(&self.out, transmit.path.remote);
            self.out.clear();
            match result {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error.to_string()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Sends what there is, waits for a datagram, and takes it.
    fn turn(&mut self) -> Result<(), String> {
        let now = Instant::now();
        self.transmit(now)?;
        while let Some(event) = self.session.poll_event() {
            if let SessionEvent::DataChannel(announced) = event {
                self.channel = Some(announced.channel);
            }
        }
        match self.socket.recv_from(&mut self.buffer) {
            Ok((length, remote)) => {
                let now = Instant::now();
                let payload = BytesMut::from(&self.buffer[..length]);
                let path = FiveTuple::udp(self.address, remote);
                self.session.handle_datagram(now, Datagram { path, ecn: None, arrival: now, payload });
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.to_string()),
        }
        let now = Instant::now();
        if self.session.poll_timeout().is_some_and(|due| due <= now) {
            self.session.handle_timeout(now);
        }
        Ok(())
    }

    fn opened(&mut self) -> Result<ChannelKey, String> {
        loop {
            if let Some(channel) = self.channel
                && self.session.data_channel_state(channel) == DataChannelState::Open
            {
                // What the other side waits for.
                self.transmit(Instant::now())?;
                return Ok(channel);
            }
            self.turn()?;
        }
    }

    fn send(&mut self, channel: ChannelKey, message: Payload) -> Result<(), String> {
        self.session
            .send_data(Instant::now(), channel, message)
            .map_err(|_| "the channel did not take a message".to_owned())
    }

    fn message(&mut self, channel: ChannelKey) -> Result<Payload, String> {
        loop {
            if let Some(message) = self.session.recv_data(Instant::now(), channel) {
                return Ok(message);
            }
            self.turn()?;
        }
    }
}

/// Round trips only.
pub fn side(provider: Provider, task: &Task, wanted: usize, wire: &Wire) -> Result<(), String> {
    let mut end = End::build(provider, task)?;
    end.negotiate(task.role, wire)?;
    let channel = end.opened()?;
    wire::say("open", "");
    if task.role == Role::Answer {
        loop {
            let message = end.message(channel)?;
            end.send(channel, message)?;
        }
    }
    let mut rounds = Rounds::new(wanted);
    let ping = Bytes::from(vec![7; PING]);
    loop {
        rounds.ping();
        end.send(channel, Payload::binary(ping.clone()))?;
        end.message(channel)?;
        if rounds.pong() {
            break;
        }
    }
    // The measuring process ends this one.
    loop {
        end.turn()?;
    }
}
