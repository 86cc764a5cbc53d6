//! From the session to the sockets.

use super::{Driver, Port};
use ice::SendErrorKind;
use std::{io, num::NonZeroUsize, time::Instant};
use stun::net::Transmit;

/// Batches sent per turn.
const BATCHES_PER_TURN: usize = 20;

/// The batch being sent, kept when its socket is full.
#[derive(Debug)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    blocked: Option<(usize, Transmit)>,
    /// Batches that left, or were refused.
    batches: u64,
    max_segments: NonZeroUsize,
}

impl Outbox {
    pub(super) fn new(max_segments: usize) -> Self {
        let max_segments = NonZeroUsize::new(max_segments).unwrap_or(NonZeroUsize::MIN);
        // Grows to the largest batch sent: an idle connection only ever needs a datagram.
        Self { bytes: Vec::new(), blocked: None, batches: 0, max_segments }
    }

    /// The port that was full. Nothing is produced until it takes data again, so that the pressure reaches the
    /// congestion controllers and the pacer by itself.
    pub(super) fn blocked_port(&self) -> Option<usize> {
        self.blocked.map(|(port, _)| port)
    }

    /// How many batches have left.
    pub(super) fn batches(&self) -> u64 {
        self.batches
    }

    /// Sends the batch in the buffer, and keeps it when the socket is full.
    fn send(&mut self, now: Instant, index: usize, port: &mut Port, transmit: Transmit) -> Sent {
        let bytes = self.bytes.get(..transmit.len).unwrap_or_default();
        match (port.try_send(now, &transmit, bytes), transmit.segment) {
            (Ok(()), _) => Sent::Done,
            (Err(error), _) if error.kind() == io::ErrorKind::WouldBlock => {
                self.blocked = Some((index, transmit));
                Sent::Full
            }
            // Segmentation can turn out to be impossible at run time (EIO, EINVAL).
            (Err(_), Some(segment)) => {
                self.max_segments = NonZeroUsize::MIN;
                self.send_singly(now, index, port, transmit, segment)
            }
            (Err(error), None) => Sent::Refused(kind_of(&error)),
        }
    }

    /// Sends a batch datagram by datagram, and loses none: what a full socket does not take is kept.
    fn send_singly(
        &mut self,
        now: Instant,
        index: usize,
        port: &mut Port,
        batch: Transmit,
        segment: NonZeroUsize,
    ) -> Sent {
        let bytes = self.bytes.get(..batch.len).unwrap_or_default();
        let mut outcome = Sent::Done;
        for (number, datagram) in bytes.chunks(segment.get()).enumerate() {
            let single = Transmit::new(batch.path, datagram.len()).with_ecn(batch.ecn);
            match port.try_send(now, &single, datagram) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let sent = number.saturating_mul(segment.get());
                    self.bytes.drain(..sent);
                    let mut rest = batch;
                    rest.len = rest.len.saturating_sub(sent);
                    self.blocked = Some((index, rest));
                    return Sent::Full;
                }
                Err(error) => outcome = Sent::Refused(kind_of(&error)),
            }
        }
        outcome
    }
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Done,
    /// The socket is full; the batch is kept.
    Full,
    Refused(SendErrorKind),
}

impl Driver {
    /// Sends what is due. Returns whether there may be more.
    pub(super) fn transmit(&mut self, now: Instant) -> bool {
        if let Some((port, transmit)) = self.outbox.blocked.take()
            && !self.send(now, port, transmit)
        {
            return false;
        }
        for _ in 0..BATCHES_PER_TURN {
            self.outbox.bytes.clear();
            let max_segments = self.outbox.max_segments;
            let Some(transmit) = self.session.poll_transmit(now, max_segments, &mut self.outbox.bytes) else {
                return false;
            };
            let Some(port) = self.ports.iter().position(|port| port.owns(transmit.path.local)) else {
                self.session.handle_send_error(now, transmit.path, SendErrorKind::Denied);
                continue;
            };
            if !self.send(now, port, transmit) {
                return false;
            }
        }
        true
    }

    /// Sends one batch; returns `false` when the socket is full.
    fn send(&mut self, now: Instant, index: usize, transmit: Transmit) -> bool {
        let Some(port) = self.ports.get_mut(index) else { return true };
        self.outbox.batches += 1;
        match self.outbox.send(now, index, port, transmit) {
            Sent::Full => return false,
            Sent::Done => {}
            Sent::Refused(kind) => self.session.handle_send_error(now, transmit.path, kind),
        }
        true
    }
}

/// What a refused send means for the path. None of them ends anything.
#[expect(clippy::wildcard_enum_match_arm, reason = "what is not known to be worse may pass")]
fn kind_of(error: &io::Error) -> SendErrorKind {
    match error.kind() {
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::PermissionDenied => SendErrorKind::Denied,
        io::ErrorKind::ConnectionRefused => SendErrorKind::Refused,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => SendErrorKind::Unreachable,
        _ if quinn_udp::is_msg_size_err(error) => SendErrorKind::TooLarge,
        _ => SendErrorKind::Temporary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokio::udp::UdpSocket;
    use std::{collections::BTreeSet, net::SocketAddr, time::Duration};
    use stun::net::FiveTuple;

    #[expect(clippy::disallowed_methods, reason = "the port wants to know the time")]
    fn now() -> Instant {
        Instant::now()
    }

    /// Users 78: a batch that the kernel refuses to cut goes out datagram by datagram, all of it, and later batches
    /// are of one datagram.
    #[tokio::test]
    async fn users_78_without_segmentation_nothing_is_lost() {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let receiver = std::net::UdpSocket::bind(loopback).unwrap();
        receiver.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut port = Port::own(UdpSocket::bind(loopback).unwrap(), None);
        let path = FiveTuple::udp(port.socket().local(), receiver.local_addr().unwrap());
        port.socket().writable().await.unwrap();
        let mut outbox = Outbox::new(16);
        // More pieces than a kernel cuts a datagram into, and fewer than fill a receive buffer; the last is shorter.
        let segment = NonZeroUsize::new(8).unwrap();
        outbox.bytes = (0..160_u32).flat_map(|number| u64::from(number).to_be_bytes()).collect();
        outbox.bytes.extend([1, 2, 3]);
        let batch = Transmit::new(path, outbox.bytes.len()).with_segment(Some(segment));
        let mut sent = outbox.send(now(), 0, &mut port, batch);
        let mut seen = BTreeSet::new();
        let mut buffer = [0; 16];
        while seen.len() < 161 {
            let len = receiver.recv(&mut buffer).expect("no datagram is lost");
            assert!(seen.insert(buffer[..len].to_vec()), "none comes twice");
            if sent == Sent::Full
                && let Some((_, rest)) = outbox.blocked.take()
            {
                sent = outbox.send(now(), 0, &mut port, rest);
            }
        }
        assert_eq!(sent, Sent::Done);
        assert!(seen.contains(&[1, 2, 3][..]));
        assert_eq!(outbox.max_segments, NonZeroUsize::MIN);
    }

    /// Users 77: each error of a socket is a hint about a path, by its kind.
    #[test]
    fn users_77_errors_of_sockets_are_hints() {
        use io::ErrorKind;
        for (kind, hint) in [
            (ErrorKind::AddrNotAvailable, SendErrorKind::Denied),
            (ErrorKind::BrokenPipe, SendErrorKind::Temporary),
            (ErrorKind::ConnectionRefused, SendErrorKind::Refused),
            (ErrorKind::ConnectionReset, SendErrorKind::Temporary),
            (ErrorKind::HostUnreachable, SendErrorKind::Unreachable),
            (ErrorKind::InvalidInput, SendErrorKind::Temporary),
            (ErrorKind::NetworkUnreachable, SendErrorKind::Unreachable),
            (ErrorKind::Other, SendErrorKind::Temporary),
            (ErrorKind::OutOfMemory, SendErrorKind::Temporary),
            (ErrorKind::PermissionDenied, SendErrorKind::Denied),
        ] {
            assert_eq!(kind_of(&kind.into()), hint, "{kind:?}");
        }
    }

    /// Users 77: a datagram that is too large is refused by the system, and that is all.
    #[tokio::test]
    async fn users_77_a_datagram_too_large_is_a_hint() {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut port = Port::own(UdpSocket::bind(loopback).unwrap(), None);
        port.socket().writable().await.unwrap();
        let path = FiveTuple::udp(port.socket().local(), port.socket().local());
        let mut outbox = Outbox::new(1);
        outbox.bytes = vec![0; 70_000];
        let sent = outbox.send(now(), 0, &mut port, Transmit::new(path, 70_000));
        assert_eq!(sent, Sent::Refused(SendErrorKind::TooLarge));
        assert_eq!(outbox.blocked_port(), None);
    }
}
