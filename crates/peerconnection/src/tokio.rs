//! The asynchronous API: a connection is one task, and handles that talk to it.

mod builder;
mod byte_stream;
mod command;
mod data_channel;
mod driver;
mod events;
mod interfaces;
mod mdns;
#[cfg(feature = "futures")]
mod message_stream;
mod mux;
mod peer_connection;
mod resolve;
mod track;
mod transceiver;
#[cfg(feature = "turn-server")]
mod turn_server;
mod udp;

pub use builder::PeerConnectionBuilder;
pub use byte_stream::{ByteStream, ByteStreamError};
pub use data_channel::{
    DataChannel, DataChannelReceiver, DataChannelSender, Message, MessageFate, MessageGivenUp, MessageReader,
    MessageWriteError, MessageWriter, Receipt, SendError,
};
pub use events::{Event, Events, TrackEvent};
pub use interfaces::Loopback;
#[cfg(feature = "futures")]
pub use message_stream::{MessageStream, MessageStreamError};
pub use mux::UdpMux;
pub use peer_connection::PeerConnection;
pub use track::{LocalTrack, RemoteTrack, WriteError};
pub use transceiver::{RtpReceiver, RtpSender, RtpTransceiver};
#[cfg(feature = "turn-server")]
pub use turn_server::{TurnServer, TurnServerBuilder};
