#![no_main]

#[path = "../harness/dtls_pair.rs"]
mod dtls_pair;

libfuzzer_sys::fuzz_target!(|data: &[u8]| dtls_pair::run(data));
