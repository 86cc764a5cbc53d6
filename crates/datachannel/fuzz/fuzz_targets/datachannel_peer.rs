#![no_main]

#[path = "../harness/datachannel_peer.rs"]
mod datachannel_peer;
#[path = "../../tests/common/machine.rs"]
mod machine;

libfuzzer_sys::fuzz_target!(|data: &[u8]| datachannel_peer::run(data));
