//! The fuzz targets, with every input that is kept of them; see docs/fuzzing.md.

#[path = "../fuzz/harness/stun_message.rs"]
mod stun_message;
#[path = "../fuzz/harness/stun_transaction.rs"]
mod stun_transaction;
#[path = "../fuzz/harness/stun_uri.rs"]
mod stun_uri;

testkit::fuzz_tests!(stun_message, stun_transaction, stun_uri);
