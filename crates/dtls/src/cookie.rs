//! Cookies against hellos with a forged source (RFC 6347 §4.2.1).

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::config::CookieSecret;
use crate::message::client_hello::ClientHello;
use base::PutExt;
use crypto::{CryptoError, MacId, MacKey, Provider, Secret};

/// Bytes of a cookie.
const LEN: usize = 32;

/// The cookie for this hello from this source.
pub(crate) fn make(
    provider: &Provider,
    secret: &CookieSecret,
    source: &[u8],
    hello: &ClientHello<'_>,
) -> Result<[u8; LEN], CryptoError> {
    let mut cookie = [0; LEN];
    let parameters = parameters(source, hello);
    key(provider, &secret.current)?.sign(&[&parameters], &mut cookie);
    Ok(cookie)
}

/// Whether the hello carries the cookie that was made for it.
pub(crate) fn is_valid(
    provider: &Provider,
    secret: &CookieSecret,
    source: &[u8],
    hello: &ClientHello<'_>,
) -> Result<bool, CryptoError> {
    // A cut cookie would verify as a truncated tag.
    if hello.cookie.len() != LEN {
        return Ok(false);
    }
    let parameters = parameters(source, hello);
    for secret in [Some(&secret.current), secret.previous.as_ref()].into_iter().flatten() {
        if key(provider, secret)?.verify(&[&parameters], hello.cookie).is_ok() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn key(provider: &Provider, secret: &Secret) -> Result<Box<dyn MacKey>, CryptoError> {
    Ok(provider.mac(MacId::HmacSha256).ok_or(CryptoError::Unsupported)?.key(secret.as_bytes()))
}

/// What the cookie binds: the source and the parameters that the second hello must repeat.
fn parameters(source: &[u8], hello: &ClientHello<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    out.put_u64(source.len() as u64);
    out.put_slice(source);
    out.put_u16(hello.version.0);
    out.put_slice(&hello.random);
    out.put_u8(hello.session_id.len() as u8);
    out.put_slice(hello.session_id);
    out.put_u32(hello.cipher_suites.len() as u32);
    for suite in &hello.cipher_suites {
        out.put_u16(suite.0);
    }
    out.put_slice(hello.compression_methods);
    out
}
