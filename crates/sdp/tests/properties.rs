//! Print and parse are inverse, for descriptions and for texts nobody thought of.

use proptest::prelude::*;
use sdp::{
    Attribute, Bandwidth, Candidate, Connection, Description, Direction, Extmap, Fingerprint, Fmtp, Group,
    MediaDescription, MediaKind, Msid, Origin, PacketTime, PayloadType, Rid, RidDirection, RtcpFb, Rtpmap,
    Sctpmap, Setup, Simulcast, SimulcastId, Ssrc, SsrcGroup,
};

fn token() -> impl Strategy<Value = String> {
    "[!#-'*+.0-9A-Z^-~]{1,12}"
}

fn text() -> impl Strategy<Value = String> {
    "[^\\r\\n\\x00]{1,20}"
}

fn payload_type() -> impl Strategy<Value = PayloadType> {
    (0_u8..128).prop_map(|number| PayloadType::new(number).expect("7 bits"))
}

fn direction() -> impl Strategy<Value = Direction> {
    prop::sample::select(vec![
        Direction::Inactive,
        Direction::Recvonly,
        Direction::Sendonly,
        Direction::Sendrecv,
    ])
}

fn rid_direction() -> impl Strategy<Value = RidDirection> {
    prop::sample::select(vec![RidDirection::Recv, RidDirection::Send])
}

fn candidate() -> impl Strategy<Value = Candidate> {
    let ends = (token(), any::<u32>(), any::<u16>(), token());
    let related = (prop::option::of(token()), prop::option::of(any::<u16>()));
    let extensions = prop::collection::vec((token(), token()), 0..4)
        .prop_filter("raddr and rport have fields", |list| {
            list.iter().all(|(name, _)| name != "raddr" && name != "rport")
        });
    (ends, 1_u16..=256, related, extensions).prop_map(
        |((word, priority, port, kind), component, related, extensions)| {
            let mut candidate = Candidate::new(word, "udp", priority, "192.0.2.1", port, kind);
            candidate.component = component;
            (candidate.related_address, candidate.related_port) = related;
            candidate.extensions = extensions;
            candidate
        },
    )
}

fn simulcast() -> impl Strategy<Value = Simulcast> {
    let id = ("[a-zA-Z0-9_-]{1,5}", any::<bool>()).prop_map(|(rid, paused)| {
        let mut id = SimulcastId::new(rid);
        id.paused = paused;
        id
    });
    let streams = || prop::collection::vec(prop::collection::vec(id.clone(), 1..3), 1..4);
    (rid_direction(), streams(), prop::option::of(streams())).prop_map(|(direction, first, second)| {
        let mut simulcast = Simulcast::new(direction, first);
        if let Some(second) = second {
            simulcast.lists.extend(Simulcast::new(direction.reversed(), second).lists);
        }
        simulcast
    })
}

fn media_attribute() -> impl Strategy<Value = Attribute> {
    let feedback = (payload_type(), token(), prop::option::of(text()));
    prop_oneof![
        (1_u16..=255, prop::option::of(direction()), token(), prop::option::of(text())).prop_map(
            |(id, d, uri, a)| {
                let mut extmap = Extmap::new(id, uri);
                (extmap.direction, extmap.attributes) = (d, a);
                Attribute::Extmap(extmap)
            }
        ),
        (payload_type(), text()).prop_map(|(pt, text)| Attribute::Fmtp(Fmtp::new(pt, text))),
        (1_u32..9999)
            .prop_map(|millis| Attribute::Ptime(PacketTime::from_millis(millis).expect("above zero"))),
        (token(), prop::option::of(token())).prop_map(|(stream, track)| {
            let msid = Msid::new(stream);
            Attribute::Msid(track.map_or_else(|| msid.clone(), |track| msid.clone().with_track(track)))
        }),
        text().prop_map(Attribute::MsidSemantic),
        ("[a-z0-9_-]{1,9}", rid_direction(), prop::option::of(text())).prop_map(
            |(id, direction, parameters)| {
                let mut rid = Rid::new(id, direction);
                rid.parameters = parameters;
                Attribute::Rid(rid)
            }
        ),
        feedback.prop_map(|(pt, id, parameter)| {
            let feedback = RtcpFb::new(pt, id);
            Attribute::RtcpFb(match parameter {
                Some(parameter) => feedback.with_parameter(parameter),
                None => feedback,
            })
        }),
        (payload_type(), token(), 1_u32.., any::<u16>())
            .prop_map(|(pt, name, rate, n)| Attribute::Rtpmap(Rtpmap::new(pt, name, rate).with_channels(n))),
        simulcast().prop_map(Attribute::Simulcast),
        (any::<u32>(), text()).prop_map(|(ssrc, cname)| Attribute::Ssrc(Ssrc::cname(ssrc, cname))),
        (any::<u32>(), any::<u32>()).prop_map(|(ssrc, rtx)| Attribute::SsrcGroup(SsrcGroup::fid(ssrc, rtx))),
        direction().prop_map(Attribute::Direction),
    ]
}

fn transport_attribute() -> impl Strategy<Value = Attribute> {
    let flags = [
        Attribute::BundleOnly,
        Attribute::EndOfCandidates,
        Attribute::ExtmapAllowMixed,
        Attribute::IceLite,
        Attribute::RtcpMux,
        Attribute::RtcpMuxOnly,
        Attribute::RtcpRsize,
        Attribute::Setup(Setup::Holdconn),
    ];
    prop_oneof![
        prop::sample::select(flags.to_vec()),
        candidate().prop_map(|candidate| Attribute::Candidate(candidate.into())),
        prop::collection::vec(any::<u8>(), 1..70)
            .prop_map(|value| Attribute::Fingerprint(Fingerprint::new("x-hash", value))),
        (token(), prop::collection::vec(token(), 0..5))
            .prop_map(|(s, mids)| Attribute::Group(Group::new(s, mids))),
        prop::collection::vec(token(), 1..4).prop_map(Attribute::IceOptions),
        "[a-zA-Z0-9+/]{22,40}".prop_map(Attribute::IcePwd),
        "[a-zA-Z0-9+/]{4,32}".prop_map(Attribute::IceUfrag),
        any::<u64>().prop_map(Attribute::MaxMessageSize),
        token().prop_map(Attribute::Mid),
        any::<u16>().prop_map(Attribute::SctpPort),
        (any::<u16>(), any::<u16>())
            .prop_map(|(port, streams)| Attribute::Sctpmap(Sctpmap::new(port, streams))),
        "[a-zA-Z0-9+/_-]{20,40}".prop_map(Attribute::TlsId),
        ("x-[a-z-]{1,9}", prop::option::of("[^\\r\\n\\x00]{0,20}"))
            .prop_map(|(name, value)| Attribute::Unknown { name, value }),
    ]
}

fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    prop::collection::vec(prop_oneof![media_attribute(), transport_attribute()], 0..12)
}

fn media() -> impl Strategy<Value = MediaDescription> {
    let line =
        (token(), any::<u16>(), prop::option::of(any::<u16>()), prop::collection::vec(payload_type(), 1..9));
    (line, attributes(), prop::option::of(text()), any::<u64>()).prop_map(
        |(line, attributes, information, rate)| {
            let (kind, port, count, formats) = line;
            let mut media = MediaDescription::new(MediaKind::new(&kind), "UDP/TLS/RTP/SAVPF");
            media.formats = formats.into_iter().map(|pt| pt.to_string().into()).collect();
            media.bandwidths.push(Bandwidth::new("TIAS", rate));
            (media.port, media.port_count, media.information, media.attributes) =
                (port, count, information, attributes);
            media
        },
    )
}

fn description() -> impl Strategy<Value = Description> {
    let session = (any::<u64>(), any::<u64>(), text(), prop::collection::vec(text(), 0..3));
    (session, attributes(), prop::collection::vec(media(), 0..5)).prop_map(|(session, attributes, media)| {
        let (id, version, name, emails) = session;
        let mut description = Description::new(Origin::new(id, version));
        description.connection = Some(Connection::new("::1"));
        (description.session_name, description.emails) = (name, emails);
        (description.attributes, description.media) = (attributes, media);
        description
    })
}

#[test]
fn payload_types_are_their_digits() {
    for number in 0..128 {
        let payload_type = PayloadType::new(number).expect("7 bits");
        assert_eq!(payload_type.as_str(), number.to_string());
    }
}

/// What is kept without allocating equals what a caller makes, and prints the same.
#[test]
fn known_words_equal_their_copies() {
    let pt = PayloadType::new(96).expect("7 bits");
    for name in ["VP8", "vp8", "rtx", "x"] {
        let made = Attribute::Rtpmap(Rtpmap::new(pt, name, 90_000));
        let text = format!("rtpmap:96 {name}/90000");
        assert_eq!((text.parse(), made.to_string()), (Ok(made), text));
    }
    for uri in ["urn:3gpp:video-orientation", "urn:3gpp:video-orientation:6", "x"] {
        let made = Attribute::Extmap(Extmap::new(1, uri));
        let text = format!("extmap:1 {uri}");
        assert_eq!((text.parse(), made.to_string()), (Ok(made), text));
    }
    for (id, parameter) in [("ccm", "fir"), ("nack", "pli"), ("x", "y z")] {
        let made = Attribute::RtcpFb(RtcpFb::new(pt, id).with_parameter(parameter));
        let text = format!("rtcp-fb:96 {id} {parameter}");
        assert_eq!((text.parse(), made.to_string()), (Ok(made), text));
    }
}

proptest! {
    /// Fingerprints of any form: pairs between colons, and nothing else.
    #[test]
    fn fingerprints_are_pairs(digits in "[0-9a-fA-F:]{1,12}|([0-9a-fA-F]{2}:){0,5}[0-9a-fA-F]{2}") {
        let byte = |pair: &str| match pair.len() {
            2 => u8::from_str_radix(pair, 16).ok(),
            _ => None,
        };
        let simple: Option<Vec<u8>> = digits.split(':').map(byte).collect();
        let read = Fingerprint::parse(&format!("x-hash {digits}")).ok().map(|fingerprint| fingerprint.value);
        prop_assert_eq!(read, simple);
    }

    #[test]
    fn printed_descriptions_read_back_the_same(description in description()) {
        let printed = description.to_string();
        prop_assert_eq!(Description::parse(&printed).unwrap(), description);
    }

    #[test]
    fn attributes_read_back_the_same(attribute in prop_oneof![media_attribute(), transport_attribute()]) {
        prop_assert_eq!(attribute.to_string().parse::<Attribute>().unwrap(), attribute);
    }

    /// Whatever is read prints to a text that reads and prints the same.
    #[test]
    fn reading_is_stable(cut in 0_usize..6000, remove in 0_usize..40, insert in "[ -~\\r\\n]{0,8}") {
        let text = include_str!("vectors/chromium-offer-candidates.sdp");
        let (head, tail) = text.split_at(cut.min(text.len()));
        let text = format!("{head}{insert}{}", tail.get(remove..).unwrap_or(""));
        if let Ok(description) = Description::parse(&text) {
            let printed = description.to_string();
            prop_assert_eq!(Description::parse(&printed).unwrap(), description);
        }
    }

    #[test]
    fn garbage_never_panics(garbage in any::<String>(), lines in "([a-z]=[ -~]{0,30}\\r\\n){0,20}") {
        let _ = Description::parse(&garbage);
        let _ = Description::parse(&lines);
        let _ = Description::parse(&format!("v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\n{lines}"));
        let _ = garbage.parse::<Candidate>();
        let _ = garbage.parse::<Attribute>();
    }
}
