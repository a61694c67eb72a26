//! What a report needs of a fit beyond its scores: the table, more fits, the rows that went wrong.

use crate::fit::FitOptions;
use crate::reasons::with_columns;
use crate::stability::{Stability, stability};
use crate::table::{Scorer, select};
use crate::{Error, Nature};
use arrow_array::RecordBatch;
use data::{ColumnProfile, ColumnSummary, Summaries, Table, Target, Value};
use evaluate::explain::{Importance, Permutations, Sample, importances, spelled};
use evaluate::number::short;
use evaluate::report::{ColumnLine, LearningPoint, WorstRow, WorstRows};
use evaluate::score_interval;
use ir::text::category_key_f64;
use ir::{ColumnKind, Model, Tensor};
use jobs::{Ctx, Seed};
use learn::LearnerEntry;
use metrics::MetricEntry;
use params::Params;
use recipe::{Aim, Predictions, Prepared, Truth, Validated};

/// Rows that are shown as the worst.
const WORST: usize = 10;
/// Columns of them that are shown.
const WORST_COLUMNS: usize = 8;

/// Figures for a report.
#[derive(Clone, Debug)]
pub struct Figures {
    pub(crate) truth: Truth,
    pub(crate) predictions: Predictions,
    pub(crate) columns: Vec<ColumnLine>,
    /// Scores by the number of training rows.
    pub learning: Vec<LearningPoint>,
    /// The score of each part that was held back.
    pub fold_scores: Vec<f64>,
    pub(crate) worst: WorstRows,
    /// The score of the best constant prediction.
    pub(crate) constant: Option<f64>,
    /// What columns are worth, most first: on the first training rows.
    pub importance: Vec<Importance>,
    /// Why there is none, if the model is one that cannot be explained.
    pub(crate) not_explained: Option<String>,
    /// The 95 % interval of the out-of-fold score.
    pub interval: Option<[f64; 2]>,
    /// What noise and missing cells change; `None` for a model that sees other rows.
    pub stability: Option<Stability>,
}

/// What figures are made of.
pub(crate) struct Fitted<'a> {
    pub(crate) options: &'a FitOptions,
    pub(crate) learner: &'static LearnerEntry,
    pub(crate) params: &'a Params,
    pub(crate) metric: &'static MetricEntry,
    pub(crate) aim: Aim<'a>,
    pub(crate) table: &'a Table,
    pub(crate) target: &'a Target,
    pub(crate) prepared: &'a Prepared<'a>,
    pub(crate) validated: &'a Validated,
    pub(crate) model: &'a Model,
    pub(crate) scorer: &'a Scorer<'a>,
}

/// Makes the figures; the learning curve costs about two more fits and is left out where time is spent.
///
/// # Errors
/// The written model cannot be run on its training table.
pub(crate) fn figures(fitted: &Fitted<'_>, ctx: &Ctx<'_>) -> Result<Figures, Error> {
    let Fitted { options, learner, params, aim, prepared, validated, .. } = *fitted;
    let seed = Seed(options.seed);
    let asked = (options.scheme, aim, seed);
    let learning = recipe::learning_curve(prepared, learner, params, asked, validated, ctx);
    let learning = learning.into_iter().map(|p| LearningPoint {
        n_rows: p.n_rows,
        training: p.training,
        held_back: p.held_back,
    });
    let truth = prepared.truth.select(&validated.rows);
    let constant = truth.score(&constant(&truth), fitted.metric).ok().flatten();
    let first = fitted.table.batches().first().filter(|_| !fitted.scorer.sees_other_rows());
    let interval = truth.observe(&validated.predictions, |observed| {
        score_interval(observed, fitted.metric, seed, ctx.threads)
    })??;
    ctx.progress.stage("explaining", None);
    let (importance, not_explained) =
        match first.map_or(Ok(Vec::new()), |batch| importance(fitted, batch, ctx)) {
            Ok(importance) => (importance, None),
            Err(e) if e.nature() == Nature::Unsupported => (Vec::new(), Some(e.to_string())),
            Err(e) => return Err(e),
        };
    Ok(Figures {
        fold_scores: recipe::fold_scores(prepared, validated, fitted.metric),
        importance,
        not_explained,
        interval,
        stability: first.map(|batch| stability(fitted.scorer, batch, seed, ctx)).transpose()?,
        learning: learning.collect(),
        columns: columns(fitted.table),
        worst: worst(fitted, &truth)?,
        predictions: validated.predictions.clone(),
        truth,
        constant,
    })
}

/// Predictions that are made to find out what columns are worth, and the rows that they are made for.
const SHUFFLED: usize = 1_000_000;
const SHUFFLED_ROWS: std::ops::RangeInclusive<usize> = 100..=2000;
const SHUFFLES: usize = 3;

/// What the columns are worth on the first training rows that have a target; fewer rows of wide tables.
fn importance(fitted: &Fitted<'_>, batch: &RecordBatch, ctx: &Ctx<'_>) -> Result<Vec<Importance>, Error> {
    let signature = fitted.model.signature();
    let n_inputs = signature.inputs.len().max(1);
    let most = (SHUFFLED / (n_inputs * SHUFFLES)).clamp(*SHUFFLED_ROWS.start(), *SHUFFLED_ROWS.end());
    let batch = batch.slice(0, batch.num_rows().min(most));
    let rows: Vec<u32> =
        fitted.prepared.rows.iter().copied().take_while(|&row| (row as usize) < batch.num_rows()).collect();
    if rows.is_empty() || signature.inputs.is_empty() {
        return Ok(Vec::new());
    }
    let truth = fitted.prepared.truth.select(&rows);
    let metric = fitted.metric;
    let score = |outputs: &[Tensor]| -> Result<f64, Error> {
        let predictions = Predictions::from_outputs(outputs, signature)
            .ok_or_else(|| Error::bug("report: the outputs are not those of the signature"))?;
        let score = truth.score(&select(predictions, &rows, signature.classes.len()), metric)?.unwrap_or(0.0);
        Ok(if metric.greater_is_better { score } else { -score })
    };
    with_columns(signature, fitted.scorer, &batch, |columns| {
        let permutations = Permutations { repeats: SHUFFLES, seed: Seed(fitted.options.seed) };
        let sample = Sample { model: fitted.model, plan: fitted.scorer.plan(), columns, permutations };
        importances(&sample, ctx.threads, score)
    })
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

/// The rows whose true class was least probable, or whose error was largest; ties in the order of the table.
///
/// # Errors
/// Rows of the table do not fit the model that was made of it.
fn worst(fitted: &Fitted<'_>, truth: &Truth) -> Result<WorstRows, Error> {
    let rows = &fitted.validated.rows;
    let classes = &fitted.target.classes;
    let told: Vec<(f64, String, String, String)> = match (truth, &fitted.validated.predictions) {
        (Truth::Values(values), Predictions::Values(predicted)) => {
            let told = values.iter().zip(predicted);
            told.map(|(t, p)| ((t - p).abs(), short(*t), short(*p), short(t - p))).collect()
        }
        (
            Truth::Classes { labels, n_classes, .. },
            Predictions::Classes { probabilities, labels: predicted },
        ) => {
            let name = |class: u32| classes.get(class as usize).cloned().unwrap_or_default();
            let told = labels.iter().zip(predicted).zip(probabilities.chunks_exact(*n_classes));
            told.map(|((&t, &p), row)| {
                let of_truth = row[t as usize];
                (1.0 - of_truth, name(t), name(p), format!("{:.2} %", 100.0 * of_truth))
            })
            .collect()
        }
        _ => Vec::new(),
    };
    let mut order: Vec<usize> = (0..told.len()).collect();
    order.sort_by(|&a, &b| told[b].0.total_cmp(&told[a].0).then(a.cmp(&b)));
    let row = |&at: &usize| -> Result<WorstRow, Error> {
        let (_, truth, predicted, how_wrong) = told[at].clone();
        let row = rows[at] as usize;
        Ok(WorstRow { number: row + 1, truth, predicted, how_wrong, cells: cells(fitted, row)? })
    };
    let inputs = &fitted.model.signature().inputs;
    Ok(WorstRows {
        columns: inputs.iter().map(|input| input.name.clone()).take(WORST_COLUMNS).collect(),
        rows: order.iter().take(WORST).map(row).collect::<Result<_, _>>()?,
    })
}

/// The first cells of a row of the table, in the order of the model's inputs; empty where one is missing.
fn cells(fitted: &Fitted<'_>, mut row: usize) -> Result<Vec<String>, Error> {
    let signature = fitted.model.signature();
    for batch in fitted.table.batches() {
        if row < batch.num_rows() {
            return with_columns(signature, fitted.scorer, &batch.slice(row, 1), |columns| {
                let cell = |(column, input)| spelled(column, input, 0).unwrap_or_default();
                Ok(columns.iter().zip(&signature.inputs).take(WORST_COLUMNS).map(cell).collect())
            });
        }
        row -= batch.num_rows();
    }
    Ok(Vec::new())
}
