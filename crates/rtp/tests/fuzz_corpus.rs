//! The fuzz targets, with every input that is kept of them; see docs/fuzzing.md.

#[path = "../fuzz/harness/rtcp.rs"]
mod rtcp;
#[path = "../fuzz/harness/rtcp_write.rs"]
mod rtcp_write;
#[path = "../fuzz/harness/rtp_packet.rs"]
mod rtp_packet;

testkit::fuzz_tests!(
    rtcp: [
        "APP", "BYE", "CCFB", "FIR", "NACK", "PLI", "REMB", "RR", "SDES", "SR", "TMMBN", "TMMBR", "XR",
        "error", "transport-cc", "unknown",
    ],
    rtcp_write: ["all that was lost", "feedback", "feedback with gaps", "some of what was lost"],
    rtp_packet: [
        "AbsCaptureTime", "AbsSendTime", "AudioLevel", "CsrcAudioLevels", "Mid", "PlayoutDelay",
        "RepairedRid", "Rid", "TransmissionOffset", "TransportSequence", "VideoOrientation", "one byte",
        "two bytes",
    ],
);
