//! A layer whose pairs of products saturate in 16 bits.

use super::{Order, Saturation, largest_code};
use crate::correct::portable::{can_saturate, most};
use crate::grid::Affine;
use crate::roles::operator;
use ir::op::TensorOp;
use ir::op::tensor::Conv;
use ir::{DType, Node, NodeIdx, Tensor, TensorData};

/// Two weights whose products can leave 16 bits together, and where their codes are: channel and tap.
#[derive(Clone, Copy, Debug)]
struct Pair {
    weights: [i32; 2],
    codes: [(usize, usize); 2],
}

/// Outputs of a layer that were looked at, and those of them that saturation changes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    pub(super) seen: u64,
    pub(super) differing: u64,
}

/// A layer with its risky pairs, output by output.
pub(super) struct Saturating {
    pub(super) node: NodeIdx,
    name: String,
    order: Order,
    /// Lengths of the window.
    kernel: Vec<usize>,
    x: Affine,
    /// Real value of one unit of each output's sum.
    scales: Vec<f32>,
    pairs: Vec<Vec<Pair>>,
}

impl Saturating {
    pub(super) fn of(
        (idx, node): (NodeIdx, &Node),
        order: Order,
        kernel: Vec<usize>,
        codes: &[i8],
        x: Affine,
        scales: Vec<f32>,
    ) -> Saturating {
        let most = most(largest_code(&x));
        let mut pairs = vec![Vec::new(); order.n_outputs];
        for (m, k, places) in order.pairs() {
            let weights = places.map(|at| i32::from(codes[at]));
            if can_saturate(weights[0].into(), weights[1].into(), most) {
                let codes = [k, k + 1].map(|k| (k % order.channels.max(1), k / order.channels.max(1)));
                pairs[m].push(Pair { weights, codes });
            }
        }
        let name = node.name.clone();
        Saturating { node: idx, name, order, kernel, x, scales, pairs }
    }

    pub(super) fn n_risky(&self) -> usize {
        self.pairs.iter().map(Vec::len).sum()
    }

    pub(super) fn told(&self, count: Count) -> Saturation {
        Saturation {
            name: self.name.clone(),
            n_pairs: self.order.n_outputs * (self.order.depth / 2),
            n_risky: self.n_risky(),
            differing: count.differing as f64 / count.seen.max(1) as f64,
        }
    }

    /// The output `y` with what saturation takes off each sum; `x`: the layer's input, on its grid.
    pub(super) fn saturate(&self, node: &Node, x: &Tensor, y: &Tensor) -> Option<(Tensor, Count)> {
        let (TensorData::F32(reals), TensorData::F32(sums)) = (x.data(), y.data()) else { return None };
        let offset = self.x.zero_point() + if self.x.dtype() == DType::I8 { 128 } else { 0 };
        let code = |real: &f32| (real / self.x.scale()).round_ties_even() as i32 + offset;
        let codes: Vec<i32> = reals.iter().map(code).collect();
        let mut moved = sums.clone();
        let mut count = Count::default();
        match operator(node)? {
            TensorOp::Conv(conv) => {
                self.convolve(conv, &codes, offset, (x.dims(), y.dims()), &mut moved, &mut count)?
            }
            _ => {
                let rows = codes.chunks_exact(self.order.depth);
                for (row, sums) in rows.zip(moved.chunks_exact_mut(self.order.n_outputs)) {
                    for (m, sum) in sums.iter_mut().enumerate() {
                        let lost = lost(&self.pairs[m], |(k, _)| row[k]);
                        count.add(lost);
                        *sum += lost as f32 * self.scales[m];
                    }
                }
            }
        }
        Some((Tensor::try_new(y.dims().to_vec(), TensorData::F32(moved))?, count))
    }

    fn convolve(
        &self,
        conv: &Conv,
        codes: &[i32],
        pad: i32,
        (x, y): (&[usize], &[usize]),
        moved: &mut [f32],
        count: &mut Count,
    ) -> Option<()> {
        let (&[_, n_channels, ref space @ ..], &[n, n_outputs, ref out @ ..]) = (x, y) else { return None };
        let places = places(conv, space, &self.kernel, out)?;
        let (n_space, n_out) = (space.iter().product::<usize>(), out.iter().product::<usize>());
        let taps = self.order.taps.max(1);
        let channels = self.order.channels.max(1);
        for row in 0..n {
            for m in 0..n_outputs {
                let first = row * n_channels + m / (n_outputs / conv.group.max(1)).max(1) * channels;
                for at in 0..n_out {
                    let lost = lost(&self.pairs[m], |(channel, tap)| {
                        places[at * taps + tap].map_or(pad, |p| codes[(first + channel) * n_space + p])
                    });
                    count.add(lost);
                    moved[(row * n_outputs + m) * n_out + at] += lost as f32 * self.scales[m];
                }
            }
        }
        Some(())
    }
}

impl Count {
    fn add(&mut self, lost: i32) {
        self.seen += 1;
        self.differing += u64::from(lost != 0);
    }

    pub(super) fn plus(self, other: Count) -> Count {
        Count { seen: self.seen + other.seen, differing: self.differing + other.differing }
    }
}

/// What the sum of an output differs by if its pairs of products saturate.
fn lost(pairs: &[Pair], code: impl Fn((usize, usize)) -> i32) -> i32 {
    let of = |pair: &Pair| {
        let sum = code(pair.codes[0]) * pair.weights[0] + code(pair.codes[1]) * pair.weights[1];
        sum.clamp(i16::MIN.into(), i16::MAX.into()) - sum
    };
    pairs.iter().map(of).sum()
}

/// For each window and tap, the place in the image; none in the pad.
fn places(conv: &Conv, space: &[usize], kernel: &[usize], out: &[usize]) -> Option<Vec<Option<usize>>> {
    let mut all: Vec<Option<usize>> = vec![Some(0)];
    let (mut n_windows, mut n_taps) = (1, 1);
    for axis in 0..space.len() {
        let span =
            conv.window.span("Conv", (axis, space.len()), space[axis], *kernel.get(axis)?, false).ok()?;
        if Some(&span.out) != out.get(axis) {
            return None;
        }
        let mut next = Vec::with_capacity(all.len() * span.out * span.taps);
        for outer in 0..n_windows {
            for window in 0..span.out {
                for outer_tap in 0..n_taps {
                    for tap in 0..span.taps {
                        let before = all[outer * n_taps + outer_tap];
                        next.push(before.and_then(|b| Some(b * span.size + span.place(window, tap)?)));
                    }
                }
            }
        }
        (n_windows, n_taps) = (n_windows * span.out, n_taps * span.taps);
        all = next;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_computed() {
        let pair = |k, a, b| Pair { weights: [a, b], codes: [(k, 0), (k + 1, 0)] };
        let x = [255, 255, 200, 100];
        // 255 * 254 = 64770, cut off at 32767; 200 * 100 + 100 * 29 = 22900 fits; -255 * 129 = -32895 at -32768.
        assert_eq!(lost(&[pair(0, 127, 127)], |(k, _)| x[k]), 32767 - 64770);
        assert_eq!(lost(&[pair(2, 100, 29)], |(k, _)| x[k]), 0);
        assert_eq!(lost(&[pair(0, -100, -29), pair(2, 100, 29)], |(k, _)| x[k]), 127);
    }
}
