use super::*;
use crate::laws::table::{Cell, Fitting, Table};
use crate::laws::wine;
use jobs::{Seed, Threads};

const NAN: f64 = f64::NAN;

/// F of a column on the wine table's classes or proline.
fn check(f: &F, value: f64, df1: f64, df2: f64) {
    // 1e-11 of the value, because sums of 178 squares are rounded.
    assert!((f.value - value).abs() <= 1e-11 * value, "{f:?} for {value}");
    assert_eq!((f.df1, f.df2), (df1, df2));
}

#[test]
fn as_scikit_learn() {
    // f_classif(X, classes)[0].
    let classes = wine::classes();
    let expected = [135.07762424283948, 36.94342496318376, 207.92037390217828];
    for (name, expected) in wine::NAMES.into_iter().zip(expected) {
        check(&one_way(&wine::column(name), &classes), expected, 2.0, 175.0);
    }
    // f_oneway of proline by malic acid below 1.5, 2.5, 3.5 and above.
    let keys = wine::column("malic_acid")
        .into_iter()
        .map(|m| [1.5, 2.5, 3.5].iter().filter(|&&e| m >= e).count() as u32);
    check(&one_way(&wine::column("proline"), &keys.collect::<Vec<u32>>()), 12.864111525952717, 3.0, 174.0);
    // f_regression(X[:, :2], X[:, 2])[0].
    let proline = wine::column("proline");
    for (name, expected) in [("alcohol", 124.5338674731965), ("malic_acid", 6.737164172120228)] {
        let column = wine::column(name);
        let columns = [ir::Column::try_new(ir::ColumnData::F64(&column), None).unwrap()];
        let cells = crate::transform::Cells::Chunks(&columns);
        let columns = [crate::transform::StepColumn { name, kind: FeatureKind::Number, cells }];
        let rows: Vec<u32> = (0..178).collect();
        let input = StepInput {
            columns: &columns,
            rows: &rows,
            target: None,
            row_weights: None,
            seed: Seed(0),
            threads: &Threads::one(),
        };
        check(&linear(&input, 0, &proline), expected, 1.0, 176.0);
    }
}

#[test]
fn the_best_columns_go_on() {
    let columns: Vec<(&str, Vec<f64>)> =
        ["ash", "alcohol", "magnesium", "malic_acid", "proline", "flavanoids", "hue"]
            .into_iter()
            .map(|name| (name, wine::column(name)))
            .collect();
    let columns: Vec<(&str, &[f64])> = columns.iter().map(|(name, v)| (*name, &v[..])).collect();
    let table = Table::numbers(&columns);
    let classes = wine::classes();
    let fitting = Fitting { target: Some(StepTarget::Classes(&classes, 3)), ..Fitting::default() };
    let kept = |k| table.fit_with(&ENTRY, &[("k", k)], &fitting).unwrap().kept;
    // By f_classif: flavanoids, proline, alcohol, hue, malic_acid, ash, magnesium.
    assert_eq!(kept("1"), ["flavanoids"]);
    assert_eq!(kept("2"), ["proline", "flavanoids"]);
    assert_eq!(kept("4"), ["alcohol", "proline", "flavanoids", "hue"]);
    assert_eq!(kept("6"), ["ash", "alcohol", "malic_acid", "proline", "flavanoids", "hue"]);
}

#[test]
fn odd_columns() {
    let number = |name, v: [f64; 6]| (name, FeatureKind::Number, Cell::Real(v.to_vec()));
    let category = |name, cells: [&str; 6]| (name, FeatureKind::Category, Cell::texts(&cells));
    let table = Table::new(&[
        number("same", [0.1; 6]),
        number("none", [NAN; 6]),
        number("parts", [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]),
        number("holes", [1.0, NAN, 1.5, 2.0, f64::INFINITY, 2.5]),
        number("noise", [1.0, 2.0, 3.0, 1.0, 2.0, 3.5]),
        category("word", ["a", "a", "", "b", "b", "b"]),
        category("own", ["1", "2", "3", "4", "5", "6"]),
    ]);
    let classes = [0, 0, 0, 1, 1, 1];
    let fitting = Fitting { target: Some(StepTarget::Classes(&classes, 2)), ..Fitting::default() };
    let kept = |fitting: &Fitting<'_>, k| table.fit_with(&ENTRY, &[("k", k)], fitting).unwrap().kept;
    // Categories go on uncounted where there are classes.
    assert_eq!(kept(&fitting, "1"), ["parts", "word", "own"]);
    assert_eq!(kept(&fitting, "2"), ["parts", "holes", "word", "own"]);
    assert_eq!(kept(&fitting, "3"), ["parts", "holes", "noise", "word", "own"]);
    // `word` tells the numbers of the target but for a little, `own` has no row to spare.
    let values = [1.0, 1.1, 3.0, 2.0, 2.1, 2.05];
    let fitting = Fitting { target: Some(StepTarget::Values(&values)), ..Fitting::default() };
    assert_eq!(kept(&fitting, "1"), ["word"]);
    assert!(!kept(&fitting, "4").contains(&"own".to_owned()));
}
