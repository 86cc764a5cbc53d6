#![no_main]

#[path = "../harness/dtls_server.rs"]
mod dtls_server;
#[path = "../harness/keys.rs"]
mod keys;
#[path = "../harness/lone.rs"]
mod lone;
#[path = "../../tests/common/machine.rs"]
mod machine;

libfuzzer_sys::fuzz_target!(|data: &[u8]| dtls_server::run(data));
