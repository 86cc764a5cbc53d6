//! The fuzz targets, with every input that is kept of them; see docs/fuzzing.md.

#[path = "../fuzz/harness/stun_message.rs"]
mod stun_message;
#[path = "../fuzz/harness/stun_transaction.rs"]
mod stun_transaction;
#[path = "../fuzz/harness/stun_uri.rs"]
mod stun_uri;

testkit::fuzz_tests!(
    stun_message: [
        "AlternateServer", "ErrorCode", "IceControlled", "PasswordAlgorithms", "UnknownAttributes",
        "UserHash", "XorMappedAddress", "fingerprint", "integrity",
    ],
    stun_transaction: ["asked", "challenged", "signed", "verified"],
    stun_uri: ["URI", "authority"],
);
