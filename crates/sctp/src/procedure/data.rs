//! Data both ways: DATA, SACK, FORWARD TSN and T3-rtx (RFC 9260 §6, RFC 3758 §3).

use crate::association::Association;
use crate::cause;
use crate::chunk::data::Data;
use crate::chunk::forward_tsn::ForwardTsn;
use crate::chunk::sack::Sack;
use crate::event::{CloseReason, Violation};
use crate::rx::Arrival;
use crate::state::{State, Timer};
use crate::tlv::Tlv;
use base::PutExt;
use std::time::Instant;

impl Association {
    pub(crate) fn on_data(&mut self, chunk: &Tlv<'_>) {
        if !self.state.may_receive_data() {
            return;
        }
        let Ok(data) = Data::parse(chunk) else {
            self.stats.malformed_packets += 1;
            return;
        };
        self.stats.data_chunks_received += 1;
        if data.payload.is_empty() {
            // RFC 9260 §6.2: the only thing to do with a DATA chunk without data.
            self.violation(Violation::EmptyData, cause::NO_USER_DATA);
            return;
        }
        if data.header.stream.0 >= self.peer.inbound {
            //= rfc9260 §6.5
            //# The endpoint MAY bundle the ERROR chunk and the SACK chunk in the same packet.
            self.stats.data_dropped += 1;
            self.receiver.discard(data.tsn);
            let mut value = Vec::with_capacity(4);
            value.put_u16(data.header.stream.0);
            value.put_u16(0);
            self.owe_error(cause::INVALID_STREAM, &value);
            return;
        }
        match self.receiver.on_data(&data, &mut self.events) {
            Ok(Arrival::Accepted) => {}
            Ok(Arrival::Duplicate) => self.stats.duplicates_received += 1,
            Ok(Arrival::Dropped) => self.stats.data_dropped += 1,
            Err(violation) => self.violation(violation, cause::PROTOCOL_VIOLATION),
        }
    }

    pub(crate) fn on_sack(&mut self, now: Instant, chunk: &Tlv<'_>) {
        if !self.state.is_connected() {
            return;
        }
        let Ok(sack) = Sack::parse(chunk.value) else {
            self.stats.malformed_packets += 1;
            return;
        };
        let window_closed = self.sender.peer_window() == 0;
        let outcome = self.sender.on_sack(now, &sack, &mut self.events, &mut self.stats);
        let Some(outcome) = outcome else { return };
        // RFC 9260 §6.1, A: a peer that answers probes of its closed window is alive.
        if outcome.progress || window_closed {
            self.errors = 0;
        }
        if outcome.advanced {
            self.timers.stop(Timer::Retransmit);
        }
        self.arm_retransmit(now);
        self.continue_shutdown(now);
    }

    pub(crate) fn on_forward_tsn(&mut self, chunk: &Tlv<'_>) {
        if !self.state.may_receive_data() {
            return;
        }
        let Ok(forward) = ForwardTsn::parse(chunk.value) else {
            self.stats.malformed_packets += 1;
            return;
        };
        self.receiver.on_forward_tsn(&forward, self.peer.inbound, &mut self.events);
        self.finish_resets();
    }

    pub(crate) fn on_retransmit_timeout(&mut self, now: Instant) {
        if !self.state.is_connected() || self.sender.is_all_acked() {
            return;
        }
        if self.count_error() {
            return;
        }
        self.sender.on_timeout(now, &mut self.events, &mut self.stats);
        self.doubt_path_mtu();
        self.arm_retransmit(now);
        self.continue_shutdown(now);
    }

    /// The last chunk of a packet was handled.
    pub(crate) fn finish_packet(&mut self, now: Instant) {
        if self.state.is_over() {
            return;
        }
        self.finish_resets();
        if self.receiver.finish_packet() {
            self.timers.set_if_stopped(Timer::Ack, now + self.config.delayed_ack);
        } else {
            self.timers.stop(Timer::Ack);
        }
        if matches!(self.state, State::ShutdownSent) && self.receiver.is_ack_owed() {
            // RFC 9260 §9.2: data after our SHUTDOWN is answered with a SHUTDOWN again.
            self.receiver.acknowledge_now();
            self.pending.shutdown = true;
            self.timers.set(Timer::Shutdown, now + self.sender.rto.timeout());
        }
    }

    /// One more timeout without an answer; `true` when that was one too many and the association is closed.
    pub(crate) fn count_error(&mut self) -> bool {
        self.errors += 1;
        let over = self.errors > self.config.max_retransmits;
        if over {
            self.close(CloseReason::Timeout);
        }
        over
    }
}
