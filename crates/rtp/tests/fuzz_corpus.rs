//! The fuzz targets, with every input that is kept of them; see docs/fuzzing.md.

#[path = "../fuzz/harness/rtcp.rs"]
mod rtcp;
#[path = "../fuzz/harness/rtcp_write.rs"]
mod rtcp_write;
#[path = "../fuzz/harness/rtp_packet.rs"]
mod rtp_packet;

testkit::fuzz_tests!(rtcp, rtcp_write, rtp_packet);
