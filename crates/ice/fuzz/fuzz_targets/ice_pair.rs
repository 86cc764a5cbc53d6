#![no_main]

#[path = "../harness/ice_pair.rs"]
mod ice_pair;
#[path = "../../tests/common/machine.rs"]
mod machine;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ice_pair::run(data));
