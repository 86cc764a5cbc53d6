//! A receiver that is slow, or small.

use super::{LIMIT, Outcome, Setting, bulk, check};
use crate::end::{Mode, Settings};
use crate::rig::Side;
use crate::traffic::{Flow, transfer};
use std::time::Duration;

pub(super) fn slow_reader(setting: Setting) -> Outcome {
    let mut rig = setting.connected()?;
    for reader in Side::BOTH {
        rig.reads = [true; 2];
        rig.reads[reader as usize] = false;
        let mut flow = Flow::new(reader.other(), 1, Mode::ORDERED, [50_000; 80]);
        let deadline = rig.now + Duration::from_secs(20);
        while rig.now < deadline {
            flow.send(&mut rig)?;
            rig.run_for(Duration::from_millis(100))?;
        }
        check(!flow.is_sent(), || format!("{:?} took everything, and nobody reads", reader.other()))?;
        rig.reads = [true; 2];
        transfer(&mut rig, std::slice::from_mut(&mut flow), LIMIT)?;
    }
    Ok(String::new())
}

pub(super) fn small(setting: Setting) -> Outcome {
    let small = Settings { receive_window: 32 << 10, ..setting.settings() };
    let mut rig = setting.connected_with([small; 2])?;
    let begun = rig.now;
    let mut flows = Vec::new();
    for side in Side::BOTH {
        flows.push(Flow::new(side, 0, Mode::ORDERED, [8_000; 64]));
        flows.push(Flow::new(side, 1, Mode::UNORDERED, [1_000; 512]));
    }
    transfer(&mut rig, &mut flows, LIMIT)?;
    Ok(bulk::rate(&rig, begun, 1_024_000))
}
