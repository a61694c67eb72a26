//! What every calibrator must satisfy, on each task that it answers.

use super::{CALIBRATORS, CalibratorEntry, ScoredRows};
use crate::Kind;
use ir::digest::SplitMix64;
use ir::fixed::{math, power_of_two, round_i32};
use ir::op::LinkKind;
use ir::{Card, ColumnKind, DType, GraphBuilder, Input, Model, Op, OutputRole, Shape, Signature, Task};
use learn::{Decision, ScoreLink};
use params::outside;
use recipe::{Curve, ScoreMap};

/// Rows of two classes that weigh 1.
pub(super) fn binary(scores: &[f64], labels: &[u32]) -> ScoredRows {
    ScoredRows::try_new(scores.to_vec(), 1, labels.to_vec(), vec![1.0; labels.len()]).unwrap()
}

pub(super) fn fit(entry: &CalibratorEntry, rows: &ScoredRows) -> Vec<Curve> {
    fit_with(entry, rows, &[])
}

pub(super) fn fit_with(
    entry: &CalibratorEntry,
    rows: &ScoredRows,
    settings: &[(String, String)],
) -> Vec<Curve> {
    entry.fit(rows, &entry.params(settings).unwrap()).unwrap().curves().to_vec()
}

fn unit(random: &mut SplitMix64) -> f64 {
    (f64::from(random.below(1 << 20)) + 0.5) / f64::from(1 << 20)
}

/// Scores `[n_rows, n_outputs]` and labels drawn by the probabilities that they say, scores then times `factor`.
fn drawn(task: Task, n_rows: usize, factor: f64, seed: u64) -> (Vec<f64>, usize, Vec<u32>) {
    let mut random = SplitMix64::new(seed);
    let n_outputs = if task == Task::Binary { 1 } else { 3 };
    let (mut scores, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..n_rows {
        let row: Vec<f64> = (0..n_outputs).map(|_| 6.0 * unit(&mut random) - 3.0).collect();
        let p = probabilities(&row);
        let mut left = unit(&mut random);
        let label = p.iter().position(|p| {
            left -= p;
            left < 0.0
        });
        labels.push(label.unwrap_or(p.len() - 1) as u32);
        scores.extend(row.into_iter().map(|s| s * factor));
    }
    (scores, n_outputs, labels)
}

fn probabilities(scores: &[f64]) -> Vec<f64> {
    if let &[s] = scores {
        let p = math::sigmoid(s);
        return vec![1.0 - p, p];
    }
    let e: Vec<f64> = scores.iter().map(|s| s.exp()).collect();
    let sum: f64 = e.iter().sum();
    e.into_iter().map(|e| e / sum).collect()
}

fn rows(task: Task, n_rows: usize, factor: f64, seed: u64) -> ScoredRows {
    let (scores, n_outputs, labels) = drawn(task, n_rows, factor, seed);
    let weights = vec![1.0; n_rows];
    ScoredRows::try_new(scores, n_outputs, labels, weights).unwrap()
}

/// Calls `law` for every member and each of its tasks.
fn each(law: impl Fn(&'static CalibratorEntry, Task)) {
    for entry in CALIBRATORS {
        assert!(
            !entry.tasks.is_empty()
                && entry.tasks.iter().all(|t| [Task::Binary, Task::Multiclass].contains(t))
        );
        entry.tasks.iter().for_each(|&task| law(entry, task));
    }
}

fn log_loss(rows: &ScoredRows, curves: &[Curve]) -> f64 {
    let of = |(scores, &label): (&[f64], &u32)| {
        let mapped: Vec<f64> = scores.iter().zip(curves).map(|(s, c)| c.of(*s)).collect();
        -probabilities(&mapped)[label as usize].ln()
    };
    rows.scores().chunks_exact(rows.n_outputs()).zip(rows.labels()).map(of).sum::<f64>()
        / rows.labels().len() as f64
}

#[test]
fn probabilities_are_such_and_no_curve_falls() {
    each(|entry, task| {
        for (n_rows, factor) in [(3, 1.0), (20, 5.0), (500, 0.2), (500, -1.0)] {
            let rows = rows(task, n_rows, factor, 7);
            let curves = fit(entry, &rows);
            assert_eq!(curves.len(), rows.n_outputs());
            let map = ScoreMap::try_new(curves.clone()).unwrap().on_grid(14);
            let kind = if task == Task::Binary { LinkKind::Logistic } else { LinkKind::Softmax };
            let link = ScoreLink { kind, shift: 14, offset: 0 };
            let mut last = vec![i32::MIN; rows.n_outputs()];
            for k in -300..=300 {
                let mut scores = vec![k * 3000; rows.n_outputs()];
                map.apply(&mut scores);
                assert!(scores.iter().zip(&last).all(|(a, b)| a >= b), "{} {k}: it falls", entry.name);
                let p = link.apply(&scores, rows.n_outputs());
                assert!(
                    p.iter().all(|p| (0.0..=1.0).contains(p)) && (p.iter().sum::<f64>() - 1.0).abs() < 1e-6
                );
                last = scores;
            }
        }
    });
}

#[test]
fn calibrated_scores_stay_nearly_as_they_are() {
    each(|entry, task| {
        let rows = rows(task, 20_000, 1.0, 3);
        let curves = fit(entry, &rows);
        for scores in rows.scores().chunks_exact(rows.n_outputs()).take(500) {
            let mapped: Vec<f64> = scores.iter().zip(&curves).map(|(s, c)| c.of(*s)).collect();
            let away =
                probabilities(scores).into_iter().zip(probabilities(&mapped)).map(|(a, b)| (a - b).abs());
            // The standard error of a share of the isotonic blocks' hundreds of rows; lines have thousands.
            let most = if entry.name == "isotonic" { 0.1 } else { 0.02 };
            assert!(away.fold(0.0, f64::max) < most, "{}: {scores:?} to {mapped:?}", entry.name);
        }
    });
}

#[test]
fn new_rows_gain_where_scores_are_too_sure() {
    each(|entry, task| {
        for factor in [3.0, 0.3] {
            let curves = fit(entry, &rows(task, 3000, factor, 11));
            let (new, one) = (rows(task, 3000, factor, 12), Curve::Line { scale: 1.0, offset: 0.0 });
            let before = log_loss(&new, &vec![one; new.n_outputs()]);
            let after = log_loss(&new, &curves);
            // What can be gained at all: that of the probabilities that drew the labels.
            let best =
                log_loss(&new, &vec![Curve::Line { scale: 1.0 / factor, offset: 0.0 }; new.n_outputs()]);
            assert!(
                after < best + 0.15 * (before - best),
                "{} {factor}: {before} to {after}, {best}",
                entry.name
            );
        }
    });
}

#[test]
fn a_weight_of_two_is_the_row_twice() {
    each(|entry, task| {
        let (scores, n, labels) = drawn(task, 300, 2.0, 5);
        let weights: Vec<f64> = (0..300).map(|i| f64::from(i % 3)).collect();
        let once = ScoredRows::try_new(scores.clone(), n, labels.clone(), weights).unwrap();
        let (mut more, mut more_labels) = (Vec::new(), Vec::new());
        for row in (0..300).flat_map(|i| vec![i; i % 3]) {
            more.extend(&scores[row * n..(row + 1) * n]);
            more_labels.push(labels[row]);
        }
        let ones = vec![1.0; more_labels.len()];
        let twice = ScoredRows::try_new(more, n, more_labels, ones).unwrap();
        let (a, b) = (fit(entry, &once), fit(entry, &twice));
        for k in -60..=60 {
            let s = f64::from(k) / 10.0;
            assert!(a.iter().zip(&b).all(|(a, b)| (a.of(s) - b.of(s)).abs() < 1e-4), "{} at {s}", entry.name);
        }
    });
}

#[test]
fn few_constant_and_separable_rows_are_defined() {
    each(|entry, task| {
        let n = if task == Task::Binary { 1 } else { 3 };
        let two = |a: f64, b: f64| {
            ScoredRows::try_new([vec![a; n], vec![b; n]].concat(), n, vec![0, 1], vec![1.0; 2])
        };
        for (a, b) in [(-1.0, 1.0), (1.0, -1.0), (0.0, 0.0), (5.0, 5.0), (-1e6, 1e6), (1e-300, 2e-300)] {
            let curves = fit(entry, &two(a, b).unwrap());
            assert!(
                curves.iter().all(|c| c.of(a).is_finite() && c.of(b).is_finite()),
                "{} {a} {b}",
                entry.name
            );
        }
    });
    let try_new = |labels: &[u32], weights: &[f64]| {
        ScoredRows::try_new(vec![0.5; labels.len()], 1, labels.to_vec(), weights.to_vec())
    };
    assert!(matches!(try_new(&[1, 1], &[1.0, 2.0]).unwrap_err().kind(), Kind::OneClass { n_rows: 2 }));
    assert!(matches!(try_new(&[0, 1], &[0.0, 0.0]).unwrap_err().kind(), Kind::NoRows { n_rows: 2 }));
    assert!(matches!(
        try_new(&[0, 1, 0], &[1.0, 0.0, 1.0]).unwrap_err().kind(),
        Kind::OneClass { n_rows: 2 }
    ));
    assert!(matches!(try_new(&[], &[]).unwrap_err().kind(), Kind::NoRows { n_rows: 0 }));
    for (labels, weights) in
        [(vec![0, 2], vec![1.0; 2]), (vec![0, 1], vec![1.0, -1.0]), (vec![0, 1], vec![1.0])]
    {
        assert!(matches!(try_new(&labels, &weights).unwrap_err().kind(), Kind::Rows { .. }));
    }
    let nan = ScoredRows::try_new(vec![0.0, f64::NAN], 1, vec![0, 1], vec![1.0; 2]);
    assert!(matches!(nan.unwrap_err().kind(), Kind::Rows { what: "scores", .. }));
}

/// A graph of the map: its integers are those of the folds, it verifies and it survives the file.
#[test]
fn the_graph_gives_the_integers_of_the_folds() {
    each(|entry, task| {
        let rows = rows(task, 400, 2.5, 9);
        let map = ScoreMap::try_new(fit(entry, &rows)).unwrap().on_grid(12);
        let n = rows.n_outputs();
        let kind = if n == 1 { LinkKind::Logistic } else { LinkKind::Softmax };
        let link = ScoreLink { kind, shift: 12, offset: 0 };
        let mut b = GraphBuilder::new();
        let names: Vec<String> = (0..n).map(|k| format!("score {k}")).collect();
        let inputs: Vec<_> =
            names.iter().map(|name| b.input(name, DType::F64, Shape::rows()).unwrap()).collect();
        let side_by_side = b.node(Op::Columns(ir::op::Columns), &inputs).unwrap();
        let score = b.node(Op::ToScores(ir::op::ToScores { shift: 12 }), &[side_by_side]).unwrap();
        let score = map.lower(&mut b, score).unwrap();
        let linked = link.lower(&mut b, score, n, &Decision::Largest).unwrap();
        let graph = b.finish(&[score, linked.linked, linked.label.unwrap()]).unwrap();
        let signature = Signature {
            task,
            target: "target".into(),
            targets: Vec::new(),
            inputs: names
                .iter()
                .map(|name| Input { name: name.clone(), kind: ColumnKind::Number, dtype: DType::F64 })
                .collect(),
            outputs: vec![OutputRole::Score, OutputRole::Probability, OutputRole::Label],
            classes: (0..n.max(2)).map(|k| format!("class {k}")).collect(),
            positive: (n == 1).then_some(1),
            missing: Vec::new(),
            columns: Vec::new(),
            joined: None,
        };
        let mut model = Model::try_new(graph, signature, Card::default()).unwrap();
        model.self_test = Some(runtime::self_test(model.graph(), 1).unwrap());
        let written = ir::file::write(&model);
        let back = ir::file::read(&written).unwrap();
        assert_eq!(ir::file::write(&back), written);
        assert!(
            runtime::verify(&back).unwrap().iter().all(|c| c.verdict == runtime::Verdict::Ok),
            "{}",
            entry.name
        );

        let mut scores: Vec<i32> = rows.scores().iter().map(|s| round_i32(s * power_of_two(12))).collect();
        map.apply(&mut scores);
        let column = |k: usize| rows.scores().iter().skip(k).step_by(n).copied().collect::<Vec<f64>>();
        let owned: Vec<Vec<f64>> = (0..n).map(column).collect();
        let columns: Vec<_> =
            owned.iter().map(|v| ir::Column::try_new(ir::ColumnData::F64(v), None).unwrap()).collect();
        let p = link.apply(&scores, n);
        for outputs in [
            runtime::Plan::new(back.graph()).unwrap().run(&columns).unwrap(),
            runtime::reference::run(back.graph(), &columns).unwrap(),
        ] {
            assert_eq!(outputs[0].data(), &ir::TensorData::I32(scores.clone()), "{}", entry.name);
            let ir::TensorData::F32(got) = outputs[1].data() else { panic!("no probabilities") };
            assert!(got.iter().zip(&p).all(|(a, b)| f64::from(*a) == *b), "{}", entry.name);
        }
    });
}

#[test]
fn parameters_just_outside_their_range_are_refused() {
    for entry in CALIBRATORS {
        for param in entry.spec {
            assert!(!param.doc.is_empty());
            for value in outside(param.range) {
                let error = entry.params(&[(param.name.to_owned(), value)]).unwrap_err().to_string();
                assert!(error.starts_with(&format!("{}: {} must be", entry.name, param.name)), "{error}");
            }
        }
    }
}
