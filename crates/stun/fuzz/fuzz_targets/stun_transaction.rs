#![no_main]

#[path = "../harness/stun_transaction.rs"]
mod stun_transaction;

libfuzzer_sys::fuzz_target!(|data: &[u8]| stun_transaction::run(data));
