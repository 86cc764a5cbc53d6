//! The fuzz targets, with every input that is kept of them; see docs/fuzzing.md.

#[path = "../fuzz/harness/media_containers.rs"]
mod media_containers;
#[path = "../fuzz/harness/media_depacketize.rs"]
mod media_depacketize;
#[path = "../fuzz/harness/media_engine.rs"]
mod media_engine;
#[path = "../fuzz/harness/media_packetize.rs"]
mod media_packetize;

testkit::fuzz_tests!(
    media_containers: ["IVF with frames", "Ogg with packets", "access units"],
    media_depacketize: ["G.711", "H.264", "Opus", "VP8"],
    media_engine: [
        "StreamStarted", "FrameReady", "frame", "Gap", "KeyFrameRequested", "RoundTrip", "SenderReport",
        "SsrcCollision", "TransportFeedback", "Bye",
    ],
    media_packetize: ["H.264 in pieces", "Opus", "VP8 in pieces", "in one"],
);
