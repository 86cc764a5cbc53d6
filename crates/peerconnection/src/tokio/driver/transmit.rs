//! From the session to the sockets.

use super::Driver;
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
    max_segments: NonZeroUsize,
}

impl Outbox {
    pub(super) fn new(max_segments: usize) -> Self {
        let max_segments = NonZeroUsize::new(max_segments).unwrap_or(NonZeroUsize::MIN);
        // Grows to the largest batch sent: an idle connection only ever needs a datagram.
        Self { bytes: Vec::new(), blocked: None, max_segments }
    }

    /// The port that was full. Nothing is produced until it takes data again, so that the pressure reaches the
    /// congestion controllers and the pacer by itself.
    pub(super) fn blocked_port(&self) -> Option<usize> {
        self.blocked.map(|(port, _)| port)
    }
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

    /// Sends one batch; keeps it and returns `false` when the socket is full.
    fn send(&mut self, now: Instant, index: usize, transmit: Transmit) -> bool {
        let Some(port) = self.ports.get_mut(index) else { return true };
        let bytes = self.outbox.bytes.get(..transmit.len).unwrap_or_default();
        let error = match port.try_send(now, &transmit, bytes) {
            Ok(()) => return true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.outbox.blocked = Some((index, transmit));
                return false;
            }
            Err(error) => error,
        };
        match transmit.segment {
            // Segmentation can turn out to be impossible at run time (EIO, EINVAL): send one by one, lose nothing.
            Some(segment) => {
                self.outbox.max_segments = NonZeroUsize::MIN;
                for datagram in bytes.chunks(segment.get()) {
                    let single = Transmit::new(transmit.path, datagram.len()).with_ecn(transmit.ecn);
                    if let Err(error) = port.try_send(now, &single, datagram) {
                        self.session.handle_send_error(now, transmit.path, kind_of(&error));
                        break;
                    }
                }
            }
            None => self.session.handle_send_error(now, transmit.path, kind_of(&error)),
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
