//! Checksums, which a fuzzer does not guess.

use crate::Machine;
use std::{num::NonZeroUsize, time::Instant};

/// A machine whose datagrams are mended before it sees them, so that a change elsewhere in them is not noticed by
/// their checksum alone.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "harnesses build it")]
pub struct Mended<M> {
    /// The machine.
    pub machine: M,
    /// What mends a datagram in place.
    pub mend: fn(&mut [u8]),
}

impl<M: Machine> Machine for Mended<M> {
    type Path = M::Path;
    type Event = M::Event;
    const ENDS: bool = M::ENDS;

    fn handle_datagram(&mut self, now: Instant, path: M::Path, datagram: &mut [u8]) {
        (self.mend)(datagram);
        self.machine.handle_datagram(now, path, datagram);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.machine.handle_timeout(now);
    }

    fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<(M::Path, NonZeroUsize)> {
        self.machine.poll_transmit(now, out)
    }

    fn poll_event(&mut self) -> Option<M::Event> {
        self.machine.poll_event()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.machine.poll_timeout()
    }

    fn command(&mut self, now: Instant, choice: u64) {
        self.machine.command(now, choice);
    }

    fn close(&mut self, now: Instant) {
        self.machine.close(now);
    }

    fn is_ready(&self) -> bool {
        self.machine.is_ready()
    }

    fn check(&self) {
        self.machine.check();
    }

    fn is_final(event: &M::Event) -> bool {
        M::is_final(event)
    }
}

/// Puts the right FINGERPRINT where a STUN message ends with one (RFC 8489 §14.7).
pub fn mend_stun(datagram: &mut [u8]) {
    let Some(at) = datagram.len().checked_sub(8).filter(|at| *at >= 20) else { return };
    let (message, attribute) = datagram.split_at_mut(at);
    if attribute.starts_with(&[0x80, 0x28, 0, 4]) {
        let fingerprint = crc(0xedb8_8320, message) ^ 0x5354_554e;
        attribute[4..].copy_from_slice(&fingerprint.to_be_bytes());
    }
}

/// Puts the right checksum into an SCTP packet (RFC 9260 §6.8); one of all ones stays.
pub fn mend_sctp(packet: &mut [u8]) {
    if packet.len() < 12 || packet[8..12] == [0xff; 4] {
        return;
    }
    packet[8..12].fill(0);
    let checksum = crc(0x82f6_3b78, packet);
    packet[8..12].copy_from_slice(&checksum.to_le_bytes());
}

/// A reflected 32-bit CRC, bit by bit.
fn crc(polynomial: u32, data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ polynomial },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the two polynomials.
    #[test]
    fn checksums_are_the_published_ones() {
        assert_eq!(crc(0xedb8_8320, b"123456789"), 0xcbf4_3926);
        assert_eq!(crc(0x82f6_3b78, b"123456789"), 0xe306_9283);
    }

    #[test]
    fn a_changed_message_has_the_right_fingerprint_again() {
        let mut datagram = Vec::new();
        let id = stun::TransactionId::new([7; 12]);
        let mut builder = stun::Builder::request(&mut datagram, stun::Method::BINDING, id);
        builder.fingerprint();
        builder.finish().unwrap();
        let whole = datagram.clone();
        mend_stun(&mut datagram);
        assert_eq!(datagram, whole);
        datagram[9] ^= 1;
        assert!(stun::Message::parse(&datagram).unwrap().check_fingerprint().is_err());
        mend_stun(&mut datagram);
        assert!(stun::Message::parse(&datagram).unwrap().check_fingerprint().is_ok());
        mend_stun(&mut [0; 3]);
    }

    #[test]
    fn packets_are_mended_unless_they_say_otherwise() {
        let mut packet = [0; 16];
        mend_sctp(&mut packet);
        assert_ne!(packet[8..12], [0; 4]);
        packet[8..12].fill(0xff);
        mend_sctp(&mut packet);
        assert_eq!(packet[8..12], [0xff; 4]);
        mend_sctp(&mut packet[..11]);
    }
}
