//! Descriptions of browsers: what is read prints back byte for byte.

use sdp::{Attribute, Description, Direction, MediaKind, RidDirection, Setup};

const VECTORS: [(&str, &str); 15] = [
    ("aiortc-answer", include_str!("vectors/aiortc-answer.sdp")),
    ("aiortc-answer-to-chromium", include_str!("vectors/aiortc-answer-to-chromium.sdp")),
    ("aiortc-answer-to-firefox", include_str!("vectors/aiortc-answer-to-firefox.sdp")),
    ("aiortc-offer", include_str!("vectors/aiortc-offer.sdp")),
    ("chromium-answer", include_str!("vectors/chromium-answer.sdp")),
    ("chromium-answer-candidates", include_str!("vectors/chromium-answer-candidates.sdp")),
    ("chromium-answer-to-firefox", include_str!("vectors/chromium-answer-to-firefox.sdp")),
    ("chromium-offer", include_str!("vectors/chromium-offer.sdp")),
    ("chromium-offer-candidates", include_str!("vectors/chromium-offer-candidates.sdp")),
    ("chromium-offer-simulcast-vp8", include_str!("vectors/chromium-offer-simulcast-vp8.sdp")),
    ("firefox-answer", include_str!("vectors/firefox-answer.sdp")),
    ("firefox-answer-candidates", include_str!("vectors/firefox-answer-candidates.sdp")),
    ("firefox-offer", include_str!("vectors/firefox-offer.sdp")),
    ("firefox-offer-candidates", include_str!("vectors/firefox-offer-candidates.sdp")),
    ("firefox-offer-simulcast-vp8", include_str!("vectors/firefox-offer-simulcast-vp8.sdp")),
];

fn read(name: &str) -> Description {
    let (_, text) = VECTORS.iter().find(|(vector, _)| *vector == name).expect("a known name");
    Description::parse(text).expect("a valid text")
}

#[test]
fn sdp_roundtrip_corpus() {
    for (name, text) in VECTORS {
        let description = Description::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(description.to_string(), text, "{name}");
    }
}

#[test]
fn sdp_crlf_and_lf_accepted() {
    for (name, text) in VECTORS {
        let description = Description::parse(&text.replace("\r\n", "\n")).unwrap();
        assert_eq!(description.to_string(), text, "{name}");
        let description = Description::parse(text.trim_end()).unwrap();
        assert_eq!(description.to_string(), text, "{name}: no line end at the end");
        let description = Description::parse(&text.replace("\r\n", "\r\r\n")).unwrap();
        assert_eq!(description.to_string(), text, "{name}: line ends that were converted twice");
    }
}

/// Whatever is not a type here is known: a new name in this list is a decision.
#[test]
fn what_stays_without_a_type_is_known() {
    for (name, text) in VECTORS {
        let description = Description::parse(text).unwrap();
        for attribute in
            description.attributes.iter().chain(description.media.iter().flat_map(|m| &m.attributes))
        {
            if let Attribute::Unknown { name: attribute, .. } = attribute {
                assert_eq!(attribute, "rtcp-xr", "{name}");
            }
        }
    }
}

#[test]
fn chromium_offer_is_understood() {
    let offer = read("chromium-offer-candidates");
    assert_eq!(offer.groups().next().unwrap().mids, ["0", "1", "2"]);
    assert!(offer.groups().next().unwrap().is_bundle());
    let [audio, video, data] = offer.media.as_slice() else { panic!("three media descriptions") };
    assert_eq!((&audio.kind, audio.port, audio.is_rtp()), (&MediaKind::Audio, 37_728, true));
    let opus = audio.rtpmaps().next().unwrap();
    assert_eq!((opus.encoding.as_ref(), opus.clock_rate, opus.channels), ("opus", 48_000, Some(2)));
    assert_eq!(audio.payload_types().map(sdp::PayloadType::value).collect::<Vec<_>>()[..3], [111, 63, 9]);
    assert_eq!(audio.direction(), Some(Direction::Sendrecv));
    assert!(audio.has(&Attribute::Setup(Setup::Actpass)) && audio.has(&Attribute::RtcpMux));
    let candidate = audio.candidates().next().unwrap();
    assert_eq!((candidate.kind.as_str(), candidate.extension("network-cost")), ("host", Some("50")));
    assert_eq!(video.rtcp_fbs().filter(|feedback| feedback.id == "nack").count(), 20);
    assert_eq!(video.extmaps().find(|extmap| extmap.uri.ends_with(":mid")).unwrap().id, 4);
    let apt = video.fmtps().find(|fmtp| fmtp.format == "97").unwrap().parameter("APT");
    assert_eq!(apt, Some("96"));
    assert!(video.attributes.iter().any(
        |attribute| matches!(attribute, Attribute::SsrcGroup(group) if group.ssrcs == [2_630_881_611, 3_932_161_162])
    ));
    assert_eq!((&data.kind, data.is_rtp()), (&MediaKind::Application, false));
    assert_eq!(data.formats, ["webrtc-datachannel"]);
    assert_eq!(data.payload_types().count(), 0);
    assert!(data.has(&Attribute::SctpPort(5_000)) && data.has(&Attribute::MaxMessageSize(262_144)));
}

#[test]
fn firefox_offer_is_understood() {
    let offer = read("firefox-offer-candidates");
    assert_eq!(offer.origin.username, "mozilla...THIS_IS_SDPARTA-99.0");
    let fingerprint = offer.attributes.iter().find_map(|attribute| {
        if let Attribute::Fingerprint(fingerprint) = attribute { Some(fingerprint) } else { None }
    });
    let fingerprint = fingerprint.unwrap();
    assert_eq!((fingerprint.hash.as_str(), fingerprint.value.len()), ("sha-256", 32));
    assert_eq!(fingerprint.value[..2], [0xc2, 0x13]);
    let extmap = offer.media[1].extmaps().find(|extmap| extmap.id == 6).unwrap();
    assert_eq!(extmap.direction, Some(Direction::Recvonly));
    let tcp = offer.media[0].candidates().nth(1).unwrap();
    assert_eq!((tcp.transport.as_str(), tcp.extension("tcptype"), tcp.component), ("TCP", Some("active"), 1));
}

#[test]
fn simulcast_offers_are_understood() {
    for name in ["chromium-offer-simulcast-vp8", "firefox-offer-simulcast-vp8"] {
        let offer = read(name);
        let attributes = &offer.media[0].attributes;
        let rids = attributes.iter().filter(|attribute| matches!(attribute, Attribute::Rid(_))).count();
        let simulcast = attributes.iter().find_map(|attribute| {
            if let Attribute::Simulcast(simulcast) = attribute { Some(simulcast) } else { None }
        });
        let streams: Vec<_> = simulcast.unwrap().streams(RidDirection::Send).collect();
        assert_eq!((rids, streams.len(), streams[1][0].rid.as_str()), (3, 3, "h"), "{name}");
        assert_eq!(simulcast.unwrap().streams(RidDirection::Recv).count(), 0);
    }
}
