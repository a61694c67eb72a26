//! `fit --from`: the model that a fit goes on from, what it asks of options and table, and what it says of the rows.

use crate::error::{Error, Nature};
use crate::fit::FitOptions;
use crate::joined::whole;
use crate::model_file::load;
use crate::network::is_network;
use crate::table::Scorer;
use data::{ReadPlan, Source, Table};
use ir::digest::Digest;
use ir::{Model, OutputRole};
use jobs::Ctx;
use metrics::MetricEntry;
use recipe::{Base, Predictions, Truth, Warning};
use std::path::{Path, PathBuf};

/// The model that a fit goes on from.
#[derive(Clone, Debug, PartialEq)]
pub struct FitBase {
    /// Its file.
    pub model: PathBuf,
    /// Its recipe, for people.
    pub recipe: String,
    /// Length of its file.
    pub bytes: u64,
    /// What it alone scores on the rows that are predicted out of fold; `None` where that is undefined.
    pub score: Option<f64>,
}

/// A model that is read, and that a fit can go on from.
pub(crate) struct Start {
    path: PathBuf,
    model: Model,
    bytes: u64,
}

/// What it says of the rows of a table.
pub(crate) struct Said {
    /// Integer scores `[n_rows, n_outputs]`.
    pub(crate) scores: Vec<i32>,
    predictions: Predictions,
}

impl Start {
    /// The model that options name, if they do.
    ///
    /// # Errors
    /// The file cannot be read, or a fit cannot go on from the model: it says why.
    pub(crate) fn read(path: Option<&PathBuf>) -> Result<Option<Start>, Error> {
        let Some(path) = path else { return Ok(None) };
        if is_network(path) {
            let path = path.display();
            return Err(Error::unsupported(format!(
                "{path}: a network: --from takes a model of tables, as fit writes them"
            )));
        }
        let (model, bytes) = load(path)?;
        let start = Start { path: path.clone(), model, bytes };
        start.base()?;
        Ok(Some(start))
    }

    /// What fits add to.
    ///
    /// # Errors
    /// The model is none to go on from.
    pub(crate) fn base(&self) -> Result<Base<'_>, Error> {
        Base::try_new(&self.model).map_err(|e| Error::of_file(&self.path, e.nature(), &e))
    }

    /// The options of a fit that goes on from it: question, kinds of columns and missing cells are its own. What would be
    /// found out, an ensemble, an augmentation, a calibrator, is left out unless it is named.
    ///
    /// # Errors
    /// Options that ask for something else.
    pub(crate) fn options(&self, options: &FitOptions) -> Result<FitOptions, Error> {
        let (signature, path) = (self.model.signature(), self.path.display());
        let refuse = |what: String| Err(Error::input(format!("{what}; leave it out")));
        let mut own = options.clone();
        match options.task.filter(|task| *task != signature.task) {
            Some(task) => {
                return refuse(format!("--task {task}: {path} answers a {} task", signature.task));
            }
            None => own.task = Some(signature.task),
        }
        for input in &signature.inputs {
            let name = &input.name;
            if options.targets.contains(name) {
                return Err(Error::input(format!(
                    "--target {name}: {path} takes this column to predict another; name the column that it predicts"
                )));
            }
            if options.drop.contains(name) {
                return refuse(format!("--drop {name}: {path} takes this column"));
            }
            match options.types.get(name).filter(|kind| **kind != input.kind) {
                Some(kind) => {
                    return refuse(format!(
                        "--types {name}={kind}: {path} takes this column as {}",
                        input.kind
                    ));
                }
                None => own.types.insert(name.clone(), input.kind),
            };
        }
        let unknown = signature.missing.iter().filter(|cell| !options.missing.contains(cell));
        own.missing.extend(unknown.cloned());
        let positive = signature.positive.and_then(|at| signature.classes.get(at as usize));
        own.positive = options.positive.clone().or(positive.cloned());
        let unless_named = |word: &str| if word == "auto" { "none".to_owned() } else { word.to_owned() };
        own.ensemble = unless_named(&options.ensemble);
        own.calibrator = unless_named(&options.calibrator);
        own.augment = options.augment.clone().or(Some(search::NO_AUGMENTATION.to_owned()));
        Ok(own)
    }

    /// Checks that a table has the columns that it takes.
    ///
    /// # Errors
    /// It lacks one.
    pub(crate) fn check_columns(&self, source: &Source, options: &FitOptions) -> Result<(), Error> {
        let plan = ReadPlan { encoding: options.encoding, ..ReadPlan::new(self.model.signature()) };
        let read = plan.read(source).map(drop);
        read.map_err(|e| self.of_file(Error::from(e)))
    }

    /// Its classes, in class order; none of a regression.
    pub(crate) fn classes(&self) -> Option<&[String]> {
        Some(&self.model.signature().classes[..]).filter(|classes| !classes.is_empty())
    }

    /// What it says of the rows of a table.
    ///
    /// # Errors
    /// The table lacks a column, or holds it otherwise.
    pub(crate) fn said(&self, table: &Table, ctx: &Ctx<'_>) -> Result<Said, Error> {
        let (scorer, signature) = (Scorer::new(&self.model, None)?, self.model.signature());
        let in_one = match scorer.sees_other_rows() {
            true => vec![whole(table.batches(), &table.profile().name)?],
            false => Vec::new(),
        };
        let batches = if in_one.is_empty() { table.batches() } else { &in_one };
        let broken = || Error::bug("fit: the outputs of a model are not those of its signature");
        let mut said: Option<Said> = None;
        for batch in batches {
            let outputs = scorer.outputs(batch, ctx)?;
            let scores = signature.output(OutputRole::Score).and_then(|at| outputs.get(at)?.data().i32s());
            let scores = scores.ok_or_else(broken)?;
            let predictions = Predictions::from_outputs(&outputs, signature).ok_or_else(broken)?;
            match &mut said {
                None => said = Some(Said { scores: scores.to_vec(), predictions }),
                Some(said) => {
                    said.scores.extend(scores);
                    said.predictions.append(predictions);
                }
            }
        }
        said.ok_or_else(broken)
    }

    /// Its recipe, for people.
    pub(crate) fn recipe(&self) -> String {
        match self.model.card.recipe.as_str() {
            "" => self.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            recipe => recipe.to_owned(),
        }
    }

    /// Tells studies that go on from different models apart.
    pub(crate) fn digest(&self) -> u64 {
        let mut digest = Digest::new();
        digest.bytes(&ir::file::write(&self.model));
        digest.finish()
    }

    /// Itself in a report.
    pub(crate) fn told(&self, score: Option<f64>) -> FitBase {
        FitBase { model: self.path.clone(), recipe: self.recipe(), bytes: self.bytes, score }
    }

    /// What a person should know: it is better than what was added to it, on rows of which `score` is the score out of
    /// fold; it was fitted to a table of this `fingerprint`.
    pub(crate) fn warnings(
        &self,
        (metric, own, score): (&MetricEntry, Option<f64>, Option<f64>),
        fingerprint: u64,
    ) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let path = self.path.display();
        if let Some((own, score)) = own.zip(score)
            && metric.error(own) < metric.error(score)
        {
            let name = metric.name;
            let text = format!(
                "{path} alone is better on these rows, {name} {own:.5}, than with what was learnt from them, {score:.5} out of fold: go on with it as it is"
            );
            warnings.push(Warning::table("base_is_better", text));
        }
        if self.model.card.data_fingerprint == fingerprint {
            let text = format!(
                "{path} was fitted to these rows: its scores on them flatter, and so do those of what goes on from it; use rows that it has not seen"
            );
            warnings.push(Warning::table("base_has_seen_rows", text));
        }
        warnings
    }

    /// Says which question is asked where a target does not answer it.
    pub(crate) fn of_question(&self, error: Error) -> Error {
        let (path, task) = (self.path.display(), self.model.signature().task);
        let said = format!("{path} answers a {task} task: {error}");
        match error.nature() {
            Nature::Unsupported => Error::unsupported(said),
            Nature::Input => Error::input(said),
            Nature::Bug => error,
        }
    }

    /// Says of which model an error speaks.
    fn of_file(&self, error: Error) -> Error {
        Error::of_file(&self.path, error.nature(), &error)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Said {
    /// The score of its predictions of some rows.
    ///
    /// # Errors
    /// Truth and predictions do not fit together.
    pub(crate) fn score(
        &self,
        rows: &[u32],
        truth: &Truth,
        metric: &MetricEntry,
    ) -> Result<Option<f64>, Error> {
        Ok(truth.score(&self.predictions.select(rows), metric)?)
    }
}
