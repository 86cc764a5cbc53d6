//! A TURN client over a blocking socket: `allocate 127.0.0.1:3478 user secret`.
//!
//! It allocates, and lets a second socket of its own be the peer: a datagram goes through the relay to it, and one
//! comes back over a channel.

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
use turn::{
    Client, ClientConfig, Family, FiveTuple,
    client::{Event, Received},
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let server: SocketAddr = arguments.next().unwrap_or_else(|| "127.0.0.1:3478".to_owned()).parse()?;
    let username = arguments.next().unwrap_or_else(|| "user".to_owned());
    let password = arguments.next().unwrap_or_else(|| "secret".to_owned());

    let socket = local_socket(server)?;
    let peer_socket = local_socket(server)?;
    let peer = peer_socket.local_addr()?;
    let path = FiveTuple::udp(socket.local_addr()?, server);
    let config = ClientConfig::new(path, username, &password).with_family(Family::of(server.ip()));
    let provider = crypto::rustcrypto::provider();
    let mut client = Client::new(config, &provider, Instant::now(), crypto::rustcrypto::os_random())?;
    client.bind_channel(Instant::now(), peer)?;

    let (mut out, mut buffer) = (Vec::new(), vec![0; 65_536]);
    loop {
        let now = Instant::now();
        client.handle_timeout(now);
        while let Some(transmit) = client.poll_transmit(now, &mut out) {
            socket.send_to(&out, transmit.path.remote)?;
            out.clear();
        }
        while let Some(event) = client.poll_event() {
            println!("{event:?}");
            match event {
                Event::ChannelBound(peer) => {
                    let ping = |out: &mut Vec<u8>| {
                        out.extend_from_slice(b"ping");
                        Some(())
                    };
                    if let Some(((), transmit)) = client.frame_with(peer, &mut out, ping) {
                        socket.send_to(&out, transmit.path.remote)?;
                        out.clear();
                    }
                    let (len, relayed) = peer_socket.recv_from(&mut buffer)?;
                    println!("the peer got {:?} from {relayed}", String::from_utf8_lossy(&buffer[..len]));
                    peer_socket.send_to(b"pong", relayed)?;
                }
                Event::Failed(error) => return Err(error.into()),
                Event::ChannelFailed { error, .. } => return Err(error.into()),
                Event::Closed(_) => return Ok(()),
                Event::Allocated { .. } | Event::PermissionReady(_) | _ => {}
            }
        }
        let Some(at) = client.poll_timeout() else { return Ok(()) };
        let wait = at.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        socket.set_read_timeout(Some(wait))?;
        match socket.recv_from(&mut buffer) {
            Ok((len, from)) => {
                let path = FiveTuple::udp(path.local, from);
                if let Received::Peer { from, payload } =
                    client.handle_datagram(Instant::now(), path, &buffer[..len])
                {
                    println!("{from} sent {:?}", String::from_utf8_lossy(&buffer[payload]));
                    client.close(Instant::now());
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A socket on the address from which the server is reached.
fn local_socket(server: SocketAddr) -> std::io::Result<UdpSocket> {
    let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let probe = UdpSocket::bind(any)?;
    probe.connect(server)?;
    UdpSocket::bind(SocketAddr::new(probe.local_addr()?.ip(), 0))
}
