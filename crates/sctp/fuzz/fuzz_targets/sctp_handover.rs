#![no_main]

#[path = "../harness/sctp_handover.rs"]
mod sctp_handover;
#[path = "../../tests/common/machine.rs"]
mod machine;

libfuzzer_sys::fuzz_target!(|data: &[u8]| sctp_handover::run(data));
