//! What goes into the next packet, decided when it is asked for.

use crate::association::Association;
use crate::cause;
use crate::chunk::init::InitFields;
use crate::chunk::{self, ChunkWriter, abort, init, shutdown};
use crate::packet::{self, Checksum};
use crate::path::Fragmentation;
use crate::state::{LastChunk, State, Timer};
use base::PutExt;
use std::num::NonZeroUsize;
use std::time::Instant;

/// Control chunks owed to the peer.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    pub(crate) init: bool,
    pub(crate) cookie_echo: bool,
    pub(crate) cookie_ack: bool,
    pub(crate) heartbeat: bool,
    pub(crate) shutdown: bool,
    pub(crate) shutdown_ack: bool,
    /// Values to send back.
    pub(crate) heartbeat_acks: Vec<Vec<u8>>,
    /// One cause, ready to be put into an ERROR.
    pub(crate) error: Option<Vec<u8>>,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        let Self { init, cookie_echo, cookie_ack, heartbeat, shutdown, shutdown_ack, heartbeat_acks, error } =
            self;
        let flags = [init, cookie_echo, cookie_ack, heartbeat, shutdown, shutdown_ack];
        !flags.into_iter().any(|flag| *flag) && heartbeat_acks.is_empty() && error.is_none()
    }
}

/// A packet of its own, under a tag of its own.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) tag: u32,
    pub(crate) body: ReplyBody,
}

/// What it holds.
#[derive(Debug)]
pub(crate) enum ReplyBody {
    InitAck {
        fields: InitFields,
        cookie: Vec<u8>,
        unrecognized: Vec<Vec<u8>>,
    },
    /// Refuses an INIT, with a cause.
    Abort(u16),
    /// RFC 9260 §8.4: the tag is the receiver's own.
    AbortReflected,
    ShutdownCompleteReflected,
    /// By how many microseconds the cookie is too old.
    StaleCookie(u32),
    CookieWhileShuttingDown,
}

impl Association {
    pub(crate) fn write_packet(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<NonZeroUsize> {
        let start = out.len();
        let checksum = self.checksum();
        let mut is_probe = false;
        let wrote = match self.state {
            State::Done => false,
            State::Ending { .. } => self.write_last(out),
            _ if !self.replies.is_empty() => self.write_reply(out),
            State::Closed => false,
            State::CookieWait => self.write_init(out),
            //= rfc9260 §5.1
            //# until the COOKIE ACK chunk is returned, the sender MUST NOT send any other packets to the peer.
            State::CookieEchoed { .. } => self.write_cookie_echo(now, out),
            State::Established
            | State::ShutdownPending
            | State::ShutdownSent
            | State::ShutdownReceived
            | State::ShutdownAckSent => {
                is_probe = self.write_probe(now, out);
                is_probe || self.write_connected(now, out)
            }
        };
        if !wrote {
            out.truncate(start);
            return None;
        }
        //= rfc9260 §6.8
        //# the endpoint MUST strengthen the data integrity of the transmission by including the CRC32c checksum value
        //# calculated on the packet
        //= rfc9260 §6.8
        //# one or more control or DATA chunks), the transmitter MUST:
        if checksum == Checksum::Crc32c {
            packet::seal(out, start);
        }
        let len = out.len() - start;
        //= rfc9260 §6.9
        //# Instead, if the PMTU has been reduced, then IP fragmentation MUST be used.
        let may_be_cut = len > self.max_packet_len && !is_probe;
        self.fragmentation = if may_be_cut { Fragmentation::Allowed } else { Fragmentation::Forbidden };
        self.stats.packets_sent += 1;
        self.stats.bytes_sent += len as u64;
        NonZeroUsize::new(len)
    }

    /// What the next packet has for a checksum. Zero is for a peer that announced it (RFC 9653 §5), and never for what
    /// holds an INIT or COOKIE ECHO, nor for an answer out of the blue, which is what the replies are.
    fn checksum(&self) -> Checksum {
        let sets_up = matches!(self.state, State::CookieWait | State::CookieEchoed { .. });
        let agreed = self.offered().zero_checksum && self.peer.extensions.zero_checksum;
        if agreed && !sets_up && self.replies.is_empty() { Checksum::OrZero } else { Checksum::Crc32c }
    }

    pub(crate) fn start_packet(&self, out: &mut Vec<u8>, tag: u32) {
        packet::write_header(out, self.config.local_port, self.config.remote_port, tag);
    }

    fn write_reply(&mut self, out: &mut Vec<u8>) -> bool {
        //= rfc9260 §3
        //# INIT, INIT ACK, and SHUTDOWN COMPLETE chunks MUST NOT be bundled with any other chunk into an SCTP packet.
        //= rfc9260 §5.1
        //# They MUST be the only chunks present in the SCTP packets that carry them.
        //= rfc9260 §5.1
        //# An INIT or INIT ACK chunk MUST NOT be bundled with any other chunk.
        //= rfc9260 §6.10
        //# An endpoint MUST NOT bundle INIT, INIT ACK, or SHUTDOWN COMPLETE chunks with any other chunks.
        //= rfc9260 §12.3
        //# (1) an INIT chunk MUST NOT be bundled with any other chunk in a packet and (2) a packet containing an INIT
        //# chunk MUST have a zero Verification Tag.
        if self.replies.is_empty() {
            return false;
        }
        let reply = self.replies.remove(0);
        // Few come after the handshake.
        self.replies.shrink_to_fit();
        self.start_packet(out, reply.tag);
        match reply.body {
            ReplyBody::InitAck { fields, cookie, unrecognized } => {
                init::write(out, chunk::INIT_ACK, &fields, self.offered(), Some(&cookie), &unrecognized);
                self.announce();
            }
            ReplyBody::Abort(cause) => abort::write(out, cause, &[]),
            //= rfc9260 §8.4
            //# the receiver of the OOTB packet MUST fill in the Verification Tag field of the outbound packet with
            //# the value found in the Verification Tag field of the OOTB packet and set the T bit
            //= rfc9260 §8.5.1
            //# If the ABORT chunk is sent in response to an OOTB packet, the endpoint MUST follow the procedure
            //# described in Section 8.4.
            ReplyBody::AbortReflected => abort::write_reflected(out),
            //= rfc9260 §3.1
            //# A packet containing a SHUTDOWN COMPLETE chunk with the T bit set MUST have the Verification Tag copied
            //# from the packet with the SHUTDOWN ACK chunk.
            //= rfc9260 §3.3.13
            //# If the Verification Tag is reflected, the T bit MUST be set to 1.
            //= rfc9260 §8.4
            //# the receiver of the OOTB packet MUST fill in the Verification Tag field of the outbound packet with
            //# the Verification Tag received in the SHUTDOWN ACK chunk and set the T bit
            //= rfc9260 §8.5.1
            //# Only where no TCB exists SHOULD the sender use the Verification Tag from the SHUTDOWN ACK chunk and
            //# MUST set the T bit.
            ReplyBody::ShutdownCompleteReflected => {
                chunk::write(out, chunk::SHUTDOWN_COMPLETE, chunk::FLAG_T, &[]);
            }
            ReplyBody::StaleCookie(late) => {
                let error = ChunkWriter::start(out, chunk::ERROR, 0);
                cause::write(out, cause::STALE_COOKIE, &late.to_be_bytes());
                error.finish(out);
            }
            ReplyBody::CookieWhileShuttingDown => {
                let error = ChunkWriter::start(out, chunk::ERROR, 0);
                cause::write(out, cause::COOKIE_WHILE_SHUTTING_DOWN, &[]);
                error.finish(out);
            }
        }
        true
    }

    fn write_last(&mut self, out: &mut Vec<u8>) -> bool {
        self.start_packet(out, self.peer.tag);
        let State::Ending { last, reason } = &self.state else { return false };
        match last {
            //= rfc9260 §3.3.7
            //# DATA chunks MUST NOT be bundled with ABORT chunks.
            //= rfc9260 §3.3.7
            //# but they MUST be placed before the ABORT chunk in the SCTP packet
            //= rfc9260 §8.5.1
            //# The endpoint MUST always fill in the Verification Tag field of the outbound packet with the
            //# destination endpoint's tag value if it is known.
            //= rfc9260 §9.1
            //# The sender MUST fill in the peer's Verification Tag in the outbound packet and MUST NOT bundle any
            //# DATA chunk with the ABORT chunk.
            LastChunk::Abort { cause, text } => abort::write(out, *cause, text),
            //= rfc9260 §8.5.1
            //# if the receiver of the SHUTDOWN ACK chunk has a TCB, then the destination endpoint's tag MUST be used
            //# and the T bit MUST NOT be set.
            LastChunk::ShutdownComplete => chunk::write(out, chunk::SHUTDOWN_COMPLETE, 0, &[]),
        }
        self.close(*reason);
        true
    }

    fn write_init(&mut self, out: &mut Vec<u8>) -> bool {
        if !std::mem::take(&mut self.pending.init) {
            return false;
        }
        //= rfc9260 §3.1
        //# A packet containing an INIT chunk MUST have a zero Verification Tag.
        self.start_packet(out, 0);
        init::write(out, chunk::INIT, &self.init_fields(self.local), self.offered(), None, &[]);
        self.announce();
        true
    }

    /// COOKIE ECHO, with as much data behind it as fits (RFC 9260 §5.1.3): it saves a round trip.
    fn write_cookie_echo(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        let State::CookieEchoed { cookie } = &self.state else { return false };
        if !std::mem::take(&mut self.pending.cookie_echo) {
            return false;
        }
        let start = out.len();
        self.start_packet(out, self.peer.tag);
        //= rfc9260 §3.2.2
        //# Any time a COOKIE ECHO chunk is sent in a packet, it MUST be the first chunk.
        //= rfc9260 §3.3.11
        //# This chunk MUST precede any DATA chunk sent within the association but MAY be bundled with one or more
        //# DATA chunks in the same packet.
        //= rfc9260 §3.3.11
        //# This field MUST contain the exact cookie received in the State Cookie parameter from the previous INIT ACK
        //# chunk.
        //= rfc9260 §8.5.1
        //# When sending a COOKIE ECHO chunk, the endpoint MUST use the value of the Initiate Tag received in the INIT
        //# ACK chunk.
        chunk::write(out, chunk::COOKIE_ECHO, 0, cookie);
        self.sender.set_max_packet_len(self.path_mtu.first_packet_len());
        self.sender.write_data(now, out, start, &mut self.events, &mut self.stats);
        self.apply_path_mtu();
        true
    }

    fn write_connected(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        //= rfc9260 §3.1
        //# On transmit, the value of the Verification Tag MUST be set to the value of the Initiate Tag received from
        //# the peer endpoint during the association initialization, with the following exceptions:
        //= rfc9260 §8.5
        //# the endpoint MUST fill in the Verification Tag field of the outbound packet with the tag value in the
        //# Initiate Tag parameter of the INIT or INIT ACK chunk received from its peer.
        self.start_packet(out, self.peer.tag);
        //= rfc9260 §6.10
        //# When bundling control chunks with DATA chunks, an endpoint MUST place control chunks first in the
        //# outbound SCTP packet.
        //= rfc9260 §6
        //# Control chunks MUST come before DATA chunks in the packet.
        //= rfc9260 §12.4
        //# the sender of the response chunk(s) MUST NOT send more than one packet containing chunks other than DATA
        //# chunks.
        self.write_control(now, out, start);
        let mut wrote_data = false;
        //= rfc9260 §6
        //# Data transmission MUST only happen in the ESTABLISHED, SHUTDOWN-PENDING, and SHUTDOWN-RECEIVED states.
        if self.state.may_send_data() {
            wrote_data = self.sender.write_data(now, out, start, &mut self.events, &mut self.stats);
        }
        if wrote_data {
            //= rfc9260 §6.1
            //# If the timer for that address is already running, the sender MUST restart the timer if the earliest
            //# (i.e., lowest TSN) outstanding DATA chunk sent to that address is being retransmitted. Otherwise, the data
            //# sender MUST NOT restart the timer.
            if self.sender.take_first_repeated() {
                self.timers.stop(Timer::Retransmit);
            }
            self.arm_retransmit(now);
            if self.timers.get(Timer::TailProbe).is_none() {
                self.arm_probe(now);
            }
        }
        match self.sender.held_until(now) {
            Some(at) => self.timers.set(Timer::Pace, at),
            None => self.timers.stop(Timer::Pace),
        }
        // Giving up the last message may be what a shutdown waited for.
        self.continue_shutdown(now);
        out.len() > start + packet::HEADER_LEN
    }

    /// Control chunks come before data (RFC 9260 §6.10).
    fn write_control(&mut self, now: Instant, out: &mut Vec<u8>, start: usize) {
        //= rfc9260 §5.1.5
        //# however, the COOKIE ACK chunk MUST be the first chunk in the SCTP packet.
        //= rfc9260 §3.3.12
        //# This chunk MUST precede any DATA or SACK chunk sent within the association
        //= rfc9260 §5.1
        //# the COOKIE ACK chunk MUST be the first chunk in the packet.
        //= rfc9260 §5.1.5
        //# As mentioned in step 6, if the SACK chunk is bundled with the COOKIE ACK chunk, the COOKIE ACK chunk MUST
        //# appear first in the SCTP packet.
        if std::mem::take(&mut self.pending.cookie_ack) {
            chunk::write(out, chunk::COOKIE_ACK, 0, &[]);
        }
        self.write_sack(now, out, start);
        let mut written = 0;
        for value in &self.pending.heartbeat_acks {
            let is_first = out.len() == start + packet::HEADER_LEN;
            if self.space(out, start) < chunk::HEADER_LEN + value.len() + 3 && !is_first {
                // For the next packet.
                break;
            }
            chunk::write(out, chunk::HEARTBEAT_ACK, 0, value);
            written += 1;
        }
        self.pending.heartbeat_acks.drain(..written);
        if let Some(error) = self.pending.error.take_if(|error| {
            chunk::HEADER_LEN + error.len() + packet::HEADER_LEN + (out.len() - start) <= self.max_packet_len
        }) {
            let chunk = ChunkWriter::start(out, chunk::ERROR, 0);
            out.put_slice(&error);
            chunk.finish(out);
        }
        if self.sender.is_forward_pending() {
            let space = self.space(out, start);
            if self.sender.write_forward(now, out, space) {
                self.arm_retransmit(now);
            }
        }
        self.write_reconfig(now, out, start);
        if std::mem::take(&mut self.pending.shutdown) {
            shutdown::write(out, self.receiver.cumulative());
        }
        if std::mem::take(&mut self.pending.shutdown_ack) {
            chunk::write(out, chunk::SHUTDOWN_ACK, 0, &[]);
        }
        if self.pending.heartbeat && self.space(out, start) >= 16 {
            self.pending.heartbeat = false;
            let value = self.heartbeat_value(now);
            chunk::write(out, chunk::HEARTBEAT, 0, &value);
        }
    }

    /// A SACK that is due, or one that may wait and now has data to ride with.
    fn write_sack(&mut self, now: Instant, out: &mut Vec<u8>, start: usize) {
        let rides = self.receiver.is_ack_owed()
            && self.state.may_send_data()
            && self.sender.is_ready(now, &mut self.events, &mut self.stats);
        if !self.receiver.is_ack_due() && !rides {
            return;
        }
        let space = self.space(out, start);
        if self.receiver.write_sack(out, space) {
            self.stats.sacks_sent += 1;
            self.timers.stop(Timer::Ack);
        }
    }

    //= rfc9260 §6.10
    //# The total size of the resultant SCTP packet MUST be less that or equal to the current PMTU.
    //= rfc9260 §6.10
    //# Partial chunks MUST NOT be placed in an SCTP packet.
    //= rfc9260 §6.9
    //# The implementation MUST also take into account the space required for a SACK chunk if bundling a SACK chunk
    //# with the DATA chunk.
    fn space(&self, out: &[u8], start: usize) -> usize {
        (self.max_packet_len & !3).saturating_sub(out.len() - start)
    }
}
