//! What an answer, final or provisional, does: the part that is the same on both sides.

use sdp::MediaDescription;

use super::{
    AssociatedDtls, DtlsRole, DtlsStart, IceChange, IceRole, Inits, Negotiator, Plan, ReceiverView,
    SctpChange, Snapshot, StreamChange, TransceiverChange, TransceiverView,
    answer::{offered_transport, role},
    direction, invalid_access,
    rollback::remote_track,
    section::{self, SectionKind},
    streams,
    transport::{self, Transport},
};
use crate::{description::SdpType, error::Error, transceiver::Direction};

/// An offer with its answer.
#[derive(Clone, Copy)]
pub(super) struct Exchange<'a> {
    pub(super) offer: &'a sdp::Description,
    pub(super) answer: &'a sdp::Description,
    /// `Answer` or `Pranswer`.
    pub(super) kind: SdpType,
    /// Who made the offer.
    pub(super) offerer: Side,
}

/// Us or the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Local,
    Remote,
}

impl<'a> Exchange<'a> {
    fn local(&self) -> &'a sdp::Description {
        match self.offerer {
            Side::Local => self.offer,
            Side::Remote => self.answer,
        }
    }

    fn remote(&self) -> &'a sdp::Description {
        match self.offerer {
            Side::Local => self.answer,
            Side::Remote => self.offer,
        }
    }
}

impl Negotiator {
    /// Fills the plan with what follows from the exchange. `snapshot` is as it will be once the transceiver changes
    /// that the plan already has are done.
    pub(super) fn conclude(
        &self,
        plan: &mut Plan,
        snapshot: &Snapshot,
        exchange: Exchange<'_>,
    ) -> Result<(), Error> {
        if let Some(tagged) = section::tagged(exchange.answer) {
            self.conclude_transport(plan, snapshot, exchange, tagged)?;
        }
        let mut media = Vec::new();
        let sections = exchange.offer.media.iter().zip(&exchange.answer.media).enumerate();
        for (index, (offered, answered)) in sections {
            let accepted = answered.port != 0;
            match SectionKind::of(offered) {
                SectionKind::Data => self.conclude_data(plan, snapshot, exchange, (index, accepted)),
                SectionKind::Media(_) => {
                    let view = offered.mid().and_then(|mid| snapshot.by_mid(mid));
                    let Some(view) = view else { continue };
                    if accepted {
                        media.push(conclude_media(plan, view, exchange, (index, offered))?);
                    } else {
                        reject(plan, view, exchange.kind);
                    }
                }
                SectionKind::Unsupported => {}
            }
        }
        plan.streams = Some(media);
        Ok(())
    }

    fn conclude_transport(
        &self,
        plan: &mut Plan,
        snapshot: &Snapshot,
        exchange: Exchange<'_>,
        tagged: usize,
    ) -> Result<(), Error> {
        let ours = match exchange.offerer {
            Side::Local => transport::credentials(exchange.offer),
            Side::Remote => transport::credentials(exchange.answer),
        };
        let theirs = match exchange.offerer {
            Side::Local => Transport::read(exchange.answer, tagged)?,
            Side::Remote => offered_transport(exchange.offer, tagged)?,
        };
        self.verify_transport(&theirs, exchange.offerer == Side::Local)?;
        let agreed = self.slots.current_local.as_ref().and_then(|slot| transport::credentials(&slot.sdp));
        let agreed_before = agreed.is_some();
        let we_restart = agreed.is_some() && agreed != ours;
        let before = self.slots.current_remote.as_ref().and_then(|slot| transport::credentials(&slot.sdp));
        let they_restart = before.is_some_and(|before| before != theirs.credentials);
        //= rfc8839 §4.4.1.1.1
        //# To restart ICE, an agent MUST change both the "ice-pwd" and the "ice-
        //# ufrag" for the data stream in an offer.
        if exchange.offerer == Side::Local && agreed_before && we_restart != they_restart {
            return Err(invalid_access(if we_restart {
                "the answer does not follow the ICE restart of the offer"
            } else {
                "the answer restarts ICE, which only an offer can"
            }));
        }
        let ice_role = match (self.ice_role, exchange.offerer) {
            (Some(_), _) => None,
            // RFC 8445 §6.1.1: the full agent controls.
            (None, _) if theirs.lite => Some(IceRole::Controlling),
            (None, Side::Local) => Some(IceRole::Controlling),
            (None, Side::Remote) => Some(IceRole::Controlled),
        };
        plan.next.ice_role = self.ice_role.or(ice_role);
        let unchanged = self.remote_ice.as_ref() == Some(&theirs.credentials);
        plan.next.remote_ice = Some(theirs.credentials.clone());
        plan.ice = IceChange {
            local: ours.filter(|ours| *ours != snapshot.ice.local),
            remote: (!unchanged).then_some(theirs.credentials.clone()),
            // Several answers may come from several peers: each has credentials of its own.
            restart: self.is_remote_restart(&theirs.credentials),
            role: ice_role,
            remote_lite: theirs.lite,
            candidates: theirs.candidates.clone(),
            end_of_candidates: theirs.end_of_candidates,
            gather: plan.ice.gather,
        };
        let answered = match exchange.offerer {
            Side::Local => theirs.setup,
            Side::Remote => Transport::read(exchange.answer, tagged)?.setup,
        };
        let answerer = role(answered)?;
        let own_role = if exchange.offerer == Side::Local { answerer.other() } else { answerer };
        self.conclude_dtls(plan, theirs, own_role)
    }

    fn conclude_dtls(&self, plan: &mut Plan, theirs: Transport, role: DtlsRole) -> Result<(), Error> {
        match self.continues(&theirs) {
            // RFC 8842 §5.3 forbids an answer that swaps the roles of an association that goes on. Firefox writes
            // `setup:active` all the same when it answers a later offer, and then keeps its role, as we do: there is
            // no handshake in which roles could matter.
            Some(_) => {}
            None => {
                plan.dtls = Some(DtlsStart {
                    role,
                    fingerprints: theirs.fingerprints.clone(),
                    replaces: self.dtls.is_some(),
                });
                plan.next.dtls =
                    Some(AssociatedDtls { role, fingerprints: theirs.fingerprints, tls_id: theirs.tls_id });
            }
        }
        Ok(())
    }

    fn conclude_data(
        &self,
        plan: &mut Plan,
        snapshot: &Snapshot,
        exchange: Exchange<'_>,
        (index, accepted): (usize, bool),
    ) {
        let remote = exchange.remote().media.get(index);
        let port = remote.and_then(section::sctp_port).filter(|port| accepted && *port > 0);
        let Some((remote, remote_port)) = remote.zip(port) else {
            // A rejected section beside a live one closes nothing.
            let live =
                |media: &MediaDescription| SectionKind::of(media) == SectionKind::Data && media.port != 0;
            if self.sctp.is_some() && !exchange.answer.media.iter().any(live) {
                plan.sctp = Some(SctpChange::Close);
                plan.next.sctp = None;
            }
            return;
        };
        let max_message_size = section::max_message_size(remote);
        // A new DTLS association takes SCTP with it (RFC 8841 §10.3).
        let survives = plan.dtls.is_none() && self.sctp.is_some_and(|(port, _)| port == remote_port);
        plan.sctp = if !survives {
            let local = exchange.local().media.get(index).and_then(section::sctp_init);
            let inits = local.zip(section::sctp_init(remote));
            let inits = inits.map(|(local, remote)| Inits { local: local.to_vec(), remote: remote.to_vec() });
            let local_port = snapshot.sctp.port;
            Some(SctpChange::Start { local_port, remote_port, max_message_size, inits })
        } else if self.sctp == Some((remote_port, max_message_size)) {
            None
        } else {
            Some(SctpChange::Update { max_message_size })
        };
        plan.next.sctp = Some((remote_port, max_message_size));
    }
}

fn conclude_media(
    plan: &mut Plan,
    view: &TransceiverView,
    exchange: Exchange<'_>,
    (index, offered): (usize, &MediaDescription),
) -> Result<StreamChange, Error> {
    let (local, remote) = (exchange.local(), exchange.remote());
    let (Some(ours), Some(theirs)) = (local.media.get(index), remote.media.get(index)) else {
        return Err(invalid_access("the answer has another number of sections than the offer"));
    };
    let agreed = direction::of(local, ours).intersection(direction::of(remote, theirs).reversed());
    let mid = offered.mid().unwrap_or_default();
    let receiver = receiver(&view.receiver, theirs, agreed);
    plan.transceivers.extend(remote_track(view.id, &view.receiver, receiver.clone()));
    if view.current_direction != Some(agreed) {
        plan.transceivers.push(TransceiverChange::CurrentDirection { id: view.id, direction: agreed });
    }
    let stream = streams::stream(view, (index, mid), agreed, ours, theirs, receiver);
    if stream.send.is_empty() {
        return Err(invalid_access("the answer accepts a section without a codec both sides have"));
    }
    Ok(stream)
}

/// What the other side sends, given the direction as we see it.
pub(super) fn receiver(
    before: &ReceiverView,
    theirs: &MediaDescription,
    direction: Direction,
) -> ReceiverView {
    if !direction.receives() {
        return ReceiverView { receiving: false, streams: Vec::new(), track_id: before.track_id.clone() };
    }
    let (streams, track) = section::msids(theirs);
    // A track keeps its name once it has one (W3C: a receiver has one track for life).
    ReceiverView { receiving: true, streams, track_id: before.track_id.clone().or(track) }
}

/// A section that the answer rejects.
fn reject(plan: &mut Plan, view: &TransceiverView, kind: SdpType) {
    let gone =
        ReceiverView { receiving: false, streams: Vec::new(), track_id: view.receiver.track_id.clone() };
    plan.transceivers.extend(remote_track(view.id, &view.receiver, gone));
    if kind == SdpType::Answer {
        plan.transceivers.push(TransceiverChange::Stop { id: view.id });
        plan.transceivers.push(TransceiverChange::Dissociate { id: view.id });
        plan.transceivers.push(TransceiverChange::Remove { id: view.id });
    } else if view.current_direction.is_some_and(|direction| direction != Direction::Inactive) {
        let direction = Direction::Inactive;
        plan.transceivers.push(TransceiverChange::CurrentDirection { id: view.id, direction });
    }
}
