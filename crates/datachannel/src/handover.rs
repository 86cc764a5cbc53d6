//! Channels that go on in another process: their whole state as a value, and the value as bytes.
//!
//! ```text
//! +-----------------------------------------------------------------+
//! |                          "PLDC"                                 |
//! +--------------------------------+--------------------------------+
//! |        format, now 1           |                                |
//! +--------------------------------+  channels, events, counters    |
//! |    each behind its number (16 bits) and its length (64 bits)    |
//! +-----------------------------------------------------------------+
//! |           the association, as it writes itself                  |
//! ```

pub(crate) mod wire;

use crate::channels::{Channels, ChannelsSnapshot};
use crate::event::EventSnapshot;
use crate::stats::CountersSnapshot;
use sctp::HandoverParseError;
use std::fmt;
use wire::{Contradiction, Malformed, Wire, split};

const MAGIC: [u8; 4] = *b"PLDC";
const VERSION: u16 = 1;
const ASSOCIATION: u16 = 4;

/// The state of all channels, and of the association below them, on the way to another process: see
/// [`Channels::hand_over`] and [`Channels::resume`].
///
/// Its [bytes](Self::to_bytes) are as secret as what the channels carry: see [`sctp::Handover`].
pub struct Handover {
    pub(crate) channels: ChannelsSnapshot,
    pub(crate) events: Vec<EventSnapshot>,
    pub(crate) counters: CountersSnapshot,
    pub(crate) association: sctp::Handover,
}

impl Handover {
    /// Appends the bytes: the same for the same state.
    pub fn to_bytes(&self, out: &mut Vec<u8>) {
        let Self { channels, events, counters, association } = self;
        out.extend_from_slice(&MAGIC);
        VERSION.put(out);
        put_section(out, 1, |out| channels.put(out));
        put_section(out, 2, |out| events.put(out));
        put_section(out, 3, |out| counters.put(out));
        put_section(out, ASSOCIATION, |out| association.to_bytes(out));
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, to the last byte. Bytes from elsewhere are no danger: what is made
    /// of them takes memory in proportion to their length, and works, or is an error.
    ///
    /// # Errors
    /// See [`HandoverParseError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HandoverParseError> {
        let Some(mut bytes) = bytes.strip_prefix(&MAGIC) else {
            return Err(HandoverParseError::NoHandover);
        };
        let malformed = |Malformed| HandoverParseError::Malformed;
        let version = u16::take(&mut bytes).map_err(malformed)?;
        if version != VERSION {
            return Err(HandoverParseError::UnknownVersion { version });
        }
        let channels: ChannelsSnapshot = take_section(&mut bytes, 1).map_err(malformed)?;
        let events = take_section(&mut bytes, 2).map_err(malformed)?;
        let counters: CountersSnapshot = take_section(&mut bytes, 3).map_err(malformed)?;
        let association = section(&mut bytes, ASSOCIATION).map_err(malformed)?;
        if !bytes.is_empty() {
            return Err(HandoverParseError::Malformed);
        }
        let contradiction = |Contradiction(what)| HandoverParseError::Contradiction { what };
        channels.check().map_err(contradiction)?;
        counters.check().map_err(contradiction)?;
        let association = sctp::Handover::from_bytes(association)?;
        Ok(Self { channels, events, counters, association })
    }
}

fn put_section(out: &mut Vec<u8>, id: u16, put: impl FnOnce(&mut Vec<u8>)) {
    id.put(out);
    let at = out.len();
    0_u64.put(out);
    let start = out.len();
    put(out);
    let len = (out.len() - start) as u64;
    if let Some(field) = out.get_mut(at..start) {
        field.copy_from_slice(&len.to_be_bytes());
    }
}

fn section<'a>(bytes: &mut &'a [u8], id: u16) -> Result<&'a [u8], Malformed> {
    if u16::take(bytes)? != id {
        return Err(Malformed);
    }
    let len = usize::take(bytes)?;
    split(bytes, len)
}

fn take_section<T: Wire>(bytes: &mut &[u8], id: u16) -> Result<T, Malformed> {
    let mut body = section(bytes, id)?;
    let section = T::take(&mut body)?;
    if body.is_empty() { Ok(section) } else { Err(Malformed) }
}

impl fmt::Debug for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handover").finish_non_exhaustive()
    }
}

/// Channels were not handed over. They come back as they were.
#[derive(Debug)]
#[non_exhaustive]
pub enum HandoverError {
    /// The association is not established. What there is of it is cheaper to make anew.
    NotConnected(Box<Channels>),
    /// The association is over.
    Over(Box<Channels>),
}

impl HandoverError {
    /// The channels.
    #[must_use]
    pub fn into_channels(self) -> Channels {
        match self {
            Self::NotConnected(channels) | Self::Over(channels) => *channels,
        }
    }
}

impl fmt::Display for HandoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected(_) => "the association is not established",
            Self::Over(_) => "the association is over",
        })
    }
}

impl std::error::Error for HandoverError {}
