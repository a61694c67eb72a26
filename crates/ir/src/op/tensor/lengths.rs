//! Lengths, axes and dtypes as operators check them: what several `infer` share.
//!
//! A length that is not known yet fits everything; as soon as it is known it must fit.

use super::super::{Attr, Operand, misfit};
use crate::{DType, Dim, Error, Graph, Shape, TensorData};
use alloc::string::ToString;
use alloc::vec::Vec;

/// What `infer` gives.
pub(super) type Made = Result<Vec<(DType, Shape)>, Error>;

pub(super) fn one(dtype: DType, shape: Shape) -> Made {
    Ok(alloc::vec![(dtype, shape)])
}

/// The whole numbers of a constant.
pub(super) fn ints(operand: &Operand<'_>) -> Option<Vec<i64>> {
    match operand.constant?.data() {
        TensorData::I64(v) => Some(v.clone()),
        TensorData::I32(v) => Some(v.iter().map(|&x| x.into()).collect()),
        _ => None,
    }
}

/// Refuses an operand that does not hold whole numbers of 32 or 64 bits.
pub(super) fn whole(op: &'static str, what: &str, operand: &Operand<'_>) -> Result<(), Error> {
    match operand.dtype {
        DType::I64 | DType::I32 => Ok(()),
        _ => Err(misfit(op, what, "i64 or i32", &operand.describe())),
    }
}

/// Refuses inputs whose number is not in the range.
pub(super) fn between(
    op: &'static str,
    inputs: &[Operand<'_>],
    least: usize,
    most: usize,
) -> Result<(), Error> {
    if (least..=most).contains(&inputs.len()) {
        return Ok(());
    }
    Err(misfit(op, "inputs", &alloc::format!("{least} to {most}"), &inputs.len()))
}

/// Refuses operands of different dtypes.
pub(super) fn alike(op: &'static str, first: &Operand<'_>, others: &[Operand<'_>]) -> Result<(), Error> {
    match others.iter().find(|o| o.dtype != first.dtype) {
        None => Ok(()),
        Some(other) => Err(misfit(op, "dtypes", &first.dtype.to_string(), &other.dtype)),
    }
}

/// Refuses an operand that holds no floats of 16 bits or more.
pub(super) fn floats(op: &'static str, what: &str, operand: &Operand<'_>) -> Result<(), Error> {
    match operand.dtype {
        DType::F32 | DType::F64 | DType::Half(_) => Ok(()),
        _ => Err(misfit(op, what, "f16, bf16, f32 or f64", &operand.describe())),
    }
}

/// The axes, of which there must be `rank` if their number is known.
pub(super) fn ranked<'a>(
    op: &'static str,
    what: &str,
    operand: &Operand<'a>,
    rank: usize,
) -> Result<Option<&'a [Dim]>, Error> {
    match operand.shape.axes() {
        Some(axes) if axes.len() != rank => {
            Err(misfit(op, what, &alloc::format!("{rank} axes"), &operand.describe()))
        }
        axes => Ok(axes),
    }
}

/// An axis counted from the end if it is negative.
pub(super) fn axis_of(op: &'static str, axis: i64, rank: usize) -> Result<usize, Error> {
    let at = if axis < 0 { axis.checked_add_unsigned(rank as u64) } else { Some(axis) };
    let at = at.and_then(|at| usize::try_from(at).ok()).filter(|&at| at < rank);
    at.ok_or_else(|| misfit(op, "axis", &alloc::format!("one of {rank} axes"), &axis))
}

/// Axes counted from the end if they are negative; each once.
pub(super) fn axes_of(op: &'static str, axes: &[i64], rank: usize) -> Result<Vec<usize>, Error> {
    let mut places = Vec::with_capacity(axes.len().min(rank));
    for &axis in axes {
        let place = axis_of(op, axis, rank)?;
        if places.contains(&place) {
            return Err(misfit(op, "axes", "each axis once", &axis));
        }
        places.push(place);
    }
    Ok(places)
}

/// One length for two axes that must be equal; none if they are not.
pub(super) fn met(a: &Dim, b: &Dim) -> Option<Dim> {
    match (a, b) {
        (Dim::Fixed(x), Dim::Fixed(y)) => (x == y).then(|| a.clone()),
        (Dim::Fixed(_), _) => Some(a.clone()),
        (_, Dim::Fixed(_)) => Some(b.clone()),
        (Dim::Symbol(_), _) => Some(a.clone()),
        _ => Some(b.clone()),
    }
}

/// The common shape of tensors as numpy has it: axes are aligned at the last; a missing axis and an axis of
/// length 1 are repeated.
pub(super) fn broadcast(op: &'static str, shapes: &[&Shape]) -> Result<Shape, Error> {
    let Some(axes) = shapes.iter().map(|s| s.axes()).collect::<Option<Vec<_>>>() else {
        return Ok(Shape::any());
    };
    let rank = axes.iter().map(|a| a.len()).max().unwrap_or(0);
    let mut dims = alloc::vec![Dim::Fixed(1); rank];
    for own in axes {
        for (dim, own) in dims.iter_mut().rev().zip(own.iter().rev()) {
            let joint = match (&*dim, own) {
                (Dim::Fixed(1), other) | (other, Dim::Fixed(1)) => other.clone(),
                (Dim::Fixed(a), Dim::Fixed(b)) if a != b => {
                    let all: Vec<_> = shapes.iter().map(|s| s.to_string()).collect();
                    return Err(misfit(op, "shapes", "some that broadcast", &all.join(" and ")));
                }
                (Dim::Fixed(n), _) | (_, Dim::Fixed(n)) => Dim::Fixed(*n),
                (Dim::Symbol(a), Dim::Symbol(b)) if a == b => own.clone(),
                _ => Dim::Unknown,
            };
            *dim = joint;
        }
    }
    Ok(Shape(dims))
}

/// A length from outside.
pub(super) fn length(op: &'static str, what: &str, n: i64) -> Result<usize, Error> {
    usize::try_from(n).map_err(|_| misfit(op, what, "0 or more", &n))
}

/// Product of lengths, as far as they are known; none past what can be counted.
pub(super) fn product(op: &'static str, dims: &[Dim]) -> Result<Dim, Error> {
    let mut n = 1usize;
    let mut is_known = true;
    for dim in dims {
        match dim {
            Dim::Fixed(0) => return Ok(Dim::Fixed(0)),
            Dim::Fixed(k) => {
                n = n.checked_mul(*k).ok_or_else(|| misfit(op, "elements", "fewer than 2^63", k))?;
            }
            _ => is_known = false,
        }
    }
    match (is_known, dims) {
        (true, _) => Ok(Dim::Fixed(n)),
        (false, [one]) => Ok(one.clone()),
        (false, _) => Ok(Dim::Unknown),
    }
}

/// The inputs of a graph inside a node against what the node gives it.
pub(super) fn feeds(op: &'static str, graph: &Graph, given: &[DType]) -> Result<(), Error> {
    let inputs = graph.inputs();
    if inputs.len() != given.len() {
        return Err(misfit(op, "inputs of its graph", &given.len().to_string(), &inputs.len()));
    }
    for (&idx, &dtype) in inputs.iter().zip(given) {
        let value = graph.value(idx);
        if value.dtype != dtype {
            let what = alloc::format!("input \"{}\" of its graph", value.name);
            return Err(misfit(op, &what, &value.dtype.to_string(), &dtype));
        }
    }
    Ok(())
}

/// What is known of a value that comes from either of two places.
pub(super) fn either(a: &Shape, b: &Shape) -> Shape {
    match (a.axes(), b.axes()) {
        (Some(x), Some(y)) if x.len() == y.len() => {
            Shape(x.iter().zip(y).map(|(x, y)| if x == y { x.clone() } else { Dim::Unknown }).collect())
        }
        _ => Shape::any(),
    }
}

/// Words of attributes.
pub(super) fn word(value: &str) -> Attr {
    Attr::Word(value.into())
}

/// Whole numbers of attributes.
pub(super) fn numbers(values: &[usize]) -> Attr {
    Attr::Ints(values.iter().map(|&v| i64::try_from(v).unwrap_or(i64::MAX)).collect())
}

pub(super) fn flag(value: bool) -> Attr {
    Attr::Int(value.into())
}

/// Graphs as attributes are printed.
pub(super) fn sizes(graphs: &[(&'static str, &Graph)]) -> Vec<(&'static str, Attr)> {
    graphs
        .iter()
        .map(|(name, graph)| (*name, word(&alloc::format!("{} nodes", graph.nodes().len()))))
        .collect()
}

pub(super) fn all_exact(graphs: &[&Graph]) -> bool {
    graphs.iter().all(|graph| graph.nodes().iter().all(|n| n.op.payload().is_exact()))
}
