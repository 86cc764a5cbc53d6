//! Two sides with channels, with packets changed on the way, and calls and alarms in any order.

use super::machine;
use datachannel::Config;
use testkit::fuzz::{Bounds, Mended, mend_sctp, null_crypto, sequence};

pub(crate) fn run(data: &[u8]) {
    let make = |now, seed| {
        let config = Config::new(&null_crypto()).expect("invariant: the provider has HMAC");
        let (one, other) = machine::pair(config, now, seed);
        (Mended { machine: one, mend: mend_sctp }, Mended { machine: other, mend: mend_sctp })
    };
    sequence(make, Bounds::new(1_024, 1_024 * 1_024), data);
}
