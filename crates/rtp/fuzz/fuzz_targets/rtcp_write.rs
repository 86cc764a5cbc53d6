#![no_main]

#[path = "../harness/rtcp_write.rs"]
mod rtcp_write;

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtcp_write::run(data));
