use super::*;
use crate::laws::Rows;

/// Going down: .8 of the class, .4 not, .35 of the class, .1 not.
fn plain() -> Rows {
    Rows::binary(&[0, 0, 1, 1], &[0.1, 0.4, 0.35, 0.8])
}

fn curves(rows: &Rows) -> Curves {
    Curves::try_new(&rows.classified(), None).unwrap()
}

#[test]
fn roc_by_hand() {
    let point = |(threshold, false_positive_rate, true_positive_rate)| RocPoint {
        threshold,
        false_positive_rate,
        true_positive_rate,
    };
    let expected =
        [(f64::INFINITY, 0.0, 0.0), (0.8, 0.0, 0.5), (0.4, 0.5, 0.5), (0.35, 0.5, 1.0), (0.1, 1.0, 1.0)];
    assert_eq!(curves(&plain()).roc(100).unwrap(), expected.map(point));
    // Weights 1 2 3 1, and ties joined: .5 holds both kinds.
    let tied = Rows::binary(&[0, 0, 1, 1], &[0.1, 0.5, 0.5, 0.8]).weighted(&[1.0, 2.0, 3.0, 1.0]);
    let expected = [(f64::INFINITY, 0.0, 0.0), (0.8, 0.0, 0.25), (0.5, 2.0 / 3.0, 1.0), (0.1, 1.0, 1.0)];
    assert_eq!(curves(&tied).roc(100).unwrap(), expected.map(point));
    assert_eq!(curves(&tied).roc(0).unwrap(), [expected[0], expected[3]].map(point));
}

#[test]
fn precision_recall_by_hand() {
    let point = |(threshold, precision, recall)| PrecisionRecallPoint { threshold, precision, recall };
    let expected = [(0.8, 1.0, 0.5), (0.4, 0.5, 0.5), (0.35, 2.0 / 3.0, 1.0), (0.1, 0.5, 1.0)];
    assert_eq!(curves(&plain()).precision_recall(100).unwrap(), expected.map(point));
}

#[test]
fn gain_by_hand() {
    let point = |(threshold, share, gain, lift)| GainPoint { threshold, share, gain, lift };
    let expected =
        [(0.8, 0.25, 0.5, 2.0), (0.4, 0.5, 0.5, 1.0), (0.35, 0.75, 1.0, 4.0 / 3.0), (0.1, 1.0, 1.0, 1.0)];
    assert_eq!(curves(&plain()).gain(100).unwrap(), expected.map(point));
}

#[test]
fn kolmogorov_smirnov_by_hand() {
    let of = |rows: &Rows| curves(rows).kolmogorov_smirnov().unwrap();
    assert_eq!(of(&plain()), KolmogorovSmirnov { distance: 0.5, threshold: 0.8 });
    // The wrong way round is as far apart.
    let reversed = Rows::binary(&[1, 1, 0, 0], &[0.1, 0.2, 0.7, 0.9]);
    assert_eq!(of(&reversed), KolmogorovSmirnov { distance: 1.0, threshold: 0.7 });
    let constant = Rows::binary(&[0, 1], &[0.5, 0.5]);
    assert_eq!(of(&constant), KolmogorovSmirnov { distance: 0.0, threshold: 0.5 });
}

#[test]
fn reliability_by_hand() {
    let bin = |(mean_probability, observed, rows)| ReliabilityBin { mean_probability, observed, rows };
    let rows = Rows::binary(&[0, 0, 1, 1], &[0.125, 0.5, 0.25, 0.875]);
    // .5 belongs to the left of two bins.
    let expected = [(0.875 / 3.0, 1.0 / 3.0, 3.0), (0.875, 1.0, 1.0)];
    assert_eq!(curves(&rows).reliability(Bins::EqualWidth(2)), expected.map(bin));
    let expected = [(0.1875, 0.5, 2.0), (0.6875, 0.5, 2.0)];
    assert_eq!(curves(&rows).reliability(Bins::EqualCount(2)), expected.map(bin));
    // Weights 1 0 1 2: half of the weight is at .875.
    let weighted = rows.weighted(&[1.0, 0.0, 1.0, 2.0]);
    let expected = [(0.1875, 0.5, 2.0), (0.875, 1.0, 2.0)];
    assert_eq!(curves(&weighted).reliability(Bins::EqualCount(2)), expected.map(bin));
    let constant = Rows::binary(&[0, 1], &[0.5, 0.5]);
    for bins in [Bins::EqualWidth(0), Bins::EqualWidth(9), Bins::EqualCount(0), Bins::EqualCount(7)] {
        assert_eq!(curves(&constant).reliability(bins), [bin((0.5, 0.5, 2.0))]);
    }
}

#[test]
fn thresholds_by_hand() {
    let rows = curves(&plain()).at_thresholds(&[0.4, 0.9, f64::NAN, 0.0]);
    let row = |threshold, [precision, recall, f1, balanced_accuracy, share_positive]: [f64; 5]| {
        ThresholdRow { threshold, precision, recall, f1, balanced_accuracy, share_positive }
    };
    assert_eq!(rows[0], row(0.4, [0.5, 0.5, 0.5, 0.5, 0.5]));
    assert_eq!(rows[1], row(0.9, [0.0, 0.0, 0.0, 0.5, 0.0]));
    assert_eq!((rows[2].recall, rows[2].share_positive), (0.0, 0.0));
    assert_eq!(rows[3], row(0.0, [0.5, 1.0, 2.0 / 3.0, 0.5, 1.0]));
    let one_class = curves(&Rows::binary(&[1, 1], &[0.2, 0.8])).at_thresholds(&[0.5]);
    assert_eq!(one_class[0], row(0.5, [1.0, 0.5, 2.0 / 3.0, 0.5, 0.5]));
    let none = curves(&Rows::binary(&[0, 0], &[0.2, 0.8])).at_thresholds(&[0.5]);
    assert_eq!(none[0], row(0.5, [0.0, 0.0, 0.0, 0.5, 0.5]));
}

#[test]
fn one_class_is_undefined_or_defined() {
    let (none, only) = (Rows::binary(&[0, 0], &[0.2, 0.8]), Rows::binary(&[1, 1], &[0.2, 0.8]));
    let (none, only) = (curves(&none), curves(&only));
    let said = [
        none.roc(9).unwrap_err(),
        only.roc(9).unwrap_err(),
        none.precision_recall(9).unwrap_err(),
        none.gain(9).unwrap_err(),
        only.kolmogorov_smirnov().unwrap_err(),
    ];
    assert_eq!(
        said.map(|error| error.to_string()),
        [
            "roc_curve: undefined on these rows: no row is of class 1",
            "roc_curve: undefined on these rows: all rows are of class 1",
            "precision_recall_curve: undefined on these rows: no row is of class 1",
            "gain_curve: undefined on these rows: no row is of class 1",
            "kolmogorov_smirnov: undefined on these rows: all rows are of class 1",
        ]
    );
    assert!(only.precision_recall(9).unwrap().iter().all(|point| point.precision == 1.0));
    assert!(only.gain(9).unwrap().iter().all(|point| point.lift == 1.0));
}

#[test]
fn one_class_against_the_rest() {
    let rows = Rows::classes(&[0, 1, 2], &[0.6, 0.3, 0.1, 0.2, 0.5, 0.3, 0.5, 0.3, 0.2], 3);
    let of = |class| Curves::try_new(&rows.classified(), Some(class));
    assert_eq!(of(0).unwrap().kolmogorov_smirnov().unwrap().distance, 1.0);
    assert_eq!(of(0).unwrap().class(), 0);
    assert_eq!(of(2).unwrap().kolmogorov_smirnov().unwrap().distance, 0.5);
    assert!(
        matches!(of(3), Err(error) if matches!(error.kind(), Kind::PositiveRange { got: 3, n_classes: 3 }))
    );
}

#[test]
fn thinned_curves_keep_their_area() {
    let n = 5000_u32;
    let hash = |i: u32| f64::from(i.wrapping_mul(2_654_435_769) >> 8) / f64::from(1 << 24);
    let labels: Vec<u32> = (0..n).map(|i| u32::from(hash(i) < 0.3)).collect();
    let score = |i: u32| 0.7 * hash(i + n) + 0.3 * f64::from(labels[i as usize]);
    let scores: Vec<f64> = (0..n).map(score).collect();
    let curves = curves(&Rows::binary(&labels, &scores));
    let roc = |max| {
        let points = curves.roc(max).unwrap();
        let area = |w: &[RocPoint]| {
            (w[1].false_positive_rate - w[0].false_positive_rate)
                * (w[1].true_positive_rate + w[0].true_positive_rate)
                / 2.0
        };
        (points.len(), points.windows(2).map(area).sum::<f64>())
    };
    let ((all, whole), (few, thinned)) = (roc(usize::MAX), roc(200));
    assert!(all > 4000 && few <= 200 && (whole - thinned).abs() < 5e-4, "{all} {few}: {whole} {thinned}");
    let pr = |max| {
        let points = curves.precision_recall(max).unwrap();
        let area = |w: &[PrecisionRecallPoint]| {
            (w[1].recall - w[0].recall) * (w[1].precision + w[0].precision) / 2.0
        };
        (points.len(), points.windows(2).map(area).sum::<f64>())
    };
    let ((_, whole), (few, thinned)) = (pr(usize::MAX), pr(200));
    assert!(few <= 200 && (whole - thinned).abs() < 2e-3, "{few}: {whole} {thinned}");
}
