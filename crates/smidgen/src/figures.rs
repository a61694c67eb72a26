//! What a report needs of a fit beyond its scores: the table, more fits, the rows that went wrong.

use crate::Error;
use crate::fit::FitOptions;
use crate::float_side::{FloatSide, float_side};
use crate::shown::{Looked, Shown};
use crate::stability::{Perturbed, Stability};
use crate::start::Start;
use crate::table::Scorer;
use data::{ColumnProfile, ColumnSummary, Summaries, Table, Target, Value};
use evaluate::report::{ColumnLine, LearningPoint};
use ir::text::category_key_f64;
use ir::{ColumnKind, Model};
use jobs::{Ctx, Seed};
use learn::LearnerEntry;
use metrics::MetricEntry;
use params::Params;
use recipe::{Aim, FoldScore, Predictions, PrepareOptions, Prepared, ScoreMap, Truth, Validated};

/// Figures for a report.
#[derive(Clone, Debug)]
pub struct Figures {
    pub(crate) truth: Truth,
    pub(crate) predictions: Predictions,
    pub(crate) columns: Vec<ColumnLine>,
    /// What the written model shows on its training rows; scores are out of fold.
    pub shown: Shown,
    /// Scores by the number of training rows.
    pub learning: Vec<LearningPoint>,
    /// The scores of each part that was held back.
    pub folds: Vec<FoldScore>,
    /// Scores of the first part that was held back, a seed each.
    pub seed_scores: Vec<f64>,
    /// The score of the best constant prediction.
    pub(crate) constant: Option<f64>,
    /// What noise and missing cells change; `None` for a model that sees other rows.
    pub stability: Option<Stability>,
    /// The same recipe without rounding.
    pub floats: FloatSide,
}

/// What figures are made of.
pub(crate) struct Fitted<'a> {
    pub(crate) options: &'a FitOptions,
    pub(crate) learner: &'static LearnerEntry,
    pub(crate) params: &'a Params,
    /// The learner is the heaviest of several.
    pub(crate) is_ensemble: bool,
    /// Whether the member that is looked at is its learner alone: without a teacher, and added to nothing.
    pub(crate) is_plain: bool,
    pub(crate) metric: &'static MetricEntry,
    pub(crate) aim: Aim<'a>,
    pub(crate) table: &'a Table,
    pub(crate) target: &'a Target,
    pub(crate) start: Option<&'a Start>,
    pub(crate) prepare: &'a PrepareOptions<'a>,
    pub(crate) prepared: &'a Prepared<'a>,
    pub(crate) validated: &'a Validated,
    pub(crate) score_map: Option<&'a ScoreMap>,
    pub(crate) model: &'a Model,
    pub(crate) scorer: &'a Scorer<'a>,
    /// Seconds that preparing and the fit on all rows took.
    pub(crate) seconds_of_a_fit: f64,
}

/// Makes the figures; the learning curve, seeds and floats cost about five more fits and are left out where time is
/// spent.
///
/// # Errors
/// The written model cannot be run on its training table.
pub(crate) fn figures(fitted: &Fitted<'_>, ctx: &Ctx<'_>) -> Result<Figures, Error> {
    let Fitted { options, learner, params, aim, prepared, validated, .. } = *fitted;
    let seed = Seed(options.seed);
    let truth = prepared.truth.select(&validated.rows);
    let looked = Looked {
        model: fitted.model,
        scorer: fitted.scorer,
        metric: fitted.metric,
        seed,
        batches: fitted.table.batches(),
        rows: &validated.rows,
        truth: &truth,
        predictions: &validated.predictions,
    };
    let shown = Shown::of(&looked, ctx)?;
    let folds = recipe::fold_scores(prepared, validated, fitted.metric);
    let perturbed = perturbed(fitted, &shown)?;
    // Floats of one member say nothing of the others.
    let compared = perturbed.as_ref().filter(|_| !fitted.is_ensemble && fitted.is_plain);
    let changes = match &perturbed {
        Some(perturbed) => Some(perturbed.changes(&fitted.scorer.predict(&perturbed.batch, ctx)?)),
        None => None,
    };
    let floats = float_side(fitted, compared.zip(changes.as_ref()), &folds, ctx)?;
    let asked = (options.scheme, aim, seed);
    // Fits of the learner alone say nothing of others.
    let learning =
        fitted.is_plain.then(|| recipe::learning_curve(prepared, learner, params, asked, validated, ctx));
    let learning = learning.unwrap_or_default().into_iter().map(|p| LearningPoint {
        n_rows: p.n_rows,
        training: p.training,
        held_back: p.held_back,
    });
    let learning = learning.collect();
    let seed_scores =
        fitted.is_plain.then(|| recipe::seed_scores(prepared, learner, params, asked, validated, ctx));
    let seed_scores = seed_scores.unwrap_or_default();
    let constant = truth.score(&constant(&truth), fitted.metric).ok().flatten();
    Ok(Figures {
        shown,
        folds,
        seed_scores,
        stability: changes.map(|c| c.stability),
        floats,
        learning,
        columns: columns(fitted.table),
        predictions: validated.predictions.clone(),
        truth,
        constant,
    })
}

/// The first rows of the table, changed; `None` for a model that sees other rows.
fn perturbed(fitted: &Fitted<'_>, shown: &Shown) -> Result<Option<Perturbed>, Error> {
    let first = fitted.table.batches().first().filter(|_| !fitted.scorer.sees_other_rows());
    let Some(first) = first else { return Ok(None) };
    let names: Vec<&str> = shown.importance.iter().map(|i| i.column.as_str()).collect();
    let inputs = &fitted.model.signature().inputs;
    Perturbed::new(first, inputs, &names, Seed(fitted.options.seed)).map(Some)
}

/// The shares of the classes, or the mean, for every row.
fn constant(truth: &Truth) -> Predictions {
    match truth {
        Truth::Values(values) => {
            let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
            Predictions::Values(vec![mean; values.len()])
        }
        Truth::Classes { labels, n_classes, .. } => {
            let mut shares = vec![0.0; *n_classes];
            labels.iter().for_each(|&label| shares[label as usize] += 1.0 / labels.len() as f64);
            let most = (0..*n_classes).fold(0, |best, k| if shares[k] > shares[best] { k } else { best });
            Predictions::Classes {
                probabilities: shares.repeat(labels.len()),
                labels: vec![most as u32; labels.len()],
            }
        }
        Truth::Several(each) => Predictions::Several(each.iter().map(|one| constant(&one.truth)).collect()),
    }
}

/// What is in the columns of the training table, the target's included.
fn columns(table: &Table) -> Vec<ColumnLine> {
    let profile = table.profile();
    let mut summaries = Summaries::new(profile);
    table.batches().iter().for_each(|batch| summaries.see(batch));
    let n_rows = table.n_rows().max(1) as f64;
    let line = |(column, summary): (&ColumnProfile, ColumnSummary)| ColumnLine {
        name: column.name.clone(),
        kind: if column.raw { "target".to_owned() } else { column.kind.name().to_owned() },
        missing: column.n_missing as f64 / n_rows,
        spread: summary.spread.filter(|_| !column.raw).map_or(Vec::new(), |s| {
            let [low, middle, high] = &s.quartiles;
            [&s.min, low, middle, high, &s.max].map(value).to_vec()
        }),
        frequent: match column.kind {
            // A number that stands in one row of thousands says nothing.
            ColumnKind::Number if column.n_distinct > 20 => Vec::new(),
            _ => summary.frequent.into_iter().map(|(text, n)| (text, n as f64 / n_rows)).collect(),
        },
    };
    profile.columns.iter().zip(summaries.finish()).map(line).collect()
}

fn value(value: &Value) -> String {
    match value {
        Value::Int(n) => n.to_string(),
        Value::Float(x) => category_key_f64(*x),
        Value::Time(text) => text.clone(),
    }
}
