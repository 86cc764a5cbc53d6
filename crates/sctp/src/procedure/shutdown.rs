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
        if !self.sender.is_drained() {
            return;
        }
        match self.state {
            State::ShutdownPending => {
                self.state = State::ShutdownSent;
                self.pending.shutdown = true;
            }
            State::ShutdownReceived => {
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
        if self.sender.on_cumulative(now, cumulative, &mut self.events) {
            self.timers.stop(Timer::Retransmit);
            self.errors = 0;
        }
        self.arm_retransmit(now);
        self.continue_shutdown(now);
    }

    pub(crate) fn on_shutdown_ack(&mut self) {
        if matches!(self.state, State::ShutdownSent | State::ShutdownAckSent) {
            self.timers.stop_all();
            self.state = State::Ending { last: LastChunk::ShutdownComplete, reason: CloseReason::Shutdown };
        }
    }

    pub(crate) fn on_shutdown_complete(&mut self) {
        //= rfc9260 §8.5.1
        //# An endpoint MUST ignore the SHUTDOWN COMPLETE chunk if it is not in the SHUTDOWN-ACK-SENT state.
        if matches!(self.state, State::ShutdownAckSent) {
            self.close(CloseReason::Shutdown);
        }
    }

    pub(crate) fn on_shutdown_timeout(&mut self, now: Instant) {
        match self.state {
            State::ShutdownSent => self.pending.shutdown = true,
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
