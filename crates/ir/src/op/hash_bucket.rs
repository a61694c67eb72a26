//! `HashBucket`: categories to buckets without a dictionary.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::text::fnv1a32;
use crate::{DType, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "HashBucket";

/// `bucket = FNV-1a 32 of the key mod n_buckets`; a missing cell gives NaN.
///
/// Input: a column `string [N]` of category keys. Output: `f64 [N]`, whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashBucket {
    /// Number of buckets, at least 1.
    pub n_buckets: u32,
}

impl HashBucket {
    pub(super) fn parse(attrs: &Attrs) -> Result<HashBucket, Error> {
        Ok(HashBucket { n_buckets: attrs.int(NAME, "n_buckets")? })
    }

    /// The bucket of a key.
    pub fn of(self, key: &str) -> u32 {
        fnv1a32(key.as_bytes()) % self.n_buckets.max(1)
    }
}

impl Payload for HashBucket {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("n_buckets", Attr::Int(self.n_buckets.into()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [column] = arity(NAME, inputs)?;
        if column.dtype != DType::Str || column.shape.rank() != 1 {
            return Err(misfit(NAME, "column", "string [N]", &column.describe()));
        }
        if self.n_buckets == 0 {
            return Err(misfit(NAME, "n_buckets", "1 or more", &self.n_buckets));
        }
        Ok(vec![(DType::F64, column.shape.clone())])
    }
}
