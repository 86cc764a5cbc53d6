//! Making answers (RFC 9429 §5.3).

use std::collections::BTreeSet;

use sdp::{Attribute, Group, MediaDescription, Setup};

use super::{
    Created, DtlsRole, NegotiatedCodec, Negotiator, Snapshot, TransceiverState, codecs, direction, extmap,
    invalid_access,
    offer::data_attributes,
    section::{self, SectionKind},
    transport::{LocalTransport, Place, Transport},
    write::{self, RtpSection},
};
use crate::{
    description::SignalingState,
    error::{Error, ErrorKind},
};

/// What an answer is to be like (W3C `RTCAnswerOptions`, which is empty).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnswerOptions {}

impl AnswerOptions {
    /// There is nothing to choose so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// What is answered to one section.
enum Verdict<'a> {
    Data,
    Media { view: &'a super::TransceiverView, codecs: Vec<NegotiatedCodec> },
    Reject,
}

impl Negotiator {
    /// The answer to the remote offer.
    pub(super) fn answer(&self, snapshot: &Snapshot) -> Result<Created, Error> {
        let offer = match (self.state, &self.slots.pending_remote) {
            (SignalingState::HaveRemoteOffer | SignalingState::HaveLocalPranswer, Some(slot)) => &*slot.sdp,
            _ => {
                let context = format!("there is no remote offer to answer in the state {}", self.state);
                return Err(Error::new(ErrorKind::InvalidStateError, context));
            }
        };
        let (verdicts, tagged) = bundled(offer, verdicts(snapshot, offer));
        let transport = match tagged {
            Some(index) => Some(self.answer_transport(snapshot, offer, index)?),
            None => None,
        };
        let mut sdp = write::session(self, snapshot);
        for (index, (offered, verdict)) in offer.media.iter().zip(&verdicts).enumerate() {
            let place = if tagged == Some(index) { Place::Tagged } else { Place::Bundled };
            let media = match (verdict, &transport) {
                (Verdict::Reject, _) | (_, None) => write::rejected(offered),
                (Verdict::Data, Some(transport)) => data(snapshot, offered, transport, place),
                (Verdict::Media { view, codecs }, Some(transport)) => {
                    let wanted = view.direction;
                    let offered_direction = direction::of(offer, offered);
                    let agreed = offered_direction.reversed().intersection(wanted);
                    media(snapshot, offered, transport, place, Agreed { view, codecs, direction: agreed })
                }
            };
            sdp.media.push(media);
        }
        let offered = offered_ice_options(offer);
        let options: Vec<_> =
            ["trickle", "ice2"].into_iter().filter(|option| offered.contains(option)).collect();
        if !options.is_empty() {
            sdp.attributes.push(write::ice_options(options));
        }
        sdp.attributes.extend(group(offer, &sdp.media, tagged));
        let mixed = |media: &MediaDescription| media.has(&Attribute::ExtmapAllowMixed);
        if offer.attributes.contains(&Attribute::ExtmapAllowMixed) || offer.media.iter().any(mixed) {
            sdp.attributes.push(Attribute::ExtmapAllowMixed);
        }
        let transceivers = vec![None; sdp.media.len()];
        Ok(Created { sdp: sdp.into(), transceivers })
    }

    /// Our transport for an answer whose first accepted section is `index`.
    fn answer_transport<'a>(
        &self,
        snapshot: &'a Snapshot,
        offer: &sdp::Description,
        index: usize,
    ) -> Result<LocalTransport<'a>, Error> {
        let remote = offered_transport(offer, index)?;
        let restart = self.is_remote_restart(&remote.credentials);
        let credentials = self.next_credentials(snapshot, restart);
        let continues = self.continues(&remote);
        let role = match (continues, remote.setup) {
            (Some(role), _) => role,
            (None, Setup::Active) => DtlsRole::Passive,
            (None, Setup::Passive) => DtlsRole::Active,
            (None, Setup::Actpass | Setup::Holdconn) => snapshot.dtls.preferred,
        };
        let setup = match role {
            DtlsRole::Active => Setup::Active,
            DtlsRole::Passive => Setup::Passive,
        };
        //= rfc8842 §5.3
        //# If the answerer receives an offer that does not contain an SDP "tls-
        //# id" attribute, the answerer MUST NOT insert a "tls-id" attribute in
        //# the answer.
        Ok(LocalTransport::answer(snapshot, credentials, setup, remote.tls_id.is_some()))
    }
}

/// The transport the offerer uses once `index` is the first accepted section: its own, or that of the bundle.
pub(super) fn offered_transport(offer: &sdp::Description, index: usize) -> Result<Transport, Error> {
    let own = Transport::read(offer, index);
    let bundled = offer.media.get(index).is_some_and(|media| media.has(&Attribute::BundleOnly));
    match (own, section::tagged(offer)) {
        (Ok(own), _) if !bundled => Ok(own),
        (_, Some(tagged)) => Transport::read(offer, tagged),
        (own, None) => own,
    }
}

fn verdicts<'a>(snapshot: &'a Snapshot, offer: &sdp::Description) -> Vec<Verdict<'a>> {
    let mut data = false;
    let verdict = |offered: &MediaDescription| {
        if section::is_rejected(offered) {
            return Verdict::Reject;
        }
        match SectionKind::of(offered) {
            SectionKind::Unsupported => Verdict::Reject,
            SectionKind::Data => {
                // One association per connection; port 0 closes it (RFC 8841 §5.1).
                let first = !std::mem::replace(&mut data, true);
                if first && section::sctp_port(offered).is_some_and(|port| port > 0) {
                    Verdict::Data
                } else {
                    Verdict::Reject
                }
            }
            SectionKind::Media(_) => match offered.mid().and_then(|mid| snapshot.by_mid(mid)) {
                Some(view) if view.state != TransceiverState::Stopped => {
                    let codecs = accepted(snapshot, view, offered);
                    if codecs.is_empty() { Verdict::Reject } else { Verdict::Media { view, codecs } }
                }
                Some(_) | None => Verdict::Reject,
            },
        }
    };
    offer.media.iter().map(verdict).collect()
}

/// The codecs of an answer: offered payload types, in the order of preferences or else of the offer.
fn accepted(
    snapshot: &Snapshot,
    view: &super::TransceiverView,
    offered: &MediaDescription,
) -> Vec<NegotiatedCodec> {
    let wanted = snapshot.codecs.wanted(view);
    let mut common = codecs::common(&wanted, &codecs::codecs(offered));
    if !view.codec_preferences.is_empty() {
        common.sort_by_key(|codec| wanted.iter().position(|own| own.codec.matches(&codec.codec)));
    }
    common
}

/// Chooses the section whose transport is used, and rejects what does not share it: there is only one transport.
fn bundled<'a>(
    offer: &sdp::Description,
    mut verdicts: Vec<Verdict<'a>>,
) -> (Vec<Verdict<'a>>, Option<usize>) {
    let accepted =
        |index: usize| verdicts.get(index).is_some_and(|verdict| !matches!(verdict, Verdict::Reject));
    let Some(group) = section::bundle(offer) else {
        // Without a bundle every section would need a transport of its own.
        let alone = (0..verdicts.len()).find(|index| accepted(*index));
        let others = verdicts.iter_mut().enumerate().filter(|(index, _)| Some(*index) != alone);
        others.for_each(|(_, verdict)| *verdict = Verdict::Reject);
        return (verdicts, alone);
    };
    //= rfc9143 §7.3.1
    //# If one or more of the criteria are not fulfilled, the answerer MUST
    //# pick the next identification-tag in the identification-tag list in
    //# the offer and perform the same criteria check for the "m=" section
    //# indicated by that identification-tag.
    let index = |mid: &String| offer.media.iter().position(|media| media.mid() == Some(mid.as_str()));
    let own_address =
        |index: &usize| offer.media.get(*index).is_some_and(|media| !media.has(&Attribute::BundleOnly));
    let members: Vec<usize> = group.iter().filter_map(index).filter(|index| accepted(*index)).collect();
    let tagged = members.iter().copied().find(own_address);
    let members: BTreeSet<usize> =
        if tagged.is_some() { members.into_iter().collect() } else { BTreeSet::new() };
    let others = verdicts.iter_mut().enumerate().filter(|(index, _)| !members.contains(index));
    others.for_each(|(_, verdict)| *verdict = Verdict::Reject);
    (verdicts, tagged)
}

/// The bundle of an answer: what was offered and accepted, the tagged section first.
fn group(
    offer: &sdp::Description,
    answered: &[MediaDescription],
    tagged: Option<usize>,
) -> Option<Attribute> {
    let offered = section::bundle(offer)?;
    let live = |media: &MediaDescription| {
        if section::is_rejected(media) { None } else { media.mid().map(str::to_owned) }
    };
    let first = answered.get(tagged?).and_then(live)?;
    let mut rest: BTreeSet<String> = answered.iter().filter_map(live).collect();
    rest.remove(&first);
    let rest = offered.iter().filter(|mid| rest.contains(*mid)).cloned();
    Some(Attribute::Group(Group::new(Group::BUNDLE, std::iter::once(first.clone()).chain(rest))))
}

struct Agreed<'a> {
    view: &'a super::TransceiverView,
    codecs: &'a [NegotiatedCodec],
    direction: crate::transceiver::Direction,
}

fn media(
    snapshot: &Snapshot,
    offered: &MediaDescription,
    transport: &LocalTransport<'_>,
    place: Place,
    agreed: Agreed<'_>,
) -> MediaDescription {
    //= rfc8829 §5.3.1
    //# The <proto> field MUST be set to exactly match the <proto> field
    //# for the corresponding "m=" line in the offer.
    let mut media = MediaDescription::new(offered.kind.clone(), offered.protocol.as_str());
    transport.write(&mut media, place);
    let section = RtpSection {
        mid: offered.mid().unwrap_or_default(),
        direction: agreed.direction,
        sender: &agreed.view.sender,
        codecs: agreed.codecs,
        extensions: extmap::answer(offered, &snapshot.extensions, agreed.view.kind),
        rtcp_mux_only: false,
        rtcp_rsize: offered.has(&Attribute::RtcpRsize),
    };
    section.write(&mut media);
    media
}

fn data(
    snapshot: &Snapshot,
    offered: &MediaDescription,
    transport: &LocalTransport<'_>,
    place: Place,
) -> MediaDescription {
    let mut media = MediaDescription::new(offered.kind.clone(), offered.protocol.as_str());
    media.formats.clone_from(&offered.formats);
    transport.write(&mut media, place);
    media.attributes.extend(offered.mid().map(|mid| Attribute::Mid(mid.to_owned())));
    let legacy = offered.attributes.iter().any(|attribute| matches!(attribute, Attribute::Sctpmap(_)));
    let mut attributes = data_attributes(snapshot, legacy);
    if section::sctp_init(offered).is_none() {
        attributes.retain(|attribute| !matches!(attribute, Attribute::SctpInit(_)));
    }
    media.attributes.extend(attributes);
    media
}

fn offered_ice_options(offer: &sdp::Description) -> Vec<&str> {
    let all = offer.attributes.iter().chain(offer.media.iter().flat_map(|media| &media.attributes));
    all.filter_map(
        |attribute| if let Attribute::IceOptions(options) = attribute { Some(options) } else { None },
    )
    .flatten()
    .map(String::as_str)
    .collect()
}

/// What an answer's setup says about our role.
pub(super) fn role(setup: Setup) -> Result<DtlsRole, Error> {
    //= rfc8842 §5.3
    //# When an answerer sends an answer, the answerer MUST insert in the
    //# answer an SDP "setup" attribute according to the procedures in
    //# [RFC4145]
    match setup {
        Setup::Active => Ok(DtlsRole::Active),
        Setup::Passive => Ok(DtlsRole::Passive),
        Setup::Actpass | Setup::Holdconn => {
            Err(invalid_access("an answer has to choose setup:active or setup:passive"))
        }
    }
}
