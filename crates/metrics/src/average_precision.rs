//! Average precision: the precision-recall curve as one number, in steps.

use crate::entry::{Compute, MetricEntry, Task};
use crate::error::{Error, Kind, Why};
use crate::observed::Classified;
use crate::ranking::{Ranking, Step, macro_average};

/// See [`average_precision`].
pub(crate) static ENTRY: MetricEntry = MetricEntry {
    name: "average_precision",
    doc: "mean precision over the recall gained; multiclass: mean of one class against the rest",
    tasks: Task::CLASSES,
    greater_is_better: true,
    compute: Compute::Classified(average_precision),
};

/// Average precision.
/// `sum_t (R_t - R_(t-1)) P_t` over the distinct scores, largest first; no interpolation.
/// In 0..=1; chance is the share of the class. Multiclass: the plain mean over classes, each against the rest.
/// Tied scores are one step, in any row order. O(n_classes * n log n).
/// # Errors
/// `Undefined` if a class that is asked about has no rows; scikit-learn gives 0 and a warning there.
/// # Source
/// scikit-learn `average_precision_score`, with `average="macro"`.
fn average_precision(rows: &Classified<'_>) -> Result<f64, Error> {
    macro_average(rows, step_area).map_err(|why| Error::new(Kind::Undefined { metric: ENTRY.name, why }))
}

fn step_area(ranking: &Ranking) -> Result<f64, Why> {
    let total = ranking.total;
    if total.hits == 0.0 {
        return Err(Why::NoRows { class: ranking.class });
    }
    let mut sum = 0.0;
    let mut last = Step::default();
    for &step in &ranking.steps {
        sum += (step.hits - last.hits) / total.hits * (step.hits / (step.hits + step.false_alarms));
        last = step;
    }
    // Rounding of weighted sums may pass 1 by an ULP.
    Ok(sum.min(1.0))
}

#[cfg(test)]
mod tests {
    use crate::laws::{Rows, assert_close};

    #[test]
    fn hand_computed() {
        // Going down .8+ .4- .35+ .1-: recall 1/2 at precision 1, then 1/2 more at 2/3.
        let plain = Rows::binary(&[0, 0, 1, 1], &[0.1, 0.4, 0.35, 0.8]);
        // .9+, then .5 for one of each, then .2-: 1/2 at 1, 1/2 at 2/3.
        let tied = Rows::binary(&[0, 0, 1, 1], &[0.2, 0.5, 0.5, 0.9]);
        // Weights 1 2 3 1: recall 1/4 at precision 1, then 3/4 more at 4 / (4 + 2).
        let weighted = plain.clone().weighted(&[1.0, 2.0, 3.0, 1.0]);
        for (rows, expected) in [
            (&plain, 0.5 + 0.5 * 2.0 / 3.0),
            (&tied, 0.5 + 0.5 * 2.0 / 3.0),
            (&weighted, 0.25 + 0.75 * 4.0 / 6.0),
            (&Rows::binary(&[1], &[0.3]), 1.0),
            (&Rows::binary(&[0, 1], &[0.1, 0.9]), 1.0),
            // The worst order: all recall comes last, at the share of the class.
            (&Rows::binary(&[0, 0, 0, 1], &[0.9, 0.8, 0.7, 0.1]), 0.25),
            (&Rows::binary(&[0, 1, 0, 1], &[0.5, 0.5, 0.5, 0.5]), 0.5),
        ] {
            assert_close("average_precision", rows, expected);
        }
    }

    #[test]
    fn without_the_class_it_is_undefined() {
        let error = Rows::binary(&[0, 0], &[0.1, 0.9]).score("average_precision").unwrap_err();
        assert_eq!(error.to_string(), "average_precision: undefined on these rows: no row is of class 1");
    }
}
