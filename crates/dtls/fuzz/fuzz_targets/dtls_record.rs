#![no_main]

#[path = "../harness/dtls_record.rs"]
mod dtls_record;

libfuzzer_sys::fuzz_target!(|data: &[u8]| dtls_record::run(data));
