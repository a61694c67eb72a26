use super::*;
use crate::laws::table::{Cell, Fitting, Table};
use crate::laws::wine;

#[test]
fn as_scikit_learn() {
    // mutual_info_score(classes, np.searchsorted(np.quantile(x, np.linspace(0, 1, n + 1))[1:-1], x, "right")).
    let classes = wine::classes();
    for (n, expected) in [
        (8, [0.4649303210323057, 0.30769175301217444, 0.5777279543471425]),
        (16, [0.5001797420701463, 0.36524419280063064, 0.6096140616489641]),
    ] {
        for (name, expected) in wine::NAMES.into_iter().zip(expected) {
            let told = information(&binned(&wine::column(name), n), &classes);
            // Abs { eps: 1e-14, because: tens of terms below 1 are rounded }
            assert!((told.nats - expected).abs() < 1e-14, "{name}: {} for {expected}", told.nats);
            let chance = (n - 1) as f64 * 2.0 / (2.0 * 178.0);
            assert!((told.by_chance - chance).abs() < 1e-15, "{name}: {}", told.by_chance);
        }
    }
    // The same of binned proline.
    let proline = binned(&wine::column("proline"), 8);
    for (name, expected) in [("alcohol", 0.36184761047438524), ("malic_acid", 0.2999837693419966)] {
        let told = information(&binned(&wine::column(name), 8), &proline);
        assert!((told.nats - expected).abs() < 1e-14, "{name}: {} for {expected}", told.nats);
    }
}

#[test]
fn bins_by_hand() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    // Quantiles of four bins: 0, 1, 2, 3, 4.
    assert_eq!(binned(&[4.0, 0.0, 1.0, nan, 2.0, 3.0, inf, -inf], 4), [3, 0, 1, 5, 2, 3, 3, 0]);
    assert_eq!(binned(&[7.0, nan, 7.0], 4), [0, 1, 0]);
    assert_eq!(binned(&[nan; 2], 4), [0, 0]);
    let all = information(&[0, 0, 1, 1], &[5, 5, 3, 3]);
    assert!((all.nats - 2f64.ln()).abs() < 1e-15 && all.by_chance == 0.125);
    assert!(information(&[0, 1, 0, 1], &[0, 0, 1, 1]).nats.abs() < 1e-15);
}

#[test]
fn the_best_columns_go_on() {
    let n = 120;
    let of = |f: &dyn Fn(usize) -> String| Cell::Text((0..n).map(|i| Some(f(i))).collect());
    let number = |f: &dyn Fn(usize) -> f64| Cell::Real((0..n).map(f).collect());
    let table = Table::new(&[
        // As many categories as rows tell everything, and nothing.
        ("own", FeatureKind::Category, of(&|i| i.to_string())),
        ("half", FeatureKind::Category, of(&|i| (i % 4 / 2).to_string())),
        ("same", FeatureKind::Category, of(&|_| "a".to_owned())),
        // A parabola has no correlation but tells much.
        ("curved", FeatureKind::Number, number(&|i| (i % 4) as f64 - 1.5)),
        // Missing is a value of its own.
        ("holes", FeatureKind::Number, number(&|i| if i % 2 == 0 { f64::NAN } else { 1.0 })),
        ("noise", FeatureKind::Number, number(&|i| (i * 7 % 11) as f64)),
    ]);
    let kept = |target, k| {
        let fitting = Fitting { target: Some(target), ..Fitting::default() };
        table.fit_with(&ENTRY, &[("k", k)], &fitting).unwrap().kept
    };
    let inner: Vec<u32> = (0..n as u32).map(|i| u32::from(matches!(i % 4, 1 | 2))).collect();
    assert_eq!(kept(StepTarget::Classes(&inner, 2), "1"), ["curved"]);
    let odd: Vec<u32> = (0..n as u32).map(|i| i % 2).collect();
    assert_eq!(kept(StepTarget::Classes(&odd, 2), "2"), ["curved", "holes"]);
    let squares: Vec<f64> = (0..n).map(|i| ((i % 4) as f64 - 1.5).powi(2) + i as f64 / 1e6).collect();
    assert_eq!(kept(StepTarget::Values(&squares), "1"), ["curved"]);
}
