//! MD5, SHA-1 and SHA-2 over `md-5`, `sha1` and `sha2`.

use crate::{Hash, HashId, digest::Hasher};
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

/// Every hash of this back end.
pub(super) const ALL: &[&dyn Hash] = &[
    &Hasher::<Sha256>::new(HashId::Sha256),
    &Hasher::<Sha384>::new(HashId::Sha384),
    &Hasher::<Sha512>::new(HashId::Sha512),
    &Hasher::<Sha1>::new(HashId::Sha1),
    &Hasher::<Md5>::new(HashId::Md5),
];
