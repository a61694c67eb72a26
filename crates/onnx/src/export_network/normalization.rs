//! Normalisations and shares.

use super::step::Step;
use crate::error::Error;
use crate::writer::{Attribute, wide};
use ir::DType;
use ir::op::tensor::{BatchNormalization, LayerNormalization, Lrn, Softmax};

pub(super) fn batch(s: &mut Step<'_>, op: BatchNormalization) -> Result<(), Error> {
    let x = s.dtype(0)?;
    for at in 1..s.n_inputs() {
        let of_statistics = s.dtype(at)?;
        s.needs_dtypes("BatchNormalization", &[of_statistics])?;
        if of_statistics != x {
            // Since 14 mean and variance, since 15 scale and bias may have a dtype of their own.
            s.needs(15);
        }
    }
    s.plain(vec![("epsilon", Attribute::Float(op.epsilon))])
}

pub(super) fn layer(s: &mut Step<'_>, op: LayerNormalization) -> Result<(), Error> {
    let x = s.dtype(0)?;
    for at in 1..s.n_inputs() {
        if s.dtype(at)? != x {
            return Err(s.refuse("a scale or bias of another dtype than the input", "cast it"));
        }
    }
    s.plain(vec![("axis", Attribute::Int(op.axis)), ("epsilon", Attribute::Float(op.epsilon))])?;
    s.optional_outputs(1);
    let n_outputs = s.w.nodes.last().map_or(0, |n| n.output.len());
    if x == DType::F64 && n_outputs > 1 {
        return Err(s.refuse("mean and deviation of f64", "leave them out, or compute them apart"));
    }
    Ok(())
}

pub(super) fn lrn(s: &mut Step<'_>, op: Lrn) -> Result<(), Error> {
    s.plain(vec![
        ("alpha", Attribute::Float(op.alpha)),
        ("beta", Attribute::Float(op.beta)),
        ("bias", Attribute::Float(op.bias)),
        ("size", Attribute::Int(wide(op.size))),
    ])
}

pub(super) fn shares(s: &mut Step<'_>, op: Softmax) -> Result<(), Error> {
    s.plain(vec![("axis", Attribute::Int(op.axis))])
}
