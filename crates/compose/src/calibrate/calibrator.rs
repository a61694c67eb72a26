//! The contract of the Calibrator family.
//!
//! The life of a calibrator: (1) parameters are parsed against the member's `SPEC`; (2) `fit` learns a curve for each
//! score from rows whose scores are out of fold; (3) the curves become integers on the grid of a model
//! ([`ScoreMap::on_grid`]). Scores are real: log odds of the second of two classes, or logs of shares of each class.
//! No curve falls, so calibration of probabilities never turns an order of rows round.

use crate::error::{Error, Kind};
use ir::Task;
use params::{ParamSpec, Params};
use recipe::{Curve, ScoreMap};

/// Out-of-fold scores of rows and what is true.
#[derive(Clone, Debug)]
pub struct ScoredRows {
    scores: Vec<f64>,
    n_outputs: usize,
    labels: Vec<u32>,
    row_weights: Vec<f64>,
}

impl ScoredRows {
    /// `scores: [n_rows, n_outputs]` finite, one for two classes, else one a class; `labels: [n_rows]`;
    /// `row_weights: [n_rows]` finite, at least 0. Rows of weight 0 are left out.
    ///
    /// # Errors
    /// `Rows` for lengths, scores, labels or weights that do not fit; `NoRows` if nothing weighs anything, `OneClass`.
    pub fn try_new(
        mut scores: Vec<f64>,
        n_outputs: usize,
        mut labels: Vec<u32>,
        mut row_weights: Vec<f64>,
    ) -> Result<ScoredRows, Error> {
        let rows = |what, expected: &str, got: String| -> Error {
            Kind::Rows { what, expected: expected.to_owned(), got }.into()
        };
        let n_rows = labels.len();
        if n_outputs == 0
            || n_rows.checked_mul(n_outputs) != Some(scores.len())
            || row_weights.len() != n_rows
        {
            let got = format!(
                "{n_rows} labels, {n_outputs} scores a row, {} scores, {} weights",
                scores.len(),
                row_weights.len()
            );
            return Err(rows("lengths", "as many scores and weights as labels", got));
        }
        if let Some(s) = scores.iter().find(|s| !s.is_finite()) {
            return Err(rows("scores", "finite numbers", s.to_string()));
        }
        if let Some(w) = row_weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
            return Err(rows("row weights", "finite numbers, at least 0", w.to_string()));
        }
        let n_classes = n_outputs.max(2);
        if let Some(y) = labels.iter().find(|y| **y as usize >= n_classes) {
            return Err(rows("labels", &format!("classes below {n_classes}"), y.to_string()));
        }
        if row_weights.contains(&0.0) {
            let weighs: Vec<bool> = row_weights.iter().map(|w| *w > 0.0).collect();
            let mut at = 0..n_rows * n_outputs;
            scores.retain(|_| at.next().is_some_and(|i| weighs[i / n_outputs]));
            let mut at = weighs.iter();
            labels.retain(|_| at.next() == Some(&true));
            row_weights.retain(|w| *w > 0.0);
        }
        match labels.first() {
            None => Err(Kind::NoRows { n_rows }.into()),
            Some(first) if labels.iter().all(|y| y == first) => {
                Err(Kind::OneClass { n_rows: labels.len() }.into())
            }
            Some(_) => Ok(ScoredRows { scores, n_outputs, labels, row_weights }),
        }
    }

    /// Scores `[n_rows, n_outputs]`.
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// Scores of a row: 1 for two classes.
    pub fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    /// Class of each row.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Weight of each row, above 0.
    pub fn row_weights(&self) -> &[f64] {
        &self.row_weights
    }
}

/// A calibrator learns curves.
pub trait Calibrator: Sync {
    /// The curve for each score. Exact: the same rows give the same curves.
    fn fit(&self, rows: &ScoredRows, params: &Params) -> Vec<Curve>;
}

/// One line of the table.
pub struct CalibratorEntry {
    /// Name on the command line.
    pub name: &'static str,
    /// What it is, in one line.
    pub doc: &'static str,
    /// What it can answer.
    pub tasks: &'static [Task],
    /// Its parameters.
    pub spec: &'static [ParamSpec],
    /// The calibrator.
    pub calibrator: &'static dyn Calibrator,
}

impl CalibratorEntry {
    /// Parameters with these settings.
    ///
    /// # Errors
    /// An unknown name or a value out of range.
    pub fn params(&self, settings: &[(String, String)]) -> Result<Params, Error> {
        Ok(Params::parse(self.name, &[self.spec], settings)?)
    }

    /// The map that the rows teach.
    ///
    /// # Errors
    /// `Task` for rows of a task that it does not answer.
    pub fn fit(&self, rows: &ScoredRows, params: &Params) -> Result<ScoreMap, Error> {
        let task = if rows.n_outputs == 1 { Task::Binary } else { Task::Multiclass };
        self.answers(task)?;
        let calibrator = self.name;
        ScoreMap::try_new(self.calibrator.fit(rows, params)).ok_or_else(|| Kind::Curve { calibrator }.into())
    }

    /// Checks that it answers a task.
    ///
    /// # Errors
    /// `Task`.
    pub fn answers(&self, task: Task) -> Result<(), Error> {
        if self.tasks.contains(&task) {
            return Ok(());
        }
        let expected = self.tasks.iter().map(|t| t.name()).collect::<Vec<_>>().join(" or ");
        let others = super::CALIBRATORS.iter().filter(|c| c.tasks.contains(&task)).map(|c| c.name);
        let instead = others.chain(["none"]).collect::<Vec<_>>().join(", ");
        Err(Kind::Task { calibrator: self.name, task: task.name(), expected, instead }.into())
    }
}
