//! What the linear members share: parameters with one meaning, the choice of a solver, the fit.

use crate::linear_columns::LinearColumns;
use crate::linear_model::{Limits, Loss, Problem, Solver, Weights, solve};
use crate::smo::platt::inner_parts;
use crate::{Error, FitInput, Fitted, Learner};
use ir::digest::mix;
use ir::op::LinkKind;
use jobs::{Ctx, Seed};
use params::{ParamSpec, Params, Range, Value};
use trees::Target;

const SOLVER: ParamSpec = ParamSpec {
    name: "solver",
    aliases: &[],
    default: Value::Word("auto"),
    range: Range::Words(&[
        "auto",
        "closed_form",
        "coordinate_descent",
        "lbfgs",
        "gradient_descent",
        "mini_batch",
        "stochastic",
    ]),
    doc: "how weights are found; auto: the fastest that solves this exactly",
};
const LEARNING_RATE: ParamSpec = ParamSpec {
    name: "learning_rate",
    aliases: &["eta0", "lr"],
    default: Value::Real(0.0),
    range: Range::Real { low: 0.0, high: 10.0 },
    doc: "gradient solvers: length of a step on columns of deviation 1; 0: 0.3 in full batches, 0.1 in mini-batches, 0.01 by single rows",
};
const MOMENTUM: ParamSpec = ParamSpec {
    name: "momentum",
    aliases: &[],
    default: Value::Real(0.9),
    range: Range::Real { low: 0.0, high: 0.999 },
    doc: "gradient solvers: share of the last step that the next one keeps",
};
const BATCH_SIZE: ParamSpec = ParamSpec {
    name: "batch_size",
    aliases: &[],
    default: Value::Int(64),
    range: Range::Int { low: 1, high: 1_000_000_000 },
    doc: "mini_batch: rows of a step",
};
const MAX_ITERATIONS: ParamSpec = ParamSpec {
    name: "max_iterations",
    aliases: &["max_iter", "n_iter", "epochs"],
    default: Value::Int(1000),
    range: Range::Int { low: 1, high: 10_000_000 },
    doc: "most iterations, sweeps or passes over the rows",
};
const TOLERANCE: ParamSpec = ParamSpec {
    name: "tolerance",
    aliases: &["tol"],
    default: Value::Real(1e-6),
    range: Range::Real { low: 1e-15, high: 1.0 },
    doc: "how near to the optimum, relative to the constant model",
};
const STANDARDIZE: ParamSpec = ParamSpec {
    name: "standardize",
    aliases: &["normalize"],
    default: Value::Word("yes"),
    range: Range::Words(&["no", "yes"]),
    doc: "whether the penalty is on columns of deviation 1, or on columns as they are in the table",
};
pub(crate) const WEIGHT_BITS: ParamSpec = ParamSpec {
    name: "weight_bits",
    aliases: &[],
    default: Value::Int(16),
    range: Range::Int { low: 4, high: 16 },
    doc: "bits of a weight",
};
pub(crate) const ALPHA: ParamSpec = ParamSpec {
    name: "alpha",
    aliases: &["lambda"],
    default: Value::Real(1.0),
    range: Range::Real { low: 0.0, high: 1e12 },
    doc: "strength of the penalty",
};
pub(crate) const AUTO_ALPHA: ParamSpec = ParamSpec {
    default: Value::Real(0.0),
    doc: "strength of the penalty; 0: a hundredth of what would leave no weight, or half of each",
    ..ALPHA
};
pub(crate) const C: ParamSpec = ParamSpec {
    name: "c",
    aliases: &["C"],
    default: Value::Real(1.0),
    range: Range::Real { low: 1e-9, high: 1e12 },
    doc: "what a row's loss weighs beside the penalty: smaller shrinks more",
};
pub(crate) const L1_RATIO: ParamSpec = ParamSpec {
    name: "l1_ratio",
    aliases: &[],
    default: Value::Real(0.0),
    range: Range::Real { low: 0.0, high: 1.0 },
    doc: "share of the penalty that is on absolute weights, the rest on squares",
};

/// Parameters of the solvers.
pub(crate) const SOLVING: &[ParamSpec] =
    &[SOLVER, LEARNING_RATE, MOMENTUM, BATCH_SIZE, MAX_ITERATIONS, TOLERANCE];
/// The penalty is on columns of deviation 1 unless asked otherwise.
pub(crate) const SCALED: &[ParamSpec] = &[STANDARDIZE, WEIGHT_BITS];
/// The penalty is on columns as they are unless asked otherwise.
pub(crate) const RAW: &[ParamSpec] = &[ParamSpec { default: Value::Word("no"), ..STANDARDIZE }, WEIGHT_BITS];

/// What a member minimises.
pub(crate) struct Task {
    pub(crate) loss: Loss,
    pub(crate) l1: f64,
    pub(crate) l2: f64,
    pub(crate) link: LinkKind,
}

/// The training rows of a linear model.
pub(crate) struct LinearFit<'a> {
    pub(crate) input: &'a FitInput<'a>,
    pub(crate) params: &'a Params,
    pub(crate) columns: LinearColumns,
    rows: Vec<u32>,
    pub(crate) weights: Vec<f64>,
    /// Total weight.
    pub(crate) total: f64,
    design: crate::linear_model::Design,
    penalty: Option<Vec<f64>>,
    seed: Seed,
    ctx: &'a Ctx<'a>,
}

impl<'a> LinearFit<'a> {
    /// # Errors
    /// No row of positive weight.
    pub(crate) fn new(
        input: &'a FitInput<'a>,
        params: &'a Params,
        seed: Seed,
        ctx: &'a Ctx<'a>,
    ) -> Result<LinearFit<'a>, Error> {
        let rows = input.train_rows()?;
        let weights: Vec<f64> = rows.iter().map(|&r| input.weight(r)).collect();
        let total: f64 = weights.iter().sum();
        let columns = LinearColumns::new(input);
        let design = columns.design(input, &rows)?;
        let raw = params.word(STANDARDIZE.name) == "no";
        let penalty = raw.then(|| columns.raw_penalty());
        Ok(LinearFit { input, params, columns, rows, weights, total, design, penalty, seed, ctx })
    }

    /// The target of the training rows: numbers, or class indices.
    pub(crate) fn targets(&self) -> Vec<f64> {
        let of = |&row: &u32| match self.input.target {
            Target::Binary(labels) | Target::Classes { labels, .. } => f64::from(labels[row as usize]),
            Target::Values(values) => values[row as usize],
            // Refused before.
            Target::Several(_) => 0.0,
        };
        self.rows.iter().map(of).collect()
    }

    /// The weights for these targets; `kept` may weigh rows anew.
    ///
    /// # Errors
    /// A solver that does not solve this, targets that the loss does not take.
    pub(crate) fn solve(&self, task: &Task, targets: &[f64], row_weights: &[f64]) -> Result<Weights, Error> {
        let problem = Problem {
            design: &self.design,
            targets,
            row_weights: Some(row_weights),
            loss: task.loss,
            l1: task.l1,
            l2: task.l2,
            penalty: self.penalty.as_deref(),
        };
        let limits = Limits {
            tolerance: self.params.real(TOLERANCE.name),
            max_iterations: usize::try_from(self.params.int(MAX_ITERATIONS.name)).unwrap_or(1),
        };
        Ok(solve(&problem, self.solver(task), limits, self.seed, self.ctx)?)
    }

    /// The largest slope of any weight at the constant model: an absolute penalty of that size leaves no weight.
    fn largest_slope(&self, targets: &[f64]) -> f64 {
        let mean = targets.iter().zip(&self.weights).map(|(y, w)| y * (w / self.total)).sum::<f64>();
        let n_dense = self.design.n_dense();
        let mut slopes = vec![0.0; self.columns.n_columns()];
        let mut sums = vec![0.0; self.columns.n_columns()];
        let mut missed = 0.0;
        for (i, (y, w)) in targets.iter().zip(&self.weights).enumerate() {
            let dense = self.design.dense_row(i).iter().copied().enumerate();
            for (column, x) in dense.chain(self.design.sparse_row(i).map(|(id, x)| (n_dense + id, x))) {
                slopes[column] += w * x * (y - mean);
                sums[column] += w * x;
            }
            missed += w * (y - mean);
        }
        let factor = |j: usize| self.penalty.as_ref().map_or(1.0, |p| p[j]).max(f64::MIN_POSITIVE);
        let of = |j: usize| ((slopes[j] - sums[j] * (missed / self.total)) / factor(j)).abs();
        (0..slopes.len()).map(of).fold(0.0, f64::max)
    }

    /// Factors of absolute and of squared weights, for a penalty with a share `l1_ratio` on absolute ones.
    /// Without a strength that was given, each is a hundredth of what would do all: of the absolute penalty that
    /// leaves no weight, of the squared one that halves a weight.
    pub(crate) fn strengths(&self, targets: &[f64], l1_ratio: f64) -> (f64, f64) {
        let (l1, l2) = match self.params.real(ALPHA.name) {
            0.0 => (0.01 * self.largest_slope(targets), 0.01 * self.total),
            alpha => (alpha * self.total, alpha * self.total),
        };
        (l1 * l1_ratio, l2 * (1.0 - l1_ratio))
    }

    fn solver(&self, task: &Task) -> Solver {
        let rate = |usual: f64| match self.params.real(LEARNING_RATE.name) {
            0.0 => usual,
            rate => rate,
        };
        let momentum = self.params.real(MOMENTUM.name);
        let steps = |batch, usual| Solver::GradientDescent { batch, learning_rate: rate(usual), momentum };
        match self.params.word(SOLVER.name) {
            "closed_form" => Solver::ClosedForm,
            "coordinate_descent" => Solver::CoordinateDescent,
            "lbfgs" => Solver::Lbfgs,
            "gradient_descent" => steps(None, 0.3),
            "mini_batch" => steps(Some(usize::try_from(self.params.int(BATCH_SIZE.name)).unwrap_or(1)), 0.1),
            "stochastic" => steps(Some(1), 0.01),
            _ if task.l1 > 0.0 => Solver::CoordinateDescent,
            _ if task.loss == Loss::Squared && self.columns.n_columns() <= MOST_EQUATIONS => {
                Solver::ClosedForm
            }
            _ => Solver::Lbfgs,
        }
    }

    /// Real scores of the training rows.
    pub(crate) fn scores(&self, weights: &Weights) -> Vec<f64> {
        self.columns.real_scores(&self.design, weights)
    }

    /// A part of each training row for the inner fits of probabilities, by its cells.
    pub(crate) fn inner_parts(&self) -> Vec<usize> {
        let cells = |row: usize| {
            let dense = self.design.dense_row(row).iter().map(|x| x.to_bits());
            dense.chain(self.design.sparse_row(row).map(|(id, x)| mix(id as u64) ^ x.to_bits()))
        };
        inner_parts(self.rows.len(), self.seed, cells)
    }

    /// The model of these weights.
    ///
    /// # Errors
    /// As [`LinearColumns::fitted`].
    pub(crate) fn fitted(&self, weights: &Weights, link: LinkKind) -> Result<Fitted, Error> {
        let bits = u32::try_from(self.params.int(WEIGHT_BITS.name)).unwrap_or(16);
        self.columns.fitted(self.input, weights, link, bits)
    }
}

/// The closed form costs the cube of the columns.
const MOST_EQUATIONS: usize = 2000;

/// A learner that minimises one task.
pub(crate) struct Linear {
    /// The task for these training rows and their targets.
    pub(crate) task: fn(&LinearFit<'_>, &[f64]) -> Result<Task, Error>,
}

impl Learner for Linear {
    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error> {
        let fit = LinearFit::new(&input, params, seed, ctx)?;
        let targets = fit.targets();
        let task = (self.task)(&fit, &targets)?;
        let weights = fit.solve(&task, &targets, &fit.weights)?;
        fit.fitted(&weights, task.link)
    }
}
