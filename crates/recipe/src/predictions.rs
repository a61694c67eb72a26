//! What is true and what was predicted, and the scores of the one against the other.

use crate::error::Error;
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
        }
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
        }
    }

    /// Numbers that people read for a row: the probabilities of all classes, or a value.
    pub fn n_linked(&self) -> usize {
        match self {
            Truth::Classes { n_classes, .. } => *n_classes,
            Truth::Values(_) => 1,
        }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        match self {
            Truth::Classes { labels, .. } => labels.len(),
            Truth::Values(values) => values.len(),
        }
    }

    /// Calls `f` with truth and predictions side by side.
    ///
    /// # Errors
    /// They do not fit together.
    pub fn observe<T>(
        &self,
        predictions: &Predictions,
        f: impl FnOnce(&Observed<'_>) -> T,
    ) -> Result<T, Error> {
        let observed = match (self, predictions) {
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

    /// The metric's score, or `None` where it is not defined on these rows.
    ///
    /// # Errors
    /// Truth and predictions do not fit together.
    pub fn score(&self, predictions: &Predictions, metric: &MetricEntry) -> Result<Option<f64>, Error> {
        self.observe(predictions, |observed| metric.score(observed).ok())
    }
}

impl Predictions {
    /// From the outputs of a model; `None` if they are not those of its signature.
    pub fn from_outputs(outputs: &[Tensor], signature: &Signature) -> Option<Predictions> {
        let data = |role| signature.output(role).and_then(|i| outputs.get(i)).map(Tensor::data);
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

    /// Adds the rows of another batch; batches of another kind are not added.
    pub fn append(&mut self, other: Predictions) {
        match (self, other) {
            (Predictions::Values(all), Predictions::Values(more)) => all.extend(more),
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
