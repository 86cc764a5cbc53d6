//! The fuzz targets, with every input that is kept of them; see docs/fuzzing.md.

#[path = "common/machine.rs"]
mod machine;
#[path = "../fuzz/harness/sctp_chunks.rs"]
mod sctp_chunks;
#[path = "../fuzz/harness/sctp_handover.rs"]
mod sctp_handover;
#[path = "../fuzz/harness/sctp_pair.rs"]
mod sctp_pair;

testkit::fuzz_tests!(
    sctp_chunks: [
        "Connected", "ready", "message", "Fragments", "PeerAbort", "Shutdown", "Timeout", "Violation", "WrongFormat",
        "piece",
    ],
    sctp_handover: [
        "resumed", "Malformed", "NoHandover", "both ready in the end", "message",
    ],
    sctp_pair: [
        "both ready in the end", "message", "StreamReset", "PeerAbort", "LocalAbort", "Shutdown", "Closed",
        "Violation",
    ],
);
