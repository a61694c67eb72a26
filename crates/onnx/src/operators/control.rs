//! Graphs inside nodes.

use super::{Operator, Outputs};
use crate::context::Context;
use crate::inside::{Captures, graph};
use ir::op::tensor::{If, Loop, Scan, ScanAxis};
use ir::{DType, Dim, Shape, ValueIdx};

pub(super) const OPERATORS: &[Operator] =
    &[Operator::of("If", 1, if_else), Operator::of("Loop", 1, repeat), Operator::of("Scan", 9, scan)];

fn if_else(c: &mut Context<'_, '_>) -> Outputs {
    let (then, or) = (c.graph("then_branch")?, c.graph("else_branch")?);
    let captures = Captures::of(c, &[then, or]);
    let op = If { then_branch: graph(c, then, &[], &captures)?, else_branch: graph(c, or, &[], &captures)? };
    let mut inputs = vec![c.input(0)?];
    inputs.extend(captures.values(c));
    c.emit_all(op, &inputs)
}

fn repeat(c: &mut Context<'_, '_>) -> Outputs {
    let body = c.graph("body")?;
    let captures = Captures::of(c, &[body]);
    let (limit, condition) = (c.optional(0), c.optional(1));
    let carried: Vec<ValueIdx> = (2..c.n_inputs()).map(|at| c.input(at)).collect::<Result<_, _>>()?;
    let mut leading = vec![(DType::I64, Shape::default()), (DType::Bool, Shape::default())];
    // A carried value may change its shape from step to step.
    leading.extend(carried.iter().map(|&v| (c.dtype(v), Shape::any())));
    let op = Loop {
        body: graph(c, body, &leading, &captures)?,
        has_limit: limit.is_some(),
        has_condition: condition.is_some(),
        n_carried: carried.len(),
    };
    let inputs: Vec<ValueIdx> =
        limit.into_iter().chain(condition).chain(carried).chain(captures.values(c)).collect();
    c.emit_all(op, &inputs)
}

fn scan(c: &mut Context<'_, '_>) -> Outputs {
    let body = c.graph("body")?;
    let n_scanned = c.count("num_scan_inputs", c.int("num_scan_inputs", 0)?)?;
    let inputs = c.all_inputs()?;
    let n_states = inputs.len().checked_sub(n_scanned);
    let n_states =
        n_states.ok_or_else(|| c.misfit("num_scan_inputs", "at most the inputs", &n_scanned.to_string()))?;
    let n_collected = body.output.len().saturating_sub(n_states);
    let scanned = axes(c, "scan_input_axes", "scan_input_directions", n_scanned);
    let collected = axes(c, "scan_output_axes", "scan_output_directions", n_collected);
    let mut leading = Vec::with_capacity(inputs.len());
    for &state in &inputs[..n_states] {
        leading.push((c.dtype(state), Shape::any()));
    }
    for (&value, scan) in inputs[n_states..].iter().zip(&scanned) {
        leading.push((c.dtype(value), without(c, value, scan.axis)));
    }
    let captures = Captures::of(c, &[body]);
    let op = Scan { body: graph(c, body, &leading, &captures)?, n_states, scanned, collected };
    let mut inputs = inputs;
    inputs.extend(captures.values(c));
    c.emit_all(op, &inputs)
}

fn axes(c: &Context<'_, '_>, axes: &str, directions: &str, n: usize) -> Vec<ScanAxis> {
    let (axes, directions) = (c.ints(axes).unwrap_or_default(), c.ints(directions).unwrap_or_default());
    let axis = |at: usize| ScanAxis {
        axis: axes.get(at).copied().unwrap_or(0),
        reverse: directions.get(at).copied().unwrap_or(0) != 0,
    };
    (0..n).map(axis).collect()
}

/// Shape of a slice.
fn without(c: &Context<'_, '_>, value: ValueIdx, axis: i64) -> Shape {
    let Some(mut axes) = c.axes(value) else { return Shape::any() };
    let at = if axis < 0 { axis.checked_add_unsigned(axes.len() as u64) } else { Some(axis) };
    match at.and_then(|at| usize::try_from(at).ok()).filter(|&at| at < axes.len()) {
        Some(at) => {
            let _: Dim = axes.remove(at);
            Shape(axes)
        }
        None => Shape::any(),
    }
}
