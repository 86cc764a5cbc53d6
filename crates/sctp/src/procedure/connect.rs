//! Setting up: INIT, INIT ACK and whose packet is whose (RFC 9260 §5.1, §5.2.1 to §5.2.3, §8.4, §8.5).

use super::transmit::{Reply, ReplyBody};
use crate::association::{Association, Local, Peer};
use crate::chunk::init::{self, Init, InitFields};
use crate::chunk::{self};
use crate::config::Interleaving;
use crate::cookie::{Cookie, TieTags};
use crate::event::{CloseReason, Violation};
use crate::packet::PacketView;
use crate::procedure::reset::Resets;
use crate::state::{State, Timer};
use crate::tlv::Tlv;
use crate::{cause, trace};
use base::Serial32;
use std::time::Instant;

impl Association {
    pub(crate) fn start_init(&mut self, now: Instant) {
        if !matches!(self.state, State::Closed) {
            return;
        }
        self.state = State::CookieWait;
        self.errors = 0;
        self.pending.init = true;
        self.timers.set(Timer::Init, now + self.sender.rto.handshake_timeout());
    }

    /// What INIT and INIT ACK say of us.
    pub(crate) fn init_fields(&self, local: Local) -> InitFields {
        InitFields {
            tag: local.tag,
            window: u32::try_from(self.receiver.first_buffer()).unwrap_or(u32::MAX),
            outbound: self.config.outbound_streams,
            inbound: self.config.inbound_streams,
            tsn: local.tsn,
        }
    }

    /// RFC 9260 §8.5 and §8.5.1: whether the packet is for this association, judged by its first chunk. Answers those
    /// out of the blue (§8.4).
    pub(crate) fn accepts(&mut self, view: &PacketView<'_>) -> bool {
        let mut chunks = view.chunks;
        let Some(Ok(first)) = chunks.next() else { return false };
        let alone = chunks.next().is_none();
        let reflected = first.flags() & chunk::FLAG_T != 0;
        let own = view.tag == self.local.tag;
        let blank = matches!(self.state, State::Closed);
        let handshaking = matches!(self.state, State::CookieWait | State::CookieEchoed { .. });
        let right = match first.chunk_type() {
            //= rfc9260 §8.5.1
            //# The sender MUST set the Verification Tag of the packet to 0.
            chunk::INIT => view.tag == 0 && alone,
            // The tag is compared with the one in the cookie.
            chunk::COOKIE_ECHO => true,
            chunk::ABORT | chunk::SHUTDOWN_COMPLETE if !blank => {
                if reflected {
                    self.peer.tag != 0 && view.tag == self.peer.tag
                } else {
                    own
                }
            }
            chunk::SHUTDOWN_ACK if handshaking => {
                self.reply(Reply { tag: view.tag, body: ReplyBody::ShutdownCompleteReflected });
                return false;
            }
            chunk::INIT_ACK => own && alone && !blank,
            _ if blank => {
                self.answer_out_of_the_blue(view, &first);
                return false;
            }
            //= rfc9260 §8.5
            //# When receiving an SCTP packet, the endpoint MUST ensure that the value in the Verification
            //# Tag field of the received SCTP packet matches its own tag.
            _ => own,
        };
        if !right {
            self.stats.wrong_tag += 1;
            trace::debug!(kind = first.chunk_type(), "packet with a wrong verification tag dropped");
        }
        right
    }

    fn answer_out_of_the_blue(&mut self, view: &PacketView<'_>, first: &Tlv<'_>) {
        self.stats.wrong_tag += 1;
        let kinds = || view.chunks.flatten().map(|chunk| chunk.chunk_type());
        //= rfc9260 §8.4
        //# If the OOTB packet contains an ABORT chunk, the receiver MUST silently discard the OOTB packet
        //# and take no further action.
        let silent =
            [chunk::ABORT, chunk::SHUTDOWN_COMPLETE, chunk::COOKIE_ACK, chunk::ERROR, chunk::INIT_ACK];
        if kinds().any(|kind| silent.contains(&kind)) {
            return;
        }
        let body = if first.chunk_type() == chunk::SHUTDOWN_ACK {
            ReplyBody::ShutdownCompleteReflected
        } else {
            ReplyBody::AbortReflected
        };
        self.reply(Reply { tag: view.tag, body });
    }

    pub(crate) fn on_init(&mut self, now: Instant, chunk: &Tlv<'_>) {
        let Ok(init) = Init::parse(chunk.value) else {
            self.stats.malformed_packets += 1;
            return;
        };
        let fields = init.fields;
        if fields.tag == 0 {
            //= rfc9260 §3.3.2
            //# If the value of the Initiate Tag in a received INIT chunk is found to be 0, the receiver MUST silently
            //# discard the packet.
            return;
        }
        if matches!(self.state, State::ShutdownAckSent) {
            // RFC 9260 §9.2: the peer lost our SHUTDOWN ACK.
            self.pending.shutdown_ack = true;
            return;
        }
        if let Some(cause) = unacceptable(&init) {
            self.reply(Reply { tag: fields.tag, body: ReplyBody::Abort(cause) });
            return;
        }
        let fresh = self.state.is_connected();
        //= rfc9260 §5.2.2
        //# After sending the INIT ACK or ABORT chunk, the endpoint MUST take no further actions, i.e., the
        //# existing association, including its current state, and the corresponding TCB MUST NOT be changed.
        // RFC 9260 §5.2.1: before the association stands, every INIT ACK says what our INIT says. §5.2.2: afterwards
        // it says something new, and the cookie remembers the tags in use.
        let (local, ties) = if fresh {
            (Local::draw(&mut *self.rng), TieTags { local: self.local.tag, peer: self.peer.tag })
        } else if self.peer.tag != 0 {
            (self.local, TieTags { local: self.local.tag, peer: self.peer.tag })
        } else {
            (self.local, TieTags::default())
        };
        let cookie = Cookie {
            local_tag: local.tag,
            local_tsn: local.tsn,
            peer: fields,
            extensions: init.extensions,
            ties,
        };
        let body = ReplyBody::InitAck {
            fields: self.init_fields(local),
            cookie: self.cookies.seal(now, &cookie),
            unrecognized: init.unrecognized.iter().map(|parameter| parameter.to_vec()).collect(),
        };
        self.reply(Reply { tag: fields.tag, body });
    }

    pub(crate) fn on_init_ack(&mut self, now: Instant, chunk: &Tlv<'_>) {
        //= rfc9260 §5.2.3
        //# If an INIT ACK chunk is received by an endpoint in any state other than the COOKIE-WAIT or CLOSED state, the
        //# endpoint SHOULD discard the INIT ACK chunk.
        if !matches!(self.state, State::CookieWait) {
            return;
        }
        let Ok(init) = Init::parse(chunk.value) else {
            self.stats.malformed_packets += 1;
            return;
        };
        let Some(cookie) = init.cookie.filter(|_| init.fields.tag != 0 && unacceptable(&init).is_none())
        else {
            self.peer.tag = init.fields.tag;
            self.violation(Violation::InitAck, cause::INVALID_MANDATORY_PARAMETER);
            return;
        };
        let cookie = cookie.to_vec();
        self.adopt_peer(&init.fields, init.extensions);
        self.begin_transfer(init.fields.window, init.fields.tsn);
        //= rfc9260 §5.1.4
        //# When an endpoint (in the COOKIE-WAIT state) receives an INIT ACK chunk with a State Cookie
        //# parameter, it MUST immediately send a COOKIE ECHO chunk to its peer with the received State
        //# Cookie.
        self.state = State::CookieEchoed { cookie };
        self.errors = 0;
        // The peer answers: what the INIT had to wait, the cookie need not.
        self.sender.rto.recovered();
        self.pending.init = false;
        self.pending.cookie_echo = true;
        self.timers.stop(Timer::Init);
        //= rfc9260 §5.1.4
        //# The endpoint MUST also start the T1-cookie timer after sending the COOKIE ECHO chunk.
        self.timers.set(Timer::Cookie, now + self.sender.rto.handshake_timeout());
    }

    pub(crate) fn on_init_timeout(&mut self, now: Instant) {
        if !matches!(self.state, State::CookieWait) {
            return;
        }
        self.errors += 1;
        if self.errors > self.config.max_init_retransmits {
            self.close(CloseReason::Timeout);
            return;
        }
        self.sender.rto.back_off();
        self.pending.init = true;
        self.timers.set(Timer::Init, now + self.sender.rto.handshake_timeout());
    }

    /// Notes what the peer said of itself.
    pub(crate) fn adopt_peer(&mut self, fields: &InitFields, mut extensions: init::Extensions) {
        //= rfc8260 §2.2.1
        //# User message interleaving has been negotiated for an association if both endpoints have indicated I-DATA
        //# support.
        extensions.interleaving &= self.config.interleaving == Interleaving::Offered;
        if extensions.interleaving {
            //= rfc8260 §2.3.1
            //# The partial reliability extension is negotiated and can be used in combination with user message
            //# interleaving only if both endpoints indicated their support of user message interleaving and the
            //# I-FORWARD-TSN chunk.
            extensions.forward_tsn = extensions.i_forward_tsn;
        }
        self.peer = Peer {
            tag: fields.tag,
            //= rfc9260 §5.1.1
            //# After the association is initialized, the valid outbound stream identifier range for either
            //# endpoint MUST be 0 to min(local OS, remote MIS) - 1.
            // RFC 9260 §5.1.1: the smaller of what one asks and the other takes.
            outbound: self.config.outbound_streams.min(fields.inbound),
            inbound: self.config.inbound_streams.min(fields.outbound),
            extensions,
        };
    }

    /// Both halves start from the numbers agreed upon.
    pub(crate) fn begin_transfer(&mut self, window: u32, tsn: Serial32) {
        let format = self.peer.format();
        self.sender.start(self.now, self.local.tsn, window, self.peer.extensions.forward_tsn, format);
        self.sender.set_padding(self.peer.extensions.pad);
        self.receiver.start(tsn, format, &mut self.events);
        self.resets = Resets::new(&self.config, self.local.tsn, tsn);
    }

    /// Owes a packet; old debts beyond a few are dropped, as the network might have.
    pub(crate) fn reply(&mut self, reply: Reply) {
        const MAX_REPLIES: usize = 4;
        if self.replies.len() >= MAX_REPLIES {
            self.replies.pop_front();
        }
        self.replies.push_back(reply);
    }
}

/// RFC 9260 §3.3.2, §5.1.2: what an INIT or INIT ACK must not say, and the cause to give.
pub(super) fn unacceptable(init: &Init<'_>) -> Option<u16> {
    let fields = &init.fields;
    //= rfc9260 §3.3.2
    //# The Advertised Receiver Window Credit MUST NOT be smaller than 1500.
    if fields.outbound == 0 || fields.inbound == 0 || fields.window < init::MIN_WINDOW {
        Some(cause::INVALID_MANDATORY_PARAMETER)
    //= rfc9260 §3.3.2
    //# The receiver of an INIT chunk containing a Host Name Address parameter MUST send an ABORT chunk and
    //# MAY include an "Unresolvable Address" error cause.
    } else if init.host_name {
        Some(cause::UNRESOLVABLE_ADDRESS)
    } else {
        None
    }
}
