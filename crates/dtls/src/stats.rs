//! Counters of one connection.

/// What a connection has counted since it was made.
///
/// Everything that is dropped raises exactly one of the `dropped_*` and `ignored_*` counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Records that were accepted.
    pub records_received: u64,
    /// Records that were written.
    pub records_sent: u64,
    /// Bytes of application data delivered.
    pub application_bytes_received: u64,
    /// Bytes of application data sealed.
    pub application_bytes_sent: u64,
    /// Flights sent again, after a timeout or because the peer repeated its own.
    pub flights_resent: u64,
    /// Datagrams or their rests that were no records of this protocol.
    pub dropped_malformed: u64,
    /// Records whose tag was wrong.
    pub dropped_unauthentic: u64,
    /// Records whose sequence number was seen before or is too old.
    pub dropped_replayed: u64,
    /// Records in clear text after the handshake, and of epochs that do not exist.
    pub dropped_epoch: u64,
    /// Records of a type, or with a content, that has no place at the moment.
    pub dropped_unexpected: u64,
    /// Handshake fragments that contradict others, are too far ahead, or beyond a limit.
    pub dropped_fragments: u64,
    /// Fragments of messages that were complete already.
    pub duplicate_fragments: u64,
    /// Early records that did not fit the bounded queue.
    pub dropped_early: u64,
    /// Alerts in clear text, which prove nothing.
    pub ignored_alerts: u64,
    /// Attempts of the peer to negotiate anew.
    pub refused_renegotiations: u64,
    /// Application data that was too long for one record, or empty.
    pub oversized_writes: u64,
}
