//! Flights: the messages that are sent, and sent again, together (RFC 6347 §4.2.4).

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::handshake::HandshakeType;
use crate::handshake::fragment::{self, Fragment};
use crate::record::ContentType;
use crate::record::epoch::{SealError, WriteEpoch};
use std::time::{Duration, Instant};

/// A fragment that is not the last of its message is not made shorter than this.
const MIN_FRAGMENT: usize = 64;

/// The payload of the smallest datagram that every IPv4 path carries (RFC 791), used when larger ones seem lost.
const SMALL_MTU: usize = 548;

/// After so many repetitions the datagrams are made small.
const TRIES_BEFORE_SMALL: u32 = 2;

/// One thing of a flight.
#[derive(Debug)]
enum Item {
    ChangeCipherSpec,
    Message { kind: HandshakeType, seq: u16, epoch: u16, body: Vec<u8> },
}

/// Whether the peer owes an answer to a flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is repeated until the answer comes.
    Awaited,
    /// It is repeated only when the peer repeats its own.
    None,
}

/// Where the next datagram starts.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    item: usize,
    offset: usize,
}

/// The flight sent last, or being sent.
#[derive(Debug)]
pub(crate) struct Flight {
    items: Vec<Item>,
    answer: Answer,
    cursor: Option<Cursor>,
    /// When its last datagram left.
    sent: Option<Instant>,
    /// How often it has been sent again.
    repetitions: u32,
    /// The message of the peer that this flight answers: when it comes again, so does this flight.
    answers: Option<u16>,
    /// Whether the flight before had to be repeated.
    followed_loss: bool,
    /// Repetitions of the peer's flight still to come that answer repetitions of our flight before, and say nothing about
    /// this one.
    echoes: u32,
}

/// What [`Flight::write_datagram`] did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    pub(crate) records: u32,
    /// Whether the flight is out with this datagram.
    pub(crate) done: bool,
}

impl Flight {
    pub(crate) const fn new() -> Self {
        Self {
            items: Vec::new(),
            answer: Answer::None,
            cursor: None,
            sent: None,
            repetitions: 0,
            answers: None,
            followed_loss: false,
            echoes: 0,
        }
    }

    /// Starts a new flight, forgetting the old one. `answers` is the number of the peer's message behind it.
    pub(crate) fn begin(&mut self, answer: Answer, answers: Option<u16>) {
        let followed_loss = self.repetitions > 0;
        let cursor = Some(Cursor { item: 0, offset: 0 });
        // A flight without a timer of its own is repeated whenever the peer asks.
        let echoes = if answer == Answer::Awaited { self.repetitions } else { 0 };
        *self = Self { answer, answers, cursor, followed_loss, echoes, ..Self::new() };
    }

    /// Adds a handshake message.
    pub(crate) fn push(&mut self, kind: HandshakeType, seq: u16, epoch: u16, body: Vec<u8>) {
        self.items.push(Item::Message { kind, seq, epoch, body });
    }

    /// Adds the ChangeCipherSpec message, which is no handshake message but part of the flight (RFC 6347 §4.2.5).
    pub(crate) fn push_change_cipher_spec(&mut self) {
        self.items.push(Item::ChangeCipherSpec);
    }

    /// Sends it once more from its start.
    pub(crate) fn repeat(&mut self) {
        if !self.items.is_empty() {
            self.cursor = Some(Cursor { item: 0, offset: 0 });
            self.repetitions = self.repetitions.saturating_add(1);
        }
    }

    /// Whether the peer's message `seq` is the one that this flight answers, and the answer is not just on its way.
    pub(crate) fn should_repeat_for(&mut self, seq: u16, now: Instant, pause: Duration) -> bool {
        if self.answers != Some(seq) {
            return false;
        }
        if self.echoes > 0 {
            self.echoes -= 1;
            return false;
        }
        self.may_repeat(now, pause)
    }

    /// Whether it left at least `pause` ago.
    pub(crate) fn may_repeat(&self, now: Instant, pause: Duration) -> bool {
        self.cursor.is_none() && self.sent.is_some_and(|sent| now.saturating_duration_since(sent) >= pause)
    }

    /// Forgets it: nothing is left to send or to repeat.
    pub(crate) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Whether a datagram of it is still to be sent.
    pub(crate) fn is_pending(&self) -> bool {
        self.cursor.is_some()
    }

    pub(crate) fn awaits_answer(&self) -> bool {
        self.answer == Answer::Awaited && !self.items.is_empty()
    }

    /// Whether it is to be sent for the first time.
    pub(crate) fn is_fresh(&self) -> bool {
        self.is_pending() && self.repetitions == 0
    }

    pub(crate) fn followed_loss(&self) -> bool {
        self.followed_loss
    }

    /// Appends the next datagram, at most `mtu` bytes.
    pub(crate) fn write_datagram(
        &mut self,
        now: Instant,
        mtu: usize,
        epochs: &mut WriteEpochs,
        out: &mut Vec<u8>,
    ) -> Result<Written, SealError> {
        let mtu = if self.repetitions > TRIES_BEFORE_SMALL { mtu.min(SMALL_MTU) } else { mtu };
        let start = out.len();
        let mut records = 0;
        while let Some(cursor) = self.cursor {
            let Some(item) = self.items.get(cursor.item) else {
                self.cursor = None;
                self.sent = Some(now);
                return Ok(Written { records, done: true });
            };
            let used = out.len() - start;
            let next = match item {
                Item::ChangeCipherSpec => {
                    let epoch = &mut epochs.plain;
                    if used > 0 && used + epoch.overhead() + 1 > mtu {
                        break;
                    }
                    epoch.seal(ContentType::ChangeCipherSpec, &[1], out)?;
                    Cursor { item: cursor.item + 1, offset: 0 }
                }
                Item::Message { kind, seq, epoch, body } => {
                    let epoch = epochs.get(*epoch).ok_or(SealError::Declined)?;
                    let rest = body.get(cursor.offset..).unwrap_or_default();
                    let headers = used + epoch.overhead() + fragment::HEADER_LEN;
                    if used > 0 && headers + rest.len().min(MIN_FRAGMENT) > mtu {
                        break;
                    }
                    let room = mtu.saturating_sub(headers);
                    // Even where the limit leaves no room a fragment moves forward, or it would never end.
                    let taken = rest.len().min(room.max(1));
                    let fragment = Fragment {
                        kind: *kind,
                        length: body.len() as u32,
                        seq: *seq,
                        offset: cursor.offset as u32,
                        body: rest.get(..taken).unwrap_or_default(),
                    };
                    epoch.seal_with(ContentType::Handshake, out, |out| {
                        fragment.write(out);
                        Some(())
                    })?;
                    if taken == rest.len() {
                        Cursor { item: cursor.item + 1, offset: 0 }
                    } else {
                        Cursor { offset: cursor.offset + taken, ..cursor }
                    }
                }
            };
            records += 1;
            self.cursor = Some(next);
        }
        Ok(Written { records, done: false })
    }
}

/// The epochs that are written: clear text, and the one with keys.
#[derive(Debug)]
pub(crate) struct WriteEpochs {
    pub(crate) plain: WriteEpoch,
    pub(crate) protected: Option<WriteEpoch>,
}

impl WriteEpochs {
    pub(crate) const fn new() -> Self {
        Self { plain: WriteEpoch::plain(), protected: None }
    }

    fn get(&mut self, epoch: u16) -> Option<&mut WriteEpoch> {
        match epoch {
            0 => Some(&mut self.plain),
            _ => self.protected.as_mut().filter(|protected| protected.epoch() == epoch),
        }
    }

    /// The epoch that alerts are sent in.
    pub(crate) fn current(&mut self) -> &mut WriteEpoch {
        self.protected.as_mut().unwrap_or(&mut self.plain)
    }
}

/// The retransmission timer (RFC 6347 §4.2.4.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    current: Duration,
    max: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, max: Duration) -> Self {
        Self { first, current: first, max: max.max(first) }
    }

    /// Sets the first interval from now on.
    pub(crate) fn set_first(&mut self, first: Duration) {
        if self.current == self.first {
            self.current = first;
        }
        self.first = first;
    }

    /// The interval until the flight just sent is repeated.
    pub(crate) const fn interval(&self) -> Duration {
        self.current
    }

    /// Half the first interval: duplicates that come sooner are the network's, not the peer's.
    pub(crate) fn pause(&self) -> Duration {
        self.first / 2
    }

    /// Doubles after an expiry.
    pub(crate) fn expired(&mut self) {
        // The maximum bounds the doubling. A path that is slower than it keeps the interval it needs.
        self.current = self.current.saturating_mul(2).min(self.max.max(self.first));
    }

    /// A flight went through without loss.
    pub(crate) fn succeeded(&mut self) {
        self.current = self.first;
    }
}

#[cfg(test)]
mod tests;
