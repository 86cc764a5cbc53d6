//! Two machines, a perfect wire, and one call at a time.

use crate::{
    Machine, Path, Seed, Side,
    fuzz::reached_event,
    machine::{Polled, poll_checked},
};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Datagrams one drain may yield before it counts as endless, unless a run has limits of its own.
const ENDLESS: usize = 10_000;
/// Events one drain may yield.
const ENDLESS_EVENTS: usize = 10_000;
/// Alarms in one second of virtual time.
const ALARMS_PER_SECOND: u64 = 10_000;
/// Time on the wire.
const LATENCY: Duration = Duration::from_millis(5);
/// Datagrams remembered for repetition and mutation.
const MEMORY: usize = 64;

/// How much may happen at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Datagrams from one drain.
    pub(crate) datagrams: usize,
    /// Bytes in them.
    pub(crate) bytes: usize,
    pub(crate) alarms_per_second: u64,
}

/// Why a law does not hold.
#[derive(Debug)]
pub(crate) struct Broken(pub(crate) String);

/// One step of a schedule.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// Milliseconds go by.
    Advance(u16),
    /// The next call says a time so many milliseconds ago (law L3).
    Back(u16),
    /// The application does something.
    Command(Side, u64),
    /// The oldest datagram on the wire arrives.
    Deliver(Side),
    /// One event is polled.
    Event(Side),
    /// An old datagram with bytes after it.
    Extend(Side, u16, u8),
    /// Random bytes.
    Garbage(Side, Vec<u8>),
    /// The oldest datagram on the wire is lost.
    Lose(Side),
    /// An old datagram with one byte changed.
    Mutate(Side, u16, u16, u8),
    /// An old datagram once more.
    Repeat(Side, u16),
    /// An old datagram with other bytes from some place on.
    Rewrite(Side, u16, u16, Vec<u8>),
    /// The alarm goes off, due or not.
    Timeout(Side),
    /// One datagram is polled.
    Transmit(Side),
    /// The beginning of an old datagram.
    Truncate(Side, u16, u16),
}

/// What [`Op::Back`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    /// Nothing: calls say the present.
    Exact,
    /// The next call says an earlier time.
    Backward,
    /// The next call says an earlier time, or the latest that this machine has seen if that is later.
    Clamped,
}

/// Everything that came out, in a form that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Output {
    Alarm(Side, Option<Instant>),
    Datagram(Side, String, Vec<u8>),
    Event(Side, String),
}

#[derive(Debug)]
struct Mailbox<P> {
    waiting: VecDeque<(Instant, P, Vec<u8>)>,
    memory: VecDeque<(P, Vec<u8>)>,
    latest: Instant,
    has_ended: bool,
}

impl<P> Mailbox<P> {
    const fn new(start: Instant) -> Self {
        Self { waiting: VecDeque::new(), memory: VecDeque::new(), latest: start, has_ended: false }
    }
}

pub(crate) struct Rig<A: Machine, B: Machine<Path = A::Path>> {
    a: A,
    b: B,
    to_a: Mailbox<A::Path>,
    to_b: Mailbox<A::Path>,
    now: Instant,
    time: Time,
    back: Duration,
    is_cut: bool,
    limits: Limits,
    /// `None` when nobody will compare.
    outputs: Option<Vec<Output>>,
}

impl<A: Machine, B: Machine<Path = A::Path>> Rig<A, B> {
    pub(crate) fn new(
        make: impl Fn(Instant, Seed) -> (A, B),
        start: Instant,
        seed: Seed,
        time: Time,
    ) -> Self {
        let (a, b) = make(start, seed);
        Self {
            a,
            b,
            to_a: Mailbox::new(start),
            to_b: Mailbox::new(start),
            now: start,
            time,
            back: Duration::ZERO,
            is_cut: false,
            limits: Limits { datagrams: ENDLESS, bytes: usize::MAX, alarms_per_second: ALARMS_PER_SECOND },
            outputs: Some(Vec::new()),
        }
    }

    /// With other limits, and without a memory for [`same_as`](Self::same_as).
    pub(crate) fn within(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self.outputs = None;
        self
    }

    pub(crate) fn apply_all(&mut self, ops: &[Op]) -> Result<(), Broken> {
        ops.iter().try_for_each(|op| self.apply(op))
    }

    pub(crate) fn apply(&mut self, op: &Op) -> Result<(), Broken> {
        match op {
            Op::Advance(millis) => self.now += Duration::from_millis((*millis).into()),
            Op::Back(millis) => {
                if self.time != Time::Exact {
                    self.back = Duration::from_millis((*millis).into());
                }
                return Ok(());
            }
            Op::Command(side, choice) => {
                let said = self.said_in_passing(*side);
                match side {
                    Side::A => self.a.command(said, *choice),
                    Side::B => self.b.command(said, *choice),
                }
            }
            Op::Deliver(side) => {
                if let Some((_, path, datagram)) = self.mailbox(*side).waiting.pop_front() {
                    self.hand(*side, path, datagram);
                }
            }
            Op::Event(side) => {
                self.poll_event(*side)?;
            }
            Op::Lose(side) => drop(self.mailbox(*side).waiting.pop_front()),
            Op::Timeout(side) => {
                let said = self.said(*side);
                self.fire(*side, said);
            }
            Op::Transmit(side) => {
                self.poll_transmit(*side)?;
            }
            Op::Extend(..)
            | Op::Garbage(..)
            | Op::Mutate(..)
            | Op::Repeat(..)
            | Op::Rewrite(..)
            | Op::Truncate(..) => self.disturb(op),
        }
        self.a.check();
        self.b.check();
        self.note_alarms()
    }

    /// Runs both as a driver does: drain, then whatever comes first. Alarms go off `late`.
    pub(crate) fn drive(&mut self, span: Duration, late: Duration) -> Result<(), Broken> {
        let end = self.now + span;
        self.drive_while(end, late, |_| true)
    }

    pub(crate) fn drive_until_ready(&mut self, patience: Duration) -> Result<(), Broken> {
        let end = self.now + patience;
        self.drive_while(end, Duration::ZERO, |rig| !rig.are_ready())?;
        self.drain_both()?;
        if self.are_ready() {
            return Ok(());
        }
        let who = match (self.a.is_ready(), self.b.is_ready()) {
            (true, _) => "the second machine",
            (_, true) => "the first machine",
            _ => "neither machine",
        };
        let verb = if who.starts_with("neither") { "became" } else { "did not become" };
        Err(Broken(format!("{who} {verb} ready within {patience:?} on a perfect wire")))
    }

    pub(crate) fn are_ready(&self) -> bool {
        self.a.is_ready() && self.b.is_ready()
    }

    /// From now on nothing arrives any more.
    pub(crate) fn cut(&mut self) {
        self.is_cut = true;
        self.to_a.waiting.clear();
        self.to_b.waiting.clear();
    }

    pub(crate) fn close(&mut self, side: Side) {
        let said = self.said_in_passing(side);
        match side {
            Side::A => self.a.close(said),
            Side::B => self.b.close(said),
        }
    }

    pub(crate) fn has_ended(&self) -> Result<(), Broken> {
        for (ends, mailbox, who) in [(A::ENDS, &self.to_a, "first"), (B::ENDS, &self.to_b, "second")] {
            if ends && !mailbox.has_ended {
                return Err(Broken(format!(
                    "the {who} machine was closed and never yielded its final event (set Machine::ENDS to \
                     false if it has none)"
                )));
            }
        }
        Ok(())
    }

    pub(crate) fn drain_both(&mut self) -> Result<(), Broken> {
        self.drain(Side::A)?;
        self.drain(Side::B)
    }

    /// A drained machine has nothing to say at the same instant, and asking for its alarm changes nothing.
    pub(crate) fn stays_dry(&mut self, side: Side) -> Result<(), Broken> {
        let before = self.alarm(side);
        for _ in 0..3 {
            if self.alarm(side) != before {
                return Err(Broken("poll_timeout gave another answer to the same question".to_owned()));
            }
            if self.poll_transmit(side)?.is_some() {
                return Err(Broken(
                    "poll_transmit said None, and then something, with nothing in between".to_owned(),
                ));
            }
            if self.poll_event(side)? {
                return Err(Broken(
                    "poll_event said None, and then something, with nothing in between".to_owned(),
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn same_as(&self, other: &Self) -> Result<(), Broken> {
        let (ours, theirs) =
            (self.outputs.as_deref().unwrap_or(&[]), other.outputs.as_deref().unwrap_or(&[]));
        for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            if ours != theirs {
                return Err(Broken(format!("output {index} differs: {ours:?} and {theirs:?}")));
            }
        }
        if ours.len() == theirs.len() {
            Ok(())
        } else {
            let (ours, theirs) = (ours.len(), theirs.len());
            Err(Broken(format!("{ours} outputs in one run, {theirs} in the other")))
        }
    }

    fn drive_while(
        &mut self,
        end: Instant,
        late: Duration,
        mut go_on: impl FnMut(&Self) -> bool,
    ) -> Result<(), Broken> {
        let mut alarms = 0;
        let begin = self.now;
        loop {
            self.drain_both()?;
            if !go_on(self) {
                return Ok(());
            }
            let datagram = self.next_datagram();
            let alarm = self.next_alarm().map(|(at, side)| ((at + late).max(self.now), side));
            let due = datagram.into_iter().chain(alarm).min().filter(|(at, _)| *at <= end);
            let Some((at, side)) = due else {
                self.now = end;
                return Ok(());
            };
            self.now = self.now.max(at);
            if datagram == Some((at, side)) {
                self.apply(&Op::Deliver(side))?;
                continue;
            }
            alarms += 1;
            let seconds = self.now.saturating_duration_since(begin).as_secs() + 1;
            if alarms > seconds * self.limits.alarms_per_second {
                return Err(Broken(format!("{alarms} alarms in {seconds} s")));
            }
            self.ring(side)?;
        }
    }

    /// An alarm, followed by the check of law L2.
    fn ring(&mut self, side: Side) -> Result<(), Broken> {
        let now = self.now;
        self.fire(side, now);
        self.drain(side)?;
        match self.alarm(side) {
            Some(again) if again <= now => {
                let behind = now.saturating_duration_since(again);
                Err(Broken(format!(
                    "busy loop: after handle_timeout and draining, poll_timeout is {behind:?} in the past"
                )))
            }
            _ => Ok(()),
        }
    }

    fn drain(&mut self, side: Side) -> Result<(), Broken> {
        let Limits { datagrams, bytes, .. } = self.limits;
        let mut sent = 0;
        let mut sent_bytes = 0;
        while let Some(len) = self.poll_transmit(side)? {
            sent += 1;
            sent_bytes += len;
            if sent > datagrams {
                return Err(Broken(format!("more than {datagrams} datagrams from one drain")));
            }
            if sent_bytes > bytes {
                return Err(Broken(format!("more than {bytes} bytes in {sent} datagrams from one drain")));
            }
        }
        let mut events = 0;
        while self.poll_event(side)? {
            events += 1;
            if events > ENDLESS_EVENTS {
                return Err(Broken(format!("more than {ENDLESS_EVENTS} events from one drain")));
            }
        }
        Ok(())
    }

    /// One datagram; its length.
    fn poll_transmit(&mut self, side: Side) -> Result<Option<usize>, Broken> {
        let said = self.said(side);
        let polled = match side {
            Side::A => poll_checked(&mut self.a, said),
            Side::B => poll_checked(&mut self.b, said),
        };
        let Some(Polled { path, datagram }) = polled.map_err(Broken)? else { return Ok(None) };
        let len = datagram.len();
        self.refuse_after_end(side, || format!("a datagram of {len} bytes"))?;
        self.note(|| Output::Datagram(side, format!("{path:?}"), datagram.clone()));
        let at = self.now + LATENCY;
        let is_cut = self.is_cut;
        let mailbox = self.mailbox(side.other());
        mailbox.memory.push_back((path.reversed(), datagram.clone()));
        if mailbox.memory.len() > MEMORY {
            mailbox.memory.pop_front();
        }
        if !is_cut {
            mailbox.waiting.push_back((at, path.reversed(), datagram));
        }
        Ok(Some(len))
    }

    fn poll_event(&mut self, side: Side) -> Result<bool, Broken> {
        let polled = match side {
            Side::A => self.a.poll_event().map(|event| (A::is_final(&event), format!("{event:?}"))),
            Side::B => self.b.poll_event().map(|event| (B::is_final(&event), format!("{event:?}"))),
        };
        let Some((is_final, text)) = polled else { return Ok(false) };
        self.refuse_after_end(side, || format!("the event {text}"))?;
        reached_event(|| text.clone());
        self.note(|| Output::Event(side, text));
        if is_final {
            self.mailbox(side).has_ended = true;
            if let Some(at) = self.alarm(side) {
                let ahead = at.saturating_duration_since(self.now);
                return Err(Broken(format!("an alarm in {ahead:?} after the final event")));
            }
        }
        Ok(true)
    }

    fn refuse_after_end(&mut self, side: Side, what: impl FnOnce() -> String) -> Result<(), Broken> {
        if self.mailbox(side).has_ended {
            return Err(Broken(format!("{} after the final event", what())));
        }
        Ok(())
    }

    fn note_alarms(&mut self) -> Result<(), Broken> {
        for side in [Side::A, Side::B] {
            let alarm = self.alarm(side);
            if alarm.is_some() {
                self.refuse_after_end(side, || "an alarm".to_owned())?;
            }
            self.note(|| Output::Alarm(side, alarm));
        }
        Ok(())
    }

    fn note(&mut self, output: impl FnOnce() -> Output) {
        if let Some(outputs) = &mut self.outputs {
            outputs.push(output());
        }
    }

    fn disturb(&mut self, op: &Op) {
        let (side, path, datagram) = match op {
            Op::Garbage(side, bytes) => {
                let Some((path, _)) = self.remembered(*side, 0) else { return };
                (*side, path, bytes.clone())
            }
            Op::Extend(side, which, more) => {
                let Some((path, mut datagram)) = self.remembered(*side, *which) else { return };
                datagram.extend(std::iter::repeat_n(*more, usize::from(*more)));
                (*side, path, datagram)
            }
            Op::Mutate(side, which, at, value) => {
                let Some((path, mut datagram)) = self.remembered(*side, *which) else { return };
                // Headers decide more than payloads: every second change hits the first bytes.
                let reach = if at.is_multiple_of(2) { datagram.len() } else { datagram.len().min(24) };
                let index = usize::from(*at / 2).checked_rem(reach);
                if let Some(byte) = index.and_then(|index| datagram.get_mut(index)) {
                    *byte ^= (*value).max(1);
                }
                (*side, path, datagram)
            }
            Op::Repeat(side, which) => {
                let Some((path, datagram)) = self.remembered(*side, *which) else { return };
                (*side, path, datagram)
            }
            Op::Rewrite(side, which, at, bytes) => {
                let Some((path, mut datagram)) = self.remembered(*side, *which) else { return };
                let at = usize::from(*at) % (datagram.len() + 1);
                let end = datagram.len().min(at + bytes.len());
                drop(datagram.splice(at..end, bytes.iter().copied()));
                (*side, path, datagram)
            }
            Op::Truncate(side, which, len) => {
                let Some((path, mut datagram)) = self.remembered(*side, *which) else { return };
                datagram.truncate(usize::from(*len) % (datagram.len() + 1));
                (*side, path, datagram)
            }
            Op::Advance(_)
            | Op::Back(_)
            | Op::Command(..)
            | Op::Deliver(_)
            | Op::Event(_)
            | Op::Lose(_)
            | Op::Timeout(_)
            | Op::Transmit(_) => return,
        };
        self.hand(side, path, datagram);
    }

    /// A datagram that was once sent to this side.
    fn remembered(&mut self, side: Side, which: u16) -> Option<(A::Path, Vec<u8>)> {
        let memory = &self.mailbox(side).memory;
        let index = usize::from(which).checked_rem(memory.len())?;
        memory.get(index).cloned()
    }

    fn hand(&mut self, side: Side, path: A::Path, mut datagram: Vec<u8>) {
        let said = self.said(side);
        match side {
            Side::A => self.a.handle_datagram(said, path, &mut datagram),
            Side::B => self.b.handle_datagram(said, path, &mut datagram),
        }
    }

    fn fire(&mut self, side: Side, said: Instant) {
        match side {
            Side::A => self.a.handle_timeout(said),
            Side::B => self.b.handle_timeout(said),
        }
    }

    fn alarm(&self, side: Side) -> Option<Instant> {
        match side {
            Side::A => self.a.poll_timeout(),
            Side::B => self.b.poll_timeout(),
        }
    }

    fn next_alarm(&self) -> Option<(Instant, Side)> {
        let alarms = [(self.a.poll_timeout(), Side::A), (self.b.poll_timeout(), Side::B)];
        alarms.into_iter().filter_map(|(at, side)| Some((at?, side))).min()
    }

    fn next_datagram(&self) -> Option<(Instant, Side)> {
        let heads = [(self.to_a.waiting.front(), Side::A), (self.to_b.waiting.front(), Side::B)];
        heads.into_iter().filter_map(|(head, side)| Some((head?.0, side))).min()
    }

    /// The time that the next call to a machine is told.
    fn said(&mut self, side: Side) -> Instant {
        let said = self.said_in_passing(side);
        let latest = &mut self.mailbox(side).latest;
        *latest = said.max(*latest);
        said
    }

    /// The same for a call that the machine may ignore together with its time.
    fn said_in_passing(&mut self, side: Side) -> Instant {
        let back = std::mem::take(&mut self.back);
        let said = self.now.checked_sub(back).unwrap_or(self.now);
        if self.time == Time::Clamped { said.max(self.mailbox(side).latest) } else { said }
    }

    fn mailbox(&mut self, side: Side) -> &mut Mailbox<A::Path> {
        match side {
            Side::A => &mut self.to_a,
            Side::B => &mut self.to_b,
        }
    }
}
