#![no_main]

#[path = "../../tests/harness/machine.rs"]
mod machine;
#[path = "../harness/turn_pair.rs"]
mod turn_pair;

libfuzzer_sys::fuzz_target!(|data: &[u8]| turn_pair::run(data));
