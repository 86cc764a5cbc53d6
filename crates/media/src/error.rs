//! Why a verb refused. Each error gives back what it was handed.

use std::fmt;

use crate::frame::{EncodedFrame, PacketToSend};

macro_rules! send_error {
    ($(#[$doc:meta])* $name:ident, $item:ident, $into:ident, {$($(#[$vdoc:meta])* $variant:ident => $text:literal,)*}) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$vdoc])* $variant($item),)*
        }

        impl $name {
            /// What was to be sent.
            #[must_use]
            pub fn $into(self) -> $item {
                match self {
                    $(Self::$variant(item) => item,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$variant(_) => $text,)*
                })
            }
        }

        impl std::error::Error for $name {}
    };
}

send_error!(
    /// Why a frame was not taken.
    SendFrameError, EncodedFrame, into_frame, {
        /// The queue of this sender is full: poll packets, then try again, or drop the frame.
        Full => "the send queue is full",
        /// The frame is empty, or not of the sender's format.
        Malformed => "the frame is empty or not of the sender's format",
        /// The frame cannot be cut into packets of the size allowed: single NAL mode with a large NAL unit.
        TooLarge => "the frame does not fit the packet size in this mode",
        /// No such sender: removed, or never there, or the engine is closed.
        UnknownSender => "there is no such sender",
        /// The sender's format has no packetizer here: send packets instead.
        Unsupported => "the format has no packetizer in this build",
    }
);

send_error!(
    /// Why a packet was not taken.
    SendPacketError, PacketToSend, into_packet, {
        /// The queue of this sender is full: poll packets, then try again, or drop the packet.
        Full => "the send queue is full",
        /// With its header it would exceed the largest packet that may be forwarded.
        TooLarge => "the packet is too large",
        /// No such sender: removed, or never there, or the engine is closed.
        UnknownSender => "there is no such sender",
    }
);
