//! One alarm for all layers.

use super::Session;
use std::time::Instant;

impl Session {
    /// Lets the layers do what is due. Calling it early or late is harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.advance(now);
        if self.is_closed() {
            return;
        }
        self.expire_farewell(now);
        self.transport.ice.handle_timeout(now);
        self.settle_ice(now);
        // Without a path nothing above can be sent: its timers wait, and catch up in one step.
        if !self.transport.ice.is_writable() {
            return;
        }
        if let Some(dtls) = self.transport.dtls.connection_mut() {
            dtls.handle_timeout(now);
            self.settle_dtls(now);
        }
        if self.is_connected() {
            self.channels.handle_timeout(now);
            self.media.handle_timeout(now);
        }
    }

    /// When [`Session::handle_timeout`] is to be called next; `None` means never.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.is_closed() {
            return None;
        }
        let mut next = earliest(self.transport.ice.poll_timeout(), self.farewell_deadline);
        if self.transport.ice.is_writable() {
            next = earliest(next, self.transport.dtls.connection().and_then(dtls::Connection::poll_timeout));
            if self.is_connected() {
                next = earliest(next, self.channels.poll_timeout());
                next = earliest(next, self.media.poll_timeout());
            }
        }
        next
    }
}

fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
