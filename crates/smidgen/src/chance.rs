//! Whether a fit found anything: the best of many candidates looks better than chance even where there is nothing to find.

use recipe::{Predictions, Truth};

/// How often chance alone may look so good, over all candidates.
const LEVEL: f64 = 0.01;

/// True if one of so many candidates would predict rows that it has not seen about as well by chance.
///
/// Two classes: the area under the ROC curve, whose deviation by chance is `sqrt((n + 1) / (12 n1 n0))` (Mann and
/// Whitney). Else what a row loses less than by the shares of the classes, or by the mean: logarithmic or squared loss,
/// the mean over rows against its standard error. Bound: `P(Z > z) <= exp(-z^2 / 2) / 2`, times the candidates. Few rows
/// are judged leniently, since the deviation is then large. O(n log n).
pub(crate) fn is_chance(truth: &Truth, predictions: &Predictions, n_candidates: usize) -> bool {
    if let (Truth::Several(each), Predictions::Several(of_each)) = (truth, predictions) {
        // Only where nothing is learnt of any target.
        return each.iter().zip(of_each).all(|(one, predictions)| {
            let (truth, predictions) = one.known_with(predictions);
            is_chance(&truth, &predictions, n_candidates)
        });
    }
    let bound = (2.0 * (0.5 * n_candidates.max(1) as f64 / LEVEL).ln()).max(0.0).sqrt();
    deviations(truth, predictions).is_some_and(|z| z < bound)
}

/// By how many standard deviations predictions are better than those that are alike for all rows.
fn deviations(truth: &Truth, predictions: &Predictions) -> Option<f64> {
    match (truth, predictions) {
        (Truth::Classes { labels, n_classes: 2, .. }, _) => {
            let of_one = labels.iter().filter(|&&l| l == 1).count() as f64;
            let of_other = labels.len() as f64 - of_one;
            let area = truth.score(predictions, metrics::metric("roc_auc").ok()?).ok()??;
            let deviation = ((labels.len() as f64 + 1.0) / (12.0 * of_one * of_other)).sqrt();
            Some((area - 0.5) / deviation)
        }
        (Truth::Classes { labels, n_classes, .. }, Predictions::Classes { probabilities, .. }) => {
            let mut shares = vec![0.0; *n_classes];
            labels.iter().for_each(|&l| shares[l as usize] += 1.0 / labels.len() as f64);
            let loss = |p: f64| -p.max(1e-15).ln();
            let rows = labels.iter().zip(probabilities.chunks_exact(*n_classes));
            of_rows(rows.map(|(&l, p)| loss(shares[l as usize]) - loss(p[l as usize])))
        }
        (Truth::Values(truth), Predictions::Values(values)) => {
            let mean = truth.iter().sum::<f64>() / truth.len().max(1) as f64;
            let squared = |a: f64, b: f64| (a - b) * (a - b);
            of_rows(truth.iter().zip(values).map(|(&y, &p)| squared(y, mean) - squared(y, p)))
        }
        _ => None,
    }
}

/// The mean against its standard error.
fn of_rows(gains: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let n = gains.clone().count() as f64;
    let mean = gains.clone().sum::<f64>() / n;
    let variance = gains.map(|g| (g - mean) * (g - mean)).sum::<f64>() / (n - 1.0);
    let deviations = mean / (variance / n).sqrt();
    deviations.is_finite().then_some(deviations)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 200 rows whose probability of class 1 says something of their class, or nothing.
    fn classes(is_known: bool) -> (Truth, Predictions) {
        let labels: Vec<u32> = (0..200u32).map(|row| u32::from(row * 7 % 10 < 4)).collect();
        let of_one = |row: usize| {
            let noise = (row * 31 % 17) as f64 / 17.0;
            if is_known { 0.5 * f64::from(labels[row]) + 0.5 * noise } else { noise }
        };
        let probabilities = (0..200).flat_map(|row| [1.0 - of_one(row), of_one(row)]).collect();
        let told = (0..200).map(|row| u32::from(of_one(row) > 0.5)).collect();
        let truth = Truth::Classes { labels, n_classes: 2, positive: Some(1) };
        (truth, Predictions::Classes { probabilities, labels: told })
    }

    #[test]
    fn what_is_known_is_not_chance() {
        for (is_known, n_candidates) in [(true, 1), (true, 1000), (false, 1), (false, 1000)] {
            let (truth, predictions) = classes(is_known);
            assert_eq!(is_chance(&truth, &predictions, n_candidates), !is_known, "{is_known} {n_candidates}");
        }
        let values: Vec<f64> = (0..100).map(|i| f64::from(i * 37 % 100)).collect();
        let near: Vec<f64> = values.iter().enumerate().map(|(i, v)| v + (i % 5) as f64).collect();
        let far: Vec<f64> = (0..100).map(|i| f64::from(i * 53 % 100)).collect();
        let truth = Truth::Values(values);
        assert!(!is_chance(&truth, &Predictions::Values(near), 100));
        assert!(is_chance(&truth, &Predictions::Values(far), 100));
        // Where all rows are alike nothing can be said.
        assert!(!is_chance(&Truth::Values(vec![1.0; 9]), &Predictions::Values(vec![1.0; 9]), 1));
    }
}
