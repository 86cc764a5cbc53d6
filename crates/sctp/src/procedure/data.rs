//! Data both ways: DATA, SACK, FORWARD TSN and T3-rtx (RFC 9260 §6, RFC 3758 §3).

use crate::association::Association;
use crate::cause;
use crate::chunk::data::{Data, Format};
use crate::chunk::forward_tsn::ForwardTsn;
use crate::chunk::sack::Sack;
use crate::event::{CloseReason, Violation};
use crate::rx::Arrival;
use crate::state::{State, Timer};
use crate::tlv::Tlv;
use base::PutExt;
use std::time::Instant;

impl Association {
    pub(crate) fn on_data(&mut self, chunk: &Tlv<'_>, format: Format) {
        if !self.state.may_receive_data() || self.refuses(format) {
            return;
        }
        let data = match format {
            Format::Plain => Data::parse(chunk),
            Format::Interleaved => Data::parse_interleaved(chunk),
        };
        let Ok(data) = data else {
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
            Err(violation @ Violation::TooManyBegun) => self.violation(violation, cause::OUT_OF_RESOURCE),
            Err(violation) => self.violation(violation, cause::PROTOCOL_VIOLATION),
        }
    }

    pub(crate) fn on_sack(&mut self, now: Instant, chunk: &Tlv<'_>) {
        //= rfc9260 §6
        //# A SACK chunk MUST be processed in ESTABLISHED, SHUTDOWN-PENDING, and SHUTDOWN-RECEIVED states.
        if !self.state.is_connected() {
            return;
        }
        let Ok(sack) = Sack::parse(chunk.value) else {
            self.stats.malformed_packets += 1;
            return;
        };
        //= rfc9260 §12.4
        //# An SCTP implementation MUST abort the association if it receives a SACK chunk acknowledging a TSN that has not
        //# been sent.
        if self.sender.is_unsent(&sack) {
            self.violation(Violation::UnsentAcknowledged, cause::PROTOCOL_VIOLATION);
            return;
        }
        let window_closed = self.sender.peer_window() == 0;
        let outcome = self.sender.on_sack(now, &sack, &mut self.events, &mut self.stats);
        let Some(outcome) = outcome else { return };
        // RFC 9260 §6.1, A: a peer that answers probes of its closed window is alive.
        //= rfc9260 §8.1
        //# The counter used for endpoint failure detection MUST be reset each time a DATA chunk sent to that peer
        //# endpoint is acknowledged (by the reception of a SACK chunk).
        if outcome.progress || window_closed {
            self.errors = 0;
        }
        if outcome.advanced {
            self.timers.stop(Timer::Retransmit);
        }
        self.arm_retransmit(now);
        if outcome.progress {
            self.arm_probe(now);
        }
        self.arm_reorder();
        self.continue_shutdown(now);
    }

    pub(crate) fn on_forward_tsn(&mut self, chunk: &Tlv<'_>, format: Format) {
        if !self.state.may_receive_data() || self.refuses(format) {
            return;
        }
        let Ok(forward) = ForwardTsn::parse(format, chunk.value) else {
            self.stats.malformed_packets += 1;
            return;
        };
        self.receiver.on_forward_tsn(&forward, self.peer.inbound, &mut self.events);
        self.finish_resets();
    }

    /// Ends the association when the peer uses the other format than was negotiated.
    fn refuses(&mut self, format: Format) -> bool {
        //= rfc8260 §2.2.3
        //# If I-DATA support has been negotiated for an association, the reception of a DATA chunk is a violation of the
        //# above rules and therefore the receiver of the DATA chunk MUST abort the association by sending an ABORT
        //# chunk.
        //
        //= rfc8260 §2.3.1
        //# If I-FORWARD-TSN support has been negotiated for an association, the reception of a FORWARD-TSN chunk is a
        //# violation of the above rules and therefore the receiver of the FORWARD-TSN chunk MUST abort the association
        //# by sending an ABORT chunk.
        let wrong = format != self.peer.format();
        if wrong {
            self.violation(Violation::WrongFormat, cause::PROTOCOL_VIOLATION);
        }
        wrong
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
        self.arm_probe(now);
        self.arm_reorder();
        self.continue_shutdown(now);
    }

    pub(crate) fn on_reorder_timeout(&mut self, now: Instant) {
        if !self.state.is_connected() {
            return;
        }
        self.sender.on_reorder_timeout(now, &mut self.events, &mut self.stats);
        self.arm_probe(now);
        self.arm_reorder();
        self.continue_shutdown(now);
    }

    /// Acknowledgements are overdue: the peer is asked for one, and T3-rtx waits for the answer (RFC 8985 §7.3).
    pub(crate) fn on_probe_timeout(&mut self, now: Instant) {
        if !self.state.may_send_data() {
            return;
        }
        if let Some(at) = self.sender.probe_at(now) {
            let at = self.timers.get(Timer::Retransmit).map_or(at, |retransmit| retransmit.min(at));
            if at > now {
                self.timers.set(Timer::TailProbe, at);
                return;
            }
            self.sender.on_probe_timeout();
        }
        self.timers.stop(Timer::Retransmit);
        self.arm_retransmit(now);
    }

    /// Data was acknowledged: the wait for the tail loss probe begins anew. It is never longer than that for T3-rtx. When
    /// data goes out a timer that runs is left alone; that it is to be later is found when it expires.
    pub(crate) fn arm_probe(&mut self, now: Instant) {
        let retransmit = self.timers.get(Timer::Retransmit);
        match self.sender.probe_timeout().zip(retransmit).filter(|_| self.state.may_send_data()) {
            Some((timeout, retransmit)) => {
                self.timers.set(Timer::TailProbe, (now + timeout).min(retransmit));
            }
            None => self.timers.stop(Timer::TailProbe),
        }
    }

    fn arm_reorder(&mut self) {
        match self.sender.reorder_at() {
            Some(at) => self.timers.set(Timer::Reorder, at),
            None => self.timers.stop(Timer::Reorder),
        }
    }

    /// The last chunk of a packet was handled.
    pub(crate) fn finish_packet(&mut self, now: Instant) {
        if self.state.is_over() {
            return;
        }
        self.finish_resets();
        let round_trip = self.sender.rto.round_trip();
        if self.receiver.wants_round_trip(now, self.sender.rto.smoothed()) {
            self.pending.heartbeat = self.state.is_connected();
        }
        if self.receiver.finish_packet(now, round_trip) {
            self.timers.set_if_stopped(Timer::Ack, now + self.config.delayed_ack);
        } else {
            self.timers.stop(Timer::Ack);
        }
        if matches!(self.state, State::ShutdownSent) && self.receiver.is_ack_owed() {
            // RFC 9260 §9.2: data after our SHUTDOWN is answered with a SHUTDOWN again.
            //= rfc9260 §4
            //# In the SHUTDOWN-SENT state, the endpoint MUST acknowledge any received DATA chunks without delay.
            //= rfc9260 §9.2
            //# the SHUTDOWN chunk sender MUST immediately respond to each received packet containing one or more DATA
            //# chunks with a SHUTDOWN chunk and restart the T2-shutdown timer.
            //= rfc9260 §9.2
            //# then a SACK chunk MUST also be sent.
            //= rfc9260 §6.2
            //# Acknowledgements MUST be sent in SACK chunks unless shutdown was requested by the ULP, in which case
            //# an endpoint MAY send an acknowledgement in the SHUTDOWN chunk.
            self.receiver.acknowledge_now();
            self.pending.shutdown = true;
            self.timers.set(Timer::Shutdown, now + self.sender.rto.timeout());
        }
    }

    /// One more timeout without an answer; `true` when that was one too many and the association is closed.
    pub(crate) fn count_error(&mut self) -> bool {
        self.errors += 1;
        //= rfc9260 §8.1
        //# SHALL stop transmitting any more data to it
        let over = self.errors > self.config.max_retransmits;
        if over {
            self.close(CloseReason::Timeout);
        }
        over
    }
}
