use super::*;
use crate::laws::table::{Cell, Fitted, Fitting, Table};
use crate::laws::wine::check_column;

const CELLS: [&str; 10] = ["a", "b", "a", "c", "b", "a", "b", "c", "a", "d"];
const TWO: [u32; 10] = [1, 0, 1, 1, 0, 0, 1, 1, 1, 0];
const VALUES: [f64; 10] = [1.5, 2.0, 0.5, 4.0, 3.0, 2.5, 1.0, 6.0, 1.0, 2.0];
const THREE: [u32; 10] = [0, 1, 2, 0, 1, 2, 1, 0, 0, 2];

fn table(cells: &[&str]) -> Table {
    Table::new(&[("c", FeatureKind::Category, Cell::texts(cells))])
}

fn fit(cells: &[&str], target: StepTarget<'_>, settings: &[(&str, &str)]) -> Fitted {
    let fitting = Fitting { target: Some(target), ..Fitting::default() };
    table(cells).fit_with(&ENTRY, settings, &fitting).unwrap()
}

/// Values of a, b, c, d and of an unseen category.
fn check(target: StepTarget<'_>, settings: &[(&str, &str)], expected: &[[f64; 5]]) {
    let made = fit(&CELLS, target, settings).run(&table(&["a", "b", "c", "d", "new"]));
    assert_eq!(made.len(), expected.len());
    for (made, expected) in made.iter().zip(expected) {
        // 1e-14 of the value, because sums and a division are rounded.
        check_column(made, expected, 1e-14);
    }
}

#[test]
fn as_scikit_learn() {
    // TargetEncoder(smooth=..., target_type=...).fit(X, y).encodings_, with the target_mean_ behind.
    let (two, three) = (StepTarget::Classes(&TWO, 2), StepTarget::Classes(&THREE, 3));
    let values = StepTarget::Values(&VALUES);
    let auto = &[("how", "auto")];
    check(two, auto, &[[0.7254901960784313, 0.3962264150943396, 1.0, 0.0, 0.6]]);
    check(values, auto, &[[1.4264830124917025, 2.0290788243846714, 4.551227773073666, 2.0, 2.35]]);
    let expected = [
        [0.4793388429752066, 0.0, 1.0, 0.0, 0.4],
        [0.0, 1.0, 0.0, 0.0, 0.3],
        [0.4541284403669725, 0.0, 0.0, 1.0, 0.3],
    ];
    check(three, auto, &expected);
    let expected = [0.6428571428571429, 0.5384615384615384, 0.6666666666666666, 0.5454545454545454, 0.6];
    check(two, &[], &[expected]);
    let expected = [2.0714285714285716, 2.269230769230769, 2.7916666666666665, 2.3181818181818183, 2.35];
    check(values, &[], &[expected]);
    let expected = [
        [0.4571428571428572, 0.2, 0.64, 0.3, 0.4],
        [0.12857142857142856, 0.65, 0.18, 0.225, 0.3],
        [0.41428571428571426, 0.15, 0.18, 0.475, 0.3],
    ];
    check(three, &[("smooth", "3")], &expected);
}

#[test]
fn hand_computed() {
    // Keys of fewer than 2 rows share the mean, 2.35; missing (2 rows, mean 4) is a category of its own.
    let cells = ["a", "b", "a", "", "b", "a", "b", "", "a", "d"];
    let fitted = fit(&cells, StepTarget::Values(&VALUES), &[("smoothing", "2"), ("min_rows", "2")]);
    assert_eq!(fitted.names, ["target mean by \"c\""]);
    let made = fitted.run(&table(&["", "d", "new", "a"]));
    // (10 + 2 * 2.35) / (2 + 2), (5.5 + 2 * 2.35) / (4 + 2).
    check_column(&made[0], &[3.675, 2.35, 2.35, 1.7], 1e-14);
    // A constant target is its own mean by either rule.
    for how in ["fixed", "auto"] {
        let made = fit(&CELLS, StepTarget::Values(&[7.0; 10]), &[("how", how)]).run(&table(&["a", "new"]));
        check_column(&made[0], &[7.0, 7.0], 1e-15);
    }
}

#[test]
fn a_weight_of_two_is_the_row_twice_and_none_is_no_row() {
    let weights = [2.0, 1.0, 1.0, 1.0, 2.0, 0.0, 1.0, 1.0, 1.0, 2.0];
    let of = |how, cells: &[&str], values: &[f64], weights: Option<&[f32]>| {
        let fitting =
            Fitting { target: Some(StepTarget::Values(values)), row_weights: weights, ..Fitting::default() };
        let fitted = table(cells).fit_with(&ENTRY, &[("how", how)], &fitting).unwrap();
        fitted.run(&table(&["a", "b", "c", "d", "new"])).swap_remove(0)
    };
    let twice = |at: usize| std::iter::repeat_n(at, weights[at] as usize);
    let rows: Vec<usize> = (0..10).flat_map(twice).collect();
    let cells: Vec<&str> = rows.iter().map(|&row| CELLS[row]).collect();
    let values: Vec<f64> = rows.iter().map(|&row| VALUES[row]).collect();
    for how in ["fixed", "auto"] {
        let weighed = of(how, &CELLS, &VALUES, Some(&weights));
        check_column(&weighed, &of(how, &cells, &values, None), 1e-14);
    }
}

#[test]
fn no_row_sees_its_own_target() {
    let training = |values: &[f64], settings: &[(&str, &str)]| -> Vec<f64> {
        let fitted = fit(&CELLS, StepTarget::Values(values), settings);
        fitted.training[0].clone().unwrap()
    };
    for settings in [&[][..], &[("how", "auto")], &[("folds", "10"), ("smoothing", "0")], &[("folds", "50")]]
    {
        let before = training(&VALUES, settings);
        for row in 0..10 {
            let mut other = VALUES;
            other[row] = 1e6;
            let after = training(&other, settings);
            assert_eq!(before[row].to_bits(), after[row].to_bits(), "row {row} with {settings:?}");
            // The only `d` counts for no other row, unless by the mean of all.
            let counts = row != 9 || settings.is_empty();
            assert!(!counts || before != after, "row {row} with {settings:?}");
        }
    }
    // One fold a row: a row of `a` has the mean of the other three, the only `d` that of all others.
    let made = training(&VALUES, &[("folds", "10"), ("smoothing", "0")]);
    let expected = [4.0 / 3.0, 2.0, 5.0 / 3.0, 6.0, 1.5, 1.0, 2.5, 4.0, 1.5, 21.5 / 9.0];
    check_column(&made, &expected, 1e-14);
    // A column of three classes has three values a row.
    let three = fit(&CELLS, StepTarget::Classes(&THREE, 3), &[]);
    assert_eq!(three.names[2], "rate of class number 3 by \"c\"");
    for row in 0..10 {
        let sum: f64 = three.training.iter().map(|t| t.as_ref().unwrap()[row]).sum();
        assert!((sum - 1.0).abs() < 1e-14, "row {row}: {sum}");
    }
}

/// Of as many keys as rows nothing can be learnt: all of a fold have one value.
#[test]
fn a_hundred_thousand_keys() {
    let n = 100_000;
    let keys: Vec<Option<String>> = (0..n).map(|i| Some(format!("key {i}"))).collect();
    let labels: Vec<u32> = (0..n as u32).map(|i| u32::from(i % 3 == 0)).collect();
    let table = Table::new(&[("c", FeatureKind::Category, Cell::Text(keys))]);
    let fitting = Fitting { target: Some(StepTarget::Classes(&labels, 2)), ..Fitting::default() };
    let fitted = table.fit_with(&ENTRY, &[], &fitting).unwrap();
    let mut own = fitted.training[0].clone().unwrap();
    own.sort_by(f64::total_cmp);
    own.dedup();
    assert!(own.len() <= 5, "{} values", own.len());
    let made = fitted.run(&table.select(&[0, 1, 3, n - 1]));
    let mean = 33_334.0 / 100_000.0;
    let (yes, no) = ((1.0 + 10.0 * mean) / 11.0, 10.0 * mean / 11.0);
    check_column(&made[0], &[yes, no, yes, yes], 1e-14);
}
