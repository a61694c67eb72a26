use super::*;
use metrics::metric;

/// Numbers in 0..1.
fn noise(seed: u64, n: usize) -> Vec<f64> {
    let mut random = SplitMix64::new(seed);
    (0..n).map(|_| (random.next_word() >> 11) as f64 / (1_u64 << 53) as f64).collect()
}

fn interval(observed: &Observed<'_>, name: &str, seed: u64, n_threads: usize) -> Option<[f64; 2]> {
    let threads = Threads::try_new(n_threads).unwrap();
    score_interval(observed, metric(name).unwrap(), Seed(seed), &threads).unwrap()
}

/// `n` rows of two classes: labels, predicted labels, probabilities.
fn classes(seed: u64, n: usize) -> (Vec<u32>, Vec<u32>, Vec<f64>) {
    let (y, x) = (noise(seed, n), noise(seed + 1, n));
    let labels: Vec<u32> = y.iter().map(|&y| u32::from(y < 0.4)).collect();
    let positive: Vec<f64> =
        labels.iter().zip(&x).map(|(&label, x)| 0.6 * x + 0.4 * f64::from(label)).collect();
    let predicted = positive.iter().map(|&p| u32::from(p > 0.5)).collect();
    (labels, predicted, positive.iter().flat_map(|&p| [1.0 - p, p]).collect())
}

fn classified<'a>(
    (labels, predicted, probabilities): &'a (Vec<u32>, Vec<u32>, Vec<f64>),
    row_weights: Option<&'a [f64]>,
) -> Observed<'a> {
    let parts = ClassifiedParts {
        labels,
        predicted,
        probabilities: Probabilities::F64(probabilities),
        n_classes: 2,
        positive: None,
        row_weights,
    };
    Observed::Classified(Classified::try_new(parts).unwrap())
}

#[test]
fn quantiles_are_interpolated() {
    let values: Vec<f64> = (0..201).map(f64::from).collect();
    assert_eq!([quantile(&values, 0.025), quantile(&values, 0.975)], [5.0, 195.0]);
    assert_eq!(quantile(&[1.0, 2.0], 0.25), 1.25);
    assert_eq!(quantile(&[3.0], 0.975), 3.0);
}

#[test]
fn an_accuracy_has_the_interval_of_a_share() {
    // Of 1000 rows 800 are right: 0.8 +- 1.96 sqrt(0.8 * 0.2 / 1000) = 0.8 +- 0.0248. The ends of 200 replicates have a
    // standard error of about 0.0025; four of them are allowed.
    let labels = vec![1; 1000];
    let predicted: Vec<u32> = (0..1000).map(|row| u32::from(row % 5 != 0)).collect();
    let probabilities = [0.5, 0.5].repeat(1000);
    let rows = (labels, predicted, probabilities);
    let [low, high] = interval(&classified(&rows, None), "accuracy", 0, 1).unwrap();
    assert!((low - 0.7752).abs() < 0.01 && (high - 0.8248).abs() < 0.01, "{low} {high}");
}

#[test]
fn a_mean_of_many_rows_has_the_interval_of_a_mean() {
    // Squared errors of uniform residuals: mean 1/12, standard deviation 1 / sqrt(180); n = 250,000 draws 100,000.
    let n = 250_000;
    let targets: Vec<f64> = noise(7, n).iter().map(|x| x - 0.5).collect();
    let predictions = vec![0.0; n];
    let observed = Observed::Regressed(Regressed::try_new(&targets, &predictions, None).unwrap());
    let score = metric("mse").unwrap().score(&observed).unwrap();
    let [low, high] = interval(&observed, "mse", 3, 2).unwrap();
    let half = 1.96 / (180.0 * n as f64).sqrt();
    for got in [score - low, high - score] {
        assert!((got / half - 1.0).abs() < 0.4, "{got}, expected about {half}");
    }
}

#[test]
fn intervals_hold_the_true_value_about_as_often_as_they_say() {
    // The area of these scores over all rows: P(0.6 u + 0.4 > 0.6 v) = 1 - (1/3)^2 / 2 = 17/18. Of 100 tables, 95 are
    // expected, with a standard deviation of 2.2; percentile intervals of skewed scores fall a little short.
    let held = (0..100).filter(|&seed| {
        let rows = classes(1000 + 2 * seed, 300);
        let [low, high] = interval(&classified(&rows, None), "roc_auc", seed, 2).unwrap();
        (low..=high).contains(&(17.0 / 18.0))
    });
    let held = held.count();
    assert!((87..=100).contains(&held), "{held}");
}

#[test]
fn threads_change_nothing_and_the_seed_does() {
    let rows = classes(5, 500);
    let observed = classified(&rows, None);
    for name in ["roc_auc", "f1", "log_loss"] {
        let one = interval(&observed, name, 1, 1);
        assert!(one.is_some());
        assert_eq!(one, interval(&observed, name, 1, 3), "{name}");
        assert_ne!(one, interval(&observed, name, 2, 1), "{name}");
    }
}

#[test]
fn draws_are_the_rows_in_order_with_their_counts() {
    let rows = classes(5, 50);
    let observed = classified(&rows, None);
    let draws = Draws::of(&observed, Seed(9)).unwrap();
    assert_eq!((draws.n_drawn, draws.shrink), (50, 1.0));
    let drawn = draws.draw(0);
    assert_eq!(drawn.iter().map(|d| d.times).sum::<f64>(), 50.0);
    assert!(drawn.windows(2).all(|w| rows.2[2 * w[0].row + 1] >= rows.2[2 * w[1].row + 1]));
    assert_ne!(drawn, draws.draw(1));
}

#[test]
fn rows_of_weight_zero_are_never_seen() {
    let rows = classes(5, 200);
    let weights: Vec<f64> = rows.0.iter().map(|&label| f64::from(label)).collect();
    let observed = classified(&rows, Some(&weights));
    assert_eq!(interval(&observed, "roc_auc", 0, 1), None, "one class is left");
    // Recall of rows of the one class.
    assert!(interval(&observed, "recall", 0, 1).is_some());
    let one =
        noise(1, 200).iter().enumerate().map(|(row, _)| f64::from(u8::from(row == 3))).collect::<Vec<_>>();
    let observed = classified(&rows, Some(&one));
    let score = metric("accuracy").unwrap().score(&observed).unwrap();
    // The one row is drawn in 63 of 100 replicates; the others are left out.
    assert_eq!(interval(&observed, "accuracy", 0, 1), Some([score; 2]));
}

#[test]
fn few_rows() {
    let two = (vec![0, 1], vec![0, 1], vec![0.9, 0.1, 0.1, 0.9]);
    // Half of the draws hold both classes.
    let observed = classified(&two, None);
    assert!(interval(&observed, "roc_auc", 0, 1).is_none_or(|ends| ends == [1.0, 1.0]));
    assert_eq!(interval(&observed, "accuracy", 0, 1), Some([1.0, 1.0]));
    let one = Observed::Regressed(Regressed::try_new(&[1.0], &[2.0], None).unwrap());
    assert_eq!(interval(&one, "rmse", 0, 1), None);
    let constant = Observed::Regressed(Regressed::try_new(&[1.0; 9], &[2.0; 9], None).unwrap());
    assert_eq!(interval(&constant, "r2", 0, 1), None);
    assert_eq!(interval(&constant, "rmse", 0, 1), Some([1.0, 1.0]));
}

#[test]
fn a_metric_of_another_task_is_refused() {
    let rows = Observed::Regressed(Regressed::try_new(&[1.0, 2.0], &[1.0, 2.0], None).unwrap());
    let error = score_interval(&rows, metric("f1").unwrap(), Seed(0), &Threads::one()).unwrap_err();
    assert!(matches!(error.kind(), Kind::Unsupported { metric: "f1", .. }), "{error}");
}
