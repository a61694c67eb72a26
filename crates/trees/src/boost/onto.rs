//! Scores that boosting goes on from, and how those of the trees are added to them.
//!
//! Both are integers, each on a grid of its own, and the graph adds them in integers: so does the loop, and each round
//! sees what the graph will say. All grids are powers of two: the coarser score is multiplied by one, and only a score
//! that is finer than there is room for is rounded, once.

use crate::objective::{Objective, Target};
use ir::fixed::{clamp_i32, exponent, scaled};
use ir::op::WeightedSum;
use ir::{Error, GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use jobs::Threads;

/// Scores of all rows that boosting goes on from; the real one is `2^-shift (score + constant)`.
#[derive(Clone, Copy, Debug)]
pub struct Offsets<'a> {
    /// `[n_rows, n_outputs]`.
    pub scores: &'a [i32],
    /// Fraction bits of a score; 0 to 20 for classes and logs.
    pub shift: i16,
    /// Added to each score, on the same grid; 0 for classes and logs.
    pub constant: i64,
}

impl Offsets<'_> {
    /// The real score of a row of one output; none of a row that is not there.
    pub(super) fn real(&self, row: usize) -> Option<f64> {
        let score = i64::from(*self.scores.get(row)?) + self.constant;
        Some(scaled(score as f64, -i32::from(self.shift)))
    }
}

/// How the scores of trees are added to those before them:
/// `clamp(weights[0] ((before + half) >> rounding) + weights[1] own)`, `half = 2^(rounding - 1)`, 0 for a rounding of 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Onto {
    /// Bits that are rounded off the scores before the trees, half up; at most [`WeightedSum::MAX_SHIFT`].
    pub rounding: u8,
    /// Powers of two, at most [`WeightedSum::MAX_WEIGHTS`] together: of the scores before the trees, and of their own.
    pub weights: [i64; 2],
}

impl Onto {
    /// The sum, as the graph computes it.
    pub fn of(self, before: i32, own: i32) -> i32 {
        self.sum(self.rounded(before), own)
    }

    /// A score before the trees without the bits that are rounded off.
    fn rounded(self, before: i32) -> i32 {
        let half = (1i64 << self.rounding) >> 1;
        clamp_i32((i64::from(before) + half) >> self.rounding)
    }

    #[inline]
    pub(super) fn sum(self, rounded: i32, own: i32) -> i32 {
        clamp_i32(self.weights[0] * i64::from(rounded) + self.weights[1] * i64::from(own))
    }

    /// Appends the nodes that add scores `i32 [N, n_outputs]`.
    ///
    /// # Errors
    /// The graph refuses a node: scores of other shapes.
    pub fn lower(
        self,
        builder: &mut GraphBuilder,
        before: ValueIdx,
        own: ValueIdx,
        n_outputs: usize,
    ) -> Result<ValueIdx, Error> {
        let offsets = builder.constant(Tensor::vector(TensorData::I64(vec![0; n_outputs])))?;
        let mut weighted = |members: &[ValueIdx], weights: &[i64], shift: u8| {
            let weights = Tensor::try_new(vec![weights.len(), 1], TensorData::I64(weights.to_vec()));
            let weights = builder.constant(weights.unwrap_or(Tensor::vector(TensorData::I64(Vec::new()))))?;
            builder.node(Op::WeightedSum(WeightedSum { shift }), &[members, &[weights, offsets]].concat())
        };
        let before = match self.rounding {
            0 => before,
            shift => weighted(&[before], &[1], shift)?,
        };
        weighted(&[before, own], &self.weights, 0)
    }
}

/// How much further than the known scores those of a regression may lie before they are clamped.
const ROOM_BITS: i32 = 4;
/// How many bits finer than the scores before them those of trees may be: later ones are below any noise.
const MOST_FINER: i32 = 20;
/// Most fraction bits of logs, which links take.
const MOST_OF_LOGS: i32 = 20;
/// Bits of the largest weight of trees.
const MOST_COARSER: i32 = 30;

/// [`Offsets`] in the unit of the trees.
pub(super) struct Before {
    /// `[n_rows, n_outputs]`; once they are placed, without the bits that are rounded off.
    scores: Vec<i32>,
    shift: i32,
    constant: i64,
    /// How far the scores before the trees, and targets, lie from the constants; of numbers.
    size: f64,
}

/// The grids of trees, of the sum, and how both scores come to the latter.
pub(super) struct Grids {
    pub(super) trees: i16,
    pub(super) sum: i16,
    pub(super) onto: Onto,
}

impl Before {
    /// `exponent`: a real score is `2^exponent` of one within the trees.
    pub(super) fn new(offsets: Offsets<'_>, exponent: i32) -> Before {
        let shift = i32::from(offsets.shift) + exponent;
        Before { scores: offsets.scores.to_vec(), shift, constant: offsets.constant, size: 0.0 }
    }

    pub(super) fn shift(&self) -> i16 {
        self.shift.clamp(i16::MIN.into(), i16::MAX.into()) as i16
    }

    #[inline]
    pub(super) fn score(&self, at: usize) -> i32 {
        self.scores[at]
    }

    /// A real score without the constant.
    pub(super) fn real(&self, at: usize) -> f64 {
        scaled(f64::from(self.scores[at]), -self.shift)
    }

    /// What is added to all scores before any tree, one an output: the constant, and what is best added to that.
    pub(super) fn initial(
        &mut self,
        objective: &Objective<'_>,
        (train, weights): (&[u32], &[f32]),
        threads: &Threads,
    ) -> Vec<f64> {
        let (width, constant) = (objective.n_outputs(), scaled(self.constant as f64, -self.shift));
        let score = |row: usize, k: usize| self.real(row * width + k) + constant;
        let added = objective.added(train, weights, score, threads);
        let initial: Vec<f64> = added.into_iter().map(|added| added + constant).collect();
        if let (Target::Values(values), &[initial]) = (objective.target, &initial[..]) {
            let targets = train.iter().map(|&row| (values[row as usize] - initial).abs());
            let scores = (0..self.scores.len()).map(|at| self.real(at).abs());
            self.size = targets.chain(scores).fold(0.0, f64::max);
        }
        initial
    }

    /// Grids where the leaves ask for `trees` fraction bits, and the rounding of the scores before them. The sum has the
    /// finer of both grids as far as there is room; `fits` says whether starting scores have room on a grid of numbers.
    pub(super) fn place(&mut self, trees: i16, is_linear: bool, fits: impl Fn(i16) -> bool) -> Grids {
        let most = if is_linear {
            // Scores of 32 bits.
            let mut most = (31 - ROOM_BITS - exponent(self.size)).min(1000);
            while most > -1000 && !fits(most as i16) {
                most -= 1;
            }
            most
        } else {
            MOST_OF_LOGS
        };
        let trees = i32::from(trees).min(most).min(self.shift + MOST_FINER);
        let sum = if self.shift > most { most } else { self.shift.max(trees) };
        // Leaves that are so large are cut off.
        let trees = trees.max(sum - MOST_COARSER);
        let rounding = (self.shift - sum).clamp(0, WeightedSum::MAX_SHIFT.into()) as u8;
        let onto = Onto { rounding, weights: [1 << (sum - self.shift).max(0), 1 << (sum - trees)] };
        self.scores.iter_mut().for_each(|score| *score = onto.rounded(*score));
        Grids { trees: trees as i16, sum: sum as i16, onto }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::op::{Cast, Columns, ToScores};
    use ir::{Column, ColumnData, DType, Shape};

    fn before(scores: &[i32], shift: i16, size: f64) -> Before {
        Before { size, ..Before::new(Offsets { scores, shift, constant: 0 }, 0) }
    }

    #[test]
    fn the_sum_has_the_finer_grid_as_far_as_there_is_room() {
        let grids = |shift, trees, is_linear, size| {
            let Grids { trees, sum, onto } = before(&[5, -3], shift, size).place(trees, is_linear, |_| true);
            (trees, sum, onto.rounding, onto.weights)
        };
        assert_eq!(grids(7, 7, false, 0.0), (7, 7, 0, [1, 1]));
        assert_eq!(grids(7, 10, false, 0.0), (10, 10, 0, [8, 1]));
        assert_eq!(grids(16, 10, false, 0.0), (10, 16, 0, [1, 64]));
        // Of numbers below 2^10 in size 17 bits are left for fractions.
        assert_eq!(grids(10, 12, true, 1000.0), (12, 12, 0, [4, 1]));
        assert_eq!(grids(20, 12, true, 1000.0), (12, 17, 3, [1, 32]));
        assert_eq!(grids(10, 25, true, 1000.0), (17, 17, 0, [128, 1]));
        assert_eq!(grids(-10, 25, true, 1.0), (10, 10, 0, [1 << 20, 1]));
        // What is far finer than the sum adds nothing to it, leaves far coarser than it are cut off.
        assert_eq!(grids(300, 3, true, 1000.0), (3, 17, 62, [1, 1 << 14]));
        assert_eq!(grids(20, -30, true, 1.0), (-10, 20, 0, [1, 1 << 30]));
    }

    #[test]
    fn the_sum_is_that_of_the_graph() {
        let befores = [i32::MIN, -1_000_001, -13, -4, 0, 3, 4, 77, 1 << 20, i32::MAX];
        let owns = [0, -1, 5, -300, 1 << 20, i32::MIN, i32::MAX, 8, -8, 1];
        for onto in [
            Onto { rounding: 0, weights: [1, 1] },
            Onto { rounding: 0, weights: [1 << 20, 1] },
            Onto { rounding: 3, weights: [1, 1 << 30] },
            Onto { rounding: 62, weights: [1, 4] },
        ] {
            let mut builder = GraphBuilder::new();
            let cells = ["x", "y"].map(|name| builder.input(name, DType::I64, Shape::rows()).unwrap());
            let [x, y] = cells.map(|cells| {
                let cells = builder.node(Op::Cast(Cast), &[cells]).unwrap();
                let cells = builder.node(Op::Columns(Columns), &[cells]).unwrap();
                builder.node(Op::ToScores(ToScores { shift: 0 }), &[cells]).unwrap()
            });
            let sum = onto.lower(&mut builder, x, y, 1).unwrap();
            let graph = builder.finish(&[sum]).unwrap();
            let cells = [befores, owns].map(|cells| cells.map(i64::from));
            let columns = [0, 1].map(|i| Column::try_new(ColumnData::I64(&cells[i]), None).unwrap());
            let got = runtime::reference::run(&graph, &columns).unwrap();
            let expected: Vec<i32> = befores.iter().zip(owns).map(|(&b, own)| onto.of(b, own)).collect();
            assert_eq!(got[0].data().i32s(), Some(&expected[..]), "{onto:?}");
        }
    }
}
