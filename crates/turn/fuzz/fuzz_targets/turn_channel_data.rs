#![no_main]

#[path = "../harness/turn_channel_data.rs"]
mod turn_channel_data;

libfuzzer_sys::fuzz_target!(|data: &[u8]| turn_channel_data::run(data));
