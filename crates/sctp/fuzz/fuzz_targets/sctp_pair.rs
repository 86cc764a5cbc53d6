#![no_main]

#[path = "../../tests/common/machine.rs"]
mod machine;
#[path = "../harness/sctp_pair.rs"]
mod sctp_pair;

libfuzzer_sys::fuzz_target!(|data: &[u8]| sctp_pair::run(data));
