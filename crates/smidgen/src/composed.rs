//! `compose`: several model files as one, with a combination that is learnt from rows or given.
//!
//! The models may come from anywhere and need not know of each other. They are run over the rows of a table; a method of
//! the Ensemble family learns from their integer scores; the file that is written holds all of them, their combination
//! and the link, and takes the columns that any of them takes.

mod method;
mod question;
mod rows;

use crate::Error;
use crate::demands::{Demands, Reached};
use crate::evaluate::{Asked, Evaluated, evaluate_rows, metric_task, score_of};
use crate::fit_report::Status;
use crate::model_file::{for_table, load};
use crate::network::is_network;
use crate::output::{refuse_same_file, write_whole};
use ::compose::combine::{self, EnsembleEntry};
use data::{Encoding, Source};
use ir::digest::Digest;
use ir::{Card, Model, Task};
use jobs::Ctx;
use method::Told;
use metrics::MetricEntry;
use question::{Named, same_question, united};
use recipe::{Combination, Limits, Merge, ModelScore, Predictions, Size, Warning};
use rows::OnRows;
use std::path::{Path, PathBuf};

/// What is composed, and how.
#[derive(Clone, Debug)]
pub struct ComposeOptions {
    /// The model files, two or more; all answer the same question.
    pub models: Vec<PathBuf>,
    /// The table whose rows say how models are combined and how good that is: a path, or `-`.
    pub data: String,
    /// Column of the target; the models' own if `None`.
    pub target: Option<String>,
    /// `auto`, or the name of an ensemble.
    pub method: String,
    /// Parameters of ensembles: ensemble, name, value.
    pub settings: Vec<(String, String, String)>,
    /// A weight for each model, where the method takes weights.
    pub weights: Option<Vec<f64>>,
    /// The metric; the task's default if `None`.
    pub metric: Option<String>,
    /// The score that is demanded.
    pub min_score: Option<f64>,
    /// Largest length of the file that is demanded.
    pub max_bytes: Option<u64>,
    /// Cells that mean missing, beside those of training.
    pub missing: Vec<String>,
    /// How the bytes of the table spell text.
    pub encoding: Encoding,
    /// The second table, instead of that of the fits.
    pub join: Option<PathBuf>,
    /// Where the model is written.
    pub output: PathBuf,
}

/// One of the models that were composed.
#[derive(Clone, Debug, PartialEq)]
pub struct ComposedMember {
    /// Its file.
    pub model: PathBuf,
    /// Its weight in the sum; one of 0 is left out of the file.
    pub weight: f64,
    /// Length of its file.
    pub bytes: u64,
    /// Its score on the rows; `None` where the metric is not defined on them.
    pub score: Option<f64>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct ComposeReport {
    /// Whether what was demanded was reached.
    pub status: Status,
    /// Name of the method.
    pub method: &'static str,
    /// The score on the rows: by combinations learnt from other rows where the method learns (`cross_fitted`), else that
    /// of the file.
    pub score: Option<f64>,
    /// Whether the score is that of combinations that had not seen the rows they were scored on.
    pub cross_fitted: bool,
    /// The models, in the order in which they were named.
    pub members: Vec<ComposedMember>,
    /// How the file does on the rows, among them those that the method learnt from.
    pub written: Evaluated,
    /// What a person should know.
    pub warnings: Vec<Warning>,
    /// True when the file computes with integers alone.
    pub integers: bool,
    /// Wall seconds of the whole.
    pub seconds: f64,
    /// Where the model was written.
    pub model: PathBuf,
}

impl ComposeReport {
    /// Lower is better: `1 - score` where more is better, else the score.
    pub fn error(&self) -> Option<f64> {
        self.score.map(|score| if self.written.greater_is_better { 1.0 - score } else { score })
    }

    /// How reproducible predictions are, in words.
    pub fn exactness(&self) -> &'static str {
        crate::table::exactness(self.integers, self.written.exact)
    }
}

/// A model that is read.
struct Member {
    path: PathBuf,
    model: Model,
    bytes: u64,
    score: ModelScore,
}

/// How members are combined, and what says so.
struct Learnt {
    entry: &'static EnsembleEntry,
    combination: Combination,
    /// Whether the method learns from rows; the score is then that of combinations that had not seen the rows.
    cross_fitted: bool,
    score: Option<f64>,
}

/// Combines model files and writes one.
///
/// # Errors
/// A model or the table cannot be read, the models answer different questions or take different columns of one name, the
/// method does not answer the question or the weights are none; then nothing is written.
pub fn compose(options: &ComposeOptions, ctx: &Ctx<'_>) -> Result<ComposeReport, Error> {
    let metric = options.metric.as_deref().map(metrics::metric).transpose()?;
    method::check(options)?;
    check_files(options)?;
    let mut members = read_members(options)?;
    let named: Vec<Named<'_>> = members.iter().map(Member::named).collect();
    let signature = united(&named, options.join.as_ref())?;
    if let Some(join) = options.join.as_ref().filter(|_| signature.joined.is_none()) {
        let join = join.display();
        return Err(Error::input(format!("--join {join}: no model takes a second table; leave it out")));
    }
    // A method of another task is refused before any row is read.
    method::chosen(options, signature.task, 0)?;
    let metric = metric.unwrap_or_else(|| metrics::default_metric(metric_task(signature.task)));
    let source = Source::parse(&options.data)?;
    ctx.progress.stage("predicting", None);
    let on_rows = rows::read(&members, &signature, &source, options, ctx)?;
    let mut alone = Vec::with_capacity(members.len());
    for (member, said) in members.iter_mut().zip(&on_rows.members) {
        member.score.count_votes(&said.scores);
        let score = on_rows.truth.observe(&said.predictions, |observed| score_of(metric, observed));
        alone.push(score??);
    }
    ctx.progress.stage("combining", None);
    let work = Composing { options, members: &members, on_rows: &on_rows, metric };
    let learnt = work.learnt(source.name(), ctx)?;

    let bytes = ir::file::write(&work.merged(&learnt)?);
    // From here on only the bytes count: what is measured is what was written.
    let model = ir::file::read(&bytes)?;
    ctx.progress.stage("evaluating", None);
    let asked = Asked {
        metric,
        encoding: options.encoding,
        drop_unseen: false,
        join: options.join.as_ref().filter(|_| model.signature().joined.is_some()),
        figures: false,
        sampled: false,
    };
    let mut written = evaluate_rows(&model, bytes.len() as u64, &source, asked, ctx)?.evaluated;
    write_whole(&options.output, |out| {
        let path = options.output.display();
        out.write_all(&bytes).map_err(|e| Error::input(format!("{path}: cannot be written: {e}")))
    })?;

    let weights = learnt.combination.weights();
    let told = members.iter().zip(&alone).zip(weights).map(|((member, &score), weight)| ComposedMember {
        model: member.path.clone(),
        weight,
        bytes: member.bytes,
        score,
    });
    let told: Vec<ComposedMember> = told.collect();
    let mut warnings = std::mem::take(&mut written.warnings);
    for member in told.iter().filter(|member| member.weight == 0.0) {
        let text = format!("{} has no weight and is left out", member.model.display());
        warnings.push(Warning::table("unused_member", text));
    }
    let score = if learnt.cross_fitted { learnt.score } else { written.score };
    let limits = Limits { bytes: options.max_bytes, ns: None };
    let demands = Demands { min_score: options.min_score, limits, max_drop: None };
    let reached = Reached { score, size: Size { bytes: written.bytes, ns: 0.0 }, ..Reached::default() };
    Ok(ComposeReport {
        status: demands.status(metric, reached),
        method: learnt.entry.name,
        score,
        cross_fitted: learnt.cross_fitted,
        members: told,
        written,
        warnings,
        integers: crate::table::is_integer(&model),
        seconds: ctx.budget.clock().seconds(),
        model: options.output.clone(),
    })
}

/// Refuses too few models, and an output that is read as well.
fn check_files(options: &ComposeOptions) -> Result<(), Error> {
    let n_models = options.models.len();
    if n_models < 2 {
        return Err(Error::input(format!("compose: expected two models or more, got {n_models}")));
    }
    for model in &options.models {
        refuse_same_file(&options.output, &model.display().to_string())?;
    }
    refuse_same_file(&options.output, &options.data)?;
    let join = options.join.as_ref().map(|join| join.display().to_string());
    join.map_or(Ok(()), |join| refuse_same_file(&options.output, &join))
}

/// The models, if they answer one question.
fn read_members(options: &ComposeOptions) -> Result<Vec<Member>, Error> {
    let read = options.models.iter().map(|path| Member::read(path, options));
    let members = read.collect::<Result<Vec<Member>, Error>>()?;
    let Some((first, others)) = members.split_first() else { return Ok(members) };
    for other in others {
        same_question([first.named(), other.named()])?;
        let [a, b] = [first, other].map(|member| &member.model.signature().target);
        if a != b {
            let (first, other) = (first.path.display(), other.path.display());
            return Err(Error::input(format!(
                "compose: {first} predicts the column \"{a}\", {other} \"{b}\"; name that of the table with --target"
            )));
        }
    }
    Ok(members)
}

impl Member {
    /// Reads a model that can be combined.
    ///
    /// # Errors
    /// The file cannot be read; a network, a model that makes columns, one whose score cannot be combined.
    fn read(path: &Path, options: &ComposeOptions) -> Result<Member, Error> {
        let refuse = |why: &str| Err(Error::unsupported(format!("{}: {why}", path.display())));
        if is_network(path) {
            return refuse("a network: compose takes models of tables, as fit writes them");
        }
        let (model, bytes) = load(path)?;
        let model = for_table(model, options.target.as_deref(), &options.missing)?;
        let signature = model.signature();
        if signature.task == Task::Transform {
            return refuse("it makes columns and predicts nothing: compose takes models that predict");
        }
        if signature.task.is_several() {
            return refuse("it has several targets: compose takes models of one");
        }
        // One score tells two classes apart.
        let expected = if signature.classes.len() > 2 { signature.classes.len() } else { 1 };
        match ModelScore::of(&model).filter(|score| score.n_outputs == expected) {
            Some(score) => Ok(Member { path: path.to_path_buf(), model, bytes, score }),
            None => refuse("it has no score that a link takes as it is, nothing that can be combined"),
        }
    }

    fn named(&self) -> Named<'_> {
        (self.path.as_path(), self.model.signature())
    }
}

/// Models, and what they say of the rows.
struct Composing<'a> {
    options: &'a ComposeOptions,
    members: &'a [Member],
    on_rows: &'a OnRows,
    metric: &'static MetricEntry,
}

impl Composing<'_> {
    /// What the method learns from the rows of a table of this name, and its score on them.
    fn learnt(&self, source: &str, ctx: &Ctx<'_>) -> Result<Learnt, Error> {
        let (options, members) = (self.options, self.members);
        let OnRows { truth, members: said } = self.on_rows;
        let task = members.first().map_or(Task::Transform, |first| first.model.signature().task);
        let entry = method::chosen(options, task, truth.n_rows())?;
        let params = method::params_of(entry, options)?;
        if !entry.takes_weights {
            method::enough(entry, source, truth.n_rows())?;
        }
        let told = Told::new(members, said.iter().map(|said| &said.scores[..]).collect(), truth);
        let prices = vec![0.0; members.len()];
        // A file that is longer has more to compute.
        let costs: Vec<f64> = members.iter().map(|member| member.bytes as f64).collect();
        let weights = options.weights.as_deref();
        let asked = combine::Asked {
            metric: self.metric,
            weights,
            prices: &prices,
            costs: &costs,
            room: None,
            threads: ctx.threads,
        };
        let combination = told.learn(entry, &params, &asked)?;
        // A mean by weights that are given, or equal, is the same for any rows; maps are not.
        let learns = !entry.takes_weights || combination.has_maps();
        let predictions = if learns {
            method::enough(entry, source, truth.n_rows())?;
            told.cross_fitted(entry, &params, &asked)?
        } else {
            told.combined(&combination)?
        };
        let score = self.score(&predictions)?;
        Ok(Learnt { entry, combination, cross_fitted: learns, score })
    }

    /// The score of predictions of the rows; `None` where the metric is not defined on them.
    fn score(&self, predictions: &Predictions) -> Result<Option<f64>, Error> {
        self.on_rows.truth.observe(predictions, |observed| score_of(self.metric, observed))?
    }

    /// The model of those members that weigh anything.
    fn merged(&self, learnt: &Learnt) -> Result<Model, Error> {
        let used = learnt.combination.used();
        let combination = learnt.combination.of_members(&used);
        let used: Vec<&Member> = used.iter().map(|&at| &self.members[at]).collect();
        let named: Vec<Named<'_>> = used.iter().map(|member| member.named()).collect();
        let mut merge = Merge::new(united(&named, self.options.join.as_ref())?)?;
        let mut fingerprint = Digest::new();
        for member in &used {
            let added = merge.add(&member.model, member.score);
            added.map_err(|e| Error::of_file(&member.path, e.nature(), &e))?;
            fingerprint.word(member.model.card.data_fingerprint);
        }
        let parts = used.iter().zip(combination.weights()).map(|(member, weight)| {
            let name = member.path.file_name().unwrap_or_default().to_string_lossy();
            format!("{} {name}", (weight * 1e4).round() / 1e4)
        });
        let parts = parts.collect::<Vec<_>>().join("; ");
        let rows = if learnt.cross_fitted { "cross-fitted" } else { "data" };
        let metrics = learnt.score.map(|score| (format!("{} ({rows})", self.metric.name), score));
        let card = Card {
            data_fingerprint: fingerprint.finish(),
            n_rows: self.on_rows.truth.n_rows() as u64,
            recipe: format!("{} {parts}", learnt.entry.name),
            metrics: metrics.into_iter().collect(),
            ..Card::default()
        };
        Ok(merge.finish(&combination, card)?)
    }
}
