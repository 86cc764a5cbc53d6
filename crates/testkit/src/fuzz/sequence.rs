//! Datagrams, alarms and calls in an order that the fuzzer chooses.

use super::{Input, reached};
use crate::{
    Machine, Seed, Side, clock,
    laws::rig::{Broken, Limits, Op, Rig, Time},
};
use std::time::{Duration, Instant};

/// Steps that one input may take.
const STEPS: usize = 300;
/// Virtual time of one drive.
const DRIVE: Duration = Duration::from_millis(10);

/// How much may come of one input.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Bounds {
    datagrams: usize,
    bytes: usize,
    epilogue: Duration,
}

impl Bounds {
    /// Most datagrams, and bytes in them, that a machine may have to send at one instant.
    #[must_use]
    pub const fn new(datagrams: usize, bytes: usize) -> Self {
        Self { datagrams, bytes, epilogue: Duration::from_secs(30) }
    }

    /// How long both machines go on, undisturbed, behind the end of the input. Default 30 s of virtual time.
    #[must_use]
    pub const fn with_epilogue(mut self, time: Duration) -> Self {
        self.epilogue = time;
        self
    }

    /// Datagrams, and bytes.
    pub(crate) const fn most(self) -> (usize, usize) {
        (self.datagrams, self.bytes)
    }
}

/// Reads `data` as a schedule for the two machines that `make` builds: datagrams that are polled, delivered, lost,
/// repeated, cut, changed, rewritten or made up, alarms, commands of the application, closing, and time.
///
/// The first byte chooses how far the two have come with each other before.
///
/// # Panics
///
/// When a machine panics, sends without end or more than `bounds` at one instant, asks for an alarm in the past
/// after one went off, says anything after its final event, or breaks its own [`check`](Machine::check).
pub fn sequence<A, B>(make: impl Fn(Instant, Seed) -> (A, B), bounds: Bounds, data: &[u8])
where
    A: Machine,
    B: Machine<Path = A::Path>,
{
    let mut input = Input::new(data);
    let head = input.u8();
    let (datagrams, bytes) = bounds.most();
    let limits = Limits { datagrams, bytes, alarms_per_second: 2_000 };
    let mut rig = Rig::new(make, clock::start(), Seed::new(u64::from(head >> 4)), Time::Exact).within(limits);
    let outcome = run(&mut rig, u32::from(head & 15), &mut input, bounds.epilogue);
    if let Err(Broken(what)) = outcome {
        panic!("{what}");
    }
}

fn run<A, B>(rig: &mut Rig<A, B>, head: u32, input: &mut Input<'_>, epilogue: Duration) -> Result<(), Broken>
where
    A: Machine,
    B: Machine<Path = A::Path>,
{
    // From nothing at all to ten seconds, in which anything is connected.
    if head > 0 {
        rig.drive(Duration::from_millis(1 << (head - 1).min(13)), Duration::ZERO)?;
    }
    let is_disturbed = !input.is_empty();
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        step(rig, input)?;
        if rig.are_ready() {
            reached("both ready");
        }
    }
    rig.drive(epilogue, Duration::ZERO)?;
    if is_disturbed && rig.are_ready() {
        reached("both ready in the end");
    }
    Ok(())
}

fn step<A, B>(rig: &mut Rig<A, B>, input: &mut Input<'_>) -> Result<(), Broken>
where
    A: Machine,
    B: Machine<Path = A::Path>,
{
    let code = input.u8();
    let side = if code & 1 == 0 { Side::A } else { Side::B };
    let op = match code >> 1 & 15 {
        0 => Op::Transmit(side),
        1 => Op::Deliver(side),
        2 => Op::Event(side),
        3 => Op::Timeout(side),
        4 => Op::Advance(input.u8().into()),
        5 => Op::Advance(input.u16()),
        6 => Op::Command(side, input.u32().into()),
        7 => Op::Garbage(side, input.chunk().to_vec()),
        8 => Op::Mutate(side, input.u8().into(), input.u16(), input.u8()),
        9 => Op::Truncate(side, input.u8().into(), input.u16()),
        10 => Op::Extend(side, input.u8().into(), input.u8()),
        11 => Op::Repeat(side, input.u8().into()),
        12 => Op::Rewrite(side, input.u8().into(), input.u16(), input.chunk().to_vec()),
        13 => return rig.drive(DRIVE * u32::from(input.u8()), Duration::ZERO),
        14 => Op::Lose(side),
        // Rarely: what comes after the end is soon told.
        _ => {
            if code >> 5 == 7 {
                rig.close(side);
            }
            return rig.drain_both();
        }
    };
    rig.apply(&op)?;
    // Every reaction is looked at, but for the calls that are there to be apart from it.
    if matches!(op, Op::Transmit(_) | Op::Event(_) | Op::Advance(_) | Op::Lose(_)) {
        return Ok(());
    }
    rig.drain_both()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;

    /// Answers each datagram with as many as its first byte says.
    struct Talker {
        left: u8,
        alarm: Option<Instant>,
    }

    impl Machine for Talker {
        type Path = ();
        type Event = ();
        const ENDS: bool = false;

        fn handle_datagram(&mut self, now: Instant, (): (), datagram: &mut [u8]) {
            self.left = datagram.first().copied().unwrap_or(0);
            self.alarm = (datagram.get(1) == Some(&1)).then_some(now);
            assert_ne!(datagram.get(1), Some(&2), "two");
        }

        fn handle_timeout(&mut self, _: Instant) {}

        fn poll_transmit(&mut self, _: Instant, out: &mut Vec<u8>) -> Option<((), NonZeroUsize)> {
            self.left = self.left.checked_sub(1)?;
            out.push(0);
            Some(((), NonZeroUsize::MIN))
        }

        fn poll_event(&mut self) -> Option<()> {
            None
        }

        fn poll_timeout(&self) -> Option<Instant> {
            self.alarm
        }
    }

    fn talk(first: &[u8]) {
        let make = |_, _| (Talker { left: 1, alarm: None }, Talker { left: 1, alarm: None });
        // Both say something, so that there is a path to answer on, and then comes made-up input for the first.
        let mut data = vec![1, 7 << 1, u8::try_from(first.len()).unwrap()];
        data.extend_from_slice(first);
        data.extend_from_slice(&[3 << 1, 13 << 1, 1]);
        sequence(make, Bounds::new(20, 1_000), &data);
    }

    #[test]
    fn a_quiet_machine_is_fine() {
        talk(&[20, 0]);
    }

    #[test]
    #[should_panic(expected = "more than 20 datagrams")]
    fn too_many_answers_are_noticed() {
        talk(&[21, 0]);
    }

    #[test]
    #[should_panic(expected = "busy loop")]
    fn an_alarm_that_does_not_move_is_noticed() {
        talk(&[0, 1]);
    }

    #[test]
    #[should_panic(expected = "two")]
    fn a_panic_comes_through() {
        talk(&[0, 2]);
    }
}
