//! Finding the address behind a `.local` name.

use super::{
    GROUP_V4, GROUP_V6, MdnsStats, MdnsTransmit, PORT,
    message::{MAX_NAME, MdnsMessage, write_query},
};
use std::{
    collections::VecDeque,
    fmt,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// Names asked for at the same time.
const MAX_QUERIES: usize = 8;

/// How long a name is asked for.
const TIMEOUT: Duration = Duration::from_secs(5);

/// From the first query to the second; then twice as long each time (RFC 6762 §5.2).
const FIRST_INTERVAL: Duration = Duration::from_secs(1);

/// Resolutions kept for an owner that does not poll.
const MAX_RESOLUTIONS: usize = 64;

/// Resolves `.local` names, a few at a time.
#[derive(Debug, Default)]
pub struct Resolver {
    now: Option<Instant>,
    queries: Vec<Query>,
    resolutions: VecDeque<Resolution>,
    stats: MdnsStats,
}

#[derive(Debug)]
struct Query {
    name: String,
    until: Instant,
    send_at: Instant,
    interval: Duration,
    first: bool,
    /// Groups that the query of this round still goes to.
    groups: &'static [SocketAddr],
}

/// Both groups.
const GROUPS: &[SocketAddr] = &[GROUP_V4, GROUP_V6];

/// The end of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolution {
    /// The name, as it was given.
    pub name: String,
    /// Its address, `None` when nobody answered in five seconds.
    pub address: Option<IpAddr>,
}

/// Why a name is not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResolveError {
    /// Eight names are being asked for.
    Busy,
    /// It is not a `.local` name of at most 253 characters.
    Name,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "too many names are being resolved",
            Self::Name => "not a name that multicast DNS resolves",
        })
    }
}

impl std::error::Error for ResolveError {}

impl Resolver {
    /// A resolver without questions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for a name. A name that is being asked for is not asked for twice; its one [`Resolution`] serves all.
    ///
    /// # Errors
    /// [`ResolveError`] when there are too many or it is not a `.local` name.
    pub fn resolve(&mut self, now: Instant, name: &str) -> Result<(), ResolveError> {
        let now = self.advance(now);
        if name.len() > MAX_NAME || !name.to_ascii_lowercase().ends_with(".local") {
            return Err(ResolveError::Name);
        }
        // Refused here rather than when it is sent.
        write_query(&mut Vec::new(), name, true).ok_or(ResolveError::Name)?;
        if self.queries.iter().any(|query| query.name.eq_ignore_ascii_case(name)) {
            return Ok(());
        }
        if self.queries.len() >= MAX_QUERIES {
            return Err(ResolveError::Busy);
        }
        self.queries.push(Query {
            name: name.to_owned(),
            until: now + TIMEOUT,
            send_at: now,
            interval: FIRST_INTERVAL,
            first: true,
            groups: GROUPS,
        });
        Ok(())
    }

    /// Takes a datagram that came from `from` to a socket of the group, or to the socket the query went from.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        self.advance(now);
        //= rfc6762 §6
        //# Multicast DNS implementations
        //# MUST silently ignore any Multicast DNS responses they receive where
        //# the source UDP port is not 5353.
        if from.port() != PORT {
            self.stats.foreign += 1;
            return;
        }
        let answers = match MdnsMessage::parse(datagram) {
            Some(MdnsMessage::Response { answers }) => answers,
            Some(MdnsMessage::Query { .. } | MdnsMessage::Other) => {
                self.stats.foreign += 1;
                return;
            }
            None => {
                self.stats.malformed += 1;
                return;
            }
        };
        let mut hit = false;
        for answer in answers.iter().filter(|answer| answer.ttl > 0) {
            let asked = self.queries.iter().position(|query| query.name.eq_ignore_ascii_case(&answer.name));
            if let Some(place) = asked {
                hit = true;
                let query = self.queries.remove(place);
                self.push(Resolution { name: query.name, address: Some(answer.address) });
            }
        }
        self.stats.foreign += u64::from(!hit);
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.advance(now);
        while let Some(place) = self.queries.iter().position(|query| query.until <= now) {
            let query = self.queries.remove(place);
            self.push(Resolution { name: query.name, address: None });
        }
    }

    /// Appends the next query that is due, until `None`.
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<MdnsTransmit> {
        let now = self.advance(now);
        let query = self.queries.iter_mut().find(|query| query.send_at <= now && query.until > now)?;
        let (to, rest) = query.groups.split_first()?;
        query.groups = rest;
        let unicast = query.first;
        if rest.is_empty() {
            query.groups = GROUPS;
            query.first = false;
            query.send_at = now + query.interval;
            query.interval *= 2;
        }
        let start = out.len();
        write_query(out, &query.name, unicast)?;
        self.stats.sent += 1;
        Some(MdnsTransmit { to: *to, len: out.len() - start })
    }

    /// The next resolution.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Resolution> {
        self.resolutions.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) and [`poll_transmit`](Self::poll_transmit) next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.queries.iter().map(|query| query.until.min(query.send_at)).min()
    }

    /// What was counted.
    #[must_use]
    pub fn stats(&self) -> MdnsStats {
        self.stats
    }

    fn advance(&mut self, now: Instant) -> Instant {
        let now = self.now.map_or(now, |latest| latest.max(now));
        self.now = Some(now);
        now
    }

    fn push(&mut self, resolution: Resolution) {
        if self.resolutions.len() >= MAX_RESOLUTIONS {
            self.resolutions.pop_front();
        }
        self.resolutions.push_back(resolution);
    }
}
