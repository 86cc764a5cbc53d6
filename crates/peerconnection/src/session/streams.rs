//! Negotiated sections to streams of the media engine.

use super::Session;
use crate::{
    Configuration, MediaDelivery, SessionEvent,
    jsep::{NegotiatedCodec, NegotiatedExtension, StreamChange},
    transceiver::{Direction, MediaKind, TransceiverId},
};
use ::media::{
    Codec, Delivery, FeedbackKinds, H264Mode, Payload, ReceiveStreamConfig, Rtx, SendStreamConfig,
};
use rtp::{ExtensionForm, ExtensionId, ExtensionKind, ExtensionMap, Mid, PayloadType, Ssrc};
use std::time::Instant;

/// What SRTCP adds at most: tag and index (RFC 3711 §3.4, RFC 7714 §17); it is more than what SRTP adds.
const SRTP_OVERHEAD: usize = 20;
/// ChannelData header of a relay (RFC 8656 §12.4).
const RELAY_OVERHEAD: usize = 4;

pub(super) fn config(config: &Configuration, cname: &str) -> ::media::Config {
    ::media::Config::new()
        .with_max_packet(config.mtu - SRTP_OVERHEAD - RELAY_OVERHEAD)
        .with_cname(cname.to_owned())
}

impl Session {
    /// Makes the engine send and receive what was negotiated, and nothing else.
    pub(super) fn apply_streams(&mut self, now: Instant, streams: Vec<StreamChange>) {
        let named: Vec<TransceiverId> = streams.iter().map(|stream| stream.transceiver).collect();
        let gone: Vec<TransceiverId> = self
            .transceivers
            .iter()
            .map(|transceiver| transceiver.view.id)
            .filter(|id| !named.contains(id))
            .collect();
        for id in gone {
            self.remove_streams(id);
        }
        for stream in streams {
            self.apply_sending(now, &stream);
            self.apply_receiving(now, &stream);
        }
    }

    /// Ends both directions of a transceiver; the engine says BYE.
    pub(super) fn remove_streams(&mut self, id: TransceiverId) {
        let now = self.latest;
        let Some(transceiver) = self.transceiver_mut(id) else { return };
        let (sender, receiver) = (transceiver.sender.take(), transceiver.receiver.take());
        transceiver.send_codec = None;
        if let Some(sender) = sender {
            self.senders.remove(&sender);
            self.media.remove_sender(now, sender);
        }
        if let Some(receiver) = receiver {
            self.receivers.remove(&receiver);
            self.media.remove_receiver(now, receiver);
        }
    }

    fn apply_sending(&mut self, now: Instant, stream: &StreamChange) {
        let id = stream.transceiver;
        let Some(transceiver) = self.transceiver_mut(id) else { return };
        let codec = stream.send.iter().find(|codec| media_codec(stream.kind, codec).is_some());
        let sends = stream.direction.sends() && transceiver.view.sender.has_track;
        let config =
            codec.filter(|_| sends).and_then(|codec| send_config(stream, codec, &transceiver.view.sender));
        transceiver.send_codec = codec.filter(|_| sends).map(|codec| codec.codec.name.clone());
        match (transceiver.sender, config) {
            (Some(sender), Some(config)) => self.media.update_sender(now, sender, config),
            (None, Some(config)) => {
                let sender = self.media.add_sender(now, config);
                self.senders.insert(sender, id);
                if let Some(transceiver) = self.transceiver_mut(id) {
                    transceiver.sender = Some(sender);
                }
                self.ask_for_first_key_frame(id);
            }
            (Some(sender), None) => {
                transceiver.sender = None;
                self.senders.remove(&sender);
                self.media.remove_sender(now, sender);
            }
            (None, None) => {}
        }
    }

    /// What was encoded before the peer could receive is lost to it: encoders begin anew.
    pub(super) fn ask_for_first_key_frame(&mut self, id: TransceiverId) {
        let is_video = |transceiver: &super::Transceiver| transceiver.view.kind == MediaKind::Video;
        if self.transport.srtp.is_some()
            && self.transceiver_mut(id).is_some_and(|transceiver| is_video(transceiver))
        {
            self.push(SessionEvent::KeyFrameRequested(id));
        }
    }

    fn apply_receiving(&mut self, now: Instant, stream: &StreamChange) {
        let id = stream.transceiver;
        let delivery = match self.config.media_delivery {
            MediaDelivery::Frames => Delivery::Frames,
            MediaDelivery::Packets => Delivery::Packets,
        };
        let config = stream.direction.receives().then(|| receive_config(stream, delivery));
        let Some(transceiver) = self.transceiver_mut(id) else { return };
        match (transceiver.receiver, config) {
            (Some(receiver), Some(config)) => self.media.update_receiver(now, receiver, config),
            (None, Some(config)) => {
                let receiver = self.media.add_receiver(now, config);
                self.receivers.insert(receiver, id);
                if let Some(transceiver) = self.transceiver_mut(id) {
                    transceiver.receiver = Some(receiver);
                }
            }
            (Some(receiver), None) => {
                transceiver.receiver = None;
                self.receivers.remove(&receiver);
                self.media.remove_receiver(now, receiver);
            }
            (None, None) => {}
        }
    }
}

fn send_config(
    stream: &StreamChange,
    codec: &NegotiatedCodec,
    sender: &crate::jsep::SenderView,
) -> Option<SendStreamConfig> {
    let payload_type = payload_type(codec.payload_type)?;
    let mut config = SendStreamConfig::new(
        media_codec(stream.kind, codec)?,
        payload_type,
        codec.codec.clock_rate,
        Ssrc(sender.ssrc),
    )
    .with_cname(sender.cname.clone())
    .with_feedback(feedback(codec))
    .with_extensions(extensions(&stream.extensions, Direction::sends), ExtensionForm::OneByte);
    if let (Some(rtx), Some(ssrc)) = (codec.rtx.and_then(self::payload_type), sender.rtx_ssrc) {
        config = config.with_rtx(Rtx::new(rtx, Ssrc(ssrc)));
    }
    if let Some(mid) = Mid::new(&stream.mid) {
        config = config.with_mid(mid);
    }
    Some(config)
}

fn receive_config(stream: &StreamChange, delivery: Delivery) -> ReceiveStreamConfig {
    let mut payloads = Vec::new();
    let mut kinds = FeedbackKinds::none();
    for codec in &stream.receive {
        let (Some(codec_kind), Some(number)) =
            (media_codec(stream.kind, codec), payload_type(codec.payload_type))
        else {
            continue;
        };
        payloads.push(Payload::media(number, codec_kind, codec.codec.clock_rate));
        payloads.extend(codec.rtx.and_then(payload_type).map(|rtx| Payload::rtx(rtx, number)));
        if payloads.len() <= 2 {
            kinds = feedback(codec);
        }
    }
    let mut config = ReceiveStreamConfig::new(stream.kind, payloads)
        .with_feedback(kinds)
        .with_delivery(delivery)
        .with_extensions(extensions(&stream.extensions, Direction::receives));
    if let Some(mid) = Mid::new(&stream.mid) {
        config = config.with_mid(mid);
    }
    for source in &stream.sources {
        config = config.with_ssrc(Ssrc(source.ssrc), source.rtx.map(Ssrc));
    }
    config
}

/// The engine's name of a codec; formats it cannot cut or join pass as packets.
fn media_codec(kind: MediaKind, codec: &NegotiatedCodec) -> Option<Codec> {
    let name = codec.codec.name.to_ascii_lowercase();
    Some(match name.as_str() {
        "opus" => Codec::Opus,
        "pcmu" | "pcma" => Codec::G711,
        "vp8" => Codec::Vp8,
        "h264" => Codec::H264(match codec.codec.parameter("packetization-mode") {
            Some("1") => H264Mode::NonInterleaved,
            _ => H264Mode::SingleNal,
        }),
        // Not media of their own.
        "rtx" | "red" | "ulpfec" | "flexfec-03" | "cn" | "telephone-event" => return None,
        _ => Codec::Other(kind),
    })
}

fn feedback(codec: &NegotiatedCodec) -> FeedbackKinds {
    let has = |id, parameter| codec.codec.feedback.iter().any(|feedback| feedback.is(id, parameter));
    let mut kinds = FeedbackKinds::none();
    if has("nack", None) {
        kinds = kinds.with_nack();
    }
    if has("nack", Some("pli")) {
        kinds = kinds.with_pli();
    }
    if has("ccm", Some("fir")) {
        kinds = kinds.with_fir();
    }
    if has("transport-cc", None) {
        kinds = kinds.with_transport_cc();
    }
    kinds
}

fn extensions(negotiated: &[NegotiatedExtension], allowed: fn(Direction) -> bool) -> ExtensionMap {
    let mut map = ExtensionMap::new();
    for extension in negotiated.iter().filter(|extension| allowed(extension.direction)) {
        if let (Some(kind), Some(id)) =
            (ExtensionKind::from_uri(&extension.uri), ExtensionId::new(extension.id))
        {
            map.insert(kind, id);
        }
    }
    map
}

fn payload_type(number: sdp::PayloadType) -> Option<PayloadType> {
    PayloadType::new(u8::from(number))
}
