//! Metrics: how good predictions are, on slices.
//!
//! A family: one file per metric or close group, each with its `ENTRY`, all listed in [`METRICS`].
//! The crate knows nothing of tables or models, so every other crate can use it.
//! Inputs are checked once, when [`Classified`] or [`Regressed`] is made; after that a metric can only fail
//! because it is undefined on these rows, which is an error and never NaN.
//!
//! Values are scikit-learn's (1.9), ties and row weights included; `tests/sklearn.rs` compares them.
//! A deviation stands in the documentation of the metric that has it.
//!
//! What is not one number, or needs a number of its own, stands beside the family: [`averages`](averages()),
//! [`Curves`], [`pinball_loss`](pinball_loss()), [`coverage`].
//!
//! Sums run in row order in f64. The same rows give the same bits on any number of threads; between machines
//! only [`log_loss`](log_loss()) may differ in the last bits, because `f64::ln` is the platform's.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may unwrap"))]

mod absolute;
mod accuracy;
mod average_precision;
mod averages;
mod brier;
mod class_sums;
mod confusion;
mod curves;
mod ece;
mod entry;
mod error;
mod f1;
mod intervals;
#[cfg(test)]
mod laws;
mod log_loss;
mod observed;
mod pinball;
mod precision;
mod ranking;
mod recall;
mod roc_auc;
mod row_weights;
mod squared;

pub use averages::{Average, Averages, averages};
pub use confusion::{ClassRow, Confusion, class_table};
pub use curves::{
    Bins, Curves, GainPoint, KolmogorovSmirnov, PrecisionRecallPoint, ReliabilityBin, RocPoint, ThresholdRow,
};
pub use entry::{Compute, MetricEntry, Task};
pub use error::{Error, Field, Kind, Why};
pub use intervals::{Coverage, coverage};
pub use log_loss::log_loss;
pub use observed::{Classified, ClassifiedParts, Observed, Probabilities, Regressed};
pub use pinball::pinball_loss;
pub use squared::mse;

/// Every metric, in the order in which reports print them.
pub static METRICS: &[&MetricEntry] = &[
    &roc_auc::ENTRY,
    &average_precision::ENTRY,
    &accuracy::ACCURACY,
    &accuracy::BALANCED_ACCURACY,
    &precision::PRECISION,
    &recall::RECALL,
    &f1::F1,
    &f1::F1_MACRO,
    &f1::F1_WEIGHTED,
    &precision::PRECISION_WEIGHTED,
    &recall::RECALL_WEIGHTED,
    &log_loss::ENTRY,
    &brier::ENTRY,
    &ece::ENTRY,
    &squared::RMSE,
    &squared::MSE,
    &absolute::MAE,
    &absolute::MEDAE,
    &squared::R2,
];

/// The metric of a name.
/// # Errors
/// `UnknownMetric`, with the nearest name and all known ones.
pub fn metric(name: &str) -> Result<&'static MetricEntry, Error> {
    METRICS
        .iter()
        .copied()
        .find(|entry| entry.name == name)
        .ok_or_else(|| Error::unknown_metric(name, METRICS))
}

/// The metric that a task is judged by unless the user names another.
pub fn default_metric(task: Task) -> &'static MetricEntry {
    match task {
        Task::Binary => &roc_auc::ENTRY,
        Task::Multiclass => &log_loss::ENTRY,
        Task::Regression => &squared::RMSE,
    }
}

/// The score of every metric that applies to the task, in the order of [`METRICS`].
/// A metric that is undefined on these rows carries its error.
pub fn all_scores(observed: &Observed<'_>) -> Vec<(&'static MetricEntry, Result<f64, Error>)> {
    let task = observed.task();
    METRICS
        .iter()
        .filter(|entry| entry.applies_to(task))
        .map(|&entry| (entry, entry.score(observed)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        let names: Vec<_> = METRICS.iter().map(|entry| entry.name).collect();
        assert_eq!(
            names.join(" "),
            "roc_auc average_precision accuracy balanced_accuracy precision recall f1 f1_macro f1_weighted \
             precision_weighted recall_weighted log_loss brier ece rmse mse mae medae r2"
        );
        for name in names {
            assert_eq!(metric(name).unwrap().name, name);
        }
    }

    #[test]
    fn defaults_apply_to_their_task() {
        let names = Task::ALL.iter().map(|&task| {
            let entry = default_metric(task);
            assert!(entry.applies_to(task), "{} does not apply to {task}", entry.name);
            entry.name
        });
        assert_eq!(names.collect::<Vec<_>>(), ["roc_auc", "log_loss", "rmse"]);
    }

    #[test]
    fn an_unknown_name_names_the_nearest() {
        let error = metric("roc_acu").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("unknown metric \"roc_acu\"; did you mean \"roc_auc\"? known: roc_auc, "),
            "{error}"
        );
        let error = metric("throughput").unwrap_err();
        assert!(error.to_string().starts_with("unknown metric \"throughput\"; known: roc_auc, "), "{error}");
    }
}
