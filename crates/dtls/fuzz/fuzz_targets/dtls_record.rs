#![no_main]

#[path = "../harness/dtls_record.rs"]
mod dtls_record;
#[path = "../harness/keys.rs"]
mod keys;
#[path = "../../tests/common/machine.rs"]
mod machine;

libfuzzer_sys::fuzz_target!(|data: &[u8]| dtls_record::run(data));
