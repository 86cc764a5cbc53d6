//! The seven laws of the sans-IO idiom as property tests over any [`Machine`].
//!
//! Each law takes a function that builds two machines which talk to each other over a perfect wire, and tries it
//! with a few dozen random schedules. A schedule that breaks the law is shrunk to a short one and printed.
//! `TESTKIT_SEED` changes the schedules, `TESTKIT_SEEDS` their number.
//!
//! | law | what is checked |
//! | --- | --- |
//! | L1 [`order_free`] | any interleaving of the calls works, and both sides become ready afterwards |
//! | L2 [`no_busy_loop`] | after `handle_timeout(t)` and draining, the next alarm is later than `t` |
//! | L3 [`monotone`] | a `now` that went back has the effect of the latest `now`, byte for byte |
//! | L4 [`deterministic`] | same seed and calls, same outputs, byte for byte |
//! | L5 [`total`] | no datagram, however mutilated, makes a machine panic or talk without end |
//! | L6 [`output_on_poll`] | polls only append, `None` stays `None` until something happens, `poll_timeout` is pure |
//! | L7 [`closed_is_final`] | after the final event nothing comes out any more, whatever goes in |

pub(crate) mod rig;

use crate::{Machine, Seed, Side, clock, seed::number_from_env};
use proptest::{
    prelude::{Strategy, any, prop_oneof},
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};
use rig::{Broken, Op, Rig, Time};
use std::time::{Duration, Instant};

/// Schedules tried per law.
const CASES: u32 = 48;
/// The longest random schedule.
const OPS: usize = 150;
/// How long a perfect wire may take until both sides are ready.
const PATIENCE: Duration = Duration::from_secs(90);

/// The tests of the seven laws, one each, for what the given function builds:
/// `testkit::law_tests!(make);` with `fn make(now: Instant, seed: Seed) -> (A, B)`.
#[macro_export]
macro_rules! law_tests {
    ($make:path) => {
        $crate::law_tests! { $make:
            l1_any_order_of_calls_works: order_free,
            l2_there_is_no_busy_loop: no_busy_loop,
            l3_time_does_not_run_backwards: monotone,
            l4_same_seed_same_bytes: deterministic,
            l5_no_datagram_does_harm: total,
            l6_output_comes_from_polls: output_on_poll,
            l7_closed_is_final: closed_is_final,
        }
    };
    ($make:path: $($test:ident: $law:ident,)+) => {
        $(
            #[test]
            fn $test() {
                $crate::laws::$law($make);
            }
        )+
    };
}

/// Checks all seven laws.
///
/// # Panics
///
/// When one does not hold.
pub fn check_all<A, B>(make: impl Fn(Instant, Seed) -> (A, B))
where
    A: Machine,
    B: Machine<Path = A::Path>,
{
    order_free(&make);
    no_busy_loop(&make);
    monotone(&make);
    deterministic(&make);
    total(&make);
    output_on_poll(&make);
    closed_is_final(&make);
}

/// L1: any order of calls is valid.
///
/// # Panics
///
/// When the law does not hold.
pub fn order_free<A, B>(make: impl Fn(Instant, Seed) -> (A, B))
where
    A: Machine,
    B: Machine<Path = A::Path>,
{
    run("L1 order-free", ops(false), |seed, ops| {
        let mut rig = Rig::new(&make, clock::start(), seed, Time::Exact);
        rig.apply_all(ops)?;
        rig.drive_until_ready(PATIENCE)
    });
}

/// L2: no busy loop, whether the other side answers, is silent, or alarms come late.
///
/// # Panics
///
/// When the law does not hold.
pub fn no_busy_loop<A, B>(make: impl Fn(Instant, Seed) -> (A, B))
where
    A: Machine,
    B: Machine<Path = A::Path>,
{
    run("L2 no busy loop", ops(false), |seed, ops| {
        let mut rig = Rig::new(&make, clock::start(), seed, Time::Exact);
        rig.drive(Duration::from_secs(60), Duration::ZERO)?;
        rig.apply_all(ops)?;
        // Every alarm up to half a second late, as on a loaded machine; then nobody answers any more.
        rig.drive(Duration::from_secs(30), Duration::from_millis(500))?;
        rig.cut();
        rig.drive(Duration::from_secs(120), Duration::ZERO)
    });
}

/// L3: a `now` earlier than one seen before is treated as the latest seen.
///
/// # Panics
///
/// When the law does not hold.
pub fn monotone<A, B>(make: impl Fn(Instant, Seed) -> (A, B))
where
    A: Machine,
    B: Machine<Path = A::Path>,
{
    run("L3 monotone", ops(false), |seed, ops| {
        let start = clock::start();
        let mut straight = Rig::new(&make, start, seed, Time::Clamped);
        let mut crooked = Rig::new(&make, start, seed, Time::Backward);
        for op in ops {
            straight.apply(op)?;
            crooked.apply(op)?;
        }
        crooked.same_as(&straight)
    });
}

/// L4: same seed and same calls give the same outputs.
///
/// # Panics
///
/// When the law does not hold.
pub fn deterministic<A, B>(make: impl Fn(Instant, Seed) -> (A, B))
where
    A: Machine,
    B: Machine<Path = A::Path>,
{
    run("L4 deterministic", ops(true), |seed, ops| {
        let start = clock::start();
        let mut first = Rig::new(&make, start, seed, Time::Exact);
        let mut second = Rig::new(&make, start, seed, Time::Exact);
        for rig in [&mut first, &mut second] {
            rig.apply_all(ops)?;
            rig.drive(Duration::from_secs(10), Duration::ZERO)?;
        }
        second.same_as(&first)
    });
}

/// L5: arbitrary, mutated, repeated and truncated datagrams never panic, loop or flood.
///
/// # Panics
///
/// When the law does not hold.
pub fn total<A, B>(make: impl Fn(Instant, Seed) -> (A, B))
where
    A: Machine,
    B: Machine<Path = A::Path>,
{
    run("L5 total", ops(true), |seed, ops| {
        let mut rig = Rig::new(&make, clock::start(), seed, Time::Exact);
        // Half of the cases disturb a running session, the other half its beginning.
        if seed.value().is_multiple_of(2) {
            rig.drive(Duration::from_secs(5), Duration::ZERO)?;
        }
        for op in ops {
            rig.apply(op)?;
            rig.drain_both()?;
        }
        rig.drive(Duration::from_secs(30), Duration::ZERO)
    });
}

/// Beyond L5, for machines that authenticate: noise and forgeries beside the real datagrams do not keep the two
/// sides from becoming ready. Not part of [`check_all`].
///
/// # Panics
///
/// When they do.
pub fn noise_is_harmless<A, B>(make: impl Fn(Instant, Seed) -> (A, B))
where
    A: Machine,
    B: Machine<Path = A::Path>,
{
    run("noise is harmless", ops(true), |seed, ops| {
        let mut rig = Rig::new(&make, clock::start(), seed, Time::Exact);
        rig.apply_all(ops)?;
        rig.drive_until_ready(PATIENCE)
    });
}

/// L6: output happens in polls. They append only, `None` stays `None` until something happens, and
/// `poll_timeout` changes nothing.
///
/// # Panics
///
/// When the law does not hold.
pub fn output_on_poll<A, B>(make: impl Fn(Instant, Seed) -> (A, B))
where
    A: Machine,
    B: Machine<Path = A::Path>,
{
    run("L6 output on poll", ops(false), |seed, ops| {
        let mut rig = Rig::new(&make, clock::start(), seed, Time::Exact);
        for op in ops {
            rig.apply(op)?;
            rig.drain_both()?;
            rig.stays_dry(Side::A)?;
            rig.stays_dry(Side::B)?;
        }
        Ok(())
    });
}

/// L7: after the final event nothing comes out, and later inputs are ignored.
///
/// # Panics
///
/// When the law does not hold, or when a machine that [ends](Machine::ENDS) does not.
pub fn closed_is_final<A, B>(make: impl Fn(Instant, Seed) -> (A, B))
where
    A: Machine,
    B: Machine<Path = A::Path>,
{
    run("L7 closed is final", ops(true), |seed, ops| {
        let mut rig = Rig::new(&make, clock::start(), seed, Time::Exact);
        // Closing at the very start, in the middle of a handshake, and after it.
        let head = Duration::from_millis(seed.value() % 3 * 40);
        rig.drive(head, Duration::ZERO)?;
        rig.close(if seed.value().is_multiple_of(2) { Side::A } else { Side::B });
        rig.drive(PATIENCE, Duration::ZERO)?;
        rig.close(Side::A);
        rig.close(Side::B);
        rig.drive(Duration::from_secs(600), Duration::ZERO)?;
        rig.has_ended()?;
        // The rig refuses any output of a side that has said its last word.
        rig.apply_all(ops)?;
        rig.drain_both()
    });
}

/// Runs a law over random schedules. Schedules depend on `TESTKIT_SEED` alone.
fn run(law: &str, ops: impl Strategy<Value = Vec<Op>>, check: impl Fn(Seed, &[Op]) -> Result<(), Broken>) {
    let cases = number_from_env("TESTKIT_SEEDS").and_then(|cases| u32::try_from(cases).ok()).unwrap_or(CASES);
    let seed = Seed::from_env_or(0);
    let config = Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed.fork(law).value()),
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&(any::<u64>(), ops), |(machines, ops)| {
        check(Seed::new(machines), &ops).map_err(|Broken(what)| TestCaseError::fail(what))
    });
    if let Err(error) = outcome {
        panic!("{law} does not hold (TESTKIT_SEED={seed} replays it): {error}");
    }
}

/// Random schedules, with or without hostile input.
fn ops(hostile: bool) -> impl Strategy<Value = Vec<Op>> {
    let side = prop_oneof![proptest::strategy::Just(Side::A), proptest::strategy::Just(Side::B)].boxed();
    let friendly = prop_oneof![
        4 => side.clone().prop_map(Op::Transmit),
        4 => side.clone().prop_map(Op::Deliver),
        2 => side.clone().prop_map(Op::Event),
        2 => side.clone().prop_map(Op::Timeout),
        2 => (0_u16..20).prop_map(Op::Advance),
        1 => (0_u16..2_000).prop_map(Op::Back),
        2 => (side.clone(), any::<u64>()).prop_map(|(side, choice)| Op::Command(side, choice)),
    ]
    .boxed();
    let nasty = prop_oneof![
        2 => (side.clone(), proptest::collection::vec(any::<u8>(), 0..80))
            .prop_map(|(side, bytes)| Op::Garbage(side, bytes)),
        4 => (side.clone(), any::<u16>(), any::<u16>(), any::<u8>())
            .prop_map(|(side, which, at, value)| Op::Mutate(side, which, at, value)),
        2 => (side.clone(), any::<u16>(), any::<u16>()).prop_map(|(side, which, len)| Op::Truncate(side, which, len)),
        2 => (side.clone(), any::<u16>(), 1_u8..40).prop_map(|(side, which, more)| Op::Extend(side, which, more)),
        2 => (side, any::<u16>()).prop_map(|(side, which)| Op::Repeat(side, which)),
    ]
    .boxed();
    let mixed = if hostile { prop_oneof![3 => friendly, 2 => nasty].boxed() } else { friendly };
    proptest::collection::vec(mixed, 0..OPS)
}
