//! What both sides must know to use it.

use super::{LIMIT, Outcome, Setting, bulk, check, exchange};
use crate::end::{MAX_MESSAGE, Mode, Reliability, Settings};
use crate::foreign::Foreign;
use crate::rig::Side;
use crate::traffic::{Flow, check_inboxes, transfer};
use std::time::Duration;

/// RFC 9653: without CRC32c where both agree, and always with it where one does not.
pub(super) fn zero_checksum(setting: Setting) -> Outcome {
    let settings = Settings { zero_checksum: true, ..setting.settings() };
    let mut rig = setting.connected_with([settings; 2])?;
    // Those of the handshake have one.
    rig.packets = [(0, 0); 2];
    exchange(&mut rig, 0)?;
    let begun = rig.now;
    let mut flows = Side::BOTH.map(|side| Flow::new(side, 1, Mode::ORDERED, [65_536; 10]));
    transfer(&mut rig, &mut flows, LIMIT)?;
    let knows = setting.foreign == Foreign::Dcsctp;
    for side in Side::BOTH {
        let (all, without) = rig.packets[side as usize];
        // COOKIE ECHO and its answer may be repeated.
        let is_right = if knows { without * 10 > all * 9 } else { without == 0 };
        check(is_right, || format!("{side:?}: {without} of {all} packets without a checksum"))?;
    }
    Ok(if knows { bulk::rate(&rig, begun, 655_360) } else { "no: every packet has one".to_owned() })
}

/// One read of a socket gives many packets: they are answered together, and the peer must not starve of SACKs.
pub(super) fn batched(setting: Setting) -> Outcome {
    let mut rig = setting.connected()?;
    rig.batch = Some(Duration::from_millis(5));
    let begun = rig.now;
    let mut flows = [Flow::new(Side::Theirs, 1, Mode::ORDERED, [65_536; 32])];
    transfer(&mut rig, &mut flows, LIMIT)?;
    let seconds = (rig.now - begun).as_secs_f64();
    // 2 MiB over 40 ms: slow start alone takes less than a second.
    check(setting.loss > 0.0 || seconds < 2.0, || {
        format!("2 MiB took {seconds:.1} s and nothing was lost: one SACK for many packets")
    })?;
    Ok(bulk::rate(&rig, begun, 2 << 20))
}

/// RFC 8260: large messages do not hold up small ones on other streams, and what is given up is said by I-FORWARD-TSN.
pub(super) fn interleaving(setting: Setting) -> Outcome {
    // Room for all messages at once: a full window of incomplete ones can never open again.
    let settings = Settings { interleaving: true, receive_window: 4 << 20, ..setting.settings() };
    let mut rig = setting.connected_with([settings; 2])?;
    if !rig.offers_interleaving {
        return Ok("not offered by us".to_owned());
    }
    let begun = rig.now;
    let partial = |ordered| Mode { ordered, reliability: Reliability::Retransmits(0) };
    let mut flows = Vec::new();
    for side in Side::BOTH {
        flows.push(Flow::new(side, 0, Mode::ORDERED, [MAX_MESSAGE; 4]));
        flows.push(Flow::new(side, 1, Mode::UNORDERED, [100_000; 4]));
        flows.push(Flow::new(side, 2, Mode::ORDERED, [10; 100]));
        flows.push(Flow::new(side, 3, partial(true), [9_000; 40]));
        flows.push(Flow::new(side, 4, partial(false), [9_000; 40]));
    }
    transfer(&mut rig, &mut flows, LIMIT)?;
    let rate = bulk::rate(&rig, begun, 4 * MAX_MESSAGE + 401_000);
    rig.run_for(Duration::from_secs(20))?;
    check_inboxes(&mut rig, &mut flows)?;
    exchange(&mut rig, 5)?;
    for side in Side::BOTH {
        let (plain, interleaved) = rig.data[side as usize];
        check(plain == 0 && interleaved > 0, || {
            format!("{side:?}: {plain} packets with DATA, {interleaved} with I-DATA")
        })?;
    }
    Ok(rate)
}
