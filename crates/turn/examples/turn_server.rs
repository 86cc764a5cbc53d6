//! A TURN server for one host, over blocking sockets: `turn_server 127.0.0.1:3478 user secret`.
//!
//! One thread per socket reads; the main thread owns the server. Relaying to loopback is allowed, since this is for
//! trying things out on one host; a server on the internet leaves the peer policy as it is.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "the example is the place with threads, a clock and output"
)]

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError, SyncSender},
    },
    thread,
    time::{Duration, Instant},
};
use turn::{
    FiveTuple, Server, ServerConfig,
    server::{Event, PeerPolicy, Received, RelayAddress, RelayId, StaticUsers},
};

/// Where a datagram came in.
#[derive(Clone, Copy)]
enum Socket {
    Listener,
    Relay(RelayId),
}

struct Datagram {
    socket: Socket,
    from: SocketAddr,
    bytes: Vec<u8>,
}

struct Relay {
    socket: Arc<UdpSocket>,
    is_closed: Arc<AtomicBool>,
}

struct Driver {
    server: Server,
    listener: Arc<UdpSocket>,
    local: SocketAddr,
    relays: BTreeMap<RelayId, Relay>,
    inbox: SyncSender<Datagram>,
    out: Vec<u8>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:3478".to_owned());
    let username = arguments.next().unwrap_or_else(|| "user".to_owned());
    let password = arguments.next().unwrap_or_else(|| "secret".to_owned());

    let listener = Arc::new(UdpSocket::bind(&address)?);
    let local = listener.local_addr()?;
    let config = ServerConfig::new("example.org", [RelayAddress::new(local.ip())])
        .with_listener(local)
        .with_peer_policy(PeerPolicy::new().allow("127.0.0.0/8".parse()?).allow("::1".parse()?));
    let users = StaticUsers::new().with(username, password);
    let provider = crypto::rustcrypto::provider();
    let server =
        Server::new(config, Box::new(users), &provider, Instant::now(), crypto::rustcrypto::os_random())?;

    // Bounded: when the main thread is behind, the kernel drops.
    let (inbox, datagrams) = mpsc::sync_channel(1_024);
    read_from(Arc::clone(&listener), Socket::Listener, Arc::new(AtomicBool::new(false)), inbox.clone());
    let mut driver = Driver { server, listener, local, relays: BTreeMap::new(), inbox, out: Vec::new() };
    println!("TURN server at {local}");
    loop {
        let next = driver.server.poll_timeout();
        let wait = next.map_or(Duration::from_secs(3_600), |at| at.saturating_duration_since(Instant::now()));
        match datagrams.recv_timeout(wait) {
            Ok(datagram) => {
                driver.handle(&datagram);
                // Whatever else has come in by now, before polling once.
                for datagram in datagrams.try_iter().take(64) {
                    driver.handle(&datagram);
                }
            }
            Err(RecvTimeoutError::Timeout) => driver.server.handle_timeout(Instant::now()),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        driver.poll();
    }
}

impl Driver {
    fn handle(&mut self, datagram: &Datagram) {
        let now = Instant::now();
        match datagram.socket {
            Socket::Listener => {
                let path = FiveTuple::udp(self.local, datagram.from);
                if let Received::Relay { relay, peer, payload } =
                    self.server.handle_datagram(now, path, &datagram.bytes)
                    && let Some(relay) = self.relays.get(&relay)
                    && let Err(error) = relay.socket.send_to(&datagram.bytes[payload], peer)
                {
                    println!("to {peer}: {error}");
                }
            }
            Socket::Relay(relay) => {
                let bytes = &datagram.bytes;
                self.out.clear();
                let transmit =
                    self.server.handle_relay_datagram(now, relay, datagram.from, bytes, &mut self.out);
                if let Some(transmit) = transmit {
                    self.send(transmit.path.remote);
                }
            }
        }
    }

    fn poll(&mut self) {
        let now = Instant::now();
        while let Some(event) = self.server.poll_event() {
            println!("{event:?}");
            match event {
                Event::OpenRelay { relay, ip, .. } => match self.open(relay, SocketAddr::new(ip, 0)) {
                    Ok(local) => self.server.relay_opened(now, relay, local),
                    Err(_) => self.server.relay_failed(now, relay),
                },
                Event::CloseRelay { relay } => {
                    if let Some(relay) = self.relays.remove(&relay) {
                        relay.is_closed.store(true, Ordering::Relaxed);
                    }
                }
                Event::Allocated { .. } | Event::Closed | Event::Released { .. } | _ => {}
            }
        }
        self.out.clear();
        while let Some(transmit) = self.server.poll_transmit(now, &mut self.out) {
            self.send(transmit.path.remote);
        }
    }

    fn open(&mut self, relay: RelayId, address: SocketAddr) -> std::io::Result<SocketAddr> {
        let socket = Arc::new(UdpSocket::bind(address)?);
        let is_closed = Arc::new(AtomicBool::new(false));
        read_from(Arc::clone(&socket), Socket::Relay(relay), Arc::clone(&is_closed), self.inbox.clone());
        let local = socket.local_addr()?;
        self.relays.insert(relay, Relay { socket, is_closed });
        Ok(local)
    }

    fn send(&mut self, client: SocketAddr) {
        if let Err(error) = self.listener.send_to(&self.out, client) {
            println!("to {client}: {error}");
        }
        self.out.clear();
    }
}

/// Reads a socket until it is closed, which it notices within a quarter of a second.
fn read_from(socket: Arc<UdpSocket>, which: Socket, is_closed: Arc<AtomicBool>, inbox: SyncSender<Datagram>) {
    thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        if socket.set_read_timeout(Some(Duration::from_millis(250))).is_err() {
            return;
        }
        while !is_closed.load(Ordering::Relaxed) {
            if let Ok((len, from)) = socket.recv_from(&mut buffer) {
                let datagram = Datagram { socket: which, from, bytes: buffer[..len].to_vec() };
                if inbox.send(datagram).is_err() {
                    return;
                }
            }
        }
    });
}
