//! The handshake layer: messages cut into fragments and put together again (RFC 6347 §4.2).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

pub(crate) mod fragment;
pub(crate) mod reassembly;
pub(crate) mod transcript;

/// The type of a handshake message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct HandshakeType(pub(crate) u8);

impl HandshakeType {
    pub(crate) const HELLO_REQUEST: Self = Self(0);
    pub(crate) const CLIENT_HELLO: Self = Self(1);
    pub(crate) const SERVER_HELLO: Self = Self(2);
    pub(crate) const HELLO_VERIFY_REQUEST: Self = Self(3);
    pub(crate) const CERTIFICATE: Self = Self(11);
    pub(crate) const SERVER_KEY_EXCHANGE: Self = Self(12);
    pub(crate) const CERTIFICATE_REQUEST: Self = Self(13);
    pub(crate) const SERVER_HELLO_DONE: Self = Self(14);
    pub(crate) const CERTIFICATE_VERIFY: Self = Self(15);
    pub(crate) const CLIENT_KEY_EXCHANGE: Self = Self(16);
    pub(crate) const FINISHED: Self = Self(20);
}

impl std::fmt::Debug for HandshakeType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HandshakeType({})", self.0)
    }
}

/// A whole handshake message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) kind: HandshakeType,
    pub(crate) seq: u16,
    /// The epoch of the records it came in.
    pub(crate) epoch: u16,
    pub(crate) body: Vec<u8>,
}
