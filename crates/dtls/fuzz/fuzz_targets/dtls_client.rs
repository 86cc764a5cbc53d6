#![no_main]

#[path = "../harness/dtls_client.rs"]
mod dtls_client;
#[path = "../harness/keys.rs"]
mod keys;
#[path = "../harness/lone.rs"]
mod lone;
#[path = "../../tests/common/machine.rs"]
mod machine;

libfuzzer_sys::fuzz_target!(|data: &[u8]| dtls_client::run(data));
