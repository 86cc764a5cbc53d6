//! Offers and answers of browsers.

use std::{fs, path::Path};

use super::{
    super::*,
    peer::{Peer, agree},
};
use crate::transceiver::{Direction, MediaKind};

const OFFERS: [(&str, &str); 7] = [
    ("aiortc-offer", include_str!("../../../tests/vectors/aiortc-offer.sdp")),
    ("chromium-offer", include_str!("../../../tests/vectors/chromium-offer.sdp")),
    ("chromium-offer-candidates", include_str!("../../../tests/vectors/chromium-offer-candidates.sdp")),
    ("chromium-offer-simulcast-vp8", include_str!("../../../tests/vectors/chromium-offer-simulcast-vp8.sdp")),
    ("firefox-offer", include_str!("../../../tests/vectors/firefox-offer.sdp")),
    ("firefox-offer-candidates", include_str!("../../../tests/vectors/firefox-offer-candidates.sdp")),
    ("firefox-offer-simulcast-vp8", include_str!("../../../tests/vectors/firefox-offer-simulcast-vp8.sdp")),
];

const ANSWERS: [(&str, &str); 8] = [
    ("aiortc-answer", include_str!("../../../tests/vectors/aiortc-answer.sdp")),
    ("aiortc-answer-to-chromium", include_str!("../../../tests/vectors/aiortc-answer-to-chromium.sdp")),
    ("aiortc-answer-to-firefox", include_str!("../../../tests/vectors/aiortc-answer-to-firefox.sdp")),
    ("chromium-answer", include_str!("../../../tests/vectors/chromium-answer.sdp")),
    ("chromium-answer-candidates", include_str!("../../../tests/vectors/chromium-answer-candidates.sdp")),
    ("chromium-answer-to-firefox", include_str!("../../../tests/vectors/chromium-answer-to-firefox.sdp")),
    ("firefox-answer", include_str!("../../../tests/vectors/firefox-answer.sdp")),
    ("firefox-answer-candidates", include_str!("../../../tests/vectors/firefox-answer-candidates.sdp")),
];

fn payload_types(media: &sdp::MediaDescription) -> Vec<u8> {
    media.payload_types().map(sdp::PayloadType::value).collect()
}

/// Users 70 and 72: every offer gets the answer that is on file.
#[test]
fn users_72_offers_of_browsers_get_the_answer_on_file() {
    for (name, offer) in OFFERS {
        let mut peer = Peer::new("peerlane");
        peer.add_track(MediaKind::Audio, "stream");
        peer.add_track(MediaKind::Video, "stream");
        peer.snapshot.dtls.tls_id = Some("a".repeat(32));
        peer.set_remote(SdpType::Offer, offer).unwrap_or_else(|error| panic!("{name}: {error}"));
        let answer = peer.answer();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/vectors/answer-to-{name}.sdp"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &answer).unwrap();
        }
        let expected =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(answer, expected, "{name}");
        sensible(name, &Description::offer(offer).unwrap(), &peer);
    }
}

/// What has to hold for every answer, whatever is on file.
fn sensible(name: &str, offer: &Description, peer: &Peer) {
    let (offer, answer) = (offer.document().unwrap(), peer.document());
    assert_eq!(offer.media.len(), answer.media.len(), "{name}");
    for (offered, answered) in offer.media.iter().zip(&answer.media) {
        assert_eq!(
            (&offered.kind, &offered.protocol, offered.mid()),
            (&answered.kind, &answered.protocol, answered.mid())
        );
        assert_ne!(answered.port, 0, "{name}: everything is accepted");
        // Users 70: payload types and their order are the offer's.
        let offered_types = payload_types(offered);
        let mut rest = offered_types.iter();
        assert!(payload_types(answered).iter().all(|own| rest.any(|theirs| theirs == own)), "{name}");
        for extmap in answered.extmaps() {
            assert!(
                offered.extmaps().any(|theirs| theirs.id == extmap.id && theirs.uri == extmap.uri),
                "{name}"
            );
        }
        let mut feedback = answered.rtcp_fbs().map(|line| line.to_string());
        assert!(feedback.all(|line| offered.rtcp_fbs().any(|theirs| theirs.to_string() == line)), "{name}");
        let simulcast = |attribute: &sdp::Attribute| {
            matches!(
                attribute,
                sdp::Attribute::Rid(_) | sdp::Attribute::Simulcast(_) | sdp::Attribute::BundleOnly
            )
        };
        assert!(!answered.attributes.iter().any(simulcast), "{name}: receiving simulcast is for later");
        assert!(answered.has(&sdp::Attribute::Setup(sdp::Setup::Active)), "{name}");
        assert!(
            !answered.attributes.iter().any(|a| matches!(a, sdp::Attribute::TlsId(_))),
            "{name}: none was offered"
        );
    }
    assert_eq!(section::bundle(offer), section::bundle(&answer), "{name}");
    assert_eq!(peer.role, Some(IceRole::Controlled));
    assert_eq!(peer.dtls.last().map(|dtls| dtls.role), Some(DtlsRole::Active));
    assert!(!peer.needs() || name.contains("simulcast"), "{name}");
}

#[test]
fn chromium_offer_in_detail() {
    let mut peer = Peer::new("peerlane");
    peer.set_remote(SdpType::Offer, OFFERS[2].1).unwrap();
    let answer = peer.negotiator.create_answer(&peer.snapshot, &AnswerOptions::default()).unwrap();
    let plan = peer.negotiator.set_local(&peer.snapshot, &answer).unwrap();
    assert_eq!(plan.ice.remote.as_ref().map(|ice| ice.ufrag.as_str()), Some("ZNcX"));
    assert_eq!(plan.ice.candidates.len(), 1);
    assert!(plan.ice.gather && !plan.ice.restart && !plan.ice.remote_lite);
    let (local_port, remote_port) = (5_000, 5_000);
    let start = SctpChange::Start { local_port, remote_port, max_message_size: 262_144, inits: None };
    assert_eq!(plan.sctp, Some(start));
    let streams = plan.streams.as_deref().unwrap();
    assert_eq!(streams.iter().map(|stream| stream.direction).collect::<Vec<_>>(), [Direction::RecvOnly; 2]);
    let types: Vec<_> = streams[1].receive.iter().map(|codec| codec.payload_type.value()).collect();
    // VP8, and of six H.264 configurations the two of the constrained baseline profile.
    assert_eq!(types, [96, 108, 114]);
    assert_eq!(streams[1].receive[1].rtx.map(sdp::PayloadType::value), Some(109));
    assert_eq!(
        streams[1].sources,
        [RemoteSource {
            ssrc: 2_630_881_611,
            rtx: Some(3_932_161_162),
            cname: Some("MMT+Fpd/vVzQOko4".into()),
        }]
    );
    assert_eq!(streams[0].remote.streams, ["87ae601f-00e1-4d17-844a-482719289dc4"]);
    let mid = streams[0].extensions.iter().find(|extension| extension.uri.ends_with("sdes:mid"));
    assert_eq!(mid.map(|extension| extension.id), Some(4));
    peer.apply(&plan);
    assert_eq!(peer.tracks.iter().filter(|(_, event)| *event == RemoteTrackEvent::Added).count(), 2);
}

#[test]
fn firefox_offer_in_detail() {
    let mut peer = Peer::new("peerlane");
    peer.set_remote(SdpType::Offer, OFFERS[5].1).unwrap();
    peer.answer();
    assert_eq!(peer.streams[0].receive[0].payload_type.value(), 109);
    assert_eq!(
        peer.streams[1].receive.iter().map(|codec| codec.payload_type.value()).collect::<Vec<_>>(),
        [120]
    );
    assert!(
        peer.streams[1].receive[0].codec.feedback.iter().any(|feedback| feedback.is("transport-cc", None))
    );
    assert!(matches!(peer.sctp[0], SctpChange::Start { max_message_size: 1_073_741_823, .. }));
    assert_eq!(peer.streams[1].sources[0].rtx, Some(992_051_779));
}

#[test]
fn the_fingerprints_of_aiortc_are_all_kept() {
    let mut peer = Peer::new("peerlane");
    peer.set_remote(SdpType::Offer, OFFERS[0].1).unwrap();
    peer.answer();
    let hashes: Vec<_> =
        peer.dtls[0].fingerprints.iter().map(|fingerprint| fingerprint.hash.as_str()).collect();
    assert_eq!(hashes, ["sha-256", "sha-384", "sha-512"]);
}

#[test]
fn answers_of_browsers_are_understood() {
    for (name, answer) in ANSWERS {
        let mut peer = Peer::new("peerlane");
        peer.add_track(MediaKind::Audio, "stream");
        peer.add_track(MediaKind::Video, "stream");
        peer.snapshot.data_channels_wanted = true;
        peer.offer();
        let result = peer.set_remote(SdpType::Answer, answer);
        result.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(peer.state(), SignalingState::Stable);
        assert_eq!(peer.dtls[0].role, DtlsRole::Passive, "{name}");
        assert_eq!(peer.streams.len(), 2, "{name}");
        for stream in &peer.streams {
            assert!(stream.direction.sends(), "{name}");
            // What we send goes under the other side's numbers, what we receive comes under ours.
            let ours = if stream.kind == MediaKind::Audio { 111 } else { 96 };
            assert_eq!(stream.receive[0].payload_type.value(), ours, "{name}");
            assert!(!stream.send.is_empty());
        }
        assert!(matches!(peer.sctp[0], SctpChange::Start { remote_port: 5_000, .. }), "{name}");
        assert!(!peer.needs(), "{name}");
    }
}

/// Our offers are read back by an independent look at the text.
#[test]
fn offers_have_what_browsers_need() {
    for bundle in [BundleForm::Repeated, BundleForm::Tagged] {
        let mut peer = Peer::new("peerlane");
        peer.snapshot.bundle = bundle;
        peer.add_track(MediaKind::Audio, "stream");
        peer.add_track(MediaKind::Video, "stream");
        peer.snapshot.data_channels_wanted = true;
        let offer = peer.offer();
        for needle in [
            "a=group:BUNDLE 0 1 2\r\n",
            "a=ice-options:trickle ice2\r\n",
            "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8\r\nc=IN IP4 0.0.0.0\r\n",
            " UDP/TLS/RTP/SAVPF 96 97 102 103 104 105\r\n",
            "a=setup:actpass\r\n",
            "a=msid:stream peerlane-track-1\r\n",
            "a=ssrc-group:FID 2000 2001\r\n",
            "a=rtpmap:111 opus/48000/2\r\n",
            "a=fmtp:97 apt=96\r\n",
            "a=rtcp-fb:96 nack pli\r\n",
            "UDP/DTLS/SCTP webrtc-datachannel\r\n",
            "a=sctp-port:5000\r\na=max-message-size:262144\r\n",
        ] {
            assert!(offer.contains(needle), "{bundle:?}: {needle:?} in {offer}");
        }
        let sections = offer.split("\r\nm=").skip(1);
        let transports = sections.filter(|section| section.contains("a=ice-ufrag:")).count();
        assert_eq!(transports, if bundle == BundleForm::Repeated { 3 } else { 1 });
        let mut other = Peer::new("other");
        other.set_remote(SdpType::Offer, &offer).unwrap();
        let answer = other.answer();
        peer.set_remote(SdpType::Answer, &answer).unwrap();
        agree(&peer, &other);
    }
}
