//! Master keys, and how DTLS hands them over (RFC 5764 §4.2).

use crate::{Profile, SetupError};
use crypto::Secret;

/// The master key and salt of one direction.
#[derive(Debug)]
pub struct MasterKey {
    key: Secret,
    salt: Secret,
}

impl MasterKey {
    /// Copies a key and a salt.
    ///
    /// # Errors
    /// [`SetupError::KeyLength`] and [`SetupError::SaltLength`] when they do not fit `profile`.
    pub fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Result<Self, SetupError> {
        check(profile, key, salt)?;
        Ok(Self { key: key.into(), salt: salt.into() })
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.key.as_bytes()
    }

    /// The salt.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        self.salt.as_bytes()
    }
}

/// What DTLS exports under `EXTRACTOR-dtls_srtp`, taken apart.
///
/// A DTLS client protects with [`client`](Self::client) and unprotects with [`server`](Self::server); a DTLS server
/// does the reverse.
#[derive(Debug)]
pub struct KeyingMaterial {
    client: MasterKey,
    server: MasterKey,
}

impl KeyingMaterial {
    /// Takes apart [`Profile::exported_len`] exported bytes: client key, server key, client salt, server salt.
    ///
    /// # Errors
    /// [`SetupError::MaterialLength`] when there are more or fewer.
    pub fn split(profile: Profile, exported: &[u8]) -> Result<Self, SetupError> {
        let wrong = SetupError::MaterialLength { expected: profile.exported_len(), actual: exported.len() };
        if exported.len() != profile.exported_len() {
            return Err(wrong);
        }
        let mut reader = base::Reader::new(exported);
        let mut take = |len| reader.take(len).map_err(|_| wrong);
        let (client_key, server_key) = (take(profile.key_len())?, take(profile.key_len())?);
        let (client_salt, server_salt) = (take(profile.salt_len())?, take(profile.salt_len())?);
        Ok(Self {
            client: MasterKey::new(profile, client_key, client_salt)?,
            server: MasterKey::new(profile, server_key, server_salt)?,
        })
    }

    /// What the DTLS client protects with.
    #[must_use]
    pub fn client(&self) -> &MasterKey {
        &self.client
    }

    /// What the DTLS server protects with.
    #[must_use]
    pub fn server(&self) -> &MasterKey {
        &self.server
    }
}

/// Whether the lengths fit.
pub(crate) fn check(profile: Profile, key: &[u8], salt: &[u8]) -> Result<(), SetupError> {
    if key.len() != profile.key_len() {
        return Err(SetupError::KeyLength { expected: profile.key_len(), actual: key.len() });
    }
    if salt.len() != profile.salt_len() {
        return Err(SetupError::SaltLength { expected: profile.salt_len(), actual: salt.len() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5764 §4.2.
    #[test]
    fn exported_bytes_are_client_key_server_key_client_salt_server_salt() {
        for profile in Profile::ALL {
            let exported: Vec<u8> = (0..profile.exported_len() as u8).collect();
            let material = KeyingMaterial::split(profile, &exported).unwrap();
            let parts = [
                material.client().key(),
                material.server().key(),
                material.client().salt(),
                material.server().salt(),
            ];
            assert_eq!(parts.concat(), exported);
            for len in (0..exported.len()).chain([exported.len() + 1]) {
                let bytes = vec![0; len];
                let expected = SetupError::MaterialLength { expected: exported.len(), actual: len };
                assert_eq!(KeyingMaterial::split(profile, &bytes).err(), Some(expected));
            }
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let material = KeyingMaterial::split(Profile::AeadAes128Gcm, &[0x41; 56]).unwrap();
        let text = format!("{material:?}");
        assert!(!text.contains("65") && !text.contains("AAA") && !text.contains("41"), "{text}");
    }
}
