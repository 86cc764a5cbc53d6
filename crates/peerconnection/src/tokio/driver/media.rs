//! Media between handles and session.

use super::Driver;
use crate::{
    Error, MediaKind, TransceiverInit,
    tokio::{
        events::TrackEvent,
        track::{Feedback, Incoming, Outgoing, OutgoingMedia, REMOTE_QUEUE, Reader, RemoteTrack},
        transceiver::{RtpSender, RtpTransceiver},
    },
    transceiver::{TransceiverId, TransceiverSnapshot},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use tokio::sync::{mpsc, watch};

/// The driver's end of one transceiver.
pub(super) struct TransceiverSink {
    snapshot: watch::Sender<TransceiverSnapshot>,
    feedback: Arc<Feedback>,
    /// Set while the other side sends.
    remote: Option<RemoteSink>,
}

impl Drop for TransceiverSink {
    fn drop(&mut self) {
        self.feedback.ended.store(true, Ordering::Release);
        self.feedback.changed.notify_waiters();
    }
}

struct RemoteSink {
    incoming: mpsc::Sender<Incoming>,
    reader: Arc<Reader>,
}

impl Driver {
    pub(in crate::tokio) fn add_transceiver(
        &mut self,
        now: Instant,
        kind: MediaKind,
        init: TransceiverInit,
    ) -> Result<RtpTransceiver, Error> {
        let id = self.session.add_transceiver(now, kind, init)?;
        self.transceiver_handle(id).ok_or_else(Error::closed)
    }

    pub(in crate::tokio) fn add_track(
        &mut self,
        now: Instant,
        kind: MediaKind,
        init: TransceiverInit,
    ) -> Result<RtpSender, Error> {
        let id = self.session.add_track(now, kind, init)?;
        self.transceiver_handle(id).map(|transceiver| transceiver.sender()).ok_or_else(Error::closed)
    }

    pub(in crate::tokio) fn transceivers(&mut self) -> Vec<RtpTransceiver> {
        let ids: Vec<TransceiverId> = self.session.transceivers().map(|snapshot| snapshot.id).collect();
        ids.into_iter().filter_map(|id| self.transceiver_handle(id)).collect()
    }

    pub(super) fn transceiver_handle(&mut self, id: TransceiverId) -> Option<RtpTransceiver> {
        let current = self.session.transceiver(id)?;
        let kind = current.kind;
        let sink = self.transceivers.entry(id).or_insert_with(|| TransceiverSink {
            snapshot: watch::Sender::new(current),
            feedback: Arc::new(Feedback::default()),
            remote: None,
        });
        Some(RtpTransceiver {
            id,
            kind,
            link: self.link.clone(),
            snapshot: sink.snapshot.subscribe(),
            feedback: sink.feedback.clone(),
        })
    }

    /// Brings the handles of all transceivers up to date, after a negotiation.
    pub(super) fn update_transceivers(&mut self) {
        let Self { session, transceivers, .. } = self;
        transceivers.retain(|id, sink| {
            let Some(current) = session.transceiver(*id) else {
                // It is gone: its handles say "stopped", its remote track ends.
                sink.snapshot.send_modify(|snapshot| snapshot.stopped = true);
                return false;
            };
            if current.stopped || !current.current_direction.is_none_or(crate::Direction::receives) {
                sink.remote = None;
            }
            sink.snapshot.send_if_modified(|old| {
                let changed = *old != current;
                *old = current;
                changed
            });
            true
        });
    }

    pub(super) fn track_event(
        &mut self,
        id: TransceiverId,
        track: String,
        streams: Vec<String>,
    ) -> Option<TrackEvent> {
        let transceiver = self.transceiver_handle(id)?;
        let (incoming, receiver) = mpsc::channel(REMOTE_QUEUE);
        let reader = Arc::new(Reader { starved: AtomicBool::new(false), wake_driver: self.wake.clone() });
        let sink = self.transceivers.get_mut(&id)?;
        sink.remote = Some(RemoteSink { incoming, reader: reader.clone() });
        let track = RemoteTrack::new(id, transceiver.kind, track, self.link.clone(), receiver, reader);
        Some(TrackEvent { track, streams, transceiver })
    }

    pub(super) fn send_media(&mut self, now: Instant, outgoing: OutgoingMedia) {
        let OutgoingMedia { transceiver, media } = outgoing;
        let sent = match media {
            Outgoing::Frame(frame) => self.session.send_frame(now, transceiver, frame),
            Outgoing::Packet(packet) => self.session.send_packet(now, transceiver, packet),
        };
        if sent.is_err()
            && let Some(sink) = self.transceivers.get(&transceiver)
        {
            sink.feedback.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn key_frame_requested(&mut self, id: TransceiverId) {
        if let Some(sink) = self.transceivers.get(&id) {
            sink.feedback.key_frame_wanted.store(true, Ordering::Release);
            sink.feedback.changed.notify_waiters();
        }
    }

    /// Moves media to readers that have room. What is not moved stays in the session's ring, which drops the oldest.
    pub(super) fn deliver_media(&mut self) {
        let Self { session, transceivers, .. } = self;
        for (id, sink) in transceivers {
            let Some(remote) = &sink.remote else { continue };
            loop {
                let permit = match remote.incoming.try_reserve() {
                    Ok(permit) => permit,
                    Err(mpsc::error::TrySendError::Full(())) => {
                        remote.reader.starved.store(true, Ordering::Release);
                        // The reader may have read everything just before the mark was set.
                        if remote.incoming.capacity() == 0 {
                            break;
                        }
                        continue;
                    }
                    Err(mpsc::error::TrySendError::Closed(())) => break,
                };
                if let Some(frame) = session.recv_frame(*id) {
                    permit.send(Incoming::Frame(Box::new(frame)));
                } else if let Some(packet) = session.recv_packet(*id) {
                    permit.send(Incoming::Packet(Box::new(packet)));
                } else {
                    break;
                }
            }
        }
    }
}
