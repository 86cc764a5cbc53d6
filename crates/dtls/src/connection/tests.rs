//! Two endpoints, and hostile ones.

/// What a hostile endpoint does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mischief {
    EmptyCertificate,
    NoCertificateRequest,
    NoCertificateVerify,
    StaleTranscript,
}
