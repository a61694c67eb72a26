//! Linear models: weights of columns that minimise a loss and a penalty.
//!
//! ```text
//! minimise  sum_i v_i loss(y_i, f_i) + sum_j (l1 p_j |w_j| + l2/2 p_j^2 w_j^2),   f_i = x_i w + b
//! ```
//! The intercept `b` is free. Members of the Learner family bring columns into a [`Design`] and name a
//! [`Loss`], a penalty and a [`Solver`]; what the weights become in a graph is theirs too.
//! Every solver works on columns that are centred by their weighted mean and divided by their spread, without
//! changing the problem ([`coordinates`]), so raw columns are welcome.
//!
//! Same input and seed, same bits on any number of threads: sums over rows run in chunks of a fixed length,
//! added in order. [`Solver::ClosedForm`] takes its matrix products from a library that picks instructions by
//! the machine, so its last bits may differ between kinds of machines; all other solvers use IEEE operations
//! in a fixed order and the pinned functions of [`ir::fixed::math`].

mod closed_form;
mod coordinate_descent;
mod coordinates;
mod design;
mod gradient_descent;
mod lbfgs;
mod loss;
mod objective;
mod proximal_newton;
mod quadratic;
mod unfit;

#[cfg(test)]
mod tests;

pub(crate) use design::Design;
pub(crate) use loss::Loss;
pub use unfit::Unfit;

use jobs::{Ctx, Seed};
use objective::Objective;

/// What is minimised.
#[derive(Clone, Copy)]
pub(crate) struct Problem<'a> {
    /// The rows.
    pub design: &'a Design,
    /// `[n_rows]`: numbers, 0 and 1, counts or class indices, as the loss asks.
    pub targets: &'a [f64],
    /// `[n_rows]`, at least 0, not all 0; `None` weighs all alike, with 1.
    pub row_weights: Option<&'a [f64]>,
    /// What a score costs.
    pub loss: Loss,
    /// Factor of `p_j |w_j|`.
    pub l1: f64,
    /// Factor of `p_j^2 w_j^2 / 2`.
    pub l2: f64,
    /// `p: [n_columns]`, at least 0; `None` is 1 for each.
    pub penalty: Option<&'a [f64]>,
}

impl Problem<'_> {
    /// `v_i`.
    fn row_weight(&self, row: usize) -> f64 {
        self.row_weights.map_or(1.0, |v| v[row])
    }

    /// `p_j`.
    fn factor(&self, column: usize) -> f64 {
        self.penalty.map_or(1.0, |p| p[column])
    }

    /// `l1 p_j`.
    fn l1_of(&self, column: usize) -> f64 {
        self.l1 * self.factor(column)
    }

    /// `l2 p_j^2`.
    fn l2_of(&self, column: usize) -> f64 {
        self.l2 * self.factor(column) * self.factor(column)
    }

    /// `sum_i v_i`, in the order of the rows.
    fn total_weight(&self) -> f64 {
        (0..self.design.n_rows()).map(|row| self.row_weight(row)).sum()
    }
}

/// How the minimum is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Solver {
    /// Normal equations, see [`closed_form::solve`]: `Loss::Squared` with `l1 = 0`.
    ClosedForm,
    /// One column at a time: every loss, every penalty.
    CoordinateDescent,
    /// Limited-memory quasi-Newton, see [`lbfgs::solve`]: every loss, `l1 = 0`.
    Lbfgs,
    /// Steps against the gradient, see [`gradient_descent::solve`]: every loss, every penalty.
    GradientDescent {
        /// Rows of a step; `None` is all of them, 1 is stochastic gradient descent.
        batch: Option<usize>,
        /// Length of a step for the mean loss on columns of spread 1.
        learning_rate: f64,
        /// Share of the last step that the next one keeps, in `[0, 1)`.
        momentum: f64,
    },
}

/// When a solver stops.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Relative to the constant model, so without units. Coordinate descent for `Loss::Squared` stops at a
    /// duality gap of `tolerance` times the constant's loss; all others at a gradient of the mean objective, on
    /// columns of spread 1, of `tolerance` times the mean size of the constant's slopes. Gradient descent on
    /// batches also stops when slower steps gain less than `tolerance` of all that was gained.
    pub tolerance: f64,
    /// Iterations; sweeps of coordinate descent, epochs of gradient descent. The closed form has none.
    pub max_iterations: usize,
}

/// The minimum found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weights {
    /// `[n_columns, n_outputs]`.
    pub coefficients: Vec<f64>,
    /// `[n_outputs]`.
    pub intercepts: Vec<f64>,
    /// Iterations that were made.
    pub n_iterations: usize,
    /// False if a limit, the budget, the user or the precision of numbers ended the search first.
    pub converged: bool,
}

/// Solves the problem. A column that is constant on the weighted rows gets weight 0. Without a finite minimum
/// (one class only, counts that are all 0, classes that a plane separates while nothing is penalised) the
/// search ends where the gradient is below the tolerance. A cancelled or spent `ctx` ends it with the weights
/// so far; the closed form is not interrupted.
///
/// # Errors
/// Numbers that do not fit the loss or each other, or a solver that cannot solve this problem.
pub(crate) fn solve(
    problem: &Problem<'_>,
    solver: Solver,
    limits: Limits,
    seed: Seed,
    ctx: &Ctx<'_>,
) -> Result<Weights, Unfit> {
    unfit::check(problem, solver)?;
    match solver {
        Solver::ClosedForm => closed_form::solve(problem, ctx),
        Solver::CoordinateDescent if problem.loss == Loss::Squared => {
            Ok(coordinate_descent::solve(problem, limits, ctx))
        }
        Solver::CoordinateDescent => Ok(proximal_newton::solve(&Objective::new(problem, ctx), limits)),
        Solver::Lbfgs => Ok(lbfgs::solve(&Objective::new(problem, ctx), limits)),
        Solver::GradientDescent { batch, learning_rate, momentum } => {
            let steps = gradient_descent::Steps { batch, learning_rate, momentum };
            Ok(gradient_descent::solve(&Objective::new(problem, ctx), steps, limits, seed))
        }
    }
}
