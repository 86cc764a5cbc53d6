//! What goes over the line, for people.

use crate::rig::Side;
use std::{fmt::Write, time::Duration};

/// One packet in one line.
pub(crate) fn packet(now: Duration, from: Side, packet: &[u8], is_lost: bool) -> String {
    let mut out = format!("{:10.3} {from:?}", now.as_secs_f64());
    if is_lost {
        out.push_str(" LOST");
    }
    let mut rest = packet.get(12..).unwrap_or_default();
    while let [kind, flags, high, low, ..] = *rest {
        let len = usize::from(u16::from_be_bytes([high, low])).max(4);
        let word = |at: usize| {
            rest.get(at..at + 4).map_or(0, |four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
        };
        let _ = match kind {
            0 => write!(
                out,
                " DATA({flags:x} {} {}/{} {})",
                word(4),
                word(8) >> 16,
                word(8) & 0xffff,
                len - 16
            ),
            64 => write!(out, " I-DATA({flags:x} {} {}/{} {})", word(4), word(8) >> 16, word(12), len - 20),
            3 => write!(out, " SACK({} window {} gaps {})", word(4), word(8), word(12) >> 16),
            192 => write!(out, " FORWARD-TSN({} {:?})", word(4), rest.get(8..len)),
            194 => write!(out, " I-FORWARD-TSN({})", word(4)),
            130 => write!(out, " RE-CONFIG({:?})", rest.get(4..len)),
            6 => write!(out, " ABORT({:?})", rest.get(4..len)),
            1 => write!(out, " INIT"),
            2 => write!(out, " INIT-ACK"),
            4 => write!(out, " HEARTBEAT"),
            5 => write!(out, " HEARTBEAT-ACK"),
            7 => write!(out, " SHUTDOWN({})", word(4)),
            8 => write!(out, " SHUTDOWN-ACK"),
            10 => write!(out, " COOKIE-ECHO"),
            11 => write!(out, " COOKIE-ACK"),
            14 => write!(out, " SHUTDOWN-COMPLETE"),
            kind => write!(out, " {kind}({len})"),
        };
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    out
}
