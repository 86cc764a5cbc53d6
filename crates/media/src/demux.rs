//! Where incoming packets belong (RFC 9143 §9.2).

use std::collections::BTreeMap;

use rtp::{ExtensionMap, Mid, PayloadType, SequenceNumber, Ssrc};

use crate::config::ReceiveStreamConfig;
use crate::ids::ReceiverId;

/// What is known about a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) receiver: ReceiverId,
    /// For a retransmission stream: the source it repairs, once known.
    pub(crate) repairs: Option<Ssrc>,
    /// It stands in the description, so it stays when the source ends.
    is_announced: bool,
    /// Number of the packet that brought it here.
    since: Option<SequenceNumber>,
}

/// The tables of RFC 9143 §9.2.
#[derive(Debug, Default)]
pub(crate) struct Demux {
    by_ssrc: BTreeMap<Ssrc, Route>,
    by_mid: BTreeMap<Mid, ReceiverId>,
    /// The receiver, or none if the payload type is used by several.
    by_payload_type: BTreeMap<PayloadType, Option<ReceiverId>>,
    /// Header extensions have the same identifiers on all sections of a bundle (RFC 9143 §9).
    pub(crate) extensions: ExtensionMap,
}

impl Demux {
    /// Makes the tables anew. Sources learned for receivers that are still there stay.
    pub(crate) fn rebuild<'a>(
        &mut self,
        receivers: impl Iterator<Item = (ReceiverId, &'a ReceiveStreamConfig)>,
    ) {
        self.by_mid.clear();
        self.by_payload_type.clear();
        self.extensions = ExtensionMap::new();
        self.by_ssrc.retain(|_, route| !route.is_announced);
        let mut known = Vec::new();
        for (id, config) in receivers {
            known.push(id);
            if let Some(mid) = config.mid {
                self.by_mid.insert(mid, id);
            }
            for payload in &config.payloads {
                //= rfc9143 §9.2
                //# If any payload
                //# type is configured for receiving in more than one "m=" section in
                //# the BUNDLE group, do not include it in the table, as it cannot be
                //# used to uniquely identify an "m=" section.
                self.by_payload_type
                    .entry(payload.payload_type)
                    .and_modify(|receiver| {
                        if *receiver != Some(id) {
                            *receiver = None;
                        }
                    })
                    .or_insert(Some(id));
            }
            for (kind, extension) in config.extensions.iter() {
                if self.extensions.id(kind).is_none() {
                    self.extensions.insert(kind, extension);
                }
            }
            for (media, rtx) in &config.ssrcs {
                let route = Route { receiver: id, repairs: None, is_announced: true, since: None };
                self.by_ssrc.insert(*media, route);
                if let Some(rtx) = rtx {
                    self.by_ssrc.insert(*rtx, Route { repairs: Some(*media), ..route });
                }
            }
        }
        self.by_ssrc.retain(|_, route| known.contains(&route.receiver));
    }

    pub(crate) fn route(&self, ssrc: Ssrc) -> Option<Route> {
        self.by_ssrc.get(&ssrc).copied()
    }

    /// The receiver that a packet belongs to, by the steps of RFC 9143 §9.2.
    pub(crate) fn receiver(&self, packet: &rtp::Packet) -> Option<ReceiverId> {
        let route = self.by_ssrc.get(&packet.header.ssrc);
        if let Some(mid) = packet.extensions().value::<Mid>(&self.extensions) {
            // A tag that is not known here: the packet is dropped, whatever else it says.
            let tagged = self.by_mid.get(&mid).copied()?;
            // A packet that was overtaken by the source's move does not move it back.
            let is_old = |since: SequenceNumber| !packet.header.sequence_number.is_after(since);
            let settled = route.filter(|route| route.since.is_some_and(is_old));
            return Some(settled.map_or(tagged, |route| route.receiver));
        }
        if let Some(route) = route {
            return Some(route.receiver);
        }
        self.by_payload_type.get(&packet.header.payload_type).copied().flatten()
    }

    /// A description names the section of a source (RFC 9143 §9.2). Does nothing for sources that have one.
    pub(crate) fn on_description(&mut self, ssrc: Ssrc, mid: Mid, limit: usize) {
        if let Some(receiver) = self.by_mid.get(&mid).copied()
            && !self.by_ssrc.contains_key(&ssrc)
        {
            self.bind(ssrc, receiver, None, None, limit);
        }
    }

    /// Remembers a source, with the number of the packet that told. Returns whether there was room.
    pub(crate) fn bind(
        &mut self,
        ssrc: Ssrc,
        receiver: ReceiverId,
        repairs: Option<Ssrc>,
        since: Option<SequenceNumber>,
        limit: usize,
    ) -> bool {
        let known = self.by_ssrc.get(&ssrc);
        if known.is_none() && self.by_ssrc.len() >= limit {
            return false;
        }
        let is_announced = known.is_some_and(|route| route.is_announced && route.receiver == receiver);
        self.by_ssrc.insert(ssrc, Route { receiver, repairs, is_announced, since });
        true
    }

    /// Forgets a source that was learned, and the stream of its retransmissions.
    pub(crate) fn forget(&mut self, ssrc: Ssrc) {
        self.by_ssrc
            .retain(|known, route| route.is_announced || *known != ssrc && route.repairs != Some(ssrc));
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
