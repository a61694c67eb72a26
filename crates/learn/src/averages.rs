//! What the forests that average share: parameters with one meaning, and the fit.

use crate::scored_forest::ScoredForest;
use crate::{Error, Exactness, FitInput, Fitted, Part, ScoreLink, Unkept, Wants};
use ir::op::LinkKind;
use jobs::{Ctx, Seed};
use params::{ParamSpec, Params, Range, Value};
use trees::{AverageParams, Draw, Target, average, compact};

pub(crate) const N_TREES: ParamSpec = ParamSpec {
    name: "n_trees",
    aliases: &["n_estimators", "num_trees", "ntree"],
    default: Value::Int(100),
    range: Range::Int { low: 1, high: 20_000 },
    doc: "trees that are averaged",
};
pub(crate) const BOOTSTRAP: ParamSpec = ParamSpec {
    name: "bootstrap",
    aliases: &[],
    default: Value::Word("yes"),
    range: Range::Words(&["no", "yes"]),
    doc: "whether a tree draws as many rows as there are, with replacement, or sees each once",
};
pub(crate) const MAX_LEAVES: ParamSpec = ParamSpec {
    name: "max_leaves",
    aliases: &["max_leaf_nodes", "num_leaves"],
    default: Value::Int(0),
    range: Range::Int { low: 0, high: 1_000_000 },
    doc: "leaves of a tree; 0: no limit",
};
pub(crate) const MAX_DEPTH: ParamSpec = ParamSpec {
    name: "max_depth",
    aliases: &[],
    default: Value::Int(0),
    range: Range::Int { low: 0, high: 64 },
    doc: "splits on a path; 0: no limit",
};
pub(crate) const MIN_LEAF_ROWS: ParamSpec = ParamSpec {
    name: "min_leaf_rows",
    aliases: &["min_samples_leaf", "min_data_in_leaf", "nodesize"],
    default: Value::Int(1),
    range: Range::Int { low: 1, high: 1_000_000_000 },
    doc: "rows (weights) in a leaf",
};
pub(crate) const COLUMN_SHARE: ParamSpec = ParamSpec {
    name: "column_share",
    aliases: &["max_features", "feature_fraction_bynode", "colsample_bynode"],
    default: Value::Real(0.0),
    range: Range::Real { low: 0.0, high: 1.0 },
    doc: "share of the columns that a split looks at; 0: the square root of their number for classes, all for numbers",
};
pub(crate) const SMOOTHING: ParamSpec = ParamSpec {
    name: "smoothing",
    aliases: &[],
    default: Value::Real(0.0),
    range: Range::Real { low: 0.0, high: 1e9 },
    doc: "rows of the whole table's mean that are added to each leaf",
};
pub(crate) const MAX_BINS: ParamSpec = ParamSpec {
    name: "max_bins",
    aliases: &["max_bin"],
    default: Value::Int(254),
    range: Range::Int { low: 2, high: 254 },
    doc: "codes of a column, missing not counted",
};
pub(crate) const LEAF_BITS: ParamSpec = ParamSpec {
    name: "leaf_bits",
    aliases: &[],
    default: Value::Int(16),
    range: Range::Int { low: 4, high: 16 },
    doc: "bits of a leaf",
};

/// Fits many trees, each on its draw of rows and columns.
pub(crate) fn fit_many(
    input: FitInput<'_>,
    params: &Params,
    random_thresholds: bool,
    seed: Seed,
    ctx: &Ctx<'_>,
) -> Result<Fitted, Error> {
    let average = AverageParams {
        n_trees: u32::try_from(params.int("n_trees")).unwrap_or(1),
        draw: if params.word("bootstrap") == "yes" { Draw::Bootstrap } else { Draw::All },
        column_share: column_share(params, &input),
        random_thresholds,
        ..read(params)
    };
    fit(input, &average, seed, ctx)
}

/// Parameters that all of them have; the others are those of a single tree.
pub(crate) fn read(params: &Params) -> AverageParams {
    let int = |name: &str| u32::try_from(params.int(name)).unwrap_or(0);
    AverageParams {
        n_trees: 1,
        max_leaves: int("max_leaves") as usize,
        max_depth: int("max_depth") as usize,
        min_leaf_rows: f64::from(int("min_leaf_rows")),
        draw: Draw::All,
        column_share: 1.0,
        random_thresholds: false,
        smoothing: params.real("smoothing"),
        leaf_bits: int("leaf_bits"),
        with_floats: false,
        keeps_trees: true,
    }
}

/// The share of columns of a split; 0 is scikit-learn's choice for the task.
fn column_share(params: &Params, input: &FitInput<'_>) -> f64 {
    let share = params.real("column_share");
    match input.target {
        _ if share > 0.0 => share,
        Target::Values(_) => 1.0,
        Target::Binary(_) | Target::Classes { .. } | Target::Several(_) => {
            let n = input.encoders.len().max(1) as f64;
            // A little more, so that the product with the number of columns does not round down.
            (n.sqrt().floor() + 0.5) / n
        }
    }
}

/// Grows the trees and makes a part of them.
pub(crate) fn fit(
    input: FitInput<'_>,
    params: &AverageParams,
    seed: Seed,
    ctx: &Ctx<'_>,
) -> Result<Fitted, Error> {
    let target = input.target;
    let keeps_trees = input.wants == Wants::Model;
    let params =
        AverageParams { with_floats: input.exact == Exactness::Floats, keeps_trees, ..params.clone() };
    let grown = average(input.codes, &target, input.row_weights, input.rows, &params, seed, ctx)?;
    let kind = match target {
        Target::Binary(_) | Target::Classes { .. } => LinkKind::Share,
        Target::Values(_) | Target::Several(_) => LinkKind::Linear,
    };
    let link = ScoreLink { kind, shift: grown.shift, offset: grown.offset };
    let (uses, part): (Vec<usize>, Box<dyn Part>) = match input.wants {
        Wants::Scores => (Vec::new(), Box::new(Unkept)),
        Wants::Model => {
            let compact = compact(grown.trees, grown.initial_scores, input.encoders)?;
            (compact.features.iter().map(|f| f.feature).collect(), Box::new(ScoredForest { compact }))
        }
    };
    Ok(Fitted {
        uses,
        part,
        other_scores: grown.other_scores,
        other_floats: match target {
            Target::Binary(_) => grown.other_floats.into_iter().flat_map(|p| [1.0 - p, p]).collect(),
            Target::Classes { .. } | Target::Values(_) | Target::Several(_) => grown.other_floats,
        },
        onto: None,
        link,
        further: Vec::new(),
        rounds: [0; 2],
    })
}
