//! What goes out: flights, alerts, application data.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::CloseReason;
use crate::alert::Alert;
use crate::connection::{Connection, Timer};
use crate::record::ContentType;
use crate::record::epoch::SealError;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

impl Connection {
    /// Appends the next datagram of the handshake, or an alert, to `out` and returns its length. `None` when there
    /// is nothing to send now.
    #[must_use]
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<NonZeroUsize> {
        let now = self.advance(now);
        let start = out.len();
        if let Some(alert) = self.last_alert.take() {
            self.write_alert(alert, out);
        } else if self.is_ending() {
            return None;
        } else if self.shared.flight.is_pending() {
            self.write_flight(now, out);
        } else if let Some(alert) = self.warning.take() {
            self.write_alert(alert, out);
        }
        NonZeroUsize::new(out.len() - start)
    }

    /// Seals whatever `write` appends to `out` as one record of application data, in place. `out` keeps what it had
    /// before, and grows by [`overhead`](Self::overhead) beyond what `write` appends.
    ///
    /// `None`, with `out` as it was, when the connection is not connected, when the last flight of the handshake
    /// has not left yet (see [`poll_transmit`](Self::poll_transmit)), when `write` returns `None`, and when it
    /// appends nothing or more than 16,384 bytes. Only in the last three cases `write` is called.
    pub fn seal_with<R>(
        &mut self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Option<R>,
    ) -> Option<R> {
        if !self.is_connected() || self.shared.flight.is_pending() {
            return None;
        }
        let start = out.len();
        let overhead = self.overhead();
        let epoch = self.shared.write.protected.as_mut()?;
        match epoch.seal_with(ContentType::ApplicationData, out, write) {
            Ok(result) => {
                self.stats.records_sent += 1;
                self.stats.application_bytes_sent += (out.len() - start).saturating_sub(overhead) as u64;
                Some(result)
            }
            Err(SealError::Declined) => None,
            Err(SealError::Length) => {
                self.stats.oversized_writes += 1;
                None
            }
            Err(SealError::Exhausted) => {
                self.close_with(CloseReason::SequenceExhausted, None);
                None
            }
        }
    }

    /// Bytes that [`seal_with`](Self::seal_with) adds to application data: header, explicit nonce and tag.
    #[must_use]
    pub fn overhead(&self) -> usize {
        crate::record::v12::HEADER_LEN + crate::record::aead::OVERHEAD
    }

    fn write_alert(&mut self, alert: Alert, out: &mut Vec<u8>) {
        if self.shared.write.current().seal(ContentType::Alert, &alert.encode(), out).is_ok() {
            self.stats.records_sent += 1;
        }
    }

    fn write_flight(&mut self, now: Instant, out: &mut Vec<u8>) {
        let shared = &mut self.shared;
        match shared.flight.write_datagram(now, self.mtu, &mut shared.write, out) {
            Ok(written) => {
                self.stats.records_sent += u64::from(written.records);
                if written.done {
                    self.arm(now);
                }
            }
            Err(_) => self.close_with(CloseReason::SequenceExhausted, None),
        }
    }

    /// The flight is out: it is repeated unless the answer comes in time.
    fn arm(&mut self, now: Instant) {
        if !self.shared.flight.awaits_answer() {
            return;
        }
        let deadline = |after: Duration| now.checked_add(after);
        if let Some(at) = deadline(self.backoff.interval()) {
            self.timers.set(Timer::Retransmit, at);
        }
        if let Some(at) = deadline(self.config.handshake_timeout) {
            self.timers.set_if_stopped(Timer::Handshake, at);
        }
    }
}
