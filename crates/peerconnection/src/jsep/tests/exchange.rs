//! Two negotiators, both ways.

use super::{
    super::*,
    peer::{Peer, exchange},
};
use crate::transceiver::{
    Direction::{Inactive, RecvOnly, SendOnly, SendRecv},
    MediaKind::{Audio, Video},
};

fn pair() -> (Peer, Peer) {
    (Peer::new("alice"), Peer::new("bobby"))
}

#[test]
fn data_only() {
    let (mut a, mut b) = pair();
    assert!(!a.needs());
    a.snapshot.data_channels_wanted = true;
    assert!(a.needs());
    exchange(&mut a, &mut b);
    assert!(!a.needs() && !b.needs());
    assert_eq!((a.role, b.role), (Some(IceRole::Controlling), Some(IceRole::Controlled)));
    // RFC 8842 §5.3: the answerer is active, so that it starts at once.
    assert_eq!((a.dtls[0].role, b.dtls[0].role), (DtlsRole::Passive, DtlsRole::Active));
    assert_eq!(a.dtls[0].fingerprints, b.snapshot.dtls.fingerprints);
    let (local_port, remote_port) = (5_000, 5_000);
    let start = SctpChange::Start { local_port, remote_port, max_message_size: 262_144, inits: None };
    assert_eq!((a.sctp.as_slice(), b.sctp.as_slice()), ([start.clone()].as_slice(), [start].as_slice()));
    assert_eq!((&a.streams, &b.streams), (&Vec::new(), &Vec::new()));
    // Again changes nothing.
    exchange(&mut b, &mut a);
    assert_eq!((a.dtls.len(), a.sctp.len(), a.restarts), (1, 1, 0));
    assert_eq!(a.role, Some(IceRole::Controlling));
}

#[test]
fn an_empty_offer_is_legal() {
    let (mut a, mut b) = pair();
    exchange(&mut a, &mut b);
    assert!(a.document().media.is_empty() && a.dtls.is_empty());
}

#[test]
fn audio_and_video_both_ways() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "s");
    a.add_track(Video, "s");
    let own = b.add_track(Video, "t");
    exchange(&mut a, &mut b);
    // The answerer's track took the offered section; its audio only receives.
    assert_eq!(b.snapshot.transceivers.len(), 2);
    assert_eq!(b.view(own).current_direction, Some(SendRecv));
    assert_eq!(b.view(own).index, Some(1));
    let audio = &b.streams[0];
    assert_eq!((audio.direction, audio.remote.streams.as_slice()), (RecvOnly, ["s".to_owned()].as_slice()));
    assert_eq!(audio.remote.track_id.as_deref(), Some("alice-track-1"));
    assert_eq!(
        audio.receive.iter().map(|codec| codec.codec.name.as_str()).collect::<Vec<_>>(),
        ["opus", "PCMU", "PCMA"]
    );
    let video = &a.streams[1];
    assert_eq!(video.sources, [RemoteSource { ssrc: 1_000, rtx: Some(1_001), cname: Some("bobby".into()) }]);
    let vp8 = &video.send[0];
    assert_eq!((vp8.payload_type.value(), vp8.rtx.map(sdp::PayloadType::value)), (96, Some(97)));
    assert!(vp8.codec.feedback.iter().any(|feedback| feedback.is("nack", Some("pli"))));
    assert!(video.rtcp_rsize);
    assert_eq!(video.extensions.len(), 3);
    assert_eq!(a.tracks.len(), 1);
    assert!(!a.needs() && !b.needs());
}

#[test]
fn tracks_come_and_go_and_sections_are_recycled() {
    let (mut a, mut b) = pair();
    let audio = a.add_track(Audio, "s");
    a.snapshot.data_channels_wanted = true;
    exchange(&mut a, &mut b);
    let video = a.add_track(Video, "s");
    assert!(a.needs());
    exchange(&mut a, &mut b);
    let order: Vec<String> = a.document().media.iter().map(|media| media.kind.to_string()).collect();
    assert_eq!(order, ["audio", "application", "video"]);

    a.remove_track(audio);
    assert!(a.needs());
    exchange(&mut a, &mut b);
    assert_eq!(a.view(audio).current_direction, Some(Inactive));
    assert_eq!(b.tracks.iter().filter(|(_, event)| *event == RemoteTrackEvent::Removed).count(), 1);
    assert!(!a.needs() && !b.needs());

    a.stop(video);
    assert!(a.needs());
    exchange(&mut a, &mut b);
    assert!(a.snapshot.transceiver(video).is_none(), "it left the set");
    assert_eq!(b.snapshot.transceivers.len(), 1);
    assert_eq!(a.document().media[2].port, 0);
    assert!(!a.needs() && !b.needs());

    // The other side takes the free place, with a new tag.
    let before = a.document().media[2].mid().map(str::to_owned);
    b.add_track(Audio, "u");
    let third = b.add_track(Audio, "v");
    assert!(b.needs());
    exchange(&mut b, &mut a);
    let media = &a.document().media;
    assert_eq!((media.len(), media[2].kind.to_string()), (3, "audio".to_owned()));
    assert_ne!(media[2].mid().map(str::to_owned), before);
    assert_eq!(b.view(third).index, Some(2));
    assert_eq!(a.dtls.len(), 1, "one association through all of this");
}

#[test]
fn the_answerer_keeps_what_it_does_not_want() {
    let (mut a, mut b) = pair();
    a.add_transceiver(Audio, SendOnly);
    a.add_transceiver(Video, RecvOnly);
    a.add_transceiver(Video, Inactive);
    exchange(&mut a, &mut b);
    let directions: Vec<_> = b.snapshot.transceivers.iter().map(|view| view.current_direction).collect();
    assert_eq!(directions, [Some(RecvOnly), Some(Inactive), Some(Inactive)]);
    assert!(!a.needs());
    // addTransceiver made ones are not matched to offers (W3C §5.1).
    b.add_transceiver(Audio, SendRecv);
    assert!(b.needs());
    exchange(&mut b, &mut a);
    assert_eq!(a.document().media.len(), 4);
}

#[test]
fn a_change_of_direction_or_streams_needs_negotiation() {
    let (mut a, mut b) = pair();
    let id = a.add_track(Audio, "s");
    let own = b.add_track(Audio, "t");
    exchange(&mut a, &mut b);
    for direction in [SendOnly, RecvOnly, Inactive, SendRecv] {
        a.view_mut(id).direction = direction;
        assert!(a.needs(), "{direction}");
        exchange(&mut a, &mut b);
        assert!(!a.needs() && !b.needs(), "{direction}");
        assert_eq!(b.view(own).current_direction, Some(direction.reversed()));
    }
    a.view_mut(id).sender.streams = vec!["s".to_owned(), "more".to_owned()];
    assert!(a.needs());
    exchange(&mut a, &mut b);
    assert_eq!(b.view(own).receiver.streams, ["s", "more"]);
    b.view_mut(own).sender.streams.clear();
    assert!(b.needs());
    exchange(&mut b, &mut a);
    assert!(!a.needs() && !b.needs() && a.view(id).receiver.streams.is_empty());
}

#[test]
fn sdp_version_grows_and_never_comes_back() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "s");
    let version = |peer: &Peer| peer.document().origin.session_version.parse::<u64>().unwrap();
    exchange(&mut a, &mut b);
    let first = version(&a);
    a.offer();
    let second = version(&a);
    a.set_local(&Description::rollback()).unwrap();
    a.offer();
    assert!(first < second && second < version(&a));
    assert_eq!(a.document().origin.session_id, "4242424242");
}

#[test]
fn rollback_takes_everything_back() {
    let (mut a, mut b) = pair();
    let id = a.add_track(Audio, "s");
    let before = a.snapshot.clone();
    a.offer();
    assert_eq!((a.view(id).mid.as_deref(), a.state()), (Some("0"), SignalingState::HaveLocalOffer));
    a.set_local(&Description::rollback()).unwrap();
    assert_eq!(a.snapshot, before);
    assert_eq!(a.state(), SignalingState::Stable);
    assert!(a.needs() && a.negotiator.pending_local((&[], false)).is_none());

    // A remote offer: what it made goes, what a track was attached to stays.
    let offer = a.offer();
    b.set_remote(SdpType::Offer, &offer).unwrap();
    assert_eq!(b.tracks.len(), 1);
    b.set_remote(SdpType::Rollback, "").unwrap();
    assert_eq!((b.snapshot.transceivers.len(), b.state()), (0, SignalingState::Stable));
    b.set_remote(SdpType::Offer, &offer).unwrap();
    let kept = b.add_track(Audio, "t");
    b.set_local(&Description::rollback()).unwrap();
    assert_eq!((b.view(kept).mid.clone(), b.view(kept).receiver.receiving), (None, false));
    assert_eq!(b.tracks.last(), Some(&(kept, RemoteTrackEvent::Removed)));
    // And is found again by the next offer.
    b.set_remote(SdpType::Offer, &offer).unwrap();
    assert_eq!((b.snapshot.transceivers.len(), b.view(kept).mid.as_deref()), (1, a.view(id).mid.as_deref()));
    let answer = b.answer();
    a.set_remote(SdpType::Answer, &answer).unwrap();
    super::peer::agree(&a, &b);

    // Streams that the rolled back offer changed come back.
    a.view_mut(id).sender.streams = vec!["other".to_owned()];
    let offer = a.offer();
    b.set_remote(SdpType::Offer, &offer).unwrap();
    assert_eq!(b.view(kept).receiver.streams, ["other"]);
    b.set_remote(SdpType::Rollback, "").unwrap();
    assert_eq!(b.view(kept).receiver.streams, ["s"]);
}

#[test]
fn glare_is_solved_by_rolling_back() {
    let (mut a, mut b) = pair();
    let ours = a.add_track(Audio, "s");
    let theirs = b.add_track(Audio, "t");
    b.add_track(Video, "t");
    let _lost = a.offer();
    let offer = b.offer();
    // The polite side takes the offer: its own goes back, and its track finds a place in the other's.
    a.set_remote(SdpType::Offer, &offer).unwrap();
    assert_eq!(a.state(), SignalingState::HaveRemoteOffer);
    assert_eq!(a.view(ours).index, Some(0));
    let answer = a.answer();
    b.set_remote(SdpType::Answer, &answer).unwrap();
    super::peer::agree(&a, &b);
    assert_eq!(b.view(theirs).current_direction, Some(SendRecv));
    assert!(!a.needs() && !b.needs());
    assert_eq!((a.role, b.role), (Some(IceRole::Controlled), Some(IceRole::Controlling)));
}

/// An offer that meets ours and is refused leaves ours as it is.
#[test]
fn glare_with_a_bad_offer_changes_nothing() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "s");
    b.add_track(Audio, "t");
    a.offer();
    let offer = b.offer().replace("a=rtcp-mux\r\n", "");
    let before = a.snapshot.clone();
    assert_eq!(a.set_remote(SdpType::Offer, &offer).unwrap_err().kind(), ErrorKind::InvalidAccessError);
    assert_eq!((a.state(), &a.snapshot), (SignalingState::HaveLocalOffer, &before));
}

#[test]
fn ice_restarts_from_both_sides() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "s");
    a.snapshot.data_channels_wanted = true;
    exchange(&mut a, &mut b);
    let before = (a.snapshot.ice.local.clone(), b.snapshot.ice.local.clone());
    a.snapshot.ice.restart = true;
    assert!(a.needs());
    exchange(&mut a, &mut b);
    assert!(!a.needs());
    assert_eq!((a.restarts, b.restarts), (1, 1));
    assert!(a.snapshot.ice.local != before.0 && b.snapshot.ice.local != before.1);
    b.snapshot.ice.restart = true;
    exchange(&mut b, &mut a);
    assert_eq!((a.restarts, b.restarts), (2, 2));
    assert_eq!((a.dtls.len(), a.sctp.len()), (1, 1), "DTLS and SCTP go on (RFC 8842 §4)");
    assert_eq!(a.role, Some(IceRole::Controlling), "and so does the role");
    // A restart that is rolled back goes back to the credentials that were agreed on.
    let agreed = a.snapshot.ice.local.clone();
    a.snapshot.ice.restart = true;
    a.offer();
    assert_ne!(a.snapshot.ice.local, agreed);
    a.set_local(&Description::rollback()).unwrap();
    assert_eq!(a.snapshot.ice.local, agreed);
    assert!(a.needs());
    exchange(&mut a, &mut b);
    assert_eq!(a.restarts, 3);
}

#[test]
fn provisional_answers() {
    let (mut a, mut b) = pair();
    let id = a.add_track(Audio, "s");
    let offer = a.offer();
    b.set_remote(SdpType::Offer, &offer).unwrap();
    let first = b.pranswer();
    a.set_remote(SdpType::Pranswer, &first).unwrap();
    assert_eq!(a.state(), SignalingState::HaveRemotePranswer);
    assert_eq!(b.state(), SignalingState::HaveLocalPranswer);
    assert_eq!((a.dtls.len(), b.dtls.len()), (1, 1));
    assert_eq!(a.view(id).current_direction, Some(SendOnly));
    b.add_track(Audio, "t");
    let second = b.answer();
    a.set_remote(SdpType::Answer, &second).unwrap();
    super::peer::agree(&a, &b);
    assert_eq!(a.view(id).current_direction, Some(SendRecv));
    assert_eq!((a.dtls.len(), a.restarts), (1, 0));
}

/// RFC 9143 §7.2: in the form of the RFC only the tagged section has a transport.
#[test]
fn bundle_only_has_no_transport_attrs() {
    let (mut a, mut b) = pair();
    (a.snapshot.bundle, b.snapshot.bundle) = (BundleForm::Tagged, BundleForm::Tagged);
    a.add_track(Audio, "s");
    a.add_track(Video, "s");
    a.snapshot.data_channels_wanted = true;
    exchange(&mut a, &mut b);
    for peer in [&a, &b] {
        let media = peer.document().media;
        let owns = |media: &sdp::MediaDescription| {
            media.attributes.iter().any(|attribute| matches!(attribute, sdp::Attribute::IceUfrag(_)))
        };
        assert_eq!(media.iter().map(owns).collect::<Vec<_>>(), [true, false, false]);
    }
    let only = |peer: &Peer| peer.document().media.iter().map(|media| media.port == 0).collect::<Vec<_>>();
    assert_eq!((only(&a), only(&b)), (vec![false, true, true], vec![false, false, false]));
    a.add_track(Video, "t");
    exchange(&mut a, &mut b);
    assert_eq!(only(&a), [false, false, false, true], "what was answered has a port now");
    exchange(&mut b, &mut a);
    // The tagged section may leave: the next one carries the transport.
    let first = a.snapshot.transceivers[0].id;
    a.stop(first);
    exchange(&mut a, &mut b);
    assert_eq!(a.document().media[0].port, 0);
    assert_eq!((a.dtls.len(), a.restarts), (1, 0));
}

#[test]
fn codec_preferences_order_and_filter() {
    let (mut a, mut b) = pair();
    let table = CodecTable::standard();
    let pick = |index: usize| table.video[index].codec.clone();
    let id = a.add_track(Video, "s");
    a.view_mut(id).codec_preferences = vec![pick(2), pick(0)];
    exchange(&mut a, &mut b);
    let names = |stream: &StreamChange| {
        stream.send.iter().map(|codec| codec.payload_type.value()).collect::<Vec<_>>()
    };
    assert_eq!(names(&a.streams[0]), [104, 96]);
    // The answerer's wish decides the order of the answer (RFC 9429 §5.3.1).
    let own = b.snapshot.transceivers[0].id;
    b.view_mut(own).codec_preferences = vec![pick(0)];
    exchange(&mut a, &mut b);
    assert_eq!(names(&a.streams[0]), [96]);
    // Payload types keep their meaning when the offer comes from the other side.
    b.view_mut(own).codec_preferences.clear();
    a.view_mut(id).codec_preferences.clear();
    exchange(&mut b, &mut a);
    assert_eq!(names(&b.streams[0]), [96, 102, 104]);
}

#[test]
fn what_the_peer_cannot_do_is_rejected_and_stops() {
    let (mut a, mut b) = pair();
    let audio = a.add_track(Audio, "s");
    let video = a.add_track(Video, "s");
    b.snapshot.codecs.audio.clear();
    exchange(&mut a, &mut b);
    assert!(a.snapshot.transceiver(audio).is_none(), "stopped by the answer");
    assert_eq!(a.view(video).current_direction, Some(SendOnly));
    assert_eq!(a.streams.len(), 1);
    assert!(!a.needs() && !b.needs());
    // Everything rejected: no transport at all, and no error.
    let (mut a, mut b) = pair();
    a.add_track(Audio, "s");
    b.snapshot.codecs.audio.clear();
    exchange(&mut a, &mut b);
    assert!(a.dtls.is_empty() && a.snapshot.transceivers.is_empty() && !a.needs());
}

#[test]
fn message_sizes_both_ways() {
    let (mut a, mut b) = pair();
    a.snapshot.data_channels_wanted = true;
    a.snapshot.sctp.max_message_size = 0;
    let offer = a.offer();
    b.set_remote(SdpType::Offer, &offer).unwrap();
    let answer = b.answer().replace("a=max-message-size:262144\r\n", "");
    a.set_remote(SdpType::Answer, &answer).unwrap();
    let size = |change: &SctpChange| match change {
        SctpChange::Start { max_message_size, .. } | SctpChange::Update { max_message_size } => {
            Some(*max_message_size)
        }
        SctpChange::Close => None,
    };
    assert_eq!((size(&a.sctp[0]), size(&b.sctp[0])), (Some(65_536), Some(0)));
    b.snapshot.sctp.max_message_size = 1_000;
    let offer = b.offer();
    a.set_remote(SdpType::Offer, &offer).unwrap();
    a.answer();
    assert_eq!(a.sctp[1], SctpChange::Update { max_message_size: 1_000 });
}

/// RFC 8841 §10.3: another port is another association; RFC 8841 §10.4: none closes it.
#[test]
fn sctp_ports_and_closing() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "s");
    a.snapshot.data_channels_wanted = true;
    exchange(&mut a, &mut b);
    b.snapshot.sctp.port = 6_000;
    let offer = b.offer();
    a.set_remote(SdpType::Offer, &offer).unwrap();
    a.answer();
    assert!(matches!(a.sctp[1], SctpChange::Start { remote_port: 6_000, .. }));
    let offer = a.offer();
    let mut closed = Description::offer(&offer).unwrap().document().unwrap().clone();
    closed.media[1].port = 0;
    b.set_local(&Description::rollback()).unwrap();
    b.set_remote(SdpType::Offer, &closed.to_string()).unwrap();
    let answer = b.answer();
    assert_eq!(b.sctp.last(), Some(&SctpChange::Close));
    a.set_remote(SdpType::Answer, &answer).unwrap();
    assert_eq!(a.sctp.last(), Some(&SctpChange::Close));
}

#[test]
fn candidates_are_listed_where_the_transport_is() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "s");
    a.snapshot.data_channels_wanted = true;
    let offer = a.offer();
    let candidate: sdp::Candidate = "candidate:1 1 udp 2122260223 192.0.2.1 4444 typ host".parse().unwrap();
    let ufrag = a.snapshot.ice.local.ufrag.clone();
    assert_eq!(a.negotiator.candidate_section(), (Some("0".to_owned()), Some(0)));
    assert_eq!(b.negotiator.candidate_section(), (None, None));
    a.snapshot.ice.candidates.push(candidate.clone());
    assert!(!a.document().media[0].has(&sdp::Attribute::EndOfCandidates));
    a.snapshot.ice.end_of_candidates = true;
    let counts: Vec<usize> = a.document().media.iter().map(|media| media.candidates().count()).collect();
    assert_eq!(counts, [1, 0]);
    assert!(a.document().media[0].has(&sdp::Attribute::EndOfCandidates));

    let text = candidate.to_string();
    let error = b.negotiator.add_remote_candidate(&text, Some("0"), None, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStateError);
    b.set_remote(SdpType::Offer, &offer).unwrap();
    let add = |b: &mut Peer, text: &str, mid, index, ufrag| {
        b.negotiator.add_remote_candidate(text, mid, index, ufrag)
    };
    assert_eq!(add(&mut b, &text, None, None, None).unwrap_err().kind(), ErrorKind::TypeError);
    assert_eq!(add(&mut b, &text, Some("9"), Some(0), None).unwrap_err().kind(), ErrorKind::OperationError);
    assert_eq!(add(&mut b, &text, None, Some(2), None).unwrap_err().kind(), ErrorKind::OperationError);
    assert_eq!(
        add(&mut b, &text, None, Some(1), Some("none")).unwrap_err().kind(),
        ErrorKind::OperationError
    );
    assert_eq!(
        add(&mut b, "candidate:x", Some("0"), None, None).unwrap_err().kind(),
        ErrorKind::OperationError
    );
    assert_eq!(add(&mut b, &text, Some("1"), None, Some(&ufrag)), Ok(RemoteCandidate::Kept));
    // The answer's plan has what came before it.
    let answer = b.negotiator.create_answer(&b.snapshot, &AnswerOptions::default()).unwrap();
    let plan = b.negotiator.set_local(&b.snapshot, &answer).unwrap();
    assert_eq!(plan.ice.candidates, std::slice::from_ref(&candidate));
    assert!(plan.ice.gather && !plan.ice.end_of_candidates);
    b.apply(&plan);
    let rtcp = text.replace("candidate:1 1", "candidate:1 2");
    assert_eq!(add(&mut b, &rtcp, Some("0"), None, None), Ok(RemoteCandidate::Ignored));
    let other = text.replace("4444", "5555");
    assert!(matches!(add(&mut b, &other, Some("0"), None, None), Ok(RemoteCandidate::Deliver(_))));
    assert_eq!(add(&mut b, "", None, None, None), Ok(RemoteCandidate::End));
    assert_eq!(b.negotiator.can_trickle(), Some(true));
    // The next offer has the default candidate on its lines.
    a.set_remote(SdpType::Answer, &answer.sdp()).unwrap();
    a.offer();
    let media = &a.document().media[0];
    assert_eq!((media.port, media.connections[0].address.as_str()), (4_444, "192.0.2.1"));
    assert_eq!(media.candidates().count(), 1);
}

/// The one description-less form: an offer or an answer, whichever is due.
#[test]
fn implicit_descriptions() {
    let (mut a, mut b) = pair();
    a.add_track(Audio, "s");
    let offer = a.negotiator.implicit_description(&a.snapshot).unwrap();
    assert_eq!(offer.kind(), SdpType::Offer);
    a.set_local(&offer).unwrap();
    b.set_remote(SdpType::Offer, &offer.sdp()).unwrap();
    let answer = b.negotiator.implicit_description(&b.snapshot).unwrap();
    assert_eq!(answer.kind(), SdpType::Answer);
}
