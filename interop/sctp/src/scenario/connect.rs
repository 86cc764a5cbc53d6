//! How an association begins.

use super::{Outcome, Setting, exchange, time};
use crate::end::Settings;

pub(super) fn both(setting: Setting) -> Outcome {
    connect(setting, false, false)
}

pub(super) fn ours(setting: Setting) -> Outcome {
    connect(setting, false, true)
}

pub(super) fn theirs(setting: Setting) -> Outcome {
    connect(setting, true, false)
}

fn connect(setting: Setting, we_wait: bool, they_wait: bool) -> Outcome {
    let settings = setting.settings();
    let mut rig = setting.connected_with([
        Settings { passive: we_wait, ..settings },
        Settings { passive: they_wait, ..settings },
    ])?;
    let connected = time(&rig);
    exchange(&mut rig, 0)?;
    exchange(&mut rig, 7)?;
    Ok(connected)
}
