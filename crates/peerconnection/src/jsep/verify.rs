//! What a description of the other side has to fulfil before anything is done with it (RFC 9429 §5.8.3).

use std::collections::{BTreeMap, BTreeSet};

use sdp::{Attribute, MediaDescription, RidDirection, Setup};

use super::{
    Negotiator, codecs, invalid_access,
    section::{self, SectionKind},
    simulcast,
    transport::Transport,
};
use crate::error::Error;

/// What holds for one description by itself.
pub(super) fn description(sdp: &sdp::Description) -> Result<(), Error> {
    let mids = tags(sdp)?;
    groups(sdp, &mids)?;
    let live = || sdp.media.iter().filter(|media| !section::is_rejected(media));
    sources(live())?;
    let mut payload_types = BTreeMap::new();
    let mut extensions = BTreeMap::new();
    let tagged = section::tagged(sdp).and_then(|index| sdp.media.get(index));
    for media in live() {
        extension_ids(media, &mut extensions)?;
        match SectionKind::of(media) {
            SectionKind::Media(_) => {
                multiplexed(media, tagged)?;
                formats(media, &mut payload_types)?;
                simulcast::verify(media)?;
            }
            SectionKind::Data => {
                if section::sctp_port(media).is_none() {
                    return Err(invalid_access("a data section has no sctp-port"));
                }
                #[cfg(feature = "snap")]
                if section::sctp_init(media).is_some_and(|init| sctp::RemoteInit::parse(init).is_err()) {
                    return Err(invalid_access("an sctp-init is no INIT"));
                }
            }
            SectionKind::Unsupported => {}
        }
    }
    Ok(())
}

fn tags(sdp: &sdp::Description) -> Result<BTreeSet<&str>, Error> {
    let mut mids = BTreeSet::new();
    for media in &sdp.media {
        match media.mid() {
            //= rfc5888 §4
            //# The identification-tag MUST be unique within an SDP session
            //# description.
            Some(mid) if !mids.insert(mid) => return Err(invalid_access("two sections have the same mid")),
            None if !section::is_rejected(media) => return Err(invalid_access("a section has no mid")),
            Some(_) | None => {}
        }
    }
    Ok(mids)
}

fn groups(sdp: &sdp::Description, mids: &BTreeSet<&str>) -> Result<(), Error> {
    let mut bundled = BTreeSet::new();
    for group in sdp.groups().filter(|group| group.is_bundle()) {
        for mid in &group.mids {
            if !mids.contains(mid.as_str()) {
                return Err(invalid_access("a bundle names a mid that no section has"));
            }
            //= rfc9143 §5
            //# Any given bundled
            //# "m=" section MUST NOT be associated with more than one BUNDLE group
            //# at any given time.
            if !bundled.insert(mid.as_str()) {
                return Err(invalid_access("a mid is in a bundle twice"));
            }
        }
    }
    let lost = |media: &&MediaDescription| {
        media.has(&Attribute::BundleOnly) && !media.mid().is_some_and(|mid| bundled.contains(mid))
    };
    if sdp.media.iter().any(|media| lost(&media)) {
        return Err(invalid_access("a bundle-only section is in no bundle"));
    }
    Ok(())
}

/// A source belongs to one section (RFC 5576 §4.1, RFC 8843 §9.2).
fn sources<'a>(live: impl Iterator<Item = &'a MediaDescription>) -> Result<(), Error> {
    let mut owners = BTreeMap::new();
    for (index, media) in live.enumerate() {
        let ssrcs = media.attributes.iter().filter_map(|attribute| {
            if let Attribute::Ssrc(ssrc) = attribute { Some(ssrc.ssrc) } else { None }
        });
        for ssrc in ssrcs {
            if *owners.entry(ssrc).or_insert(index) != index {
                return Err(invalid_access("two sections have the same ssrc"));
            }
        }
    }
    Ok(())
}

fn multiplexed(media: &MediaDescription, tagged: Option<&MediaDescription>) -> Result<(), Error> {
    let mux = |media: &MediaDescription| media.has(&Attribute::RtcpMux);
    //= rfc8829 §5.8.3
    //# If an "m="
    //# section contains an "a=rtcp-mux-only" attribute, that section MUST
    //# also contain an "a=rtcp-mux" attribute.
    if media.has(&Attribute::RtcpMuxOnly) && !mux(media) {
        return Err(invalid_access("a section has rtcp-mux-only without rtcp-mux"));
    }
    // In a bundle the tagged section may say it for all (RFC 8859 §5: category IDENTICAL).
    if mux(media) || tagged.is_some_and(mux) {
        return Ok(());
    }
    Err(invalid_access("a section does not multiplex RTP and RTCP (rtcp-mux)"))
}

fn formats(
    media: &MediaDescription,
    seen: &mut BTreeMap<sdp::PayloadType, (String, u32)>,
) -> Result<(), Error> {
    let listed: BTreeSet<_> = media.payload_types().collect();
    //= rfc5761 §4
    //# payload type values in the range
    //# 64-95 MUST NOT be used.
    if listed.iter().any(|payload_type| (64..=95).contains(&payload_type.value())) {
        return Err(invalid_access("payload types 64 to 95 are RTCP when it is multiplexed"));
    }
    for format in codecs::formats(media) {
        if format.is_rtx() && format.apt().is_none_or(|apt| !listed.contains(&apt)) {
            return Err(invalid_access("retransmissions (rtx) of a payload type that is not there"));
        }
        let codec = (format.codec.name.to_ascii_lowercase(), format.codec.clock_rate);
        //= rfc9143 §9.1.1
        //# in order for a given payload type value to be used
        //# inside more than one bundled "m=" section, all codecs associated with
        //# the payload type number MUST share an identical codec configuration.
        if *seen.entry(format.payload_type).or_insert_with(|| codec.clone()) != codec {
            return Err(invalid_access("one payload type means two codecs"));
        }
    }
    Ok(())
}

fn extension_ids<'a>(media: &'a MediaDescription, seen: &mut BTreeMap<u16, &'a str>) -> Result<(), Error> {
    //= rfc8285 §5
    //# the IDs used MUST be unique in each media section of the SDP or
    //# unique in the session for session-level SDP declarations.
    let mut here = BTreeSet::new();
    for extmap in media.extmaps() {
        if !here.insert(extmap.id) {
            return Err(invalid_access("a section has an extension id twice"));
        }
        if *seen.entry(extmap.id).or_insert(&*extmap.uri) != extmap.uri {
            return Err(invalid_access("one extension id means two things"));
        }
    }
    Ok(())
}

/// What holds for an answer beside its offer.
pub(super) fn answer(offer: &sdp::Description, answer: &sdp::Description) -> Result<(), Error> {
    //= rfc8829 §5.8.3
    //# including the requirement that the number of
    //# "m=" sections MUST exactly match the number of "m=" sections in
    //# the associated offer.
    if offer.media.len() != answer.media.len() {
        return Err(invalid_access("the answer has another number of sections than the offer"));
    }
    let bundle: BTreeSet<&str> =
        section::bundle(answer).unwrap_or_default().iter().map(String::as_str).collect();
    let offered_bundle: BTreeSet<&str> =
        section::bundle(offer).unwrap_or_default().iter().map(String::as_str).collect();
    if !bundle.is_subset(&offered_bundle) {
        return Err(invalid_access("the answer bundles what the offer did not"));
    }
    let live = answer.media.iter().filter(|media| media.port != 0).count();
    for (offered, answered) in offer.media.iter().zip(&answer.media) {
        if offered.kind != answered.kind || SectionKind::of(offered) != SectionKind::of(answered) {
            return Err(invalid_access(
                "a section of the answer has another media type or protocol than the offer",
            ));
        }
        if answered.mid().is_some_and(|mid| offered.mid() != Some(mid)) {
            return Err(invalid_access("a section of the answer has another mid than the offer"));
        }
        //= rfc8829 §5.3.1
        //# answer MUST NOT have an "a=bundle-only" line.
        if answered.has(&Attribute::BundleOnly) {
            return Err(invalid_access("an answer must not be bundle-only"));
        }
        if answered.port == 0 {
            continue;
        }
        if section::is_rejected(offered) {
            return Err(invalid_access("the answer accepts a section that was not offered"));
        }
        if live > 1 && !answered.mid().is_some_and(|mid| bundle.contains(mid)) {
            return Err(invalid_access(
                "the answer does not bundle all that it accepts: there is one transport only",
            ));
        }
    }
    Ok(())
}

impl Negotiator {
    /// What holds for an offer after what was agreed before: sections keep place, kind and tag (RFC 3264 §8).
    pub(super) fn verify_reoffer(&self, offer: &sdp::Description) -> Result<(), Error> {
        let Some(before) = &self.slots.current_remote else { return Ok(()) };
        //= rfc3264 §8
        //# In other words, if the previous SDP had N "m=" lines,
        //# the new SDP MUST have at least N "m=" lines.
        if offer.media.len() < before.sdp.media.len() {
            return Err(invalid_access("the offer has fewer sections than there were"));
        }
        let pairs = before.sdp.media.iter().zip(&offer.media).enumerate();
        for (_, (before, now)) in pairs.filter(|(index, _)| !self.is_recyclable(*index)) {
            if before.kind != now.kind || SectionKind::of(before) != SectionKind::of(now) {
                return Err(invalid_access("a section changed its media type: their order must not change"));
            }
            if before.mid() != now.mid() && !section::is_rejected(now) {
                return Err(invalid_access("a section changed its mid: their order must not change"));
            }
        }
        Ok(())
    }

    /// What holds for the transport of a description of the other side beside the one in use.
    pub(super) fn verify_transport(&self, remote: &Transport, is_answer: bool) -> Result<(), Error> {
        match remote.setup {
            Setup::Holdconn => return Err(invalid_access("setup:holdconn is not used with DTLS-SRTP")),
            Setup::Actpass if is_answer => {
                return Err(invalid_access("an answer has to choose setup:active or setup:passive"));
            }
            Setup::Active | Setup::Passive | Setup::Actpass => {}
        }
        let Some(ice) = &self.remote_ice else { return Ok(()) };
        let (ufrag, pwd) = (ice.ufrag != remote.credentials.ufrag, ice.pwd != remote.credentials.pwd);
        if ufrag != pwd {
            return Err(invalid_access("ice-ufrag and ice-pwd have to change together"));
        }
        if self.continues(remote).is_none() {
            //= rfc8829 §5.8.3
            //# the DTLS connection is not being continued and the remote
            //# description MUST be part of an ICE restart, together with new
            //# ufrag and password values.
            if self.dtls.is_some() && !ufrag {
                return Err(invalid_access("a new fingerprint or tls-id needs an ICE restart"));
            }
            return Ok(());
        }
        let theirs = match remote.setup {
            Setup::Active => Some(super::DtlsRole::Active),
            Setup::Passive => Some(super::DtlsRole::Passive),
            Setup::Actpass | Setup::Holdconn => None,
        };
        let ours = self.dtls.as_ref().map(|dtls| dtls.role);
        match (theirs, ours) {
            (Some(theirs), Some(ours)) if theirs == ours && !is_answer => {
                Err(invalid_access("the DTLS roles of an association cannot be swapped"))
            }
            _ => Ok(()),
        }
    }
}

/// Names of the encodings that the other side sends.
pub(super) fn sent_rids(media: &MediaDescription) -> Vec<String> {
    let rid = |attribute: &Attribute| {
        let Attribute::Rid(rid) = attribute else { return None };
        (rid.direction == RidDirection::Send).then(|| rid.id.clone())
    };
    media.attributes.iter().filter_map(rid).collect()
}
