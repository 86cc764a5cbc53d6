#![no_main]

#[path = "../harness/srtp_stream.rs"]
mod srtp_stream;

libfuzzer_sys::fuzz_target!(|data: &[u8]| srtp_stream::run(data));
