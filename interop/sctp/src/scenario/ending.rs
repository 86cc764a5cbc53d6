//! How an association ends, or begins anew.

use super::{LIMIT, Outcome, Setting, check, exchange, time};
use crate::end::{Fact, Mode};
use crate::rig::{Rig, Side};
use crate::traffic::{Flow, check_inboxes};
use std::time::Duration;

pub(super) fn shutdown_by_us(setting: Setting) -> Outcome {
    shutdown(setting, Side::Ours)
}

pub(super) fn shutdown_by_them(setting: Setting) -> Outcome {
    shutdown(setting, Side::Theirs)
}

pub(super) fn abort_by_us(setting: Setting) -> Outcome {
    abort(setting, Side::Ours)
}

pub(super) fn abort_by_them(setting: Setting) -> Outcome {
    abort(setting, Side::Theirs)
}

fn shutdown(setting: Setting, by: Side) -> Outcome {
    let mut rig = setting.connected()?;
    exchange(&mut rig, 0)?;
    let mut flows = [Flow::new(by, 1, Mode::ORDERED, [20_000; 20])];
    flows[0].send(&mut rig)?;
    check(flows[0].is_sent(), || "400 kB do not fit into the send buffer".to_owned())?;
    rig.may_end = true;
    let now = rig.now;
    rig.end(by).shutdown(now);
    ended(&mut rig, Side::Ours, true)?;
    // Its last packet can be lost with nobody left to repeat it: timers of the other side end that one.
    ended(&mut rig, Side::Theirs, setting.loss == 0.0)?;
    check_inboxes(&mut rig, &mut flows)?;
    check(flows[0].arrived() == flows[0].count(), || {
        format!("{} messages of 20 arrived", flows[0].arrived())
    })?;
    Ok(time(&rig))
}

fn abort(setting: Setting, by: Side) -> Outcome {
    let mut rig = setting.connected()?;
    exchange(&mut rig, 0)?;
    let mut flow = Flow::new(by, 1, Mode::ORDERED, [20_000; 20]);
    flow.send(&mut rig)?;
    rig.run_for(Duration::from_millis(50))?;
    rig.may_end = true;
    let now = rig.now;
    rig.end(by).abort(now);
    // ABORT is not repeated (RFC 9260 §9.1): a lost one is noticed by the next packet, or by silence.
    rig.run_until(LIMIT, "abort", |rig| {
        let other = by.other();
        if rig.closed(other).is_none() && rig.now.as_millis().is_multiple_of(3) {
            let now = rig.now;
            let _ = rig.end(other).send(now, 2, b"are you there?", Mode::ORDERED);
        }
        Ok(rig.closed(other).is_some())
    })?;
    if let Some((gracefully, why)) = rig.closed(by.other())
        && by == Side::Theirs
    {
        check(!gracefully, || format!("an abort that looks graceful: {why}"))?;
    }
    Ok(time(&rig))
}

pub(super) fn restart(setting: Setting) -> Outcome {
    let mut rig = setting.connected()?;
    exchange(&mut rig, 0)?;
    exchange(&mut rig, 0)?;
    // Something is on its way both times.
    for round in 0..2 {
        let mut flow = Flow::new(Side::Ours, 9, Mode::ORDERED, [20_000; 10]);
        flow.send(&mut rig)?;
        rig.run_for(Duration::from_millis(30))?;
        rig.facts = [Vec::new(), Vec::new()];
        rig.replace_theirs(crate::end::Settings { seed: setting.seed + 100 + round, ..setting.settings() });
        let now = rig.now;
        rig.theirs.connect(now);
        rig.run_until(LIMIT, "restart", |rig| {
            Ok(rig.has(Side::Ours, &Fact::Restarted) && rig.has(Side::Theirs, &Fact::Connected))
        })?;
        for inbox in &mut rig.inbox {
            inbox.clear();
        }
        // Streams begin at zero again.
        exchange(&mut rig, 0)?;
    }
    Ok(time(&rig))
}

/// Runs until that side's association is over.
fn ended(rig: &mut Rig, side: Side, gracefully: bool) -> Result<(), String> {
    rig.run_until(LIMIT, "end", |rig| Ok(rig.closed(side).is_some()))?;
    let (is_graceful, why) = rig.closed(side).unwrap_or_default();
    check(is_graceful || !gracefully, || format!("{side:?}: not a graceful end: {why}"))
}
