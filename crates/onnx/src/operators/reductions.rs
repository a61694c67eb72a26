//! Reductions and running sums.

use super::shapes::axes_input;
use super::{Operator, Outputs};
use crate::context::Context;
use ir::op::tensor::{ArgExtreme, Cumulative, Reduce, ReduceKind};

pub(super) const OPERATORS: &[Operator] = &[
    Operator::of("ReduceSum", 1, |c| reduce(c, ReduceKind::Sum)),
    Operator::of("ReduceMean", 1, |c| reduce(c, ReduceKind::Mean)),
    Operator::of("ReduceMax", 1, |c| reduce(c, ReduceKind::Max)),
    Operator::of("ReduceMin", 1, |c| reduce(c, ReduceKind::Min)),
    Operator::of("ReduceProd", 1, |c| reduce(c, ReduceKind::Prod)),
    Operator::of("ReduceL1", 1, |c| reduce(c, ReduceKind::L1)),
    Operator::of("ReduceL2", 1, |c| reduce(c, ReduceKind::L2)),
    Operator::of("ReduceLogSum", 1, |c| reduce(c, ReduceKind::LogSum)),
    Operator::of("ReduceLogSumExp", 1, |c| reduce(c, ReduceKind::LogSumExp)),
    Operator::of("ReduceSumSquare", 1, |c| reduce(c, ReduceKind::SumSquare)),
    Operator::of("ArgMax", 1, |c| arg(c, true)),
    Operator::of("ArgMin", 1, |c| arg(c, false)),
    Operator::of("CumSum", 11, |c| cumulative(c, false)),
    Operator::of("CumProd", 26, |c| cumulative(c, true)),
];

fn reduce(c: &mut Context<'_, '_>, kind: ReduceKind) -> Outputs {
    let (keep_dims, none_without_axes) = (c.flag("keepdims", true)?, c.flag("noop_with_empty_axes", false)?);
    let mut inputs = vec![c.input(0)?];
    inputs.extend(axes_input(c, if kind == ReduceKind::Sum { 13 } else { 18 }, 1)?);
    c.emit_all(Reduce { kind, keep_dims, none_without_axes }, &inputs)
}

fn arg(c: &mut Context<'_, '_>, largest: bool) -> Outputs {
    let op = ArgExtreme {
        largest,
        axis: c.int("axis", 0)?,
        keep_dims: c.flag("keepdims", true)?,
        last: c.flag("select_last_index", false)?,
    };
    let x = c.input(0)?;
    c.emit_all(op, &[x])
}

fn cumulative(c: &mut Context<'_, '_>, of_products: bool) -> Outputs {
    let op = Cumulative {
        of_products,
        exclusive: c.flag("exclusive", false)?,
        reverse: c.flag("reverse", false)?,
    };
    let inputs = c.all_inputs()?;
    c.emit_all(op, &inputs)
}
