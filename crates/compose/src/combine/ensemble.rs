//! The contract of the Ensemble family.
//!
//! The life of an ensemble: (1) parameters are parsed against the member's `SPEC`; (2) `fit` learns a weighted sum, and
//! maps around it, or another form, from what members predict for rows that they had not seen; (3) it becomes integers on
//! the grids of the members ([`recipe::Combination::on_grids`]), in folds and in the model. Scores are real: log odds of the
//! second of two classes, logs of shares of several, values of a regression. An ensemble that asks columns of the table
//! beside (`asks_columns`) is given the codes of the rows ([`MemberRows::coded`]).

use super::room::Room;
use crate::error::{Error, Kind};
use ir::Task;
use ir::op::LinkKind;
use jobs::Threads;
use learn::{Decision, linked};
use metrics::MetricEntry;
use params::{ParamSpec, Params};
use recipe::{CodedColumns, CodedRows, Combination, Space, Truth, predictions_by};
use std::sync::Arc;

/// Cells (rows times classes) that weights are learnt from at most.
const MOST_CELLS: usize = 400_000;

/// What members predict for rows that they had not seen, and what is true.
#[derive(Clone, Debug)]
pub struct MemberRows {
    scores: Vec<Vec<f64>>,
    n_outputs: usize,
    truth: Truth,
    /// Columns of a table, and the row of it that each row is.
    columns: Option<(Arc<CodedColumns>, Vec<u32>)>,
}

impl MemberRows {
    /// `scores: [n_rows, n_outputs]` of each member, finite: one score for two classes and for numbers, else one a class.
    ///
    /// # Errors
    /// `Members` for none, `MemberRows` for lengths or scores that do not fit.
    pub fn try_new(scores: Vec<Vec<f64>>, n_outputs: usize, truth: Truth) -> Result<MemberRows, Error> {
        let n_rows = truth.n_rows();
        if scores.is_empty() || n_rows == 0 {
            return Err(Kind::Members { n_members: scores.len(), n_rows }.into());
        }
        let expected = truth.n_outputs();
        let fits = |scores: &Vec<f64>| {
            n_rows.checked_mul(n_outputs) == Some(scores.len()) && scores.iter().all(|s| s.is_finite())
        };
        if n_outputs != expected || !scores.iter().all(fits) {
            let got = format!("{n_outputs} scores a row, {} rows", scores[0].len() / n_outputs.max(1));
            let expected = format!("{expected} finite scores a row of {n_rows}");
            return Err(Kind::MemberRows { expected, got }.into());
        }
        Ok(MemberRows { scores, n_outputs, truth, columns: None })
    }

    /// With columns of a table, of which `rows` are these.
    ///
    /// # Errors
    /// `MemberRows` for another number of rows, or one that the table has not.
    pub fn with_columns(self, columns: Arc<CodedColumns>, rows: Vec<u32>) -> Result<MemberRows, Error> {
        let n_rows = columns.codes().n_rows();
        if rows.len() != self.n_rows() || rows.iter().any(|&row| row as usize >= n_rows) {
            let expected = format!("{} rows of a table of {n_rows}", self.n_rows());
            let last = rows.iter().max().map_or(0, |&row| row + 1);
            return Err(
                Kind::MemberRows { expected, got: format!("{} rows, up to {last}", rows.len()) }.into()
            );
        }
        Ok(MemberRows { columns: Some((columns, rows)), ..self })
    }

    /// The codes of the rows, where there is a table.
    pub fn coded(&self) -> Option<CodedRows<'_>> {
        self.columns.as_ref().map(|(columns, rows)| CodedRows { columns, rows })
    }

    /// Number of members.
    pub fn n_members(&self) -> usize {
        self.scores.len()
    }

    /// Scores a row.
    pub fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.truth.n_rows()
    }

    /// Scores `[n_rows, n_outputs]` of a member.
    pub fn scores(&self, member: usize) -> &[f64] {
        &self.scores[member]
    }

    /// What is true.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The question.
    pub fn task(&self) -> Task {
        match &self.truth {
            Truth::Values(_) => Task::Regression,
            Truth::Several(_) => Task::MultiRegression,
            Truth::Classes { n_classes: 2, .. } => Task::Binary,
            Truth::Classes { .. } => Task::Multiclass,
        }
    }

    /// The least and the largest score.
    pub fn range(&self) -> [f64; 2] {
        let ends = |[low, high]: [f64; 2], &score: &f64| [low.min(score), high.max(score)];
        self.scores.iter().flatten().fold([f64::INFINITY, f64::NEG_INFINITY], ends)
    }

    /// Rows to learn weights from: all, or every so manieth one beyond [`MOST_CELLS`].
    pub(super) fn some(&self) -> MemberRows {
        let most_rows = (MOST_CELLS / self.n_outputs.max(2)).max(1);
        self.every(self.n_rows().div_ceil(most_rows))
    }

    /// Every `step`-th row.
    pub(super) fn every(&self, step: usize) -> MemberRows {
        if step <= 1 {
            return self.clone();
        }
        let rows: Vec<u32> = (0..self.n_rows() as u32).step_by(step).collect();
        let n = self.n_outputs;
        let some = |scores: &Vec<f64>| {
            rows.iter().flat_map(|&row| &scores[row as usize * n..(row as usize + 1) * n]).copied().collect()
        };
        MemberRows {
            scores: self.scores.iter().map(some).collect(),
            n_outputs: n,
            truth: self.truth.select(&rows),
            columns: self
                .columns
                .as_ref()
                .map(|(columns, of)| (columns.clone(), rows.iter().map(|&row| of[row as usize]).collect())),
        }
    }

    /// The member with the lowest error, the first of equals.
    pub(super) fn best(&self, asked: &Asked<'_>) -> usize {
        let error = |member: usize| self.error(self.linked(self.scores[member].clone()), asked.metric);
        let errors = asked.threads.map(self.n_members(), error);
        (1..errors.len()).fold(0, |best, at| if errors[at] < errors[best] { at } else { best })
    }

    /// What people read for scores, as the model computes it but without rounding: probabilities
    /// `[n_rows, n_classes]`, or values.
    pub fn linked(&self, scores: Vec<f64>) -> Vec<f64> {
        let kind = match self.task() {
            Task::Binary => LinkKind::Logistic,
            Task::Multiclass => LinkKind::Softmax,
            Task::Regression | Task::Transform | Task::MultiRegression | Task::Multilabel => LinkKind::Linear,
        };
        linked(kind, scores, self.n_outputs)
    }

    /// The error of probabilities or values, less is better; infinite where the metric is not defined.
    pub fn error(&self, linked: Vec<f64>, metric: &MetricEntry) -> f64 {
        let predictions = predictions_by(&self.truth, linked, &Decision::Largest);
        let score = self.truth.score(&predictions, metric).ok().flatten();
        score.map_or(f64::INFINITY, |score| metric.error(score))
    }
}

/// What is asked of an ensemble.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// What predictions are judged by.
    pub metric: &'static MetricEntry,
    /// Weights that the user gave, one a member.
    pub weights: Option<&'a [f64]>,
    /// What each member costs once it is used, as a share of the error.
    pub prices: &'a [f64],
    /// What a row costs by each member, in one unit for all; those that are not named cost 1.
    pub costs: &'a [f64],
    /// What members may take together; without, all have room.
    pub room: Option<&'a Room<'a>>,
    /// Threads; they change nothing of the result.
    pub threads: &'a Threads,
}

impl Asked<'_> {
    /// The metric that a search for weights goes by: the user's own if it sees every change of a probability, else the
    /// log loss, of which labels follow.
    pub fn smooth(&self, task: Task) -> &'static MetricEntry {
        const OF_PROBABILITIES: &[&str] = &["roc_auc", "average_precision", "log_loss", "brier"];
        if task == Task::Regression || OF_PROBABILITIES.contains(&self.metric.name) {
            return self.metric;
        }
        metrics::metric("log_loss").unwrap_or(self.metric)
    }

    /// What a row costs by a member.
    pub fn cost(&self, member: usize) -> f64 {
        self.costs.get(member).copied().unwrap_or(1.0)
    }

    /// The weights that the user gave, or equal ones.
    ///
    /// # Errors
    /// `Weights` unless they are one a member, at least 0 and not all 0.
    pub fn weights_of(&self, n_members: usize) -> Result<Vec<f64>, Error> {
        let Some(weights) = self.weights else { return Ok(vec![1.0; n_members]) };
        let are_shares =
            weights.iter().all(|w| w.is_finite() && *w >= 0.0) && weights.iter().any(|w| *w > 0.0);
        if weights.len() != n_members || !are_shares {
            let got = weights.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
            return Err(Kind::Weights { n_members, got }.into());
        }
        Ok(weights.to_vec())
    }
}

/// An ensemble learns how to combine.
pub trait Ensemble: Sync {
    /// The combination of all members; those of weight 0 may be left out by who takes it. Exact: the same rows give the
    /// same combination on any number of threads.
    ///
    /// # Errors
    /// Weights that do not fit.
    fn fit(&self, rows: &MemberRows, asked: &Asked<'_>, params: &Params) -> Result<Combination, Error>;
}

/// One line of the table.
pub struct EnsembleEntry {
    /// Name on the command line.
    pub name: &'static str,
    /// What it is, in one line.
    pub doc: &'static str,
    /// What it can answer.
    pub tasks: &'static [Task],
    /// Whether it takes weights from the user.
    pub takes_weights: bool,
    /// Whether it asks columns of the table.
    pub asks_columns: bool,
    /// Its parameters.
    pub spec: &'static [ParamSpec],
    /// The ensemble.
    pub ensemble: &'static dyn Ensemble,
}

impl EnsembleEntry {
    /// Parameters with these settings.
    ///
    /// # Errors
    /// An unknown name or a value out of range.
    pub fn params(&self, settings: &[(String, String)]) -> Result<Params, Error> {
        Ok(Params::parse(self.name, &[self.spec], settings)?)
    }

    /// The combination that the rows teach.
    ///
    /// # Errors
    /// `EnsembleTask`, `NoWeights` for weights that it does not take, `NoColumns` for rows without those that it asks, and
    /// what the ensemble says.
    pub fn fit(&self, rows: &MemberRows, asked: &Asked<'_>, params: &Params) -> Result<Combination, Error> {
        self.answers(rows.task())?;
        if asked.weights.is_some() && !self.takes_weights {
            let takers = super::ENSEMBLES.iter().filter(|e| e.takes_weights).map(|e| e.name);
            let instead = takers.collect::<Vec<_>>().join(", ");
            return Err(Kind::NoWeights { ensemble: self.name, instead }.into());
        }
        if rows.columns.is_none() {
            self.needs_no_columns()?;
        }
        self.ensemble.fit(rows, asked, params)
    }

    /// Checks that it combines members whose rows have no columns.
    ///
    /// # Errors
    /// `NoColumns`.
    pub fn needs_no_columns(&self) -> Result<(), Error> {
        if !self.asks_columns {
            return Ok(());
        }
        let others = super::ENSEMBLES.iter().filter(|e| !e.asks_columns).map(|e| e.name);
        Err(Kind::NoColumns { ensemble: self.name, instead: others.collect::<Vec<_>>().join(", ") }.into())
    }

    /// Checks that it answers a task.
    ///
    /// # Errors
    /// `EnsembleTask`.
    pub fn answers(&self, task: Task) -> Result<(), Error> {
        if self.tasks.contains(&task) {
            return Ok(());
        }
        let others = super::ENSEMBLES.iter().filter(|e| e.tasks.contains(&task)).map(|e| e.name);
        let instead = others.collect::<Vec<_>>().join(", ");
        let why = match (self.name, task) {
            ("hard_vote" | "soft_vote", Task::Regression) => "numbers have no classes to vote for",
            ("rank_average", Task::Regression) => "a rank is no number of the target's unit",
            ("cascade", Task::Regression) => "a number has no measure of how sure it is",
            ("rank_average", _) => "ranks of several classes are not comparable",
            _ => "the method is not defined for it",
        };
        Err(Kind::EnsembleTask { ensemble: self.name, task: task.name(), why, instead }.into())
    }
}

/// A mean over members in a space, by the user's weights or equal ones.
pub(super) fn mean_in(space: Space, rows: &MemberRows, asked: &Asked<'_>) -> Result<Combination, Error> {
    Ok(Combination::mean(space, &asked.weights_of(rows.n_members())?, rows.range()))
}
