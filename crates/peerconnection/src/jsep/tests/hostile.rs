//! Descriptions that must not be accepted, and what they must not do.

use super::{
    super::*,
    peer::{Peer, exchange},
};
use crate::transceiver::MediaKind::{Audio, Video};

/// A connected pair with audio, video and data.
fn connected() -> (Peer, Peer) {
    let (mut a, mut b) = fresh();
    exchange(&mut a, &mut b);
    (a, b)
}

fn fresh() -> (Peer, Peer) {
    let (mut a, b) = (Peer::new("alice"), Peer::new("bobby"));
    a.add_track(Audio, "s");
    a.add_track(Video, "s");
    a.snapshot.data_channels_wanted = true;
    (a, b)
}

/// Sets a description that has to be refused, and checks that it did nothing (T-P04).
fn refused(peer: &mut Peer, kind: SdpType, text: &str, why: &str) {
    let before = (peer.snapshot.clone(), format!("{:?}", peer.negotiator));
    let error = peer.set_remote(kind, text).expect_err(why);
    assert_eq!(error.kind(), ErrorKind::InvalidAccessError, "{why}: {error}");
    assert_eq!(peer.snapshot, before.0, "{why}");
    assert_eq!(format!("{:?}", peer.negotiator), before.1, "{why}");
}

/// Changes the text of one section.
fn in_section(text: &str, index: usize, from: &str, to: &str) -> String {
    let parts: Vec<String> = text
        .split("\r\nm=")
        .enumerate()
        .map(|(part, text)| if part == index + 1 { text.replace(from, to) } else { text.to_owned() })
        .collect();
    let changed = parts.join("\r\nm=");
    assert_ne!(changed, text, "nothing changed: {from}");
    changed
}

/// T-P05: each fault with the expected error, in a first offer.
#[test]
fn t_p05_offers() {
    let (mut a, b) = fresh();
    let offer = a.offer();
    let whole = |from: &str, to: &str| {
        assert!(offer.contains(from), "{from}");
        offer.replace(from, to)
    };
    let table = [
        ("two mids alike", whole("a=mid:1\r\n", "a=mid:0\r\n").replace("BUNDLE 0 1 2", "BUNDLE 0 2")),
        ("no mid", whole("a=mid:1\r\n", "").replace("BUNDLE 0 1 2", "BUNDLE 0 2")),
        ("two ssrcs alike", whole("a=ssrc:2000 ", "a=ssrc:1000 ")),
        ("a mid in two bundles", whole("BUNDLE 0 1 2\r\n", "BUNDLE 0 1\r\na=group:BUNDLE 1 2\r\n")),
        ("a mid twice in a bundle", whole("BUNDLE 0 1 2", "BUNDLE 0 1 2 1")),
        ("a bundle with an unknown mid", whole("BUNDLE 0 1 2", "BUNDLE 0 1 2 3")),
        (
            "bundle-only outside of the bundle",
            whole("BUNDLE 0 1 2", "BUNDLE 0 1").replace("a=mid:2", "a=bundle-only\r\na=mid:2"),
        ),
        ("no rtcp-mux", whole("a=rtcp-mux\r\na=rtcp-mux-only\r\n", "")),
        ("rtcp-mux-only alone", whole("a=rtcp-mux\r\n", "")),
        ("no fingerprint", remove_lines(&offer, "a=fingerprint")),
        ("no ufrag", remove_lines(&offer, "a=ice-ufrag")),
        ("no pwd", remove_lines(&offer, "a=ice-pwd")),
        ("no setup", remove_lines(&offer, "a=setup")),
        ("holdconn", whole("a=setup:actpass", "a=setup:holdconn")),
        ("no sctp-port", remove_lines(&offer, "a=sctp-port")),
        ("a payload type that is RTCP", whole(" 111 0 8", " 111 0 72")),
        (
            "one payload type, two codecs",
            in_section(&offer, 1, "96 VP8", "111 VP8").replace("SAVPF 96", "SAVPF 111"),
        ),
        ("rtx of nothing", whole("apt=96", "apt=100")),
        ("rtx without apt", whole("a=fmtp:97 apt=96\r\n", "")),
        ("an extension id twice", whole("a=extmap:2 ", "a=extmap:1 ")),
        ("an extension id with two meanings", in_section(&offer, 1, "a=extmap:1 urn:", "a=extmap:1 other:")),
        ("simulcast without rid", in_section(&offer, 1, "a=mid:1\r\n", "a=mid:1\r\na=simulcast:send h\r\n")),
        ("a rid twice", in_section(&offer, 1, "a=mid:1\r\n", "a=mid:1\r\na=rid:h send\r\na=rid:h send\r\n")),
        (
            "a rid both ways",
            in_section(&offer, 1, "a=mid:1\r\n", "a=mid:1\r\na=rid:h send\r\na=rid:h recv\r\n"),
        ),
        (
            "simulcast twice",
            in_section(
                &offer,
                1,
                "a=mid:1\r\n",
                "a=mid:1\r\na=rid:h send\r\na=simulcast:send h\r\na=simulcast:send h\r\n",
            ),
        ),
        (
            "simulcast the other way",
            in_section(&offer, 1, "a=mid:1\r\n", "a=mid:1\r\na=rid:h send\r\na=simulcast:recv h\r\n"),
        ),
    ];
    for (why, text) in table {
        refused(&mut b.clone(), SdpType::Offer, &text, why);
    }
    // And the untouched one still goes through, after all of them.
    let mut b = b;
    b.set_remote(SdpType::Offer, &offer).unwrap();
}

fn remove_lines(text: &str, start: &str) -> String {
    let lines: String = text.split_inclusive("\r\n").filter(|line| !line.starts_with(start)).collect();
    assert_ne!(lines, text);
    lines
}

/// Lines of a section in another order than the sections had: kinds, mids, numbers.
#[test]
fn t_p05_reoffers() {
    let (mut a, b) = connected();
    let offer = a.offer();
    let parts: Vec<&str> = offer.split("\r\nm=").collect();
    let [session, audio, video, data] = parts.as_slice() else { panic!("three sections") };
    let data = &data.trim_end();
    let join = |sections: &[&str]| {
        let text = format!("{session}\r\nm={}", sections.join("\r\nm="));
        if text.ends_with("\r\n") { text } else { text + "\r\n" }
    };
    let ufrag = a.snapshot.ice.local.ufrag.clone();
    let pwd = a.snapshot.ice.local.pwd.clone();
    let fingerprint = a.snapshot.dtls.fingerprints[0].to_string();
    let table = [
        ("sections changed places", join(&[video, audio, data])),
        ("fewer sections", join(&[audio, video]).replace("BUNDLE 0 1 2", "BUNDLE 0 1")),
        ("another kind", in_section(&offer, 0, "audio ", "video ")),
        ("another mid", offer.replace("a=mid:1\r\n", "a=mid:7\r\n").replace("BUNDLE 0 1 2", "BUNDLE 0 7 2")),
        (
            "mids changed places",
            offer.replace("mid:0", "mid:x").replace("mid:1", "mid:0").replace("mid:x", "mid:1"),
        ),
        (
            "a new ufrag alone",
            offer
                .replace(&ufrag, "other")
                .replace(&pwd, &pwd.replace(&ufrag, "other"))
                .replace(&pwd.replace(&ufrag, "other"), &pwd),
        ),
        ("a new pwd alone", offer.replace(&format!("ice-pwd:{pwd}"), &format!("ice-pwd:x{pwd}"))),
        ("a new fingerprint without restart", offer.replace(&fingerprint, &fingerprint.replace("61", "62"))),
        (
            "a tls-id out of nowhere",
            offer.replace("a=setup", &format!("a=tls-id:{}\r\na=setup", "x".repeat(20))),
        ),
        (
            "a known mid in a new section",
            join(&[
                &audio.replace("a=mid:0\r\n", "").replace("audio 9", "audio 0"),
                video,
                data,
                &audio.replace("audio", "video").replace("0 8", "8"),
            ]),
        ),
    ];
    for (why, text) in table {
        refused(&mut b.clone(), SdpType::Offer, &text, why);
    }
    let mut b = b;
    b.set_remote(SdpType::Offer, &offer).unwrap();
}

#[test]
fn t_p05_answers() {
    let (mut a, mut b) = fresh();
    let offer = a.offer();
    b.set_remote(SdpType::Offer, &offer).unwrap();
    let answer = b.answer();
    let table = [
        (
            "fewer sections",
            answer.split("\r\nm=application").next().unwrap().replace("BUNDLE 0 1 2", "BUNDLE 0 1") + "\r\n",
        ),
        ("another kind", in_section(&answer, 0, "audio ", "video ")),
        ("another mid", answer.replace("a=mid:1\r\n", "a=mid:7\r\n").replace("BUNDLE 0 1 2", "BUNDLE 0 7 2")),
        ("no bundle", answer.replace("a=group:BUNDLE 0 1 2\r\n", "")),
        ("half a bundle", answer.replace("BUNDLE 0 1 2", "BUNDLE 0 1")),
        ("bundle-only", answer.replace("a=mid:1", "a=bundle-only\r\na=mid:1")),
        ("actpass", answer.replace("setup:active", "setup:actpass")),
        (
            "no codec in common",
            in_section(&answer, 0, "111", "100")
                .replace("PCMU/", "X/")
                .replace("PCMA/", "Y/")
                .replace("opus/", "Z/"),
        ),
        ("no data protocol", in_section(&answer, 2, "UDP/DTLS/SCTP", "UDP/X")),
    ];
    for (why, text) in table {
        refused(&mut a.clone(), SdpType::Answer, &text, why);
    }
    a.set_remote(SdpType::Answer, &answer).unwrap();
    // A section that was offered as disabled cannot be accepted.
    let audio = a.snapshot.transceivers[0].id;
    a.stop(audio);
    let offer = a.offer();
    b.set_remote(SdpType::Offer, &offer).unwrap();
    let answer = b.answer();
    refused(
        &mut a,
        SdpType::Answer,
        &answer.replace("m=audio 0 ", "m=audio 9 "),
        "accepts what was disabled",
    );
}

/// T-P07: roles and fingerprints.
#[test]
fn t_p07_roles_and_fingerprints() {
    // An offer that is active gets passive, and the other way round.
    for (offered, role, answered) in [
        ("active", DtlsRole::Passive, "passive"),
        ("passive", DtlsRole::Active, "active"),
        ("actpass", DtlsRole::Active, "active"),
    ] {
        let (mut a, mut b) = fresh();
        let offer = a.offer().replace("setup:actpass", &format!("setup:{offered}"));
        b.set_remote(SdpType::Offer, &offer).unwrap();
        assert!(b.answer().contains(&format!("a=setup:{answered}\r\n")));
        assert_eq!(b.dtls[0].role, role);
    }
    // A re-offer cannot swap roles; one that names them as they are is fine.
    let (mut a, b) = connected();
    let offer = a.offer();
    assert_eq!(a.dtls[0].role, DtlsRole::Passive);
    let swapped = offer.replace("setup:actpass", "setup:active");
    refused(&mut b.clone(), SdpType::Offer, &swapped, "the offerer was passive");
    let mut other = b.clone();
    other.set_remote(SdpType::Offer, &offer.replace("setup:actpass", "setup:passive")).unwrap();
    assert!(other.answer().contains("a=setup:active\r\n"));
    // Nor does the answer to one, as Firefox writes it: the association goes on in the roles it has.
    let mut other = b;
    other.set_remote(SdpType::Offer, &offer).unwrap();
    let answer = other.answer().replace("setup:active", "setup:passive");
    a.set_remote(SdpType::Answer, &answer).unwrap();
    assert_eq!(a.dtls.len(), 1, "no second association, no other role");
    // A new fingerprint with an ICE restart is a new association, on both sides, and takes SCTP along.
    let (mut a, mut b) = connected();
    a.snapshot.ice.restart = true;
    a.snapshot.dtls.fingerprints = vec![sdp::Fingerprint::new("sha-256", vec![9; 32])];
    exchange_with(&mut a, &mut b);
    assert!(b.dtls[1].replaces && b.dtls[1].fingerprints == a.snapshot.dtls.fingerprints);
    assert!(matches!(b.sctp[1], SctpChange::Start { .. }));
    // The answer may do so too when the offer restarted.
    let (mut a, mut b) = connected();
    a.snapshot.ice.restart = true;
    let offer = a.offer();
    b.set_remote(SdpType::Offer, &offer).unwrap();
    b.snapshot.dtls.fingerprints = vec![sdp::Fingerprint::new("sha-256", vec![9; 32])];
    let answer = b.answer();
    a.set_remote(SdpType::Answer, &answer).unwrap();
    assert!(a.dtls[1].replaces);
    // Without a restart it may not.
    let (mut a, mut b) = connected();
    let offer = a.offer();
    b.set_remote(SdpType::Offer, &offer).unwrap();
    b.snapshot.dtls.fingerprints = vec![sdp::Fingerprint::new("sha-256", vec![9; 32])];
    let answer = b.answer();
    refused(&mut a, SdpType::Answer, &answer, "a new fingerprint without restart");
    // A hash more of the same does not go unnoticed, letter case does.
    let (mut a, mut b) = connected();
    let offer = a.offer();
    let more = offer.replace(
        "a=setup",
        "a=fingerprint:sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13\r\na=setup",
    );
    refused(&mut b.clone(), SdpType::Offer, &more, "another set of fingerprints");
    b.set_remote(SdpType::Offer, &offer.replace("sha-256", "SHA-256")).unwrap();
}

fn exchange_with(a: &mut Peer, b: &mut Peer) {
    let offer = a.offer();
    b.set_remote(SdpType::Offer, &offer).unwrap();
    let answer = b.answer();
    a.set_remote(SdpType::Answer, &answer).unwrap();
}

/// RFC 8839 §4.4: who restarts, and who only follows.
#[test]
fn ice_restarts_that_do_not_fit() {
    let (mut a, mut b) = connected();
    let offer = a.offer();
    b.set_remote(SdpType::Offer, &offer).unwrap();
    b.snapshot.ice.local = b.snapshot.ice.fresh.clone();
    let answer = b.answer();
    refused(&mut a, SdpType::Answer, &answer, "an answer that restarts on its own");
    let (mut a, mut b) = connected();
    let old = b.snapshot.ice.local.clone();
    a.snapshot.ice.restart = true;
    let offer = a.offer();
    b.set_remote(SdpType::Offer, &offer).unwrap();
    let answer = b.answer();
    let new = b.snapshot.ice.local.clone();
    let answer = answer.replace(&format!("ice-ufrag:{}", new.ufrag), &format!("ice-ufrag:{}", old.ufrag));
    let answer = answer.replace(&format!("ice-pwd:{}", new.pwd), &format!("ice-pwd:{}", old.pwd));
    refused(&mut a, SdpType::Answer, &answer, "an answer that does not follow");
}

/// T-P01 in negotiation: no payload type leads out of bounds.
#[test]
fn t_p01_payload_types() {
    for number in 0..=260_u32 {
        let (mut a, mut b) = fresh();
        let offer = a.offer();
        let text = offer
            .replace(" 111 0 8", &format!(" {number} 0 8"))
            .replace("a=rtpmap:111", &format!("a=rtpmap:{number}"));
        let text = text
            .replace("a=fmtp:111", &format!("a=fmtp:{number}"))
            .replace("a=rtcp-fb:111", &format!("a=rtcp-fb:{number}"));
        let result = b.set_remote(SdpType::Offer, &text).map_err(|error| error.kind());
        match number {
            128.. => assert_eq!(result, Err(ErrorKind::SyntaxError), "{number}"),
            64..=95 | 96 | 97 | 102..=105 => {
                assert_eq!(result, Err(ErrorKind::InvalidAccessError), "{number}");
            }
            _ => {
                assert_eq!(result, Ok(()), "{number}");
                b.answer();
            }
        }
    }
}

/// T-P02: attributes repeated thousands of times are negotiated in no time, and bounded.
#[test]
fn t_p02_repeated_attributes() {
    let (mut a, b) = fresh();
    let offer = a.offer();
    for line in [
        "a=rtpmap:96 VP8/90000",
        "a=fmtp:96 x=y",
        "a=rtcp-fb:96 nack",
        "a=rtcp-fb:* nack",
        "a=msid:x y",
        "a=ssrc:2000 cname:x",
        "a=ssrc-group:FID 2000 2001",
        "a=candidate:1 1 udp 1 192.0.2.1 9 typ host",
        "a=fingerprint:sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13",
        "a=ice-options:trickle",
        "a=x:y",
    ] {
        let many = format!("a=mid:1\r\n{}", format!("{line}\r\n").repeat(10_000));
        let mut b = b.clone();
        b.set_remote(SdpType::Offer, &offer.replace("a=mid:1\r\n", &many))
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        b.answer();
    }
    let ssrcs: String = (5_000..15_000).map(|ssrc| format!("a=ssrc:{ssrc} cname:x\r\n")).collect();
    let msids: String = (0..5_000).map(|id| format!("a=msid:{id} t\r\n")).collect();
    let mut b = b;
    b.set_remote(SdpType::Offer, &offer.replace("a=mid:1\r\n", &format!("a=mid:1\r\n{ssrcs}{msids}")))
        .unwrap();
    b.answer();
    assert_eq!((b.streams[1].sources.len(), b.streams[1].remote.streams.len()), (64, 32));
}

/// T-P04: whatever is done to a description, it is taken as a whole or not at all.
#[test]
fn t_p04_broken_descriptions_change_nothing() {
    let (mut a, b) = connected();
    let offer = a.offer();
    let lines: Vec<&str> = offer.split_inclusive("\r\n").collect();
    let mut accepted = 0;
    for index in 0..lines.len() {
        for other in [index.saturating_sub(3), index, (index * 7 + 3) % lines.len()] {
            let mut removed = lines.clone();
            removed.remove(index);
            let mut repeated = lines.clone();
            repeated.insert(other, lines[index]);
            let mut swapped = lines.clone();
            swapped.swap(index, other);
            for text in [removed.concat(), repeated.concat(), swapped.concat()] {
                let mut peer = b.clone();
                let before = (peer.snapshot.clone(), format!("{:?}", peer.negotiator));
                if peer.set_remote(SdpType::Offer, &text).is_err() {
                    assert_eq!(peer.snapshot, before.0);
                    assert_eq!(format!("{:?}", peer.negotiator), before.1);
                } else {
                    // What is accepted can be answered, and leads back to stable.
                    accepted += 1;
                    peer.answer();
                    assert_eq!(peer.state(), SignalingState::Stable);
                }
            }
        }
    }
    assert!(accepted > 50, "{accepted}: the test reaches both ends");
}

/// Offers without a bundle: one section is all that one transport can carry.
#[test]
fn offers_that_do_not_bundle() {
    let (mut a, mut b) = fresh();
    let offer = a.offer().replace("a=group:BUNDLE 0 1 2\r\n", "");
    b.set_remote(SdpType::Offer, &offer).unwrap();
    let answer = b.answer();
    let ports: Vec<u16> = b.document().media.iter().map(|media| media.port).collect();
    assert_eq!(ports, [9, 0, 0]);
    assert!(!answer.contains("a=group"));
    assert_eq!((b.streams.len(), b.sctp.len(), b.dtls.len()), (1, 0, 1));
    // Half a bundle: what is outside is rejected.
    let (mut a, mut b) = fresh();
    let offer = a.offer().replace("BUNDLE 0 1 2", "BUNDLE 1 2");
    b.set_remote(SdpType::Offer, &offer).unwrap();
    assert!(b.answer().contains("a=group:BUNDLE 1 2\r\n"));
    let ports: Vec<u16> = b.document().media.iter().map(|media| media.port).collect();
    assert_eq!(ports, [0, 9, 9]);
    // RFC 9143 §7.3.1: a tagged section that is rejected leaves nobody with an address when all others are
    // bundle-only.
    let (mut a, mut b) = fresh();
    a.snapshot.bundle = BundleForm::Tagged;
    b.snapshot.codecs.audio.clear();
    let offer = a.offer();
    b.set_remote(SdpType::Offer, &offer).unwrap();
    b.answer();
    assert!(b.document().media.iter().all(|media| media.port == 0));
}

/// Sections nobody here knows are rejected and keep their place.
#[test]
fn unknown_sections_are_rejected() {
    let (mut a, mut b) = fresh();
    let offer = a.offer().replace("BUNDLE 0 1 2", "BUNDLE 0 1 2 3 4");
    let text = format!(
        "{offer}m=text 9 UDP/TLS/RTP/SAVPF 98\r\na=mid:3\r\na=rtpmap:98 t140/1000\r\nm=audio 9 X/Y z\r\na=mid:4\r\n"
    );
    b.set_remote(SdpType::Offer, &text).unwrap();
    let answer = b.answer();
    assert!(answer.contains("m=text 0 UDP/TLS/RTP/SAVPF 98\r\n") && answer.contains("m=audio 0 X/Y z\r\n"));
    assert!(answer.contains("a=group:BUNDLE 0 1 2\r\n"));
    assert_eq!(b.snapshot.transceivers.len(), 2);
}

/// Older data sections: `DTLS/SCTP` with `sctpmap` (RFC 9429 §5.1.2).
#[test]
fn legacy_data_sections_are_answered_in_kind() {
    let (mut a, mut b) = fresh();
    let offer = a.offer().replace("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5000");
    let offer = offer.replace("a=sctp-port:5000", "a=sctpmap:5000 webrtc-datachannel 1024");
    b.set_remote(SdpType::Offer, &offer).unwrap();
    let answer = b.answer();
    assert!(
        answer.contains(" DTLS/SCTP 5000\r\n")
            && answer.contains("a=sctpmap:5000 webrtc-datachannel 65535\r\n")
    );
    assert!(matches!(b.sctp[0], SctpChange::Start { remote_port: 5_000, .. }));
}

/// ICE-lite: the full side controls (RFC 8445 §6.1.1).
#[test]
fn a_lite_offerer_is_controlled() {
    let (mut a, mut b) = fresh();
    let offer = a.offer().replace("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n");
    b.set_remote(SdpType::Offer, &offer).unwrap();
    b.answer();
    assert_eq!(b.role, Some(IceRole::Controlling));
}
