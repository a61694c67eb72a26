//! What is demanded of a model, and whether it is met.

use crate::fit_report::Status;
use metrics::MetricEntry;

/// Demands of a score and of the length of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Demands {
    /// The least score; of losses the largest one.
    pub(crate) min_score: Option<f64>,
    /// Largest length of the file.
    pub(crate) max_bytes: Option<u64>,
}

impl Demands {
    /// Whether a score and a length are as demanded; by how much not.
    pub(crate) fn status(&self, metric: &MetricEntry, score: Option<f64>, bytes: u64) -> Status {
        let mut unmet = Vec::new();
        if let Some(least) = self.min_score {
            let met = score.is_some_and(|s| if metric.greater_is_better { s >= least } else { s <= least });
            if !met {
                let word = if metric.greater_is_better { "at least" } else { "at most" };
                let got = score.map_or("undefined".to_owned(), |s| s.to_string());
                unmet.push(format!("{} {got}, {word} {least} was demanded", metric.name));
            }
        }
        if let Some(most) = self.max_bytes.filter(|most| bytes > *most) {
            unmet.push(format!("{bytes} bytes, at most {most} were demanded"));
        }
        if unmet.is_empty() { Status::Ok } else { Status::Unmet(unmet) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_met_from_above() {
        let status = |metric: &str, score: Option<f64>, bytes: u64| {
            let demands = Demands { min_score: Some(0.5), max_bytes: Some(100) };
            demands.status(metrics::metric(metric).unwrap(), score, bytes)
        };
        assert_eq!(status("accuracy", Some(0.5), 100), Status::Ok);
        assert_eq!(status("log_loss", Some(0.25), 7), Status::Ok);
        let unmet = |status: Status| match status {
            Status::Unmet(what) => what.join("; "),
            Status::Ok => String::new(),
        };
        assert_eq!(
            unmet(status("log_loss", Some(0.75), 101)),
            "log_loss 0.75, at most 0.5 was demanded; 101 bytes, at most 100 were demanded"
        );
        assert_eq!(unmet(status("accuracy", None, 7)), "accuracy undefined, at least 0.5 was demanded");
    }
}
