//! `evaluate`: models against rows whose target is known.

use crate::Error;
use crate::compare::{self, Evaluation};
use crate::drift::Sample;
use crate::evaluation_report::EvaluationFigures;
use crate::joined::rows_of_second;
use crate::model_file::{for_table, load};
use crate::network::evaluate::evaluate_networks;
use crate::network::{NetworkOptions, is_network};
use crate::several::{TargetFigures, default_metric, evaluate_targets};
use crate::shown::{Looked, Shown};
use crate::table::{Scorer, batch_truth, batches_for, is_exact, rows_for};
use crate::timing::{Speed, measure};
use ::evaluate::score_interval;
use arrow_array::RecordBatch;
use data::{Encoding, Source};
use ir::{Model, Task};
use jobs::Ctx;
use metrics::{Averages, ClassRow, Confusion, MetricEntry, Observed};
use recipe::{Predictions, Truth, Warning};
use runtime::cost::RowCounts;
use std::path::{Path, PathBuf};

/// What is evaluated.
#[derive(Clone, Debug, Default)]
pub struct EvaluateOptions {
    /// The model files, at least one; several must answer the same question.
    pub models: Vec<PathBuf>,
    /// The table: a path, or `-`.
    pub data: String,
    /// Column of the target; the model's own if `None`.
    pub target: Option<String>,
    /// The metric that is `score`; the task's default if `None`.
    pub metric: Option<String>,
    /// Cells that mean missing, beside those of training.
    pub missing: Vec<String>,
    /// How the bytes of the table spell text.
    pub encoding: Encoding,
    /// Leave out rows of classes that training had not seen, instead of refusing the table.
    pub drop_unseen: bool,
    /// The second table, instead of that of the fit.
    pub join: Option<PathBuf>,
    /// How pixels become what networks take, and where classes are.
    pub network: NetworkOptions,
    /// Make the figures of a report on the first model; then the whole table is held in memory.
    pub figures: bool,
}

/// How a model does on a table.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The question.
    pub task: Task,
    /// Name of the metric that is `score`.
    pub metric: &'static str,
    /// True when more is better.
    pub greater_is_better: bool,
    /// The metric; `None` where it is not defined on these rows.
    pub score: Option<f64>,
    /// Where the score would lie on other rows of the same kind, in 95 of 100 cases; `None` where that is not known,
    /// and of what [`fit`](crate::fit()) reports.
    pub interval: Option<[f64; 2]>,
    /// Lower is better: `1 - score` where more is better, else the score.
    pub error: Option<f64>,
    /// Rows with a target.
    pub n_rows: usize,
    /// Every metric of the task that is defined on these rows.
    pub metrics: Vec<(&'static str, f64)>,
    /// Rows true, columns predicted, in class order; empty for regression.
    pub confusion: Vec<Vec<u64>>,
    /// Precision, recall, F1 and support of each class.
    pub class_table: Vec<ClassRow>,
    /// Precision, recall and F1 over all classes; `None` for regression.
    pub averages: Option<Averages>,
    /// Classes in class order.
    pub classes: Vec<String>,
    /// The positive class.
    pub positive: Option<String>,
    /// Length of the model file.
    pub bytes: u64,
    /// Times on this machine.
    pub speed: Option<Speed>,
    /// The operations of a row; `None` of networks, and of what [`fit`](crate::fit()) reports.
    pub counts: Option<RowCounts>,
    /// True when every output comes from integers alone.
    pub exact: bool,
    /// What a person should know.
    pub warnings: Vec<Warning>,
    /// Of several targets each by itself, the figures above are means then; empty of one.
    pub targets: Vec<TargetFigures>,
}

/// Evaluates model files on a table, and compares each two of them.
///
/// # Errors
/// A model or the table cannot be read, a column is missing, a class was not seen in training; of several models: their
/// tasks, classes or rows differ.
pub fn evaluate(options: &EvaluateOptions, ctx: &Ctx<'_>) -> Result<Evaluation, Error> {
    if options.models.iter().any(|path| is_network(path)) {
        if let Some(other) = options.models.iter().find(|path| !is_network(path)) {
            return Err(Error::unsupported(format!(
                "{}: models of tables and networks are not compared; evaluate them one by one",
                other.display()
            )));
        }
        return evaluate_networks(options, ctx);
    }
    let mut models = Vec::with_capacity(options.models.len());
    for path in &options.models {
        let (model, bytes) = load(path)?;
        models.push((path.as_path(), for_table(model, options.target.as_deref(), &options.missing)?, bytes));
    }
    let Some(((first_path, first, _), others)) = models.split_first() else {
        return Err(Error::input("evaluate: expected at least one model, got none"));
    };
    for (path, model, _) in others {
        compare::same_question([first_path, path], [first.signature(), model.signature()])?;
    }
    let metric = match &options.metric {
        Some(name) => metrics::metric(name)?,
        None => default_metric(first.signature().task),
    };
    let source = Source::parse(&options.data)?;
    refuse_several(options, &models)?;
    let asked = Asked {
        metric,
        encoding: options.encoding,
        drop_unseen: options.drop_unseen,
        join: options.join.as_ref(),
        figures: false,
        sampled: false,
    };
    if let [(_, model, bytes)] = &models[..]
        && model.signature().task.is_several()
    {
        ctx.progress.stage("evaluating", None);
        let (evaluated, _) = evaluate_targets(model, *bytes, &source, asked, ctx)?;
        return Ok(Evaluation { models: vec![evaluated], comparisons: Vec::new(), figures: None });
    }
    let mut figures = None;
    let mut told: Vec<(&Path, OnRows)> = Vec::with_capacity(models.len());
    for (path, model, bytes) in &models {
        ctx.progress.stage("evaluating", None);
        let asked = Asked { figures: options.figures && told.is_empty(), ..asked };
        let mut on_rows = evaluate_rows(model, *bytes, &source, asked, ctx)?;
        let interval = |observed: &Observed<'_>| score_interval(observed, metric, compare::SEED, ctx.threads);
        on_rows.evaluated.interval = on_rows.truth.observe(&on_rows.predictions, interval)??;
        if let Some(shown) = on_rows.shown.take() {
            figures = Some(EvaluationFigures::new(model, &on_rows, shown));
        }
        told.push((*path, on_rows));
    }
    let comparisons = compare::each_two(&told, metric, source.name(), ctx)?;
    let models = told.into_iter().map(|(_, on_rows)| on_rows.evaluated).collect();
    Ok(Evaluation { models, comparisons, figures })
}

/// Refuses what looks at one target where a model has several.
fn refuse_several(options: &EvaluateOptions, models: &[(&Path, Model, u64)]) -> Result<(), Error> {
    let Some((path, ..)) = models.iter().find(|(_, model, _)| model.signature().task.is_several()) else {
        return Ok(());
    };
    let refuse = |what: &str| {
        Err(Error::unsupported(format!("{}: a model of several targets: {what}", path.display())))
    };
    if models.len() > 1 {
        return refuse("models are compared on one target; evaluate them one by one");
    }
    if options.figures {
        return refuse("a page shows one target; leave --report out");
    }
    match &options.target {
        Some(target) => refuse(&format!(
            "--target {target} does not say which of them it is; name the columns of the table as in training"
        )),
        None => Ok(()),
    }
}

/// How a model is evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The metric that is the score.
    pub(crate) metric: &'static MetricEntry,
    /// How the bytes of the table spell text.
    pub(crate) encoding: Encoding,
    /// Leave out rows of unseen classes.
    pub(crate) drop_unseen: bool,
    /// The second table, instead of that of the fit.
    pub(crate) join: Option<&'a PathBuf>,
    /// Look at the model on these rows too.
    pub(crate) figures: bool,
    /// Keep some of the rows, to be compared with others.
    pub(crate) sampled: bool,
}

/// The metrics crate's word for a task, of several targets that of each.
pub(crate) fn metric_task(task: Task) -> metrics::Task {
    match task {
        Task::Binary | Task::Multilabel => metrics::Task::Binary,
        Task::Multiclass => metrics::Task::Multiclass,
        Task::Regression | Task::Transform | Task::MultiRegression => metrics::Task::Regression,
    }
}

/// How a model does on a table, with the rows that say so.
pub(crate) struct OnRows {
    pub(crate) evaluated: Evaluated,
    pub(crate) truth: Truth,
    pub(crate) predictions: Predictions,
    /// What the model shows on these rows, where that was asked for.
    pub(crate) shown: Option<Shown>,
    /// Some of the rows, where they were asked for.
    pub(crate) sample: Option<Sample>,
}

/// Evaluates a model on the rows of a table.
pub(crate) fn evaluate_rows(
    model: &Model,
    bytes: u64,
    source: &Source,
    asked: Asked<'_>,
    ctx: &Ctx<'_>,
) -> Result<OnRows, Error> {
    let signature = model.signature();
    if signature.task == Task::Transform {
        return Err(Error::input(
            "evaluate: this model makes columns and predicts nothing; apply it with `smidgen predict`",
        ));
    }
    let scorer = Scorer::new(model, rows_of_second(model, asked.join, asked.encoding)?)?;
    let (mut gathered, mut sample) = (Gathered::default(), asked.sampled.then(Sample::default));
    let mut first_batch: Option<RecordBatch> = None;
    let mut batches = Vec::new();
    let mut first_row = 0;
    let rows = rows_for(source, signature, std::slice::from_ref(&signature.target), asked.encoding)?;
    for batch in batches_for(&scorer, rows, source.name())? {
        let batch = batch?;
        if ctx.cancel.is_cancelled() {
            return Err(Error::input(format!("evaluate: interrupted after {first_row} rows")));
        }
        let truth = batch_truth(&batch, signature, source.name(), first_row)?;
        if let Some(sample) = &mut sample {
            sample.add(&batch, signature)?;
        }
        let predicted = scorer.predict(&batch, ctx)?;
        first_row += batch.num_rows();
        ctx.progress.advance(batch.num_rows() as u64);
        if asked.figures {
            let first = (first_row - batch.num_rows()) as u32;
            gathered.rows.extend(truth.rows.iter().map(|row| first + row));
            batches.push(batch.clone());
        }
        gathered.add(truth, predicted);
        first_batch.get_or_insert(batch);
    }
    if !gathered.unseen.is_empty() && !asked.drop_unseen {
        let cure = "leave those rows out with --drop-unseen";
        return Err(unseen_error(&gathered.unseen, source.name(), &signature.target, cure));
    }
    let Some((truth, predictions)) = gathered.truth.take() else {
        let (name, target) = (source.name(), &signature.target);
        return Err(Error::input(format!("{name}: no row to evaluate: target \"{target}\" has no value")));
    };
    let speed = first_batch.map(|b| measure(&scorer, &b)).transpose()?;
    let warnings = gathered.warnings(&signature.target);
    let evaluated = report(&truth, &predictions, asked.metric, |partial| Evaluated {
        classes: signature.classes.clone(),
        positive: signature.positive.map(|p| signature.classes[p as usize].clone()),
        bytes,
        speed,
        counts: Some(scorer.plan().counts()),
        exact: is_exact(model),
        warnings,
        task: signature.task,
        ..partial
    })?;
    let shown = asked.figures.then(|| {
        let (metric, seed) = (asked.metric, compare::SEED);
        let (batches, rows) = (&batches[..], &gathered.rows[..]);
        let (truth, predictions) = (&truth, &predictions);
        Shown::of(&Looked { model, scorer: &scorer, metric, seed, batches, rows, truth, predictions }, ctx)
    });
    Ok(OnRows { evaluated, shown: shown.transpose()?, truth, predictions, sample })
}

#[derive(Default)]
struct Gathered {
    truth: Option<(Truth, Predictions)>,
    /// Rows of the table that have a target, rising; kept where figures are asked for.
    rows: Vec<u32>,
    n_missing: usize,
    unseen: Vec<(String, usize)>,
}

impl Gathered {
    fn add(&mut self, batch: crate::table::BatchTruth, predicted: Predictions) {
        self.n_missing += batch.n_missing;
        add_unseen(&mut self.unseen, batch.unseen);
        if batch.rows.is_empty() {
            return;
        }
        let predicted = predicted.select(&batch.rows);
        match &mut self.truth {
            None => self.truth = Some((batch.truth, predicted)),
            Some((truth, predictions)) => {
                truth.append(batch.truth);
                predictions.append(predicted);
            }
        }
    }

    fn warnings(&self, target: &str) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if self.n_missing > 0 {
            let text = format!("{} rows have no target and are left out", self.n_missing);
            warnings.push(Warning::column("missing_target", target, text));
        }
        if !self.unseen.is_empty() {
            let n: usize = self.unseen.iter().map(|(_, n)| n).sum();
            let text = format!("{n} rows have a class that training had not seen and are left out");
            warnings.push(Warning::column("unseen_class", target, text));
        }
        warnings
    }
}

/// Adds the unseen classes of a batch to those of the batches before.
pub(crate) fn add_unseen(all: &mut Vec<(String, usize)>, more: Vec<(String, usize)>) {
    for (class, n) in more {
        match all.iter_mut().find(|(known, _)| *known == class) {
            Some((_, n_known)) => *n_known += n,
            None => all.push((class, n)),
        }
    }
}

/// Refuses rows of unseen classes; `cure` is what to do.
pub(crate) fn unseen_error(unseen: &[(String, usize)], source: &str, target: &str, cure: &str) -> Error {
    let shown: Vec<String> = unseen.iter().take(3).map(|(c, n)| format!("\"{c}\" ({n} rows)")).collect();
    Error::input(format!(
        "{source}: target \"{target}\": {} classes were not seen in training: {}; {cure}",
        unseen.len(),
        shown.join(", ")
    ))
}

/// The score by a metric; `None` where it is not defined on these rows.
///
/// # Errors
/// A metric of another task.
pub(crate) fn score_of(metric: &MetricEntry, observed: &Observed<'_>) -> Result<Option<f64>, Error> {
    match metric.score(observed) {
        Ok(score) => Ok(Some(score)),
        Err(e) if matches!(e.kind(), metrics::Kind::Undefined { .. }) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

impl Evaluated {
    /// A score, and other metrics, on so many rows; nothing else is known.
    pub(crate) fn of(
        task: Task,
        metric: &'static MetricEntry,
        (score, n_rows, metrics): (Option<f64>, usize, Vec<(&'static str, f64)>),
    ) -> Evaluated {
        Evaluated {
            task,
            metric: metric.name,
            greater_is_better: metric.greater_is_better,
            score,
            interval: None,
            error: score.map(|s| metric.error(s)),
            n_rows,
            metrics,
            confusion: Vec::new(),
            class_table: Vec::new(),
            averages: None,
            classes: Vec::new(),
            positive: None,
            bytes: 0,
            speed: None,
            counts: None,
            exact: true,
            warnings: Vec::new(),
            targets: Vec::new(),
        }
    }
}

/// Everything that follows from truth and predictions; `finish` adds what follows from the model.
pub(crate) fn report(
    truth: &Truth,
    predictions: &Predictions,
    metric: &'static MetricEntry,
    finish: impl FnOnce(Evaluated) -> Evaluated,
) -> Result<Evaluated, Error> {
    let n_rows = truth.n_rows();
    let partial = truth.observe(predictions, |observed| -> Result<Evaluated, Error> {
        let score = score_of(metric, observed)?;
        let metrics =
            metrics::all_scores(observed).into_iter().filter_map(|(m, s)| Some((m.name, s.ok()?))).collect();
        let (confusion, class_table, averages) = match observed {
            Observed::Classified(classified) => {
                let confusion = Confusion::try_new(classified)?.rows().map(<[u64]>::to_vec).collect();
                (confusion, metrics::class_table(classified), Some(metrics::averages(classified)))
            }
            Observed::Regressed(_) => (Vec::new(), Vec::new(), None),
        };
        let figures = Evaluated::of(Task::Regression, metric, (score, n_rows, metrics));
        Ok(Evaluated { confusion, class_table, averages, ..figures })
    })??;
    Ok(finish(partial))
}
