//! One session, descriptions of browsers with some lines changed, candidates, and calls of the application between.

use super::peer;
use peer::{ALICE, Peer, address};
use peerconnection::{
    AnswerOptions, Configuration, DataChannelInit, Description, Direction, IceCandidateInit, MediaKind,
    OfferOptions, SdpType, Session, SignalingState, TransceiverId, TransceiverInit,
};
use std::time::{Duration, Instant};
use testkit::{
    Seed,
    fuzz::{Bounds, Input, Lone, edit_lines, null_crypto, reached},
};

const TEXTS: [&str; 8] = [
    include_str!("../../tests/vectors/chromium-offer.sdp"),
    include_str!("../../tests/vectors/chromium-offer-candidates.sdp"),
    include_str!("../../tests/vectors/chromium-offer-simulcast-vp8.sdp"),
    include_str!("../../tests/vectors/firefox-offer.sdp"),
    include_str!("../../tests/vectors/firefox-offer-simulcast-vp8.sdp"),
    include_str!("../../tests/vectors/chromium-answer-candidates.sdp"),
    include_str!("../../tests/vectors/firefox-answer.sdp"),
    include_str!("../../tests/vectors/aiortc-offer.sdp"),
];

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let make = |now| {
        let mut session = peer::session(Configuration::new(null_crypto()), now, Seed::new(1), "alice");
        session.add_local_address(now, address(ALICE), None);
        session.local_addresses_complete(now);
        Peer::new(session, now)
    };
    let mut lone = Lone::new(make, Bounds::new(256, 256 * 1_024));
    for _ in 0..40 {
        if input.is_empty() {
            break;
        }
        let now = lone.now;
        step(&mut lone.machine.session, now, &mut input);
        lone.drain();
        if input.flag() {
            lone.advance(Duration::from_millis(100) * input.u8().into());
        }
        check(&lone.machine.session);
    }
    lone.machine.session.close(lone.now);
    lone.advance(Duration::from_secs(2));
    assert!(
        lone.machine.session.is_closed() && lone.machine.session.poll_timeout().is_none(),
        "closed is final"
    );
}

fn step(session: &mut Session, now: Instant, input: &mut Input<'_>) {
    let choice = input.u8();
    let transceiver = |session: &Session| -> Option<TransceiverId> {
        let all: Vec<TransceiverId> = session.transceivers().map(|transceiver| transceiver.id).collect();
        all.get(usize::from(choice >> 4) % all.len().max(1)).copied()
    };
    match choice & 15 {
        0..=4 => describe(session, now, input),
        5 | 6 => {
            let before = snapshot(session);
            if session.set_local_description(now, None).is_err() {
                assert_eq!(snapshot(session), before, "T-P04");
            }
        }
        7 => _ = session.set_remote_description(now, Description::rollback()),
        8 => {
            let candidate = IceCandidateInit::new(String::from_utf8_lossy(input.chunk()))
                .sdp_mid(input.flag().then(|| "0".to_owned()))
                .sdp_m_line_index(u16::from(input.u8()));
            let _ = session.add_ice_candidate(now, &candidate);
        }
        9 => {
            let kind = if input.flag() { MediaKind::Audio } else { MediaKind::Video };
            if session.transceivers().count() < 12 {
                drop(session.add_transceiver(now, kind, TransceiverInit::new().direction(direction(input))));
            }
        }
        10 => {
            let kind = if input.flag() { MediaKind::Audio } else { MediaKind::Video };
            if session.transceivers().count() < 12 {
                drop(session.add_track(now, kind, TransceiverInit::new()));
            }
        }
        11 => {
            let label = String::from_utf8_lossy(input.chunk()).into_owned();
            drop(session.create_data_channel(now, &label, &DataChannelInit::new()));
        }
        12 => {
            if let Some(id) = transceiver(session) {
                let _ = session.set_direction(now, id, direction(input));
            }
        }
        13 => {
            if let Some(id) = transceiver(session) {
                let _ = if input.flag() {
                    session.stop_transceiver(now, id)
                } else {
                    session.remove_track(now, id)
                };
            }
        }
        14 => session.restart_ice(now),
        _ => {
            drop(session.create_offer(now, &OfferOptions::new()));
            drop(session.create_answer(now, &AnswerOptions::new()));
        }
    }
}

fn direction(input: &mut Input<'_>) -> Direction {
    input.pick(&[Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive])
}

/// A description of somebody else, or our own once more, with some lines changed. T-P04: one that is refused changes
/// nothing.
fn describe(session: &mut Session, now: Instant, input: &mut Input<'_>) {
    let kind = match session.signaling_state() {
        SignalingState::HaveLocalOffer | SignalingState::HaveRemotePranswer => {
            input.pick(&[SdpType::Answer, SdpType::Answer, SdpType::Pranswer, SdpType::Offer])
        }
        SignalingState::Stable
        | SignalingState::HaveRemoteOffer
        | SignalingState::HaveLocalPranswer
        | SignalingState::Closed => {
            input.pick(&[SdpType::Offer, SdpType::Offer, SdpType::Offer, SdpType::Answer])
        }
    };
    let ours = session.descriptions();
    let ours = ours.pending_local.or(ours.current_local).map(|description| description.sdp());
    let which = input.u8();
    let text = match ours {
        // An answer that fits our offer: the other side would be passive.
        Some(ours) if which & 0x80 != 0 => ours.replace("a=setup:actpass", "a=setup:passive"),
        _ => TEXTS[usize::from(which) % TEXTS.len()].to_owned(),
    };
    let text = edit_lines(&text, input);
    let Ok(description) = Description::parse(kind, &text) else { return };
    let before = snapshot(session);
    let outcome = if which & 0x40 == 0 {
        session.set_remote_description(now, description)
    } else {
        session.set_local_description(now, Some(description))
    };
    match outcome {
        Ok(_) => reached(match kind {
            SdpType::Offer => "offer",
            SdpType::Answer => "answer",
            SdpType::Pranswer | SdpType::Rollback => "provisional answer",
        }),
        Err(error) => {
            reached("refused");
            assert!(!error.to_string().is_empty());
            assert_eq!(snapshot(session), before, "T-P04: {error}\n{text}");
        }
    }
}

/// What a description may change.
fn snapshot(session: &Session) -> String {
    let stats = session.stats();
    let transceivers: Vec<_> = session.transceivers().collect();
    format!(
        "{:?}",
        (
            (session.descriptions(), transceivers, session.signaling_state(), session.local_ufrag()),
            (session.connection_state(), session.dtls_state(), session.ice_gathering_state()),
            (stats.ice.remote_candidates, stats.ice.role, stats.outbound.len(), stats.inbound.len()),
            (stats.data.channels_opened, session.max_message_size()),
        )
    )
}

/// docs/limits.md: limits of ICE; and our own descriptions can be read.
fn check(session: &Session) {
    let stats = session.stats();
    assert!(stats.ice.remote_candidates.len() <= 64, "{} candidates", stats.ice.remote_candidates.len());
    assert!(stats.ice.pairs.len() <= 100, "{} pairs", stats.ice.pairs.len());
    let descriptions = session.descriptions();
    let ours = [descriptions.pending_local, descriptions.current_local];
    for description in ours.into_iter().flatten() {
        let text = description.sdp();
        let again = Description::parse(description.kind(), &text).expect("our own description can be read");
        assert_eq!(again.sdp(), text);
    }
}
