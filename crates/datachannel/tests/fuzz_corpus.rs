//! The fuzz targets, with every input that is kept of them; see docs/fuzzing.md.

#[path = "../fuzz/harness/datachannel_pair.rs"]
mod datachannel_pair;
#[path = "../fuzz/harness/datachannel_peer.rs"]
mod datachannel_peer;
#[path = "common/machine.rs"]
mod machine;

testkit::fuzz_tests!(
    datachannel_pair: [
        "both ready in the end", "Announced", "Opened", "message", "Closing", "Closed", "AssociationClosed",
        "Violation",
    ],
    datachannel_peer: ["Announced", "Opened", "message", "Closing", "Closed", "BufferedAmountLow"],
);
