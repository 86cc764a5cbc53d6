//! Ending at once, and errors that do not end anything (RFC 9260 §9.1, §3.3.10).

use crate::association::Association;
use crate::cause;
use crate::event::{CloseReason, Violation};
use crate::state::{LastChunk, State};
use crate::tlv::{Tlv, Tlvs};
use crate::trace;

/// The longest reason sent with an ABORT.
const MAX_REASON: usize = 64;
/// The longest part of an unknown chunk sent back (T-C11).
const MAX_ECHO: usize = 256;

impl Association {
    pub(crate) fn abort_by_user(&mut self, reason: &str) {
        if self.state.is_over() {
            return;
        }
        let text = reason.as_bytes();
        let text = text.get(..MAX_REASON).unwrap_or(text);
        self.end_with_abort(cause::USER_INITIATED_ABORT, text.to_vec(), CloseReason::LocalAbort);
    }

    pub(crate) fn violation(&mut self, violation: Violation, cause: u16) {
        trace::debug!(?violation, "the peer broke the protocol");
        self.end_with_abort(cause, Vec::new(), CloseReason::Violation(violation));
    }

    fn end_with_abort(&mut self, cause: u16, text: Vec<u8>, reason: CloseReason) {
        if self.peer.tag == 0 {
            // There is nobody to tell.
            self.close(reason);
            return;
        }
        self.timers.stop_all();
        self.replies.clear();
        self.sender.clear();
        //= rfc9260 §9.1
        //# When an endpoint decides to abort an existing association, it MUST send an ABORT chunk to its peer
        //# endpoint.
        self.state = State::Ending { last: LastChunk::Abort { cause, text }, reason };
    }

    pub(crate) fn on_abort(&mut self, chunk: &Tlv<'_>) {
        if matches!(self.state, State::Closed) {
            return;
        }
        //= rfc9260 §3.3.7
        //# If an endpoint receives an ABORT chunk with a format error or no TCB is found, it MUST silently discard it.
        if Tlvs::new(chunk.value).any(|cause| cause.is_err()) {
            self.stats.malformed_packets += 1;
            return;
        }
        //= rfc9260 §9.1
        //# An endpoint MUST NOT respond to any received packet that contains an ABORT chunk (also see
        //# Section 8.4).
        //= rfc9260 §3.3.7
        //# an endpoint that receives an ABORT chunk MUST NOT respond to that ABORT chunk by sending an ABORT chunk of
        //# its own.
        //= rfc9260 §9.1
        //# the receiving endpoint MUST remove the association from its record
        self.close(CloseReason::PeerAbort(cause::first_code(chunk.value)));
    }

    pub(crate) fn on_error(&mut self, chunk: &Tlv<'_>) {
        for error in Tlvs::new(chunk.value).flatten() {
            trace::debug!(cause = error.code(), "ERROR received");
            if error.code() == cause::STALE_COOKIE {
                self.on_stale_cookie(self.now);
            }
        }
    }

    /// Tells the peer of a chunk we do not know: one a packet, and only the beginning of a long one.
    pub(crate) fn report_unknown(&mut self, chunk: &Tlv<'_>) {
        if self.state.is_connected() {
            let echo = chunk.whole.get(..MAX_ECHO).unwrap_or(chunk.whole);
            self.owe_error(cause::UNRECOGNIZED_CHUNK, echo);
        }
    }

    /// Owes an ERROR; one a packet is enough.
    pub(crate) fn owe_error(&mut self, code: u16, value: &[u8]) {
        if self.pending.error.is_none() {
            let mut error = Vec::new();
            cause::write(&mut error, code, value);
            self.pending.error = Some(error);
        }
    }
}
