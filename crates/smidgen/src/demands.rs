//! What is demanded of a model, and whether it is met.

use crate::fit_report::Status;
use crate::quantize::MaxDrop;
use metrics::MetricEntry;
use recipe::{Limits, Size};

/// Demands of a score and of the size of the model.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Demands {
    /// The least score; of losses the largest one.
    pub(crate) min_score: Option<f64>,
    /// What it may take.
    pub(crate) limits: Limits,
    /// The most that rounding may cost.
    pub(crate) max_drop: Option<MaxDrop>,
}

/// What a model shows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Reached {
    /// The score that counts.
    pub(crate) score: Option<f64>,
    /// What it takes.
    pub(crate) size: Size,
    /// The scores of integers and of floats, on the same rows.
    pub(crate) rounded: [Option<f64>; 2],
}

impl Demands {
    /// Whether what is reached is as demanded; by how much not.
    pub(crate) fn status(&self, metric: &MetricEntry, reached: Reached) -> Status {
        let mut unmet = Vec::new();
        if let Some(least) = self.min_score {
            let met =
                reached.score.is_some_and(|s| if metric.greater_is_better { s >= least } else { s <= least });
            if !met {
                let word = if metric.greater_is_better { "at least" } else { "at most" };
                let got = reached.score.map_or("undefined".to_owned(), |s| s.to_string());
                unmet.push(format!("{} {got}, {word} {least} was demanded", metric.name));
            }
        }
        let Size { bytes, ns } = reached.size;
        if let Some(most) = self.limits.bytes.filter(|most| bytes > *most) {
            unmet.push(format!("{bytes} bytes, at most {most} were demanded"));
        }
        if let Some(most) = self.limits.ns.filter(|most| ns > *most) {
            let [us, most] = [ns, most].map(|ns| ns / 1e3);
            unmet.push(format!("{us:.3} us a row by the table of costs, at most {most} were demanded"));
        }
        unmet.extend(self.max_drop.and_then(|most| drop_unmet(most, metric, reached.rounded)));
        if unmet.is_empty() { Status::Ok } else { Status::Unmet(unmet) }
    }
}

/// What is said where rounding costs more than it may.
fn drop_unmet(most: MaxDrop, metric: &MetricEntry, rounded: [Option<f64>; 2]) -> Option<String> {
    let [Some(integer), Some(float)] = rounded.map(|score| score.map(|s| metric.error(s))) else {
        return Some(format!(
            "what rounding costs is not known, at most {most} was demanded; give more --time for the fit in floats, and no --ensemble"
        ));
    };
    let drop = integer - float;
    let allowed = match most {
        MaxDrop::Absolute(drop) => drop,
        MaxDrop::Relative(share) => share * float.abs(),
    };
    (drop > allowed)
        .then(|| format!("rounding costs {drop:.6} of {}, at most {most} was demanded", metric.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unmet(metric: &str, demands: Demands, reached: Reached) -> String {
        match demands.status(metrics::metric(metric).unwrap(), reached) {
            Status::Unmet(what) => what.join("; "),
            Status::Ok => String::new(),
        }
    }

    #[test]
    fn losses_are_met_from_above() {
        let limits = Limits { bytes: Some(100), ns: Some(5000.0) };
        let demands = Demands { min_score: Some(0.5), limits, max_drop: None };
        let reached = |score, bytes, ns| Reached { score, size: Size { bytes, ns }, ..Reached::default() };
        assert_eq!(unmet("accuracy", demands, reached(Some(0.5), 100, 5000.0)), "");
        assert_eq!(unmet("log_loss", demands, reached(Some(0.25), 7, 0.0)), "");
        assert_eq!(
            unmet("log_loss", demands, reached(Some(0.75), 101, 5001.5)),
            "log_loss 0.75, at most 0.5 was demanded; 101 bytes, at most 100 were demanded; 5.002 us a row by the table of costs, at most 5 were demanded"
        );
        assert_eq!(
            unmet("accuracy", demands, reached(None, 7, 0.0)),
            "accuracy undefined, at least 0.5 was demanded"
        );
    }

    #[test]
    fn drops_are_of_the_error() {
        let of = |max_drop, rounded| {
            let demands = Demands { max_drop: Some(max_drop), ..Demands::default() };
            unmet("accuracy", demands, Reached { rounded, ..Reached::default() })
        };
        let scores = [Some(0.75), Some(0.8125)];
        assert_eq!(of(MaxDrop::Absolute(0.0625), scores), "");
        assert_eq!(of(MaxDrop::Relative(0.34), scores), "");
        assert_eq!(of(MaxDrop::Absolute(0.0), [Some(0.9), Some(0.8)]), "");
        let told = "rounding costs 0.062500 of accuracy, at most";
        assert_eq!(of(MaxDrop::Absolute(0.0624), scores), format!("{told} 0.0624 was demanded"));
        assert_eq!(of(MaxDrop::Relative(0.25), scores), format!("{told} 25% was demanded"));
        assert!(of(MaxDrop::Absolute(1.0), [Some(0.75), None]).contains("not known"));
    }
}
