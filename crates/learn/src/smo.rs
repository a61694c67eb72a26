//! The solver of support vector machines, with any similarity of two rows.
//!
//! Classification and regression are one problem here. With a signed coefficient `b_i` of each row
//! and `K(i, j)` the similarity,
//!
//! `min 1/2 sum_ij b_i b_j K(i, j) - sum_i t_i b_i + epsilon sum_i |b_i|`,
//! `low_i <= b_i <= high_i`, `sum_i b_i = 0`.
//!
//! A classifier has targets of 1 and -1, `epsilon = 0`, and `b_i` in `[0, c_i]` or `[-c_i, 0]`;
//! a regression has `b_i` in `[-c_i, c_i]`. So a regression has one variable a row, not two.
//! What is predicted is `f(x) = sum_i b_i K(x_i, x) + intercept`.
//!
//! The parts: `pair` chooses two rows, `solver` moves their coefficients until none can be improved,
//! `rows` keeps rows of the similarity matrix, `platt` makes probabilities of decisions.
//! Sums run in a fixed order, so the number of threads changes no bit.
//! # Source  Platt, Fast training of support vector machines using sequential minimal optimization,
//! 1998; Fan, Chen & Lin, JMLR 6, 2005; Chang & Lin, LIBSVM, ACM TIST 2, 2011. Deviations: the signed
//! coefficients; rows are set aside only by many at once.

mod pair;
pub(crate) mod platt;
mod rows;
mod solver;

#[cfg(test)]
mod tests;

use jobs::Ctx;
use solver::{Problem, Solver};

/// `row_into(i, others, out)`: `out[k] = K(i, others[k])`; called from many threads.
pub(crate) type RowInto<'a> = dyn Fn(u32, &[u32], &mut [f32]) + Sync + 'a;

/// A symmetric similarity of rows, computed on demand.
#[derive(Clone, Copy)]
pub(crate) struct Similarity<'a> {
    /// `K(i, i)` of each row, `[n_rows]`.
    pub diagonal: &'a [f32],
    /// The similarities of a row.
    pub row_into: &'a RowInto<'a>,
}

/// When to stop, and how much memory to use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SmoLimits {
    /// How far the optimality conditions may be missed, in units of the decision; 1e-3 is usual.
    pub tolerance: f64,
    /// Most steps.
    pub max_iterations: usize,
    /// Memory for rows of the similarity matrix; two rows are always kept.
    pub cache_bytes: usize,
    /// Whether rows that seem to stay at their bound are set aside; changes time, not the optimum.
    pub shrinking: bool,
}

/// What the solver works on and with.
#[derive(Clone, Copy)]
pub(crate) struct Smo<'a> {
    /// The similarity of the rows.
    pub similarity: Similarity<'a>,
    /// Most that a row's coefficient may be, `[n_rows]`; rows where it is not above 0 take no part.
    pub c: &'a [f64],
    /// When to stop.
    pub limits: SmoLimits,
    /// Threads, budget and cancelling.
    pub ctx: &'a Ctx<'a>,
}

/// A decision `f(x) = sum_i coefficients[i] K(x_i, x) + intercept`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Solution {
    /// Coefficient of each row, `[n_rows]`; 0 where the row is no support vector.
    pub coefficients: Vec<f64>,
    /// The constant.
    pub intercept: f64,
    /// Steps made.
    pub n_iterations: usize,
    /// False if steps, time or the user's patience ended first.
    pub converged: bool,
}

impl Smo<'_> {
    /// Fits a classifier (C-SVC): the decision is positive where the label is true.
    /// `min 1/2 a'Qa - sum_i a_i`, `0 <= a_i <= c_i`, `y'a = 0`, `Q_ij = y_i y_j K(i, j)`, where the
    /// coefficients are `y_i a_i`.
    /// `labels: [n_rows]`. One class alone gives its sign as a constant, no rows give 0.
    /// Time O(n_rows) a step, and n_rows similarities for each row that is not at hand.
    pub(crate) fn classify(&self, labels: &[bool]) -> Solution {
        let bounds = |(&label, &c): (&bool, &f64)| if label { (1.0, 0.0, c) } else { (-1.0, -c, 0.0) };
        self.solve(labels.iter().zip(self.c).map(bounds), 0.0)
    }

    /// Fits a regression (epsilon-SVR): differences up to `epsilon` cost nothing.
    /// `targets: [n_rows]` finite, `epsilon >= 0`. Constant targets give a constant, no rows give 0.
    /// Time as [`Smo::classify`].
    pub(crate) fn regress(&self, targets: &[f64], epsilon: f64) -> Solution {
        self.solve(targets.iter().zip(self.c).map(|(&target, &c)| (target, -c, c)), epsilon)
    }

    /// Solves for rows of (target, low, high).
    fn solve(&self, all: impl Iterator<Item = (f64, f64, f64)>, epsilon: f64) -> Solution {
        let (mut targets, mut low, mut high) = (Vec::new(), Vec::new(), Vec::new());
        for (target, l, h) in all.take(self.similarity.diagonal.len()) {
            targets.push(target);
            low.push(l);
            high.push(h);
        }
        Solver::new(self, Problem { targets, low, high, epsilon }).run()
    }
}
