//! Which node on integers a node that rounds stands for.

use super::pairs::Grid;
use super::{Feed, Found, Integer, Step};
use crate::error::Error;
use crate::qdq::integers;
use crate::roles::operator;
use ir::fixed::{Requantize as Pair, round_ties_even};
use ir::op::TensorOp;
use ir::op::tensor::{
    Binary, Concat, Identity, MatMul, Pad, Pool, PoolKind, QAdd, QAveragePool, QMatMul, QMean, QMul, Reduce,
    ReduceKind, Requantize,
};
use ir::{DType, Node, Tensor, TensorData, ValueIdx};

/// Bounds that take nothing away.
const UNBOUNDED: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

/// The pair of a factor; the least one of a factor below all pairs, which rounds all sums to 0.
pub(super) fn pair(factor: f64) -> Option<Pair> {
    if factor > 0.0 && factor < 1.0 / 4_294_967_296.0 {
        return Pair::try_new(1 << 30, 62);
    }
    Pair::of(factor)
}

/// Pairs as a constant `i64 [2, M]`.
pub(super) fn pairs(name: &str, factors: impl Iterator<Item = f64>) -> Option<Feed> {
    let pairs: Vec<Pair> = factors.map(pair).collect::<Option<_>>()?;
    let both = pairs.iter().map(|p| p.multiplier()).chain(pairs.iter().map(|p| p.shift())).collect();
    let tensor = Tensor::try_new(vec![2, pairs.len()], TensorData::I64(both))?;
    Some(Feed::Constant(format!("{name}_requantize"), tensor))
}

impl Found<'_> {
    /// The node on integers that a node that rounds stands for, with all before it up to other codes.
    pub(super) fn quantized(&self, node: &Node) -> Result<Option<Integer>, Error> {
        let Some(y) = self.rounds_to(node) else { return Ok(None) };
        let value = node.inputs[0];
        if self.made.contains_key(&y.codes) {
            return Ok(None);
        }
        if let Some(same) = self.same_before(node, value, &y) {
            let op = TensorOp::Identity(Identity).into();
            return Ok(Some(self.one(node, op, vec![Feed::Value(same)], &y)));
        }
        if let Some(x) = self.grid(value) {
            return Ok(self.requantized(node, &x, &y));
        }
        // What lies before bounds on its output.
        let bounded = self.roles.root_of(value).zip(self.roles.bounds(value));
        if let Some((root, bounds)) = bounded
            && let Some(found) = self.made_of(node, root, bounds, &y)
        {
            return Ok(Some(found));
        }
        if let Some(found) = self.made_of(node, value, UNBOUNDED, &y) {
            return Ok(Some(found));
        }
        self.curve(node, value, &y)
    }

    /// Codes of the same value on the same grid that an earlier node made.
    fn same_before(&self, node: &Node, value: ValueIdx, y: &Grid) -> Option<ValueIdx> {
        let uses = self.uses.get(&value)?;
        let nodes = uses.iter().map(|idx| &self.graph.nodes()[idx.0 as usize]);
        let earlier = nodes.take_while(|other| other.outputs != node.outputs);
        earlier.filter_map(|other| self.rounds_to(other)).find(|g| g.is_like(y)).map(|g| g.codes)
    }

    fn one(&self, node: &Node, op: ir::Op, inputs: Vec<Feed>, y: &Grid) -> Integer {
        let name = self.graph.value(node.inputs[0]).name.clone();
        Integer { name, op, inputs, outputs: vec![y.codes], then: None }
    }

    /// Codes of one grid on another.
    fn step(&self, name: &str, x: &Grid, y: &Grid) -> Option<Step> {
        let (low, high) = y.ends();
        let op = Requantize { zero_x: x.zero, zero_y: y.zero, low, high, to: y.dtype };
        let name = format!("{name}_requantized");
        match pairs(&name, std::iter::once(f64::from(x.scale) / f64::from(y.scale)))? {
            Feed::Constant(constant, tensor) => {
                let constants = vec![(constant, tensor)];
                Some(Step { name, op: TensorOp::Requantize(op).into(), constants })
            }
            _ => None,
        }
    }

    fn requantized(&self, node: &Node, x: &Grid, y: &Grid) -> Option<Integer> {
        if x.is_like(y) {
            return Some(self.one(node, TensorOp::Identity(Identity).into(), vec![Feed::Value(x.codes)], y));
        }
        let step = self.step(&self.graph.value(y.codes).name, x, y)?;
        let mut inputs = vec![Feed::Value(x.codes)];
        inputs.extend(step.constants.into_iter().map(|(name, tensor)| Feed::Constant(name, tensor)));
        Some(self.one(node, step.op, inputs, y))
    }

    /// The node that makes `value`, on integers, with bounds on its output.
    fn made_of(&self, node: &Node, value: ValueIdx, bounds: (f64, f64), y: &Grid) -> Option<Integer> {
        if let Some(made) = self.layer(value, Some((y, bounds))) {
            return Some(made);
        }
        let maker = self.graph.maker(value)?;
        let (low, high) = y.clamp(bounds);
        let name = &self.graph.value(value).name;
        let (zero_y, to) = (y.zero, y.dtype);
        let two = || match &maker.inputs[..] {
            &[a, b] => self.grid(a).zip(self.grid(b)),
            _ => None,
        };
        let scale = |grid: &Grid| f64::from(grid.scale);
        match operator(maker)? {
            TensorOp::Binary(kind @ (Binary::Add | Binary::Sub)) => {
                let (a, b) = two()?;
                let sign = if *kind == Binary::Sub { -1.0 } else { 1.0 };
                let factors = sum_factors(scale(&a) / scale(y), sign * scale(&b) / scale(y))?;
                let op = QAdd { zero_a: a.zero, zero_b: b.zero, zero_y, low, high, to };
                let factors =
                    Feed::Constant(format!("{name}_factors"), Tensor::vector(TensorData::I64(factors)));
                let inputs = vec![Feed::Value(a.codes), Feed::Value(b.codes), factors];
                Some(self.one(node, TensorOp::QAdd(op).into(), inputs, y))
            }
            TensorOp::Binary(Binary::Mul) => {
                let (a, b) = two()?;
                let pair = pairs(name, std::iter::once(scale(&a) * scale(&b) / scale(y)))?;
                let op = QMul { zero_a: a.zero, zero_b: b.zero, zero_y, low, high, to };
                let inputs = vec![Feed::Value(a.codes), Feed::Value(b.codes), pair];
                Some(self.one(node, TensorOp::QMul(op).into(), inputs, y))
            }
            TensorOp::MatMul(MatMul::Numbers) => {
                let (a, b) = two()?;
                let pair = pairs(name, std::iter::once(scale(&a) * scale(&b) / scale(y)))?;
                let op = QMatMul { zero_x: a.zero, zero_w: b.zero, zero_y, low, high, to };
                let inputs = vec![Feed::Value(a.codes), Feed::Value(b.codes), pair];
                Some(self.one(node, TensorOp::QMatMul(op).into(), inputs, y))
            }
            TensorOp::Pool(Pool { kind: PoolKind::Average { with_pads }, window, ceil: false }) => {
                let x = self.grid(*maker.inputs.first()?)?;
                let pair = pairs(name, std::iter::once(scale(&x) / scale(y)))?;
                let op = QAveragePool {
                    window: window.clone(),
                    count_pads: *with_pads,
                    zero_x: x.zero,
                    zero_y,
                    low,
                    high,
                    to,
                };
                let inputs = vec![Feed::Value(x.codes), pair];
                Some(self.one(node, TensorOp::QAveragePool(op).into(), inputs, y))
            }
            TensorOp::Reduce(reduce @ Reduce { kind: ReduceKind::Mean, keep_dims, .. }) => {
                let x = self.grid(*maker.inputs.first()?)?;
                let axes = self.mean_axes(maker, reduce)?;
                let pair = pairs(name, std::iter::once(scale(&x) / scale(y)))?;
                let op = QMean { axes, keep: *keep_dims, zero_x: x.zero, zero_y, low, high, to };
                let inputs = vec![Feed::Value(x.codes), pair];
                Some(self.one(node, TensorOp::QMean(op).into(), inputs, y))
            }
            TensorOp::Concat(concat) if bounds == UNBOUNDED => self.concat(node, maker, *concat, y),
            op if bounds == UNBOUNDED => self.passing(node, maker, op, y),
            _ => None,
        }
    }

    fn mean_axes(&self, maker: &Node, reduce: &Reduce) -> Option<Vec<i64>> {
        match maker.inputs.get(1) {
            None if reduce.none_without_axes => None,
            None => Some(Vec::new()),
            Some(&axes) => match self.graph.constant(axes)?.data() {
                TensorData::I64(v) if !(v.is_empty() && reduce.none_without_axes) => Some(v.clone()),
                _ => None,
            },
        }
    }

    fn concat(&self, node: &Node, maker: &Node, concat: Concat, y: &Grid) -> Option<Integer> {
        let feed = |&input: &ValueIdx| {
            let x = self.grid(input)?;
            if x.is_like(y) {
                return Some(Feed::Value(x.codes));
            }
            Some(Feed::Through(x.codes, self.step(&self.graph.value(input).name, &x, y)?))
        };
        let inputs = maker.inputs.iter().map(feed).collect::<Option<Vec<_>>>()?;
        Some(self.one(node, TensorOp::Concat(concat).into(), inputs, y))
    }

    /// Elements that are moved or chosen: the same of codes, and a step to the other grid where there is one.
    fn passing(&self, node: &Node, maker: &Node, op: &TensorOp, y: &Grid) -> Option<Integer> {
        let (&first, others) = maker.inputs.split_first()?;
        let x = self.grid(first)?;
        if !moves_codes(op) {
            return None;
        }
        let mut inputs = vec![Feed::Value(x.codes)];
        inputs.extend(others.iter().map(|&v| Feed::Value(v)));
        if let TensorOp::Pad(Pad { mode: ir::op::tensor::PadMode::Constant }) = op {
            if let Some(&value) = others.get(1)
                && crate::roles::number(self.graph, value) != Some(0.0)
            {
                return None;
            }
            let zero = Tensor::scalar(integers(x.dtype, &[x.zero])?)?;
            let zero = Feed::Constant(format!("{}_pad", self.graph.value(y.codes).name), zero);
            if inputs.len() > 2 {
                inputs[2] = zero;
            } else {
                inputs.push(zero);
            }
        }
        if maker.outputs.len() > 1 {
            // All parts or none.
            let part = |&output: &ValueIdx| match &self.uses.get(&output)?[..] {
                &[only] if self.is_taken_once(output) => {
                    self.rounds_to(&self.graph.nodes()[only.0 as usize]).filter(|g| g.is_like(&x))
                }
                _ => None,
            };
            let parts = maker.outputs.iter().map(part).collect::<Option<Vec<_>>>()?;
            let outputs = parts.into_iter().map(|g| g.codes).collect();
            let name = maker.name.clone();
            return Some(Integer { name, op: op.clone().into(), inputs, outputs, then: None });
        }
        let mut made = self.one(node, op.clone().into(), inputs, y);
        if !x.is_like(y) {
            made.then = Some(self.step(&self.graph.value(y.codes).name, &x, y)?);
        }
        Some(made)
    }
}

/// Operators that take codes as they take numbers.
fn moves_codes(op: &TensorOp) -> bool {
    match op {
        TensorOp::Identity(_)
        | TensorOp::Reshape(_)
        | TensorOp::Squeeze(_)
        | TensorOp::Transpose(_)
        | TensorOp::Slice(_)
        | TensorOp::Split(_)
        | TensorOp::Tile(_)
        | TensorOp::Expand(_)
        | TensorOp::DepthSpace(_)
        | TensorOp::ReverseSequence(_)
        | TensorOp::Gather(_)
        | TensorOp::Pad(_) => true,
        TensorOp::Pool(pool) => matches!(pool.kind, PoolKind::Max { .. }),
        TensorOp::Reduce(reduce) => matches!(reduce.kind, ReduceKind::Max | ReduceKind::Min),
        TensorOp::Resize(resize) => resize.mode.sampling == ir::op::tensor::Sampling::Nearest,
        _ => false,
    }
}

/// Multipliers and shift of a sum of two terms: as those of the larger factor alone.
fn sum_factors(a: f64, b: f64) -> Option<Vec<i64>> {
    let shift = Pair::of(a.abs().max(b.abs()))?.shift();
    let whole = |factor: f64| round_ties_even(factor * (1i64 << shift) as f64) as i64;
    // Rounding to the next power of two is what `Pair::of` has taken care of.
    let both = [whole(a), whole(b)].map(|m| m.clamp(-(1 << 31) + 1, (1 << 31) - 1));
    Some(vec![both[0], both[1], shift])
}

/// True for dtypes that a table of 256 entries covers.
pub(super) fn has_table(dtype: DType) -> bool {
    matches!(dtype, DType::U8 | DType::I8)
}
