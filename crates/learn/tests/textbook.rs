//! Worked examples beside scikit-learn's numbers, in floats and in integers.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use ir::{Column, ColumnData};
use jobs::{Budget, Cancel, Clock, Ctx, Seed, Silent, Threads};
use smidgen_learn::{Exactness, FitInput, Fitted, Goal, Wants, learner};
use std::sync::Arc;
use trees::{CodeMatrix, Encoder, Rows, Target};

/// A table of numbers, and the text of its last column.
struct Table {
    columns: Vec<Vec<f64>>,
    last: Vec<String>,
}

fn table(text: &str) -> Table {
    let mut lines = text.lines();
    let n = lines.next().unwrap().split(',').count();
    let mut table = Table { columns: vec![Vec::new(); n - 1], last: Vec::new() };
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        for (column, cell) in table.columns.iter_mut().zip(&cells) {
            column.push(cell.parse().unwrap());
        }
        table.last.push(cells[n - 1].to_owned());
    }
    table
}

/// Fits on the first rows and gives the scores of the others, in both forms.
fn fit(name: &str, settings: &[(&str, &str)], table: &Table, target: Target<'_>, rows: Rows) -> Fitted {
    let entry = learner(name).unwrap();
    let settings: Vec<_> = settings.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let params = entry.params(&settings).unwrap();
    let chunks: Vec<Vec<Column<'_>>> =
        table.columns.iter().map(|c| vec![Column::try_new(ColumnData::F64(c), None).unwrap()]).collect();
    let encoders: Vec<Encoder> = chunks.iter().map(|c| Encoder::fit(c, entry.max_bins(&params))).collect();
    let threads = Threads::one();
    let codes = CodeMatrix::new(&encoders, &chunks, table.last.len(), &threads);
    let numbers: Vec<Option<Arc<[f64]>>> = table.columns.iter().map(|c| Some(c[..].into())).collect();
    let input = FitInput {
        names: &[],
        encoders: &encoders,
        codes: &codes,
        numbers: &numbers,
        bags: &[],
        target,
        row_weights: None,
        offsets: None,
        rows,
        rounds: None,
        goal: Goal::Mean,
        wants: Wants::Model,
        exact: Exactness::Floats,
    };
    let (budget, cancel) = (Budget::work(Clock::start(), 1), Cancel::new());
    let ctx = Ctx { threads: &threads, budget: &budget, cancel: &cancel, progress: &Silent };
    entry.fit(input, &params, Seed(0), &ctx).unwrap()
}

/// `GaussianNB().fit(X, y).predict_proba(X)` of scikit-learn 1.9.1 on iris, rows near the border among them.
#[test]
fn gaussian_bayes_on_iris_has_the_probabilities_of_scikit_learn() {
    let expected = [
        (0, [1.0, 1.3578426545097534e-18, 7.112835116303153e-26]),
        (41, [0.9999999999999991, 8.166340235573311e-16, 2.0201174708055736e-24]),
        (50, [3.213809354266301e-109, 0.8040376655396819, 0.19596233446031788]),
        (56, [2.2473055101900734e-115, 0.6589522845853689, 0.341047715414631]),
        (70, [2.591538028250168e-130, 0.15449408494388256, 0.8455059150561174]),
        (77, [1.1698812222279229e-138, 0.07526913158851407, 0.9247308684114861]),
        (83, [2.140697314099488e-135, 0.6121598447427532, 0.38784015525724663]),
        (100, [3.2324518072371566e-254, 6.353810311595854e-11, 0.9999999999364619]),
        (106, [2.2346370197755735e-109, 0.9735143446532973, 0.026485655346702722]),
        (119, [6.310865149954135e-126, 0.9581353618712692, 0.041864638128730806]),
        (133, [2.6838258262863244e-131, 0.7126451442155292, 0.28735485578447095]),
        (149, [3.2598824319148094e-146, 0.05600500915424877, 0.9439949908457513]),
    ];
    let iris = table(include_str!("../../../examples/data/iris.csv"));
    let names = ["setosa", "versicolor", "virginica"];
    let labels: Vec<u32> =
        iris.last.iter().map(|n| names.iter().position(|k| k == n).unwrap() as u32).collect();
    let all: Vec<u32> = (0..150).collect();
    let target = Target::Classes { labels: &labels, n_classes: 3 };
    let fitted = fit("gaussian_nb", &[], &iris, target, Rows { train: all.clone(), others: all });
    let integers = fitted.link.apply(&fitted.other_scores, 3);
    let mut same = 0;
    for (row, p) in expected {
        for (k, p) in p.into_iter().enumerate() {
            let got = fitted.other_floats[3 * row + k];
            assert!((got - p).abs() < 1e-6, "row {row}, class {k}: {got} for {p}");
        }
    }
    for (p, q) in fitted.other_floats.chunks(3).zip(integers.chunks(3)) {
        let best = |p: &[f64]| (0..3).max_by(|&a, &b| p[a].total_cmp(&p[b])).unwrap();
        same += usize::from(best(p) == best(q));
    }
    assert_eq!(same, 150, "rows of one class in floats and in integers");
}

fn mean_squared(predictions: &[f64], truth: &[f64]) -> f64 {
    predictions.iter().zip(truth).map(|(p, y)| (p - y) * (p - y)).sum::<f64>() / truth.len() as f64
}

/// `Ridge(alpha=0.1)` of scikit-learn has a mean squared error of 2856.487 on the last 89 rows; every solver gets
/// there, and 16-bit weights stay there.
#[test]
fn ridge_on_diabetes_has_the_error_of_scikit_learn() {
    let mut diabetes = table(include_str!("../../../examples/data/diabetes_train.csv"));
    let test = table(include_str!("../../../examples/data/diabetes_test.csv"));
    let n_train = diabetes.last.len() as u32;
    diabetes.columns.iter_mut().zip(test.columns).for_each(|(all, more)| all.extend(more));
    diabetes.last.extend(test.last);
    let values: Vec<f64> = diabetes.last.iter().map(|y| y.parse().unwrap()).collect();
    let n = values.len() as u32;
    let truth = &values[n_train as usize..];
    // Solver, and how far its error may be from the closed form's; those that draw rows stop nearby.
    let solvers = [
        ("closed_form", 1e-3),
        ("coordinate_descent", 0.1),
        ("lbfgs", 0.1),
        ("gradient_descent", 0.1),
        ("mini_batch", 15.0),
        ("stochastic", 15.0),
    ];
    for (solver, bound) in solvers {
        let settings =
            [("alpha", "0.1"), ("solver", solver), ("tolerance", "1e-9"), ("max_iterations", "3000")];
        let rows = Rows { train: (0..n_train).collect(), others: (n_train..n).collect() };
        let fitted = fit("ridge", &settings, &diabetes, Target::Values(&values), rows);
        let error = mean_squared(&fitted.other_floats, truth);
        assert!((error - 2856.487).abs() < bound, "{solver}: {error}");
        let integers = mean_squared(&fitted.link.apply(&fitted.other_scores, 1), truth);
        assert!((integers - error).abs() < 0.5, "{solver}: {integers} in integers, {error} in floats");
    }
}
