//! Candidates that come and go outside of descriptions (RFC 8838, RFC 8840, W3C §4.4.1.6 and §4.8.1).

use std::sync::Arc;

use sdp::{Attribute, Candidate};

use super::{Negotiator, Slot, section, transport};
use crate::{
    description::Description,
    error::{Error, ErrorKind},
};

/// Most candidates that one description collects; an agent keeps fewer.
const MAX_CANDIDATES: usize = 256;

/// What to do with a candidate of the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RemoteCandidate {
    /// Give it to the agent.
    Deliver(Candidate),
    /// Tell the agent that there are no more of this generation.
    End,
    /// Nothing now: it is for a description that is not answered yet, and comes with the plan of the answer.
    Kept,
    /// Nothing: it is of no use here, such as one for RTCP alone or for a section that is gone.
    Ignored,
}

impl Negotiator {
    /// Takes a candidate of the other side; the empty text says that there are no more.
    ///
    /// `mid` counts before `index`; both may be missing at the end of candidates.
    ///
    /// # Errors
    ///
    /// `TypeError` without `mid` and `index`, `InvalidStateError` without a remote description, `OperationError` if
    /// no section or no generation fits, or if it cannot be read.
    pub(crate) fn add_remote_candidate(
        &mut self,
        text: &str,
        mid: Option<&str>,
        index: Option<u16>,
        ufrag: Option<&str>,
    ) -> Result<RemoteCandidate, Error> {
        let ends = text.is_empty();
        if mid.is_none() && index.is_none() && !ends {
            return Err(Error::new(ErrorKind::TypeError, "a candidate needs a mid or an index"));
        }
        let place = self.check_candidate_section(mid, index)?;
        let slots = &mut self.slots;
        let candidate = if ends {
            None
        } else {
            let candidate: Candidate = text.parse().map_err(|error| {
                Error::new(ErrorKind::OperationError, "the candidate cannot be read").with_source(error)
            })?;
            Some(candidate)
        };
        let ufrag = ufrag.or_else(|| candidate.as_ref().and_then(Candidate::ufrag)).map(str::to_owned);
        let remote_ice = self.remote_ice.clone();
        let targets = [slots.pending_remote.as_mut(), slots.current_remote.as_mut()];
        let mut deliver = None;
        for slot in targets.into_iter().flatten() {
            let own = transport::credentials(&slot.sdp);
            if ufrag.as_ref().is_some_and(|ufrag| own.as_ref().is_none_or(|own| own.ufrag != *ufrag)) {
                continue;
            }
            let known = own.is_some() && own == remote_ice;
            deliver = Some(deliver.unwrap_or(false) || known);
            append(slot, place, candidate.as_ref());
            if ufrag.is_none() {
                // Without a generation it is for the latest description.
                break;
            }
        }
        let rejected =
            self.remote_slot().and_then(|slot| slot.sdp.media.get(place)).is_some_and(section::is_rejected);
        match (deliver, candidate) {
            (None, _) => {
                Err(Error::new(ErrorKind::OperationError, "no remote description has this ice-ufrag"))
            }
            (Some(_), _) if rejected => Ok(RemoteCandidate::Ignored),
            (Some(_), Some(candidate)) if candidate.component != 1 => Ok(RemoteCandidate::Ignored),
            (Some(false), _) => Ok(RemoteCandidate::Kept),
            (Some(true), Some(candidate)) => Ok(RemoteCandidate::Deliver(candidate)),
            (Some(true), None) => Ok(RemoteCandidate::End),
        }
    }

    /// Finds the section of the newest remote description that a candidate is for; without `mid` and `index` the one
    /// with the transport.
    ///
    /// # Errors
    ///
    /// `InvalidStateError` without a remote description, `OperationError` if it has no such section.
    pub(crate) fn check_candidate_section(
        &self,
        mid: Option<&str>,
        index: Option<u16>,
    ) -> Result<usize, Error> {
        let Some(slot) = self.remote_slot() else {
            return Err(Error::new(ErrorKind::InvalidStateError, "there is no remote description"));
        };
        let media = &slot.sdp.media;
        let place = match (mid, index) {
            (Some(mid), _) => media.iter().position(|media| media.mid() == Some(mid)),
            (None, Some(index)) => Some(usize::from(index)).filter(|index| *index < media.len()),
            (None, None) => section::tagged(&slot.sdp),
        };
        place.ok_or_else(|| {
            Error::new(ErrorKind::OperationError, "the remote description has no such section")
        })
    }

    /// The section that our candidates belong to, by mid and index: the one with the transport.
    pub(crate) fn candidate_section(&self) -> (Option<String>, Option<u16>) {
        let Some(slot) = self.slots.pending_local.as_ref().or(self.slots.current_local.as_ref()) else {
            return (None, None);
        };
        let Some(index) = section::tagged(&slot.sdp) else { return (None, None) };
        let mid = slot.sdp.media.get(index).and_then(|media| media.mid()).map(str::to_owned);
        (mid, u16::try_from(index).ok())
    }

    /// A local description with what was gathered: `candidates` are those of the newest credentials, and whether they
    /// are all.
    pub(super) fn with_candidates(
        &self,
        slot: &Slot,
        (candidates, complete): (&[Candidate], bool),
    ) -> Description {
        let newest = self.slots.pending_local.as_ref().or(self.slots.current_local.as_ref());
        let credentials = |slot: &Slot| transport::credentials(&slot.sdp);
        let mut slot = slot.clone();
        if newest.and_then(credentials) == credentials(&slot) {
            candidates.iter().for_each(|candidate| append(&mut slot, 0, Some(candidate)));
            if complete {
                append(&mut slot, 0, None);
            }
        }
        slot.description()
    }

    /// Whether the other side described itself yet.
    pub(crate) fn has_remote_description(&self) -> bool {
        self.remote_slot().is_some()
    }

    fn remote_slot(&self) -> Option<&Slot> {
        self.slots.pending_remote.as_ref().or(self.slots.current_remote.as_ref())
    }
}

/// Puts a candidate, or the end of them, into the section that has the transport. Twice is once.
fn append(slot: &mut Slot, place: usize, candidate: Option<&Candidate>) {
    let place = section::tagged(&slot.sdp).unwrap_or(place);
    let Some(media) = Arc::make_mut(&mut slot.sdp).media.get_mut(place) else { return };
    let line = candidate
        .map_or(Attribute::EndOfCandidates, |candidate| Attribute::Candidate(candidate.clone().into()));
    if !media.attributes.contains(&line) && media.candidates().count() < MAX_CANDIDATES {
        media.attributes.push(line);
    }
}
