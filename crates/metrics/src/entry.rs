//! The contract of the family: what a metric's entry says and how a score is asked for.
//!
//! A metric's function takes either classified or regressed rows, so it never sees the other kind.
//! [`MetricEntry::score`] is the one door: it checks the task and keeps infinite values out.

use std::fmt;

use crate::error::{Error, Kind, Why};
use crate::observed::{Classified, Observed, Regressed};

/// The question that a model answers; names as in the graph's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Two classes, or one if the training rows held no other.
    Binary,
    /// Three classes or more.
    Multiclass,
    /// A number.
    Regression,
}

impl Task {
    /// Every task.
    pub const ALL: &'static [Task] = &[Task::Binary, Task::Multiclass, Task::Regression];
    /// The tasks that predict a class.
    pub const CLASSES: &'static [Task] = &[Task::Binary, Task::Multiclass];

    /// Name as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Task::Binary => "binary",
            Task::Multiclass => "multiclass",
            Task::Regression => "regression",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A metric's function, by the rows that it takes.
#[derive(Clone, Copy, Debug)]
pub enum Compute {
    /// For classes.
    Classified(fn(&Classified<'_>) -> Result<f64, Error>),
    /// For numbers.
    Regressed(fn(&Regressed<'_>) -> Result<f64, Error>),
}

/// One row of [`crate::METRICS`].
#[derive(Debug)]
pub struct MetricEntry {
    /// Name as users write it.
    pub name: &'static str,
    /// One line for help and docs.
    pub doc: &'static str,
    /// The tasks it is defined for.
    pub tasks: &'static [Task],
    /// True if a larger score is a better one; then the best score is 1.
    pub greater_is_better: bool,
    /// The function; call [`MetricEntry::score`] instead, which checks the task.
    pub compute: Compute,
}

impl MetricEntry {
    /// Whether the metric is defined for a task.
    pub fn applies_to(&self, task: Task) -> bool {
        self.tasks.contains(&task)
    }

    /// The score as the field prints it; always finite.
    /// # Errors
    /// `Unsupported` if the metric does not apply to the task; `Undefined` if it has no value on these rows.
    pub fn score(&self, observed: &Observed<'_>) -> Result<f64, Error> {
        let task = observed.task();
        let score = match (self.compute, observed) {
            _ if !self.applies_to(task) => return Err(Error::unsupported(self.name, task, crate::METRICS)),
            (Compute::Classified(compute), Observed::Classified(rows)) => compute(rows)?,
            (Compute::Regressed(compute), Observed::Regressed(rows)) => compute(rows)?,
            _ => return Err(Error::unsupported(self.name, task, crate::METRICS)),
        };
        if score.is_finite() {
            Ok(score)
        } else {
            Err(Error::new(Kind::Undefined { metric: self.name, why: Why::Overflow }))
        }
    }

    /// The lower-is-better form of a score: `1 - score` where more is better, else the score itself.
    pub fn error(&self, score: f64) -> f64 {
        if self.greater_is_better { 1.0 - score } else { score }
    }
}
