//! What was decided about a network: grids of values, codes of weights, biases.

use crate::grid::Levels;
use crate::places::Places;
use ir::fixed::round_ties_even;
use ir::{NodeIdx, Tensor, TensorData, ValueIdx};
use std::collections::BTreeMap;

/// What was decided about a network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decisions {
    /// Which values get a pair.
    pub places: Places,
    /// Grids, by the first value of each group.
    pub grids: BTreeMap<ValueIdx, Levels>,
    /// Codes of the weights of layers.
    pub weights: BTreeMap<NodeIdx, StoredWeights>,
    /// Biases that were changed.
    pub biases: BTreeMap<NodeIdx, Vec<f32>>,
    /// Scales of weights that were raised so that a bias holds.
    pub n_coarser: usize,
    /// Pairs of weights that were made smaller, so that engines do not saturate.
    pub n_clipped: usize,
}

/// Weights as codes.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredWeights {
    /// Codes, in the shape of the weights; places in the table if there is one.
    pub codes: Tensor,
    /// Whole numbers that the codes stand for.
    pub table: Option<Tensor>,
    /// `[]`, one a channel, or one a block.
    pub scales: Tensor,
    /// Shaped as the scales; none where all are 0.
    pub zero_points: Option<Tensor>,
    /// The axis that scales follow.
    pub axis: usize,
    /// Elements of the axis that share a scale; 0 without blocks.
    pub block: usize,
}

impl Decisions {
    /// The grid of a value, if it gets a pair.
    pub fn levels(&self, value: ValueIdx) -> Option<&Levels> {
        self.grids.get(&self.places.group(value)?)
    }

    /// Scales of the products of a layer, one an output: that of its input times those of its weights. None where one of
    /// them has none, or where weights have several for an output.
    pub fn product_scales(&self, layer: NodeIdx, x: ValueIdx, n_outputs: usize) -> Option<Vec<f32>> {
        let Levels::Affine(of_x) = self.levels(x)? else { return None };
        let of_x = of_x.scale();
        let weights = self.weights.get(&layer)?;
        let TensorData::F32(scales) = weights.scales.data() else { return None };
        match (weights.block, scales.len()) {
            (0, 1) => Some(vec![of_x * scales[0]; n_outputs]),
            (0, n) if n == n_outputs => Some(scales.iter().map(|s| of_x * s).collect()),
            _ => None,
        }
    }
}

/// `round_ties_even(bias / scale)`, at the nearer end of `i32` if it lies beyond.
pub fn bias_code(bias: f32, scale: f32) -> i32 {
    let ends = (f64::from(i32::MIN), f64::from(i32::MAX));
    round_ties_even((f64::from(bias) / f64::from(scale)).clamp(ends.0, ends.1)) as i32
}
