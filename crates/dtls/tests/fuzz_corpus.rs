//! The fuzz targets, with every input that is kept of them; see docs/fuzzing.md.

#[path = "../fuzz/harness/dtls_certificate.rs"]
mod dtls_certificate;
#[path = "../fuzz/harness/dtls_client.rs"]
mod dtls_client;
#[path = "../fuzz/harness/dtls_pair.rs"]
mod dtls_pair;
#[path = "../fuzz/harness/dtls_record.rs"]
mod dtls_record;
#[path = "../fuzz/harness/dtls_server.rs"]
mod dtls_server;
#[path = "../fuzz/harness/keys.rs"]
mod keys;
#[path = "../fuzz/harness/lone.rs"]
mod lone;
#[path = "common/machine.rs"]
mod machine;

testkit::fuzz_tests!(
    dtls_certificate: ["certificate"],
    dtls_client: [
        "ready", "Connected", "application data", "BadCertificate", "Alert", "Timeout", "Violation",
    ],
    dtls_pair: ["both ready in the end", "application data", "Alert", "Timeout", "Violation", "Closed"],
    dtls_record: ["record", "FingerprintMismatch", "Violation"],
    dtls_server: [
        "ready", "Connected", "application data", "BadCertificate", "NoCommonSrtpProfile", "Alert",
        "Timeout", "Violation",
    ],
);
