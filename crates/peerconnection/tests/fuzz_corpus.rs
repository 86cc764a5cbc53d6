//! The fuzz targets, with every input that is kept of them; see docs/fuzzing.md.

#[path = "session/peer.rs"]
mod peer;
#[path = "../fuzz/harness/session_description.rs"]
mod session_description;
#[path = "../fuzz/harness/session_pair.rs"]
mod session_pair;

testkit::fuzz_tests!(
    session_description: [
        "offer", "answer", "refused", "HaveLocalOffer", "HaveRemoteOffer", "Track", "Ended",
    ],
    session_pair: [
        "Completed", "DataChannel", "DataChannelReadable", "message", "frame", "KeyFrameRequested",
        "Disconnected", "both ready in the end", "Ended",
    ],
);
