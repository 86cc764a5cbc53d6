#![no_main]

#[path = "../harness/media_containers.rs"]
mod media_containers;

libfuzzer_sys::fuzz_target!(|data: &[u8]| media_containers::run(data));
