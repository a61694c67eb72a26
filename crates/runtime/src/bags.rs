//! What the operators on text and on bags mean; part of the reference interpreter.
//!
//! It stands apart from the operators on doubles because its rows are ragged. Every sum runs over rising
//! ids from 0, so that a row gives the same bits alone as among others.

use crate::error::Error;
use crate::reference::Inputs;
use alloc::vec;
use alloc::vec::Vec;
use ir::op::{BagWeigh, HashTokens, TextPart, Tokens};
use ir::text::tokens::{Pieces, Tokenizer, hashed};
use ir::{Bags, Op, Tensor, TensorData};

/// Value of one of these nodes.
pub(crate) fn evaluate(inputs: &Inputs<'_, '_>) -> Result<Tensor, Error> {
    match &inputs.node.op {
        Op::Tokens(op) => {
            tokens(inputs, *op, |terms, term| terms.binary_search_by(|t| t.as_str().cmp(term)).ok())
        }
        Op::HashTokens(op) => hash_tokens(inputs, *op),
        Op::BagWeigh(op) => weigh(inputs, *op),
        Op::BagGather(_) => gather(inputs),
        Op::BagGemm(_) => gemm(inputs),
        Op::TextPart(op) => text_part(inputs, *op),
        _ => Err(inputs.fail()),
    }
}

/// Bags of the terms of a vocabulary, where `find` gives the place of a term among all.
pub(crate) fn tokens(
    inputs: &Inputs<'_, '_>,
    op: Tokens,
    find: impl Fn(&[alloc::string::String], &str) -> Option<usize>,
) -> Result<Tensor, Error> {
    let TensorData::Str(terms) = inputs.tensor(1)?.data() else { return Err(inputs.fail()) };
    let id = |term: &str| find(terms, term).and_then(|at| u32::try_from(at).ok());
    count(inputs, op.tokenizer, terms.len(), id)
}

fn hash_tokens(inputs: &Inputs<'_, '_>, op: HashTokens) -> Result<Tensor, Error> {
    let width = 1usize.checked_shl(op.bits.into()).ok_or_else(|| inputs.fail())?;
    count(inputs, op.tokenizer, width, |term| Some(hashed(term, op.bits)))
}

/// Bags of counts of the ids that terms have.
fn count(
    inputs: &Inputs<'_, '_>,
    tokenizer: Tokenizer,
    width: usize,
    id: impl Fn(&str) -> Option<u32>,
) -> Result<Tensor, Error> {
    let column = inputs.column(0)?;
    let mut bags = Bags::new();
    let mut pieces = Pieces::default();
    let mut ids: Vec<u32> = Vec::new();
    for row in 0..inputs.n_rows {
        ids.clear();
        if let Some(text) = column.text(row) {
            tokenizer.part(text, &mut pieces);
            ids.extend(tokenizer.terms(&pieces).filter_map(&id));
        }
        ids.sort_unstable();
        bags.push(ids.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as f64)));
    }
    inputs.finish(vec![inputs.n_rows, width], TensorData::Bag(bags))
}

/// The bags of the first input, and their width.
fn bags<'i>(inputs: &'i Inputs<'_, '_>) -> Result<(&'i Bags, usize), Error> {
    let tensor = inputs.tensor(0)?;
    match (tensor.data(), tensor.dims()) {
        (TensorData::Bag(bags), &[n_rows, width]) if n_rows == inputs.n_rows => Ok((bags, width)),
        _ => Err(inputs.fail()),
    }
}

fn weigh(inputs: &Inputs<'_, '_>, op: BagWeigh) -> Result<Tensor, Error> {
    let (counts, width) = bags(inputs)?;
    let idf = match inputs.node.inputs.len() {
        1 => None,
        _ => match inputs.tensor(1)?.data() {
            TensorData::F64(idf) => Some(&idf[..]),
            _ => return Err(inputs.fail()),
        },
    };
    let mut weighed = counts.clone();
    for ends in counts.offsets.windows(2) {
        let row = ends[0]..ends[1];
        op.weigh(&counts.ids[row.clone()], &mut weighed.weights[row], idf);
    }
    inputs.finish(vec![inputs.n_rows, width], TensorData::Bag(weighed))
}

fn gather(inputs: &Inputs<'_, '_>) -> Result<Tensor, Error> {
    let (bags, _) = bags(inputs)?;
    let TensorData::I64(ids) = inputs.tensor(1)?.data() else { return Err(inputs.fail()) };
    let mut values = vec![0.0; inputs.n_rows * ids.len()];
    if !ids.is_empty() {
        for (row, out) in values.chunks_exact_mut(ids.len()).enumerate() {
            for (id, weight) in bags.row(row) {
                if let Ok(column) = ids.binary_search(&id.into()) {
                    out[column] = weight;
                }
            }
        }
    }
    inputs.finish(vec![inputs.n_rows, ids.len()], TensorData::F64(values))
}

fn gemm(inputs: &Inputs<'_, '_>) -> Result<Tensor, Error> {
    let (bags, _) = bags(inputs)?;
    let matrix = inputs.tensor(1)?;
    let (&[_, width], TensorData::F64(w)) = (matrix.dims(), matrix.data()) else { return Err(inputs.fail()) };
    let mut values = vec![0.0; inputs.n_rows * width];
    if width > 0 {
        for (row, out) in values.chunks_exact_mut(width).enumerate() {
            for (id, weight) in bags.row(row) {
                let first = id as usize * width;
                let w = w.get(first..first + width).ok_or_else(|| inputs.fail())?;
                out.iter_mut().zip(w).for_each(|(sum, &w)| *sum += weight * w);
            }
        }
    }
    values.iter_mut().filter(|v| v.is_nan()).for_each(|v| *v = f64::NAN);
    inputs.finish(vec![inputs.n_rows, width], TensorData::F64(values))
}

fn text_part(inputs: &Inputs<'_, '_>, op: TextPart) -> Result<Tensor, Error> {
    let column = inputs.column(0)?;
    let number = |row: usize| column.text(row).map_or(f64::NAN, |text| op.part.of(text));
    Ok(Tensor::vector(TensorData::F64((0..inputs.n_rows).map(number).collect())))
}
