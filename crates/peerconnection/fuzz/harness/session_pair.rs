//! Two whole sessions with data, sound and pictures, with datagrams changed on the way, and calls of the application
//! and alarms in any order.

use super::peer;
use peerconnection::Configuration;
use testkit::fuzz::{Bounds, Mended, mend_stun, null_crypto, sequence};

pub(crate) fn run(data: &[u8]) {
    let configuration = Configuration::new(null_crypto());
    let make = |now, seed| {
        let (alice, bob) = peer::pair(&configuration, now, seed);
        (Mended { machine: alice, mend: mend_stun }, Mended { machine: bob, mend: mend_stun })
    };
    sequence(make, Bounds::new(4_096, 4 * 1_024 * 1_024), data);
}
