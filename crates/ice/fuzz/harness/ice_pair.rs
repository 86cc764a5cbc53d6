//! Two agents, with datagrams changed on the way, and calls and alarms in any order.

use super::machine;
use testkit::fuzz::{Bounds, Mended, mend_stun, null_crypto, sequence};

pub(crate) fn run(data: &[u8]) {
    let make = |now, seed| {
        let (one, other) = machine::pair(null_crypto(), now, seed);
        (Mended { machine: one, mend: mend_stun }, Mended { machine: other, mend: mend_stun })
    };
    sequence(make, Bounds::new(256, 64 * 1_024), data);
}
