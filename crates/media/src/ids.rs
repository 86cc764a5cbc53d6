//! Handles of streams.

/// One outgoing RTP stream of an engine. Never used again within the same engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SenderId(pub(crate) u64);

/// One incoming media section of an engine: one stream, or the encodings of one simulcast. Never used again within
/// the same engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReceiverId(pub(crate) u64);
