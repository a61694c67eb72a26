//! The mean objective and its gradient, in the solvers' variables.
//!
//! Value and gradient are those of the smooth part: losses and the squared penalty, divided by the total row
//! weight. The absolute penalty stands apart ([`Objective::l1`]), and [`Objective::stationarity`] joins both.
//! Huber's scale is minimised over inside: the scale is found first, then the gradient is that of the scale
//! held fixed, which is the gradient of the minimum (Danskin's theorem).

use super::coordinates::Coordinates;
use super::design::{CHUNK_ROWS, add_scaled};
use super::loss::huber_scale;
use super::{Loss, Problem, Weights};
use jobs::Ctx;

/// Sparse columns whose gradients one task sums.
const TASK_COLUMNS: usize = 512;

/// Huber's scale is at least this share of the targets' spread, so that a perfect fit has a minimum.
const LEAST_SCALE: f64 = 1e-6;

/// The mean objective of a problem.
pub(crate) struct Objective<'a> {
    pub problem: &'a Problem<'a>,
    pub coordinates: Coordinates,
    pub ctx: &'a Ctx<'a>,
    total: f64,
    least_scale: f64,
    /// Mean size of the constant's slopes, and what rounding leaves of the slopes at score 0.
    slope_sizes: (f64, f64),
    constant: Vec<f64>,
}

/// The smooth part at a point.
pub(crate) struct Evaluation {
    pub value: f64,
    /// Laid out as the variables.
    pub gradient: Vec<f64>,
    /// `v_i loss'`, `[n_rows, n_outputs]`.
    pub slopes: Vec<f64>,
    /// Huber's scale; 1 for other losses.
    pub scale: f64,
}

impl<'a> Objective<'a> {
    /// Looks at the columns and finds the best constant scores. Two passes over the rows.
    pub fn new(problem: &'a Problem<'a>, ctx: &'a Ctx<'a>) -> Objective<'a> {
        let total = problem.total_weight();
        let n_rows = problem.design.n_rows();
        let rows = || (0..n_rows).map(|row| (problem.targets[row], problem.row_weight(row)));
        let constant = problem.loss.constant_scores(rows);
        let mean = rows().map(|(y, v)| v * y).sum::<f64>() / total;
        let variance = rows().map(|(y, v)| v * (y - mean) * (y - mean)).sum::<f64>() / total;
        let least_scale = (LEAST_SCALE * variance.sqrt())
            .max(4.0 * f64::EPSILON * mean.abs())
            .max(f64::MIN_POSITIVE.sqrt());
        let scale_of = |score: f64| match problem.loss {
            Loss::Huber { epsilon } => {
                huber_scale(rows().map(|(y, v)| ((score - y).abs(), v)).collect(), epsilon, least_scale)
            }
            _ => 1.0,
        };
        let mean_slope = |scores: &[f64]| {
            let (mut slopes, scale) = (vec![0.0; scores.len()], scale_of(scores[0]));
            let size = |(y, v)| {
                problem.loss.at(y, scores, scale, &mut slopes);
                v * slopes.iter().map(|s| s.abs()).sum::<f64>()
            };
            rows().map(size).sum::<f64>() / total
        };
        let slope_sizes =
            (mean_slope(&constant), 4.0 * f64::EPSILON * mean_slope(&vec![0.0; constant.len()]));
        let scale = scale_of(constant[0]);
        let curvature = |output| {
            rows().map(|(y, v)| v * problem.loss.curvature(y, &constant, scale, output)).sum::<f64>() / total
        };
        let curvature = (0..constant.len()).map(curvature).fold(0.0, f64::max);
        let curvature = if curvature > 0.0 { curvature } else { 1.0 };
        let moments = problem.design.moments(&|row| problem.row_weight(row), ctx.threads);
        let coordinates = Coordinates::new(problem, moments, curvature, total);
        Objective { problem, coordinates, ctx, total, least_scale, slope_sizes, constant }
    }

    /// Number of scores of a row.
    pub fn n_outputs(&self) -> usize {
        self.constant.len()
    }

    /// Sum of the row weights.
    pub fn total_weight(&self) -> f64 {
        self.total
    }

    /// The model without columns.
    pub fn start(&self) -> Vec<f64> {
        let mut variables = vec![0.0; self.coordinates.len()];
        let first = variables.len() - self.n_outputs();
        variables[first..].copy_from_slice(&self.constant);
        variables
    }

    /// The size of [`Objective::stationarity`] that a search stops at: `tolerance` times the mean size of the
    /// constant's slopes, plus what rounding leaves.
    pub fn threshold(&self, tolerance: f64) -> f64 {
        tolerance * self.slope_sizes.0 + self.slope_sizes.1
    }

    /// Variables to weights. Softmax gives the same probabilities when a number is added to the weights of all
    /// classes: intercepts, and coefficients without a penalty, are those of sum 0.
    pub fn weights(&self, variables: &[f64], n_iterations: usize, converged: bool) -> Weights {
        let (mut coefficients, mut intercepts) = self.coordinates.weights(variables);
        if let Loss::Softmax { .. } = self.problem.loss {
            for (column, w) in coefficients.chunks_exact_mut(intercepts.len()).enumerate() {
                if self.problem.l1_of(column) == 0.0 && self.problem.l2_of(column) == 0.0 {
                    centre(w);
                }
            }
            centre(&mut intercepts);
        }
        Weights { coefficients, intercepts, n_iterations, converged }
    }

    /// The smooth part at `variables`. O(cells n_outputs), on all threads.
    pub fn evaluate(&self, variables: &[f64]) -> Evaluation {
        let (design, loss, n_outputs) = (self.problem.design, self.problem.loss, self.n_outputs());
        let (coefficients, intercepts) = self.coordinates.weights(variables);
        let scale = self.scale(&coefficients, &intercepts);
        let chunks = self.ctx.threads.map(design.n_chunks(), |chunk| {
            let mut part = Chunk::new(n_outputs, design.n_dense());
            let mut scores = vec![0.0; n_outputs];
            for (row, slopes) in design.chunk(chunk).zip(part.slopes.chunks_exact_mut(n_outputs)) {
                let v = self.problem.row_weight(row);
                if v == 0.0 {
                    continue;
                }
                design.scores(row, &coefficients, &intercepts, &mut scores);
                part.value += v * loss.at(self.problem.targets[row], &scores, scale, slopes);
                slopes.iter_mut().for_each(|s| *s *= v);
                add_scaled(&mut part.of_intercepts, 1.0, slopes);
                design.add_dense_row(row, slopes, &mut part.of_dense);
            }
            part
        });
        let mut gradient = vec![0.0; variables.len()];
        let mut slopes = Vec::with_capacity(design.n_rows() * n_outputs);
        let mut value = 0.0;
        let n_dense = design.n_dense() * n_outputs;
        let first_intercept = variables.len() - n_outputs;
        for (number, part) in chunks.iter().enumerate() {
            value += part.value;
            add_scaled(&mut gradient[..n_dense], 1.0, &part.of_dense);
            add_scaled(&mut gradient[first_intercept..], 1.0, &part.of_intercepts);
            slopes.extend_from_slice(&part.slopes[..design.chunk(number).len() * n_outputs]);
        }
        let of_sparse = &mut gradient[n_dense..first_intercept];
        self.ctx.threads.chunks(of_sparse, TASK_COLUMNS * n_outputs, |first, part| {
            for (id, g) in (first / n_outputs..).zip(part.chunks_exact_mut(n_outputs)) {
                for (row, x) in design.sparse_column(id) {
                    add_scaled(g, x, &slopes[row * n_outputs..(row + 1) * n_outputs]);
                }
            }
        });
        self.coordinates.pull_back(&mut gradient);
        gradient.iter_mut().for_each(|g| *g /= self.total);
        value = value / self.total + self.add_l2(variables, &mut gradient);
        Evaluation { value, gradient, slopes, scale }
    }

    /// Adds the gradient of the squared penalty and gives its value.
    pub fn add_l2(&self, variables: &[f64], gradient: &mut [f64]) -> f64 {
        if self.problem.l2 == 0.0 {
            return 0.0;
        }
        let n_outputs = self.n_outputs();
        let mut value = 0.0;
        let rows = gradient.chunks_exact_mut(n_outputs).zip(variables.chunks_exact(n_outputs));
        for (column, (gradient, u)) in rows.take(self.problem.design.n_columns()).enumerate() {
            let curvature = self.l2_factor(column);
            for (g, &u) in gradient.iter_mut().zip(u) {
                *g += curvature * u;
                value += 0.5 * curvature * u * u;
            }
        }
        value
    }

    /// Factor of `|u|` for the variables of a column.
    pub fn l1_factor(&self, column: usize) -> f64 {
        self.problem.l1_of(column) * self.coordinates.factor(column) / self.total
    }

    /// Factor of `u^2 / 2` for the variables of a column.
    pub fn l2_factor(&self, column: usize) -> f64 {
        let t = self.coordinates.factor(column);
        self.problem.l2_of(column) * t * t / self.total
    }

    /// The absolute penalty.
    pub fn l1(&self, variables: &[f64]) -> f64 {
        if self.problem.l1 == 0.0 {
            return 0.0;
        }
        let columns = variables.chunks_exact(self.n_outputs()).take(self.problem.design.n_columns());
        let of_column =
            |(column, u): (usize, &[f64])| self.l1_factor(column) * u.iter().map(|u| u.abs()).sum::<f64>();
        columns.enumerate().map(of_column).sum()
    }

    /// The largest entry of the smallest subgradient of the whole objective: 0 at the minimum, NaN if
    /// an entry is.
    pub fn stationarity(&self, variables: &[f64], gradient: &[f64]) -> f64 {
        let n_outputs = self.n_outputs();
        let n_penalised = variables.len() - n_outputs;
        let entry = |(at, (&u, &g)): (usize, (&f64, &f64))| {
            let l1 = if at < n_penalised { self.l1_factor(at / n_outputs) } else { 0.0 };
            if u != 0.0 { (g + l1.copysign(u)).abs() } else { (g.abs() - l1).max(0.0) }
        };
        let larger = |most: f64, entry: f64| if entry > most || entry.is_nan() { entry } else { most };
        variables.iter().zip(gradient).enumerate().map(entry).fold(0.0, larger)
    }

    /// Whether Huber's scale may still fall.
    pub fn scale_is_free(&self, scale: f64) -> bool {
        scale > self.least_scale
    }

    /// Huber's best scale for these weights; 1 for other losses. One pass over the rows and a sort.
    fn scale(&self, coefficients: &[f64], intercepts: &[f64]) -> f64 {
        let Loss::Huber { epsilon } = self.problem.loss else { return 1.0 };
        let design = self.problem.design;
        let errors = self.ctx.threads.map(design.n_chunks(), |chunk| {
            let mut score = [0.0];
            let error = |row| {
                design.scores(row, coefficients, intercepts, &mut score);
                ((score[0] - self.problem.targets[row]).abs(), self.problem.row_weight(row))
            };
            design.chunk(chunk).map(error).collect::<Vec<_>>()
        });
        huber_scale(errors.concat(), epsilon, self.least_scale)
    }
}

/// Takes the mean off.
fn centre(numbers: &mut [f64]) {
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    numbers.iter_mut().for_each(|x| *x -= mean);
}

/// What a chunk of rows adds.
struct Chunk {
    value: f64,
    of_dense: Vec<f64>,
    of_intercepts: Vec<f64>,
    slopes: Vec<f64>,
}

impl Chunk {
    fn new(n_outputs: usize, n_dense: usize) -> Chunk {
        Chunk {
            value: 0.0,
            of_dense: vec![0.0; n_dense * n_outputs],
            of_intercepts: vec![0.0; n_outputs],
            slopes: vec![0.0; CHUNK_ROWS * n_outputs],
        }
    }
}
