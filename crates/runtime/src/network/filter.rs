//! Weights, biases and pairs of a product, and the proof of how wide its sums are.

use super::known::Known;
use crate::kernels::cells::{Width, shift_of};
use alloc::vec::Vec;
use ir::fixed::Requantize;
use ir::{DType, TensorData, ValueIdx};

/// What a product has of constants.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    /// `[output][tap][channel]`
    pub(super) weights: Vec<i16>,
    pub(super) biases: Vec<i64>,
    pub(super) pairs: Vec<Requantize>,
    pub(super) width: Width,
    /// The stored code of 0.
    pub(super) zero: i64,
    /// Proven: `|bias| + most |x - zero| * sum |w|` of every output is below 2^31. Then the sum fits 32 bits, and since
    /// additions that wrap are exact up to multiples of 2^32, its parts need not.
    pub(super) is_narrow: bool,
}

/// Inputs of a product, by place.
pub(super) struct Parts {
    pub(super) weights: ValueIdx,
    pub(super) zero_w: i64,
    pub(super) bias: Option<ValueIdx>,
    pub(super) pairs: ValueIdx,
}

impl Filter {
    /// None where something is not constant, or weights need more than 16 bits. `place(output, inner)` is where a weight
    /// stands.
    pub(super) fn of(
        known: &Known<'_>,
        (x, zero_x): (DType, i64),
        parts: &Parts,
        (n_outputs, n_inner): (usize, usize),
        place: impl Fn(usize, usize) -> usize,
    ) -> Option<Filter> {
        let all = whole(known.constant(parts.weights)?.data())?;
        let mut weights = Vec::with_capacity(all.len());
        for output in 0..n_outputs {
            for inner in 0..n_inner {
                let weight = all.get(place(output, inner))? - parts.zero_w;
                weights.push(i16::try_from(weight).ok()?);
            }
        }
        let (biases, pairs): (Vec<i64>, Vec<Requantize>) =
            bias_and_pairs(known, parts.bias, Some(parts.pairs), n_outputs)?.into_iter().unzip();
        let (width, zero) = (Width::of(x)?, zero_x + shift_of(x));
        let (least, most) = width.range();
        let farthest = i128::from((zero - least).max(most - zero));
        let fits = |(filter, &bias): (&[i16], &i64)| {
            let size: i128 = filter.iter().map(|&w| i128::from(w.unsigned_abs())).sum();
            i128::from(bias.unsigned_abs()) + farthest * size <= i32::MAX.into()
        };
        let is_narrow = weights.chunks(n_inner.max(1)).zip(&biases).all(fits);
        Some(Filter { weights, biases, pairs, width, zero, is_narrow })
    }

    /// Bias and pair of each output for sums of stored codes, whose zero point goes into the bias.
    pub(super) fn outputs(&self) -> Vec<(i64, Requantize)> {
        let per_output = self.weights.len() / self.biases.len().max(1);
        let of_zero = |at: usize| {
            let filter = &self.weights[at * per_output..(at + 1) * per_output];
            self.zero * filter.iter().map(|&w| i64::from(w)).sum::<i64>()
        };
        self.biases
            .iter()
            .zip(&self.pairs)
            .enumerate()
            .map(|(at, (b, &pair))| (b - of_zero(at), pair))
            .collect()
    }

    /// The same for sums of codes without their zero point.
    pub(super) fn centred_outputs(&self) -> Vec<(i64, Requantize)> {
        self.biases.iter().copied().zip(self.pairs.iter().copied()).collect()
    }
}

/// Bias and pair of each output, if they are constant.
pub(super) fn bias_and_pairs(
    known: &Known<'_>,
    bias: Option<ValueIdx>,
    pairs: Option<ValueIdx>,
    n_outputs: usize,
) -> Option<Vec<(i64, Requantize)>> {
    let biases: Vec<i64> = match bias {
        Some(idx) => known.constant(idx)?.data().i32s()?.iter().map(|&b| b.into()).collect(),
        None => alloc::vec![0; n_outputs],
    };
    let mut pairs = Requantize::pairs(known.constant(pairs?)?.data().i64s()?)?;
    if let &[one] = &pairs[..] {
        pairs.resize(n_outputs, one);
    }
    let is_whole = biases.len() == n_outputs && pairs.len() == n_outputs;
    is_whole.then(|| biases.into_iter().zip(pairs).collect())
}

/// The elements of integers, those of fewer than 8 bits too.
pub(super) fn whole(data: &TensorData) -> Option<Vec<i64>> {
    crate::tensors::whole(data)
}
