//! What an engine and its streams are told. Every setter consumes and returns.

use std::time::Duration;

use rtp::{ExtensionForm, ExtensionMap, Mid, PayloadType, Rid, Ssrc};

use crate::codec::{Codec, MediaKind};

/// Whether RTCP datagrams always begin with a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the two forms that exist")]
pub enum RtcpForm {
    /// Report and description first, always (RFC 3550 §6.1).
    #[default]
    Compound,
    /// Feedback may travel alone (RFC 5506): only when `a=rtcp-rsize` was negotiated.
    ReducedSize,
}

/// Limits and intervals of an engine.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) max_packet: usize,
    pub(crate) max_forwarded_packet: usize,
    pub(crate) rtcp_form: RtcpForm,
    pub(crate) cname: Option<String>,
    pub(crate) report_interval: Duration,
    pub(crate) feedback_interval: Duration,
    pub(crate) key_frame_interval: Duration,
    pub(crate) reorder_tolerance: Duration,
    pub(crate) max_nacks: u8,
    pub(crate) nack_list: usize,
    pub(crate) retransmission_percent: u8,
    pub(crate) retransmission_floor: usize,
    pub(crate) max_retransmissions: u8,
    pub(crate) history_packets: usize,
    pub(crate) history_bytes: usize,
    pub(crate) send_queue_bytes: usize,
    pub(crate) receive_frames: usize,
    pub(crate) receive_packets: usize,
    pub(crate) receive_bytes: usize,
    pub(crate) max_streams: usize,
    pub(crate) max_streams_per_receiver: usize,
    pub(crate) max_frame: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_packet: 1_180,
            max_forwarded_packet: 1_400,
            rtcp_form: RtcpForm::Compound,
            cname: None,
            report_interval: Duration::from_secs(1),
            feedback_interval: Duration::from_millis(100),
            key_frame_interval: Duration::from_millis(500),
            reorder_tolerance: Duration::from_millis(10),
            max_nacks: 10,
            nack_list: 1_000,
            retransmission_percent: 40,
            retransmission_floor: 2_500,
            max_retransmissions: 8,
            history_packets: 1_024,
            history_bytes: 1 << 20,
            send_queue_bytes: 2 << 20,
            receive_frames: 128,
            receive_packets: 1_024,
            receive_bytes: 4 << 20,
            max_streams: 256,
            max_streams_per_receiver: 16,
            max_frame: 4 << 20,
        }
    }
}

impl Config {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Largest RTP or RTCP packet in bytes before SRTP. Default 1,180, which leaves 20 bytes for the tag and the
    /// index below a UDP payload of 1,200. At least 200.
    #[must_use]
    pub fn with_max_packet(mut self, bytes: usize) -> Self {
        self.max_packet = bytes.max(200);
        self
    }

    /// Largest packet that [`crate::Engine::send_packet`] takes, header included. Default 1,400: what a peer sent in
    /// one packet can grow by some extension elements, and cannot be cut.
    #[must_use]
    pub fn with_max_forwarded_packet(mut self, bytes: usize) -> Self {
        self.max_forwarded_packet = bytes;
        self
    }

    /// Whether feedback may travel alone (RFC 5506). Default: compound always.
    #[must_use]
    pub fn with_rtcp_form(mut self, form: RtcpForm) -> Self {
        self.rtcp_form = form;
        self
    }

    /// Canonical name of a session that only receives (RFC 7022); senders bring their own. Default: 96 random bits.
    #[must_use]
    pub fn with_cname(mut self, cname: String) -> Self {
        self.cname = Some(cname);
        self
    }

    /// Mean time between reports (RFC 3550 §6.2), drawn anew between half of it and one and a half. Default 1 s.
    #[must_use]
    pub fn with_report_interval(mut self, interval: Duration) -> Self {
        self.report_interval = interval.max(Duration::from_millis(10));
        self
    }

    /// Time between transport-wide feedbacks. Default 100 ms.
    #[must_use]
    pub fn with_feedback_interval(mut self, interval: Duration) -> Self {
        self.feedback_interval = interval.max(Duration::from_millis(5));
        self
    }

    /// Least time between key frame requests, both those sent and those passed to the application. Default 500 ms.
    #[must_use]
    pub fn with_key_frame_interval(mut self, interval: Duration) -> Self {
        self.key_frame_interval = interval.max(Duration::from_millis(10));
        self
    }

    /// How long a missing packet may still come by itself before it is asked for. Default 10 ms. On a path where packets
    /// are seen to come later than that it is longer, up to 100 ms.
    #[must_use]
    pub fn with_reorder_tolerance(mut self, tolerance: Duration) -> Self {
        self.reorder_tolerance = tolerance;
        self
    }

    /// How often a packet is asked for (RFC 4585 §6.2.1). Default 10 times.
    #[must_use]
    pub fn with_max_nacks(mut self, times: u8) -> Self {
        self.max_nacks = times;
        self
    }

    /// How many packets of a stream can be missed at once; beyond it a key frame is asked for instead. Default 1,000.
    #[must_use]
    pub fn with_nack_list(mut self, packets: usize) -> Self {
        self.nack_list = packets;
        self
    }

    /// Bytes of retransmission within a second, in percent of the media sent in it. Default 40: with every fifth packet
    /// lost, repetitions included, a repair of all of them takes 25 on average, and more in a bad second.
    #[must_use]
    pub fn with_retransmission_percent(mut self, percent: u8) -> Self {
        self.retransmission_percent = percent;
        self
    }

    /// Bytes of retransmission within a second that are allowed however little media was sent. Default 2,500.
    #[must_use]
    pub fn with_retransmission_floor(mut self, bytes: usize) -> Self {
        self.retransmission_floor = bytes;
        self
    }

    /// How often one packet is sent again at most. Default 8.
    #[must_use]
    pub fn with_max_retransmissions(mut self, times: u8) -> Self {
        self.max_retransmissions = times;
        self
    }

    /// Packets and payload bytes per sender that can be sent again. Default 1,024 and 1 MiB.
    #[must_use]
    pub fn with_history(mut self, packets: usize, bytes: usize) -> Self {
        self.history_packets = packets.min(16_384);
        self.history_bytes = bytes;
        self
    }

    /// Payload bytes per sender that wait to be sent; a frame that does not fit is refused. Default 2 MiB.
    #[must_use]
    pub fn with_send_queue(mut self, bytes: usize) -> Self {
        self.send_queue_bytes = bytes;
        self
    }

    /// Frames, packets and bytes per receiver that wait to be fetched, and bytes per stream that wait for missing
    /// packets. The oldest are dropped and counted. Default 128, 1,024 and 4 MiB.
    #[must_use]
    pub fn with_receive_queue(mut self, frames: usize, packets: usize, bytes: usize) -> Self {
        self.receive_frames = frames.max(1);
        self.receive_packets = packets.max(1);
        self.receive_bytes = bytes;
        self
    }

    /// Incoming streams in all, and per receiver. Default 256 and 16.
    #[must_use]
    pub fn with_max_streams(mut self, all: usize, per_receiver: usize) -> Self {
        self.max_streams = all;
        self.max_streams_per_receiver = per_receiver;
        self
    }

    /// Largest frame that is put together. Default 4 MiB.
    #[must_use]
    pub fn with_max_frame(mut self, bytes: usize) -> Self {
        self.max_frame = bytes;
        self
    }
}

/// Which feedback was negotiated for a stream (`a=rtcp-fb`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedbackKinds {
    pub(crate) nack: bool,
    pub(crate) pli: bool,
    pub(crate) fir: bool,
    pub(crate) transport: bool,
}

impl FeedbackKinds {
    /// None.
    #[must_use]
    pub const fn none() -> Self {
        Self { nack: false, pli: false, fir: false, transport: false }
    }

    /// `nack`: missing packets are asked for (RFC 4585 §6.2.1).
    #[must_use]
    pub const fn with_nack(mut self) -> Self {
        self.nack = true;
        self
    }

    /// `nack pli`: key frames are asked for (RFC 4585 §6.3.1).
    #[must_use]
    pub const fn with_pli(mut self) -> Self {
        self.pli = true;
        self
    }

    /// `ccm fir`: key frames are asked for (RFC 5104 §4.3.1), where PLI is not there.
    #[must_use]
    pub const fn with_fir(mut self) -> Self {
        self.fir = true;
        self
    }

    /// `transport-cc`: arrivals are reported for the whole transport.
    #[must_use]
    pub const fn with_transport_cc(mut self) -> Self {
        self.transport = true;
        self
    }
}

/// The retransmission stream beside a stream (RFC 4588).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rtx {
    /// The payload type whose `apt` is the stream's.
    pub payload_type: PayloadType,
    /// Its own source.
    pub ssrc: Ssrc,
}

impl Rtx {
    /// A retransmission stream.
    #[must_use]
    pub const fn new(payload_type: PayloadType, ssrc: Ssrc) -> Self {
        Self { payload_type, ssrc }
    }
}

/// An outgoing stream. One encoding of a simulcast is one such stream.
#[derive(Clone, Debug)]
pub struct SendStreamConfig {
    pub(crate) codec: Codec,
    pub(crate) clock_rate: u32,
    pub(crate) payload_type: PayloadType,
    pub(crate) ssrc: Ssrc,
    pub(crate) rtx: Option<Rtx>,
    pub(crate) cname: Option<String>,
    pub(crate) mid: Option<Mid>,
    pub(crate) rid: Option<Rid>,
    pub(crate) extensions: ExtensionMap,
    pub(crate) form: ExtensionForm,
    pub(crate) feedback: FeedbackKinds,
}

impl SendStreamConfig {
    /// A stream without retransmission, header extensions and feedback. `clock_rate` is in ticks per second, as in
    /// `a=rtpmap`.
    #[must_use]
    pub fn new(codec: Codec, payload_type: PayloadType, clock_rate: u32, ssrc: Ssrc) -> Self {
        Self {
            codec,
            clock_rate: clock_rate.max(1),
            payload_type,
            ssrc,
            rtx: None,
            cname: None,
            mid: None,
            rid: None,
            extensions: ExtensionMap::new(),
            form: ExtensionForm::OneByte,
            feedback: FeedbackKinds::none(),
        }
    }

    /// Packets that the peer misses are sent again on this stream. Without it NACKs are counted and not answered: a
    /// second packet under the same sequence number would differ from the first in its header extension, which must
    /// not happen under one SRTP key (RFC 7714 §8.4).
    #[must_use]
    pub fn with_rtx(mut self, rtx: Rtx) -> Self {
        self.rtx = Some(rtx);
        self
    }

    /// Canonical name (RFC 3550 §6.5.1). Default: the engine's.
    #[must_use]
    pub fn with_cname(mut self, cname: String) -> Self {
        self.cname = Some(cname);
        self
    }

    /// The media section (RFC 9143 §15), sent in a header extension, if there is one, until the peer reports on us.
    #[must_use]
    pub fn with_mid(mut self, mid: Mid) -> Self {
        self.mid = Some(mid);
        self
    }

    /// The encoding (RFC 8852), sent as the media section is.
    #[must_use]
    pub fn with_rid(mut self, rid: Rid) -> Self {
        self.rid = Some(rid);
        self
    }

    /// The header extensions negotiated, and whether they are written in one- or two-byte form.
    #[must_use]
    pub fn with_extensions(mut self, map: ExtensionMap, form: ExtensionForm) -> Self {
        self.extensions = map;
        self.form = form;
        self
    }

    /// The feedback that the peer may send.
    #[must_use]
    pub fn with_feedback(mut self, feedback: FeedbackKinds) -> Self {
        self.feedback = feedback;
        self
    }
}

/// What a payload type means on a media section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    pub(crate) payload_type: PayloadType,
    pub(crate) role: PayloadRole,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PayloadRole {
    Media { codec: Codec, clock_rate: u32 },
    Rtx { repairs: PayloadType },
}

impl Payload {
    /// Media in a format; `clock_rate` as in `a=rtpmap`.
    #[must_use]
    pub const fn media(payload_type: PayloadType, codec: Codec, clock_rate: u32) -> Self {
        let clock_rate = if clock_rate == 0 { 1 } else { clock_rate };
        Self { payload_type, role: PayloadRole::Media { codec, clock_rate } }
    }

    /// Retransmissions of another payload type, its `apt` (RFC 4588 §8.1).
    #[must_use]
    pub const fn rtx(payload_type: PayloadType, repairs: PayloadType) -> Self {
        Self { payload_type, role: PayloadRole::Rtx { repairs } }
    }
}

/// What the application gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whole or in parts")]
pub enum Delivery {
    /// Whole frames in order, missing packets waited for.
    #[default]
    Frames,
    /// Packets as they arrive, without delay and without order, for middleboxes. Duplicates are removed and
    /// retransmissions turned back.
    Packets,
}

/// An incoming media section.
#[derive(Clone, Debug)]
pub struct ReceiveStreamConfig {
    pub(crate) kind: MediaKind,
    pub(crate) mid: Option<Mid>,
    pub(crate) payloads: Vec<Payload>,
    pub(crate) ssrcs: Vec<(Ssrc, Option<Ssrc>)>,
    pub(crate) rids: Vec<Rid>,
    pub(crate) extensions: ExtensionMap,
    pub(crate) feedback: FeedbackKinds,
    pub(crate) delivery: Delivery,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) is_key_frame_on_gap: bool,
}

impl ReceiveStreamConfig {
    /// A section with these payload types, delivered as frames.
    #[must_use]
    pub fn new(kind: MediaKind, payloads: Vec<Payload>) -> Self {
        Self {
            kind,
            mid: None,
            payloads,
            ssrcs: Vec::new(),
            rids: Vec::new(),
            extensions: ExtensionMap::new(),
            feedback: FeedbackKinds::none(),
            delivery: Delivery::Frames,
            max_wait: None,
            is_key_frame_on_gap: true,
        }
    }

    /// The identification tag, by which packets find here (RFC 9143 §9.2).
    #[must_use]
    pub fn with_mid(mut self, mid: Mid) -> Self {
        self.mid = Some(mid);
        self
    }

    /// A stream announced in the description, and the stream of its retransmissions.
    #[must_use]
    pub fn with_ssrc(mut self, ssrc: Ssrc, rtx: Option<Ssrc>) -> Self {
        self.ssrcs.push((ssrc, rtx));
        self
    }

    /// The encodings announced in the description. With none, packets with any RID are taken.
    #[must_use]
    pub fn with_rids(mut self, rids: Vec<Rid>) -> Self {
        self.rids = rids;
        self
    }

    /// The header extensions negotiated.
    #[must_use]
    pub fn with_extensions(mut self, map: ExtensionMap) -> Self {
        self.extensions = map;
        self
    }

    /// The feedback that we may send.
    #[must_use]
    pub fn with_feedback(mut self, feedback: FeedbackKinds) -> Self {
        self.feedback = feedback;
        self
    }

    /// Whole frames or packets.
    #[must_use]
    pub fn with_delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// How long a missing packet holds up the frames behind it. Default: 400 ms when missing packets are asked for,
    /// 80 ms when they are not.
    #[must_use]
    pub fn with_max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = Some(wait);
        self
    }

    /// Leaves it to the application to ask for a key frame after a gap. Default: the engine does.
    #[must_use]
    pub fn without_key_frame_on_gap(mut self) -> Self {
        self.is_key_frame_on_gap = false;
        self
    }

    pub(crate) fn wait(&self) -> Duration {
        let default = Duration::from_millis(if self.feedback.nack { 400 } else { 80 });
        self.max_wait.unwrap_or(default)
    }

    pub(crate) fn payload(&self, payload_type: PayloadType) -> Option<PayloadRole> {
        self.payloads.iter().find(|payload| payload.payload_type == payload_type).map(|payload| payload.role)
    }
}
