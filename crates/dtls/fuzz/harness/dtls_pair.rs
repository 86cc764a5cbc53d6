//! Client and server, with datagrams changed on the way, and calls and alarms in any order.

use super::{keys, machine};
use dtls::Config;
use testkit::fuzz::{Bounds, Mended, null_crypto, sequence};

pub(crate) fn run(data: &[u8]) {
    let mend: fn(&mut [u8]) =
        if data.last().is_some_and(|last| last & 1 == 1) { mend_lengths } else { |_| () };
    let make = |now, seed| {
        let config = Config::new(null_crypto()).with_mtu(400);
        let (client, server) = machine::pair(null_crypto(), config, keys::null_pair(), now, seed);
        (Mended { machine: client, mend }, Mended { machine: server, mend })
    };
    sequence(make, Bounds::new(64, 64 * 1_024), data);
}

/// Lets a record, and a handshake message in it, end where the datagram does, so that a change of length elsewhere
/// is not noticed by these fields alone.
fn mend_lengths(datagram: &mut [u8]) {
    let Some(body) = datagram.len().checked_sub(13).and_then(|len| u16::try_from(len).ok()) else { return };
    datagram[11..13].copy_from_slice(&body.to_be_bytes());
    if let (22, 0, Some(len)) = (datagram[0], datagram[4], body.checked_sub(12)) {
        let [high, low] = len.to_be_bytes();
        datagram[14..17].copy_from_slice(&[0, high, low]);
        datagram[19..25].copy_from_slice(&[0, 0, 0, 0, high, low]);
    }
}
