//! What models of tables are made of beside products: forests of reals and dictionaries.

use super::args::Args;
use super::each::moved;
use crate::error::Error;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use ir::fixed::key_f64;
use ir::op::tensor::TreeEnsemble;
use ir::{Tensor, TensorData};

pub(super) fn tree_ensemble(op: &TreeEnsemble, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let n_features = args.dims(0)?.last().copied().unwrap_or(0);
    let made = match args.data(0)? {
        TensorData::F32(v) => {
            let rows = v.chunks_exact(n_features.max(1));
            let scores = |row: &[f32]| op.scores(|feature| row[feature as usize].into());
            TensorData::F32(rows.flat_map(scores).map(|score| score as f32).collect())
        }
        TensorData::F64(v) => {
            let rows = v.chunks_exact(n_features.max(1));
            TensorData::F64(rows.flat_map(|row| op.scores(|feature| row[feature as usize])).collect())
        }
        _ => return Err(args.refuse(0)),
    };
    args.only(made)
}

pub(super) fn label_encoder(args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    let places = match (args.data(0)?, args.data(1)?) {
        (TensorData::Str(x), TensorData::Str(keys)) => found(x, keys, |s| s.as_str()),
        (TensorData::I64(x), TensorData::I64(keys)) => found(x, keys, |k| *k),
        (TensorData::F32(x), TensorData::F32(keys)) => found(x, keys, |k| number((*k).into())),
        (TensorData::F64(x), TensorData::F64(keys)) => found(x, keys, |k| number(*k)),
        _ => return Err(args.refuse(0)),
    };
    let made = moved!(args.data(2)?, v => taken(v, &places));
    args.only(made)
}

/// Equal for equal numbers, and for all NaN.
fn number(x: f64) -> i64 {
    if x.is_nan() { i64::MAX } else { key_f64(x) }
}

/// The place of the first key that equals an element, or the number of keys.
fn found<'v, T, K: Ord>(x: &'v [T], keys: &'v [T], key: impl Fn(&'v T) -> K) -> Vec<usize> {
    let mut places = BTreeMap::new();
    for (at, own) in keys.iter().enumerate() {
        places.entry(key(own)).or_insert(at);
    }
    x.iter().map(|x| places.get(&key(x)).copied().unwrap_or(keys.len())).collect()
}

fn taken<T: Clone>(v: &[T], places: &[usize]) -> Vec<T> {
    places.iter().map(|&at| v[at].clone()).collect()
}
