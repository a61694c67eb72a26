//! What a page shows of a written model on rows whose target is known: how sure its score is, what columns are worth,
//! how predictions follow them, and the rows that went wrong.

use crate::reasons::with_columns;
use crate::table::Scorer;
use crate::{Error, Nature};
use arrow_array::RecordBatch;
use evaluate::explain::{
    Dependence, Importance, Kind, Permutations, Sample, ScoreTable, dependence, importances, score_tables,
    spelled,
};
use evaluate::number::short;
use evaluate::report::{WorstRow, WorstRows};
use evaluate::score_interval;
use ir::{Column, Model, Tensor};
use jobs::{Ctx, Seed};
use metrics::MetricEntry;
use recipe::{Predictions, Truth};

/// Rows that are shown as the worst.
const WORST: usize = 10;
/// Columns of them that are shown.
const WORST_COLUMNS: usize = 8;
/// Columns along which predictions are followed.
const MOST_SHAPES: usize = 6;
/// Rows over which tables are centred.
const TABLE_ROWS: usize = 4096;

/// A model and rows of a table.
pub(crate) struct Looked<'a> {
    pub(crate) model: &'a Model,
    pub(crate) scorer: &'a Scorer<'a>,
    pub(crate) metric: &'static MetricEntry,
    pub(crate) seed: Seed,
    /// The table.
    pub(crate) batches: &'a [RecordBatch],
    /// Its rows that have a target, rising.
    pub(crate) rows: &'a [u32],
    /// Their targets.
    pub(crate) truth: &'a Truth,
    /// What is predicted for them.
    pub(crate) predictions: &'a Predictions,
}

/// What a page shows of a model.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The 95 % interval of the score.
    pub interval: Option<[f64; 2]>,
    /// What the worth of columns is told in: the Brier score for classes, else the metric.
    pub worth_metric: &'static str,
    /// What columns are worth, most first, in the metric [`Shown::worth_metric`]: on the first rows.
    pub importance: Vec<Importance>,
    /// How predictions follow the most important columns.
    pub dependence: Vec<Dependence>,
    /// The tables that an additive model adds up, the most important first; none of other models.
    pub tables: Vec<ScoreTable>,
    /// Why there is no explanation, if the model is one that cannot be explained.
    pub(crate) not_explained: Option<String>,
    pub(crate) worst: WorstRows,
}

impl Shown {
    /// What is known of a model whose columns are not looked at.
    pub(crate) fn of_rows(interval: Option<[f64; 2]>, worst: WorstRows) -> Shown {
        Shown {
            interval,
            worth_metric: "",
            importance: Vec::new(),
            dependence: Vec::new(),
            tables: Vec::new(),
            not_explained: None,
            worst,
        }
    }

    /// Looks at a model. One that sees other rows is not explained: its rows cannot be taken apart.
    ///
    /// # Errors
    /// The model cannot be run on the rows.
    pub(crate) fn of(looked: &Looked<'_>, ctx: &Ctx<'_>) -> Result<Shown, Error> {
        let interval = looked.truth.observe(looked.predictions, |observed| {
            score_interval(observed, looked.metric, looked.seed, ctx.threads)
        })??;
        let first = looked.batches.first().filter(|_| !looked.scorer.sees_other_rows());
        ctx.progress.stage("explaining", None);
        let mut shown = Shown {
            interval,
            worth_metric: worth_metric(looked.metric).name,
            importance: Vec::new(),
            dependence: Vec::new(),
            tables: Vec::new(),
            not_explained: None,
            worst: WorstRows::default(),
        };
        match first.map_or(Ok(Vec::new()), |first| importance(looked, first, ctx)) {
            Ok(importance) => shown.importance = importance,
            Err(e) if e.nature() == Nature::Unsupported => shown.not_explained = Some(e.to_string()),
            Err(e) => return Err(e),
        }
        shown.worst = worst(looked, &shown.importance)?;
        let Some(first) = first.filter(|_| shown.not_explained.is_none()) else { return Ok(shown) };
        let (model, signature) = (looked.model, looked.model.signature());
        let named = shown.importance.iter().filter(|i| i.permutation > 0.0).map(|i| &i.column);
        let places: Vec<usize> =
            named.filter_map(|name| signature.inputs.iter().position(|input| input.name == *name)).collect();
        let followed = |columns: &[Column<'_>]| follow(looked, columns, &places, ctx);
        shown.dependence = with_columns(signature, looked.scorer, first, followed)?;
        let some = first.slice(0, first.num_rows().min(TABLE_ROWS));
        shown.tables =
            with_columns(signature, looked.scorer, &some, |columns| Ok(score_tables(model, columns)?))?;
        Ok(shown)
    }
}

/// Predictions along the first of these columns that have a grid: texts have none.
fn follow(
    looked: &Looked<'_>,
    columns: &[Column<'_>],
    places: &[usize],
    ctx: &Ctx<'_>,
) -> Result<Vec<Dependence>, Error> {
    let mut made = Vec::new();
    for &place in places {
        match dependence(looked.model, looked.scorer.plan(), columns, place, ctx.threads) {
            Ok(shape) => made.push(shape),
            Err(e) if matches!(e.kind(), Kind::NoGrid { .. }) => {}
            Err(e) => return Err(e.into()),
        }
        if made.len() == MOST_SHAPES {
            break;
        }
    }
    Ok(made)
}

/// Predictions that are made to find out what columns are worth, and the rows that they are made for.
const SHUFFLED: usize = 1_000_000;
const SHUFFLED_ROWS: std::ops::RangeInclusive<usize> = 100..=2000;
const SHUFFLES: usize = 3;

/// What columns are worth is told in this metric: one of probabilities, because ranks and labels of rows that a model
/// has learnt from hardly change, and one without logarithms, because a forest may say 0.
fn worth_metric(metric: &'static MetricEntry) -> &'static MetricEntry {
    let of_classes = |m: &&&MetricEntry| m.name == "brier" && !metric.applies_to(metrics::Task::Regression);
    metrics::METRICS.iter().find(of_classes).copied().unwrap_or(metric)
}

/// What the columns are worth on the first rows that have a target; fewer rows of wide tables.
fn importance(looked: &Looked<'_>, batch: &RecordBatch, ctx: &Ctx<'_>) -> Result<Vec<Importance>, Error> {
    let signature = looked.model.signature();
    let n_inputs = signature.inputs.len().max(1);
    let most = (SHUFFLED / (n_inputs * SHUFFLES)).clamp(*SHUFFLED_ROWS.start(), *SHUFFLED_ROWS.end());
    let batch = batch.slice(0, batch.num_rows().min(most));
    let rows: Vec<u32> =
        looked.rows.iter().copied().take_while(|&row| (row as usize) < batch.num_rows()).collect();
    if rows.is_empty() || signature.inputs.is_empty() {
        return Ok(Vec::new());
    }
    let truth = looked.truth.select(&(0..rows.len() as u32).collect::<Vec<u32>>());
    let metric = worth_metric(looked.metric);
    let score = |outputs: &[Tensor]| -> Result<f64, Error> {
        let predictions = Predictions::from_outputs(outputs, signature)
            .ok_or_else(|| Error::bug("report: the outputs are not those of the signature"))?;
        let score = truth.score(&predictions.select(&rows), metric)?.unwrap_or(0.0);
        Ok(if metric.greater_is_better { score } else { -score })
    };
    with_columns(signature, looked.scorer, &batch, |columns| {
        let permutations = Permutations { repeats: SHUFFLES, seed: looked.seed };
        let sample = Sample { model: looked.model, plan: looked.scorer.plan(), columns, permutations };
        importances(&sample, ctx.threads, score)
    })
}

/// A row that was predicted badly.
pub(crate) struct Wrong {
    /// Its place among the rows.
    pub(crate) row: usize,
    pub(crate) truth: String,
    pub(crate) predicted: String,
    /// The probability of the true class, or the distance.
    pub(crate) how_wrong: String,
}

/// The rows whose true class was least probable, or whose error was largest, ties in their order.
pub(crate) fn how_wrong(truth: &Truth, predictions: &Predictions, classes: &[String]) -> Vec<Wrong> {
    let name = |class: u32| classes.get(class as usize).cloned().unwrap_or_default();
    let sizes: Vec<f64> = match (truth, predictions) {
        (Truth::Values(values), Predictions::Values(predicted)) => {
            values.iter().zip(predicted).map(|(t, p)| (t - p).abs()).collect()
        }
        (Truth::Classes { labels, n_classes, .. }, Predictions::Classes { probabilities, .. }) => {
            let rows = labels.iter().zip(probabilities.chunks_exact(*n_classes));
            rows.map(|(&t, row)| 1.0 - row[t as usize]).collect()
        }
        _ => Vec::new(),
    };
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|&a, &b| sizes[b].total_cmp(&sizes[a]).then(a.cmp(&b)));
    order.truncate(WORST);
    let told = |row: usize| match (truth, predictions) {
        (Truth::Classes { labels, .. }, Predictions::Classes { labels: predicted, .. }) => Wrong {
            row,
            truth: name(labels[row]),
            predicted: name(predicted[row]),
            how_wrong: format!("{:.2} %", 100.0 * (1.0 - sizes[row])),
        },
        (Truth::Values(values), Predictions::Values(predicted)) => {
            let (t, p) = (values[row], predicted[row]);
            Wrong { row, truth: short(t), predicted: short(p), how_wrong: short(t - p) }
        }
        _ => Wrong { row, truth: String::new(), predicted: String::new(), how_wrong: String::new() },
    };
    order.into_iter().map(told).collect()
}

/// The worst rows with the cells of the most important columns.
///
/// # Errors
/// Rows of the table do not fit the model.
fn worst(looked: &Looked<'_>, importance: &[Importance]) -> Result<WorstRows, Error> {
    let signature = looked.model.signature();
    let mut columns: Vec<usize> = importance
        .iter()
        .filter_map(|i| signature.inputs.iter().position(|input| input.name == i.column))
        .chain(0..signature.inputs.len() * usize::from(importance.is_empty()))
        .collect();
    columns.truncate(WORST_COLUMNS);
    let told = how_wrong(looked.truth, looked.predictions, &signature.classes);
    let row = |wrong: Wrong| -> Result<WorstRow, Error> {
        let Wrong { row, truth, predicted, how_wrong } = wrong;
        let row = looked.rows[row] as usize;
        Ok(WorstRow { number: row + 1, truth, predicted, how_wrong, cells: cells(looked, &columns, row)? })
    };
    Ok(WorstRows {
        columns: columns.iter().map(|&at| signature.inputs[at].name.clone()).collect(),
        rows: told.into_iter().map(row).collect::<Result<_, _>>()?,
    })
}

/// The cells of a row of the table at these inputs of the model; empty where one is missing.
fn cells(looked: &Looked<'_>, inputs: &[usize], mut row: usize) -> Result<Vec<String>, Error> {
    let signature = looked.model.signature();
    for batch in looked.batches {
        if row < batch.num_rows() {
            return with_columns(signature, looked.scorer, &batch.slice(row, 1), |columns| {
                let cell = |&at: &usize| spelled(columns.get(at)?, signature.inputs.get(at)?, 0);
                Ok(inputs.iter().map(|at| cell(at).unwrap_or_default()).collect())
            });
        }
        row -= batch.num_rows();
    }
    Ok(Vec::new())
}
