//! What a description may change, and when media may leave.

use crate::call::{Call, Kind, Who, ms, picture, secs};
use peerconnection::{
    Description, Direction, Error, IceCandidateInit, MediaKind, Session, SignalingState, TransceiverId,
};
use std::time::Instant;

/// Everything that a description could change, as one text.
fn snapshot(call: &Call, who: Who) -> String {
    let session = call.session(who);
    let stats = session.stats();
    let transceivers: Vec<_> = session.transceivers().collect();
    format!(
        "{:#?}",
        (
            (session.descriptions(), transceivers, session.signaling_state(), session.local_ufrag()),
            (session.connection_state(), session.dtls_state(), session.ice_gathering_state()),
            (
                stats.ice.local_candidates,
                stats.ice.remote_candidates,
                stats.ice.role,
                stats.ice.connection_state
            ),
            (
                stats.outbound.len(),
                stats.inbound.len(),
                stats.data.channels_opened,
                session.max_message_size()
            ),
            call.events(who).len(),
        )
    )
}

/// Every way to spoil one line of a description.
fn spoiled(text: &str) -> impl Iterator<Item = String> {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    (0..lines.len()).flat_map(move |index| {
        let line = lines[index].clone();
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        let swapped = |from: &str, to: &str| line.replace(from, to);
        [
            Vec::new(),
            vec![line.clone(), line.clone()],
            vec![name.to_owned()],
            vec![format!("{name}:")],
            vec![format!("{name}:{}", value.repeat(2))],
            vec![format!("{name}:{}", "9".repeat(30))],
            vec![swapped("0", "x")],
            vec![swapped("a=mid:", "a=mid:9")],
            vec![swapped("BUNDLE", "LS")],
            vec![swapped("actpass", "holdconn")],
            vec![swapped("UDP/TLS/RTP/SAVPF", "RTP/AVP")],
            vec![swapped("UDP/DTLS/SCTP", "TCP/SCTP")],
            vec![swapped("sha-256", "md5")],
            vec![line[..line.len() / 2].to_owned()],
        ]
        .into_iter()
        .map(|replacement| {
            let mut all = lines.clone();
            all.splice(index..=index, replacement);
            all.join("\r\n") + "\r\n"
        })
        .collect::<Vec<_>>()
    })
}

/// Gives every spoiled form of `text` to `who`, in the state that `make` brings a call to. Returns how many were refused.
fn refusals_change_nothing(
    make: impl Fn() -> Call,
    who: Who,
    text: &str,
    parse: fn(&str) -> Result<Description, Error>,
    set: fn(&mut Session, Instant, Description) -> Result<(), Error>,
) -> usize {
    let mut call = make();
    let mut refused = 0;
    for text in spoiled(text) {
        let Ok(description) = parse(&text) else { continue };
        let before = snapshot(&call, who);
        match call.act(who, |session, now| set(session, now, description)) {
            // Not every change is harmful. What was taken was taken for good.
            Ok(()) => call = make(),
            Err(error) => {
                assert_eq!(snapshot(&call, who), before, "{error}\n{text}");
                refused += 1;
            }
        }
    }
    // The call is none the worse for it.
    let description = parse(text).expect("readable");
    call.act(who, |session, now| set(session, now, description)).expect("the unspoiled one is taken");
    refused
}

/// A call whose Alice has everything and has made her offer.
fn offered() -> Call {
    let mut call = Call::new(1);
    call.open(Who::Alice, "chat");
    for kind in [MediaKind::Audio, MediaKind::Video] {
        call.transceiver(Who::Alice, kind, Direction::SendRecv);
    }
    call.offer(Who::Alice);
    call
}

/// T-P04: a description that is refused changes nothing at all.
#[test]
fn t_p04_a_refused_offer_changes_nothing() {
    let offer = offered().local(Who::Alice);
    let refused = refusals_change_nothing(
        offered,
        Who::Bob,
        &offer,
        Description::offer,
        Session::set_remote_description,
    );
    assert!(refused > 50, "{refused}");
}

/// T-P04, the answer.
#[test]
fn t_p04_a_refused_answer_changes_nothing() {
    let answered = || {
        let mut call = offered();
        let offer = Description::offer(&call.local(Who::Alice)).expect("readable");
        call.take(Who::Bob, offer);
        call.track(Who::Bob, MediaKind::Audio);
        call.answer(Who::Bob);
        call
    };
    let answer = answered().local(Who::Bob);
    let refused = refusals_change_nothing(
        answered,
        Who::Alice,
        &answer,
        Description::answer,
        Session::set_remote_description,
    );
    assert!(refused > 50, "{refused}");
}

/// T-P04, in the middle of a running call: the old agreement stays in force, and data keeps flowing.
#[test]
fn t_p04_a_refused_offer_leaves_a_running_call_alone() {
    let running = || {
        let mut call = Call::new(2);
        call.with_channel();
        call.transceiver(Who::Alice, MediaKind::Video, Direction::SendRecv);
        call.act(Who::Alice, |session, now| session.restart_ice(now));
        call.offer(Who::Alice);
        call
    };
    let offer = running().local(Who::Alice);
    let refused = refusals_change_nothing(
        running,
        Who::Bob,
        &offer,
        Description::offer,
        Session::set_remote_description,
    );
    assert!(refused > 30, "{refused}");
}

/// T-P04, our own side: an altered text is refused, and so is every description in the wrong state.
#[test]
fn t_p04_a_refused_local_description_changes_nothing() {
    let mut call = Call::new(3);
    call.open(Who::Alice, "chat");
    let offer =
        call.act(Who::Alice, |session, now| session.create_offer(now, &peerconnection::OfferOptions::new()));
    let offer = offer.expect("an offer").sdp();
    for text in spoiled(&offer) {
        let Ok(description) = Description::offer(&text) else { continue };
        if description.sdp() == offer {
            continue;
        }
        let before = snapshot(&call, Who::Alice);
        let outcome =
            call.act(Who::Alice, |session, now| session.set_local_description(now, Some(description)));
        assert!(outcome.is_err(), "{text}");
        assert_eq!(snapshot(&call, Who::Alice), before, "{text}");
    }
    let before = snapshot(&call, Who::Alice);
    for wrong in [Description::answer(&offer).expect("readable"), Description::rollback()] {
        for remote in [false, true] {
            let outcome = call.act(Who::Alice, |session, now| match remote {
                false => session.set_local_description(now, Some(wrong.clone())),
                true => session.set_remote_description(now, wrong.clone()),
            });
            assert!(outcome.is_err());
            assert_eq!(snapshot(&call, Who::Alice), before);
        }
    }
    let early = IceCandidateInit::new("candidate:1 1 udp 1 192.0.2.9 9 typ host").sdp_m_line_index(0);
    assert!(call.act(Who::Alice, |session, now| session.add_ice_candidate(now, &early)).is_err());
    assert_eq!(snapshot(&call, Who::Alice), before);
    call.negotiate(Who::Alice);
    call.connect();
}

/// Bob tries to send a picture in every turn, for a while. Whether any was taken.
fn bob_tries(call: &mut Call, id: TransceiverId) -> bool {
    let mut taken = false;
    for time in 0..20 {
        taken |= call.frame(Who::Bob, id, picture(true, 500, 1), time * 3_000);
        call.world.run_for(ms(20));
    }
    taken
}

const MEDIA: [Kind; 2] = [Kind::Rtp, Kind::Rtcp];

/// T-P06: nothing but STUN and DTLS leaves before the answer is set, and then only as the directions allow.
#[test]
fn t_p06_no_media_before_the_answer() {
    let mut call = Call::new(4);
    let theirs = call.transceiver(Who::Alice, MediaKind::Video, Direction::SendRecv);
    let offer = call.offer(Who::Alice);
    call.take(Who::Bob, offer);
    let id = call.track(Who::Bob, MediaKind::Video);
    assert!(!bob_tries(&mut call, id));
    assert_eq!(
        call.sent_by(Who::Bob, &[Kind::Stun, Kind::Dtls, Kind::Rtp, Kind::Rtcp, Kind::Other]),
        0,
        "not even a check"
    );
    let answer = call.answer(Who::Bob);
    call.take(Who::Alice, answer);
    call.connect();
    assert_eq!(call.sent_by(Who::Bob, &MEDIA), 0);
    assert!(bob_tries(&mut call, id));
    assert!(call.sent_by(Who::Bob, &[Kind::Rtp]) > 0);
    assert!(!call.frames(Who::Alice, theirs).is_empty());
    assert_eq!(call.sent_by(Who::Bob, &[Kind::Other]), 0);
}

/// T-P06 in a running call, where the keys are there already: the offer of sound does not open the microphone.
#[test]
fn t_p06_no_media_before_the_answer_in_a_running_call() {
    let mut call = Call::new(5);
    call.with_channel();
    call.transceiver(Who::Alice, MediaKind::Video, Direction::SendRecv);
    let offer = call.offer(Who::Alice);
    call.take(Who::Bob, offer);
    let id = call.track(Who::Bob, MediaKind::Video);
    assert!(!bob_tries(&mut call, id));
    assert_eq!(call.sent_by(Who::Bob, &MEDIA), 0, "not answered yet");

    // The answer says that Bob only listens.
    call.act(Who::Bob, |session, now| session.set_direction(now, id, Direction::RecvOnly)).expect("set");
    let answer = call.answer(Who::Bob);
    call.take(Who::Alice, answer);
    assert!(!bob_tries(&mut call, id));
    assert_eq!(call.sent_by(Who::Bob, &[Kind::Rtp]), 0, "only listening was agreed on");

    // Wanting to send changes nothing before the next agreement.
    call.act(Who::Bob, |session, now| session.set_direction(now, id, Direction::SendRecv)).expect("set");
    assert!(!bob_tries(&mut call, id));
    let offer = call.offer(Who::Bob);
    assert!(!bob_tries(&mut call, id));
    call.take(Who::Alice, offer);
    assert!(!bob_tries(&mut call, id));
    assert_eq!(call.sent_by(Who::Bob, &[Kind::Rtp]), 0, "offered, not agreed on");
    let answer = call.answer(Who::Alice);
    call.take(Who::Bob, answer);
    assert!(bob_tries(&mut call, id));
    assert!(call.sent_by(Who::Bob, &[Kind::Rtp]) > 0);

    // And back: after the agreement to stop nothing leaves any more.
    call.act(Who::Bob, |session, now| session.set_direction(now, id, Direction::Inactive)).expect("set");
    call.negotiate(Who::Bob);
    call.world.run_for(secs(1));
    let before = call.sent_by(Who::Bob, &[Kind::Rtp]);
    assert!(!bob_tries(&mut call, id));
    assert_eq!(call.sent_by(Who::Bob, &[Kind::Rtp]), before);
}

/// T-P06, no track attached: an answer alone does not send.
#[test]
fn t_p06_an_offer_alone_attaches_nothing() {
    let mut call = Call::new(6);
    call.transceiver(Who::Alice, MediaKind::Video, Direction::SendRecv);
    call.negotiate(Who::Alice);
    call.connect();
    let id = call.session(Who::Bob).transceivers().next().expect("made by the offer").id;
    assert!(!bob_tries(&mut call, id));
    assert_eq!(call.sent_by(Who::Bob, &[Kind::Rtp]), 0);
    assert_eq!(call.session(Who::Bob).signaling_state(), SignalingState::Stable);
}
