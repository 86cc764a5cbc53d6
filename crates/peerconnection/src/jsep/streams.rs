//! Media in effect after an answer.

use std::collections::BTreeMap;

use sdp::{Attribute, MediaDescription};

use super::{
    Codec, NegotiatedCodec, ReceiverView, RemoteSource, StreamChange, TransceiverView, codecs, extmap,
    section, verify,
};
use crate::transceiver::Direction;

/// Most sources of one section that are told; more are ignored.
const MAX_SOURCES: usize = 64;

/// What holds for a section once both sides have described it.
pub(super) fn stream(
    view: &TransceiverView,
    (index, mid): (usize, &str),
    direction: Direction,
    local: &MediaDescription,
    remote: &MediaDescription,
    receiver: ReceiverView,
) -> StreamChange {
    let (ours, theirs) = (codecs::codecs(local), codecs::codecs(remote));
    StreamChange {
        transceiver: view.id,
        kind: view.kind,
        mid: mid.to_owned(),
        index,
        direction,
        send: usable(&theirs, &ours),
        receive: usable(&ours, &theirs),
        extensions: extmap::negotiated(local, remote),
        sources: sources(remote),
        rids: verify::sent_rids(remote),
        remote: receiver,
        rtcp_rsize: local.has(&Attribute::RtcpRsize) && remote.has(&Attribute::RtcpRsize),
        max_bitrate: section::max_bitrate(remote),
    }
}

/// Those of `all` that the other side has too, with what feedback both have. Retransmissions need both as well.
fn usable(all: &[NegotiatedCodec], other: &[NegotiatedCodec]) -> Vec<NegotiatedCodec> {
    let common = |codec: &NegotiatedCodec| {
        let twin = other
            .iter()
            .filter(|other| other.codec.matches(&codec.codec))
            .max_by_key(|other| other.payload_type == codec.payload_type)?;
        let feedback = codecs::common_feedback(&twin.codec, &codec.codec);
        Some(NegotiatedCodec {
            payload_type: codec.payload_type,
            codec: Codec { feedback, ..codec.codec.clone() },
            rtx: codec.rtx.filter(|_| twin.rtx.is_some()),
        })
    };
    all.iter().filter_map(common).collect()
}

/// The sources that a section announces; a source of retransmissions is with the one it repeats.
fn sources(media: &MediaDescription) -> Vec<RemoteSource> {
    let mut retransmits = BTreeMap::new();
    let mut cnames = BTreeMap::new();
    let mut order: Vec<u32> = Vec::new();
    for attribute in &media.attributes {
        if let Attribute::SsrcGroup(group) = attribute {
            if let ([ssrc, rtx], sdp::SsrcGroup::FID) = (group.ssrcs.as_slice(), group.semantics.as_str()) {
                retransmits.entry(*rtx).or_insert(*ssrc);
            }
        } else if let Attribute::Ssrc(line) = attribute {
            let cname = cnames.entry(line.ssrc).or_insert_with(|| {
                order.push(line.ssrc);
                None
            });
            if line.name == "cname" && cname.is_none() {
                cname.clone_from(&line.value);
            }
        }
    }
    let rtx_of: BTreeMap<u32, u32> = retransmits.iter().map(|(rtx, ssrc)| (*ssrc, *rtx)).collect();
    order
        .into_iter()
        .filter(|ssrc| !retransmits.contains_key(ssrc))
        .take(MAX_SOURCES)
        .map(|ssrc| RemoteSource {
            ssrc,
            rtx: rtx_of.get(&ssrc).copied(),
            cname: cnames.get(&ssrc).cloned().flatten(),
        })
        .collect()
}
