#![no_main]

#[path = "../harness/ice_agent.rs"]
mod ice_agent;
#[path = "../../tests/common/machine.rs"]
mod machine;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ice_agent::run(data));
