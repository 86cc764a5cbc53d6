//! What a session reports.

use crate::{
    ChannelKey, DataChannelEnd, DataChannelInit, IceCandidateInit, IceConnectionState, IceGatheringState,
    PeerConnectionState, SignalingState, TransceiverId,
};
use datachannel::MessageId;
use std::net::{IpAddr, SocketAddr};

/// Something happened. States are read from the session; the event says that they changed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionEvent {
    /// The connection as a whole changed state.
    ConnectionStateChange(PeerConnectionState),
    /// A data channel is closed, and why. What it received before can still be read.
    DataChannelClosed {
        /// The channel.
        channel: ChannelKey,
        /// The reason.
        end: DataChannelEnd,
    },
    /// The peer opened a data channel; it is open already.
    DataChannel(AnnouncedChannel),
    /// Messages wait in a data channel.
    DataChannelReadable(ChannelKey),
    /// A data channel changed state, got its id, or its size limit.
    DataChannelStateChange(ChannelKey),
    /// A local candidate for the other side; empty text when there are no more of this generation.
    IceCandidate(IceCandidateInit),
    /// A STUN or TURN server did not answer or refused.
    IceCandidateError(IceCandidateError),
    /// ICE changed state.
    IceConnectionStateChange(IceConnectionState),
    /// Gathering changed state.
    IceGatheringStateChange(IceGatheringState),
    /// The peer needs a key frame of what this transceiver sends.
    KeyFrameRequested(TransceiverId),
    /// A message sent with [`Session::send_tracked`](crate::Session::send_tracked) was given up: its lifetime or its
    /// retransmissions are used up, or the association ended first.
    MessageAbandoned(MessageId),
    /// A message sent with [`Session::send_tracked`](crate::Session::send_tracked) was acknowledged by the peer.
    MessageDelivered(MessageId),
    /// Something changed that needs a new offer and answer.
    NegotiationNeeded,
    /// A `.local` name of ours is to be answered for on the local network.
    Publish {
        /// The name.
        name: String,
        /// What it stands for.
        address: IpAddr,
    },
    /// A `.local` name of ours is no longer to be answered for.
    Withdraw {
        /// The name.
        name: String,
    },
    /// A `.local` name of the peer is to be resolved; answer with [`crate::Session::resolved`].
    Resolve {
        /// The name.
        name: String,
    },
    /// Another pair of candidates carries the connection now.
    SelectedCandidatePairChange(SelectedCandidatePair),
    /// Offer and answer changed state.
    SignalingStateChange(SignalingState),
    /// The peer sends media through this transceiver.
    Track {
        /// The transceiver.
        transceiver: TransceiverId,
        /// The track's name in the peer's description, may be empty.
        track: String,
        /// The names of the streams it belongs to.
        streams: Vec<String>,
    },
}

/// A data channel that the peer opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnnouncedChannel {
    /// The channel.
    pub channel: ChannelKey,
    /// Its label.
    pub label: String,
    /// Order, reliability and subprotocol, as the peer chose them.
    pub init: DataChannelInit,
}

/// A server that gave no candidate (W3C `RTCPeerConnectionIceErrorEvent`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IceCandidateError {
    /// The server.
    pub url: String,
    /// The socket it was asked from.
    pub local: Option<SocketAddr>,
    /// The STUN error code, or 701 when the server could not be reached.
    pub error_code: u16,
    /// What the server said, or a description.
    pub error_text: String,
}

/// The pair of candidates that carries the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SelectedCandidatePair {
    /// Our candidate, as the text of a candidate attribute.
    pub local: String,
    /// The peer's candidate, as the text of a candidate attribute.
    pub remote: String,
}
