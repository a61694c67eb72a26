//! What pairs of the QDQ form say: the grid of a value, codes of weights.

use super::Found;
use crate::roles::operator;
use ir::op::TensorOp;
use ir::{DType, Node, Tensor, TensorData, ValueIdx};

/// The grid of a value as a whole, and the value that holds its codes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Grid {
    pub codes: ValueIdx,
    pub scale: f32,
    pub zero: i64,
    pub dtype: DType,
}

impl Grid {
    /// True if both have the same codes for the same numbers.
    pub fn is_like(&self, other: &Grid) -> bool {
        (self.scale.to_bits(), self.zero, self.dtype) == (other.scale.to_bits(), other.zero, other.dtype)
    }

    /// Least and largest code.
    pub fn ends(&self) -> (i64, i64) {
        let (low, high) = self.dtype.whole_range().unwrap_or((0, 0));
        (low as i64, high as i64)
    }

    /// The clamp of a node that gives codes of this grid, for bounds on its real output: `Relu`, `Clip`.
    pub fn clamp(&self, bounds: (f64, f64)) -> (i64, i64) {
        let (least, most) = self.ends();
        let code = |bound: f64| {
            let q = ir::fixed::round_ties_even(bound / f64::from(self.scale)) + self.zero as f64;
            q.clamp(least as f64, most as f64) as i64
        };
        let low = if bounds.0 == f64::NEG_INFINITY { least } else { code(bounds.0) };
        let high = if bounds.1 == f64::INFINITY { most } else { code(bounds.1) };
        (low, high.max(low))
    }
}

/// Weights of a layer: codes, the scale of each output, one zero point for all.
pub(super) struct Coded {
    /// The value of the codes.
    pub codes: ValueIdx,
    /// One, or one for each of the axis.
    pub scales: Vec<f32>,
    pub axis: usize,
    pub zero: i64,
}

/// Elements of an integer tensor.
pub(super) fn whole(tensor: &Tensor) -> Option<Vec<i64>> {
    match tensor.data() {
        TensorData::Narrow(narrow, v) if narrow.whole_range().is_some() => {
            Some(v.iter().map(|&code| narrow.to_f32(code) as i64).collect())
        }
        other => other.whole_numbers(),
    }
}

fn is_code(dtype: DType) -> bool {
    matches!(dtype, DType::U8 | DType::I8 | DType::U16 | DType::I16)
}

impl Found<'_> {
    /// Scales and zero points of a node that quantizes or dequantizes: constants.
    fn params(&self, node: &Node) -> Option<(Vec<f32>, Vec<i64>)> {
        let scales = match self.graph.constant(*node.inputs.get(1)?)?.data() {
            TensorData::F32(v) => v.clone(),
            _ => return None,
        };
        let zeros = match node.inputs.get(2) {
            Some(&zero) => whole(self.graph.constant(zero)?)?,
            None => vec![0; scales.len()],
        };
        (scales.iter().all(|s| s.is_finite() && *s > 0.0) && !scales.is_empty()).then_some((scales, zeros))
    }

    /// The grid that a node rounds to; `codes` is its output.
    pub(super) fn rounds_to(&self, node: &Node) -> Option<Grid> {
        let TensorOp::QuantizeLinear(op) = operator(node)? else { return None };
        let (scales, zeros) = self.params(node)?;
        let is_plain = scales.len() == 1 && op.block == 0 && is_code(op.to) && op.precision.is_none();
        let &[codes] = &node.outputs[..] else { return None };
        is_plain.then_some(Grid { codes, scale: scales[0], zero: *zeros.first()?, dtype: op.to })
    }

    /// The grid that a float value comes from.
    pub(super) fn grid(&self, value: ValueIdx) -> Option<Grid> {
        let node = self.graph.maker(value)?;
        let TensorOp::DequantizeLinear(op) = operator(node)? else { return None };
        let (scales, zeros) = self.params(node)?;
        let &codes = node.inputs.first()?;
        let dtype = self.graph.value(codes).dtype;
        let is_plain = scales.len() == 1 && op.block == 0 && op.to == DType::F32 && is_code(dtype);
        is_plain.then_some(Grid { codes, scale: scales[0], zero: *zeros.first()?, dtype })
    }

    /// Codes of weights, constant or looked up in a table, with a scale for each of an axis.
    pub(super) fn coded(&self, value: ValueIdx) -> Option<Coded> {
        let node = self.graph.maker(value)?;
        let TensorOp::DequantizeLinear(op) = operator(node)? else { return None };
        let (scales, zeros) = self.params(node)?;
        let &codes = node.inputs.first()?;
        let rank = self.graph.value(codes).shape.axes()?.len();
        let axis = if op.axis < 0 { op.axis + rank as i64 } else { op.axis };
        let zero = *zeros.first()?;
        let is_plain = op.block == 0 && op.to == DType::F32 && zeros.iter().all(|z| *z == zero);
        let fits = self.graph.value(codes).dtype.whole_range().is_some_and(|(_, high)| high <= 32_767);
        let axis = usize::try_from(axis).ok()?;
        (is_plain && fits && self.hangs_on_constants(codes)).then_some(Coded { codes, scales, axis, zero })
    }

    /// True for a value that no input changes.
    pub(super) fn hangs_on_constants(&self, value: ValueIdx) -> bool {
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match &self.graph.value(value).origin {
                ir::Origin::Input(_) => return false,
                ir::Origin::Constant(_) => {}
                ir::Origin::Node(idx) => open.extend(&self.graph.nodes()[idx.0 as usize].inputs),
            }
        }
        true
    }

    /// A bias on the grid of products: its own codes where they are on that grid, else rounded to it.
    pub(super) fn bias(&self, value: ValueIdx, scales: &[f64]) -> Option<Vec<i32>> {
        let numbers: Vec<f64> = if let Some(tensor) = self.graph.constant(value) {
            match tensor.data() {
                TensorData::F32(v) => v.iter().map(|&x| f64::from(x)).collect(),
                _ => return None,
            }
        } else {
            let node = self.graph.maker(value)?;
            let TensorOp::DequantizeLinear(op) = operator(node)? else { return None };
            let (own, zeros) = self.params(node)?;
            let codes = whole(self.graph.constant(*node.inputs.first()?)?)?;
            if op.block != 0 || zeros.iter().any(|z| *z != 0) {
                return None;
            }
            let scale = |at: usize| own.get(at).or(own.first()).copied().unwrap_or(1.0);
            let wanted = |at: usize| scales.get(at).or(scales.first()).copied().unwrap_or(1.0);
            let is_on_grid =
                (0..codes.len()).all(|at| (f64::from(scale(at)) / wanted(at) - 1.0).abs() < 1e-6);
            if is_on_grid {
                return codes.into_iter().map(|c| i32::try_from(c).ok()).collect();
            }
            codes.iter().enumerate().map(|(at, &c)| c as f64 * f64::from(scale(at))).collect()
        };
        let code = |(at, x): (usize, f64)| {
            let q = ir::fixed::round_ties_even(x / scales.get(at).or(scales.first()).copied().unwrap_or(1.0));
            (q.abs() <= f64::from(i32::MAX)).then_some(q as i32)
        };
        numbers.into_iter().enumerate().map(code).collect()
    }
}
