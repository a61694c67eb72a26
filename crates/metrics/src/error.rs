//! What can go wrong: inputs that do not fit together, a metric asked of the wrong task, a metric without a value.
//!
//! Messages carry the numbers; the caller adds names of files and classes, which this crate does not know.

use std::fmt;

use crate::entry::{MetricEntry, Task};

/// An error of this crate; [`Error::kind`] tells which.
#[derive(Clone, Debug, PartialEq)]
pub struct Error(Box<Kind>);

/// Which of the inputs an error speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// True classes.
    Labels,
    /// Predicted classes.
    PredictedLabels,
    /// Class probabilities.
    Probabilities,
    /// True numbers.
    Targets,
    /// Predicted numbers.
    Predictions,
    /// Row weights.
    RowWeights,
    /// Lower ends of intervals.
    LowerEnds,
    /// Upper ends of intervals.
    UpperEnds,
}

/// Why a metric has no value on some rows.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Why {
    /// No row of positive weight has this class.
    NoRows {
        /// Index of the class.
        class: u32,
    },
    /// Every row of positive weight has this class.
    OnlyRows {
        /// Index of the class.
        class: u32,
    },
    /// Every row of positive weight has this target.
    ConstantTarget {
        /// The target.
        value: f64,
    },
    /// The targets differ by so little that the square of the difference is zero in f64.
    Underflow,
    /// The value is beyond f64.
    Overflow,
}

/// The kinds of [`Error`].
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// There are no rows.
    NoRows,
    /// The number of classes is zero.
    NoClasses,
    /// An input has the wrong length.
    Length {
        /// The input.
        field: Field,
        /// Length that the other inputs ask for.
        expected: usize,
        /// Length that it has.
        got: usize,
    },
    /// `n_rows * n_classes` is beyond the address space.
    TooLarge {
        /// Rows.
        n_rows: usize,
        /// Classes.
        n_classes: usize,
    },
    /// A class index is not below the number of classes.
    ClassRange {
        /// The input.
        field: Field,
        /// Row.
        row: usize,
        /// The index.
        got: u32,
        /// Classes.
        n_classes: usize,
    },
    /// The positive class is not below the number of classes.
    PositiveRange {
        /// The index.
        got: u32,
        /// Classes.
        n_classes: usize,
    },
    /// A number is NaN or infinite.
    NotFinite {
        /// The input.
        field: Field,
        /// Row.
        row: usize,
        /// The number.
        got: f64,
    },
    /// A probability is outside 0..=1.
    ProbabilityRange {
        /// Row.
        row: usize,
        /// Column.
        class: usize,
        /// The number.
        got: f64,
    },
    /// The probabilities of a row are too far from summing to 1.
    ProbabilitySum {
        /// Row.
        row: usize,
        /// Their sum.
        got: f64,
        /// Largest distance from 1 that is accepted.
        bound: f64,
    },
    /// A row weight is negative.
    NegativeWeight {
        /// Row.
        row: usize,
        /// The weight.
        got: f64,
    },
    /// The row weights sum to zero, or to more than f64 can hold.
    WeightSum {
        /// The sum.
        got: f64,
    },
    /// The level of a quantile is outside 0..=1.
    LevelRange {
        /// The level.
        got: f64,
    },
    /// An interval's lower end lies above its upper end.
    IntervalOrder {
        /// Row.
        row: usize,
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// No metric has this name.
    UnknownMetric {
        /// The name.
        name: String,
        /// The known name that is spelt most like it, if one is near.
        nearest: Option<&'static str>,
        /// All names.
        known: Vec<&'static str>,
    },
    /// The metric is not defined for the task.
    Unsupported {
        /// The metric.
        metric: &'static str,
        /// The task.
        task: Task,
        /// Metrics of the task.
        known: Vec<&'static str>,
    },
    /// The metric has no value on these rows.
    Undefined {
        /// The metric.
        metric: &'static str,
        /// The reason.
        why: Why,
    },
}

impl Error {
    pub(crate) fn new(kind: Kind) -> Error {
        Error(Box::new(kind))
    }

    pub(crate) fn unknown_metric(name: &str, table: &[&MetricEntry]) -> Error {
        let known: Vec<_> = table.iter().map(|entry| entry.name).collect();
        // A third of the letters may be wrong: more and the guess is rarely what was meant.
        let near = |known: &&str| edits(name, known) * 3 <= name.len();
        let nearest = known.iter().copied().filter(near).min_by_key(|known| edits(name, known));
        Error::new(Kind::UnknownMetric { name: name.to_owned(), nearest, known })
    }

    pub(crate) fn unsupported(metric: &'static str, task: Task, table: &[&MetricEntry]) -> Error {
        let known = table.iter().filter(|entry| entry.applies_to(task)).map(|entry| entry.name).collect();
        Error::new(Kind::Unsupported { metric, task, known })
    }

    /// Which error it is.
    pub fn kind(&self) -> &Kind {
        &self.0
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::Labels => "labels",
            Field::PredictedLabels => "predicted labels",
            Field::Probabilities => "probabilities",
            Field::Targets => "targets",
            Field::Predictions => "predictions",
            Field::RowWeights => "row weights",
            Field::LowerEnds => "lower ends",
            Field::UpperEnds => "upper ends",
        })
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::NoRows { class } => write!(f, "no row is of class {class}"),
            Why::OnlyRows { class } => write!(f, "all rows are of class {class}"),
            Why::ConstantTarget { value } => write!(f, "the target is {value} in all rows"),
            Why::Underflow => f.write_str("the targets differ by less than f64 can square"),
            Why::Overflow => f.write_str("its value is beyond f64"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Kind::NoRows => f.write_str("metrics: expected at least one row, got 0"),
            Kind::NoClasses => f.write_str("metrics: expected at least one class, got 0"),
            Kind::Length { field, expected, got } => {
                write!(f, "metrics: {field}: expected {expected} values, got {got}")
            }
            Kind::TooLarge { n_rows, n_classes } => {
                write!(f, "metrics: {n_rows} rows x {n_classes} classes do not fit in memory")
            }
            Kind::ClassRange { field, row, got, n_classes } => {
                write!(f, "metrics: {field}: expected a class below {n_classes}, got {got} at row {row}")
            }
            Kind::PositiveRange { got, n_classes } => {
                write!(f, "metrics: positive class: expected a class below {n_classes}, got {got}")
            }
            Kind::NotFinite { field, row, got } => {
                write!(f, "metrics: {field}: expected a finite number, got {got} at row {row}")
            }
            Kind::ProbabilityRange { row, class, got } => {
                write!(f, "metrics: probabilities: expected 0 to 1, got {got} at row {row}, class {class}")
            }
            Kind::ProbabilitySum { row, got, bound } => {
                write!(
                    f,
                    "metrics: probabilities: expected a sum of 1 (within {bound}), got {got} at row {row}"
                )
            }
            Kind::NegativeWeight { row, got } => {
                write!(f, "metrics: row weights: expected 0 or more, got {got} at row {row}")
            }
            Kind::WeightSum { got } => {
                write!(f, "metrics: row weights: expected a finite sum above 0, got {got}")
            }
            Kind::LevelRange { got } => {
                write!(f, "metrics: level of a quantile: expected 0 to 1, got {got}")
            }
            Kind::IntervalOrder { row, low, high } => {
                write!(
                    f,
                    "metrics: intervals: expected a lower end up to the upper one, got {low} above {high} at row {row}"
                )
            }
            Kind::UnknownMetric { name, nearest, known } => {
                write!(f, "unknown metric \"{name}\"; ")?;
                if let Some(nearest) = nearest {
                    write!(f, "did you mean \"{nearest}\"? ")?;
                }
                write!(f, "known: {}", known.join(", "))
            }
            Kind::Unsupported { metric, task, known } => {
                write!(f, "{metric}: not defined for a {task} task; use one of {}", known.join(", "))
            }
            Kind::Undefined { metric, why } => write!(f, "{metric}: undefined on these rows: {why}"),
        }
    }
}

/// Edit distance (Levenshtein) in bytes.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            left = (diagonal + usize::from(x != y)).min(left + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, left);
        }
    }
    // The first cell stands for an empty `b`, which no metric's name is.
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::edits;

    #[test]
    fn edit_distance_counts_insertions_deletions_and_changes() {
        for (a, b, expected) in [
            ("f1", "f1", 0),
            ("", "abc", 3),
            ("abc", "a", 2),
            ("kitten", "sitting", 3),
            ("roc_acu", "roc_auc", 2),
        ] {
            assert_eq!(edits(a, b), expected, "{a} {b}");
        }
    }
}
