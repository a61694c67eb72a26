//! `gbdt`: gradient-boosted decision trees.
//!
//! Histograms of integer gradients on codes, leaf-wise growth, leaves rounded to the deployed grid
//! inside the loop ([`trees`]). Several targets share trees. The loss follows the task and the metric unless it is named. Missing
//! values take the side that the training rows preferred; sets of categories are splits.
//! # Source  Friedman, Ann. Statist. 29, 2001; Ke et al., LightGBM, NeurIPS 2017.

use crate::column_lists;
use crate::error::Kind;
use crate::score_link::linked;
use crate::scored_forest::ScoredForest;
use crate::{Error, Exactness, FitInput, Fitted, Goal, Grows, Learner, LearnerEntry, ScoreLink, Takes};
use ir::Task;
use ir::op::LinkKind;
use jobs::{Budget, Ctx, Seed, Silent};
use params::{Axis, ParamSpec, Params, Range, Scale, Value};
use trees::{BoostInput, BoostParams, Loss, Rounds, Target, boost, boost_floats, compact};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "n_trees",
        aliases: &["n_estimators", "num_iterations", "num_boost_round", "iterations", "max_iter", "n_rounds"],
        default: Value::Int(0),
        range: Range::Int { low: 0, high: 20_000 },
        doc: "boosting rounds; 0: as many as the validation rows ask for",
    },
    ParamSpec {
        name: "max_trees",
        aliases: &[],
        default: Value::Int(1000),
        range: Range::Int { low: 1, high: 20_000 },
        doc: "most rounds when n_trees is 0",
    },
    ParamSpec {
        name: "patience",
        aliases: &["early_stopping_rounds", "n_iter_no_change"],
        default: Value::Int(50),
        range: Range::Int { low: 1, high: 20_000 },
        doc: "rounds without a better validation loss before boosting stops, when n_trees is 0",
    },
    ParamSpec {
        name: "round_tolerance",
        aliases: &[],
        default: Value::Real(0.005),
        range: Range::Real { low: 0.0, high: 0.5 },
        doc: "later rounds are kept only if they lower the validation loss by more than this share",
    },
    ParamSpec {
        name: "loss",
        aliases: &["objective", "loss_function"],
        default: Value::Word("auto"),
        range: Range::Words(LOSSES),
        doc: "what is minimised; auto: logistic or softmax for classes, absolute where the metric is mae or medae, else squared",
    },
    ParamSpec {
        name: "huber_share",
        aliases: &[],
        default: Value::Real(0.9),
        range: Range::Real { low: 0.01, high: 0.99 },
        doc: "loss huber: share of the rows whose error is squared",
    },
    ParamSpec {
        name: "quantile_level",
        aliases: &["quantile", "quantile_alpha"],
        default: Value::Real(0.5),
        range: Range::Real { low: 0.001, high: 0.999 },
        doc: "loss quantile: share of the rows that should lie below the prediction",
    },
    ParamSpec {
        name: "tweedie_power",
        aliases: &["tweedie_variance_power"],
        default: Value::Real(1.5),
        range: Range::Real { low: 1.01, high: 1.99 },
        doc: "loss tweedie: power of the mean that the variance follows",
    },
    ParamSpec {
        name: "focal_gamma",
        aliases: &[],
        default: Value::Real(2.0),
        range: Range::Real { low: 0.0, high: 10.0 },
        doc: "loss focal: how much less easy rows count",
    },
    ParamSpec {
        name: "learning_rate",
        aliases: &["eta", "shrinkage"],
        default: Value::Real(0.1),
        range: Range::Real { low: 1e-4, high: 1.0 },
        doc: "factor of each leaf",
    },
    ParamSpec {
        name: "growth",
        aliases: &["grow_policy"],
        default: Value::Word("leaf_wise"),
        range: Range::Words(&["leaf_wise", "symmetric"]),
        doc: "the leaf of largest gain is split next, or all leaves of a level by one test",
    },
    ParamSpec {
        name: "max_leaves",
        aliases: &["num_leaves", "max_leaf_nodes"],
        default: Value::Int(31),
        range: Range::Int { low: 2, high: 4096 },
        doc: "leaves of a tree; symmetric ones follow max_depth alone",
    },
    ParamSpec {
        name: "max_depth",
        aliases: &[],
        default: Value::Int(0),
        range: Range::Int { low: 0, high: 64 },
        doc: "splits on a path; 0: no limit, 6 for symmetric trees, which take at most 16",
    },
    ParamSpec {
        name: "min_leaf_rows",
        aliases: &["min_data_in_leaf", "min_child_samples", "min_samples_leaf"],
        default: Value::Int(20),
        range: Range::Int { low: 1, high: 1_000_000_000 },
        doc: "rows (weights) in a leaf",
    },
    ParamSpec {
        name: "min_leaf_hessian",
        aliases: &["min_sum_hessian_in_leaf", "min_child_weight"],
        default: Value::Real(1e-3),
        range: Range::Real { low: 0.0, high: 1e9 },
        doc: "sum of second derivatives in a leaf",
    },
    ParamSpec {
        name: "l1",
        aliases: &["lambda_l1", "reg_alpha", "alpha"],
        default: Value::Real(0.0),
        range: Range::Real { low: 0.0, high: 1e9 },
        doc: "taken off the size of the sum of gradients of a leaf",
    },
    ParamSpec {
        name: "l2",
        aliases: &["lambda_l2", "reg_lambda", "l2_regularization", "l2_leaf_reg"],
        default: Value::Real(1.0),
        range: Range::Real { low: 0.0, high: 1e9 },
        doc: "added to the sum of second derivatives of a leaf",
    },
    ParamSpec {
        name: "min_gain",
        aliases: &["min_gain_to_split", "min_split_gain", "gamma"],
        default: Value::Real(0.0),
        range: Range::Real { low: 0.0, high: 1e9 },
        doc: "least gain of a split",
    },
    ParamSpec {
        name: "row_share",
        aliases: &["bagging_fraction", "subsample", "sub_row", "bagging"],
        default: Value::Real(1.0),
        range: Range::Real { low: 1e-4, high: 1.0 },
        doc: "share of the rows that a round learns from, drawn anew without replacement",
    },
    ParamSpec {
        name: "gradient_share",
        aliases: &["mvs", "goss"],
        default: Value::Real(1.0),
        range: Range::Real { low: 1e-4, high: 1.0 },
        doc: "share of these rows that a round learns from, drawn by the size of their gradients and weighted",
    },
    ParamSpec {
        name: "column_share",
        aliases: &["feature_fraction", "colsample_bytree", "sub_feature", "rsm"],
        default: Value::Real(1.0),
        range: Range::Real { low: 1e-4, high: 1.0 },
        doc: "share of the columns that a round may ask, drawn anew",
    },
    ParamSpec {
        name: "column_share_by_split",
        aliases: &["feature_fraction_bynode", "colsample_bylevel", "colsample_bynode"],
        default: Value::Real(1.0),
        range: Range::Real { low: 1e-4, high: 1.0 },
        doc: "share of these columns that a split looks at, drawn anew; more while none of them parts the rows",
    },
    ParamSpec {
        name: "path_smoothing",
        aliases: &["path_smooth"],
        default: Value::Real(0.0),
        range: Range::Real { low: 0.0, high: 1e9 },
        doc: "rows at which a leaf's value is half its own and half its parent's",
    },
    ParamSpec {
        name: "feature_reuse",
        aliases: &["feature_penalty"],
        default: Value::Real(0.0),
        range: Range::Real { low: 0.0, high: 1.0 },
        doc: "cost of a column that the forest does not ask yet, as a share of its first gain",
    },
    ParamSpec {
        name: "threshold_reuse",
        aliases: &["threshold_penalty"],
        default: Value::Real(0.0),
        range: Range::Real { low: 0.0, high: 1.0 },
        doc: "cost of a threshold that the forest does not ask yet, as a share of its first gain",
    },
    ParamSpec {
        name: "max_step",
        aliases: &["max_delta_step"],
        default: Value::Real(0.0),
        range: Range::Real { low: 0.0, high: 1e9 },
        doc: "largest size of a leaf before the learning rate, of several targets in about their deviations; 0: no limit",
    },
    ParamSpec {
        name: "monotone",
        aliases: &["monotone_constraints", "monotonic_cst"],
        default: Value::Word(""),
        range: Range::Text,
        doc: "columns with which the score must rise or fall: COL:+;COL:-",
    },
    ParamSpec {
        name: "interactions",
        aliases: &["interaction_constraints", "interaction_cst"],
        default: Value::Word(""),
        range: Range::Text,
        doc: "sets of columns that may meet on a path, the others meet none: COL;COL|COL;COL",
    },
    ParamSpec {
        name: "max_bins",
        aliases: &["max_bin", "border_count"],
        default: Value::Int(254),
        range: Range::Int { low: 2, high: 254 },
        doc: "codes of a column, missing not counted",
    },
    ParamSpec {
        name: "leaf_bits",
        aliases: &[],
        default: Value::Int(8),
        range: Range::Int { low: 4, high: 16 },
        doc: "bits of a leaf",
    },
    ParamSpec {
        name: "class_trees",
        aliases: &[],
        default: Value::Word("vector"),
        range: Range::Words(&["vector", "one_per_class"]),
        doc: "several classes or targets: one tree a round with a value for each, or one tree for each",
    },
];

/// What a search changes.
const SPACE: &[Axis] = &[
    Axis { name: "learning_rate", scale: Scale::Log(0.01, 0.3) },
    Axis { name: "max_leaves", scale: Scale::Int(4, 256) },
    Axis { name: "min_leaf_rows", scale: Scale::Int(1, 64) },
    Axis { name: "column_share", scale: Scale::Even(0.4, 1.0) },
    Axis { name: "column_share_by_split", scale: Scale::Even(0.3, 1.0) },
    Axis { name: "row_share", scale: Scale::Even(0.5, 1.0) },
    Axis { name: "l1", scale: Scale::Log(1e-4, 10.0) },
    Axis { name: "l2", scale: Scale::Log(1e-3, 30.0) },
    Axis { name: "round_tolerance", scale: Scale::Log(1e-5, 0.01) },
    Axis { name: "path_smoothing", scale: Scale::Log(0.01, 30.0) },
];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "gbdt",
    doc: "gradient-boosted decision trees",
    tasks: &[Task::Binary, Task::Multiclass, Task::Regression, Task::MultiRegression, Task::Multilabel],
    specs: &[SPEC],
    space: SPACE,
    takes: Takes::CODES,
    floats_are_free: false,
    starts_from_scores: true,
    grows: Grows::Rounds,
    learner: &Gbdt,
};

const LOSSES: &[&str] = &[
    "auto", "logistic", "softmax", "focal", "squared", "absolute", "huber", "quantile", "poisson", "tweedie",
];

/// The loss of a name for a target.
fn loss(params: &Params, target: &Target<'_>, goal: Goal) -> Result<Loss, Error> {
    let word = params.word("loss");
    let is_number = target.is_of_numbers();
    let is_several = matches!(target, Target::Several(_));
    let loss = match word {
        "auto" if is_number && goal == Goal::Median => Loss::Absolute,
        "focal" if !is_number => Loss::Focal { gamma: params.real("focal_gamma") },
        "logistic" if matches!(target, Target::Binary(_)) || (is_several && !is_number) => Loss::Usual,
        "auto" => Loss::Usual,
        "softmax" if matches!(target, Target::Classes { .. }) => Loss::Usual,
        "squared" if is_number => Loss::Usual,
        "absolute" if is_number => Loss::Absolute,
        "huber" if is_number => Loss::Huber { share: params.real("huber_share") },
        "quantile" if is_number => Loss::Quantile { level: params.real("quantile_level") },
        "poisson" if is_number => Loss::Poisson,
        "tweedie" if is_number => Loss::Tweedie { power: params.real("tweedie_power") },
        _ => {
            let (task, fit) = match target {
                Target::Classes { .. } => ("several classes", "auto, softmax or focal"),
                _ if !is_number => ("two classes", "auto, logistic or focal"),
                _ => ("numbers", "auto, squared, absolute, huber, quantile, poisson or tweedie"),
            };
            return Err(Kind::UnfitLoss { learner: "gbdt", loss: word.to_owned(), task, fit }.into());
        }
    };
    Ok(loss)
}

struct Gbdt;

impl Learner for Gbdt {
    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error> {
        let int = |name: &str| u32::try_from(params.int(name)).unwrap_or(0);
        let rounds = match (int("n_trees"), input.rounds) {
            (0, Some([rounds, _])) => Rounds::Exactly(rounds.max(1)),
            (0, None) if input.rows.others.is_empty() => Rounds::Exactly(100),
            (0, None) => Rounds::Until { patience: int("patience"), most: int("max_trees") },
            (n, _) => Rounds::Exactly(n),
        };
        let target = input.target;
        let loss = loss(params, &target, input.goal)?;
        let boost_params = BoostParams {
            rounds,
            round_tolerance: params.real("round_tolerance"),
            loss,
            learning_rate: params.real("learning_rate"),
            symmetric: params.word("growth") == "symmetric",
            max_leaves: int("max_leaves") as usize,
            max_depth: int("max_depth") as usize,
            min_leaf_rows: f64::from(int("min_leaf_rows")),
            min_leaf_hessian: params.real("min_leaf_hessian"),
            l1: params.real("l1"),
            l2: params.real("l2"),
            row_share: params.real("row_share"),
            gradient_share: params.real("gradient_share"),
            column_share: params.real("column_share"),
            column_share_by_split: params.real("column_share_by_split"),
            path_smoothing: params.real("path_smoothing"),
            feature_reuse: params.real("feature_reuse"),
            threshold_reuse: params.real("threshold_reuse"),
            min_gain: params.real("min_gain"),
            max_step: params.real("max_step"),
            monotone: column_lists::directions(params.text("monotone"), input.names, "monotone")?,
            interactions: column_lists::sets(params.text("interactions"), input.names, "interactions")?,
            leaf_bits: int("leaf_bits"),
            one_tree_per_class: params.word("class_trees") == "one_per_class",
        };
        let kind = match target {
            Target::Classes { .. } => LinkKind::Softmax,
            Target::Binary(_) => LinkKind::Logistic,
            Target::Several(_) if !target.is_of_numbers() => LinkKind::Logistic,
            Target::Values(_) | Target::Several(_) if loss.is_log() => LinkKind::Exponential,
            Target::Values(_) | Target::Several(_) => LinkKind::Linear,
        };
        let FitInput { codes, row_weights: weights, rows, .. } = input;
        let offsets = input.offsets.map(|offsets| offsets.of("gbdt", kind)).transpose()?;
        let boost_input = BoostInput { codes, target, weights, offsets, rows };
        let boosted = boost(boost_input.clone(), &boost_params, seed, ctx)?;
        let link = ScoreLink { kind, shift: boosted.shift, offset: boosted.offset };
        let further =
            boosted.further.iter().map(|grid| ScoreLink { kind, shift: grid.shift, offset: grid.offset });
        let further = further.collect();
        let other_floats = match input.exact {
            Exactness::Integers => Vec::new(),
            Exactness::Floats => {
                // The integers may have used all the time that there is; then floats get as many rounds.
                let is_spent = ctx.budget.was_spent();
                let rounds = if is_spent { Rounds::Exactly(boosted.n_rounds) } else { rounds };
                let no_limit = Budget::work(*ctx.budget.clock(), 0);
                let ctx = Ctx { budget: &no_limit, progress: &Silent, ..*ctx };
                let params = BoostParams { rounds, ..boost_params };
                let scores = boost_floats(boost_input, &params, seed, &ctx)?;
                linked(kind, scores, target.n_outputs())
            }
        };
        let compact = compact(boosted.trees, boosted.initial_scores, input.encoders)?;
        Ok(Fitted {
            uses: compact.features.iter().map(|f| f.feature).collect(),
            part: Box::new(ScoredForest { compact }),
            onto: boosted.onto,
            other_scores: boosted.other_scores,
            other_floats,
            link,
            further,
            rounds: [boosted.n_rounds, 0],
        })
    }
}
