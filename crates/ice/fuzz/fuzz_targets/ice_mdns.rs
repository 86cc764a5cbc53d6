#![no_main]

#[path = "../harness/ice_mdns.rs"]
mod ice_mdns;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ice_mdns::run(data));
