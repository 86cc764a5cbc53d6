#![no_main]

#[path = "../harness/rtp_packet.rs"]
mod rtp_packet;

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtp_packet::run(data));
