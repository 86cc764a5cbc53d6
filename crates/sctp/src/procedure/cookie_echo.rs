//! Setting up, second half: COOKIE ECHO and COOKIE ACK (RFC 9260 §5.1.4, §5.1.5, §5.2.4).

use super::transmit::{Reply, ReplyBody};
use crate::association::{Association, Local};
use crate::cookie::{Cookie, CookieError};
use crate::event::{CloseReason, Event, Progress};
use crate::procedure::reset::Resets;
use crate::state::{State, Timer};
use crate::tlv::Tlv;
use crate::trace;
use std::time::{Duration, Instant};

/// RFC 9260 §5.2.4, table 12.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// A: the peer restarted.
    Restart,
    /// B: both began at once, and the peer drew a new tag.
    Collision,
    /// D: the association the cookie speaks of is this one.
    Same,
    /// C and everything else.
    Discard,
}

impl Association {
    /// `false` leaves the rest of the packet alone.
    pub(crate) fn on_cookie_echo(&mut self, now: Instant, packet_tag: u32, chunk: &Tlv<'_>) -> bool {
        let (cookie, stale) = match self.cookies.open(now, chunk.value) {
            Ok(cookie) => (cookie, None),
            Err(CookieError::Stale(late, cookie)) => (cookie, Some(late)),
            //= rfc9260 §4
            //# If the State Cookie in the received COOKIE ECHO chunk is invalid (i.e., failed to pass the integrity
            //# check), the receiver MUST silently discard the packet.
            Err(CookieError::Forged) => {
                self.stats.bad_cookies += 1;
                return false;
            }
        };
        //= rfc9260 §5.1.5
        //# If these values do not match, the packet MUST be silently discarded.
        if packet_tag != cookie.local_tag {
            self.stats.wrong_tag += 1;
            return false;
        }
        let same = cookie.local_tag == self.local.tag && cookie.peer.tag == self.peer.tag;
        if let Some(late) = stale.filter(|_| !same) {
            self.stats.bad_cookies += 1;
            let micros = u32::try_from(late.as_micros()).unwrap_or(u32::MAX);
            //= rfc9260 §4
            //# the receiver MUST send back an ERROR chunk.
            //= rfc9260 §5.1.5
            //# the endpoint MUST transmit an ERROR chunk with a "Stale Cookie" error cause to the peer endpoint.
            //= rfc9260 §5.2.4
            //# The endpoint also MUST transmit an ERROR chunk with a "Stale Cookie" error cause
            self.reply(Reply { tag: cookie.peer.tag, body: ReplyBody::StaleCookie(micros) });
            return false;
        }
        if matches!(self.state, State::Closed | State::CookieWait) && cookie.local_tag == self.local.tag {
            self.adopt_peer(&cookie.peer, cookie.extensions);
            self.begin_transfer(cookie.peer.window, cookie.peer.tsn);
            self.establish(now);
            self.pending.cookie_ack = true;
            return true;
        }
        match self.action(&cookie) {
            //= rfc9260 §5.2.4
            //# it MUST NOT set up a new association but instead resend the SHUTDOWN ACK chunk
            Action::Restart if matches!(self.state, State::ShutdownAckSent) => {
                self.pending.shutdown_ack = true;
                self.reply(Reply { tag: cookie.peer.tag, body: ReplyBody::CookieWhileShuttingDown });
                false
            }
            Action::Restart => {
                self.restart(now, &cookie);
                true
            }
            Action::Collision => {
                //= rfc9260 §5.2.4
                //# it MUST update its peer's Verification Tag from the State Cookie, stop any T1-init or T1-cookie
                //# timers that might be running, and send a COOKIE ACK chunk.
                // The receiver starts from the new INIT; what it had could only be from the tag now given up.
                self.adopt_peer(&cookie.peer, cookie.extensions);
                self.receiver.start(cookie.peer.tsn, self.peer.format(), &mut self.events);
                self.resets = Resets::new(&self.config, self.local.tsn, cookie.peer.tsn);
                self.establish(now);
                self.pending.cookie_ack = true;
                true
            }
            Action::Same => {
                self.establish(now);
                self.pending.cookie_ack = true;
                true
            }
            Action::Discard => false,
        }
    }

    pub(crate) fn on_cookie_ack(&mut self, now: Instant) {
        // RFC 9260 §5.2.5: in any other state it is silently dropped.
        if matches!(self.state, State::CookieEchoed { .. }) {
            self.establish(now);
        }
    }

    pub(crate) fn on_cookie_timeout(&mut self, now: Instant) {
        if !matches!(self.state, State::CookieEchoed { .. }) {
            return;
        }
        self.errors += 1;
        if self.errors > self.config.max_init_retransmits {
            self.close(CloseReason::Timeout);
            return;
        }
        self.sender.rto.back_off();
        self.sender.repeat_all(now, &mut self.events, &mut self.stats);
        //= rfc9260 §5.1.4
        //# If the timer expires, the endpoint MUST retransmit the COOKIE ECHO chunk and restart the
        //# T1-cookie timer.
        //= rfc9260 §4
        //# If the T1-cookie timer expires, the endpoint MUST retransmit COOKIE ECHO chunk and restart the T1-cookie
        //# timer.
        self.pending.cookie_echo = true;
        self.timers.set(Timer::Cookie, now + self.sender.rto.handshake_timeout());
    }

    /// The peer says our cookie is too old: a new one is asked for (RFC 9260 §5.2.6).
    pub(crate) fn on_stale_cookie(&mut self, now: Instant) {
        if !matches!(self.state, State::CookieEchoed { .. }) {
            return;
        }
        self.errors += 1;
        if self.errors > self.config.max_init_retransmits {
            self.close(CloseReason::Timeout);
            return;
        }
        self.sender.repeat_all(now, &mut self.events, &mut self.stats);
        self.peer.tag = 0;
        self.state = State::CookieWait;
        self.pending.cookie_echo = false;
        self.pending.init = true;
        self.timers.stop(Timer::Cookie);
        self.timers.set(Timer::Init, now + self.sender.rto.handshake_timeout());
    }

    fn action(&self, cookie: &Cookie) -> Action {
        let local = cookie.local_tag == self.local.tag;
        let peer = cookie.peer.tag == self.peer.tag;
        let ties = cookie.ties.local == self.local.tag && cookie.ties.peer == self.peer.tag;
        match (local, peer) {
            (true, true) => Action::Same,
            (true, false) => Action::Collision,
            (false, false) if ties => Action::Restart,
            (false, _) => Action::Discard,
        }
    }

    /// Enters `Established` from the handshake; elsewhere only stops its timers.
    pub(super) fn establish(&mut self, now: Instant) {
        self.timers.stop(Timer::Init);
        self.timers.stop(Timer::Cookie);
        self.pending.init = false;
        self.pending.cookie_echo = false;
        if self.state.is_connected() {
            return;
        }
        trace::debug!("association established");
        self.state = State::Established;
        self.errors = 0;
        for dropped in self.sender.queue.limit_streams(self.peer.outbound) {
            self.sender.report_dropped(dropped, Progress::Unsent, &mut self.events, &mut self.stats);
        }
        self.events.push_first(Event::Connected { outbound: self.peer.outbound, inbound: self.peer.inbound });
        self.arm_heartbeat(now);
        self.arm_retransmit(now);
        self.start_path_mtu();
    }

    /// RFC 9260 §5.2.4, action A: as after an ABORT and a new COOKIE ECHO.
    fn restart(&mut self, now: Instant, cookie: &Cookie) {
        trace::debug!("peer restarted");
        self.timers.stop_all();
        self.local = Local { tag: cookie.local_tag, tsn: cookie.local_tsn };
        self.adopt_peer(&cookie.peer, cookie.extensions);
        //= rfc9260 §5.2.4
        //# All the congestion control parameters (e.g., cwnd, ssthresh) related to this peer MUST be reset
        //# to their initial values (see Section 6.2.1).
        self.sender.clear();
        self.begin_transfer(cookie.peer.window, cookie.peer.tsn);
        self.pending = super::transmit::Pending::default();
        self.pending.cookie_ack = true;
        self.errors = 0;
        self.state = State::Established;
        self.events.restarted();
        self.arm_heartbeat(now);
        self.start_path_mtu();
    }

    /// Runs T3-rtx while something is outstanding (RFC 9260 §6.3.2).
    pub(crate) fn arm_retransmit(&mut self, now: Instant) {
        //= rfc9260 §6.1
        //# if the T3-rtx timer of that address is not currently running, the sender MUST start that timer.
        if self.sender.is_all_acked() || matches!(self.state, State::CookieEchoed { .. }) {
            self.timers.stop(Timer::Retransmit);
        } else {
            self.timers.set_if_stopped(
                Timer::Retransmit,
                now + self.sender.rto.timeout().max(Duration::from_millis(1)),
            );
        }
    }
}
