//! SHA-1 and SHA-2. MD5, which the library does not have, is that of the crate `md-5`.

use crate::{
    Hash, HashContext, HashId,
    digest::{Hasher, write},
};
use ::aws_lc_rs::digest::{self, Context};
use md5::Md5;
use std::fmt;

/// Every hash of this back end.
pub(super) const ALL: &[&dyn Hash] = &[
    &Sha { id: HashId::Sha256, algorithm: &digest::SHA256 },
    &Sha { id: HashId::Sha384, algorithm: &digest::SHA384 },
    &Sha { id: HashId::Sha512, algorithm: &digest::SHA512 },
    &Sha { id: HashId::Sha1, algorithm: &digest::SHA1_FOR_LEGACY_USE_ONLY },
    &Hasher::<Md5>::new(HashId::Md5),
];

struct Sha {
    id: HashId,
    algorithm: &'static digest::Algorithm,
}

impl Hash for Sha {
    fn id(&self) -> HashId {
        self.id
    }

    fn hash(&self, parts: &[&[u8]], out: &mut [u8]) -> usize {
        let mut context = Context::new(self.algorithm);
        for part in parts {
            context.update(part);
        }
        write(context.finish().as_ref(), out)
    }

    fn start(&self) -> Box<dyn HashContext> {
        Box::new(Running { id: self.id, context: Context::new(self.algorithm) })
    }
}

impl fmt::Debug for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({:?})", self.id)
    }
}

#[derive(Clone)]
struct Running {
    id: HashId,
    context: Context,
}

impl HashContext for Running {
    fn update(&mut self, data: &[u8]) {
        self.context.update(data);
    }

    fn current(&self, out: &mut [u8]) -> usize {
        write(self.context.clone().finish().as_ref(), out)
    }

    fn fork(&self) -> Box<dyn HashContext> {
        Box::new(self.clone())
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HashContext({:?})", self.id)
    }
}
