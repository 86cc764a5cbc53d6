//! A client and its server, with datagrams changed on the way, and calls and alarms in any order.

use super::machine;
use testkit::fuzz::{Bounds, Mended, mend_stun, null_crypto, sequence};

pub(crate) fn run(data: &[u8]) {
    let make = |now, seed| {
        let (client, server) = machine::pair(null_crypto(), now, seed);
        (Mended { machine: client, mend: mend_stun }, Mended { machine: server, mend: mend_stun })
    };
    sequence(make, Bounds::new(64, 128 * 1_024), data);
}
