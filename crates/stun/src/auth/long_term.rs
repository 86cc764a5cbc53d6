//! The long-term mechanism (RFC 8489 §9.2), which TURN uses.

#![deny(clippy::indexing_slicing)]

use super::{CredentialError, MAX_USERNAME, SecurityFeatures, opaque_string};
use crate::{
    Attribute, AttributeError, AttributeType, Builder, Class, Integrity, IntegrityError, IntegrityKey,
    Message,
    attr::{
        Code, ErrorCode, Nonce, PasswordAlgorithm, PasswordAlgorithmId, PasswordAlgorithms, Realm, UserHash,
    },
};
use crypto::{CryptoError, HashId, Provider, Secret};
use std::fmt;

/// The key of a long-term credential (RFC 8489 §9.2.2, §18.5.1).
///
/// # Errors
/// [`CredentialError`] when the text cannot be used or the provider lacks the algorithm.
pub fn long_term_key(
    provider: &Provider,
    algorithm: PasswordAlgorithmId,
    username: &str,
    realm: &[u8],
    password: &str,
) -> Result<IntegrityKey, CredentialError> {
    let hash = hash_of(algorithm).and_then(|id| provider.hash(id)).ok_or(CryptoError::Unsupported)?;
    let mut key = Secret::zeroed(HashId::MAX_LEN);
    let username = opaque_string(username)?;
    let password = opaque_string(password)?;
    let parts = [username.as_bytes(), b":", unquoted(realm), b":", password.as_bytes()];
    let len = hash.hash(&parts, key.as_mut_bytes());
    Ok(IntegrityKey::new(provider, key.as_bytes().get(..len).unwrap_or_default())?)
}

/// The value of USERHASH (RFC 8489 §14.4).
///
/// # Errors
/// [`CredentialError`] when the user name cannot be used or the provider lacks SHA-256.
pub fn userhash(provider: &Provider, username: &str, realm: &[u8]) -> Result<UserHash, CredentialError> {
    let hash = provider.hash(HashId::Sha256).ok_or(CryptoError::Unsupported)?;
    let mut value = [0; 32];
    hash.hash(&[opaque_string(username)?.as_bytes(), b":", unquoted(realm)], &mut value);
    Ok(UserHash::new(value))
}

/// The client's side: user name and password, and what the server has told so far.
#[derive(Debug)]
pub struct LongTerm {
    provider: Provider,
    username: String,
    password: Secret,
    session: Option<Session>,
    generation: u32,
}

/// What a challenge established.
#[derive(Debug)]
struct Session {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    userhash: Option<UserHash>,
    /// The server's list, to be sent back as it is, and our choice from it.
    algorithms: Option<(Vec<u8>, PasswordAlgorithmId)>,
    key: IntegrityKey,
    integrity: Integrity,
}

impl LongTerm {
    /// Credentials for a server that has not been asked yet.
    ///
    /// # Errors
    /// [`CredentialError`] when one of them cannot be used.
    pub fn new(provider: &Provider, username: &str, password: &str) -> Result<Self, CredentialError> {
        let username = opaque_string(username)?.into_owned();
        if username.len() > MAX_USERNAME {
            return Err(CredentialError::TooLong);
        }
        let password = Secret::from(opaque_string(password)?.as_bytes());
        Ok(Self { provider: *provider, username, password, session: None, generation: 0 })
    }

    /// Whether the server has sent a challenge, so that requests are signed.
    #[must_use]
    pub const fn is_challenged(&self) -> bool {
        self.session.is_some()
    }

    /// Counts the challenges taken over.
    ///
    /// With several requests in flight, an owner notes this number per request: a challenge to a request that was
    /// signed in an earlier generation needs only a repetition, since a newer nonce is known already.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// The user name.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Takes over a 401 or 438 answer. On success the request is to be sent again, as a new transaction.
    ///
    /// # Errors
    /// [`ChallengeError`] when the request must not be repeated (RFC 8489 §9.2.5).
    pub fn handle_challenge(&mut self, response: &Message<'_>) -> Result<(), ChallengeError> {
        if response.class() != Class::Error {
            return Err(ChallengeError::NotAChallenge);
        }
        let error: ErrorCode<'_> = response.require()?;
        match error.code() {
            Code::UNAUTHENTICATED => self.handle_unauthenticated(response),
            Code::STALE_NONCE => self.handle_stale_nonce(response),
            _ => Err(ChallengeError::NotAChallenge),
        }
    }

    /// Adds the attributes of RFC 8489 §9.2.3.2 and the integrity attribute; nothing before the first challenge.
    pub fn sign(&self, builder: &mut Builder<'_>) {
        let Some(session) = &self.session else { return };
        match &session.userhash {
            Some(userhash) => builder.attribute(userhash),
            None => builder.raw(AttributeType::USERNAME, self.username.as_bytes()),
        };
        builder.raw(AttributeType::REALM, &session.realm).raw(AttributeType::NONCE, &session.nonce);
        if let Some((list, chosen)) = &session.algorithms {
            builder.raw(AttributeType::PASSWORD_ALGORITHMS, list);
            builder.attribute(&PasswordAlgorithm::new(*chosen));
        }
        builder.integrity(&session.key, session.integrity);
    }

    /// Verifies a response to a signed request, success or error.
    ///
    /// # Errors
    /// [`ResponseError`]: the response is to be dropped as if it had never come. The only answers that may come
    /// without integrity are 401 and 438; they go to [`handle_challenge`](Self::handle_challenge) instead.
    pub fn verify(&self, response: &Message<'_>) -> Result<(), ResponseError> {
        let Some(session) = &self.session else { return Err(ResponseError::NotChallenged) };
        //= rfc8489 §9.2.5
        //# For all other responses, if the NONCE attribute starts with the
        //# "nonce cookie" with the STUN Security Feature "Password algorithms"
        //# bit set to 1 but PASSWORD-ALGORITHMS is not present, the response
        //# MUST be ignored.
        if is_bid_down(response) {
            return Err(ResponseError::BidDown);
        }
        // A request signed with SHA-256 must not be answered with less.
        if session.integrity == Integrity::Sha256 && response.integrity() == Some(Integrity::Sha1) {
            return Err(ResponseError::Integrity(IntegrityError::Mismatch));
        }
        response.verify(&session.key).map_err(ResponseError::Integrity)?;
        Ok(())
    }

    fn handle_unauthenticated(&mut self, response: &Message<'_>) -> Result<(), ChallengeError> {
        let realm: Realm<'_> = response.require()?;
        let nonce: Nonce<'_> = response.require()?;
        //= rfc8489 §9.2.5
        //# The client MUST NOT perform this retry if it is not
        //# changing the USERNAME, USERHASH, REALM, or its associated password
        //# from the previous attempt.
        if self.session.as_ref().is_some_and(|session| session.realm == realm.as_bytes()) {
            return Err(ChallengeError::CredentialsRefused);
        }
        //= rfc8489 §9.2.5
        //# If so and the
        //# "nonce cookie" has the STUN Security Feature "Password algorithms"
        //# bit set to 1 but no PASSWORD-ALGORITHMS attribute is present, then
        //# the client MUST NOT retry the request with a new transaction.
        if is_bid_down(response) {
            return Err(ChallengeError::BidDown);
        }
        let algorithms: Option<PasswordAlgorithms<'_>> = response.get()?;
        let algorithms = match algorithms {
            Some(list) => {
                let supported = |entry: &PasswordAlgorithm<'_>| {
                    entry.parameters().is_empty()
                        && hash_of(entry.id()).is_some_and(|id| self.provider.hash(id).is_some())
                };
                let chosen = list.iter().find(supported).ok_or(ChallengeError::NoCommonAlgorithm)?;
                Some((list.as_bytes().to_vec(), chosen.id()))
            }
            None => None,
        };
        let features = SecurityFeatures::from_nonce(nonce.as_bytes()).unwrap_or_default();
        let userhash = if features.contains(SecurityFeatures::USERNAME_ANONYMITY) {
            Some(userhash(&self.provider, &self.username, realm.as_bytes())?)
        } else {
            None
        };
        let algorithm = algorithms.as_ref().map_or(PasswordAlgorithmId::MD5, |(_, chosen)| *chosen);
        let password = std::str::from_utf8(self.password.as_bytes()).unwrap_or_default();
        let key = long_term_key(&self.provider, algorithm, &self.username, realm.as_bytes(), password)?;
        //= rfc8489 §9.2.5
        //# If the response contains a PASSWORD-ALGORITHMS attribute, all the
        //# subsequent requests MUST be authenticated using MESSAGE-INTEGRITY-
        //# SHA256 only.
        let integrity = if algorithms.is_some() { Integrity::Sha256 } else { Integrity::Sha1 };
        self.session = Some(Session {
            realm: realm.as_bytes().to_vec(),
            nonce: nonce.as_bytes().to_vec(),
            userhash,
            algorithms,
            key,
            integrity,
        });
        self.generation = self.generation.wrapping_add(1);
        Ok(())
    }

    fn handle_stale_nonce(&mut self, response: &Message<'_>) -> Result<(), ChallengeError> {
        let nonce: Nonce<'_> = response.require()?;
        if is_bid_down(response) {
            return Err(ChallengeError::BidDown);
        }
        let Some(session) = &mut self.session else { return Err(ChallengeError::NotAChallenge) };
        // A server that gives back the nonce it has just refused would be asked for ever.
        if session.nonce == nonce.as_bytes() {
            return Err(ChallengeError::SameNonce);
        }
        session.nonce.clear();
        session.nonce.extend_from_slice(nonce.as_bytes());
        self.generation = self.generation.wrapping_add(1);
        Ok(())
    }
}

/// A request must not be repeated after this answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChallengeError {
    /// An attribute of the answer is missing or malformed.
    Attribute(AttributeError),
    /// The nonce announces PASSWORD-ALGORITHMS and the attribute is not there: somebody on the path took it out.
    BidDown,
    /// The key cannot be made.
    Credential(CredentialError),
    /// The server knows the user name or password not, or no longer.
    CredentialsRefused,
    /// The server accepts no password algorithm that the crypto provider has.
    NoCommonAlgorithm,
    /// The answer is neither 401 nor 438, or is 438 to a request that had no nonce.
    NotAChallenge,
    /// The server called a nonce stale and gave the same one again.
    SameNonce,
}

impl fmt::Display for ChallengeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(error) => write!(f, "the challenge is malformed: {error}"),
            Self::BidDown => f.write_str("the password algorithms were removed from the challenge"),
            Self::Credential(error) => write!(f, "no key for the challenge: {error}"),
            Self::CredentialsRefused => f.write_str("the server refused the credentials"),
            Self::NoCommonAlgorithm => f.write_str("the server offers no password algorithm known here"),
            Self::NotAChallenge => f.write_str("the answer is not a challenge"),
            Self::SameNonce => f.write_str("the server gave a stale nonce again"),
        }
    }
}

impl std::error::Error for ChallengeError {}

impl From<AttributeError> for ChallengeError {
    fn from(error: AttributeError) -> Self {
        Self::Attribute(error)
    }
}

impl From<CredentialError> for ChallengeError {
    fn from(error: CredentialError) -> Self {
        Self::Credential(error)
    }
}

/// A response is not proven to come from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseError {
    /// The nonce announces PASSWORD-ALGORITHMS and the attribute is not there.
    BidDown,
    /// Message integrity is absent or wrong.
    Integrity(IntegrityError),
    /// The server has not sent a challenge yet, so there is no key.
    NotChallenged,
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BidDown => f.write_str("the password algorithms were removed from the response"),
            Self::Integrity(error) => fmt::Display::fmt(error, f),
            Self::NotChallenged => f.write_str("there is no key before the first challenge"),
        }
    }
}

impl std::error::Error for ResponseError {}

fn is_bid_down(response: &Message<'_>) -> bool {
    let features = response.raw(Nonce::TYPE).and_then(SecurityFeatures::from_nonce).unwrap_or_default();
    features.contains(SecurityFeatures::PASSWORD_ALGORITHMS) && !response.contains(PasswordAlgorithms::TYPE)
}

const fn hash_of(algorithm: PasswordAlgorithmId) -> Option<HashId> {
    match algorithm {
        PasswordAlgorithmId::MD5 => Some(HashId::Md5),
        PasswordAlgorithmId::SHA256 => Some(HashId::Sha256),
        _ => None,
    }
}

/// A realm "with any quotes and trailing nulls removed" (RFC 8489 §9.2.2).
fn unquoted(realm: &[u8]) -> &[u8] {
    let end = realm.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
    let realm = realm.get(..end).unwrap_or_default();
    let inner = realm.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    inner.unwrap_or(realm)
}
