//! Area under the ROC curve: does a row of the class score higher than a row of another?

use crate::entry::{Compute, MetricEntry, Task};
use crate::error::{Error, Kind, Why};
use crate::observed::Classified;
use crate::ranking::{Ranking, Step, macro_average};

/// See [`roc_auc`].
pub(crate) static ENTRY: MetricEntry = MetricEntry {
    name: "roc_auc",
    doc: "area under the ROC curve; multiclass: mean of one class against the rest",
    tasks: Task::CLASSES,
    greater_is_better: true,
    compute: Compute::Classified(roc_auc),
};

/// Area under the ROC curve.
/// `P(s_pos > s_neg) + P(s_pos = s_neg) / 2` over pairs of a positive and a negative row, drawn by weight.
/// In 0..=1; 0.5 is chance. Multiclass: the plain mean over classes, each against the rest.
/// Tied scores count half, in any row order. O(n_classes * n log n).
/// # Errors
/// `Undefined` if a class that is asked about has no rows, or all of them.
/// # Source
/// Fawcett, Pattern Recognition Letters 27, 2006, algorithm 2; scikit-learn `roc_auc_score(multi_class="ovr")`.
fn roc_auc(rows: &Classified<'_>) -> Result<f64, Error> {
    macro_average(rows, area).map_err(|why| Error::new(Kind::Undefined { metric: ENTRY.name, why }))
}

fn area(ranking: &Ranking) -> Result<f64, Why> {
    let total = ranking.total;
    if total.hits == 0.0 {
        return Err(Why::NoRows { class: ranking.class });
    }
    if total.false_alarms == 0.0 {
        return Err(Why::OnlyRows { class: ranking.class });
    }
    let mut twice = 0.0;
    let mut last = Step::default();
    for &step in &ranking.steps {
        twice += (step.false_alarms - last.false_alarms) * (step.hits + last.hits);
        last = step;
    }
    // Rounding of weighted sums may pass 1 by an ULP.
    Ok((twice * 0.5 / total.hits / total.false_alarms).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::{Rows, assert_close};

    #[test]
    fn hand_computed() {
        // Positives score .35 and .8, negatives .1 and .4: of 4 pairs, 3 are in order.
        let plain = Rows::binary(&[0, 0, 1, 1], &[0.1, 0.4, 0.35, 0.8]);
        // One pair of the 4 is tied and counts half: (.5 beats .2) + (.5 ties .5) / 2 + (.9 beats both) = 3.5.
        let tied = Rows::binary(&[0, 0, 1, 1], &[0.2, 0.5, 0.5, 0.9]);
        // Weights: pairs weigh w_pos * w_neg. Ordered: .35 > .1 (3), .8 > .1 (1), .8 > .4 (2); of 4 * 3 = 12: 6 / 12.
        let weighted = plain.clone().weighted(&[1.0, 2.0, 3.0, 1.0]);
        for (rows, expected) in [
            (&plain, 0.75),
            (&tied, 0.875),
            (&weighted, 0.5),
            (&Rows::binary(&[0, 1], &[0.5, 0.5]), 0.5),
            (&Rows::binary(&[0, 1], &[0.1, 0.9]), 1.0),
            (&Rows::binary(&[0, 1], &[0.9, 0.1]), 0.0),
            (&Rows::binary(&[0, 1, 1], &[-0.0, 0.0, 0.0]), 0.5),
        ] {
            assert_close("roc_auc", rows, expected);
        }
    }

    #[test]
    fn multiclass_is_the_mean_of_one_against_the_rest() {
        // Class 0 scores .6 | .2 .5: 1. Class 1 scores .5 | .3 .3: 1. Class 2 scores .2 | .1 .3: 1 of 2 pairs.
        let rows = Rows::classes(&[0, 1, 2], &[0.6, 0.3, 0.1, 0.2, 0.5, 0.3, 0.5, 0.3, 0.2], 3);
        assert_close("roc_auc", &rows, 2.5 / 3.0);
    }

    #[test]
    fn one_class_is_undefined() {
        for (labels, why) in [([0, 0], "no row is of class 1"), ([1, 1], "all rows are of class 1")] {
            let error = Rows::binary(&labels, &[0.1, 0.9]).score("roc_auc").unwrap_err();
            assert_eq!(error.to_string(), format!("roc_auc: undefined on these rows: {why}"));
        }
        // A row of weight 0 is absent.
        let rows = Rows::binary(&[0, 1], &[0.1, 0.9]).weighted(&[0.0, 1.0]);
        let undefined = Kind::Undefined { metric: "roc_auc", why: Why::OnlyRows { class: 1 } };
        assert_eq!(rows.score("roc_auc").unwrap_err().kind(), &undefined);
    }
}
