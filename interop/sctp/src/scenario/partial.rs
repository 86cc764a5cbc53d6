//! Messages that may be given up.

use super::{LIMIT, Outcome, Setting, check, exchange};
use crate::end::{MAX_MESSAGE, Mode, Reliability};
use crate::rig::{Rig, Side};
use crate::traffic::{Flow, check_inboxes, transfer};
use std::time::Duration;

/// One byte, a packet, several.
const SIZES: &[usize] = &[10, 900, 1_132, 2_500, 100, 6_000];

/// After it nothing is on its way any more.
const QUIET: Duration = Duration::from_secs(10);

pub(super) fn no_retransmits(setting: Setting) -> Outcome {
    run(setting, Reliability::Retransmits(0), SIZES, 50)
}

pub(super) fn three_retransmits(setting: Setting) -> Outcome {
    run(setting, Reliability::Retransmits(3), SIZES, 50)
}

pub(super) fn lifetime(setting: Setting) -> Outcome {
    run(setting, Reliability::Lifetime(Duration::from_millis(100)), SIZES, 50)
}

pub(super) fn fragmented(setting: Setting) -> Outcome {
    run(setting, Reliability::Retransmits(0), &[30_000, 20_000, 70_000], 20)
}

/// Everything in two modes both ways; then nothing is held anywhere and a reliable transfer has the whole window.
fn run(setting: Setting, reliability: Reliability, sizes: &[usize], times: usize) -> Outcome {
    let mut rig = setting.connected()?;
    exchange(&mut rig, 5)?;
    rig.run_for(Duration::from_secs(5))?;
    let whole = rig.ours.association.stats().peer_window;
    let mut flows = Vec::new();
    for side in Side::BOTH {
        for (stream, ordered) in [(0, true), (1, false), (2, true)] {
            flows.push(Flow::new(side, stream, Mode { ordered, reliability }, sizes.repeat(times)));
        }
    }
    transfer(&mut rig, &mut flows, LIMIT)?;
    // What is on its way, or in a queue, or waits for a timer.
    let (mut before, (mut arrived, sent)) = (usize::MAX, count(&flows));
    while before != arrived || !rig.ours.association.is_flushed() {
        before = arrived;
        rig.run_for(QUIET)?;
        check_inboxes(&mut rig, &mut flows)?;
        arrived = count(&flows).0;
    }
    if setting.loss == 0.0 && !matches!(reliability, Reliability::Lifetime(_)) {
        check(arrived == sent, || format!("{arrived} of {sent} messages arrived, and nothing was lost"))?;
    }
    check(arrived > 0, || "nothing arrived".to_owned())?;
    exchange(&mut rig, 5)?;
    // Our SACK may be delayed, theirs too.
    rig.run_for(Duration::from_secs(5))?;
    nothing_held(&mut rig, whole)?;

    let mut flows = Side::BOTH.map(|side| Flow::new(side, 6, Mode::ORDERED, [MAX_MESSAGE; 4]));
    transfer(&mut rig, &mut flows, LIMIT)?;
    Ok(format!("{arrived} of {sent}"))
}

/// The windows are as they were in the beginning.
fn nothing_held(rig: &mut Rig, whole: usize) -> Result<(), String> {
    let stats = rig.ours.association.stats();
    // A little for each stream is no message.
    check(stats.receive_held < 100, || format!("we hold {} bytes of nothing", stats.receive_held))?;
    check(rig.ours.association.is_flushed(), || format!("something is left to send: {stats:?}"))?;
    // The last SACK may have come before the last message was read.
    check(stats.peer_window + 6_100 > whole, || {
        format!("the peer's window is {} bytes of {whole}", stats.peer_window)
    })
}

fn count(flows: &[Flow]) -> (usize, usize) {
    (flows.iter().map(Flow::arrived).sum(), flows.iter().map(Flow::count).sum())
}
