//! The State Cookie (RFC 9260 §5.1.3): what we must remember of an INIT, kept by the peer.
//!
//! It holds only what the peer told us and what our INIT ACK tells it, the time, and a MAC under a key that is drawn
//! per association. The key moves with the association (`handover.rs`) and leaves it in no other way.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use crate::chunk::init::{Extensions, InitFields};
use crate::handover::wire::{Contradiction, MAX_COUNT, Malformed, Wire, ensure};
use base::{PutExt, Reader, Serial32};
use crypto::{Mac, MacKey, Random, Secret};
use std::time::{Duration, Instant};

const MAC_LEN: usize = 32;
const SECRET_LEN: usize = 32;
const FLAG_FORWARD_TSN: u8 = 1;
const FLAG_RECONFIG: u8 = 2;
const FLAG_INTERLEAVING: u8 = 4;
const FLAG_I_FORWARD_TSN: u8 = 8;
const FLAG_ZERO_CHECKSUM: u8 = 16;
const FLAG_PAD: u8 = 32;

/// Both tags of the association that existed when the INIT came, or zeros (RFC 9260 §5.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TieTags {
    pub(crate) local: u32,
    pub(crate) peer: u32,
}

/// The contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cookie {
    pub(crate) local_tag: u32,
    pub(crate) local_tsn: Serial32,
    /// The fixed part of the peer's INIT.
    pub(crate) peer: InitFields,
    pub(crate) extensions: Extensions,
    pub(crate) ties: TieTags,
}

/// Why a cookie was not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieError {
    /// Not ours, or altered.
    Forged,
    /// Ours, older than its lifetime by this much. The contents are good otherwise.
    Stale(Duration, Cookie),
}

/// Makes and checks cookies.
#[derive(Debug)]
pub(crate) struct CookieKey {
    key: Box<dyn MacKey>,
    secret: Secret,
    /// Cookies carry the time since this, and what had passed by then, in milliseconds.
    epoch: Instant,
    passed: u64,
    lifetime: Duration,
}

impl CookieKey {
    pub(crate) fn new(mac: &dyn Mac, rng: &mut dyn Random, epoch: Instant, lifetime: Duration) -> Self {
        let secret = Secret::from(&rng.bytes::<SECRET_LEN>()[..]);
        Self { key: mac.key(secret.as_bytes()), secret, epoch, passed: 0, lifetime }
    }

    pub(crate) fn snapshot(&self, now: Instant) -> CookieKeySnapshot {
        let Self { key: _, secret, epoch: _, passed: _, lifetime: _ } = self;
        CookieKeySnapshot {
            secret: Secret::from(secret.as_bytes()),
            passed: self.age(now).min(MAX_COUNT - 1),
        }
    }

    /// Cookies that another process gave out are good here.
    pub(crate) fn restore(
        snapshot: CookieKeySnapshot,
        mac: &dyn Mac,
        epoch: Instant,
        lifetime: Duration,
    ) -> Self {
        let CookieKeySnapshot { secret, passed } = snapshot;
        Self { key: mac.key(secret.as_bytes()), secret, epoch, passed, lifetime }
    }

    pub(crate) fn seal(&self, now: Instant, cookie: &Cookie) -> Vec<u8> {
        let mut out = vec![0; MAC_LEN];
        //= rfc9260 §5.1.3
        //# If the State Cookie is not encrypted, it MUST NOT contain information that is not being envisioned to be
        //# shared.
        //= rfc9260 §3.3.3.1.1
        //# MUST contain all the necessary state and parameter information required for the sender of this INIT ACK
        //# chunk to create the association, along with a Message Authentication Code (MAC).
        out.put_u64(self.age(now));
        out.put_u32(cookie.local_tag);
        out.put_u32(cookie.local_tsn.0);
        out.put_u32(cookie.peer.tag);
        out.put_u32(cookie.peer.window);
        out.put_u16(cookie.peer.outbound);
        out.put_u16(cookie.peer.inbound);
        out.put_u32(cookie.peer.tsn.0);
        out.put_u8(flags_of(cookie.extensions));
        out.put_u32(cookie.ties.local);
        out.put_u32(cookie.ties.peer);
        //= rfc9260 §5.1.3
        //# Inside this State Cookie, the sender MUST include a MAC (see [RFC2104] for an example) to provide
        //# integrity protection on the State Cookie.
        let (tag, body) = out.split_at_mut(MAC_LEN);
        self.key.sign(&[body], tag);
        out
    }

    pub(crate) fn open(&self, now: Instant, bytes: &[u8]) -> Result<Cookie, CookieError> {
        let (tag, body) = bytes.split_at_checked(MAC_LEN).ok_or(CookieError::Forged)?;
        //= rfc9260 §5.1.5
        //# If this comparison fails, the SCTP packet, including the COOKIE ECHO chunk and any DATA chunks,
        //# MUST be silently discarded.
        self.key.verify(&[body], tag).map_err(|_| CookieError::Forged)?;
        let (made, cookie) = parse(body).map_err(|_| CookieError::Forged)?;
        let age = Duration::from_millis(self.age(now).saturating_sub(made));
        match age.checked_sub(self.lifetime) {
            Some(late) if !late.is_zero() => Err(CookieError::Stale(late, cookie)),
            _ => Ok(cookie),
        }
    }

    fn age(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.epoch).as_millis();
        self.passed.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
    }
}

/// The key, as it moves to another process.
#[derive(Debug)]
pub(crate) struct CookieKeySnapshot {
    secret: Secret,
    passed: u64,
}

impl CookieKeySnapshot {
    pub(crate) fn check(&self) -> Result<(), Contradiction> {
        ensure(self.passed < MAX_COUNT, "the age of cookies")
    }
}

impl Wire for CookieKeySnapshot {
    fn put(&self, out: &mut Vec<u8>) {
        let Self { secret, passed } = self;
        out.put_slice(secret.as_bytes());
        passed.put(out);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let secret = Secret::from(reader.take(SECRET_LEN)?);
        Ok(Self { secret, passed: u64::take(reader)? })
    }
}

pub(crate) fn flags_of(extensions: Extensions) -> u8 {
    let Extensions { forward_tsn, pad, reconfig, interleaving, i_forward_tsn, zero_checksum } = extensions;
    let all = [
        (forward_tsn, FLAG_FORWARD_TSN),
        (pad, FLAG_PAD),
        (reconfig, FLAG_RECONFIG),
        (interleaving, FLAG_INTERLEAVING),
        (i_forward_tsn, FLAG_I_FORWARD_TSN),
        (zero_checksum, FLAG_ZERO_CHECKSUM),
    ];
    all.into_iter().fold(0, |flags, (is_on, flag)| if is_on { flags | flag } else { flags })
}

pub(crate) fn extensions_of(flags: u8) -> Extensions {
    Extensions {
        forward_tsn: flags & FLAG_FORWARD_TSN != 0,
        pad: flags & FLAG_PAD != 0,
        reconfig: flags & FLAG_RECONFIG != 0,
        interleaving: flags & FLAG_INTERLEAVING != 0,
        i_forward_tsn: flags & FLAG_I_FORWARD_TSN != 0,
        zero_checksum: flags & FLAG_ZERO_CHECKSUM != 0,
    }
}

fn parse(body: &[u8]) -> Result<(u64, Cookie), base::Truncated> {
    let mut reader = Reader::new(body);
    let made = reader.u64()?;
    let local_tag = reader.u32()?;
    let local_tsn = Serial32(reader.u32()?);
    let peer = InitFields {
        tag: reader.u32()?,
        window: reader.u32()?,
        outbound: reader.u16()?,
        inbound: reader.u16()?,
        tsn: Serial32(reader.u32()?),
    };
    let extensions = extensions_of(reader.u8()?);
    let ties = TieTags { local: reader.u32()?, peer: reader.u32()? };
    Ok((made, Cookie { local_tag, local_tsn, peer, extensions, ties }))
}
