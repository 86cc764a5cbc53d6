#![no_main]

#[path = "../harness/media_depacketize.rs"]
mod media_depacketize;

libfuzzer_sys::fuzz_target!(|data: &[u8]| media_depacketize::run(data));
