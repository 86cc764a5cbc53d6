#![no_main]

#[path = "../harness/stun_uri.rs"]
mod stun_uri;

libfuzzer_sys::fuzz_target!(|data: &[u8]| stun_uri::run(data));
