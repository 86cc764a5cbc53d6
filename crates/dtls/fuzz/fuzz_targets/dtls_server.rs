#![no_main]

#[path = "../harness/dtls_server.rs"]
mod dtls_server;

libfuzzer_sys::fuzz_target!(|data: &[u8]| dtls_server::run(data));
