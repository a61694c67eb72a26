//! What is true and what was predicted, and the scores of the one against the other.

use crate::error::{Error, Kind};
use ir::{OutputRole, Signature, Tensor, TensorData};
use metrics::{Classified, ClassifiedParts, MetricEntry, Observed, Probabilities, Regressed};

/// The target of rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// Classes.
    Classes {
        /// Class of each row.
        labels: Vec<u32>,
        /// Number of classes.
        n_classes: usize,
        /// The positive class of two.
        positive: Option<u32>,
    },
    /// Numbers.
    Values(Vec<f64>),
    /// Several targets.
    Several(Vec<OneTruth>),
}

/// One of several targets of rows: two classes, or numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct OneTruth {
    /// Name of the target.
    pub name: String,
    /// The target; rows in which it is not known hold class 0 or 0.
    pub truth: Truth,
    /// Whether it is known, by row; known in all rows if `None`.
    pub known: Option<Vec<bool>>,
}

/// Predictions of rows, in row order.
#[derive(Clone, Debug, PartialEq)]
pub enum Predictions {
    /// Probabilities `[n_rows, n_classes]` and the predicted class of each row.
    Classes {
        /// Row-major.
        probabilities: Vec<f64>,
        /// Predicted classes.
        labels: Vec<u32>,
    },
    /// Predicted numbers.
    Values(Vec<f64>),
    /// Those of each of several targets.
    Several(Vec<Predictions>),
}

impl OneTruth {
    /// True if it is known in a row.
    pub fn is_known(&self, row: u32) -> bool {
        self.known.as_ref().is_none_or(|known| known[row as usize])
    }

    /// The rows in which it is known, with what is predicted for them.
    pub fn known_with(&self, predictions: &Predictions) -> (Truth, Predictions) {
        if self.known.is_none() {
            return (self.truth.clone(), predictions.clone());
        }
        let rows: Vec<u32> = (0..self.truth.n_rows() as u32).filter(|&row| self.is_known(row)).collect();
        (self.truth.select(&rows), predictions.select(&rows))
    }
}

impl Truth {
    /// The same for some of the rows.
    pub fn select(&self, rows: &[u32]) -> Truth {
        match self {
            Truth::Classes { labels, n_classes, positive } => Truth::Classes {
                labels: rows.iter().map(|&r| labels[r as usize]).collect(),
                n_classes: *n_classes,
                positive: *positive,
            },
            Truth::Values(values) => Truth::Values(rows.iter().map(|&r| values[r as usize]).collect()),
            Truth::Several(each) => {
                let select = |one: &OneTruth| OneTruth {
                    name: one.name.clone(),
                    truth: one.truth.select(rows),
                    known: one.known.as_ref().map(|known| rows.iter().map(|&r| known[r as usize]).collect()),
                };
                Truth::Several(each.iter().map(select).collect())
            }
        }
    }

    /// Of numbers that people read for rows, `[n_rows, n_linked]`, those of one of several targets.
    pub fn linked_of(&self, linked: &[f64], target: usize) -> Vec<f64> {
        let Truth::Several(each) = self else { return linked.to_vec() };
        let widths = || each.iter().map(|one| one.truth.n_linked());
        let first: usize = widths().take(target).sum();
        let width = widths().nth(target).unwrap_or(0);
        let rows = linked.chunks_exact(self.n_linked().max(1));
        rows.flat_map(|row| &row[first..first + width]).copied().collect()
    }

    /// Adds the rows of another batch; batches of another kind are not added.
    pub fn append(&mut self, other: Truth) {
        match (self, other) {
            (Truth::Values(all), Truth::Values(more)) => all.extend(more),
            (Truth::Classes { labels, .. }, Truth::Classes { labels: more, .. }) => labels.extend(more),
            _ => {}
        }
    }

    /// Scores that a model has for a row: one for two classes and for numbers, else one a class.
    pub fn n_outputs(&self) -> usize {
        match self {
            Truth::Classes { n_classes, .. } if *n_classes > 2 => *n_classes,
            Truth::Classes { .. } | Truth::Values(_) => 1,
            Truth::Several(each) => each.len(),
        }
    }

    /// Numbers that people read for a row: the probabilities of all classes, or a value; of several targets side by side.
    pub fn n_linked(&self) -> usize {
        match self {
            Truth::Classes { n_classes, .. } => *n_classes,
            Truth::Values(_) => 1,
            Truth::Several(each) => each.iter().map(|one| one.truth.n_linked()).sum(),
        }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        match self {
            Truth::Classes { labels, .. } => labels.len(),
            Truth::Values(values) => values.len(),
            Truth::Several(each) => each.first().map_or(0, |one| one.truth.n_rows()),
        }
    }

    /// Calls `f` with truth and predictions of one target side by side.
    ///
    /// # Errors
    /// They do not fit together; `SeveralTargets`.
    pub fn observe<T>(
        &self,
        predictions: &Predictions,
        f: impl FnOnce(&Observed<'_>) -> T,
    ) -> Result<T, Error> {
        let observed = match (self, predictions) {
            (Truth::Several(_), _) | (_, Predictions::Several(_)) => {
                return Err(Kind::SeveralTargets { what: "a figure of one target".to_owned() }.into());
            }
            (
                Truth::Classes { labels, n_classes, positive },
                Predictions::Classes { probabilities, labels: predicted },
            ) => Observed::Classified(Classified::try_new(ClassifiedParts {
                labels,
                predicted,
                probabilities: Probabilities::F64(probabilities),
                n_classes: *n_classes,
                positive: *positive,
                row_weights: None,
            })?),
            (Truth::Values(targets), Predictions::Values(values)) => {
                Observed::Regressed(Regressed::try_new(targets, values, None)?)
            }
            (Truth::Classes { .. }, Predictions::Values(values)) => {
                Observed::Regressed(Regressed::try_new(&[], values, None)?)
            }
            (Truth::Values(targets), Predictions::Classes { .. }) => {
                Observed::Regressed(Regressed::try_new(targets, &[], None)?)
            }
        };
        Ok(f(&observed))
    }

    /// The metric's score, or `None` where it is not defined on these rows; of several targets the mean of their scores,
    /// each on the rows in which it is known.
    ///
    /// # Errors
    /// Truth and predictions do not fit together.
    pub fn score(&self, predictions: &Predictions, metric: &MetricEntry) -> Result<Option<f64>, Error> {
        if let (Truth::Several(each), Predictions::Several(of_each)) = (self, predictions) {
            let mut sum = Some(0.0);
            for (one, predictions) in each.iter().zip(of_each) {
                let (truth, predictions) = one.known_with(predictions);
                let score = truth.score(&predictions, metric)?;
                sum = sum.zip(score).map(|(sum, score)| sum + score);
            }
            return Ok(sum.map(|sum| sum / each.len().max(1) as f64));
        }
        self.observe(predictions, |observed| metric.score(observed).ok())
    }
}

impl Predictions {
    /// From the outputs of a model; `None` if they are not those of its signature.
    pub fn from_outputs(outputs: &[Tensor], signature: &Signature) -> Option<Predictions> {
        if signature.task.is_several() {
            let each = (0..signature.targets.len()).map(|k| Predictions::of_target(outputs, signature, k));
            return each.collect::<Option<Vec<_>>>().map(Predictions::Several);
        }
        Predictions::of_target(outputs, signature, 0)
    }

    /// Those of the target of this number.
    fn of_target(outputs: &[Tensor], signature: &Signature, k: usize) -> Option<Predictions> {
        let data = |role| signature.output_of(role, k).and_then(|i| outputs.get(i)).map(Tensor::data);
        if let Some(TensorData::F64(values)) = data(OutputRole::Value) {
            return Some(Predictions::Values(values.clone()));
        }
        match (data(OutputRole::Probability), data(OutputRole::Label)) {
            (Some(TensorData::F32(p)), Some(TensorData::I64(labels))) => Some(Predictions::Classes {
                probabilities: p.iter().map(|&p| f64::from(p)).collect(),
                labels: labels.iter().map(|&l| l as u32).collect(),
            }),
            _ => None,
        }
    }

    /// The same for some of the rows.
    pub fn select(&self, rows: &[u32]) -> Predictions {
        match self {
            Predictions::Values(values) => {
                Predictions::Values(rows.iter().map(|&r| values[r as usize]).collect())
            }
            Predictions::Classes { probabilities, labels } => {
                let width = probabilities.len() / labels.len().max(1);
                let of_row = |&r: &u32| &probabilities[r as usize * width..][..width];
                Predictions::Classes {
                    probabilities: rows.iter().flat_map(of_row).copied().collect(),
                    labels: rows.iter().map(|&r| labels[r as usize]).collect(),
                }
            }
            Predictions::Several(each) => {
                Predictions::Several(each.iter().map(|one| one.select(rows)).collect())
            }
        }
    }

    /// Adds the rows of another batch; batches of another kind are not added.
    pub fn append(&mut self, other: Predictions) {
        match (self, other) {
            (Predictions::Values(all), Predictions::Values(more)) => all.extend(more),
            (Predictions::Several(all), Predictions::Several(more)) => {
                all.iter_mut().zip(more).for_each(|(all, more)| all.append(more));
            }
            (
                Predictions::Classes { probabilities, labels },
                Predictions::Classes { probabilities: p, labels: l },
            ) => {
                probabilities.extend(p);
                labels.extend(l);
            }
            _ => {}
        }
    }
}
