#![no_main]

#[path = "../../tests/harness/machine.rs"]
mod machine;
#[path = "../harness/turn_server.rs"]
mod turn_server;

libfuzzer_sys::fuzz_target!(|data: &[u8]| turn_server::run(data));
