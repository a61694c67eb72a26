//! `hash`: a category to one of a fixed number of buckets, one column a bucket.

use crate::error::Error;
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, Transform, TransformEntry};
use ir::op::{HashBucket, OneHot};
use ir::{GraphBuilder, Op, ValueIdx};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "hash",
    doc: "a category to one of a fixed number of buckets, one column a bucket",
    takes: &[FeatureKind::Category],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &Hash,
};

const SPEC: &[ParamSpec] = &[ParamSpec {
    name: "buckets",
    aliases: &["n_features", "n_components"],
    default: Value::Int(32),
    range: Range::Int { low: 2, high: 4096 },
    doc: "columns that are made of one",
}];

/// `out[k] = 1 if FNV-1a 32(key) mod buckets == k else 0`; a missing cell gives zeros. Learns nothing, so unseen
/// categories are as good as any; categories that share a bucket cannot be told apart. O(1) a row.
/// # Source  Weinberger et al., Feature Hashing for Large Scale Multitask Learning, ICML 2009; deviation: no
/// sign, since a row has one category of a column.
struct Hash;

impl Transform for Hash {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let n_buckets = u32::try_from(params.int("buckets")).unwrap_or(1);
        let group = |(at, column): (usize, &crate::transform::StepColumn<'_>)| {
            let names = (0..n_buckets).map(|k| format!("bucket {k} of \"{}\"", column.name)).collect();
            Group::matrix(vec![at], names, HashBucket { n_buckets })
        };
        let groups = input.columns.iter().enumerate().map(group).collect();
        Ok(FittedStep { groups, ..FittedStep::default() })
    }
}

impl Lower for HashBucket {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let bucket = builder.node(Op::HashBucket(*self), columns)?;
        builder.node(Op::OneHot(OneHot { depth: self.n_buckets }), &[bucket])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::{Cell, Table};

    #[test]
    fn published_hashes() {
        // FNV-1a 32 of "a" is 0xe40c292c, of "foobar" 0xbf9cf968: 12 and 8 modulo 32.
        let table = Table::new(&[("c", FeatureKind::Category, Cell::texts(&["a", "foobar", "", "a"]))]);
        let fitted = table.fit(&ENTRY, &[]);
        let made = fitted.run(&table);
        assert_eq!(made.len(), 32);
        for (k, column) in made.iter().enumerate() {
            let at = |bucket: usize| f64::from(u8::from(k == bucket));
            assert_eq!(column, &[at(12), at(8), 0.0, at(12)], "{}", fitted.names[k]);
        }
        assert_eq!(fitted.names[12], "bucket 12 of \"c\"");
        assert_eq!(table.fit(&ENTRY, &[("buckets", "5")]).run(&table).len(), 5);
    }
}
