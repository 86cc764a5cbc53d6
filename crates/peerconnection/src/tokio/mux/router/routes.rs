//! The tables of a shared port: who gets what.

use super::Route;
use crate::tokio::{
    mux::{PATHS, UFRAGS},
    udp::Batch,
};
use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};
use stun::{AttributeType, Class, Message, TransactionId};
use tokio::sync::mpsc;

/// Questions under way at a time, over all connections; the oldest give way.
const QUESTIONS: usize = 8_192;
/// Connections that may hear a path which none of them uses yet; the latest are kept.
const ANSWERING: usize = 4;
/// A path whose owner has not sent on it for so long may have another owner. Longer than three claims.
const CLAIM_LASTS: Duration = Duration::from_secs(16);

/// Whom a datagram is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nobody,
    One(u64),
    /// Nobody uses the path yet, and each of these may be about to.
    Several(Vec<u64>),
}

#[derive(Debug, Default)]
pub(super) struct Routes {
    by_ufrag: BTreeMap<String, u64>,
    by_path: BTreeMap<SocketAddr, Path>,
    questions: BTreeMap<(SocketAddr, TransactionId), u64>,
    /// The same in the order of asking; may name questions that have been answered.
    asked: VecDeque<(SocketAddr, TransactionId)>,
    connections: BTreeMap<u64, Entry>,
}

#[derive(Debug, Default)]
struct Path {
    owner: Option<Claim>,
    /// Connections that answered a check from there. That proves little: who knows the credentials of one connection can
    /// send such a check in the name of any address. So none of them keeps the others from hearing.
    answering: VecDeque<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Claim {
    connection: u64,
    said: Instant,
}

#[derive(Debug)]
struct Entry {
    inbox: mpsc::Sender<Batch>,
    ufrags: VecDeque<String>,
    paths: VecDeque<SocketAddr>,
}

impl Routes {
    pub(super) fn change(&mut self, change: Route) {
        match change {
            Route::Answers { connection, remote } => self.answer(connection, remote),
            Route::Asks { connection, remote, transaction } => self.ask(connection, (remote, transaction)),
            Route::Register { connection, ufrag, inbox } => self.register(connection, ufrag, inbox),
            Route::Remove { connection } => self.remove(connection),
            Route::Uses { connection, remote, now } => self.claim(connection, remote, now),
        }
    }

    pub(super) fn inbox(&self, connection: u64) -> Option<&mpsc::Sender<Batch>> {
        self.connections.get(&connection).map(|entry| &entry.inbox)
    }

    /// Whom a datagram from `remote` is for.
    pub(super) fn find(&mut self, remote: SocketAddr, datagram: &[u8]) -> Found {
        if !stun::is_stun(datagram) {
            return self.find_by_path(remote);
        }
        let Ok(message) = Message::parse(datagram) else { return Found::Nobody };
        let found = match message.class() {
            Class::Request => receiver(&message).and_then(|ufrag| self.by_ufrag.get(ufrag).copied()),
            Class::Success | Class::Error => self.questions.remove(&(remote, message.transaction_id())),
            Class::Indication => return self.find_by_path(remote),
        };
        found.map_or(Found::Nobody, Found::One)
    }

    fn find_by_path(&self, remote: SocketAddr) -> Found {
        let Some(path) = self.by_path.get(&remote) else { return Found::Nobody };
        match (path.owner, path.answering.len()) {
            (Some(claim), _) => Found::One(claim.connection),
            (None, 0) => Found::Nobody,
            (None, 1) => path.answering.front().map_or(Found::Nobody, |connection| Found::One(*connection)),
            (None, _) => Found::Several(path.answering.iter().copied().collect()),
        }
    }

    fn ask(&mut self, connection: u64, question: (SocketAddr, TransactionId)) {
        if !self.connections.contains_key(&connection)
            || self.questions.insert(question, connection).is_some()
        {
            // Gone, or a retransmission.
            return;
        }
        self.asked.push_back(question);
        if self.asked.len() > QUESTIONS
            && let Some(oldest) = self.asked.pop_front()
        {
            self.questions.remove(&oldest);
        }
    }

    fn register(&mut self, connection: u64, ufrag: String, inbox: mpsc::Sender<Batch>) {
        let entry = self.connections.entry(connection).or_insert_with(|| Entry {
            inbox,
            ufrags: VecDeque::new(),
            paths: VecDeque::new(),
        });
        entry.ufrags.push_back(ufrag.clone());
        let retired = if entry.ufrags.len() > UFRAGS { entry.ufrags.pop_front() } else { None };
        if let Some(retired) = retired {
            self.by_ufrag.remove(&retired);
        }
        self.by_ufrag.insert(ufrag, connection);
    }

    fn remove(&mut self, connection: u64) {
        let Some(entry) = self.connections.remove(&connection) else { return };
        for ufrag in entry.ufrags {
            if self.by_ufrag.get(&ufrag) == Some(&connection) {
                self.by_ufrag.remove(&ufrag);
            }
        }
        for path in entry.paths {
            self.leave(connection, path);
        }
        self.questions.retain(|_, owner| *owner != connection);
        self.asked.retain(|question| self.questions.contains_key(question));
    }

    fn answer(&mut self, connection: u64, remote: SocketAddr) {
        if !self.enter(connection, remote) {
            return;
        }
        let answering = &mut self.by_path.entry(remote).or_default().answering;
        if answering.contains(&connection) {
            return;
        }
        if answering.len() >= ANSWERING {
            answering.pop_front();
        }
        answering.push_back(connection);
    }

    /// The first to use a path owns it while it goes on using it.
    fn claim(&mut self, connection: u64, remote: SocketAddr, now: Instant) {
        if !self.enter(connection, remote) {
            return;
        }
        let owner = &mut self.by_path.entry(remote).or_default().owner;
        let is_free = owner.is_none_or(|claim| {
            claim.connection == connection || now.saturating_duration_since(claim.said) >= CLAIM_LASTS
        });
        if is_free {
            *owner = Some(Claim { connection, said: now });
        }
    }

    /// Notes that a connection has to do with a path; `false` when there is no such connection any more.
    fn enter(&mut self, connection: u64, remote: SocketAddr) -> bool {
        let Some(entry) = self.connections.get_mut(&connection) else { return false };
        if entry.paths.contains(&remote) {
            return true;
        }
        entry.paths.push_back(remote);
        let retired = if entry.paths.len() > PATHS { entry.paths.pop_front() } else { None };
        if let Some(retired) = retired {
            self.leave(connection, retired);
        }
        true
    }

    fn leave(&mut self, connection: u64, remote: SocketAddr) {
        let Some(path) = self.by_path.get_mut(&remote) else { return };
        path.owner = path.owner.filter(|claim| claim.connection != connection);
        path.answering.retain(|answering| *answering != connection);
        if path.owner.is_none() && path.answering.is_empty() {
            self.by_path.remove(&remote);
        }
    }
}

/// The receiver's half of the user name in a STUN request (RFC 8445 §7.2.2: `receiver:sender`).
fn receiver<'a>(message: &Message<'a>) -> Option<&'a str> {
    let username = message.raw(AttributeType::USERNAME)?;
    let (receiver, _) = std::str::from_utf8(username).ok()?.split_once(':')?;
    Some(receiver)
}

#[cfg(test)]
mod tests;
