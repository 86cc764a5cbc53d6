#![no_main]

#[path = "../harness/datachannel_pair.rs"]
mod datachannel_pair;
#[path = "../../tests/common/machine.rs"]
mod machine;

libfuzzer_sys::fuzz_target!(|data: &[u8]| datachannel_pair::run(data));
