//! A table of algorithms, passed explicitly to whoever needs them.

use crate::{
    Aead, AeadId, BlockCipher, CipherId, Group, Hash, HashId, KeyExchange, KeyGenerator, Mac, MacId,
    SignatureScheme, StreamCipher, Verifier,
};

/// The algorithms of one back end.
///
/// Made of `&'static` tables so that it is `Copy`, needs no global, and lets a third party swap single entries.
#[derive(Clone, Copy, Debug)]
pub struct Provider {
    name: &'static str,
    aeads: &'static [&'static dyn Aead],
    stream_ciphers: &'static [&'static dyn StreamCipher],
    block_ciphers: &'static [&'static dyn BlockCipher],
    hashes: &'static [&'static dyn Hash],
    macs: &'static [&'static dyn Mac],
    groups: &'static [&'static dyn KeyExchange],
    key_generators: &'static [&'static dyn KeyGenerator],
    verifiers: &'static [&'static dyn Verifier],
}

impl Provider {
    /// A provider that offers nothing yet.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            aeads: &[],
            stream_ciphers: &[],
            block_ciphers: &[],
            hashes: &[],
            macs: &[],
            groups: &[],
            key_generators: &[],
            verifiers: &[],
        }
    }

    /// Sets the AEADs.
    #[must_use]
    pub const fn with_aeads(self, aeads: &'static [&'static dyn Aead]) -> Self {
        Self { aeads, ..self }
    }

    /// Sets the counter-mode ciphers.
    #[must_use]
    pub const fn with_stream_ciphers(self, stream_ciphers: &'static [&'static dyn StreamCipher]) -> Self {
        Self { stream_ciphers, ..self }
    }

    /// Sets the bare block ciphers.
    #[must_use]
    pub const fn with_block_ciphers(self, block_ciphers: &'static [&'static dyn BlockCipher]) -> Self {
        Self { block_ciphers, ..self }
    }

    /// Sets the hashes.
    #[must_use]
    pub const fn with_hashes(self, hashes: &'static [&'static dyn Hash]) -> Self {
        Self { hashes, ..self }
    }

    /// Sets the MACs.
    #[must_use]
    pub const fn with_macs(self, macs: &'static [&'static dyn Mac]) -> Self {
        Self { macs, ..self }
    }

    /// Sets the key exchange groups, the most preferred first.
    #[must_use]
    pub const fn with_groups(self, groups: &'static [&'static dyn KeyExchange]) -> Self {
        Self { groups, ..self }
    }

    /// Sets the key generators.
    #[must_use]
    pub const fn with_key_generators(self, key_generators: &'static [&'static dyn KeyGenerator]) -> Self {
        Self { key_generators, ..self }
    }

    /// Sets the signature verifiers, the most preferred first.
    #[must_use]
    pub const fn with_verifiers(self, verifiers: &'static [&'static dyn Verifier]) -> Self {
        Self { verifiers, ..self }
    }

    /// Its name, for logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The AEAD `id`.
    #[must_use]
    pub fn aead(&self, id: AeadId) -> Option<&'static dyn Aead> {
        self.aeads.iter().copied().find(|entry| entry.id() == id)
    }

    /// The counter-mode cipher `id`.
    #[must_use]
    pub fn stream_cipher(&self, id: CipherId) -> Option<&'static dyn StreamCipher> {
        self.stream_ciphers.iter().copied().find(|entry| entry.id() == id)
    }

    /// The bare block cipher `id`.
    #[must_use]
    pub fn block_cipher(&self, id: CipherId) -> Option<&'static dyn BlockCipher> {
        self.block_ciphers.iter().copied().find(|entry| entry.id() == id)
    }

    /// The hash `id`.
    #[must_use]
    pub fn hash(&self, id: HashId) -> Option<&'static dyn Hash> {
        self.hashes.iter().copied().find(|entry| entry.id() == id)
    }

    /// The MAC `id`.
    #[must_use]
    pub fn mac(&self, id: MacId) -> Option<&'static dyn Mac> {
        self.macs.iter().copied().find(|entry| entry.id() == id)
    }

    /// The key exchange for `group`.
    #[must_use]
    pub fn group(&self, group: Group) -> Option<&'static dyn KeyExchange> {
        self.groups.iter().copied().find(|entry| entry.group() == group)
    }

    /// All groups, the most preferred first.
    #[must_use]
    pub const fn groups(&self) -> &'static [&'static dyn KeyExchange] {
        self.groups
    }

    /// The key generator for `scheme`.
    #[must_use]
    pub fn key_generator(&self, scheme: SignatureScheme) -> Option<&'static dyn KeyGenerator> {
        self.key_generators.iter().copied().find(|entry| entry.scheme() == scheme)
    }

    /// The verifier for `scheme`.
    #[must_use]
    pub fn verifier(&self, scheme: SignatureScheme) -> Option<&'static dyn Verifier> {
        self.verifiers.iter().copied().find(|entry| entry.scheme() == scheme)
    }

    /// All verifiers, the most preferred first.
    #[must_use]
    pub const fn verifiers(&self) -> &'static [&'static dyn Verifier] {
        self.verifiers
    }
}
