use super::*;
use crate::laws::table::{Cell, Fitting, Table};
use crate::laws::wine;

/// Sums of a column by class, and rows of each class.
fn sums(column: &[f64]) -> (Vec<f64>, Vec<u64>) {
    let (mut sums, mut rows) = (vec![0.0; 3], vec![0; 3]);
    for (&x, class) in column.iter().zip(wine::classes()) {
        sums[class as usize] += x;
        rows[class as usize] += 1;
    }
    (sums, rows)
}

#[test]
fn as_scikit_learn() {
    // chi2(X, classes)[0].
    for (name, expected) in
        wine::NAMES.into_iter().zip([5.445498824971946, 28.068604567158026, 16540.06714505326])
    {
        let (sums, rows) = sums(&wine::column(name));
        let (got, df) = chi2(&[sums], &rows);
        // 1e-11 of the value, because sums of 178 numbers are rounded.
        assert!((got - expected).abs() <= 1e-11 * expected, "{name}: {got} for {expected}");
        assert_eq!(df, 2.0);
    }
    // The sum of chi2(OneHotEncoder().fit_transform(keys), classes)[0], keys malic acid below 1.5, 2.5, 3.5, above.
    let malic = wine::column("malic_acid");
    let of_key = |k: usize| {
        let is = |m: &f64| f64::from(u8::from([1.5, 2.5, 3.5].iter().filter(|&e| m >= e).count() == k));
        sums(&malic.iter().map(is).collect::<Vec<_>>())
    };
    let amounts: Vec<Vec<f64>> = (0..4).map(|k| of_key(k).0).collect();
    let (got, _) = chi2(&amounts, &of_key(0).1);
    assert!((got - 95.01068718637787).abs() < 1e-11, "{got}");
}

#[test]
fn the_best_columns_go_on() {
    let names = ["ash", "alcohol", "magnesium", "malic_acid", "proline", "flavanoids", "hue"];
    let columns: Vec<Vec<f64>> = names.iter().map(|name| wine::column(name)).collect();
    let columns: Vec<(&str, &[f64])> = names.into_iter().zip(columns.iter().map(|v| &v[..])).collect();
    let table = Table::numbers(&columns);
    let classes = wine::classes();
    let fitting = Fitting { target: Some(StepTarget::Classes(&classes, 3)), ..Fitting::default() };
    let kept = |k| table.fit_with(&ENTRY, &[("k", k)], &fitting).unwrap().kept;
    // By chi2: proline, flavanoids, magnesium, malic_acid, alcohol, hue, ash.
    assert_eq!(kept("1"), ["proline"]);
    assert_eq!(kept("3"), ["magnesium", "proline", "flavanoids"]);
    assert_eq!(kept("5"), ["alcohol", "magnesium", "malic_acid", "proline", "flavanoids"]);
    assert!(!kept("6").contains(&"ash".to_owned()));
}

#[test]
fn odd_columns() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let number = |name, v: [f64; 6]| (name, FeatureKind::Number, Cell::Real(v.to_vec()));
    let category = |name, cells: [&str; 6]| (name, FeatureKind::Category, Cell::texts(&cells));
    let table = Table::new(&[
        number("zeros", [0.0; 6]),
        number("none", [nan; 6]),
        number("minus", [1.0, -1.0, 1.0, 1.0, 1.0, 1.0]),
        number("parts", [1.0, 3.0, 1.0, 9.0, 8.0, 9.0]),
        number("holes", [1.0, nan, 1.0, 1.0, inf, 3.0]),
        category("word", ["a", "a", "", "b", "b", "b"]),
        category("one", ["a"; 6]),
    ]);
    let classes = [0, 0, 0, 1, 1, 1];
    let fitting = |target| Fitting { target: Some(target), ..Fitting::default() };
    let two = fitting(StepTarget::Classes(&classes, 2));
    let kept = |k| table.fit_with(&ENTRY, &[("k", k)], &two).unwrap().kept;
    // `parts`: sums 5 and 26 for 15.5 each, 2 * 10.5^2 / 15.5 = 14.2 of one degree; `word`: 6 of two.
    assert_eq!(kept("1"), ["minus", "parts"]);
    assert_eq!(kept("2"), ["minus", "parts", "word"]);
    // `holes`: sums 2 of two rows and 4 of two, 0.67; what has no amount or one category is last.
    assert_eq!(kept("3"), ["minus", "parts", "holes", "word"]);
    let error = table.fit_with(&ENTRY, &[], &fitting(StepTarget::Values(&[0.5; 6]))).err().unwrap();
    assert_eq!(error.to_string(), "select_chi2: it is defined for classes, not for a regression task");
}
