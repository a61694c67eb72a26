//! What cannot be solved, and why: numbers that do not fit, and solvers that do not suit.

use super::{Loss, Problem, Solver};

/// Why a problem cannot be solved as asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// Two lengths differ.
    #[error("linear model: {what}: expected {expected}, got {got}")]
    Shape {
        /// What was counted.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// Sparse cells are not rows of rising ids.
    #[error("linear model: sparse columns: expected rows of rising ids below {n_sparse}")]
    Ids {
        /// Number of sparse columns.
        n_sparse: usize,
    },
    /// NaN or an infinity.
    #[error("linear model: {what}: expected finite numbers, got NaN or an infinity")]
    NotFinite {
        /// Where it is.
        what: &'static str,
    },
    /// A target that the loss does not know.
    #[error("linear model: target of row {row}: {loss} loss expects {expected}, got {got}")]
    Target {
        /// The row.
        row: usize,
        /// The loss.
        loss: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What it got.
        got: f64,
    },
    /// No row, or only rows of weight 0.
    #[error("linear model: {n_rows} rows of total weight 0; at least one row must weigh something")]
    NoRows {
        /// Number of rows.
        n_rows: usize,
    },
    /// A setting out of its range.
    #[error("linear model: {what} must be {expected}, got {got}")]
    Setting {
        /// The setting.
        what: &'static str,
        /// Its range.
        expected: &'static str,
        /// Its value.
        got: f64,
    },
    /// The solver cannot minimise this.
    #[error("linear model: {solver} does not solve {loss} loss with l1 = {l1}; use {instead}")]
    Solver {
        /// The solver.
        solver: &'static str,
        /// The loss.
        loss: &'static str,
        /// Factor of the absolute penalty.
        l1: f64,
        /// What would work.
        instead: &'static str,
    },
    /// The equations are too many for the closed form.
    #[error("linear model: closed form: {n} equations, at most {most} are solved; use lbfgs")]
    Equations {
        /// How many there are.
        n: usize,
        /// How many are solved.
        most: usize,
    },
    /// The eigenvalues did not converge.
    #[error(
        "linear model: closed form: {n} equations that depend on each other have no decomposition; use lbfgs"
    )]
    Decomposition {
        /// How many there are.
        n: usize,
    },
}

/// Checks everything a solver relies on.
pub(crate) fn check(problem: &Problem<'_>, solver: Solver) -> Result<(), Unfit> {
    let design = problem.design;
    let n_rows = design.n_rows();
    let length = |what, values: &[f64], expected| match values.len() {
        got if got != expected => Err(Unfit::Shape { what, expected, got }),
        _ => Ok(()),
    };
    length("targets", problem.targets, n_rows)?;
    if let Some(weights) = problem.row_weights {
        length("row weights", weights, n_rows)?;
        weights.iter().try_for_each(|&v| not_negative("row weight", v))?;
    }
    if let Some(penalty) = problem.penalty {
        length("penalty factors", penalty, design.n_columns())?;
        penalty.iter().try_for_each(|&p| not_negative("penalty factor", p))?;
    }
    let total = problem.total_weight();
    if total <= 0.0 {
        return Err(Unfit::NoRows { n_rows });
    }
    not_negative("total row weight", total)?;
    not_negative("l1", problem.l1)?;
    not_negative("l2", problem.l2)?;
    problem.loss.check()?;
    problem.targets.iter().enumerate().try_for_each(|(row, &y)| problem.loss.check_target(row, y))?;
    check_solver(problem, solver)
}

fn check_solver(problem: &Problem<'_>, solver: Solver) -> Result<(), Unfit> {
    let unfit =
        |solver, instead| Err(Unfit::Solver { solver, loss: problem.loss.name(), l1: problem.l1, instead });
    let range = |what, expected, got, fits: bool| match fits {
        true => Ok(()),
        false => Err(Unfit::Setting { what, expected, got }),
    };
    let (smooth, squared) = (problem.l1 == 0.0, problem.loss == Loss::Squared);
    match solver {
        Solver::ClosedForm if !smooth => unfit("closed form", "coordinate descent"),
        Solver::ClosedForm if !squared => unfit("closed form", "lbfgs or coordinate descent"),
        Solver::Lbfgs if !smooth => unfit("lbfgs", "coordinate descent"),
        Solver::ClosedForm | Solver::Lbfgs | Solver::CoordinateDescent => Ok(()),
        Solver::GradientDescent { batch, learning_rate, momentum } => {
            range("batch", "at least 1", 0.0, batch != Some(0))?;
            range(
                "learning rate",
                "above 0",
                learning_rate,
                learning_rate > 0.0 && learning_rate.is_finite(),
            )?;
            range("momentum", "in [0, 1)", momentum, (0.0..1.0).contains(&momentum))
        }
    }
}

fn not_negative(what: &'static str, got: f64) -> Result<(), Unfit> {
    let fits = got >= 0.0 && got.is_finite();
    if fits { Ok(()) } else { Err(Unfit::Setting { what, expected: "finite and at least 0", got }) }
}
