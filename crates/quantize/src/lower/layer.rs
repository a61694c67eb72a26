//! A product with constant weights on integers: to codes, or to sums on one fine grid.

use super::nodes::pairs;
use super::pairs::{Coded, Grid, whole};
use super::{Feed, Found, Integer, Step};
use crate::roles::operator;
use ir::op::TensorOp;
use ir::op::tensor::{Binary, Conv, DequantizeLinear, MatMul, QConv, QMatMul, Transpose};
use ir::{DType, Node, Tensor, TensorData, ValueIdx};

/// Bits of the largest sum on the grid of an output that stays a float; one is left for its sign.
const FINE_BITS: i32 = 30;

/// Sums at which a requantized accumulator is cut off.
const MAX_SUM: i128 = 1 << 32;

/// A layer in the QDQ form.
struct Layer<'g> {
    node: &'g Node,
    x: Grid,
    w: Coded,
    /// `[M]`, of the node and of a sum behind it.
    biases: Vec<ValueIdx>,
    n_outputs: usize,
    /// The axis of outputs of the weights.
    axis: usize,
    /// Weights stand as `[M, K]`, and must be turned.
    is_turned: bool,
}

impl<'g> Found<'g> {
    /// The layer whose output a value is, with the bias behind it if there is one.
    fn layer_of(&self, value: ValueIdx) -> Option<Layer<'g>> {
        let maker = self.graph.maker(value)?;
        if let Some(TensorOp::Binary(Binary::Add)) = operator(maker) {
            let &[a, b] = &maker.inputs[..] else { return None };
            let (x, bias) = if self.hangs_on_constants(b) { (a, b) } else { (b, a) };
            if !self.hangs_on_constants(bias) || !self.is_taken_once(x) {
                return None;
            }
            let mut layer = self.plain_layer(x)?;
            let dims = self.graph.value(bias).shape.lengths()?;
            // One for each channel, which stands where the layer's own does.
            let space = match operator(layer.node)? {
                TensorOp::Conv(_) => self.graph.value(x).shape.axes()?.len().checked_sub(2)?,
                _ => 0,
            };
            let at = dims.len().checked_sub(space + 1)?;
            let fits = dims[at] == layer.n_outputs && dims.iter().product::<usize>() == layer.n_outputs;
            layer.biases.push(bias);
            return fits.then_some(layer);
        }
        self.plain_layer(value)
    }

    fn plain_layer(&self, value: ValueIdx) -> Option<Layer<'g>> {
        let node = self.graph.maker(value)?;
        let (&x, &w) = (node.inputs.first()?, node.inputs.get(1)?);
        let (x, w) = (self.grid(x)?, self.coded(w)?);
        let dims = self.graph.value(w.codes).shape.lengths()?;
        let (axis, is_turned) = match operator(node)? {
            TensorOp::Conv(conv) if !conv.of_integers => (0, false),
            TensorOp::Gemm(gemm) if !gemm.transpose_a && gemm.alpha == 1.0 && gemm.beta == 1.0 => {
                (usize::from(!gemm.transpose_b), gemm.transpose_b)
            }
            TensorOp::MatMul(MatMul::Numbers) if dims.len() == 2 => (1, false),
            _ => return None,
        };
        let n_outputs = *dims.get(axis)?;
        let fits = w.scales.len() == 1 || (w.axis == axis && w.scales.len() == n_outputs);
        let biases = node.inputs[2..].to_vec();
        fits.then_some(Layer { node, x, w, biases, n_outputs, axis, is_turned })
    }

    /// A layer on integers whose output is rounded to `y` behind bounds, or, without `y`, stays a float.
    pub(super) fn layer(&self, value: ValueIdx, y: Option<(&Grid, (f64, f64))>) -> Option<Integer> {
        let layer = self.layer_of(value)?;
        let products: Vec<f64> = (0..layer.n_outputs)
            .map(|m| {
                let own = layer.w.scales.get(m).or(layer.w.scales.first()).copied().unwrap_or(1.0);
                f64::from(layer.x.scale) * f64::from(own)
            })
            .collect();
        let mut bias = vec![0i64; layer.n_outputs];
        for &value in &layer.biases {
            let own = self.bias(value, &products)?;
            for (m, sum) in bias.iter_mut().enumerate() {
                *sum += i64::from(*if own.len() == 1 { own.first()? } else { own.get(m)? });
            }
        }
        let bias: Vec<i32> = bias.into_iter().map(|b| i32::try_from(b).ok()).collect::<Option<_>>()?;
        if !self.sums_fit(&layer, &bias)? {
            return None;
        }
        let name = &self.graph.value(value).name;
        let (codes, zero) = self.weights(&layer)?;
        let fine;
        let (grid, (low, high), then) = match y {
            Some((y, bounds)) => (y, y.clamp(bounds), None),
            None => {
                let scale = self.fine_scale(&layer, &bias, &products)?;
                fine = Grid { codes: value, scale, zero: 0, dtype: DType::I32 };
                let constant = (format!("{name}_scale"), Tensor::scalar(TensorData::F32(vec![scale]))?);
                let op = DequantizeLinear { axis: 0, block: 0, to: DType::F32 };
                let step = Step { name: format!("{name}_real"), op: op.into(), constants: vec![constant] };
                (&fine, (i32::MIN.into(), i32::MAX.into()), Some(step))
            }
        };
        let pairs = pairs(name, products.iter().map(|p| p / f64::from(grid.scale)))?;
        let bias = Feed::Constant(format!("{name}_bias"), Tensor::vector(TensorData::I32(bias)));
        let (zero_x, zero_y, to) = (layer.x.zero, grid.zero, grid.dtype);
        let op = match operator(layer.node)? {
            TensorOp::Conv(Conv { window, group, .. }) => TensorOp::QConv(QConv {
                window: window.clone(),
                group: *group,
                zero_x,
                zero_y,
                low,
                high,
                to,
            }),
            _ => TensorOp::QMatMul(QMatMul { zero_x, zero_w: zero, zero_y, low, high, to }),
        };
        let inputs = vec![Feed::Value(layer.x.codes), codes, bias, pairs];
        Some(Integer { name: name.clone(), op: op.into(), inputs, outputs: vec![grid.codes], then })
    }

    /// A layer on integers whose output stays a float.
    pub(super) fn to_float(&self, node: &Node) -> Option<Integer> {
        let &[value] = &node.outputs[..] else { return None };
        self.layer(value, None)
    }

    /// Codes as the operator takes them, and their zero point.
    fn weights(&self, layer: &Layer<'_>) -> Option<(Feed, i64)> {
        let is_conv = matches!(operator(layer.node), Some(TensorOp::Conv(_)));
        let name = &self.graph.value(layer.w.codes).name;
        if is_conv && layer.w.zero != 0 {
            // No zero point there: differences, which need one bit more.
            let tensor = self.graph.constant(layer.w.codes)?;
            let codes = whole(tensor)?.into_iter().map(|c| i16::try_from(c - layer.w.zero).ok());
            let codes = TensorData::I16(codes.collect::<Option<_>>()?);
            let tensor = Tensor::try_new(tensor.dims().to_vec(), codes)?;
            return Some((Feed::Constant(format!("{name}_centred"), tensor), 0));
        }
        if layer.is_turned {
            let op = TensorOp::Transpose(Transpose { order: None });
            let step = Step { name: format!("{name}_turned"), op: op.into(), constants: Vec::new() };
            return Some((Feed::Through(layer.w.codes, step), layer.w.zero));
        }
        Some((Feed::Value(layer.w.codes), layer.w.zero))
    }

    /// The largest size of an input and of a weight that their types allow, and between them the number of products of a sum.
    fn farthest(&self, layer: &Layer<'_>) -> Option<[i64; 3]> {
        let (least, most) = layer.x.ends();
        let reach = (least - layer.x.zero).abs().max((most - layer.x.zero).abs());
        let codes = self.graph.value(layer.w.codes);
        let depth = codes.shape.lengths()?.iter().product::<usize>() / layer.n_outputs.max(1);
        let (low, high) = codes.dtype.whole_range()?;
        let size = |end: i128| i64::try_from((end - i128::from(layer.w.zero)).abs()).ok();
        Some([reach, i64::try_from(depth).ok()?, size(low)?.max(size(high)?)])
    }

    /// True if no input makes a sum that is cut off: all are below `2^32` in size, as a [`Requantize`](ir::fixed) takes them.
    fn sums_fit(&self, layer: &Layer<'_>, bias: &[i32]) -> Option<bool> {
        let (least, most) = layer.x.ends();
        let ends = [least - layer.x.zero, most - layer.x.zero].map(i128::from);
        let [reach, depth, widest] = self.farthest(layer)?.map(i128::from);
        let largest = bias.iter().map(|b| i128::from(b.unsigned_abs())).max().unwrap_or(0);
        if reach * depth * widest + largest < MAX_SUM {
            return Some(true);
        }
        // Not with any weights: with these?
        let Some(weights) = self.whole_codes(layer.w.codes) else { return Some(false) };
        let dims = self.graph.value(layer.w.codes).shape.lengths()?;
        let inner = dims[layer.axis + 1..].iter().product::<usize>().max(1);
        let mut sums: Vec<[i128; 2]> = bias.iter().map(|&b| [b.into(); 2]).collect();
        for (at, w) in weights.into_iter().enumerate() {
            let products = ends.map(|x| x * i128::from(w - layer.w.zero));
            let sum = sums.get_mut(at / inner % layer.n_outputs)?;
            sum[0] += products[0].min(products[1]);
            sum[1] += products[0].max(products[1]);
        }
        Some(sums.iter().flatten().all(|sum| sum.abs() < MAX_SUM))
    }

    /// Codes that are constant, or looked up in a constant table at constant places.
    fn whole_codes(&self, codes: ValueIdx) -> Option<Vec<i64>> {
        if let Some(tensor) = self.graph.constant(codes) {
            return whole(tensor);
        }
        let node = self.graph.maker(codes)?;
        let &[first, .., last] = &node.inputs[..] else {
            return match operator(node)? {
                TensorOp::Cast(_) => self.whole_codes(*node.inputs.first()?),
                _ => None,
            };
        };
        let TensorOp::Gather(_) = operator(node)? else { return None };
        let (table, places) = (self.whole_codes(first)?, self.whole_codes(last)?);
        places.into_iter().map(|at| table.get(usize::try_from(at).ok()?).copied()).collect()
    }

    /// The power of two on whose multiples the largest sum of a layer still fits `i32`.
    fn fine_scale(&self, layer: &Layer<'_>, bias: &[i32], products: &[f64]) -> Option<f32> {
        let [reach, depth, widest] = self.farthest(layer)?.map(|n| n as f64);
        let most = bias.iter().zip(products).map(|(&b, p)| (f64::from(b).abs() + reach * depth * widest) * p);
        let most = most.fold(0.0, f64::max);
        let exponent = ir::fixed::exponent(most.max(f64::MIN_POSITIVE)) + 1 - FINE_BITS;
        let scale = ir::fixed::power_of_two(exponent) as f32;
        (scale.is_finite() && scale > 0.0).then_some(scale)
    }
}
