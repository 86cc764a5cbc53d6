//! Master secret, record keys and Finished values of DTLS 1.2.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::Role;
use crate::keys::prf::prf;
use crate::record::aead::RecordKey;
use base::Reader;
use crypto::{AeadId, CryptoError, HashId, Provider, Secret};

/// Bytes of the master secret (RFC 5246 §8.1).
const MASTER_LEN: usize = 48;
/// Bytes of a Finished value (RFC 5246 §7.4.9).
pub(crate) const VERIFY_DATA_LEN: usize = 12;

/// The secret that both sides share, with the randoms that go into everything derived from it.
#[derive(Debug)]
pub(crate) struct MasterSecret {
    secret: Secret,
    client_random: [u8; 32],
    server_random: [u8; 32],
}

impl MasterSecret {
    /// The extended master secret (RFC 7627 §4); `transcript` ends with the ClientKeyExchange message.
    ///
    //= rfc7627 §4
    //# master_secret = PRF(pre_master_secret, "extended master secret",
    pub(crate) fn derive(
        provider: &Provider,
        pre_master: &Secret,
        transcript: &[u8],
        randoms: Randoms,
    ) -> Result<Self, CryptoError> {
        let session_hash = sha256(provider, transcript)?;
        let mut secret = Secret::zeroed(MASTER_LEN);
        prf(
            provider,
            pre_master.as_bytes(),
            b"extended master secret",
            &[&session_hash],
            secret.as_mut_bytes(),
        )?;
        Ok(Self { secret, client_random: randoms.client, server_random: randoms.server })
    }

    /// The keys of both directions, those of `role` for writing first (RFC 5246 §6.3).
    pub(crate) fn record_keys(
        &self,
        provider: &Provider,
        role: Role,
    ) -> Result<(RecordKey, RecordKey), CryptoError> {
        let mut block = Secret::zeroed(2 * 16 + 2 * 4);
        prf(
            provider,
            self.secret.as_bytes(),
            b"key expansion",
            &[&self.server_random, &self.client_random],
            block.as_mut_bytes(),
        )?;
        let aead = provider.aead(AeadId::Aes128Gcm).ok_or(CryptoError::Unsupported)?;
        let mut reader = Reader::new(block.as_bytes());
        let mut take = |len| reader.take(len).map_err(|_| CryptoError::Unsupported);
        let (client_key, server_key) = (take(16)?, take(16)?);
        let (client_iv, server_iv) = (take(4)?, take(4)?);
        let key = |key: &[u8], iv: &[u8]| -> Result<RecordKey, CryptoError> {
            let iv = iv.try_into().map_err(|_| CryptoError::Unsupported)?;
            Ok(RecordKey::new(aead.key(key)?, iv))
        };
        let (client, server) = (key(client_key, client_iv)?, key(server_key, server_iv)?);
        Ok(match role {
            Role::Client => (client, server),
            Role::Server => (server, client),
        })
    }

    /// The content of the Finished message that `role` sends after `transcript`.
    pub(crate) fn verify_data(
        &self,
        provider: &Provider,
        role: Role,
        transcript: &[u8],
    ) -> Result<[u8; VERIFY_DATA_LEN], CryptoError> {
        let label: &[u8] = match role {
            Role::Client => b"client finished",
            Role::Server => b"server finished",
        };
        let hash = sha256(provider, transcript)?;
        let mut out = [0; VERIFY_DATA_LEN];
        prf(provider, self.secret.as_bytes(), label, &[&hash], &mut out)?;
        Ok(out)
    }

    /// PRF(master_secret, label, client_random + server_random + context): what exporters are made of.
    pub(crate) fn expand(
        &self,
        provider: &Provider,
        label: &[u8],
        context: &[&[u8]],
        out: &mut [u8],
    ) -> Result<(), CryptoError> {
        let mut seed: Vec<&[u8]> = vec![&self.client_random, &self.server_random];
        seed.extend_from_slice(context);
        prf(provider, self.secret.as_bytes(), label, &seed, out)
    }
}

/// The randoms of both hellos.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Randoms {
    pub(crate) client: [u8; 32],
    pub(crate) server: [u8; 32],
}

pub(crate) fn sha256(provider: &Provider, data: &[u8]) -> Result<[u8; 32], CryptoError> {
    let mut out = [0; 32];
    provider.hash(HashId::Sha256).ok_or(CryptoError::Unsupported)?.hash(&[data], &mut out);
    Ok(out)
}
