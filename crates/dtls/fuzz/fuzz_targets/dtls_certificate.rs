#![no_main]

#[path = "../harness/dtls_certificate.rs"]
mod dtls_certificate;

libfuzzer_sys::fuzz_target!(|data: &[u8]| dtls_certificate::run(data));
