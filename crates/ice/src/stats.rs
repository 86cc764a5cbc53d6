//! What the agent counts.

use crate::{Candidate, ConnectionState, GatheringState, Role};
use std::time::{Duration, Instant};

/// A snapshot, see [`Agent::stats`](crate::Agent::stats).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stats {
    /// Our role.
    pub role: Role,
    /// The state of the connection.
    pub connection_state: ConnectionState,
    /// The state of gathering.
    pub gathering_state: GatheringState,
    /// Our candidates of this generation, as signalled.
    pub local_candidates: Vec<Candidate>,
    /// The peer's candidates of this generation, signalled and learnt.
    pub remote_candidates: Vec<Candidate>,
    /// The pairs of this generation.
    pub pairs: Vec<PairStats>,
    /// How often the selected pair changed.
    pub selected_pair_changes: u64,
    /// What happened to datagrams and candidates.
    pub counters: Counters,
}

/// One pair, with the fields of the W3C `RTCIceCandidatePairStats`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PairStats {
    /// Our candidate, as the peer sees it.
    pub local: Candidate,
    /// The peer's candidate.
    pub remote: Candidate,
    /// The state of its checks.
    pub state: CandidatePairState,
    /// Its priority (RFC 8445 §6.1.2.3).
    pub priority: u64,
    /// Whether it is nominated.
    pub nominated: bool,
    /// Whether data travels on it.
    pub selected: bool,
    /// What was counted on it.
    pub counters: PairCounters,
    /// The round-trip time last measured.
    pub current_round_trip_time: Option<Duration>,
}

/// The state of a pair, as in the W3C `RTCStatsIceCandidatePairState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8445 §6.1.2.6 has these five")]
pub enum CandidatePairState {
    /// Not to be checked yet.
    Frozen,
    /// To be checked.
    Waiting,
    /// Being checked.
    InProgress,
    /// Its check failed.
    Failed,
    /// Its check succeeded.
    Succeeded,
}

/// What is counted per pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PairCounters {
    /// Datagrams of data sent.
    pub packets_sent: u64,
    /// Datagrams of data received.
    pub packets_received: u64,
    /// Bytes of data sent, without TURN framing.
    pub bytes_sent: u64,
    /// Bytes of data received, without TURN framing.
    pub bytes_received: u64,
    /// When data was last sent.
    pub last_packet_sent: Option<Instant>,
    /// When data was last received.
    pub last_packet_received: Option<Instant>,
    /// Sum of all round-trip times measured.
    pub total_round_trip_time: Duration,
    /// Checks sent, retransmissions and consent checks included.
    pub requests_sent: u64,
    /// Valid checks received.
    pub requests_received: u64,
    /// Responses sent.
    pub responses_sent: u64,
    /// Valid responses received.
    pub responses_received: u64,
    /// Consent checks sent (RFC 7675).
    pub consent_requests_sent: u64,
}

/// What is counted per agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Datagrams from a path that passed no authenticated check, or after the end.
    pub unvalidated: u64,
    /// STUN messages without valid credentials.
    pub unauthenticated: u64,
    /// Datagrams that look like STUN and are not.
    pub malformed: u64,
    /// Responses to nothing that was asked.
    pub stray_responses: u64,
    /// Valid responses from another address than the request went to (RFC 8445 §7.2.5.2.1).
    pub asymmetric_responses: u64,
    /// STUN messages longer than 2,048 bytes, and empty datagrams.
    pub bad_length: u64,
    /// Role conflicts seen.
    pub role_conflicts: u64,
    /// Remote TCP candidates, which are not used.
    pub tcp_candidates: u64,
    /// Remote candidates that can never work: other components, transports, unspecified or multicast addresses.
    pub useless_candidates: u64,
    /// Remote candidates whose name could not be resolved.
    pub unresolved_candidates: u64,
    /// Responses not sent because too many were waiting.
    pub responses_dropped: u64,
    /// Sends that the operating system refused.
    pub send_errors: u64,
    /// Consent expiries.
    pub consent_expiries: u64,
}
