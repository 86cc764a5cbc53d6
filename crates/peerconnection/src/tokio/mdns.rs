//! `.local` names: asking the local network for a peer's address, and answering for our own.
//!
//! One task per connection, started when the first name comes up; most connections never have one.

use super::{
    interfaces::{self, Loopback},
    udp::Clock,
};
use ice::mdns::{GROUP_V4, GROUP_V6, MdnsTransmit, PORT, Resolution, Resolver, Responder};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Instant,
};
use tokio::{net::UdpSocket, sync::mpsc, task::JoinHandle, time::sleep_until};

/// Requests and answers on their way between driver and task.
const QUEUE: usize = 128;

/// What a name turned out to be.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) name: String,
    /// `None` when nobody answered.
    pub(super) address: Option<IpAddr>,
}

#[derive(Debug)]
enum Request {
    Publish(String, IpAddr),
    Resolve(String),
    Withdraw(String),
}

/// The driver's side of the task.
#[derive(Debug, Default)]
pub(super) struct Names {
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    requests: mpsc::Sender<Request>,
    answers: mpsc::Receiver<Resolved>,
    task: JoinHandle<()>,
}

impl Names {
    /// Asks the network; the answer comes out of [`Names::next`].
    pub(super) fn resolve(&mut self, name: String) {
        self.request(Request::Resolve(name));
    }

    /// Answers for a name of ours from now on.
    pub(super) fn publish(&mut self, name: String, address: IpAddr) {
        self.request(Request::Publish(name, address));
    }

    /// Answers for it no longer.
    pub(super) fn withdraw(&mut self, name: String) {
        self.request(Request::Withdraw(name));
    }

    /// The next answer; waits for ever while there is nothing to wait for.
    pub(super) async fn next(&mut self) -> Option<Resolved> {
        match &mut self.running {
            Some(running) => match running.answers.recv().await {
                Some(resolved) => Some(resolved),
                // The task could not open its sockets: unresolved names time out in the agent.
                None => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }

    fn request(&mut self, request: Request) {
        let running = self.running.get_or_insert_with(|| {
            let (requests, queue) = mpsc::channel(QUEUE);
            let (found, answers) = mpsc::channel(QUEUE);
            Running { requests, answers, task: tokio::spawn(Multicast::run(queue, found)) }
        });
        // More names at a time than any peer has: those beyond time out in the agent.
        let _ = running.requests.try_send(request);
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.task.abort();
        }
    }
}

/// A socket that belongs to a multicast group on one interface.
struct Member {
    socket: UdpSocket,
    group: SocketAddr,
}

struct Multicast {
    members: Vec<Member>,
    resolver: Resolver,
    responder: Responder,
}

impl Multicast {
    async fn run(mut requests: mpsc::Receiver<Request>, found: mpsc::Sender<Resolved>) {
        let mut multicast = Self { members: join(), resolver: Resolver::new(), responder: Responder::new() };
        let mut buffer = vec![0; 9_000];
        loop {
            let now = Clock::read().now;
            multicast.handle_timeout(now);
            multicast.transmit(now).await;
            while let Some(Resolution { name, address, .. }) = multicast.resolver.poll_event() {
                if found.send(Resolved { name, address }).await.is_err() {
                    return;
                }
            }
            let deadline = [multicast.resolver.poll_timeout(), multicast.responder.poll_timeout()];
            let deadline = deadline.into_iter().flatten().min();
            tokio::select! {
                request = requests.recv() => match request {
                    Some(request) => multicast.request(Clock::read().now, request),
                    None => return,
                },
                (from, len) = receive(&multicast.members, &mut buffer) => {
                    let now = Clock::read().now;
                    let datagram = buffer.get(..len).unwrap_or_default();
                    multicast.resolver.handle_datagram(now, from, datagram);
                    multicast.responder.handle_datagram(now, from, datagram);
                }
                () = sleep_until(deadline.unwrap_or(now).into()), if deadline.is_some() => {}
            }
        }
    }

    fn request(&mut self, now: Instant, request: Request) {
        match request {
            // Refused names are no `.local` names: the agent gives up on them by itself.
            Request::Resolve(name) => drop(self.resolver.resolve(now, &name)),
            Request::Publish(name, address) => drop(self.responder.publish(now, &name, address)),
            Request::Withdraw(name) => self.responder.withdraw(now, &name),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.resolver.handle_timeout(now);
        self.responder.handle_timeout(now);
    }

    async fn transmit(&mut self, now: Instant) {
        let mut out = Vec::new();
        loop {
            out.clear();
            let transmit = match self.resolver.poll_transmit(now, &mut out) {
                Some(transmit) => transmit,
                None => match self.responder.poll_transmit(now, &mut out) {
                    Some(transmit) => transmit,
                    None => return,
                },
            };
            let MdnsTransmit { to, .. } = transmit;
            for member in &self.members {
                let same_family = member.group.is_ipv4() == to.is_ipv4();
                if same_family {
                    let target = if to.ip().is_multicast() { member.group } else { to };
                    // An interface that cannot send now is skipped; questions are repeated.
                    let _ = member.socket.send_to(&out, target).await;
                }
            }
        }
    }
}

/// The next datagram of any socket; for ever when there is none.
async fn receive(members: &[Member], buffer: &mut [u8]) -> (SocketAddr, usize) {
    std::future::poll_fn(|cx| {
        for member in members {
            let mut read = tokio::io::ReadBuf::new(buffer);
            while let std::task::Poll::Ready(result) = member.socket.poll_recv_from(cx, &mut read) {
                if let Ok(from) = result {
                    return std::task::Poll::Ready((from, read.filled().len()));
                }
            }
        }
        std::task::Poll::Pending
    })
    .await
}

/// One socket per interface and family; interfaces that refuse are left out.
fn join() -> Vec<Member> {
    let interfaces = interfaces::list(Loopback::Include).unwrap_or_default();
    let mut members = Vec::new();
    for interface in &interfaces {
        let member = match interface.ip {
            IpAddr::V4(ip) => join_v4(ip),
            IpAddr::V6(_) => join_v6(interface.index),
        };
        members.extend(member.ok());
    }
    members
}

fn join_v4(interface: Ipv4Addr) -> io::Result<Member> {
    let socket = shared_socket(Domain::IPV4, (Ipv4Addr::UNSPECIFIED, PORT).into())?;
    let IpAddr::V4(group) = GROUP_V4.ip() else { return Err(io::ErrorKind::InvalidInput.into()) };
    socket.join_multicast_v4(&group, &interface)?;
    socket.set_multicast_if_v4(&interface)?;
    // RFC 6762 §11: the link only; our own process may be asked as well.
    socket.set_multicast_ttl_v4(255)?;
    socket.set_multicast_loop_v4(true)?;
    Ok(Member { socket: UdpSocket::from_std(socket.into())?, group: GROUP_V4 })
}

fn join_v6(interface: u32) -> io::Result<Member> {
    let socket = shared_socket(Domain::IPV6, (Ipv6Addr::UNSPECIFIED, PORT).into())?;
    let IpAddr::V6(group) = GROUP_V6.ip() else { return Err(io::ErrorKind::InvalidInput.into()) };
    socket.join_multicast_v6(&group, interface)?;
    socket.set_multicast_if_v6(interface)?;
    socket.set_multicast_hops_v6(255)?;
    socket.set_multicast_loop_v6(true)?;
    Ok(Member { socket: UdpSocket::from_std(socket.into())?, group: GROUP_V6 })
}

/// Port 5353 is shared with whatever else answers on this machine.
fn shared_socket(domain: Domain, address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}
