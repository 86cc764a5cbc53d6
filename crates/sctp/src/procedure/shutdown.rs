//! Ending gracefully (RFC 9260 §9.2).

use crate::association::Association;
use crate::chunk::shutdown;
use crate::event::{CloseReason, Event};
use crate::state::{LastChunk, State, Timer};
use crate::tlv::Tlv;
use std::time::Instant;

impl Association {
    pub(crate) fn start_shutdown(&mut self, now: Instant) {
        match self.state {
            State::Closed | State::CookieWait | State::CookieEchoed { .. } => self.abort_by_user("shutdown"),
            State::Established => {
                self.state = State::ShutdownPending;
                self.continue_shutdown(now);
            }
            //= rfc9260 §9.2
            //# Once an endpoint has reached the SHUTDOWN-RECEIVED state, it MUST ignore ULP shutdown requests but
            //# MUST continue responding to SHUTDOWN chunks from its peer.
            State::ShutdownPending
            | State::ShutdownSent
            | State::ShutdownReceived
            | State::ShutdownAckSent
            | State::Ending { .. }
            | State::Done => {}
        }
    }

    /// Once everything queued is acknowledged, goes on to the next step.
    pub(crate) fn continue_shutdown(&mut self, now: Instant) {
        //= rfc9260 §4
        //# In the SHUTDOWN-RECEIVED state, the endpoint MUST transmit or retransmit data and leave this state when
        //# all data in queue is transmitted.
        //= rfc9260 §9.2
        //# the SHUTDOWN chunk receiver MUST continue to follow normal data transmission procedures defined in Section
        //# 6, until all outstanding DATA chunks are acknowledged
        if !self.sender.is_drained() {
            return;
        }
        match self.state {
            State::ShutdownPending => {
                //= rfc9260 §3.3.8
                //# An endpoint in an association MUST use this chunk to initiate a graceful close of the association
                //# with its peer.
                self.state = State::ShutdownSent;
                self.pending.shutdown = true;
            }
            State::ShutdownReceived => {
                //= rfc9260 §3.3.9
                //# This chunk MUST be used to acknowledge the receipt of the SHUTDOWN chunk at the completion of the
                //# shutdown process; see Section 9.2 for details.
                //= rfc9260 §9.2
                //# MUST send a SHUTDOWN ACK chunk and start a T2-shutdown timer of its own, entering the
                //# SHUTDOWN-ACK-SENT state
                self.state = State::ShutdownAckSent;
                self.pending.shutdown_ack = true;
            }
            State::Closed
            | State::CookieWait
            | State::CookieEchoed { .. }
            | State::Established
            | State::ShutdownSent
            | State::ShutdownAckSent
            | State::Ending { .. }
            | State::Done => return,
        }
        self.errors = 0;
        self.timers.stop(Timer::Reconfig);
        //= rfc9260 §9.2
        //# The rules in Section 6.3 MUST be followed to determine the proper timer value for T2-shutdown.
        self.timers.set(Timer::Shutdown, now + self.sender.rto.timeout());
    }

    pub(crate) fn on_shutdown(&mut self, now: Instant, chunk: &Tlv<'_>) {
        let Ok(cumulative) = shutdown::parse(chunk.value) else {
            self.stats.malformed_packets += 1;
            return;
        };
        match self.state {
            State::Established | State::ShutdownPending => {
                self.state = State::ShutdownReceived;
                self.events.push(Event::ShuttingDown);
            }
            // Both began: each answers the other (RFC 9260 §9.2).
            State::ShutdownSent => {
                self.state = State::ShutdownAckSent;
                self.pending.shutdown = false;
                self.pending.shutdown_ack = true;
                self.timers.set(Timer::Shutdown, now + self.sender.rto.timeout());
                return;
            }
            State::ShutdownReceived => {}
            State::ShutdownAckSent => {
                self.pending.shutdown_ack = true;
                return;
            }
            State::Closed
            | State::CookieWait
            | State::CookieEchoed { .. }
            | State::Ending { .. }
            | State::Done => return,
        }
        //= rfc9260 §3.3.8
        //# the receiver of the SHUTDOWN chunk MUST NOT interpret the lack of a Gap Ack Block as a renege.
        if self.sender.on_cumulative(now, cumulative, &mut self.events) {
            self.timers.stop(Timer::Retransmit);
            self.errors = 0;
        }
        self.arm_retransmit(now);
        self.arm_probe(now);
        self.continue_shutdown(now);
    }

    pub(crate) fn on_shutdown_ack(&mut self) {
        //= rfc9260 §3.3.13
        //# This chunk MUST be used to acknowledge the receipt of the SHUTDOWN ACK chunk at the completion of the
        //# shutdown process; see Section 9.2 for details.
        //= rfc9260 §9.2
        //# Upon the receipt of the SHUTDOWN ACK chunk, the sender of the SHUTDOWN chunk MUST stop the T2-shutdown
        //# timer, send a SHUTDOWN COMPLETE chunk to its peer, and remove all record of the association.
        //= rfc9260 §9.2
        //# If an endpoint is in the SHUTDOWN-ACK-SENT state and receives a SHUTDOWN ACK, it MUST stop the T2-shutdown
        //# timer, send a SHUTDOWN COMPLETE chunk to its peer, and remove all record of the association.
        if matches!(self.state, State::ShutdownSent | State::ShutdownAckSent) {
            self.timers.stop_all();
            self.state = State::Ending { last: LastChunk::ShutdownComplete, reason: CloseReason::Shutdown };
        }
    }

    pub(crate) fn on_shutdown_complete(&mut self) {
        //= rfc9260 §8.5.1
        //# An endpoint MUST ignore the SHUTDOWN COMPLETE chunk if it is not in the SHUTDOWN-ACK-SENT state.
        //= rfc9260 §8.5.1
        //# Otherwise, the receiver MUST silently discard the packet and take no further action.
        if matches!(self.state, State::ShutdownAckSent) {
            self.close(CloseReason::Shutdown);
        }
    }

    pub(crate) fn on_shutdown_timeout(&mut self, now: Instant) {
        match self.state {
            //= rfc9260 §9.2
            //# If the timer expires, the endpoint MUST resend the SHUTDOWN chunk with the updated last
            //# sequential TSN received from its peer.
            State::ShutdownSent => self.pending.shutdown = true,
            //= rfc9260 §9.2
            //# If the timer expires, the endpoint MUST resend the SHUTDOWN ACK chunk.
            State::ShutdownAckSent => self.pending.shutdown_ack = true,
            State::Closed
            | State::CookieWait
            | State::CookieEchoed { .. }
            | State::Established
            | State::ShutdownPending
            | State::ShutdownReceived
            | State::Ending { .. }
            | State::Done => return,
        }
        if self.count_error() {
            return;
        }
        self.sender.rto.back_off();
        self.timers.set(Timer::Shutdown, now + self.sender.rto.timeout());
    }
}
