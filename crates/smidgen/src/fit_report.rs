//! What came of a fit: scores, sizes, times, and what a person should know.

use crate::calibrated::ProbabilityCalibration;
use crate::costs::CostReport;
use crate::evaluate::Evaluated;
use crate::figures::Figures;
use crate::front::FrontPoint;
use crate::searched::{ChosenMember, Searched};
use crate::start::FitBase;
use crate::timing::Speed;
use ir::{TargetColumn, Task};
use recipe::{Cleaned, Warning};
use runtime::cost::TableCost;
use std::path::PathBuf;

/// Whether what was demanded was reached.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// All of it, or nothing was demanded.
    Ok,
    /// Some was not; for people, by how much.
    Unmet(Vec<String>),
}

/// Seconds of the stages of a fit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stages {
    /// Reading the table.
    pub read: f64,
    /// Edges, dictionaries and codes.
    pub encode: f64,
    /// Fits inside folds.
    pub validate: f64,
    /// The fit on all rows.
    pub finish: f64,
    /// Evaluation on the test table.
    pub test: f64,
    /// The figures of a report.
    pub figures: f64,
}

/// A candidate that the model holds.
#[derive(Clone, Debug, PartialEq)]
pub struct FitMember {
    /// Its learner; `base` for the model that the fit went on from.
    pub learner: &'static str,
    /// Its recipe, for people.
    pub recipe: String,
    /// Its weight in the sum; 1 if it is alone.
    pub weight: f64,
    /// Length of the file that would hold it alone.
    pub bytes: u64,
}

impl FitMember {
    pub(crate) fn of(member: &ChosenMember<'_>, weight: f64, bytes: u64) -> FitMember {
        FitMember { learner: member.learner.name, recipe: member.recipe(), weight, bytes }
    }

    /// The model that the fit went on from.
    pub(crate) fn of_base(base: &FitBase) -> FitMember {
        FitMember { learner: "base", recipe: base.recipe.clone(), weight: 1.0, bytes: base.bytes }
    }
}

/// What came of a fit.
#[derive(Clone, Debug)]
pub struct FitReport {
    /// Whether what was demanded was reached.
    pub status: Status,
    /// The question.
    pub task: Task,
    /// The target column; of several targets their names.
    pub target: String,
    /// Several targets, in their order; empty of one.
    pub targets: Vec<TargetColumn>,
    /// Name of the metric.
    pub metric: &'static str,
    /// True when more is better.
    pub greater_is_better: bool,
    /// Score on rows that no fit had seen.
    pub score_oof: Option<f64>,
    /// The same recipe without rounding, out of fold; `None` where time did not allow it.
    pub score_float: Option<f64>,
    /// The calibrator that was taken, if any.
    pub calibration: Option<ProbabilityCalibration>,
    /// What mistakes cost, where that was told.
    pub costs: Option<CostReport>,
    /// Score of the written model on the test table.
    pub score_test: Option<f64>,
    /// Out-of-fold figures.
    pub oof: Evaluated,
    /// Test figures.
    pub test: Option<Evaluated>,
    /// Rows with a target.
    pub n_rows: usize,
    /// Columns that the model takes, and those that it could have taken.
    pub n_columns: (usize, usize),
    /// Classes in class order.
    pub classes: Vec<String>,
    /// The positive class.
    pub positive: Option<String>,
    /// Length of the file.
    pub bytes: u64,
    /// What a row costs, by the table of costs.
    pub cost: TableCost,
    /// Times on this machine.
    pub speed: Speed,
    /// Wall seconds of the whole.
    pub seconds: f64,
    /// Seconds by stage.
    pub stages: Stages,
    /// Units of work: candidates tried.
    pub work: u64,
    /// The learner, or `ensemble`.
    pub learner: &'static str,
    /// The model that the fit went on from, if there is one, and the candidates that the model holds, the heaviest first.
    pub members: Vec<FitMember>,
    /// The model, and candidates that are smaller, faster or better.
    pub front: Vec<FrontPoint>,
    /// The model that the fit went on from.
    pub base: Option<FitBase>,
    /// What was tried, if there was a choice.
    pub searched: Option<Searched>,
    /// The learner and what was set.
    pub recipe: String,
    /// Rounds of the written model, of both stages where the learner has two; `None` for learners without rounds.
    pub rounds: Option<u32>,
    /// What a person should know.
    pub warnings: Vec<Warning>,
    /// What cleaning changed.
    pub cleaned: Vec<Cleaned>,
    /// True when every machine computes the same bits.
    pub exact: bool,
    /// True when it does so with integers alone.
    pub integers: bool,
    /// Where the model was written.
    pub model: PathBuf,
    /// The figures of a report, where they were asked for.
    pub figures: Option<Figures>,
}

impl FitReport {
    /// The score that counts: on the test table if there is one, else out of fold.
    pub fn score(&self) -> Option<f64> {
        if self.test.is_some() { self.score_test } else { self.score_oof }
    }

    /// Lower is better.
    pub fn error(&self) -> Option<f64> {
        self.score().map(|score| self.error_of(score))
    }

    /// The lower-is-better form of a score.
    pub(crate) fn error_of(&self, score: f64) -> f64 {
        if self.greater_is_better { 1.0 - score } else { score }
    }

    /// How reproducible predictions are, in words.
    pub fn exactness(&self) -> &'static str {
        crate::table::exactness(self.integers, self.exact)
    }

    /// What cleaning changed, without what the warnings say already.
    pub fn cleaned_untold(&self) -> impl Iterator<Item = &Cleaned> {
        self.cleaned.iter().filter(|c| !self.warnings.iter().any(|w| w.text == c.text))
    }
}
