#![no_main]

#[path = "../../tests/common/machine.rs"]
mod machine;
#[path = "../harness/sctp_chunks.rs"]
mod sctp_chunks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| sctp_chunks::run(data));
