//! A hash of the crates that implement `digest::Digest`, for the back ends that take one from there.

use crate::{Hash, HashContext, HashId};
use md5::Digest;
use std::fmt;
use std::marker::PhantomData;

pub(crate) struct Hasher<D> {
    id: HashId,
    digest: PhantomData<fn() -> D>,
}

impl<D> Hasher<D> {
    pub(crate) const fn new(id: HashId) -> Self {
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
        write(&digest.finalize(), out)
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
        write(&self.digest.clone().finalize(), out)
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

/// Writes a finished hash to the front of `out`.
pub(crate) fn write(value: &[u8], out: &mut [u8]) -> usize {
    assert!(out.len() >= value.len(), "the buffer of {} bytes is shorter than the hash", out.len());
    out[..value.len()].copy_from_slice(value);
    value.len()
}
