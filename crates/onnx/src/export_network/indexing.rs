//! Elements by their places. Codebooks of quantized weights are `Gather` here.

use super::step::{Step, flag, word};
use crate::error::Error;
use crate::writer::Attribute;
use ir::op::tensor::{Compress, Gather, OneHot, Scatter, ScatterReduction, TopK, Unique};

pub(super) fn gather(s: &mut Step<'_>, op: Gather) -> Result<(), Error> {
    match op {
        Gather::Slices { axis } | Gather::Elements { axis } => s.plain(vec![("axis", Attribute::Int(axis))]),
        Gather::Nd { batch_dims } => {
            let (dtype, inputs) = (s.dtype(0)?, vec![s.input(0)?, s.wide(1)?]);
            s.write(
                "GatherND",
                &[dtype],
                inputs,
                vec![("batch_dims", Attribute::Int(crate::writer::wide(batch_dims)))],
            )
        }
    }
}

pub(super) fn scatter(s: &mut Step<'_>, op: Scatter) -> Result<(), Error> {
    let (since, reduction) = match op.reduction {
        ScatterReduction::Replace => (13, None),
        ScatterReduction::Add => (16, Some("add")),
        ScatterReduction::Mul => (16, Some("mul")),
        ScatterReduction::Max => (18, Some("max")),
        ScatterReduction::Min => (18, Some("min")),
    };
    s.needs(since);
    let mut attributes: Vec<_> = reduction.map(|name| ("reduction", word(name))).into_iter().collect();
    let places = match op.axis {
        Some(axis) => {
            attributes.push(("axis", Attribute::Int(axis)));
            s.input(1)?
        }
        None => s.wide(1)?,
    };
    let (dtype, inputs) = (s.dtype(0)?, vec![s.input(0)?, places, s.input(2)?]);
    s.write(s.op(), &[dtype], inputs, attributes)
}

pub(super) fn compress(s: &mut Step<'_>, op: Compress) -> Result<(), Error> {
    s.plain(op.axis.map(|axis| ("axis", Attribute::Int(axis))).into_iter().collect())
}

pub(super) fn non_zero(s: &mut Step<'_>) -> Result<(), Error> {
    s.plain(Vec::new())
}

pub(super) fn one_hot(s: &mut Step<'_>, op: OneHot) -> Result<(), Error> {
    let (dtype, inputs) = (s.dtype(2)?, s.inputs()?);
    s.write("OneHot", &[dtype], inputs, vec![("axis", Attribute::Int(op.axis))])
}

pub(super) fn top_k(s: &mut Step<'_>, op: TopK) -> Result<(), Error> {
    let (dtype, inputs) = (s.dtype(0)?, vec![s.input(0)?, s.wide(1)?]);
    let attributes = vec![("axis", Attribute::Int(op.axis)), ("largest", flag(op.largest))];
    s.write("TopK", &[dtype], inputs, attributes)
}

pub(super) fn unique(s: &mut Step<'_>, op: Unique) -> Result<(), Error> {
    let mut attributes = vec![("sorted", flag(op.sorted))];
    attributes.extend(op.axis.map(|axis| ("axis", Attribute::Int(axis))));
    s.plain(attributes)?;
    s.optional_outputs(1);
    Ok(())
}
