#![no_main]

#[path = "../harness/media_engine.rs"]
mod media_engine;

libfuzzer_sys::fuzz_target!(|data: &[u8]| media_engine::run(data));
