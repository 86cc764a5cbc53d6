#![no_main]

#[path = "../harness/media_packetize.rs"]
mod media_packetize;

libfuzzer_sys::fuzz_target!(|data: &[u8]| media_packetize::run(data));
