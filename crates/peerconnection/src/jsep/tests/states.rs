//! The state machine of W3C §4.3.1, cell by cell.

use super::{super::*, peer::Peer};
use crate::transceiver::MediaKind;
use SignalingState::{
    Closed, HaveLocalOffer, HaveLocalPranswer, HaveRemoteOffer, HaveRemotePranswer, Stable,
};

/// A peer in a state, with texts of the other side that fit.
fn peer_in(state: SignalingState) -> (Peer, String, String) {
    let (mut peer, mut other) = (Peer::new("alice"), Peer::new("bobby"));
    for peer in [&mut peer, &mut other] {
        peer.add_track(MediaKind::Audio, "s");
    }
    let mut answerer = other.clone();
    let offer = other.offer();
    let mut answer = String::new();
    match state {
        Stable => {}
        Closed => peer.negotiator.close(),
        HaveLocalOffer | HaveRemotePranswer => {
            let ours = peer.offer();
            answerer.set_remote(SdpType::Offer, &ours).unwrap();
            answer = answerer.answer();
            if state == HaveRemotePranswer {
                peer.set_remote(SdpType::Pranswer, &answer).unwrap();
            }
        }
        HaveRemoteOffer | HaveLocalPranswer => {
            peer.set_remote(SdpType::Offer, &offer).unwrap();
            if state == HaveLocalPranswer {
                peer.pranswer();
            }
        }
    }
    if answer.is_empty() {
        // Some answer: where one may not come it does not matter which.
        answerer.set_remote(SdpType::Offer, &Peer::clone(&with_offer()).offer()).unwrap();
        answer = answerer.answer();
    }
    assert_eq!(peer.state(), state);
    (peer, offer, answer)
}

fn with_offer() -> Peer {
    let mut peer = Peer::new("carol");
    peer.add_track(MediaKind::Audio, "s");
    peer
}

fn set_local(peer: &mut Peer, kind: SdpType) -> Result<(), Error> {
    if kind == SdpType::Rollback {
        return peer.set_local(&Description::rollback());
    }
    let made = match kind {
        SdpType::Offer => peer.negotiator.create_offer(&peer.snapshot, &OfferOptions::default()),
        SdpType::Answer | SdpType::Pranswer | SdpType::Rollback => {
            peer.negotiator.create_answer(&peer.snapshot, &AnswerOptions::default())
        }
    }?;
    peer.set_local(&Description::parse(kind, &made.sdp())?)
}

/// T-P08, B010: all states times all descriptions.
#[test]
fn t_p08_the_table_of_signaling_states() {
    use SdpType::{Answer, Offer, Pranswer, Rollback};
    let kinds = [Offer, Pranswer, Answer, Rollback];
    let table = [
        (Stable, [Some(HaveLocalOffer), None, None, None], [Some(HaveRemoteOffer), None, None, None]),
        (
            HaveLocalOffer,
            [Some(HaveLocalOffer), None, None, Some(Stable)],
            [Some(HaveRemoteOffer), Some(HaveRemotePranswer), Some(Stable), Some(Stable)],
        ),
        (
            HaveRemoteOffer,
            [None, Some(HaveLocalPranswer), Some(Stable), Some(Stable)],
            [Some(HaveRemoteOffer), None, None, Some(Stable)],
        ),
        (HaveLocalPranswer, [None, Some(HaveLocalPranswer), Some(Stable), None], [None; 4]),
        (HaveRemotePranswer, [None; 4], [None, Some(HaveRemotePranswer), Some(Stable), None]),
        (Closed, [None; 4], [None; 4]),
    ];
    for (state, local, remote) in table {
        for (kind, (local, remote)) in kinds.into_iter().zip(local.into_iter().zip(remote)) {
            let (mut peer, ..) = peer_in(state);
            check(&mut peer, state, &format!("local {kind}"), local, |peer| set_local(peer, kind));
            let (mut peer, offer, answer) = peer_in(state);
            let text = if kind == Offer { offer } else { answer };
            check(&mut peer, state, &format!("remote {kind}"), remote, |peer| peer.set_remote(kind, &text));
        }
    }
}

fn check(
    peer: &mut Peer,
    state: SignalingState,
    what: &str,
    expected: Option<SignalingState>,
    set: impl Fn(&mut Peer) -> Result<(), Error>,
) {
    let before = peer.snapshot.clone();
    let result = set(peer);
    match expected {
        Some(expected) => {
            result.unwrap_or_else(|error| panic!("{what} in {state}: {error}"));
            assert_eq!(peer.state(), expected, "{what} in {state}");
        }
        None => {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidStateError, "{what} in {state}");
            assert_eq!((peer.state(), &peer.snapshot), (state, &before), "{what} in {state}");
        }
    }
}

/// RFC 9429 §5.4: only what was made last may be set.
#[test]
fn local_descriptions_cannot_be_changed() {
    let mut peer = with_offer();
    let offer = peer.clone().negotiator.create_offer(&peer.snapshot, &OfferOptions::default()).unwrap();
    let kind = |peer: &mut Peer, text: &str| {
        let description = Description::offer(text).unwrap();
        peer.set_local(&description).map_err(|error| error.kind())
    };
    let modification = Err(ErrorKind::InvalidModificationError);
    assert_eq!(kind(&mut peer, &offer.sdp()), modification, "it was never handed out");
    let offer = peer.negotiator.create_offer(&peer.snapshot, &OfferOptions::default()).unwrap();
    assert_eq!(kind(&mut peer, &offer.sdp().replace("sendrecv", "sendonly")), modification);
    assert_eq!(kind(&mut peer, &format!("{}a=x:1\r\n", offer.sdp())), modification);
    let newer = peer.negotiator.create_offer(&peer.snapshot, &OfferOptions::default()).unwrap();
    assert_eq!(kind(&mut peer, &offer.sdp()), modification, "a newer one was made");
    assert_eq!(kind(&mut peer, &newer.sdp()), Ok(()));
}

#[test]
fn sections_stay_with_the_offer_they_were_made_in() {
    let mut peer = with_offer();
    let offer = peer.negotiator.create_offer(&peer.snapshot, &OfferOptions::default()).unwrap();
    // What is added later is for the next offer.
    let late = peer.add_transceiver(MediaKind::Video, crate::transceiver::Direction::SendRecv);
    peer.set_local(&offer).unwrap();
    assert_eq!(peer.view(late).mid, None);
    let mut other = Peer::new("other");
    other.set_remote(SdpType::Offer, &offer.sdp()).unwrap();
    let answer = other.answer();
    peer.set_remote(SdpType::Answer, &answer).unwrap();
    assert!(peer.needs());
}

#[test]
fn nothing_works_when_closed() {
    let (mut peer, offer, _) = peer_in(Stable);
    peer.negotiator.close();
    assert!(!peer.needs());
    let closed = Err(ErrorKind::InvalidStateError);
    let kind = |error: Error| error.kind();
    assert_eq!(peer.negotiator.implicit_description(&peer.snapshot).map(drop).map_err(kind), closed);
    assert_eq!(peer.set_remote(SdpType::Offer, &offer).map_err(kind), closed);
    assert_eq!(peer.set_local(&Description::rollback()).map_err(kind), closed);
}
