#![no_main]

#[path = "../harness/dtls_client.rs"]
mod dtls_client;

libfuzzer_sys::fuzz_target!(|data: &[u8]| dtls_client::run(data));
