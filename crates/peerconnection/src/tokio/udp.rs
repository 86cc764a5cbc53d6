//! A UDP socket with segmentation offload both ways, ECN and receive times.

use crate::session::Datagram;
use bytes::BytesMut;
use quinn_udp::{EcnCodepoint, RecvMeta, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    cell::RefCell,
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
    task::{Context, Poll, ready},
    time::{Duration, Instant, SystemTime},
};
use stun::net::{Ecn, FiveTuple, Fragmentation, Transmit, Transport};
use tokio::{io::Interest, net::UdpSocket as TokioSocket};

/// Asked for in both directions; the kernel may grant less.
const BUFFER_BYTES: usize = 4 << 20;
/// The largest batch one read can return.
const MAX_READ: usize = 65_535;
/// Read buffers are carved from slabs of this size.
const SLAB: usize = 4 * MAX_READ;
/// A datagram of ordinary size.
const ORDINARY: usize = 1_200;
/// Larger bursts overflow default receive buffers; 16 already amortise the system call.
const MAX_BURST: usize = 16;

#[derive(Debug)]
pub(super) struct UdpSocket {
    io: TokioSocket,
    state: UdpSocketState,
    local: SocketAddr,
    /// What the kernel holds of datagrams nobody has read yet, in bytes, its own bookkeeping left out.
    held: usize,
    /// Set by tests: it takes nothing more, as when the device below it is stuck.
    #[cfg(test)]
    pub(super) is_stuck: std::sync::atomic::AtomicBool,
}

/// What one read returned: datagrams of equal size from one source, end to end in one buffer.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) path: FiveTuple,
    pub(super) ecn: Option<Ecn>,
    pub(super) arrival: Instant,
    pub(super) bytes: BytesMut,
    pub(super) stride: usize,
}

impl Batch {
    /// The datagrams as batches of one.
    pub(super) fn split(self) -> impl Iterator<Item = Self> {
        let Self { path, ecn, arrival, mut bytes, stride } = self;
        std::iter::from_fn(move || {
            if bytes.is_empty() {
                return None;
            }
            let bytes = bytes.split_to(stride.clamp(1, bytes.len()));
            Some(Self { path, ecn, arrival, stride: bytes.len(), bytes })
        })
    }

    /// The datagrams, each a slice of the one buffer.
    pub(super) fn into_datagrams(self) -> impl Iterator<Item = Datagram> {
        self.split().map(|Self { path, ecn, arrival, bytes, .. }| Datagram {
            path,
            ecn,
            arrival,
            payload: bytes,
        })
    }
}

/// Read memory: a slab that datagrams are split off, reused when they are gone.
#[derive(Debug, Default)]
pub(super) struct ReadBuffer {
    slab: BytesMut,
}

thread_local! {
    static SHARED: RefCell<ReadBuffer> = RefCell::default();
}

impl ReadBuffer {
    /// Lends the read memory of this thread. Connections read one after another and are done with a batch before they
    /// wait again: one slab serves them all, and an idle connection has none.
    pub(super) fn with_shared<T>(read: impl FnOnce(&mut Self) -> T) -> T {
        SHARED.with_borrow_mut(read)
    }

    fn spare(&mut self) -> &mut [u8] {
        if self.slab.len() < MAX_READ {
            // Takes the old slab back when no datagram of it is alive, otherwise makes a new one.
            self.slab.clear();
            self.slab.reserve(SLAB);
            let size = self.slab.capacity();
            self.slab.resize(size, 0);
        }
        self.slab.get_mut(..MAX_READ).unwrap_or_default()
    }
}

impl UdpSocket {
    /// Binds to `local`; port 0 takes a free one.
    pub(super) fn bind(local: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(local), Type::DGRAM, Some(Protocol::UDP))?;
        if local.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&local.into())?;
        let io = TokioSocket::from_std(socket.into())?;
        let state = UdpSocketState::new((&io).into())?;
        // A small buffer is slower, not wrong: what the kernel refuses is only logged.
        let wanted = state
            .set_recv_buffer_size((&io).into(), BUFFER_BYTES)
            .and_then(|()| state.set_send_buffer_size((&io).into(), BUFFER_BYTES));
        let local = io.local_addr()?;
        let granted = state.recv_buffer_size((&io).into()).unwrap_or(BUFFER_BYTES);
        crate::trace::debug!(%local, granted, refused = wanted.is_err(), "bound a UDP socket");
        Ok(Self {
            io,
            state,
            local,
            // Linux counts its bookkeeping in, and so gives twice of what was asked for.
            held: granted / 2,
            #[cfg(test)]
            is_stuck: false.into(),
        })
    }

    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// What the kernel holds of datagrams nobody has read yet, in bytes.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// How many datagrams one send may carry: the peer's buffer, likely as large as ours, holds several such bursts.
    pub(super) fn max_segments(&self) -> usize {
        let burst = (self.held / 8 / ORDINARY).clamp(1, MAX_BURST);
        self.state.max_gso_segments().clamp(1, burst)
    }

    /// Sends a batch now or says that the socket is full.
    pub(super) fn try_send(&self, transmit: &Transmit, contents: &[u8]) -> io::Result<()> {
        let source = transmit.path.local.ip();
        let batch = quinn_udp::Transmit {
            destination: transmit.path.remote,
            ecn: transmit.ecn.map(ecn_to_wire),
            contents,
            segment_size: transmit.segment.map(std::num::NonZeroUsize::get),
            src_ip: (!source.is_unspecified() && self.local.ip().is_unspecified()).then_some(source),
        };
        let _guard = match transmit.fragmentation {
            Fragmentation::Forbidden => None,
            Fragmentation::Allowed => Some(MayFragment::on(&self.io, self.local)),
        };
        self.io.try_io(Interest::WRITABLE, || {
            #[cfg(test)]
            if self.is_stuck.load(std::sync::atomic::Ordering::Relaxed) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.state.try_send((&self.io).into(), &batch)
        })
    }

    /// Waits until the socket takes data again.
    pub(super) async fn writable(&self) -> io::Result<()> {
        self.io.writable().await
    }

    /// Reads one batch, or registers for wake-up.
    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuffer,
        clock: Clock,
    ) -> Poll<io::Result<Batch>> {
        loop {
            ready!(self.io.poll_recv_ready(cx))?;
            match self.try_read(buffer, clock) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    /// Reads one batch if there is one.
    pub(super) fn try_read(&self, buffer: &mut ReadBuffer, clock: Clock) -> io::Result<Batch> {
        let mut meta = [RecvMeta::default()];
        let spare = buffer.spare();
        self.io.try_io(Interest::READABLE, || {
            self.state.recv((&self.io).into(), &mut [IoSliceMut::new(spare)], &mut meta)
        })?;
        let [meta] = meta;
        let ip = match meta.dst_ip {
            Some(ip) if self.local.ip().is_unspecified() => ip,
            _ => self.local.ip(),
        };
        let local = SocketAddr::new(ip, self.local.port());
        Ok(Batch {
            path: FiveTuple { transport: Transport::Udp, local, remote: unmapped(meta.addr) },
            ecn: meta.ecn.map(ecn_from_wire),
            arrival: clock.arrival(meta.timestamp),
            bytes: buffer.slab.split_to(meta.len.min(buffer.slab.len())),
            stride: meta.stride,
        })
    }
}

/// Lets IP cut what is sent until it is dropped. Everything else is sent with "don't fragment", as probes of the path
/// MTU need it.
struct MayFragment<'a> {
    socket: &'a TokioSocket,
    local: SocketAddr,
}

impl<'a> MayFragment<'a> {
    fn on(socket: &'a TokioSocket, local: SocketAddr) -> Self {
        let guard = Self { socket, local };
        guard.set(Fragmentation::Allowed);
        guard
    }

    /// What is refused here costs a datagram at most: it is dropped where it is too long.
    #[cfg(target_os = "linux")]
    fn set(&self, fragmentation: Fragmentation) {
        use rustix::net::sockopt::{
            Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
        };
        let (v4, v6) = match fragmentation {
            Fragmentation::Allowed => (Ipv4PathMtuDiscovery::DONT, Ipv6PathMtuDiscovery::DONT),
            Fragmentation::Forbidden => (Ipv4PathMtuDiscovery::PROBE, Ipv6PathMtuDiscovery::PROBE),
        };
        let set = if self.local.is_ipv4() {
            set_ip_mtu_discover(self.socket, v4)
        } else {
            set_ipv6_mtu_discover(self.socket, v6)
        };
        if let Err(error) = set {
            crate::trace::debug!(%error, ?fragmentation, "the socket keeps what it does about fragments");
        }
    }

    /// Where the system has no such thing, or none that is known here, the datagram goes as every other.
    #[cfg(not(target_os = "linux"))]
    fn set(&self, fragmentation: Fragmentation) {
        let _ = (self.socket, self.local, fragmentation);
    }
}

impl Drop for MayFragment<'_> {
    fn drop(&mut self) {
        self.set(Fragmentation::Forbidden);
    }
}

/// The one reading of both clocks per turn of a driver; kernel receive times are wall times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) now: Instant,
    unix: Duration,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the place that reads the clocks")]
    pub(super) fn read() -> Self {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { now: Instant::now(), unix }
    }

    /// Wall time as duration since 1970.
    pub(super) fn unix(self) -> Duration {
        self.unix
    }

    /// The kernel's receive time on the monotonic clock; `now` when there is none or the wall clock jumped.
    fn arrival(self, timestamp: Option<Duration>) -> Instant {
        timestamp
            .and_then(|at| self.unix.checked_sub(at))
            .filter(|age| *age < Duration::from_secs(1))
            .and_then(|age| self.now.checked_sub(age))
            .unwrap_or(self.now)
    }
}

fn unmapped(addr: SocketAddr) -> SocketAddr {
    match addr.ip() {
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(v4) => SocketAddr::new(v4.into(), addr.port()),
            None => addr,
        },
        IpAddr::V4(_) => addr,
    }
}

fn ecn_to_wire(ecn: Ecn) -> EcnCodepoint {
    match ecn {
        Ecn::Ce => EcnCodepoint::Ce,
        Ecn::Ect0 => EcnCodepoint::Ect0,
        Ecn::Ect1 => EcnCodepoint::Ect1,
    }
}

fn ecn_from_wire(ecn: EcnCodepoint) -> Ecn {
    match ecn {
        EcnCodepoint::Ce => Ecn::Ce,
        EcnCodepoint::Ect0 => Ecn::Ect0,
        EcnCodepoint::Ect1 => Ecn::Ect1,
    }
}
