//! Directions of sections.

use sdp::{Attribute, MediaDescription};

use crate::transceiver::Direction;

pub(super) fn from_sdp(direction: sdp::Direction) -> Direction {
    Direction::from_halves(direction.sends(), direction.receives())
}

pub(super) fn to_sdp(direction: Direction) -> sdp::Direction {
    match direction {
        Direction::Inactive => sdp::Direction::Inactive,
        Direction::RecvOnly => sdp::Direction::Recvonly,
        Direction::SendOnly => sdp::Direction::Sendonly,
        Direction::SendRecv => sdp::Direction::Sendrecv,
    }
}

/// The direction of a section as its writer sees it; one of the session is the default (RFC 8866 §6.7).
pub(super) fn of(description: &sdp::Description, media: &MediaDescription) -> Direction {
    let session = || {
        description.attributes.iter().find_map(|attribute| {
            if let Attribute::Direction(direction) = attribute { Some(*direction) } else { None }
        })
    };
    from_sdp(media.direction().or_else(session).unwrap_or_default())
}
