//! Coordinate descent for squared losses: ridge, lasso and elastic net.

use super::coordinates::Coordinates;
use super::quadratic::{Columns, Quadratic};
use super::{Limits, Problem, Weights};
use jobs::Ctx;

/// Sweeps over the active columns go on until a sweep's largest descent is this share of the gap allowed;
/// each full sweep that finds the gap still too large makes it smaller.
const ACTIVE_SHARE: f64 = 0.1;

/// Minimises the objective with `Loss::Squared`: full sweeps, and between them sweeps over the columns whose
/// weight is not 0. Stops when the duality gap is below `tolerance` times the constant's loss; columns without
/// a penalty have no dual, there the residual's correlation must be below `tolerance`. Also stops when no
/// weight moves any more. O(cells) a full sweep, on one thread.
/// # Source  Friedman, Hastie, Tibshirani, J. Stat. Softw. 33, 2010, section 2; the gap: Fercoq, Gramfort,
/// Salmon, ICML 2015; deviation: weights, a penalty for each column, sparse columns centred implicitly.
pub(crate) fn solve(problem: &Problem<'_>, limits: Limits, ctx: &Ctx<'_>) -> Weights {
    let design = problem.design;
    let moments = design.moments(&|row| problem.row_weight(row), ctx.threads);
    let total = problem.total_weight();
    let coordinates = Coordinates::new(problem, moments, 1.0, total);
    let columns = Columns::new(problem, coordinates.means(), |column| coordinates.factor(column) > 0.0);
    let row_weights: Vec<f64> = (0..design.n_rows()).map(|row| problem.row_weight(row)).collect();
    let mean = row_weights.iter().zip(problem.targets).map(|(v, y)| v * y).sum::<f64>() / total;
    let targets: Vec<f64> = problem.targets.iter().map(|y| y - mean).collect();
    let constant_loss = 0.5 * row_weights.iter().zip(&targets).map(|(v, y)| v * y * y).sum::<f64>();
    let start = (vec![0.0; design.n_columns()], mean);
    let mut quadratic = Quadratic::new(&columns, &row_weights, targets.clone(), start, ctx.threads);
    let (mut n_iterations, mut allowed) = (0, ACTIVE_SHARE * limits.tolerance * constant_loss);
    let mut converged = settled(&columns, &quadratic, &targets, limits.tolerance, constant_loss);
    while !converged && n_iterations < limits.max_iterations && !ctx.is_over() {
        n_iterations += 1;
        let moved = quadratic.sweep(&columns.moving);
        converged = moved == 0.0 || settled(&columns, &quadratic, &targets, limits.tolerance, constant_loss);
        if converged {
            break;
        }
        let active: Vec<usize> =
            columns.moving.iter().copied().filter(|&column| quadratic.coefficients[column] != 0.0).collect();
        while n_iterations < limits.max_iterations && !ctx.is_over() {
            n_iterations += 1;
            if quadratic.sweep(&active) <= allowed {
                break;
            }
        }
        allowed *= ACTIVE_SHARE;
    }
    weights(&coordinates, quadratic, n_iterations, converged)
}

/// The weights of the columns as they are, not centred.
fn weights(
    coordinates: &Coordinates,
    quadratic: Quadratic<'_>,
    n_iterations: usize,
    converged: bool,
) -> Weights {
    let coefficients = quadratic.coefficients;
    let moved: f64 = coefficients.iter().zip(coordinates.means()).map(|(w, m)| w * m).sum();
    Weights { coefficients, intercepts: vec![quadratic.intercept - moved], n_iterations, converged }
}

/// Whether the gap between the objective and its dual at the scaled residual is small enough.
///
/// ```text
/// D(a) = sum_i a_i y_i - sum_i a_i^2 / (2 v_i) - sum_j g_j(x_j . a),   a = s v residual, 0 <= s <= 1
/// g_j(q) = max(0, |q| - l1_j)^2 / (2 l2_j);  with l2_j = 0 the scale s makes |q| <= l1_j.
/// ```
fn settled(
    columns: &Columns<'_>,
    quadratic: &Quadratic<'_>,
    targets: &[f64],
    tolerance: f64,
    constant_loss: f64,
) -> bool {
    let problem = columns.problem;
    let (mut penalty, mut scale) = (0.0, 1.0f64);
    let mut pulls = Vec::with_capacity(columns.moving.len());
    for &column in &columns.moving {
        let (l1, l2, w) = (problem.l1_of(column), problem.l2_of(column), quadratic.coefficients[column]);
        // The pull of the residual alone; a squared penalty pulls back and is accounted for in g.
        let pull = quadratic.pull(column);
        penalty += l1 * w.abs() + 0.5 * l2 * w * w;
        if l1 == 0.0 && l2 == 0.0 {
            if pull.abs() > tolerance * (2.0 * constant_loss * quadratic.norm(column)).sqrt() {
                return false;
            }
        } else if l2 == 0.0 && pull.abs() > l1 {
            scale = scale.min(l1 / pull.abs());
        }
        pulls.push((pull.abs(), l1, l2));
    }
    let conjugate = |&(pull, l1, l2): &(f64, f64, f64)| {
        let over = (scale * pull - l1).max(0.0);
        if l2 > 0.0 { 0.5 * over * over / l2 } else { 0.0 }
    };
    let conjugates: f64 = pulls.iter().map(conjugate).sum();
    let (mut product, mut square) = (0.0, 0.0);
    for ((v, residual), &y) in quadratic.residuals().zip(targets) {
        product += v * residual * y;
        square += v * residual * residual;
    }
    let primal = 0.5 * square + penalty;
    let dual = scale * product - 0.5 * scale * scale * square - conjugates;
    primal - dual <= tolerance * constant_loss
}
