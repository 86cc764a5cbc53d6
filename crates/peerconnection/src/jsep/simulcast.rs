//! Simulcast and encodings (RFC 8851, RFC 8853): read, checked, and for now not used.
//!
//! Answers leave `a=rid` and `a=simulcast` out, which tells the other side to send the first encoding only
//! (RFC 8853 §5.3.2, RFC 9429 §3.7). Offers have neither.

use std::collections::BTreeSet;

use sdp::{Attribute, MediaDescription, RidDirection};

use super::invalid_access;
use crate::error::Error;

/// Checks that encodings are named once, and that simulcast only uses names there are.
pub(super) fn verify(media: &MediaDescription) -> Result<(), Error> {
    let mut rids = BTreeSet::new();
    let mut simulcast = None;
    for attribute in &media.attributes {
        if let Attribute::Rid(rid) = attribute {
            let send = rid.direction == RidDirection::Send;
            if rids.contains(&(rid.id.as_str(), !send)) || !rids.insert((rid.id.as_str(), send)) {
                return Err(invalid_access("a section has a rid twice"));
            }
        } else if let Attribute::Simulcast(line) = attribute {
            //= rfc8853 §5.2
            //# Each SDP media description MUST
            //# contain at most one "a=simulcast" line.
            if simulcast.replace(line).is_some() {
                return Err(invalid_access("a section has a=simulcast twice"));
            }
        }
    }
    for list in simulcast.into_iter().flat_map(|line| &line.lists) {
        let send = list.direction == RidDirection::Send;
        let mut named = BTreeSet::new();
        for id in list.streams.iter().flatten() {
            //= rfc8829 §5.8.3
            //# All rid-ids referenced in an "a=simulcast" line MUST exist as
            //# "a=rid" lines.
            if !rids.contains(&(id.rid.as_str(), send)) {
                return Err(invalid_access("a=simulcast names a rid that is not there"));
            }
            if !named.insert(id.rid.as_str()) {
                return Err(invalid_access("a=simulcast names a rid twice"));
            }
        }
    }
    Ok(())
}
