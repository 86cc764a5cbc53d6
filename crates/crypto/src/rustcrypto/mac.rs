//! HMAC over `hmac`.

use crate::{AuthError, Mac, MacId, MacKey};
use hmac::{Hmac, KeyInit};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use std::fmt;
use std::marker::PhantomData;

/// Every MAC of this back end.
pub(super) const ALL: &[&dyn Mac] = &[
    &Algorithm::<Hmac<Sha1>>::new(MacId::HmacSha1),
    &Algorithm::<Hmac<Sha256>>::new(MacId::HmacSha256),
    &Algorithm::<Hmac<Sha384>>::new(MacId::HmacSha384),
    &Algorithm::<Hmac<Sha512>>::new(MacId::HmacSha512),
];

struct Algorithm<M> {
    id: MacId,
    mac: PhantomData<fn() -> M>,
}

impl<M> Algorithm<M> {
    const fn new(id: MacId) -> Self {
        Self { id, mac: PhantomData }
    }
}

impl<M: hmac::Mac + KeyInit + Clone + Send + Sync + 'static> Mac for Algorithm<M> {
    fn id(&self) -> MacId {
        self.id
    }

    fn key(&self, key: &[u8]) -> Box<dyn MacKey> {
        let start = <M as KeyInit>::new_from_slice(key)
            .expect("invariant: HMAC takes keys of any length (RFC 2104 §3)");
        Box::new(Key { id: self.id, start })
    }
}

impl<M> fmt::Debug for Algorithm<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mac({:?})", self.id)
    }
}

/// The state after both pads; a message starts from a copy of it, on the stack.
struct Key<M> {
    id: MacId,
    start: M,
}

impl<M: hmac::Mac + Clone> Key<M> {
    fn over(&self, parts: &[&[u8]]) -> M {
        let mut mac = self.start.clone();
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

impl<M: hmac::Mac + Clone + Send + Sync> MacKey for Key<M> {
    fn sign(&self, parts: &[&[u8]], out: &mut [u8]) -> usize {
        let tag = self.over(parts).finalize();
        let tag = tag.as_bytes();
        let len = tag.len().min(out.len());
        out[..len].copy_from_slice(&tag[..len]);
        len
    }

    fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> Result<(), AuthError> {
        // Compares in constant time, and refuses empty and overlong tags.
        self.over(parts).verify_truncated_left(tag).map_err(|_| AuthError)
    }
}

impl<M> fmt::Debug for Key<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacKey({:?})", self.id)
    }
}
