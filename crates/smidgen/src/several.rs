//! Several targets: what is refused beside them, and the figures of all as one.
//!
//! A model of several targets is evaluated as one model a target, of the same nodes: so each has its own rows with a value,
//! classes and metrics, and nothing that looks at a model knows of several.

use crate::Error;
use crate::drift::Sample;
use crate::evaluate::{Asked, Evaluated, OnRows, evaluate_rows, report};
use crate::fit::{FitOptions, Refit};
use crate::joined::rows_of_second;
use crate::table::{Scorer, batches_for, is_exact, rows_for};
use crate::timing::measure;
use ::evaluate::score_interval;
use data::{NamedTarget, Source, Target, TargetValues};
use ir::{Model, TargetColumn, Task};
use jobs::Ctx;
use metrics::{MetricEntry, Observed};
use recipe::{Predictions, Truth, Warning};

/// How a model does on one of several targets.
#[derive(Clone, Debug)]
pub struct TargetFigures {
    /// Name of the target.
    pub name: String,
    /// Its figures.
    pub figures: Evaluated,
}

/// The metric that several targets are scored by unless one is named: of numbers one without a unit, whose mean over targets
/// says something; else that of one target.
pub(crate) fn default_metric(task: Task) -> &'static MetricEntry {
    let of_one = metrics::default_metric(crate::evaluate::metric_task(task));
    match task {
        Task::MultiRegression => metrics::METRICS.iter().find(|m| m.name == "r2").copied().unwrap_or(of_one),
        _ => of_one,
    }
}

/// Refuses targets that are named twice, and options of one target beside several.
///
/// # Errors
/// The first of them.
pub(crate) fn refuse_of_one(options: &FitOptions) -> Result<(), Error> {
    let names = &options.targets;
    if let Some((_, name)) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        return Err(Error::input(format!("--target {name}: it is named twice; name each target once")));
    }
    if names.is_empty() {
        return Err(Error::input("--target: expected the name of a column, got none"));
    }
    if names.len() < 2 {
        return Ok(());
    }
    let refused = [
        (options.from.is_some(), "--from", "a fit of several targets begins anew"),
        (options.teacher.is_some(), "--teacher", "a teacher says something of one target"),
        (options.costs.is_some(), "--costs", "mistakes cost something in one target"),
        (
            options.positive.is_some(),
            "--positive",
            "it does not say of which target; the last class is positive",
        ),
        (options.figures, "--report", "a page shows one target; evaluate prints a row for each"),
        (options.refit == Refit::Folds, "--refit folds", "fits are averaged where there is one target"),
    ];
    match refused.iter().find(|(is_given, ..)| *is_given) {
        Some((_, flag, why)) => Err(Error::unsupported(format!(
            "{flag}: {} targets are given: {why}; leave it out, or fit a model of each target",
            names.len()
        ))),
        None => Ok(()),
    }
}

/// Several targets as a signature says them; none of one.
pub(crate) fn columns(target: &Target) -> Vec<TargetColumn> {
    let TargetValues::Several(each) = &target.values else { return Vec::new() };
    let column = |one: &NamedTarget| TargetColumn {
        name: one.name.clone(),
        classes: one.target.classes.clone(),
        positive: one.target.positive,
    };
    each.iter().map(column).collect()
}

/// What is said of rows in which some of the targets are not known.
pub(crate) fn warnings(target: &Target) -> Vec<Warning> {
    let TargetValues::Several(each) = &target.values else { return Vec::new() };
    let missing = |one: &NamedTarget| {
        let n = target.kept_rows.len() - one.target.kept_rows.len();
        let text = format!("{n} rows have no value of this target: they teach the others alone");
        (n > 0).then(|| Warning::column("missing_target", &one.name, text))
    };
    each.iter().filter_map(missing).collect()
}

/// The figures of rows that several targets are known of.
///
/// # Errors
/// Truth and predictions do not fit together.
pub(crate) fn reported(
    (truth, predictions): (&Truth, &Predictions),
    columns: &[TargetColumn],
    task: Task,
    metric: &'static MetricEntry,
) -> Result<Evaluated, Error> {
    let (Truth::Several(each), Predictions::Several(of_each)) = (truth, predictions) else {
        return Err(Error::bug("evaluate: several targets, and predictions of one"));
    };
    let mut all = Vec::with_capacity(each.len());
    for ((one, predictions), column) in each.iter().zip(of_each).zip(columns) {
        let (truth, predictions) = one.known_with(predictions);
        let figures = report(&truth, &predictions, metric, |partial| Evaluated {
            task: task.of_each(),
            classes: column.classes.clone(),
            positive: column.positive.and_then(|at| column.classes.get(at as usize)).cloned(),
            ..partial
        })?;
        all.push(TargetFigures { name: one.name.clone(), figures });
    }
    let of_all = mean(all, task, metric);
    Ok(Evaluated { n_rows: truth.n_rows(), ..of_all })
}

/// Evaluates a model of several targets on a table: each target on the rows that have a value of it. Beside it some of the
/// rows, where they are asked for.
///
/// # Errors
/// As of a model of one target.
pub(crate) fn evaluate_targets(
    model: &Model,
    bytes: u64,
    source: &Source,
    asked: Asked<'_>,
    ctx: &Ctx<'_>,
) -> Result<(Evaluated, Option<Sample>), Error> {
    let signature = model.signature();
    let (mut all, mut sample) = (Vec::with_capacity(signature.targets.len()), None);
    for (k, column) in signature.targets.iter().enumerate() {
        let asked = Asked { sampled: asked.sampled && k == 0, ..asked };
        let one = model.of_target(k)?;
        let OnRows { mut evaluated, truth, predictions, sample: own, .. } =
            evaluate_rows(&one, bytes, source, asked, ctx)?;
        let interval = |observed: &Observed<'_>| {
            score_interval(observed, asked.metric, crate::compare::SEED, ctx.threads)
        };
        evaluated.interval = truth.observe(&predictions, interval)??;
        sample = sample.or(own);
        all.push(TargetFigures { name: column.name.clone(), figures: evaluated });
    }
    let scorer = Scorer::new(model, rows_of_second(model, asked.join, asked.encoding)?)?;
    let rows = rows_for(source, signature, &[], asked.encoding)?;
    let first = batches_for(&scorer, rows, source.name())?.next().transpose()?;
    let speed = first.map(|batch| measure(&scorer, &batch)).transpose()?;
    let mut warnings: Vec<Warning> = Vec::new();
    for warning in all.iter().flat_map(|one| &one.figures.warnings) {
        if !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }
    let of_all = mean(all, signature.task, asked.metric);
    let counts = Some(scorer.plan().counts());
    Ok((Evaluated { bytes, speed, counts, exact: is_exact(model), warnings, ..of_all }, sample))
}

/// The means of what targets have in common: their scores, and metrics that are defined for all of them. The rows are the
/// most that one of them is known in.
fn mean(each: Vec<TargetFigures>, task: Task, metric: &'static MetricEntry) -> Evaluated {
    let n = each.len().max(1) as f64;
    let mean = |of: &dyn Fn(&Evaluated) -> Option<f64>| {
        let known: Option<Vec<f64>> = each.iter().map(|one| of(&one.figures)).collect();
        known.filter(|known| !known.is_empty()).map(|known| known.iter().sum::<f64>() / n)
    };
    let named = |figures: &Evaluated, name: &str| {
        figures.metrics.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    };
    let names = each.first().map_or(Vec::new(), |first| first.figures.metrics.clone());
    let metrics = names.into_iter().filter_map(|(name, _)| Some((name, mean(&|of| named(of, name))?)));
    let metrics = metrics.collect();
    let score = mean(&|of| of.score);
    let n_rows = each.iter().map(|one| one.figures.n_rows).max().unwrap_or(0);
    Evaluated { targets: each, ..Evaluated::of(task, metric, (score, n_rows, metrics)) }
}
