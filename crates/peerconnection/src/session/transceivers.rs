//! Transceivers: what the application asks of them, before negotiation makes it real.

use super::{Session, hex};
use crate::{
    Error, ErrorKind,
    jsep::{ReceiverView, SenderView, TransceiverOrigin, TransceiverState, TransceiverView},
    transceiver::{Direction, MediaKind, TransceiverId, TransceiverInit, TransceiverSnapshot},
};
use ::media::{ReceiverId, SenderId};
use std::time::Instant;

/// A transceiver and the media streams behind it.
#[derive(Debug)]
pub(super) struct Transceiver {
    pub(super) view: TransceiverView,
    pub(super) sender: Option<SenderId>,
    pub(super) receiver: Option<ReceiverId>,
    pub(super) send_codec: Option<String>,
}

impl Transceiver {
    fn snapshot(&self) -> TransceiverSnapshot {
        TransceiverSnapshot {
            id: self.view.id,
            kind: self.view.kind,
            mid: self.view.mid.clone(),
            direction: self.view.direction,
            current_direction: self.view.current_direction,
            stopped: self.view.state != TransceiverState::Active,
            send_codec: self.send_codec.clone(),
        }
    }
}

impl Session {
    /// Adds a transceiver (W3C `addTransceiver`).
    ///
    /// # Errors
    /// `InvalidStateError` when the session is closed.
    pub fn add_transceiver(
        &mut self,
        now: Instant,
        kind: MediaKind,
        init: TransceiverInit,
    ) -> Result<TransceiverId, Error> {
        self.check_open(now)?;
        let id = self.create_transceiver(kind, TransceiverOrigin::AddTransceiver, init.direction);
        if let Some(transceiver) = self.transceiver_mut(id) {
            transceiver.view.sender.streams = init.streams;
            transceiver.view.sender.has_track = init.direction.sends();
        }
        self.update_negotiation_needed();
        Ok(id)
    }

    /// Adds something to send (W3C `addTrack`): reuses the first transceiver of the kind that has never sent.
    ///
    /// # Errors
    /// `InvalidStateError` when the session is closed.
    pub fn add_track(
        &mut self,
        now: Instant,
        kind: MediaKind,
        init: TransceiverInit,
    ) -> Result<TransceiverId, Error> {
        self.check_open(now)?;
        let free = |transceiver: &&mut Transceiver| {
            let view = &transceiver.view;
            view.kind == kind
                && view.state == TransceiverState::Active
                && !view.sender.has_track
                && transceiver.sender.is_none()
        };
        let id = match self.transceivers.iter_mut().find(free) {
            Some(transceiver) => {
                let receives = transceiver.view.direction.receives();
                transceiver.view.direction = Direction::from_halves(true, receives);
                transceiver.view.id
            }
            None => self.create_transceiver(kind, TransceiverOrigin::AddTrack, Direction::SendRecv),
        };
        if let Some(transceiver) = self.transceiver_mut(id) {
            transceiver.view.sender.streams = init.streams;
            transceiver.view.sender.has_track = true;
        }
        self.descriptions_changed = true;
        self.update_negotiation_needed();
        Ok(id)
    }

    /// Stops sending (W3C `removeTrack`). Unknown and stopped transceivers are left alone.
    ///
    /// # Errors
    /// `InvalidStateError` when the session is closed.
    pub fn remove_track(&mut self, now: Instant, id: TransceiverId) -> Result<(), Error> {
        self.check_open(now)?;
        if let Some(transceiver) = self.transceiver_mut(id)
            && transceiver.view.state == TransceiverState::Active
            && transceiver.view.sender.has_track
        {
            let view = &mut transceiver.view;
            view.sender.has_track = false;
            view.direction = Direction::from_halves(false, view.direction.receives());
            self.descriptions_changed = true;
            self.update_negotiation_needed();
        }
        Ok(())
    }

    /// Sets the direction wanted (W3C `direction`).
    ///
    /// # Errors
    /// `InvalidStateError` when the transceiver is stopped or the session closed.
    pub fn set_direction(
        &mut self,
        now: Instant,
        id: TransceiverId,
        direction: Direction,
    ) -> Result<(), Error> {
        self.check_open(now)?;
        let transceiver = self.active_transceiver(id)?;
        transceiver.view.direction = direction;
        // Every sender of ours has its track: wanting to send is what attaches it.
        transceiver.view.sender.has_track |= direction.sends();
        self.descriptions_changed = true;
        self.update_negotiation_needed();
        Ok(())
    }

    /// Ends a transceiver (W3C `stop`): media ends now, the m= section is rejected with the next negotiation.
    ///
    /// # Errors
    /// `InvalidStateError` when the session is closed.
    pub fn stop_transceiver(&mut self, now: Instant, id: TransceiverId) -> Result<(), Error> {
        self.check_open(now)?;
        let Some(transceiver) = self.transceiver_mut(id) else { return Ok(()) };
        if transceiver.view.state == TransceiverState::Active {
            transceiver.view.state = TransceiverState::Stopping;
            transceiver.view.direction = Direction::Inactive;
            self.remove_streams(id);
            self.descriptions_changed = true;
            self.update_negotiation_needed();
        }
        Ok(())
    }

    /// Sets the codecs to negotiate by name, the most preferred first; an empty list resets (W3C
    /// `setCodecPreferences`).
    ///
    /// # Errors
    /// `InvalidModificationError` for a codec that is not supported, `InvalidStateError` when the transceiver is stopped
    /// or the session closed.
    pub fn set_codec_preferences(
        &mut self,
        now: Instant,
        id: TransceiverId,
        names: Vec<String>,
    ) -> Result<(), Error> {
        self.check_open(now)?;
        let kind = self.active_transceiver(id)?.view.kind;
        let supported = match kind {
            MediaKind::Audio => &self.codecs.audio,
            MediaKind::Video => &self.codecs.video,
        };
        let mut preferences = Vec::new();
        for name in names {
            let before = preferences.len();
            let same = supported.iter().filter(|entry| entry.codec.name.eq_ignore_ascii_case(&name));
            preferences.extend(same.map(|entry| entry.codec.clone()));
            if preferences.len() == before {
                let known: Vec<&str> = supported.iter().map(|entry| entry.codec.name.as_str()).collect();
                return Err(Error::new(
                    ErrorKind::InvalidModificationError,
                    format!("{name:?} is not a supported {kind} codec; there are {}", known.join(", ")),
                ));
            }
        }
        self.active_transceiver(id)?.view.codec_preferences = preferences;
        Ok(())
    }

    /// All transceivers, in the order of their making.
    pub fn transceivers(&self) -> impl Iterator<Item = TransceiverSnapshot> + '_ {
        self.transceivers.iter().map(Transceiver::snapshot)
    }

    /// One transceiver as it stands; `None` when it is gone.
    #[must_use]
    pub fn transceiver(&self, id: TransceiverId) -> Option<TransceiverSnapshot> {
        self.transceivers.iter().find(|transceiver| transceiver.view.id == id).map(Transceiver::snapshot)
    }

    pub(super) fn transceiver_mut(&mut self, id: TransceiverId) -> Option<&mut Transceiver> {
        self.transceivers.iter_mut().find(|transceiver| transceiver.view.id == id)
    }

    /// Makes a transceiver with the identifiers of what it will send.
    pub(super) fn create_transceiver(
        &mut self,
        kind: MediaKind,
        origin: TransceiverOrigin,
        direction: Direction,
    ) -> TransceiverId {
        let id = TransceiverId(self.next_transceiver);
        self.next_transceiver = self.next_transceiver.saturating_add(1);
        let mut view = TransceiverView::new(id, kind, origin, direction);
        view.sender = self.new_sender_view(kind);
        view.receiver = ReceiverView::default();
        self.transceivers.push(Transceiver { view, sender: None, receiver: None, send_codec: None });
        id
    }

    /// Track name and SSRCs of a new sender. SSRCs are unique within the session (RFC 3550 §8).
    fn new_sender_view(&mut self, kind: MediaKind) -> SenderView {
        let ssrc = self.fresh_ssrc(None);
        let rtx_ssrc = (kind == MediaKind::Video).then(|| self.fresh_ssrc(Some(ssrc)));
        SenderView {
            streams: Vec::new(),
            track_id: Some(hex(&self.rng.bytes::<8>())),
            has_track: false,
            ssrc,
            rtx_ssrc,
            cname: self.cname.clone(),
        }
    }

    fn fresh_ssrc(&mut self, besides: Option<u32>) -> u32 {
        loop {
            let ssrc = self.rng.u32();
            let taken = self.transceivers.iter().any(|transceiver| {
                let sender = &transceiver.view.sender;
                sender.ssrc == ssrc || sender.rtx_ssrc == Some(ssrc)
            });
            if ssrc != 0 && !taken && besides != Some(ssrc) {
                return ssrc;
            }
        }
    }

    fn active_transceiver(&mut self, id: TransceiverId) -> Result<&mut Transceiver, Error> {
        self.transceiver_mut(id)
            .filter(|transceiver| transceiver.view.state == TransceiverState::Active)
            .ok_or_else(|| Error::new(ErrorKind::InvalidStateError, "the transceiver is stopped"))
    }

    pub(super) fn check_open(&mut self, now: Instant) -> Result<(), Error> {
        self.advance(now);
        if self.is_closing() { Err(Error::closed()) } else { Ok(()) }
    }
}
