#![no_main]

#[path = "../../tests/session/peer.rs"]
mod peer;
#[path = "../harness/session_pair.rs"]
mod session_pair;

libfuzzer_sys::fuzz_target!(|data: &[u8]| session_pair::run(data));
