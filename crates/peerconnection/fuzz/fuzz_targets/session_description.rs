#![no_main]

#[path = "../../tests/session/peer.rs"]
mod peer;
#[path = "../harness/session_description.rs"]
mod session_description;

libfuzzer_sys::fuzz_target!(|data: &[u8]| session_description::run(data));
