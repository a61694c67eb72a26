use super::*;
use crate::Encoder;
use ir::digest::mix;
use ir::{Column, ColumnData};
use jobs::{Budget, Cancel, Clock, Silent, Threads};

/// What a test learns from: columns of numbers (NaN is missing) or of categories.
enum Cells {
    Numbers(Vec<f64>),
    /// Keys of one letter.
    Categories(Vec<u8>),
}

fn matrix(columns: &[Cells]) -> CodeMatrix {
    let mut offsets = Vec::new();
    let n_rows = columns.first().map_or(0, |c| match c {
        Cells::Numbers(values) => values.len(),
        Cells::Categories(keys) => keys.len(),
    });
    offsets.extend(0..=n_rows as i32);
    let columns: Vec<Vec<Column<'_>>> = columns
        .iter()
        .map(|cells| match cells {
            Cells::Numbers(values) => vec![Column::try_new(ColumnData::F64(values), None).unwrap()],
            Cells::Categories(bytes) => {
                vec![Column::try_new(ColumnData::Str { offsets: &offsets, bytes }, None).unwrap()]
            }
        })
        .collect();
    let encoders: Vec<Encoder> = columns.iter().map(|c| Encoder::fit(c, 254)).collect();
    CodeMatrix::new(&encoders, &columns, n_rows, &Threads::one())
}

/// A number in [0, 1) of a row and a column.
fn uniform(row: usize, column: u64) -> f64 {
    (mix(mix(column).wrapping_add(row as u64)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Roughly normal, of variance 1.
fn noise(row: usize) -> f64 {
    ((100..112).map(|c| uniform(row, c)).sum::<f64>() - 6.0) * 1.0
}

fn params() -> AdditiveParams {
    AdditiveParams {
        rounds: Rounds::Until { patience: 50, most: 2000 },
        pair_rounds: Rounds::Until { patience: 50, most: 2000 },
        learning_rate: 0.05,
        max_leaves: 3,
        min_leaf_rows: 5.0,
        l2: 1.0,
        n_pairs: 0,
        n_bags: 1,
    }
}

fn fit_on(
    codes: &CodeMatrix,
    target: &Target<'_>,
    weights: Option<&[f32]>,
    rows: Rows,
    params: &AdditiveParams,
    n_threads: usize,
) -> Additive {
    let (threads, cancel) = (Threads::try_new(n_threads).unwrap(), Cancel::new());
    let budget = Budget::work(Clock::start(), 1);
    let ctx = Ctx { threads: &threads, budget: &budget, cancel: &cancel, progress: &Silent };
    additive(codes, target, weights, rows, params, Seed(1), &ctx).unwrap()
}

fn fit(codes: &CodeMatrix, target: &Target<'_>, rows: Rows, params: &AdditiveParams) -> Additive {
    fit_on(codes, target, None, rows, params, 1)
}

/// The first `n` rows, and the others.
fn split(n: usize, n_rows: usize) -> Rows {
    Rows { train: (0..n as u32).collect(), others: (n as u32..n_rows as u32).collect() }
}

fn numbers(n_rows: usize, n_columns: u64) -> Vec<Cells> {
    (0..n_columns).map(|c| Cells::Numbers((0..n_rows).map(|r| uniform(r, c)).collect())).collect()
}

/// Mean squared difference from `truth` of the rows from `first` on.
fn mean_square(scores: &[f64], first: usize, truth: impl Fn(usize) -> f64) -> f64 {
    let sum: f64 = scores.iter().enumerate().map(|(i, s)| (s - truth(first + i)).powi(2)).sum();
    sum / scores.len() as f64
}

fn value_at(term: &Term, code_a: usize, code_b: usize, codes: &CodeMatrix) -> f64 {
    let n = term.features.1.map_or(1, |b| usize::from(codes.features()[b].n_codes) + 1);
    term.values[code_a * n + code_b]
}

/// Weighted mean of a term over rows is 0.
fn check_centred(model: &Additive, codes: &CodeMatrix, rows: &[u32], weights: Option<&[f32]>) {
    let width = model.intercepts.len();
    for term in &model.terms {
        let (a, b) = term.features;
        let n = b.map_or(1, |b| usize::from(codes.features()[b].n_codes) + 1);
        let largest = term.values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        for k in 0..width {
            let (mut sum, mut total) = (0.0, 0.0);
            for &r in rows {
                let w = weights.map_or(1.0, |w| f64::from(w[r as usize]));
                let cell = usize::from(codes.code(a, r)) * n + b.map_or(0, |b| usize::from(codes.code(b, r)));
                sum += w * term.values[cell * width + k];
                total += w;
            }
            assert!((sum / total).abs() <= 1e-9 * largest, "{:?}: {}", term.features, sum / total);
        }
    }
}

fn check_scores(model: &Additive, codes: &CodeMatrix, others: &[u32]) {
    let width = model.intercepts.len();
    assert_eq!(model.other_scores.len(), others.len() * width);
    for (i, &row) in others.iter().enumerate() {
        for k in 0..width {
            let mut score = model.intercepts[k];
            for term in &model.terms {
                let (a, b) = term.features;
                let n = b.map_or(1, |b| usize::from(codes.features()[b].n_codes) + 1);
                let cell =
                    usize::from(codes.code(a, row)) * n + b.map_or(0, |b| usize::from(codes.code(b, row)));
                score += term.values[cell * width + k];
            }
            assert_eq!(score, model.other_scores[i * width + k]);
        }
    }
}

#[test]
fn an_additive_target_is_learnt_to_the_noise() {
    let n = 12_000;
    let codes = matrix(&numbers(n, 5));
    let truth = |r: usize| {
        let x = |c| uniform(r, c);
        1000.0 + 3.0 * (7.0 * x(0)).sin() + 4.0 * x(1) * x(1) + if x(2) > 0.3 { 2.0 } else { 0.0 }
    };
    let values: Vec<f64> = (0..n).map(|r| truth(r) + 0.5 * noise(r)).collect();
    let target = Target::Values(&values);
    // Noise alone makes hardly a pair.
    let few_rounds = AdditiveParams { rounds: Rounds::Exactly(200), n_pairs: 10, ..params() };
    let model = fit(&codes, &target, split(8000, n), &few_rounds);
    assert!(model.terms.iter().filter(|t| t.features.1.is_some()).count() <= 1);
    for with_others in [true, false] {
        let rows = split(8000, n);
        let given = if with_others { rows.clone() } else { Rows { others: Vec::new(), ..rows.clone() } };
        let mut model = fit(&codes, &target, given, &params());
        if !with_others {
            // The same model once more, now with scores.
            let exactly = AdditiveParams { rounds: Rounds::Exactly(model.n_rounds), ..params() };
            let again = fit(&codes, &target, rows.clone(), &exactly);
            assert_eq!(model.terms, again.terms);
            model = again;
        }
        let excess = mean_square(&model.other_scores, 8000, truth);
        // The noise has variance 0.25 and the target about 6.
        assert!(excess < 0.012, "{excess}");
        check_centred(&model, &codes, &rows.train, None);
        check_scores(&model, &codes, &rows.others);
    }
}

#[test]
fn an_interaction_is_found_and_ranked_first() {
    let n = 9000;
    let codes = matrix(&numbers(n, 6));
    let truth = |r: usize| {
        let x = |c| uniform(r, c) - 0.5;
        2.0 * x(0) + 8.0 * x(1) * x(4) + x(2).abs()
    };
    let values: Vec<f64> = (0..n).map(|r| truth(r) + 0.1 * noise(r)).collect();
    let target = Target::Values(&values);
    let mut last = f64::INFINITY;
    for n_pairs in [0, 1, 3] {
        let model = fit(&codes, &target, split(6000, n), &AdditiveParams { n_pairs, ..params() });
        let error = mean_square(&model.other_scores, 6000, truth);
        let pairs: Vec<&Term> = model.terms.iter().filter(|t| t.features.1.is_some()).collect();
        assert!(pairs.len() <= n_pairs);
        if n_pairs == 0 {
            assert!(error > 0.3, "{error}");
        } else {
            assert_eq!(pairs[0].features, (1, Some(4)));
            // Opposite corners agree, neighbouring ones do not.
            let top = usize::from(codes.features()[1].n_codes) - 1;
            let corner = |a, b| value_at(pairs[0], a, b, &codes);
            assert!(corner(0, 0) > 1.0 && corner(top, top) > 1.0);
            assert!(corner(0, top) < -1.0 && corner(top, 0) < -1.0);
            assert!(error < 0.01, "{error}");
        }
        assert!(error < last + 0.002);
        last = error;
        check_centred(&model, &codes, &split(6000, n).train, None);
        check_scores(&model, &codes, &split(6000, n).others);
    }
}

#[test]
fn categories_and_missing_are_used() {
    let n = 6000;
    let letter = |r: usize| (uniform(r, 0) * 8.0) as usize;
    let hidden = |r: usize| uniform(r, 2) < 0.2;
    let effect = [2.0, -1.0, 0.5, 2.0, -2.0, 0.0, 1.0, -1.5];
    let codes = matrix(&[
        Cells::Categories((0..n).map(|r| b'a' + letter(r) as u8).collect()),
        Cells::Numbers((0..n).map(|r| if hidden(r) { f64::NAN } else { uniform(r, 1) }).collect()),
    ]);
    let truth = |r: usize| effect[letter(r)] + if hidden(r) { 3.0 } else { 2.0 * uniform(r, 1) };
    let values: Vec<f64> = (0..n).map(|r| truth(r) + 0.2 * noise(r)).collect();
    let model = fit(&codes, &Target::Values(&values), split(4000, n), &params());
    let error = mean_square(&model.other_scores, 4000, truth);
    assert!(error < 0.01, "{error}");
    let category = &model.terms[0].values;
    assert!((category[0] - category[1] - 3.0).abs() < 0.15, "{category:?}");
    // No cell of the first column is missing.
    assert_eq!(category.last(), Some(&0.0));

    // A pair of a category and a number with missing cells.
    let cross = |r: usize| match (letter(r).is_multiple_of(2), hidden(r)) {
        (_, true) => 0.0,
        (true, _) => uniform(r, 1) - 0.5,
        (false, _) => 0.5 - uniform(r, 1),
    };
    let values: Vec<f64> = (0..n).map(|r| 4.0 * cross(r) + 0.1 * noise(r)).collect();
    let with_pair = AdditiveParams { n_pairs: 1, ..params() };
    let model = fit(&codes, &Target::Values(&values), split(4000, n), &with_pair);
    let error = mean_square(&model.other_scores, 4000, |r| 4.0 * cross(r));
    assert!(error < 0.02, "{error}");
}

#[test]
fn a_pair_of_categories_interacts() {
    let n = 6000;
    let letter = |r: usize, c| (uniform(r, c) * 5.0) as usize;
    let column = |c| Cells::Categories((0..n).map(|r| b'a' + letter(r, c) as u8).collect());
    let codes = matrix(&[column(0), column(1), column(2)]);
    let truth = |r: usize| if (letter(r, 0) + letter(r, 2)).is_multiple_of(2) { 1.0 } else { -1.0 };
    let values: Vec<f64> = (0..n).map(|r| truth(r) + 0.2 * noise(r)).collect();
    let with_pair = AdditiveParams { n_pairs: 1, ..params() };
    let model = fit(&codes, &Target::Values(&values), split(4000, n), &with_pair);
    assert_eq!(model.terms.last().map(|t| t.features), Some((0, Some(2))));
    let error = mean_square(&model.other_scores, 4000, truth);
    assert!(error < 0.02, "{error}");
}

/// Mean log loss of class scores.
fn log_loss(model: &Additive, others: &[u32], label: impl Fn(u32) -> usize) -> f64 {
    let width = model.intercepts.len();
    let of = |(row, s): (&u32, &[f64])| {
        if width == 1 {
            let s = if label(*row) == 1 { s[0] } else { -s[0] };
            (1.0 + (-s).exp()).ln()
        } else {
            s.iter().map(|s| s.exp()).sum::<f64>().ln() - s[label(*row)]
        }
    };
    others.iter().zip(model.other_scores.chunks_exact(width)).map(of).sum::<f64>() / others.len() as f64
}

#[test]
fn classes_are_learnt_to_the_noise() {
    let n = 12_000;
    let codes = matrix(&numbers(n, 4));
    let score = |r: usize, k: usize| match k {
        0 => 3.0 * (6.0 * uniform(r, 0)).sin() + 6.0 * (uniform(r, 1) - 0.5) * (uniform(r, 2) - 0.5),
        1 => 2.0 * uniform(r, 1),
        _ => 0.0,
    };
    for n_classes in [2, 3] {
        // Class 0 of two is told by the first score alone.
        let scores = |r: usize| -> Vec<f64> {
            (0..n_classes).map(|k| if n_classes == 2 && k == 1 { 0.0 } else { score(r, k) }).collect()
        };
        let p = |r: usize, k: usize| {
            let s = scores(r);
            s[k].exp() / s.iter().map(|s| s.exp()).sum::<f64>()
        };
        let labels: Vec<u32> = (0..n)
            .map(|r| {
                let mut left = uniform(r, 50);
                let k = (0..n_classes).position(|k| {
                    left -= p(r, k);
                    left < 0.0
                });
                k.unwrap_or(n_classes - 1) as u32
            })
            .collect();
        let target = match n_classes {
            2 => Target::Binary(&labels),
            _ => Target::Classes { labels: &labels, n_classes },
        };
        let rows = split(8000, n);
        let model = fit(&codes, &target, rows.clone(), &AdditiveParams { n_pairs: 1, ..params() });
        let label = |r: u32| labels[r as usize] as usize;
        let loss = log_loss(&model, &rows.others, label);
        let least = rows.others.iter().map(|&r| -p(r as usize, label(r)).ln()).sum::<f64>()
            / rows.others.len() as f64;
        assert!(loss < least + 0.012, "{n_classes}: {loss}, at best {least}");
        check_centred(&model, &codes, &rows.train, None);
        check_scores(&model, &codes, &rows.others);
        if n_classes == 3 {
            let term = &model.terms[0].values;
            assert!(term.chunks_exact(3).all(|v| v.iter().sum::<f64>().abs() < 1e-12));
        }
    }
}

#[test]
fn threads_change_nothing() {
    let n = 10_000;
    let codes = matrix(&numbers(n, 4));
    let values: Vec<f64> = (0..n).map(|r| uniform(r, 0) * uniform(r, 3) + 0.1 * noise(r)).collect();
    for n_bags in [1, 3] {
        let params = AdditiveParams {
            rounds: Rounds::Until { patience: 5, most: 40 },
            pair_rounds: Rounds::Until { patience: 5, most: 40 },
            n_pairs: 2,
            n_bags,
            ..params()
        };
        let rows = Rows { train: (0..9500).collect(), others: (9500..n as u32).collect() };
        for rows in [rows.clone(), Rows { others: Vec::new(), ..rows }] {
            let one = fit_on(&codes, &Target::Values(&values), None, rows.clone(), &params, 1);
            assert_eq!(one.terms.len(), 6);
            for n_threads in [2, 3] {
                assert_eq!(
                    one,
                    fit_on(&codes, &Target::Values(&values), None, rows.clone(), &params, n_threads)
                );
            }
        }
    }
}

#[test]
fn weight_two_is_the_row_twice() {
    // Rows `n..2n` repeat rows `0..n`; the codes are those of all rows in both cases.
    let n = 3000;
    let columns = (0..3).map(|c| Cells::Numbers((0..2 * n).map(|r| uniform(r % n, c)).collect()));
    let codes = matrix(&columns.collect::<Vec<_>>());
    let labels: Vec<u32> = (0..2 * n)
        .map(|r| u32::from(uniform(r % n, 0) * uniform(r % n, 1) + 0.3 * uniform(r % n, 9) > 0.4))
        .collect();
    let is_twice = |r: usize| (r % n).is_multiple_of(3);
    let weights: Vec<f32> = (0..2 * n).map(|r| if is_twice(r) { 2.0 } else { 1.0 }).collect();
    let params = AdditiveParams {
        rounds: Rounds::Exactly(60),
        pair_rounds: Rounds::Exactly(30),
        n_pairs: 2,
        ..params()
    };
    let target = Target::Binary(&labels);
    let others: Vec<u32> = (0..n as u32).collect();
    let once = Rows { train: (0..n as u32).collect(), others: others.clone() };
    let repeated = (0..2 * n as u32).filter(|&r| (r as usize) < n || is_twice(r as usize));
    let twice = Rows { train: repeated.collect(), others };
    let weighted = fit_on(&codes, &target, Some(&weights), once.clone(), &params, 1);
    let repeated = fit_on(&codes, &target, None, twice, &params, 1);
    // Sums differ in their last bits only, as no two cuts are that near each other.
    for (a, b) in weighted.other_scores.iter().zip(&repeated.other_scores) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
    check_centred(&weighted, &codes, &once.train, Some(&weights));
}

#[test]
fn odd_tables_do_not_fail() {
    let n = 60;
    let target: Vec<f64> = (0..n).map(|r| uniform(r, 0) * 1e300).collect();
    let labels: Vec<u32> = (0..n).map(|r| u32::from(r.is_multiple_of(2))).collect();
    let same = vec![0.1; n];
    let zeros = vec![0; n];
    let infinite: Vec<f64> = (0..n).map(|r| if r < 20 { f64::INFINITY } else { f64::NEG_INFINITY }).collect();
    let codes = matrix(&[
        Cells::Numbers(vec![5.0; n]),
        Cells::Numbers(vec![f64::NAN; n]),
        Cells::Numbers(infinite.clone()),
        Cells::Categories(vec![b'a'; n]),
        Cells::Categories((0..n).map(|r| b'a' + (r % 20) as u8).collect()),
    ]);
    let targets = [
        Target::Values(&target),
        Target::Values(&same),
        Target::Values(&infinite),
        Target::Binary(&labels),
        Target::Binary(&zeros),
        Target::Classes { labels: &labels, n_classes: 3 },
    ];
    for (i, target) in targets.iter().enumerate() {
        for n_train in [1, 2, 19, 40] {
            for n_bags in [1, 2] {
                let rows = split(n_train, n);
                let params = AdditiveParams { n_pairs: 4, n_bags, min_leaf_rows: 1.0, ..params() };
                let model = fit(&codes, target, rows.clone(), &params);
                assert_eq!(model.other_scores.len(), (n - n_train) * target.n_outputs());
                if i != 2 {
                    assert!(model.other_scores.iter().all(|s| s.is_finite()), "{target:?}");
                }
                if i == 1 {
                    assert!(model.terms.is_empty() && model.other_scores.iter().all(|&s| s == 0.1));
                }
                let alone = fit(&codes, target, Rows { others: Vec::new(), ..rows }, &params);
                assert!(alone.other_scores.is_empty());
            }
        }
    }
}

#[test]
fn nothing_to_learn_from_and_no_time() {
    let codes = matrix(&numbers(100, 2));
    let values: Vec<f64> = (0..100).map(|r| uniform(r, 0)).collect();
    let (threads, cancel) = (Threads::one(), Cancel::new());
    let spent = Budget::time(Clock::start(), std::time::Duration::ZERO);
    let ctx = Ctx { threads: &threads, budget: &spent, cancel: &cancel, progress: &Silent };
    let run = |weights: Option<&[f32]>| {
        additive(&codes, &Target::Values(&values), weights, split(50, 100), &params(), Seed(1), &ctx)
    };
    assert!(matches!(run(Some(&[0.0; 100])).unwrap_err().kind(), Kind::NoRows));
    // Without time the mean is left.
    let model = run(None).unwrap();
    let mean = values[..50].iter().sum::<f64>() / 50.0;
    assert!(model.terms.is_empty() && (model.intercepts[0] - mean).abs() < 1e-12);
    cancel.cancel();
    assert!(matches!(run(None).unwrap_err().kind(), Kind::Cancelled));
}
