//! Much data, reliably.

use super::{LIMIT, Outcome, Setting};
use crate::end::{MAX_MESSAGE, Mode};
use crate::rig::{Rig, Side};
use crate::traffic::{Flow, transfer};
use std::time::Duration;

/// Around every border: of a chunk, a packet, a window.
const SIZES: &[usize] =
    &[1, 2, 100, 1_131, 1_132, 1_133, 1_160, 1_200, 16_384, 65_535, 65_536, 100_000, MAX_MESSAGE, 3, 1_000];

pub(super) fn both_ways(setting: Setting) -> Outcome {
    let mut rig = setting.connected()?;
    let begun = rig.now;
    let mut flows = Vec::new();
    for side in Side::BOTH {
        flows.push(Flow::new(side, 0, Mode::ORDERED, SIZES.repeat(3)));
        flows.push(Flow::new(side, 1, Mode::UNORDERED, SIZES.repeat(3)));
    }
    transfer(&mut rig, &mut flows, LIMIT)?;
    Ok(rate(&rig, begun, 2 * 3 * SIZES.iter().sum::<usize>()))
}

pub(super) fn many_streams(setting: Setting) -> Outcome {
    let mut rig = setting.connected()?;
    let begun = rig.now;
    let mut flows = Vec::new();
    for side in Side::BOTH {
        for stream in 0..100 {
            let mode = if stream % 2 == 0 { Mode::ORDERED } else { Mode::UNORDERED };
            flows.push(Flow::new(side, stream, mode, [3_000, 10, 20_000, 1, 999]));
        }
    }
    transfer(&mut rig, &mut flows, LIMIT)?;
    Ok(rate(&rig, begun, 100 * 24_010))
}

/// Of one direction.
pub(super) fn rate(rig: &Rig, begun: Duration, bytes: usize) -> String {
    format!("{:.1} Mbit/s", bytes as f64 * 8.0 / (rig.now - begun).as_secs_f64() / 1e6)
}
