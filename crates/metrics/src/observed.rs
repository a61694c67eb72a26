//! What a metric sees: the truth, the predictions and the row weights, borrowed and checked.
//!
//! Fields are private and there is one constructor each, so a metric never checks a length or a range again.

use crate::entry::Task;
use crate::error::{Error, Field, Kind};
use crate::row_weights::{RowWeights, check_finite, check_len};

/// Class probabilities `[n_rows, n_classes]`, row-major. f32 is widened, so it gives what its f64 copy gives.
#[derive(Clone, Copy, Debug)]
pub enum Probabilities<'a> {
    /// As models write them.
    F32(&'a [f32]),
    /// As tables of predictions hold them.
    F64(&'a [f64]),
}

impl Probabilities<'_> {
    fn len(self) -> usize {
        match self {
            Probabilities::F32(values) => values.len(),
            Probabilities::F64(values) => values.len(),
        }
    }

    fn get(self, idx: usize) -> f64 {
        match self {
            Probabilities::F32(values) => f64::from(values[idx]),
            Probabilities::F64(values) => values[idx],
        }
    }
}

/// The inputs of [`Classified::try_new`].
#[derive(Clone, Copy, Debug)]
pub struct ClassifiedParts<'a> {
    /// True classes: `[n_rows]`, below `n_classes`.
    pub labels: &'a [u32],
    /// Predicted classes: `[n_rows]`, below `n_classes`; given, because they may follow a tuned threshold.
    pub predicted: &'a [u32],
    /// Probabilities: `[n_rows, n_classes]`, each in 0..=1, each row summing to about 1.
    pub probabilities: Probabilities<'a>,
    /// Classes of the model, at least 1; up to 2 make a binary task.
    pub n_classes: usize,
    /// The positive class of a binary task; `None` is the last.
    pub positive: Option<u32>,
    /// Row weights: `[n_rows]`, at least 0, not all 0; `None` is 1 for every row.
    pub row_weights: Option<&'a [f64]>,
}

/// True and predicted classes of rows.
#[derive(Clone, Copy, Debug)]
pub struct Classified<'a> {
    labels: &'a [u32],
    predicted: &'a [u32],
    probabilities: Probabilities<'a>,
    n_classes: usize,
    positive: u32,
    weights: RowWeights<'a>,
}

impl<'a> Classified<'a> {
    /// Checks lengths, ranges and sums. O(n_rows * n_classes).
    ///
    /// The probabilities of a row may sum to `1 +- (0.001 + n_classes / 512)`: outputs in 16-bit floats are off by
    /// at most 2^-11, 8-bit outputs by half a step of 1/256 for each class. They are used as they are, as
    /// scikit-learn does; scores that are not probabilities are refused.
    /// # Errors
    /// `NoRows`, `NoClasses`, `Length`, `TooLarge`, `ClassRange`, `PositiveRange`, `ProbabilityRange`,
    /// `ProbabilitySum`, `NotFinite`, `NegativeWeight`, `WeightSum`.
    pub fn try_new(parts: ClassifiedParts<'a>) -> Result<Classified<'a>, Error> {
        let ClassifiedParts { labels, predicted, probabilities, n_classes, positive, row_weights } = parts;
        let n_rows = labels.len();
        let weights = RowWeights::try_new(row_weights, n_rows)?;
        if n_classes == 0 {
            return Err(Error::new(Kind::NoClasses));
        }
        check_len(Field::PredictedLabels, predicted.len(), n_rows)?;
        let Some(n_probabilities) = n_rows.checked_mul(n_classes) else {
            return Err(Error::new(Kind::TooLarge { n_rows, n_classes }));
        };
        check_len(Field::Probabilities, probabilities.len(), n_probabilities)?;
        check_classes(Field::Labels, labels, n_classes)?;
        check_classes(Field::PredictedLabels, predicted, n_classes)?;
        // More classes than u32 can count are not refused: no label reaches them.
        let last = u32::try_from(n_classes - 1).unwrap_or(u32::MAX);
        let positive = positive.unwrap_or(last);
        if positive > last {
            return Err(Error::new(Kind::PositiveRange { got: positive, n_classes }));
        }
        let classified = Classified { labels, predicted, probabilities, n_classes, positive, weights };
        classified.check_probabilities()?;
        Ok(classified)
    }

    fn check_probabilities(&self) -> Result<(), Error> {
        let bound = 0.001 + self.n_classes as f64 / 512.0;
        for row in 0..self.n_rows() {
            let mut sum = 0.0;
            for class in 0..self.n_classes {
                let got = self.probability(row, class);
                if !(0.0..=1.0).contains(&got) {
                    return Err(Error::new(Kind::ProbabilityRange { row, class, got }));
                }
                sum += got;
            }
            if (sum - 1.0).abs() > bound {
                return Err(Error::new(Kind::ProbabilitySum { row, got: sum, bound }));
            }
        }
        Ok(())
    }

    /// Rows.
    pub fn n_rows(&self) -> usize {
        self.labels.len()
    }

    /// Classes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// The positive class of a binary task.
    pub fn positive(&self) -> u32 {
        self.positive
    }

    /// True classes.
    pub fn labels(&self) -> &'a [u32] {
        self.labels
    }

    /// Predicted classes.
    pub fn predicted(&self) -> &'a [u32] {
        self.predicted
    }

    /// Binary up to 2 classes, else multiclass.
    pub fn task(&self) -> Task {
        if self.n_classes <= 2 { Task::Binary } else { Task::Multiclass }
    }

    pub(crate) fn weights(&self) -> RowWeights<'a> {
        self.weights
    }

    /// The weight of each row, if the rows have weights.
    pub fn row_weights(&self) -> Option<&'a [f64]> {
        self.weights.given()
    }

    /// Probability of a class in a row.
    /// # Panics
    /// The row or the class is not below its count.
    pub fn probability(&self, row: usize, class: usize) -> f64 {
        self.probabilities.get(row * self.n_classes + class)
    }
}

/// True and predicted numbers of rows.
#[derive(Clone, Copy, Debug)]
pub struct Regressed<'a> {
    targets: &'a [f64],
    predictions: &'a [f64],
    weights: RowWeights<'a>,
}

impl<'a> Regressed<'a> {
    /// Checks lengths and that all numbers are finite. `targets`, `predictions`, `row_weights`: `[n_rows]`;
    /// weights at least 0, not all 0; `None` is 1 for every row.
    /// # Errors
    /// `NoRows`, `Length`, `NotFinite`, `NegativeWeight`, `WeightSum`.
    pub fn try_new(
        targets: &'a [f64],
        predictions: &'a [f64],
        row_weights: Option<&'a [f64]>,
    ) -> Result<Regressed<'a>, Error> {
        let weights = RowWeights::try_new(row_weights, targets.len())?;
        check_len(Field::Predictions, predictions.len(), targets.len())?;
        check_finite(Field::Targets, targets)?;
        check_finite(Field::Predictions, predictions)?;
        Ok(Regressed { targets, predictions, weights })
    }

    /// Rows.
    pub fn n_rows(&self) -> usize {
        self.targets.len()
    }

    /// True numbers.
    pub fn targets(&self) -> &'a [f64] {
        self.targets
    }

    /// Predicted numbers.
    pub fn predictions(&self) -> &'a [f64] {
        self.predictions
    }

    pub(crate) fn weights(&self) -> RowWeights<'a> {
        self.weights
    }

    /// The weight of each row, if the rows have weights.
    pub fn row_weights(&self) -> Option<&'a [f64]> {
        self.weights.given()
    }

    /// Target minus prediction of a row.
    pub(crate) fn residual(&self, row: usize) -> f64 {
        self.targets[row] - self.predictions[row]
    }
}

/// Rows of either kind, for callers that hold a task as data.
#[derive(Clone, Copy, Debug)]
pub enum Observed<'a> {
    /// Classes.
    Classified(Classified<'a>),
    /// Numbers.
    Regressed(Regressed<'a>),
}

impl Observed<'_> {
    /// The task that the rows belong to.
    pub fn task(&self) -> Task {
        match self {
            Observed::Classified(rows) => rows.task(),
            Observed::Regressed(_) => Task::Regression,
        }
    }

    /// Rows.
    pub fn n_rows(&self) -> usize {
        match self {
            Observed::Classified(rows) => rows.n_rows(),
            Observed::Regressed(rows) => rows.n_rows(),
        }
    }
}

fn check_classes(field: Field, classes: &[u32], n_classes: usize) -> Result<(), Error> {
    match classes.iter().enumerate().find(|(_, class)| **class as usize >= n_classes) {
        None => Ok(()),
        Some((row, &got)) => Err(Error::new(Kind::ClassRange { field, row, got, n_classes })),
    }
}
