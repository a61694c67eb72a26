//! Which step computes which operator. A node for which there is none is left to the interpreter.

use super::borders::{Dequantize, Floats, Quantize, codes_of, sums_of};
use super::elements::{Joint, LookUp, Pairwise, Repeated};
use super::filter::{Filter, Parts, bias_and_pairs, whole};
use super::geometry::Geometry;
use super::matrices::{Batches, Matrices};
use super::moves::Join;
use super::planner::{Layout, Planner, is_flat};
use super::pools::{LargestPool, MeanPool};
use super::rooms::Slot;
use super::step::Step;
use crate::error::Error;
use crate::kernels::cells::{Width, shift_of};
use crate::kernels::ending::{Codes, Ending, Tail};
use alloc::vec;
use alloc::vec::Vec;
use ir::fixed::Requantize as Pair;
use ir::op::TensorOp;
use ir::op::tensor::{
    Concat, DequantizeLinear, Pool, PoolKind, QAdd, QAveragePool, QConv, QLut, QMatMul, QMean, QMul,
    QuantizeLinear, Requantize, SumFactors,
};
use ir::{DType, Node, Op, Origin, TensorData, ValueIdx};

/// A product before its slots are known.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) x: ValueIdx,
    pub(super) layout: Layout,
    pub(super) geometry: Geometry,
    pub(super) images: usize,
    pub(super) groups: usize,
    pub(super) filter: Filter,
    pub(super) codes: Codes,
    /// The output holds numbers of 32 bits, not codes.
    pub(super) is_long: bool,
}

impl Planner<'_> {
    /// The operator of a node, if no axis of its values is of length 0.
    pub(super) fn filled<'n>(&self, node: &'n Node) -> Option<&'n TensorOp> {
        let Op::Tensor(op) = &node.op else { return None };
        let mut values = node.inputs.iter().chain(&node.outputs);
        values.all(|&idx| !self.dims(idx).contains(&0)).then_some(&**op)
    }

    /// The product that a node is, where its weights are constant and fit.
    pub(super) fn recipe(&self, node: &Node) -> Option<Recipe> {
        match self.filled(node)? {
            TensorOp::QConv(op) => self.convolution(node, op),
            TensorOp::QMatMul(op) => self.matrices(node, op),
            _ => None,
        }
    }

    fn convolution(&self, node: &Node, op: &QConv) -> Option<Recipe> {
        let &[x, w, bias, pairs] = &node.inputs[..] else { return None };
        let (dims, filters) = (self.dims(x), self.dims(w));
        let (axes, kernel) = (dims.get(2..)?, filters.get(2..)?);
        let (outputs, each) = (*filters.first()?, *filters.get(1)?);
        let n_taps: usize = kernel.iter().product();
        let geometry = Geometry::try_new(&op.window, axes, kernel, (false, dims[1])).ok()??;
        let (geometry, images) = if geometry.is_plain() {
            (Geometry::plain(dims[0] * geometry.n_pixels(), dims[1]), 1)
        } else {
            (geometry, dims[0])
        };
        let parts = Parts { weights: w, zero_w: 0, bias: Some(bias), pairs };
        // Taps before channels, as rows have them.
        let place = |output: usize, inner: usize| (output * each + inner % each) * n_taps + inner / each;
        let n = (outputs, each * n_taps);
        let filter = Filter::of(&self.known, (self.dtype(x), op.zero_x), &parts, n, place)?;
        let (codes, is_long) = sums_of(op.to, op.zero_y, op.low, op.high)?;
        let layout = Layout::Last;
        Some(Recipe { x, layout, geometry, images, groups: op.group, filter, codes, is_long })
    }

    fn matrices(&self, node: &Node, op: &QMatMul) -> Option<Recipe> {
        let (x, w) = (*node.inputs.first()?, *node.inputs.get(1)?);
        let (&depth, rows) = self.dims(x).split_last()?;
        let &[_, outputs] = self.dims(w) else { return None };
        let bias = if node.inputs.len() == 4 { Some(node.inputs[2]) } else { None };
        let parts = Parts { weights: w, zero_w: op.zero_w, bias, pairs: *node.inputs.last()? };
        let place = |output: usize, inner: usize| inner * outputs + output;
        let dtype = (self.dtype(x), op.zero_x);
        let filter = Filter::of(&self.known, dtype, &parts, (outputs, depth), place)?;
        let (codes, is_long) = sums_of(op.to, op.zero_y, op.low, op.high)?;
        let geometry = Geometry::plain(rows.iter().product(), depth);
        let layout = Layout::First;
        Some(Recipe { x, layout, geometry, images: 1, groups: 1, filter, codes, is_long })
    }

    /// A product of matrices whose right side is made when it runs.
    fn two_values(&mut self, node: &Node, op: QMatMul) -> Result<bool, Error> {
        let (x, w, y) = (node.inputs[0], node.inputs[1], node.outputs[0]);
        let bias = if node.inputs.len() == 4 { Some(node.inputs[2]) } else { None };
        let batches = Batches::of(self.dims(x), self.dims(w));
        let sides = [(x, op.zero_x), (w, op.zero_w)].map(|(idx, zero)| {
            let (dtype, width) = (self.dtype(idx), Width::of(self.dtype(idx))?);
            let zero = zero + shift_of(dtype);
            let (least, most) = (width.range().0 - zero, width.range().1 - zero);
            let fits = i16::try_from(least).is_ok() && i16::try_from(most).is_ok();
            fits.then_some((width, zero, i128::from(most.max(-least))))
        });
        let (Some(batches), [Some(left), Some(right)]) = (batches, sides) else { return Ok(false) };
        let farthest = left.2 * right.2 * batches.inner as i128;
        let outputs = bias_and_pairs(&self.known, bias, node.inputs.last().copied(), batches.outputs);
        let (Some(outputs), Some((codes, is_long))) = (outputs, sums_of(op.to, op.zero_y, op.low, op.high))
        else {
            return Ok(false);
        };
        let fits = |(bias, _): &(i64, Pair)| i128::from(bias.unsigned_abs()) + farthest <= i32::MAX.into();
        if !outputs.iter().all(fits) {
            return Ok(false);
        }
        let tail = if is_long { Tail::Long } else { Tail::None };
        let ending = Ending::new(&outputs, batches.outputs, codes, tail);
        let (x, w) = (self.slot(x, Layout::First)?, self.slot(w, Layout::First)?);
        self.reads(&[x, w]);
        let y = self.make(y, Layout::First)?;
        let (x, w) = ((x, left.0, left.1), (w, right.0, right.1));
        self.steps.push(Step::Matrices(Matrices { x, w, y, batches, ending }));
        Ok(true)
    }

    /// Adds the steps of a node; false where there is no engine for it.
    pub(super) fn engine(&mut self, at: usize, node: &Node) -> Result<bool, Error> {
        if self.product(at, node)? {
            return Ok(true);
        }
        let Some(op) = self.filled(node) else { return Ok(false) };
        match op {
            TensorOp::QMatMul(op) => self.two_values(node, *op),
            TensorOp::QAdd(op) => self.sum(node, *op),
            TensorOp::QMul(op) => self.element_product(node, *op),
            TensorOp::QLut(_) | TensorOp::Requantize(_) => self.look_up(node, op),
            TensorOp::QAveragePool(op) => self.average(node, op),
            TensorOp::QMean(op) => self.mean(node, op),
            TensorOp::Pool(op) => self.largest(node, op),
            TensorOp::QuantizeLinear(op) => self.quantize(node, *op),
            TensorOp::DequantizeLinear(op) => self.dequantize(node, *op),
            TensorOp::Concat(op) => self.join(node, *op),
            TensorOp::Transpose(op) => self.transpose(node, op),
            TensorOp::Slice(op) => self.slice(node, op),
            TensorOp::Split(op) => self.split(node, op),
            TensorOp::Identity(_) | TensorOp::Reshape(_) | TensorOp::Squeeze(_) => self.rename(node),
            _ => Ok(false),
        }
    }

    /// Marks what the next step reads, once all slots are there.
    pub(super) fn reads(&mut self, slots: &[Slot]) {
        slots.iter().for_each(|&slot| self.slots.read(slot, self.steps.len()));
    }

    fn pair(&self, node: &Node, at: usize) -> Option<Pair> {
        let pairs = Pair::pairs(self.known.constant(*node.inputs.get(at)?)?.data().i64s()?)?;
        pairs.first().copied()
    }

    fn sum(&mut self, node: &Node, op: QAdd) -> Result<bool, Error> {
        let factors = node.inputs.get(2).and_then(|&idx| self.known.constant(idx));
        let factors = factors.and_then(|t| SumFactors::try_new(t.data().i64s()?));
        let codes = codes_of(op.to, op.zero_y, op.low, op.high);
        let (Some(factors), Some(codes)) = (factors, codes) else { return Ok(false) };
        self.pairwise(node, Joint::Sum(factors), [op.zero_a, op.zero_b], codes)
    }

    fn element_product(&mut self, node: &Node, op: QMul) -> Result<bool, Error> {
        let (pair, codes) = (self.pair(node, 2), codes_of(op.to, op.zero_y, op.low, op.high));
        let (Some(pair), Some(codes)) = (pair, codes) else { return Ok(false) };
        self.pairwise(node, Joint::Product(pair), [op.zero_a, op.zero_b], codes)
    }

    fn pairwise(&mut self, node: &Node, joint: Joint, zeros: [i64; 2], codes: Codes) -> Result<bool, Error> {
        let (&[a, b, _], &[y]) = (&node.inputs[..], &node.outputs[..]) else { return Ok(false) };
        let dims = self.dims(y).to_vec();
        let spread = |own: &[usize]| {
            let mut all = vec![1; dims.len().saturating_sub(own.len())];
            all.extend(own);
            all
        };
        let sides = [a, b].map(|idx| spread(self.dims(idx)));
        // With channels last, both must have all axes, or such that both layouts are one.
        let turns = |(idx, spread): (&ValueIdx, &Vec<usize>)| {
            self.dims(*idx).len() == dims.len() || is_flat(spread) && is_flat(self.dims(*idx))
        };
        let is_last = dims.len() >= 3
            && !is_flat(&dims)
            && [a, b].iter().any(|&idx| self.is_last(idx))
            && [a, b].iter().zip(&sides).all(turns);
        let order = |dims: &[usize]| -> Vec<usize> {
            if is_last { [&dims[..1], &dims[2..], &dims[1..2]].concat() } else { dims.to_vec() }
        };
        let Some(repeated) = Repeated::of(&order(&sides[0]), &order(&sides[1]), &order(&dims)) else {
            return Ok(false);
        };
        let (of_a, of_b) = (self.dtype(a), self.dtype(b));
        let (Some(width_a), Some(width_b)) = (Width::of(of_a), Width::of(of_b)) else { return Ok(false) };
        let layout = if is_last { Layout::Last } else { Layout::First };
        let (a, b) = (self.slot(a, layout)?, self.slot(b, layout)?);
        self.reads(&[a, b]);
        let y = self.make(y, layout)?;
        let [zero_a, zero_b] = zeros;
        let sides = [(a, width_a, zero_a + shift_of(of_a)), (b, width_b, zero_b + shift_of(of_b))];
        self.steps.push(Step::Pairwise(Pairwise { joint, sides, y, codes, repeated }));
        Ok(true)
    }

    /// What an operator on one code of 8 bits makes of each, by stored code, stored.
    pub(super) fn table(&self, node: &Node, op: &TensorOp) -> Option<(Vec<i16>, Width)> {
        let x = self.dtype(*node.inputs.first()?);
        if Width::of(x)? != Width::Byte {
            return None;
        }
        match op {
            TensorOp::QLut(QLut { to }) => {
                let table = whole(self.known.constant(*node.inputs.get(1)?)?.data())?;
                let codes = table.iter().map(|&code| i16::try_from(code + shift_of(*to)).ok());
                Some((codes.collect::<Option<_>>()?, Width::of(*to)?))
            }
            TensorOp::Requantize(Requantize { zero_x, zero_y, low, high, to }) => {
                let (pair, codes) = (self.pair(node, 1)?, codes_of(*to, *zero_y, *low, *high)?);
                let zero = zero_x + shift_of(x);
                Some(((0..256).map(|code| codes.of(pair.apply(code - zero)) as i16).collect(), codes.width))
            }
            _ => None,
        }
    }

    fn look_up(&mut self, node: &Node, op: &TensorOp) -> Result<bool, Error> {
        let Some((table, width)) = self.table(node, op) else { return Ok(false) };
        let (x, y) = (node.inputs[0], node.outputs[0]);
        let layout = self.any_layout(x);
        let x = self.slot(x, layout)?;
        let y = self.make(y, layout)?;
        self.steps.push(Step::LookUp(LookUp { x, y, table, width }));
        Ok(true)
    }

    fn average(&mut self, node: &Node, op: &QAveragePool) -> Result<bool, Error> {
        let dims = self.dims(node.inputs[0]);
        let window = Geometry::try_new(&op.window, &dims[2..], &op.window.kernel_shape, (false, dims[1]));
        let codes = codes_of(op.to, op.zero_y, op.low, op.high);
        let (Ok(Some(geometry)), Some(codes)) = (window, codes) else { return Ok(false) };
        let images = dims[0];
        self.means(node, (geometry, images), (op.zero_x, op.count_pads), codes)
    }

    fn mean(&mut self, node: &Node, op: &QMean) -> Result<bool, Error> {
        let dims = self.dims(node.inputs[0]);
        let Ok(mut places) = op.places(dims.len()) else { return Ok(false) };
        places.sort_unstable();
        let codes = codes_of(op.to, op.zero_y, op.low, op.high);
        let (true, Some(codes)) = (dims.len() >= 3 && places.into_iter().eq(2..dims.len()), codes) else {
            return Ok(false);
        };
        let (geometry, images) = (Geometry::whole(dims[2..].iter().product(), dims[1]), dims[0]);
        self.means(node, (geometry, images), (op.zero_x, false), codes)
    }

    fn means(
        &mut self,
        node: &Node,
        (geometry, images): (Geometry, usize),
        (zero, count_pads): (i64, bool),
        codes: Codes,
    ) -> Result<bool, Error> {
        let dtype = self.dtype(node.inputs[0]);
        let (Some(pair), Some(width)) = (self.pair(node, 1), Width::of(dtype)) else { return Ok(false) };
        if geometry.n_taps() > MeanPool::MAX_TAPS {
            return Ok(false);
        }
        let x = self.slot(node.inputs[0], Layout::Last)?;
        let y = self.make(node.outputs[0], Layout::Last)?;
        let zero = zero + shift_of(dtype);
        let step = MeanPool { x, y, geometry, images, width, zero, count_pads, pair, codes };
        self.steps.push(Step::MeanPool(step));
        Ok(true)
    }

    fn largest(&mut self, node: &Node, op: &Pool) -> Result<bool, Error> {
        let dims = self.dims(node.inputs[0]);
        let window = Geometry::try_new(&op.window, &dims[2..], &op.window.kernel_shape, (op.ceil, dims[1]));
        let is_largest = matches!(op.kind, PoolKind::Max { places: None });
        let (true, Ok(Some(geometry)), Some(width)) =
            (is_largest, window, Width::of(self.dtype(node.inputs[0])))
        else {
            return Ok(false);
        };
        let x = self.slot(node.inputs[0], Layout::Last)?;
        let y = self.make(node.outputs[0], Layout::Last)?;
        self.steps.push(Step::LargestPool(LargestPool { x, y, geometry, width }));
        Ok(true)
    }

    /// The one number of a constant of single precision, and the zero point behind it.
    fn scale(&self, node: &Node, block: usize) -> Option<(f32, i64)> {
        let scale = match self.known.constant(*node.inputs.get(1)?)?.data() {
            TensorData::F32(v) => v,
            _ => return None,
        };
        let zeros = match node.inputs.get(2) {
            Some(&idx) => whole(self.known.constant(idx)?.data())?,
            None => vec![0],
        };
        match (&scale[..], &zeros[..]) {
            (&[scale], &[zero]) if block == 0 => Some((scale, zero)),
            _ => None,
        }
    }

    fn quantize(&mut self, node: &Node, op: QuantizeLinear) -> Result<bool, Error> {
        let (idx, y) = (node.inputs[0], node.outputs[0]);
        let is_single = self.dtype(idx) == DType::F32 && matches!(op.precision, None | Some(DType::F32));
        let (true, Some((scale, zero)), Some((least, most))) =
            (is_single, self.scale(node, op.block), op.to.whole_range())
        else {
            return Ok(false);
        };
        let Some(codes) = codes_of(op.to, zero, least as i64, most as i64) else { return Ok(false) };
        let to_last =
            !is_flat(self.dims(y)) && self.readers[y.0 as usize].iter().any(|&at| self.reads_last(at));
        let x = match self.graph.value(idx).origin {
            Origin::Input(input) => Floats::Input(input as usize),
            _ => Floats::Slot(self.slot(idx, Layout::First)?),
        };
        let turned = match self.dims(y) {
            [_, channels, pixels @ ..] if to_last => (*channels, pixels.iter().product()),
            _ => (1, 1),
        };
        let y = self.make(y, if to_last { Layout::Last } else { Layout::First })?;
        let of_nan = shift_of(op.to) as i32;
        self.steps.push(Step::Quantize(Quantize { x, y, scale, codes, of_nan, turned }));
        Ok(true)
    }

    /// True for a node that reads channels last.
    fn reads_last(&self, at: usize) -> bool {
        match self.graph.nodes().get(at).map(|node| &node.op) {
            Some(Op::Tensor(op)) => matches!(
                **op,
                TensorOp::QConv(_) | TensorOp::Pool(_) | TensorOp::QAveragePool(_) | TensorOp::QMean(_)
            ),
            _ => false,
        }
    }

    fn dequantize(&mut self, node: &Node, op: DequantizeLinear) -> Result<bool, Error> {
        let (idx, y) = (node.inputs[0], node.outputs[0]);
        let dtype = self.dtype(idx);
        let width = Width::of(dtype);
        let fits = op.to == DType::F32 && (width.is_some() || dtype == DType::I32);
        let (true, Some((scale, zero))) = (fits, self.scale(node, op.block)) else { return Ok(false) };
        let x = self.slot(idx, Layout::First)?;
        let y = self.make(y, Layout::First)?;
        let zero = (zero + shift_of(dtype)) as i32;
        self.steps.push(Step::Dequantize(Dequantize { x, y, width, zero, scale }));
        Ok(true)
    }

    fn join(&mut self, node: &Node, op: Concat) -> Result<bool, Error> {
        let y = node.outputs[0];
        let (dims, dtype) = (self.dims(y).to_vec(), self.dtype(y));
        let axis = if op.axis < 0 { op.axis + dims.len() as i64 } else { op.axis } as usize;
        if axis >= dims.len() || matches!(dtype, DType::Str | DType::Bag) {
            return Ok(false);
        }
        let layout =
            if node.inputs.iter().any(|&idx| self.is_last(idx)) { Layout::Last } else { Layout::First };
        // Bytes behind the joined axis, in the order of the layout.
        let inner = |dims: &[usize]| match (layout, axis) {
            (Layout::First, _) | (Layout::Last, 0) => dims[axis..].iter().product::<usize>(),
            (Layout::Last, 1) => dims[1],
            (Layout::Last, _) => dims[axis..].iter().product::<usize>() * dims[1],
        };
        let mut parts = Vec::with_capacity(node.inputs.len());
        for &idx in &node.inputs {
            parts.push((self.slot(idx, layout)?, inner(self.dims(idx)) * dtype.bytes()));
        }
        let slots: Vec<Slot> = parts.iter().map(|part| part.0).collect();
        self.reads(&slots);
        let y = self.make(y, layout)?;
        self.steps.push(Step::Join(Join { parts, y }));
        Ok(true)
    }

    /// The same elements under another name and shape.
    fn rename(&mut self, node: &Node) -> Result<bool, Error> {
        if matches!(self.dtype(node.inputs[0]), DType::Str | DType::Bag) {
            return Ok(false);
        }
        let slot = self.slot(node.inputs[0], Layout::First)?;
        self.same(node.outputs[0], slot);
        Ok(true)
    }
}
