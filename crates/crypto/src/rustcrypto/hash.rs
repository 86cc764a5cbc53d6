//! MD5, SHA-1 and SHA-2 over `md-5`, `sha1` and `sha2`.

use crate::{Hash, HashContext, HashId};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::fmt;
use std::marker::PhantomData;

/// Every hash of this back end.
pub(super) const ALL: &[&dyn Hash] = &[
    &Hasher::<Sha256>::new(HashId::Sha256),
    &Hasher::<Sha384>::new(HashId::Sha384),
    &Hasher::<Sha512>::new(HashId::Sha512),
    &Hasher::<Sha1>::new(HashId::Sha1),
    &Hasher::<Md5>::new(HashId::Md5),
];

struct Hasher<D> {
    id: HashId,
    digest: PhantomData<fn() -> D>,
}

impl<D> Hasher<D> {
    const fn new(id: HashId) -> Self {
        Self { id, digest: PhantomData }
    }
}

impl<D: Digest + Clone + Send + Sync + 'static> Hash for Hasher<D> {
    fn id(&self) -> HashId {
        self.id
    }

    fn hash(&self, parts: &[&[u8]], out: &mut [u8]) -> usize {
        let mut digest = D::new();
        for part in parts {
            digest.update(part);
        }
        write(digest, out)
    }

    fn start(&self) -> Box<dyn HashContext> {
        Box::new(Running { id: self.id, digest: D::new() })
    }
}

impl<D> fmt::Debug for Hasher<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({:?})", self.id)
    }
}

#[derive(Clone)]
struct Running<D> {
    id: HashId,
    digest: D,
}

impl<D: Digest + Clone + Send + Sync + 'static> HashContext for Running<D> {
    fn update(&mut self, data: &[u8]) {
        self.digest.update(data);
    }

    fn current(&self, out: &mut [u8]) -> usize {
        write(self.digest.clone(), out)
    }

    fn fork(&self) -> Box<dyn HashContext> {
        Box::new(self.clone())
    }
}

impl<D> fmt::Debug for Running<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HashContext({:?})", self.id)
    }
}

fn write<D: Digest>(digest: D, out: &mut [u8]) -> usize {
    let value = digest.finalize();
    assert!(out.len() >= value.len(), "the buffer of {} bytes is shorter than the hash", out.len());
    out[..value.len()].copy_from_slice(&value);
    value.len()
}
