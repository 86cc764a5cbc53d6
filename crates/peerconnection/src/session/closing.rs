//! The end of a session: every layer says goodbye, in the order in which they stand on each other.

use super::Session;
use std::time::{Duration, Instant};

/// A full socket must not keep a closed connection alive.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far the end has come. Each step is left when it has nothing more to send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Farewell {
    /// Not closing.
    #[default]
    None,
    /// RTCP BYE and SCTP ABORT are on their way.
    Upper,
    /// close_notify is on its way.
    Dtls,
    /// Relays are being given back.
    Ice,
    /// Nothing is left.
    Done,
}

impl Session {
    /// Ends the session (W3C `close`). What there is to say to the peer and to relays is sent by the polls that follow;
    /// [`Session::is_closed`] tells when that is done. Harmless when called again.
    pub fn close(&mut self, now: Instant) {
        let now = self.advance(now);
        if self.farewell != Farewell::None {
            return;
        }
        self.farewell = Farewell::Upper;
        self.farewell_deadline = now.checked_add(PATIENCE);
        self.events.clear();
        self.media.close(now);
        self.channels.abort(now, "closed by the application");
        self.negotiator.close();
        self.descriptions_changed = true;
    }

    /// Whether the session has ended and has nothing more to send. It then reports nothing and asks for no timer.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.farewell == Farewell::Done
    }

    pub(super) fn is_closing(&self) -> bool {
        self.farewell != Farewell::None
    }

    /// Called when the current step has nothing to send. `Done` when not closing: there is no further step.
    pub(super) fn step_farewell(&mut self, now: Instant) -> Farewell {
        self.farewell = match self.farewell {
            Farewell::None => return Farewell::Done,
            Farewell::Upper => {
                if let Some(dtls) = self.transport.dtls.connection_mut() {
                    dtls.close(now);
                }
                Farewell::Dtls
            }
            Farewell::Dtls => {
                self.transport.ice.close(now);
                Farewell::Ice
            }
            Farewell::Ice | Farewell::Done => Farewell::Done,
        };
        self.farewell
    }

    pub(super) fn expire_farewell(&mut self, now: Instant) {
        if self.is_closing() && self.farewell_deadline.is_some_and(|deadline| deadline <= now) {
            self.farewell = Farewell::Done;
        }
    }
}
