//! The client of a handshake, and messages, records and alarms that its peer makes up.

use super::lone;
use dtls::Role;

pub(crate) fn run(data: &[u8]) {
    lone::run(Role::Client, data);
}
