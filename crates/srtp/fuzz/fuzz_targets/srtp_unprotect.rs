#![no_main]

#[path = "../harness/srtp_unprotect.rs"]
mod srtp_unprotect;

libfuzzer_sys::fuzz_target!(|data: &[u8]| srtp_unprotect::run(data));
