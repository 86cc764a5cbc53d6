//! HMAC.

use crate::{AuthError, Mac, MacId, MacKey};
use ::aws_lc_rs::{
    constant_time,
    hmac::{self, Context},
};
use std::fmt;

/// Every MAC of this back end.
pub(super) const ALL: &[&dyn Mac] = &[
    &Algorithm { id: MacId::HmacSha1, algorithm: hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY },
    &Algorithm { id: MacId::HmacSha256, algorithm: hmac::HMAC_SHA256 },
    &Algorithm { id: MacId::HmacSha384, algorithm: hmac::HMAC_SHA384 },
    &Algorithm { id: MacId::HmacSha512, algorithm: hmac::HMAC_SHA512 },
];

struct Algorithm {
    id: MacId,
    algorithm: hmac::Algorithm,
}

impl Mac for Algorithm {
    fn id(&self) -> MacId {
        self.id
    }

    fn key(&self, key: &[u8]) -> Box<dyn MacKey> {
        Box::new(Key { id: self.id, key: hmac::Key::new(self.algorithm, key) })
    }
}

impl fmt::Debug for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mac({:?})", self.id)
    }
}

/// The state after both pads; a message starts from a copy of it.
struct Key {
    id: MacId,
    key: hmac::Key,
}

impl Key {
    fn over(&self, parts: &[&[u8]]) -> hmac::Tag {
        let mut context = Context::with_key(&self.key);
        for part in parts {
            context.update(part);
        }
        context.sign()
    }
}

impl MacKey for Key {
    fn sign(&self, parts: &[&[u8]], out: &mut [u8]) -> usize {
        let tag = self.over(parts);
        let tag = tag.as_ref();
        let len = tag.len().min(out.len());
        out[..len].copy_from_slice(&tag[..len]);
        len
    }

    fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> Result<(), AuthError> {
        let right = self.over(parts);
        let right = right.as_ref().get(..tag.len()).filter(|right| !right.is_empty()).ok_or(AuthError)?;
        constant_time::verify_slices_are_equal(right, tag).map_err(|_| AuthError)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacKey({:?})", self.id)
    }
}
