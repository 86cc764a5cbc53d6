#![no_main]

#[path = "../harness/sdp_text.rs"]
mod sdp_text;

libfuzzer_sys::fuzz_target!(|data: &[u8]| sdp_text::run(data));
