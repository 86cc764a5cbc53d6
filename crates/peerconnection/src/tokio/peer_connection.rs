//! The connection as an asynchronous handle.

use super::{
    command::Link,
    data_channel::DataChannel,
    transceiver::{RtpSender, RtpTransceiver},
};
use crate::{
    AnswerOptions, Configuration, DataChannelInit, Description, Descriptions, Error, ErrorKind,
    IceCandidateInit, IceConnectionState, IceGatheringState, IceServer, MediaKind, OfferOptions,
    PeerConnectionState, SignalingState, StatsReport, TransceiverInit,
};
use std::sync::{Arc, OnceLock};
use tokio::sync::{oneshot, watch};

/// The states and descriptions of a connection at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Snapshot {
    pub(super) connection: PeerConnectionState,
    pub(super) ice_connection: IceConnectionState,
    pub(super) ice_gathering: IceGatheringState,
    pub(super) signaling: SignalingState,
    pub(super) descriptions: Arc<Descriptions>,
}

/// A connection to one peer (W3C `RTCPeerConnection`).
///
/// Clones are handles to the same connection. It ends with [`PeerConnection::close`], or when the last handle is
/// dropped; data channels and tracks do not keep it open.
#[derive(Clone, Debug)]
pub struct PeerConnection {
    link: Link,
    snapshot: watch::Receiver<Snapshot>,
    /// Set when the connection ends.
    last_stats: Arc<OnceLock<StatsReport>>,
    _owner: Arc<Owner>,
}

/// Dropped with the last handle, which the driver notices.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) _alive: oneshot::Sender<()>,
}

impl PeerConnection {
    pub(super) fn new(
        link: Link,
        snapshot: watch::Receiver<Snapshot>,
        last_stats: Arc<OnceLock<StatsReport>>,
        owner: Owner,
    ) -> Self {
        Self { link, snapshot, last_stats, _owner: Arc::new(owner) }
    }

    /// Starts making a connection.
    #[must_use]
    pub fn builder() -> super::PeerConnectionBuilder {
        super::PeerConnectionBuilder::new()
    }

    /// Makes an offer from what was added so far (RFC 9429 §5.2). Changes nothing.
    ///
    /// # Errors
    /// `InvalidStateError` when the connection is closed or an offer cannot be made in this signaling state.
    pub async fn create_offer(&self, options: OfferOptions) -> Result<Description, Error> {
        self.link.call(move |driver, now| driver.session.create_offer(now, &options)).await?
    }

    /// Makes an answer to the remote offer (RFC 9429 §5.3). Changes nothing.
    ///
    /// # Errors
    /// `InvalidStateError` when there is no remote offer to answer.
    pub async fn create_answer(&self, options: AnswerOptions) -> Result<Description, Error> {
        self.link.call(move |driver, now| driver.session.create_answer(now, &options)).await?
    }

    /// Puts a description from [`PeerConnection::create_offer`] or [`PeerConnection::create_answer`] in place, or, with
    /// `None`, the one that fits the signaling state. Gathering starts here.
    ///
    /// Cancellation: once queued it takes effect as a whole.
    ///
    /// # Errors
    /// `InvalidStateError` for the wrong signaling state, `InvalidModificationError` for a text that was altered. A
    /// refused description changes nothing.
    pub async fn set_local_description(
        &self,
        description: impl Into<Option<Description>>,
    ) -> Result<(), Error> {
        let description = description.into();
        self.link.call(move |driver, now| driver.session.set_local_description(now, description)).await?
    }

    /// Takes the other side's description.
    ///
    /// Cancellation: once queued it takes effect as a whole.
    ///
    /// # Errors
    /// `InvalidStateError` for the wrong signaling state, `SyntaxError` for text that is not SDP,
    /// `InvalidAccessError` for a description that cannot be used. A refused description changes nothing.
    pub async fn set_remote_description(&self, description: Description) -> Result<(), Error> {
        self.link.call(move |driver, now| driver.session.set_remote_description(now, description)).await?
    }

    /// Takes a candidate of the other side; `None`, or one with empty text, ends its candidates.
    ///
    /// # Errors
    /// `InvalidStateError` without a remote description, `OperationError` for text that is not a candidate or belongs
    /// to no m= section.
    pub async fn add_ice_candidate(
        &self,
        candidate: impl Into<Option<IceCandidateInit>>,
    ) -> Result<(), Error> {
        let candidate = candidate.into().unwrap_or_default();
        self.link.call(move |driver, now| driver.session.add_ice_candidate(now, &candidate)).await?
    }

    /// Makes a data channel. Messages sent before it is open are queued.
    ///
    /// # Errors
    /// `TypeError` for a label or protocol over 65,535 bytes, `OperationError` for an id in use or none left.
    pub async fn create_data_channel(
        &self,
        label: impl Into<String>,
        init: DataChannelInit,
    ) -> Result<DataChannel, Error> {
        let label = label.into();
        self.link.call(move |driver, now| driver.create_data_channel(now, label, init)).await?
    }

    /// Adds a transceiver (W3C `addTransceiver`).
    ///
    /// # Errors
    /// `InvalidStateError` when the connection is closed.
    pub async fn add_transceiver(
        &self,
        kind: MediaKind,
        init: TransceiverInit,
    ) -> Result<RtpTransceiver, Error> {
        self.link.call(move |driver, now| driver.add_transceiver(now, kind, init)).await?
    }

    /// Adds something to send, reusing a transceiver the other side made if one is free (W3C `addTrack`).
    ///
    /// # Errors
    /// `InvalidStateError` when the connection is closed.
    pub async fn add_track(&self, kind: MediaKind, init: TransceiverInit) -> Result<RtpSender, Error> {
        self.link.call(move |driver, now| driver.add_track(now, kind, init)).await?
    }

    /// Stops sending; the transceiver stays and may go on receiving (W3C `removeTrack`).
    ///
    /// # Errors
    /// `InvalidAccessError` for a sender of another connection, `InvalidStateError` when the connection is closed.
    pub async fn remove_track(&self, sender: &RtpSender) -> Result<(), Error> {
        if !sender.transceiver.link.commands.same_channel(&self.link.commands) {
            return Err(Error::new(
                ErrorKind::InvalidAccessError,
                "the sender belongs to another connection",
            ));
        }
        let id = sender.transceiver.id;
        self.link.call(move |driver, now| driver.session.remove_track(now, id)).await?
    }

    /// All transceivers that are not stopped, in the order of their making.
    ///
    /// # Errors
    /// `InvalidStateError` when the connection is closed.
    pub async fn transceivers(&self) -> Result<Vec<RtpTransceiver>, Error> {
        self.link.call(|driver, _| driver.transceivers()).await
    }

    /// Asks for an ICE restart with the next offer (W3C `restartIce`).
    ///
    /// # Errors
    /// `InvalidStateError` when the connection is closed.
    pub async fn restart_ice(&self) -> Result<(), Error> {
        self.link.call(|driver, now| driver.session.restart_ice(now)).await
    }

    /// Replaces the ICE servers; used from the next gathering on, that is after an ICE restart.
    ///
    /// # Errors
    /// `InvalidStateError` when the connection is closed.
    pub async fn set_ice_servers(&self, servers: Vec<IceServer>) -> Result<(), Error> {
        let resolved = super::resolve::servers(&servers).await;
        self.link.call(move |driver, now| driver.session.set_ice_servers(now, servers, resolved)).await
    }

    /// The configuration in force.
    ///
    /// # Errors
    /// `InvalidStateError` when the connection is closed.
    pub async fn configuration(&self) -> Result<Configuration, Error> {
        self.link.call(|driver, _| driver.session.configuration().clone()).await
    }

    /// Counters and facts of every part (W3C `getStats`). After the end, what they were at the end.
    ///
    /// # Errors
    /// `InvalidStateError` when the connection ended without having counted: its runtime was shut down.
    pub async fn stats(&self) -> Result<StatsReport, Error> {
        match self.link.call(|driver, _| driver.session.stats()).await {
            Ok(stats) => Ok(stats),
            Err(closed) => {
                self.closed().await;
                self.last_stats.get().cloned().ok_or(closed)
            }
        }
    }

    /// Ends the connection: tells the peer, closes every channel, track and socket. Returns when all is given back.
    /// A second call returns at once.
    ///
    /// Cancellation: the connection still closes.
    pub async fn close(&self) {
        // Refused when it is closed already; then only the end is to be waited for.
        let _ = self.link.call(|driver, now| driver.close(now)).await;
        self.closed().await;
    }

    /// Waits until the connection has ended, for whatever reason.
    pub async fn closed(&self) {
        let mut snapshot = self.snapshot.clone();
        // The sender goes when the driver has dropped everything else.
        while snapshot.changed().await.is_ok() {}
    }

    /// Waits until ICE and DTLS are up.
    ///
    /// # Errors
    /// `OperationError` when the connection fails, `InvalidStateError` when it is closed.
    pub async fn connected(&self) -> Result<(), Error> {
        let mut snapshot = self.snapshot.clone();
        let settled = |state: &Snapshot| {
            matches!(
                state.connection,
                PeerConnectionState::Connected | PeerConnectionState::Failed | PeerConnectionState::Closed
            )
        };
        let state = snapshot.wait_for(settled).await.map_err(|_| Error::closed())?.connection;
        match state {
            PeerConnectionState::Connected => Ok(()),
            PeerConnectionState::Failed => Err(Error::new(
                ErrorKind::OperationError,
                "no path to the peer could be found, or its certificate did not match; `stats()` tells which",
            )),
            PeerConnectionState::New
            | PeerConnectionState::Connecting
            | PeerConnectionState::Disconnected
            | PeerConnectionState::Closed => Err(Error::closed()),
        }
    }

    /// Waits until the connection state is one that `test` accepts. The last state there will be is `Closed`.
    pub async fn wait_for(&self, mut test: impl FnMut(PeerConnectionState) -> bool) {
        let mut snapshot = self.snapshot.clone();
        // An error means that the driver has ended, and with it all change.
        let _ = snapshot.wait_for(|state| test(state.connection)).await;
    }

    /// Waits until all candidates are in the local description, for signalling without trickle.
    ///
    /// # Errors
    /// `InvalidStateError` when the connection is closed.
    pub async fn gathering_complete(&self) -> Result<(), Error> {
        let mut snapshot = self.snapshot.clone();
        let complete = |state: &Snapshot| state.ice_gathering == IceGatheringState::Complete;
        snapshot.wait_for(complete).await.map(drop).map_err(|_| Error::closed())
    }

    /// How the connection is doing.
    #[must_use]
    pub fn connection_state(&self) -> PeerConnectionState {
        self.latest(PeerConnectionState::Closed, |state| state.connection)
    }

    /// How ICE is doing.
    #[must_use]
    pub fn ice_connection_state(&self) -> IceConnectionState {
        self.latest(IceConnectionState::Closed, |state| state.ice_connection)
    }

    /// How gathering is doing.
    #[must_use]
    pub fn ice_gathering_state(&self) -> IceGatheringState {
        self.snapshot.borrow().ice_gathering
    }

    /// How offer and answer stand.
    #[must_use]
    pub fn signaling_state(&self) -> SignalingState {
        self.latest(SignalingState::Closed, |state| state.signaling)
    }

    /// The local description, pending or current, with the candidates gathered so far.
    #[must_use]
    pub fn local_description(&self) -> Option<Description> {
        self.pending_local_description().or_else(|| self.current_local_description())
    }

    /// The remote description, pending or current.
    #[must_use]
    pub fn remote_description(&self) -> Option<Description> {
        self.pending_remote_description().or_else(|| self.current_remote_description())
    }

    /// The local description agreed on last.
    #[must_use]
    pub fn current_local_description(&self) -> Option<Description> {
        self.snapshot.borrow().descriptions.current_local.clone()
    }

    /// The local description under negotiation.
    #[must_use]
    pub fn pending_local_description(&self) -> Option<Description> {
        self.snapshot.borrow().descriptions.pending_local.clone()
    }

    /// The remote description agreed on last.
    #[must_use]
    pub fn current_remote_description(&self) -> Option<Description> {
        self.snapshot.borrow().descriptions.current_remote.clone()
    }

    /// The remote description under negotiation.
    #[must_use]
    pub fn pending_remote_description(&self) -> Option<Description> {
        self.snapshot.borrow().descriptions.pending_remote.clone()
    }

    /// Whether the other side takes candidates one by one; `None` before its first description.
    #[must_use]
    pub fn can_trickle_ice_candidates(&self) -> Option<bool> {
        self.snapshot.borrow().descriptions.can_trickle
    }

    /// A state that never lags behind the end of the driver.
    fn latest<S>(&self, closed: S, read: impl FnOnce(&Snapshot) -> S) -> S {
        if self.snapshot.has_changed().is_err() { closed } else { read(&self.snapshot.borrow()) }
    }
}

#[cfg(test)]
mod tests;
