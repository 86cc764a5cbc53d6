//! Answering for our own `.local` names.

use super::{
    GROUP_V4, GROUP_V6, MdnsStats, MdnsTransmit, PORT,
    message::{MdnsMessage, Question, ResponseForm, TYPE_ANY, type_of, write_query, write_response},
};
use std::{
    collections::VecDeque,
    fmt,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// Names answered for.
const MAX_NAMES: usize = 64;

/// Responses that wait to be sent.
const MAX_PENDING: usize = 32;

/// Responses per second, to all who ask.
const MAX_PER_SECOND: u32 = 50;

/// How long an address may be cached, in seconds (RFC 6762 §10).
const TTL: u32 = 120;

/// The same for resolvers that know nothing of multicast DNS (RFC 6762 §6.7).
const LEGACY_TTL: u32 = 10;

/// A record is not multicast more often than this (RFC 6762 §6).
const MULTICAST_INTERVAL: Duration = Duration::from_secs(1);

/// Announcements of a new name (RFC 6762 §8.3).
const ANNOUNCEMENTS: u8 = 2;

/// Answers for names that stand for our addresses.
///
/// Names are random (draft-ietf-mmusic-mdns-ice-candidates §3.1.1), so nobody is asked whether they are free.
#[derive(Debug, Default)]
pub struct Responder {
    now: Option<Instant>,
    names: Vec<Name>,
    pending: VecDeque<Pending>,
    window: Option<(Instant, u32)>,
    stats: MdnsStats,
}

#[derive(Debug)]
struct Name {
    name: String,
    address: IpAddr,
    multicast_at: Option<Instant>,
    announcements: u8,
    announce_at: Instant,
}

#[derive(Debug)]
struct Pending {
    to: SocketAddr,
    form: ResponseForm,
    name: String,
    address: IpAddr,
    ttl: u32,
}

/// Why a name cannot be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishError {
    /// There are 64 names already.
    LimitReached,
    /// Not a name that DNS can carry.
    Name,
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LimitReached => "too many names are published",
            Self::Name => "not a name that multicast DNS can carry",
        })
    }
}

impl std::error::Error for PublishError {}

impl Responder {
    /// A responder without names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers for a name from now on, and announces it.
    ///
    /// # Errors
    /// [`PublishError`] when there are too many, or the name cannot be one.
    pub fn publish(&mut self, now: Instant, name: &str, address: IpAddr) -> Result<(), PublishError> {
        let now = self.advance(now);
        write_query(&mut Vec::new(), name, false).ok_or(PublishError::Name)?;
        if let Some(known) = self.names.iter_mut().find(|known| known.name.eq_ignore_ascii_case(name)) {
            known.address = address;
            return Ok(());
        }
        if self.names.len() >= MAX_NAMES {
            return Err(PublishError::LimitReached);
        }
        self.names.push(Name {
            name: name.to_owned(),
            address,
            multicast_at: None,
            announcements: ANNOUNCEMENTS,
            announce_at: now,
        });
        Ok(())
    }

    /// Stops answering for a name and tells those who cached it (RFC 6762 §10.1).
    pub fn withdraw(&mut self, now: Instant, name: &str) {
        self.advance(now);
        let Some(place) = self.names.iter().position(|known| known.name.eq_ignore_ascii_case(name)) else {
            return;
        };
        let Name { name, address, .. } = self.names.remove(place);
        for to in [GROUP_V4, GROUP_V6] {
            self.push(Pending { to, form: ResponseForm::Multicast, name: name.clone(), address, ttl: 0 });
        }
    }

    /// Takes a datagram that came from `from`.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        let now = self.advance(now);
        let (id, questions) = match MdnsMessage::parse(datagram) {
            Some(MdnsMessage::Query { id, questions }) => (id, questions),
            Some(MdnsMessage::Response { .. } | MdnsMessage::Other) => {
                self.stats.foreign += 1;
                return;
            }
            None => {
                self.stats.malformed += 1;
                return;
            }
        };
        let mut hit = false;
        let mut answered: Vec<usize> = Vec::new();
        for question in &questions {
            let place = self.names.iter().position(|name| name.name.eq_ignore_ascii_case(&question.name));
            let Some(place) = place.filter(|place| !answered.contains(place)) else { continue };
            hit = true;
            if self.answer(now, from, id, question, place) {
                answered.push(place);
            }
        }
        self.stats.foreign += u64::from(!hit);
    }

    /// Lets time pass; only announcements wait for it.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.advance(now);
        let mut due = Vec::new();
        for name in self.names.iter_mut().filter(|name| name.announcements > 0 && name.announce_at <= now) {
            name.announcements -= 1;
            name.announce_at = now + MULTICAST_INTERVAL;
            name.multicast_at = Some(now);
            due.push((name.name.clone(), name.address));
        }
        for (name, address) in due {
            for to in [GROUP_V4, GROUP_V6] {
                self.push(Pending {
                    to,
                    form: ResponseForm::Multicast,
                    name: name.clone(),
                    address,
                    ttl: TTL,
                });
            }
        }
    }

    /// Appends the next response, until `None`.
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<MdnsTransmit> {
        self.handle_timeout(now);
        let start = out.len();
        while let Some(next) = self.pending.pop_front() {
            if write_response(out, next.form, &next.name, next.address, next.ttl).is_some() {
                self.stats.sent += 1;
                return Some(MdnsTransmit { to: next.to, len: out.len() - start });
            }
        }
        None
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.names.iter().filter(|name| name.announcements > 0).map(|name| name.announce_at).min()
    }

    /// What was counted.
    #[must_use]
    pub fn stats(&self) -> MdnsStats {
        self.stats
    }

    /// Queues the answer to one question; `false` when there is none.
    fn answer(&mut self, now: Instant, from: SocketAddr, id: u16, question: &Question, place: usize) -> bool {
        if !self.is_within_rate(now) {
            self.stats.limited += 1;
            return false;
        }
        let Some(name) = self.names.get_mut(place) else { return false };
        if question.kind != TYPE_ANY && question.kind != type_of(name.address) {
            return false;
        }
        let (text, address) = (name.name.clone(), name.address);
        let group = if from.is_ipv4() { GROUP_V4 } else { GROUP_V6 };
        let (to, form, ttl) = if from.port() != PORT {
            (from, ResponseForm::Legacy { id, kind: question.kind }, LEGACY_TTL)
        } else if question.unicast {
            (from, ResponseForm::Multicast, TTL)
        } else {
            let recently = name.multicast_at.is_some_and(|at| now < at + MULTICAST_INTERVAL);
            if recently {
                self.stats.limited += 1;
                return true;
            }
            name.multicast_at = Some(now);
            (group, ResponseForm::Multicast, TTL)
        };
        self.push(Pending { to, form, name: text, address, ttl });
        true
    }

    /// Counts one response; `false` when there were too many in this second.
    fn is_within_rate(&mut self, now: Instant) -> bool {
        let (start, count) = match self.window {
            Some((start, count)) if now < start + Duration::from_secs(1) => (start, count),
            _ => (now, 0),
        };
        self.window = Some((start, count.saturating_add(1)));
        count < MAX_PER_SECOND
    }

    fn push(&mut self, pending: Pending) {
        if self.pending.len() < MAX_PENDING {
            self.pending.push_back(pending);
        } else {
            self.stats.limited += 1;
        }
    }

    fn advance(&mut self, now: Instant) -> Instant {
        let now = self.now.map_or(now, |latest| latest.max(now));
        self.now = Some(now);
        now
    }
}
