//! An association that goes on in another process: its whole state as a value, and the value as bytes.
//!
//! ```text
//! +-----------------------------------------------------------------+
//! |                          "PLSA"                                 |
//! +--------------------------------+--------------------------------+
//! |        format, now 1           |
//! +--------------------------------+--------------------------------+
//! |        section, 1 to 7         |                                |
//! +--------------------------------+      bytes that follow         |
//! |                        (64 bits)                                |
//! +                                +--------------------------------+
//! |                                |       fields ...               |
//! ```
//!
//! All numbers are big-endian. Sections come once each, in order. What a section holds is the `Snapshot` next to the
//! state it is taken from, its fields in the order of `wire_struct!`; a change there is a new format.
//!
//! Times cross as what is left of them, or as how long ago they were. Everything that can be counted from something
//! else is not in the bytes, so that it cannot contradict it; the rest is checked (`check`) before anything is made of it.

mod error;
pub(crate) mod wire;

pub use error::{HandoverError, HandoverParseError, ResumeError};

use crate::association::IdentitySnapshot;
use crate::event::EventSnapshot;
use crate::pmtu::PathSnapshot;
use crate::procedure::reset::ResetsSnapshot;
use crate::rx::ReceiverSnapshot;
use crate::stats::CountersSnapshot;
use crate::tx::SenderSnapshot;
use base::{PutExt, Reader};
use std::fmt;
use wire::{Contradiction, Malformed, Wire};

const MAGIC: [u8; 4] = *b"PLSA";
const VERSION: u16 = 1;

/// The state of an association on its way to another process: see [`Association::hand_over`](crate::Association::hand_over) and
/// [`Association::resume`](crate::Association::resume).
///
/// Its [bytes](Self::to_bytes) hold user data, verification tags and the key of state cookies: they are as secret as
/// what the association carries, and whoever can change them can change that. They belong on the same side of DTLS as
/// the keys of the DTLS connection, which have to move along.
pub struct Handover {
    pub(crate) identity: IdentitySnapshot,
    pub(crate) sender: SenderSnapshot,
    pub(crate) receiver: ReceiverSnapshot,
    pub(crate) resets: ResetsSnapshot,
    pub(crate) path: PathSnapshot,
    pub(crate) events: Vec<EventSnapshot>,
    pub(crate) counters: CountersSnapshot,
}

impl Handover {
    /// Appends the bytes: the same for the same state.
    pub fn to_bytes(&self, out: &mut Vec<u8>) {
        let Self { identity, sender, receiver, resets, path, events, counters } = self;
        out.put_slice(&MAGIC);
        out.put_u16(VERSION);
        put_section(out, 1, identity);
        put_section(out, 2, sender);
        put_section(out, 3, receiver);
        put_section(out, 4, resets);
        put_section(out, 5, path);
        put_section(out, 6, events);
        put_section(out, 7, counters);
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, to the last byte. Bytes from elsewhere are no danger: what is made
    /// of them takes memory in proportion to their length, and is an association that works, or an error.
    ///
    /// # Errors
    /// See [`HandoverParseError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HandoverParseError> {
        let mut reader = Reader::new(bytes);
        if reader.take(MAGIC.len()) != Ok(&MAGIC[..]) {
            return Err(HandoverParseError::NoHandover);
        }
        let version = reader.u16().map_err(|_| HandoverParseError::Malformed)?;
        if version != VERSION {
            return Err(HandoverParseError::UnknownVersion { version });
        }
        let handover = Self::take(&mut reader).map_err(|Malformed| HandoverParseError::Malformed)?;
        handover.check().map_err(|Contradiction(what)| HandoverParseError::Contradiction { what })?;
        Ok(handover)
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let handover = Self {
            identity: take_section(reader, 1)?,
            sender: take_section(reader, 2)?,
            receiver: take_section(reader, 3)?,
            resets: take_section(reader, 4)?,
            path: take_section(reader, 5)?,
            events: take_section(reader, 6)?,
            counters: take_section(reader, 7)?,
        };
        if reader.is_empty() { Ok(handover) } else { Err(Malformed) }
    }

    fn check(&self) -> Result<(), Contradiction> {
        let Self { identity, sender, receiver, resets, path, events: _, counters } = self;
        identity.check()?;
        let peer = identity.peer();
        sender.check(&peer)?;
        receiver.check(&peer)?;
        resets.check(&peer, sender.requested())?;
        path.check()?;
        counters.check()
    }
}

fn put_section(out: &mut Vec<u8>, id: u16, section: &impl Wire) {
    out.put_u16(id);
    let at = out.len();
    out.put_u64(0);
    let start = out.len();
    section.put(out);
    let len = (out.len() - start) as u64;
    if let Some(field) = out.get_mut(at..start) {
        field.copy_from_slice(&len.to_be_bytes());
    }
}

fn take_section<T: Wire>(reader: &mut Reader<'_>, id: u16) -> Result<T, Malformed> {
    if reader.u16()? != id {
        return Err(Malformed);
    }
    let len = usize::take(reader)?;
    let mut body = Reader::new(reader.take(len)?);
    let section = T::take(&mut body)?;
    if body.is_empty() { Ok(section) } else { Err(Malformed) }
}

impl fmt::Debug for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handover").finish_non_exhaustive()
    }
}
