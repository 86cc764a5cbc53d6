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
        //= rfc9260 §5.1.6
        //# When retransmitting the INIT chunk, the endpoint MUST follow the rules defined in Section 6.3 to determine
        //# the proper timer value.
        self.timers.set(Timer::Init, now + self.sender.rto.handshake_timeout());
    }

    /// What INIT and INIT ACK say of us.
    pub(crate) fn init_fields(&self, local: Local) -> InitFields {
        InitFields {
            //= rfc9260 §5.1
            //# In the INIT chunk, "A" MUST provide its Verification Tag (Tag_A) in the Initiate Tag field.
            //= rfc9260 §5.1.1
            //# In the INIT and INIT ACK chunks, the sender of the chunk MUST indicate the number of outbound streams
            //# (OS) it wishes to have in the association, as well as the maximum inbound streams (MIS) it will accept
            //# from the other endpoint.
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
        let alone = view.is_single();
        let own = view.tag == self.local.tag;
        let blank = matches!(self.state, State::Closed);
        let handshaking = matches!(self.state, State::CookieWait | State::CookieEchoed { .. });
        let right = match first.chunk_type() {
            //= rfc9260 §8.5.1
            //# The sender MUST set the Verification Tag of the packet to 0.
            //= rfc9260 §8.5.1
            //# Otherwise, the receiver MUST silently discard the packet.
            chunk::INIT => view.tag == 0 && alone,
            // The tag is compared with the one in the cookie.
            //= rfc9260 §8.4
            //# If the packet contains a COOKIE ECHO chunk as the first chunk, it MUST be processed as described in
            //# Section 5.1.
            chunk::COOKIE_ECHO => true,
            chunk::ABORT | chunk::SHUTDOWN_COMPLETE if !blank => self.is_from_peer(view, &first),
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
            //= rfc9260 §8.5
            //# the receiver MUST silently discard the packet and MUST NOT process it any further
            _ => own,
        };
        if !right {
            self.stats.wrong_tag += 1;
            trace::debug!(kind = first.chunk_type(), "packet with a wrong verification tag dropped");
        }
        right
    }

    /// Whether an ABORT or SHUTDOWN COMPLETE came under the right tag: ours, or with the T bit the peer's own.
    pub(crate) fn is_from_peer(&self, view: &PacketView<'_>, chunk: &Tlv<'_>) -> bool {
        //= rfc9260 §8.5.1
        //# The receiver of an ABORT chunk MUST accept the packet if the Verification Tag field of the packet matches
        //# its own tag and the T bit is not set OR if it is set to its Peer's Tag and the T bit is set in the Chunk
        //# Flags. Otherwise, the receiver MUST silently discard the packet and take no further action.
        //= rfc9260 §9.1
        //# An endpoint receiving an ABORT chunk MUST apply the special Verification Tag check rules described in
        //# Section 8.5.1.
        if chunk.flags() & chunk::FLAG_T == 0 {
            view.tag == self.local.tag
        } else {
            self.peer.tag != 0 && view.tag == self.peer.tag
        }
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
        //= rfc9260 §8.4
        //# After sending this ABORT chunk, the receiver of the OOTB packet MUST discard the OOTB packet and MUST NOT
        //# take any further action.
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
        //= rfc9260 §3.3.2
        //# A receiver of an INIT chunk with the a_rwnd value set to a value smaller than 1500 MUST discard the packet
        //= rfc9260 §3.3.2
        //# A receiver of an INIT chunk with the OS value set to 0 MUST discard the packet
        //= rfc9260 §3.3.2
        //# A receiver of an INIT chunk with the MIS value set to 0 MUST discard the packet
        //= rfc9260 §8.4
        //# the Verification Tag of the packet containing the ABORT chunk MUST be the Initiate Tag of the received
        //# INIT chunk
        //= rfc9260 §5.1
        //# MUST be set to the Initiate Tag value of the received INIT or INIT ACK chunk this ABORT chunk is
        //# responding to.
        if let Some(cause) = unacceptable(&init) {
            self.reply(Reply { tag: fields.tag, body: ReplyBody::Abort(cause) });
            return;
        }
        //= rfc9260 §5.1
        //# After sending an INIT ACK chunk with the State Cookie parameter, "Z" MUST NOT allocate any resources or
        //# keep any states for the new association.
        //= rfc9260 §5.2.1
        //# After that, the endpoint MUST NOT change its state, the T1-init timer MUST be left running, and the
        //# corresponding TCB MUST NOT be destroyed.
        //= rfc9260 §5.2.2
        //# After sending the INIT ACK or ABORT chunk, the endpoint MUST take no further actions, i.e., the
        //# existing association, including its current state, and the corresponding TCB MUST NOT be changed.
        let (local, ties) = self.answering();
        let cookie = Cookie {
            local_tag: local.tag,
            local_tsn: local.tsn,
            peer: fields,
            extensions: init.extensions,
            ties,
        };
        let body = ReplyBody::InitAck {
            //= rfc9260 §3.3.3
            //# The value of 0 MUST NOT be used, and the value MUST NOT be greater than the MIS value sent in the INIT
            //# chunk.
            fields: InitFields {
                outbound: self.config.outbound_streams.min(fields.inbound),
                ..self.init_fields(local)
            },
            //= rfc9260 §5.1
            //# Moreover, "Z" MUST generate and send along with the INIT ACK chunk a State Cookie.
            //= rfc9260 §5.2.1
            //# The endpoint MUST also generate a State Cookie with the INIT ACK chunk.
            //= rfc9260 §5.2.2
            //# the endpoint MUST generate an INIT ACK chunk with a State Cookie.
            cookie: self.cookies.seal(now, &cookie),
            unrecognized: init.unrecognized.iter().map(|parameter| parameter.to_vec()).collect(),
        };
        //= rfc9260 §5.1
        //# "Z" MUST set the Verification Tag field to Tag_A and also provide its own Verification Tag
        //= rfc9260 §5.2.2
        //# MUST carry a Verification Tag value equal to the Initiate Tag found in the unexpected INIT chunk.
        self.reply(Reply { tag: fields.tag, body });
    }

    /// What an INIT ACK says of us, and the tags that its cookie remembers as those in use. Before the association stands
    /// it says what our INIT says; afterwards something new.
    fn answering(&mut self) -> (Local, TieTags) {
        //= rfc9260 §5.2.1
        //# it MUST populate its Tie-Tags within both the association TCB and inside the State Cookie
        //= rfc9260 §5.2.2
        //# the endpoint MUST copy its current Tie-Tags to a reserved place within the State Cookie and the
        //# association's TCB.
        //= rfc9260 §5.2.2
        //# For a normal association INIT chunk (i.e., the endpoint is in the CLOSED state), the Tie-Tags MUST be
        //# set to 0 (indicating that no previous TCB existed).
        let ties = match self.peer.tag {
            0 => TieTags::default(),
            peer => TieTags { local: self.local.tag, peer },
        };
        //= rfc9260 §5.2.1
        //# Upon receipt of an INIT chunk in the COOKIE-WAIT state, an endpoint MUST respond with an INIT ACK chunk
        //# using the same parameters it sent in its original INIT chunk (including its Initiate Tag, unchanged).
        //= rfc9260 §5.2.1
        //# an endpoint MUST respond with an INIT ACK chunk using the same parameters it sent in its original INIT
        //# chunk
        //= rfc9260 §5.2.2
        //# And the INIT ACK chunk MUST contain a new Initiate Tag (randomly generated; see Section 5.3.1).
        let local = if self.state.is_connected() { Local::draw(&mut *self.rng) } else { self.local };
        (local, ties)
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
        //= rfc9260 §3.3.3
        //# A receiver of an INIT ACK chunk with the a_rwnd value set to a value smaller than 1500 MUST discard the
        //# packet, SHOULD send a packet in response containing an ABORT chunk and using the Initiate Tag as the
        //# Verification Tag, and MUST NOT change the state of any existing association.
        if init.fields.tag != 0 && init.fields.window < init::MIN_WINDOW {
            let body = ReplyBody::Abort(cause::INVALID_MANDATORY_PARAMETER);
            self.reply(Reply { tag: init.fields.tag, body });
            return;
        }
        //= rfc9260 §3.3.3
        //# If an endpoint in the COOKIE-WAIT state receives an INIT ACK chunk with the Initiate Tag set to 0, it MUST
        //# destroy the TCB
        //= rfc9260 §3.3.3
        //# If an endpoint in the COOKIE-WAIT state receives an INIT ACK chunk with the OS value set to 0, it MUST
        //# destroy the TCB
        //= rfc9260 §3.3.3
        //# If an endpoint in the COOKIE-WAIT state receives an INIT ACK chunk with the MIS value set to 0, it MUST
        //# destroy the TCB
        let Some(cookie) = init.cookie.filter(|_| init.fields.tag != 0 && unacceptable(&init).is_none())
        else {
            self.peer.tag = init.fields.tag;
            self.violation(Violation::InitAck, cause::INVALID_MANDATORY_PARAMETER);
            return;
        };
        //= rfc9260 §3.3.3
        //# An implementation MUST be prepared to receive an INIT ACK chunk that is quite large
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
        //= rfc9260 §4
        //# If the T1-init timer expires, the endpoint MUST retransmit the INIT chunk and restart the T1-init timer.
        //= rfc9260 §4
        //# This MUST be repeated up to 'Max.Init.Retransmits' times.
        //= rfc9260 §4
        //# After that, the endpoint MUST abort the initialization process and report the error to the SCTP user.
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
            //= rfc9260 §3.3.2
            //# This value MUST be placed into the Verification Tag field of every SCTP packet that the receiver of
            //# the INIT chunk transmits within this association.
            //= rfc9260 §3.3.3
            //# This value MUST be placed into the Verification Tag field of every SCTP packet that the receiver of
            //# the INIT ACK chunk transmits within this association.
            tag: fields.tag,
            //= rfc9260 §5.1.1
            //# After the association is initialized, the valid outbound stream identifier range for either
            //# endpoint MUST be 0 to min(local OS, remote MIS) - 1.
            // RFC 9260 §5.1.1: the smaller of what one asks and the other takes.
            //= rfc9260 §5.1.1
            //# the endpoint MUST use MIS outbound streams
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
            self.replies.remove(0);
        }
        self.replies.push(reply);
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
    //= rfc9260 §3.3.2.1.4
    //# The receiver of an INIT chunk or an INIT ACK containing a Host Name Address parameter MUST send an ABORT chunk
    //# and MAY include an "Unresolvable Address" error cause.
    //= rfc9260 §3.3.3
    //# The receiver of INIT ACK chunks containing a Host Name Address parameter MUST send an ABORT chunk and MAY
    //# include an "Unresolvable Address" error cause.
    //= rfc9260 §5.1.2
    //# the endpoint MUST immediately send an ABORT chunk
    //= rfc9260 §12.2.4.1
    //# MUST send an ABORT chunk in response
    } else if init.host_name {
        Some(cause::UNRESOLVABLE_ADDRESS)
    } else {
        None
    }
}
