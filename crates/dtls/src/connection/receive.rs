//! What comes in: records, alerts, handshake messages, application data.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::alert::{Alert, AlertLevel};
use crate::connection::context::PROTECTED;
use crate::connection::machine::Machine;
use crate::connection::{Connection, Phase, Suspicion, Timer};
use crate::error::Fault;
use crate::handshake::fragment::Fragment;
use crate::handshake::reassembly::Pushed;
use crate::handshake::{HandshakeType, Message};
use crate::log::debug;
use crate::record::ContentType;
use crate::record::epoch::OpenError;
use crate::record::v12::{self, Header};
use crate::{AlertDescription, CloseReason, Role, Violation};
use base::Reader;
use std::time::Instant;

impl Connection {
    /// Takes a datagram of the peer, which is decrypted in place. Every record of application data within is given
    /// to `app_data`. What does not authenticate is dropped and counted.
    ///
    /// The caller hands in only datagrams of the peer's validated path; see the crate's documentation.
    pub fn handle_datagram(&mut self, now: Instant, datagram: &mut [u8], app_data: &mut dyn FnMut(&[u8])) {
        let now = self.advance(now);
        self.flush_early(app_data);
        let mut rest = datagram;
        while !rest.is_empty() && !self.is_ending() {
            let Some((header, fragment, next)) = v12::split(rest) else {
                self.stats.dropped_malformed += 1;
                break;
            };
            self.handle_record(now, &header, fragment, app_data);
            rest = next;
            self.handle_future(now, app_data);
        }
        self.flush_early(app_data);
    }

    fn handle_record(
        &mut self,
        now: Instant,
        header: &Header,
        fragment: &mut [u8],
        app_data: &mut dyn FnMut(&[u8]),
    ) {
        if matches!(self.machine, Machine::Idle) {
            self.stats.dropped_unexpected += 1;
            return;
        }
        match header.epoch {
            0 => self.handle_plain(now, header, fragment),
            PROTECTED => self.handle_protected(now, header, fragment, app_data),
            _ => self.stats.dropped_epoch += 1,
        }
    }

    /// A record in clear text: good only for the handshake, and never believed more than it must be.
    fn handle_plain(&mut self, now: Instant, header: &Header, body: &[u8]) {
        if !self.machine.is_running() {
            self.stats.dropped_epoch += 1;
            return;
        }
        match ContentType::from_number(header.content) {
            Some(ContentType::Handshake) => {
                self.stats.records_received += 1;
                self.shared.last_plain_sequence = header.sequence;
                self.handle_fragments(now, 0, body);
            }
            // The epoch in the record header says all that this message could say.
            Some(ContentType::ChangeCipherSpec) => self.stats.records_received += 1,
            Some(ContentType::Alert) => {
                self.stats.ignored_alerts += 1;
                if let Some(alert) = Alert::parse(body)
                    && (alert.level == AlertLevel::Fatal
                        || alert.description == AlertDescription::CLOSE_NOTIFY)
                    && self.suspicion.is_none()
                {
                    debug!(%alert, "alert in clear text, waiting whether the peer goes on");
                    self.suspicion = Some(Suspicion { alert, repetitions: 0 });
                }
            }
            Some(ContentType::ApplicationData) | None => self.stats.dropped_unexpected += 1,
        }
    }

    fn handle_protected(
        &mut self,
        now: Instant,
        header: &Header,
        fragment: &mut [u8],
        app_data: &mut dyn FnMut(&[u8]),
    ) {
        let Some(read) = self.shared.read.as_mut().filter(|read| read.epoch() == header.epoch) else {
            if self.machine.is_running() && !self.machine.awaits_hello() {
                self.stats.dropped_early += self.future.push(*header, fragment);
            } else {
                self.stats.dropped_epoch += 1;
            }
            return;
        };
        let plaintext = match read.open(header, fragment) {
            Ok(plaintext) => plaintext,
            Err(OpenError::Replayed) => {
                self.stats.dropped_replayed += 1;
                return;
            }
            Err(OpenError::Unauthentic) => {
                self.stats.dropped_unauthentic += 1;
                return;
            }
        };
        self.stats.records_received += 1;
        match ContentType::from_number(header.content) {
            Some(ContentType::ApplicationData) => self.handle_application_data(now, plaintext, app_data),
            Some(ContentType::Alert) => self.handle_alert(plaintext),
            Some(ContentType::Handshake) => {
                if self.machine.is_running() {
                    self.handle_fragments(now, header.epoch, plaintext);
                } else {
                    self.handle_late_fragments(now, plaintext);
                }
            }
            Some(ContentType::ChangeCipherSpec) | None => self.stats.dropped_unexpected += 1,
        }
    }

    /// Records that came before their keys, once the keys are there.
    fn handle_future(&mut self, now: Instant, app_data: &mut dyn FnMut(&[u8])) {
        while self.shared.read.is_some()
            && let Some((header, mut fragment)) = self.future.pop()
        {
            self.handle_protected(now, &header, &mut fragment, app_data);
        }
    }

    //= rfc8122 §6.2
    //# it MUST
    //# NOT assume that the data transmitted over the TLS connection is valid
    //# until it has received a matching fingerprint in an SDP answer.
    fn handle_application_data(&mut self, now: Instant, plaintext: &[u8], app_data: &mut dyn FnMut(&[u8])) {
        if self.is_connected() {
            self.flush_early(app_data);
            self.stats.application_bytes_received += plaintext.len() as u64;
            app_data(plaintext);
        } else {
            self.stats.dropped_early += self.early.push((), plaintext);
            //= rfc6347 §4.2.4
            //# Implementations MAY treat receipt of application data with a new
            //# epoch prior to receipt of the corresponding Finished message as
            //# evidence of reordering or packet loss and retransmit their final
            //# flight immediately, shortcutting the retransmission timer.
            if self.machine.awaits_protected() && self.shared.flight.may_repeat(now, self.backoff.pause()) {
                self.repeat_flight();
            }
        }
    }

    fn flush_early(&mut self, app_data: &mut dyn FnMut(&[u8])) {
        while self.is_connected()
            && let Some(((), plaintext)) = self.early.pop()
        {
            self.stats.application_bytes_received += plaintext.len() as u64;
            app_data(&plaintext);
        }
    }

    /// An alert that the peer has authenticated.
    fn handle_alert(&mut self, body: &[u8]) {
        let Some(alert) = Alert::parse(body) else {
            self.stats.dropped_unexpected += 1;
            return;
        };
        if alert.description == AlertDescription::CLOSE_NOTIFY {
            //= rfc5246 §7.2.1
            //# The other party MUST respond with a close_notify
            //# alert of its own and close down the connection immediately,
            //# discarding any pending writes.
            self.close_with(CloseReason::Peer(alert), Some(Alert::warning(AlertDescription::CLOSE_NOTIFY)));
        } else if alert.level == AlertLevel::Fatal {
            self.close_with(CloseReason::Peer(alert), None);
        }
    }

    /// Fragments of a running handshake.
    fn handle_fragments(&mut self, now: Instant, epoch: u16, body: &[u8]) {
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let Some(fragment) = Fragment::read(&mut reader) else {
                self.stats.dropped_malformed += 1;
                return;
            };
            if epoch == 0 && self.machine.awaits_protected() && fragment.seq >= self.reassembly.next() {
                self.stats.dropped_epoch += 1;
                continue;
            }
            match self.reassembly.push(epoch, &fragment) {
                Pushed::Taken => {}
                Pushed::Refused => self.stats.dropped_fragments += 1,
                Pushed::Duplicate => {
                    self.stats.duplicate_fragments += 1;
                    self.handle_repetition(now, &fragment);
                }
            }
            if !self.handle_messages() {
                return;
            }
        }
    }

    /// The peer sends its last flight again: ours was lost.
    fn handle_repetition(&mut self, now: Instant, fragment: &Fragment<'_>) {
        let pause = self.backoff.pause();
        if fragment.is_last() && self.shared.flight.should_repeat_for(fragment.seq, now, pause) {
            self.repeat_flight();
        }
    }

    fn repeat_flight(&mut self) {
        self.timers.stop(Timer::Retransmit);
        self.shared.flight.repeat();
        self.stats.flights_resent += 1;
    }

    /// Handshake records after the handshake: the peer's last flight again, or an attempt to negotiate anew.
    fn handle_late_fragments(&mut self, now: Instant, body: &[u8]) {
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            let Some(fragment) = Fragment::read(&mut reader) else {
                self.stats.dropped_malformed += 1;
                return;
            };
            let starts_anew = match self.role {
                Role::Client => fragment.kind == HandshakeType::HELLO_REQUEST,
                Role::Server => fragment.kind == HandshakeType::CLIENT_HELLO,
            };
            if fragment.seq < self.reassembly.next() {
                self.stats.duplicate_fragments += 1;
                if fragment.kind == HandshakeType::FINISHED {
                    self.handle_repetition(now, &fragment);
                }
            } else if starts_anew {
                // RFC 8827 §6.5: renegotiation is refused; RFC 5246 §7.2.2: by this warning.
                self.stats.refused_renegotiations += 1;
                self.warning = Some(Alert::warning(AlertDescription::NO_RENEGOTIATION));
            } else {
                self.stats.dropped_unexpected += 1;
            }
        }
    }

    /// Works on all messages that are whole. Returns whether the handshake still runs.
    fn handle_messages(&mut self) -> bool {
        if self.machine.awaits_hello() {
            self.reassembly.skip_to_second();
        }
        while self.machine.is_running()
            && let Some(message) = self.reassembly.pop()
        {
            if let Err(fault) = self.handle_message(&message) {
                self.fail(fault);
            }
        }
        self.machine.is_running()
    }

    fn handle_message(&mut self, message: &Message) -> Result<(), Fault> {
        // Finished is the only message of the handshake under its keys (RFC 6347 §4.2.4).
        if (message.epoch == PROTECTED) != (message.kind == HandshakeType::FINISHED) {
            return Err(Violation::UnexpectedMessage("one in the right epoch").into());
        }
        self.shared.transcript.push(message.kind, message.seq, &message.body)?;
        let machine = std::mem::replace(&mut self.machine, Machine::Done);
        self.machine = self.with_context(|cx| machine.on_message(cx, message))?;
        self.suspicion = None;
        // A hello without its cookie leaves no trace.
        if matches!(self.phase, Phase::New) && !self.machine.awaits_hello() {
            self.phase = Phase::Connecting;
        }
        self.after_message();
        Ok(())
    }

    fn after_message(&mut self) {
        // A new flight answers the peer's: the timer of the one before has done its duty.
        if self.shared.flight.is_fresh() {
            self.timers.stop(Timer::Retransmit);
            //= rfc6347 §4.2.4.1
            //# Implementations SHOULD retain the current timer value until a
            //# transmission without loss occurs, at which time the value may be
            //# reset to the initial value.
            if !self.shared.flight.followed_loss() {
                self.backoff.succeeded();
            }
        }
        if self.machine.awaits_protected() {
            self.reassembly.forget_before(PROTECTED);
        }
        let config = &self.config;
        let total = config.max_reassembly.saturating_add(config.max_message);
        let left = total.saturating_sub(self.shared.transcript.len());
        self.reassembly.limit_total(left.min(config.max_reassembly));
        if matches!(self.machine, Machine::Done) {
            self.timers.stop_all();
            self.reassembly.clear();
            self.shared.transcript.clear();
            self.try_connect();
        }
    }
}
