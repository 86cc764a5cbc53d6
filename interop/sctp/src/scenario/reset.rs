//! Streams that end and begin anew.

use super::{LIMIT, Outcome, Setting, time};
use crate::end::{Fact, Mode};
use crate::rig::Side;
use crate::traffic::{Flow, transfer};

const TIMES: usize = 100;
const STREAM: u16 = 3;

pub(super) fn by_us(setting: Setting) -> Outcome {
    run(setting, Side::Ours)
}

pub(super) fn by_them(setting: Setting) -> Outcome {
    run(setting, Side::Theirs)
}

/// As a data channel closes: one side resets its direction, the other one follows.
fn run(setting: Setting, first: Side) -> Outcome {
    let mut rig = setting.connected()?;
    for round in 1..=TIMES {
        // Sequence numbers that did not begin anew would keep the ordered ones back.
        let mut flows = Side::BOTH.map(|side| Flow::new(side, STREAM, Mode::ORDERED, [10, 3_000, 1, 500]));
        transfer(&mut rig, &mut flows, LIMIT).map_err(|error| format!("round {round}: {error}"))?;
        let now = rig.now;
        rig.end(first).reset(now, STREAM).map_err(|error| format!("{first:?}, round {round}: {error}"))?;
        let mut has_followed = false;
        rig.run_until(LIMIT, &format!("reset {round}"), |rig| {
            if !has_followed && rig.has(first.other(), &Fact::IncomingReset(STREAM)) {
                has_followed = true;
                let now = rig.now;
                rig.end(first.other())
                    .reset(now, STREAM)
                    .map_err(|error| format!("{:?}, round {round}: {error}", first.other()))?;
            }
            Ok(Side::BOTH.into_iter().all(|side| {
                rig.has(side, &Fact::IncomingReset(STREAM)) && rig.has(side, &Fact::OutgoingReset(STREAM))
            }))
        })
        .map_err(|error| format!("{error}; {:?}", rig.facts))?;
        for facts in &mut rig.facts {
            facts.clear();
        }
    }
    Ok(time(&rig))
}
