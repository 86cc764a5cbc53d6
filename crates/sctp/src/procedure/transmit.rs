//! What goes into the next packet, decided when it is asked for.

use crate::association::Association;
use crate::cause;
use crate::chunk::init::InitFields;
use crate::chunk::{self, ChunkWriter, abort, init, shutdown};
use crate::packet::{self, Checksum};
use crate::path::Fragmentation;
use crate::state::{LastChunk, State, Timer};
use base::PutExt;
use std::collections::VecDeque;
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
    pub(crate) heartbeat_acks: VecDeque<Vec<u8>>,
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
        if checksum == Checksum::Crc32c {
            packet::seal(out, start);
        }
        let len = out.len() - start;
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
        let Some(reply) = self.replies.pop_front() else { return false };
        self.start_packet(out, reply.tag);
        match reply.body {
            ReplyBody::InitAck { fields, cookie, unrecognized } => {
                init::write(out, chunk::INIT_ACK, &fields, self.offered(), Some(&cookie), &unrecognized);
                self.announce();
            }
            ReplyBody::Abort(cause) => abort::write(out, cause, &[]),
            ReplyBody::AbortReflected => abort::write_reflected(out),
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
            LastChunk::Abort { cause, text } => abort::write(out, *cause, text),
            LastChunk::ShutdownComplete => chunk::write(out, chunk::SHUTDOWN_COMPLETE, 0, &[]),
        }
        self.close(*reason);
        true
    }

    fn write_init(&mut self, out: &mut Vec<u8>) -> bool {
        if !std::mem::take(&mut self.pending.init) {
            return false;
        }
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
        chunk::write(out, chunk::COOKIE_ECHO, 0, cookie);
        self.sender.set_max_packet_len(self.path_mtu.first_packet_len());
        self.sender.write_data(now, out, start, &mut self.events, &mut self.stats);
        self.apply_path_mtu();
        true
    }

    fn write_connected(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        self.start_packet(out, self.peer.tag);
        self.write_control(now, out, start);
        let mut wrote_data = false;
        if self.state.may_send_data() {
            wrote_data = self.sender.write_data(now, out, start, &mut self.events, &mut self.stats);
        }
        if wrote_data {
            self.arm_retransmit(now);
        }
        // Giving up the last message may be what a shutdown waited for.
        self.continue_shutdown(now);
        out.len() > start + packet::HEADER_LEN
    }

    /// Control chunks come before data (RFC 9260 §6.10).
    fn write_control(&mut self, now: Instant, out: &mut Vec<u8>, start: usize) {
        if std::mem::take(&mut self.pending.cookie_ack) {
            chunk::write(out, chunk::COOKIE_ACK, 0, &[]);
        }
        self.write_sack(now, out, start);
        while let Some(value) = self.pending.heartbeat_acks.front() {
            if self.space(out, start) < chunk::HEADER_LEN + value.len() + 3
                && out.len() > start + packet::HEADER_LEN
            {
                // For the next packet.
                break;
            }
            if let Some(value) = self.pending.heartbeat_acks.pop_front() {
                chunk::write(out, chunk::HEARTBEAT_ACK, 0, &value);
            }
        }
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

    fn space(&self, out: &[u8], start: usize) -> usize {
        (self.max_packet_len & !3).saturating_sub(out.len() - start)
    }
}
