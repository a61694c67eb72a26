//! A weighted least-squares problem that is minimised one column at a time.
//!
//! ```text
//! 1/2 sum_i h_i (z_i - c - sum_j w_j (x_ij - m_j))^2 + sum_j (l1_j |w_j| + l2_j w_j^2 / 2)
//! ```
//! Coordinate descent solves it once, with `h = v`; proximal Newton solves one an iteration, with the
//! curvatures of the loss. Dense columns are copied, centred, column by column; sparse ones stay as they are: that they
//! should be centred is held in one number, `shift`, for all rows.
//! Invariant: the residual of row `i` is `residuals[i] + shift`, and `sum` is their sum weighted by `h`.

use super::Problem;
use super::design::add_scaled;
use jobs::Threads;

/// Columns as coordinate descent reads them.
pub(crate) struct Columns<'a> {
    pub problem: &'a Problem<'a>,
    means: &'a [f64],
    /// `[n_dense, n_rows]`.
    dense: Vec<f64>,
    /// Columns that are not constant.
    pub moving: Vec<usize>,
}

impl<'a> Columns<'a> {
    /// A copy of the dense columns, less `means`.
    pub fn new(problem: &'a Problem<'a>, means: &'a [f64], moves: impl Fn(usize) -> bool) -> Columns<'a> {
        let moving = (0..problem.design.n_columns()).filter(|&column| moves(column)).collect();
        Columns { problem, means, dense: problem.design.centred_columns(means), moving }
    }

    fn dense(&self, column: usize) -> Option<&[f64]> {
        let n_rows = self.problem.design.n_rows();
        (column < self.problem.design.n_dense()).then(|| &self.dense[column * n_rows..(column + 1) * n_rows])
    }

    /// Cells of a sparse column, uncentred.
    fn sparse(&self, column: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.problem.design.sparse_column(column - self.problem.design.n_dense())
    }

    /// `sum_i h_i x_i` and `sum_i h_i x_i^2` of a centred column.
    fn sums(&self, column: usize, curvatures: &[f64], total: f64) -> (f64, f64) {
        if let Some(cells) = self.dense(column) {
            let add = |(s, n), (&h, &x): (&f64, &f64)| (s + h * x, n + h * x * x);
            return curvatures.iter().zip(cells).fold((0.0, 0.0), add);
        }
        let m = self.means[column];
        let add = |(s, n, present), (row, x): (usize, f64)| {
            let h: f64 = curvatures[row];
            (s + h * (x - m), n + h * (x - m) * (x - m), present + h)
        };
        let (sum, norm, present) = self.sparse(column).fold((0.0, 0.0, 0.0), add);
        let absent = (total - present).max(0.0);
        (sum - absent * m, norm + absent * m * m)
    }
}

/// A further variable `s` that every row's score moves with: row `i` has the score `f_i - s directions_i`, and
/// the start is stationary in `s`. Huber's scale is one.
struct Companion {
    directions: Vec<f64>,
    norm: f64,
    /// `sum_i h_i directions_i residual_i` where `s` does not pull.
    at_rest: f64,
}

/// The problem at its present weights.
pub(crate) struct Quadratic<'a> {
    columns: &'a Columns<'a>,
    curvatures: &'a [f64],
    total: f64,
    sums: Vec<f64>,
    norms: Vec<f64>,
    residuals: Vec<f64>,
    shift: f64,
    sum: f64,
    companion: Option<Companion>,
    /// `w`.
    pub coefficients: Vec<f64>,
    /// `c`.
    pub intercept: f64,
}

impl<'a> Quadratic<'a> {
    /// At these weights, where row `i` has the residual `residuals[i]`.
    pub fn new(
        columns: &'a Columns<'a>,
        curvatures: &'a [f64],
        residuals: Vec<f64>,
        (coefficients, intercept): (Vec<f64>, f64),
        threads: &Threads,
    ) -> Quadratic<'a> {
        let total = curvatures.iter().sum();
        let sums = threads.map(coefficients.len(), |column| columns.sums(column, curvatures, total));
        let (sums, norms) = sums.into_iter().unzip();
        let (shift, sum, companion) = (0.0, 0.0, None);
        let mut quadratic = Quadratic {
            columns,
            curvatures,
            total,
            sums,
            norms,
            residuals,
            shift,
            sum,
            companion,
            coefficients,
            intercept,
        };
        quadratic.sum_up();
        quadratic
    }

    /// Lets `s` move too, from here on.
    pub fn with_companion(mut self, directions: Vec<f64>) -> Quadratic<'a> {
        let rows = || self.residuals().zip(&directions);
        let norm: f64 = rows().map(|((h, _), d)| h * d * d).sum();
        let at_rest = rows().map(|((h, residual), d)| h * d * residual).sum();
        self.companion = (norm > 0.0).then_some(Companion { directions, norm, at_rest });
        self
    }

    /// Moves the companion and the intercept, then each of `which` columns, to its best value. Gives the
    /// largest of twice the descents: `(h . x_j^2 + l2_j) (change of w_j)^2`. O(cells of the columns).
    pub fn sweep(&mut self, which: &[usize]) -> f64 {
        self.sum_up();
        let moved = self.move_companion();
        let step = self.sum / self.total;
        self.intercept += step;
        self.shift -= step;
        self.sum = 0.0;
        which.iter().fold(moved.max(self.total * step * step), |most, &column| self.update(column).max(most))
    }

    /// Moves `s` to its best value; the residuals hold no shift.
    fn move_companion(&mut self) -> f64 {
        let Some(companion) = &self.companion else { return 0.0 };
        let rows = self.curvatures.iter().zip(&self.residuals).zip(&companion.directions);
        let pull: f64 = rows.map(|((h, residual), d)| h * d * residual).sum();
        let step = (companion.at_rest - pull) / companion.norm;
        for ((&h, residual), &d) in self.curvatures.iter().zip(&mut self.residuals).zip(&companion.directions)
        {
            *residual += step * d;
            self.sum += h * step * d;
        }
        companion.norm * step * step
    }

    fn update(&mut self, column: usize) -> f64 {
        let problem = self.columns.problem;
        let curvature = self.norms[column] + problem.l2_of(column);
        if curvature <= 0.0 {
            return 0.0;
        }
        let old = self.coefficients[column];
        let pull = self.norms[column] * old + self.pull(column);
        let new = soft_threshold(pull, problem.l1_of(column)) / curvature;
        let change = new - old;
        if change == 0.0 {
            return 0.0;
        }
        self.coefficients[column] = new;
        match self.columns.dense(column) {
            Some(cells) => add_scaled(&mut self.residuals, -change, cells),
            None => {
                self.columns.sparse(column).for_each(|(row, x)| self.residuals[row] -= change * x);
                self.shift += change * self.columns.means[column];
            }
        }
        self.sum -= change * self.sums[column];
        curvature * change * change
    }

    /// `sum_i h_i (x_ij - m_j) residual_i`: minus the slope of the sum of squares in `w_j`.
    pub fn pull(&self, column: usize) -> f64 {
        if let Some(cells) = self.columns.dense(column) {
            return dot3(self.curvatures, cells, &self.residuals) + self.shift * self.sums[column];
        }
        let m = self.columns.means[column];
        let pull = self.columns.sparse(column).map(|(row, x)| self.curvatures[row] * x * self.residuals[row]);
        pull.sum::<f64>() + self.shift * (self.sums[column] + m * self.total) - m * self.sum
    }

    /// `sum_i h_i (x_ij - m_j)^2`.
    pub fn norm(&self, column: usize) -> f64 {
        self.norms[column]
    }

    /// `h_i` and residual of each row.
    pub fn residuals(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.curvatures.iter().zip(&self.residuals).map(|(&h, &r)| (h, r + self.shift))
    }

    /// Takes the shift into the residuals and sums them afresh, so that rounding does not gather.
    fn sum_up(&mut self) {
        let mut sum = 0.0;
        for (&h, r) in self.curvatures.iter().zip(&mut self.residuals) {
            *r += self.shift;
            sum += h * *r;
        }
        (self.shift, self.sum) = (0.0, sum);
    }
}

/// The `x` that minimises `(x - pull)^2 / 2 + threshold |x|`.
pub(crate) fn soft_threshold(pull: f64, threshold: f64) -> f64 {
    if pull > threshold {
        pull - threshold
    } else if pull < -threshold {
        pull + threshold
    } else {
        0.0
    }
}

/// `sum_i a_i b_i c_i`, in four sums.
fn dot3(a: &[f64], b: &[f64], c: &[f64]) -> f64 {
    let mut sums = [0.0f64; 4];
    let (a4, b4, c4) = (a.chunks_exact(4), b.chunks_exact(4), c.chunks_exact(4));
    let rests = a4.remainder().iter().zip(b4.remainder()).zip(c4.remainder());
    let rest: f64 = rests.map(|((x, y), z)| x * y * z).sum();
    for ((x, y), z) in a4.zip(b4).zip(c4) {
        for k in 0..4 {
            sums[k] += x[k] * y[k] * z[k];
        }
    }
    ((sums[0] + sums[1]) + (sums[2] + sums[3])) + rest
}
