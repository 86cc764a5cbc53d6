//! What happens on a connection, as a stream with one reader.

use super::{
    data_channel::DataChannel,
    track::RemoteTrack,
    transceiver::{RtpReceiver, RtpTransceiver},
};
use crate::{
    IceCandidateError, IceCandidateInit, IceConnectionState, IceGatheringState, PeerConnectionState,
    SelectedCandidatePair, SignalingState,
};
use futures_util::Stream;
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use tokio::sync::mpsc;

/// Events that wait for their reader; beyond it new ones are dropped. States are never lost that way: they are read
/// from the connection.
pub(super) const EVENT_QUEUE: usize = 1_024;

/// Something that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The connection as a whole changed state.
    ConnectionStateChange(PeerConnectionState),
    /// The other side opened a data channel; it is open already.
    DataChannel(DataChannel),
    /// A local candidate for the other side; empty text when there are no more of this generation.
    IceCandidate(IceCandidateInit),
    /// A STUN or TURN server did not answer or refused.
    IceCandidateError(IceCandidateError),
    /// ICE changed state.
    IceConnectionStateChange(IceConnectionState),
    /// Gathering changed state.
    IceGatheringStateChange(IceGatheringState),
    /// Something changed that needs a new offer and answer to take effect.
    NegotiationNeeded,
    /// Another pair of candidates carries the connection now.
    SelectedCandidatePairChange(SelectedCandidatePair),
    /// Offer and answer changed state.
    SignalingStateChange(SignalingState),
    /// The other side sends media.
    Track(TrackEvent),
}

/// A remote track and where it belongs (W3C `RTCTrackEvent`).
#[derive(Debug)]
#[non_exhaustive]
pub struct TrackEvent {
    /// The media.
    pub track: RemoteTrack,
    /// The names of the media streams it belongs to.
    pub streams: Vec<String>,
    /// The transceiver it came with.
    pub transceiver: RtpTransceiver,
}

impl TrackEvent {
    /// The receiving half of the transceiver.
    #[must_use]
    pub fn receiver(&self) -> RtpReceiver {
        self.transceiver.receiver()
    }
}

/// The one reader of a connection's events. Dropping it discards them.
#[derive(Debug)]
pub struct Events {
    pub(super) receiver: mpsc::Receiver<Event>,
}

impl Events {
    /// The next event; `None` after the connection has ended.
    ///
    /// Cancellation: no event is lost.
    pub async fn next(&mut self) -> Option<Event> {
        self.receiver.recv().await
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.receiver.poll_recv(cx)
    }
}
