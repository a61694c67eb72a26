//! The variables that solvers move: weights of centred columns of spread 1.
//!
//! ```text
//! w_j = t_j u_j,   b = c - sum_j m_j w_j,   so that  f_i = c + sum_j u_j t_j (x_ij - m_j)
//! ```
//! `m_j` is the weighted mean and `1 / t_j^2` the variance of column `j`, plus what the squared penalty adds.
//! The problem is the same, its curvature is near one number in every direction, and the cells stay as they
//! are, so sparse columns stay sparse. A constant column has `t_j = 0`: the intercept does its work.
//! Variables lie as `[n_columns, n_outputs]`, then the `n_outputs` intercepts `c`.

use super::Problem;
use super::design::Moments;

/// Means and factors of the columns.
pub(crate) struct Coordinates {
    means: Vec<f64>,
    factors: Vec<f64>,
    n_outputs: usize,
}

impl Coordinates {
    /// For a loss whose rows have this mean curvature.
    pub fn new(problem: &Problem<'_>, moments: Moments, curvature: f64, total: f64) -> Coordinates {
        let factor = |(column, &variance): (usize, &f64)| {
            let squared = variance + problem.l2_of(column) / (total * curvature);
            if variance > 0.0 && squared.is_finite() { 1.0 / squared.sqrt() } else { 0.0 }
        };
        let factors = moments.variances.iter().enumerate().map(factor).collect();
        Coordinates { means: moments.means, factors, n_outputs: problem.loss.n_outputs() }
    }

    /// Number of variables.
    pub fn len(&self) -> usize {
        (self.means.len() + 1) * self.n_outputs
    }

    /// `t_j`.
    pub fn factor(&self, column: usize) -> f64 {
        self.factors[column]
    }

    /// `m`.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// Coefficients `w` and intercepts `b`.
    pub fn weights(&self, variables: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (u, c) = variables.split_at(self.means.len() * self.n_outputs);
        let mut coefficients = u.to_vec();
        let mut intercepts = c.to_vec();
        let rows = coefficients.chunks_exact_mut(self.n_outputs);
        for ((w, &t), &m) in rows.zip(&self.factors).zip(&self.means) {
            for (w, b) in w.iter_mut().zip(&mut intercepts) {
                *w *= t;
                *b -= m * *w;
            }
        }
        (coefficients, intercepts)
    }

    /// Turns the gradient in `w` and `b`, laid out as the variables, into that in `u` and `c`.
    pub fn pull_back(&self, gradient: &mut [f64]) {
        let (of_columns, of_intercepts) = gradient.split_at_mut(self.means.len() * self.n_outputs);
        let rows = of_columns.chunks_exact_mut(self.n_outputs);
        for ((g, &t), &m) in rows.zip(&self.factors).zip(&self.means) {
            for (g, &of_intercept) in g.iter_mut().zip(&*of_intercepts) {
                *g = t * (*g - m * of_intercept);
            }
        }
    }
}
