#![doc = include_str!("../README.md")]

mod aead;
mod cipher;
#[cfg(any(feature = "aws-lc-rs", feature = "rustcrypto"))]
mod digest;
mod error;
mod hash;
mod kx;
mod mac;
#[cfg(feature = "os-random")]
mod os_random;
mod provider;
mod random;
mod secret;
mod sign;

#[cfg(feature = "aws-lc-rs")]
pub mod aws_lc_rs;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "rustcrypto")]
pub mod rustcrypto;

pub use aead::{Aead, AeadId, AeadKey};
pub use cipher::{BlockCipher, BlockKey, CipherId, StreamCipher, StreamKey};
pub use error::{AuthError, CryptoError};
pub use hash::{Hash, HashContext, HashId};
pub use kx::{ActiveKeyExchange, Group, KeyExchange};
pub use mac::{Mac, MacId, MacKey};
#[cfg(feature = "os-random")]
pub use os_random::os_random;
pub use provider::Provider;
pub use random::Random;
pub use secret::Secret;
pub use sign::{KeyGenerator, SignatureScheme, SigningKey, Verifier};
