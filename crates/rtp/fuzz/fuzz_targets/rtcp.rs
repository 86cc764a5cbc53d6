#![no_main]

#[path = "../harness/rtcp.rs"]
mod rtcp;

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtcp::run(data));
