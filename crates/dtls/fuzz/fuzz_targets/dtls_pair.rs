#![no_main]

#[path = "../harness/dtls_pair.rs"]
mod dtls_pair;
#[path = "../harness/keys.rs"]
mod keys;
#[path = "../../tests/common/machine.rs"]
mod machine;

libfuzzer_sys::fuzz_target!(|data: &[u8]| dtls_pair::run(data));
