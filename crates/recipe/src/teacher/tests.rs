//! Students against fits on tables that say the same in rows and weights.

use super::{Generate, Loss, Teacher, TeacherOptions};
use crate::augmented::Augment;
use crate::decide::Aim;
use crate::error::{Error, Kind};
use crate::features::Features;
use crate::finish::{Member, Origin, finish};
use crate::folds::Scheme;
use crate::predictions::Predictions;
use crate::prepared::{PrepareOptions, Prepared};
use crate::relations::Relations;
use crate::rungs::{GoOn, validate_while};
use crate::size::{Limits, Scales};
use crate::step::Step;
use crate::validate::Candidate;
use crate::{ClassWeights, Duplicates, MissingCells};
use data::{Markers, ReadOptions, Source, Table, Target, TargetOptions};
use ir::digest::SplitMix64;
use jobs::{Budget, Cancel, Clock, Ctx, Seed, Silent, Threads};
use learn::{Decision, Exactness, FitInput, Fitted, Goal, LearnerEntry, Wants, learner};
use params::Params;
use std::collections::BTreeMap;
use trees::Rows;

/// A table with its target `y`, and row weights `w` if it has such.
struct Case {
    names: Vec<String>,
    table: Table,
    target: Target,
    declared: BTreeMap<String, ir::ColumnKind>,
    is_weighed: bool,
}

impl Case {
    fn new(csv: &str) -> Case {
        let is_weighed = csv.lines().next().unwrap().split(',').any(|name| name == "w");
        let mut raw = vec!["y".to_owned()];
        raw.extend(is_weighed.then(|| "w".to_owned()));
        let declared: BTreeMap<String, ir::ColumnKind> = csv
            .lines()
            .next()
            .unwrap()
            .split(',')
            .filter(|name| name.starts_with('x'))
            .map(|name| (name.to_owned(), ir::ColumnKind::Number))
            .collect();
        let options =
            ReadOptions { raw, types: declared.clone(), header: Some(true), ..ReadOptions::default() };
        let table = Table::read(&Source::spool("t.csv", csv.as_bytes()).unwrap(), &options).unwrap();
        let asked = TargetOptions {
            name: "y",
            task: None,
            classes: None,
            positive: None,
            missing: Markers::default(),
        };
        let target = Target::resolve(table.raw_cells("y").unwrap(), &asked).unwrap();
        Case { table, names: vec!["y".to_owned()], target, declared, is_weighed }
    }

    fn options(&self, learner: &LearnerEntry) -> PrepareOptions<'_> {
        PrepareOptions {
            targets: &self.names,
            row_weight: self.is_weighed.then_some("w"),
            declared: &self.declared,
            steps: Vec::new(),
            augment: None,
            base: None,
            relations: Relations::default(),
            duplicates: Duplicates::Report,
            missing_cells: MissingCells::Leave,
            max_bins: 254,
            takes: learner.takes,
            n_batches: None,
            class_weights: ClassWeights::None,
            goal: Goal::Mean,
            seed: Seed(1),
        }
    }

    fn prepared(&self, learner: &LearnerEntry) -> Prepared<'_> {
        self.prepared_by(&self.options(learner))
    }

    fn prepared_by<'t>(&'t self, options: &PrepareOptions<'t>) -> Prepared<'t> {
        with(1, |ctx| Prepared::new(&self.table, &self.target, options, ctx).unwrap())
    }
}

fn with<T>(n_threads: usize, f: impl FnOnce(&Ctx<'_>) -> T) -> T {
    let (threads, budget, cancel) =
        (Threads::try_new(n_threads).unwrap(), Budget::work(Clock::start(), 1), Cancel::new());
    f(&Ctx { threads: &threads, budget: &budget, cancel: &cancel, progress: &Silent })
}

fn options(own_share: f64) -> TeacherOptions {
    TeacherOptions { own_share, unlabelled_weight: 1.0, loss: Loss::CrossEntropy, generate: None }
}

fn params(learner: &LearnerEntry, settings: &[(&str, &str)]) -> Params {
    let settings: Vec<(String, String)> =
        settings.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    learner.params(&settings).unwrap()
}

/// A fit on `rows.train` that scores `rows.others`.
fn fitted(
    prepared: &Prepared<'_>,
    (learner, settings): (&LearnerEntry, &[(&str, &str)]),
    teacher: Option<&Teacher>,
    rows: Rows,
) -> Result<Fitted, Error> {
    let params = params(learner, settings);
    let candidate = Candidate { prepared, learner, params: &params, teacher, onto: None, origin: None };
    with(1, |ctx| candidate.fit(rows, None, Exactness::Floats, (Seed(5), ctx)))
}

fn all(n: usize) -> Rows {
    let rows: Vec<u32> = (0..n as u32).collect();
    Rows { train: rows.clone(), others: rows }
}

fn train(rows: &[u32], others: &[u32]) -> Rows {
    Rows { train: rows.to_vec(), others: others.to_vec() }
}

/// What a learner is given.
#[derive(Debug, PartialEq)]
struct Given {
    rows: Vec<u32>,
    labels: Vec<u32>,
    values: Vec<f64>,
    weights: Option<Vec<f32>>,
    /// By row, by feature.
    codes: Vec<Vec<u8>>,
}

fn given(prepared: &Prepared<'_>, teacher: &Teacher, rows: Rows, n_threads: usize) -> Result<Given, Error> {
    with(n_threads, |ctx| {
        let view = prepared.view(&rows.train, ctx.threads)?;
        let features: &Features = view.get();
        let augmented = teacher.augmented((prepared, features), &rows, (Seed(5), ctx.threads))?;
        let names = features.names();
        let wanted = (Exactness::Integers, Wants::Scores);
        let input: FitInput<'_> =
            prepared.fit_input(features, &names, (rows.clone(), Some(&augmented)), None, wanted);
        let (mut labels, mut values) = (Vec::new(), Vec::new());
        match input.target {
            trees::Target::Binary(own) | trees::Target::Classes { labels: own, .. } => labels = own.to_vec(),
            trees::Target::Values(own) => values = own.to_vec(),
            trees::Target::Several(_) => {}
        }
        let row = |row: u32| (0..names.len()).map(|at| input.codes.code(at, row)).collect();
        let codes = (0..input.codes.n_rows() as u32).map(row).collect();
        let weights = input.row_weights.map(<[f32]>::to_vec);
        Ok(Given { rows: input.rows.train, labels, values, weights, codes })
    })
}

/// Twelve rows of two columns.
fn cells(row: usize) -> String {
    format!("{},{}", row % 4, ["a", "b", "c"][row % 3])
}

/// Soft labels are rows that stand twice with weights, to the last bit; and so they are with weights of the user.
#[test]
fn soft_labels_are_weighted_rows() {
    let own = |row: usize| usize::from(row % 5 < 2);
    let p = |row: usize| [0.75, 0.125, 0.5, 1.0][row % 4];
    for weights in [[1.0, 1.0, 1.0], [0.5, 2.0, 4.0]] {
        let (mut hard, mut soft) = ("x,c,w,y\n".to_owned(), "x,c,w,y\n".to_owned());
        let mut behind = String::new();
        for row in 0..12 {
            let w: f64 = weights[row % 3];
            hard += &format!("{},{w},{}\n", cells(row), own(row));
            // A quarter of a row is its own label.
            let of = |class: usize| {
                let said = if class == 1 { p(row) } else { 1.0 - p(row) };
                w * (0.25 * f64::from(u8::from(class == own(row))) + 0.75 * said)
            };
            soft += &format!("{},{},{}\n", cells(row), of(own(row)), own(row));
            if of(1 - own(row)) > 0.0 {
                behind += &format!("{},{},{}\n", cells(row), of(1 - own(row)), 1 - own(row));
            }
        }
        let (hard, soft) = (Case::new(&hard), Case::new(&(soft + &behind)));
        let targets: Vec<f64> = (0..12).flat_map(|row| [1.0 - p(row), p(row)]).collect();
        let gbdt: &[(&str, &str)] = &[("n_trees", "7"), ("min_leaf_rows", "1")];
        for (name, settings) in
            [("categorical_nb", &[][..]), ("gbdt", gbdt), ("tree", &[]), ("logistic", &[])]
        {
            let learner = learner(name).unwrap();
            let (table, repeated) = (hard.prepared(learner), soft.prepared(learner));
            let teacher = Teacher::try_new(targets.clone(), &table.truth, options(0.25)).unwrap();
            let student = fitted(&table, (learner, settings), Some(&teacher), all(12)).unwrap();
            let rows = Rows { train: repeated.rows.clone(), others: (0..12).collect() };
            let expected = fitted(&repeated, (learner, settings), None, rows).unwrap();
            assert_eq!(student.link, expected.link, "{name}");
            assert_eq!(student.other_scores, expected.other_scores, "{name}");
            let plain = fitted(&table, (learner, settings), None, all(12)).unwrap();
            assert_ne!(student.other_scores, plain.other_scores, "{name}");
        }
    }
}

#[test]
fn weights_are_hand_computed() {
    let case = Case::new("x,c,w,y\n0,a,2,0\n1,b,1,1\n2,c,1,2\n3,a,0,2\n0,b,4,1\n");
    let nb = learner("categorical_nb").unwrap();
    let table = case.prepared(nb);
    let said = [[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.25, 0.25, 0.5], [1.0, 0.0, 0.0], [f64::NAN; 3]].concat();
    let teacher = Teacher::try_new(said.clone(), &table.truth, options(0.5)).unwrap();
    let got = given(&table, &teacher, all(5), 1).unwrap();
    // The last row is known to nobody; the one before it weighs nothing.
    assert_eq!(got.rows, [0, 1, 2, 3, 5, 6, 7]);
    assert_eq!(got.labels, [0, 1, 2, 2, 1, 1, 0, 1]);
    assert_eq!(got.weights.unwrap(), [1.5, 1.0, 0.75, 0.0, 4.0, 0.5, 0.125, 0.125]);
    assert_eq!(got.codes[5..], [got.codes[0].clone(), got.codes[2].clone(), got.codes[2].clone()]);

    // Without their own labels, rows of the table are of the class that is said.
    let teacher = Teacher::try_new(said, &table.truth, options(0.0)).unwrap();
    let got = given(&table, &teacher, train(&[0, 2, 3], &[1]), 1).unwrap();
    assert_eq!(got.rows, [0, 2, 3, 5, 6, 7]);
    assert_eq!(got.labels, [0, 1, 2, 0, 1, 1, 0, 1]);
    assert_eq!(got.weights.unwrap(), [1.0, 1.0, 0.5, 0.0, 4.0, 1.0, 0.25, 0.25]);
}

/// A class that weighs more does so in soft labels.
#[test]
fn factors_of_classes_are_those_of_soft_labels() {
    let case = Case::new("x,c,y\n0,a,0\n1,b,0\n2,c,0\n3,a,1\n");
    let nb = learner("categorical_nb").unwrap();
    let balanced = PrepareOptions { class_weights: ClassWeights::Balanced, ..case.options(nb) };
    let table = case.prepared_by(&balanced);
    // Two thirds and two.
    let said = vec![1.0, 0.0, 0.5, 0.5, 0.0, 1.0, 0.25, 0.75];
    let teacher = Teacher::try_new(said, &table.truth, options(0.0)).unwrap();
    let got = given(&table, &teacher, all(4), 1).unwrap();
    assert_eq!(got.labels, [0, 0, 1, 1, 1, 0]);
    let expected = [2.0 / 3.0, 1.0 / 3.0, 2.0, 1.5, 1.0, 1.0 / 6.0];
    for (got, expected) in got.weights.unwrap().iter().zip(expected) {
        assert!((f64::from(*got) - expected).abs() < 1e-6, "{got} for {expected}");
    }
}

#[test]
fn numbers_are_mixed() {
    let (mut own, mut mixed) = ("x,c,y\n".to_owned(), "x,c,y\n".to_owned());
    let y = |row: usize| row as f64 * 0.5 + 0.25;
    let p = |row: usize| 8.0 - row as f64;
    for row in 0..12 {
        own += &format!("{},{}\n", cells(row), y(row));
        mixed += &format!("{},{}\n", cells(row), 0.25 * y(row) + 0.75 * p(row));
    }
    let (own, mixed) = (Case::new(&own), Case::new(&mixed));
    for (name, settings) in [("ridge", &[][..]), ("gbdt", &[("n_trees", "9"), ("min_leaf_rows", "1")])] {
        let learner = learner(name).unwrap();
        let (table, expected) = (own.prepared(learner), mixed.prepared(learner));
        let teacher = Teacher::try_new((0..12).map(p).collect(), &table.truth, options(0.25)).unwrap();
        let student = fitted(&table, (learner, settings), Some(&teacher), all(12)).unwrap();
        let expected = fitted(&expected, (learner, settings), None, all(12)).unwrap();
        assert_eq!((student.link, student.other_scores), (expected.link, expected.other_scores), "{name}");
        // Rows held back stay what they are.
        let got = given(&table, &teacher, train(&[0, 1, 2, 3], &[4, 5]), 1).unwrap();
        assert_eq!(got.values[4..6], [y(4), y(5)]);
        assert_eq!(got.values[0], 0.25 * y(0) + 0.75 * p(0));
        assert_eq!(got.weights, None);
    }
}

/// A table of two columns that decide a class with noise, and what is true of each row.
fn noisy(n_rows: usize, seed: u64) -> (String, Vec<f64>, Vec<f64>) {
    let mut random = SplitMix64::new(seed);
    let (mut csv, mut said, mut truth) = ("xa,xb,c,y\n".to_owned(), Vec::new(), Vec::new());
    for _ in 0..n_rows {
        let (a, b, c) = (random.below(40), random.below(40), random.below(3));
        let score = (f64::from(a) - f64::from(b)) / 12.0 + f64::from(c) - 1.0;
        let p = 1.0 / (1.0 + (-score).exp());
        csv += &format!("{a},{b},k{c},{}\n", u8::from(random.unit() < p));
        said.extend([1.0 - p, p]);
        truth.push(p);
    }
    (csv, said, truth)
}

/// Who says how probable a class really is teaches better than labels do: the cross entropy with the truth falls.
#[test]
fn a_teacher_that_knows_the_truth_helps() {
    let (csv, said, truth) = noisy(400, 3);
    let case = Case::new(&csv);
    let gbdt = learner("gbdt").unwrap();
    let table = case.prepared(gbdt);
    let learnt: Vec<u32> = (0..200).collect();
    let others: Vec<u32> = (200..400).collect();
    let settings: &[(&str, &str)] = &[("n_trees", "40")];
    let loss = |teacher: Option<&Teacher>| {
        let fitted = fitted(&table, (gbdt, settings), teacher, train(&learnt, &others)).unwrap();
        let q = fitted.link.apply(&fitted.other_scores, 1);
        let of = |(q, p): (&[f64], &f64)| -p * q[1].ln() - (1.0 - p) * q[0].ln();
        q.chunks_exact(2).zip(&truth[200..]).map(of).sum::<f64>() / 200.0
    };
    let plain = loss(None);
    for own_share in [0.0, 0.25, 0.5] {
        let teacher = Teacher::try_new(said.clone(), &table.truth, options(own_share)).unwrap();
        assert!(loss(Some(&teacher)) < plain, "{own_share}: {} and {plain}", loss(Some(&teacher)));
    }
    let logits = TeacherOptions { loss: Loss::Logit, ..options(0.0) };
    let teacher = Teacher::try_new(said.clone(), &table.truth, logits).unwrap();
    assert!(loss(Some(&teacher)) < plain, "logits: {} and {plain}", loss(Some(&teacher)));
    // The labels themselves teach what labels teach.
    let hard: Vec<f64> =
        (0..400).flat_map(|row| if labels(&table)[row] == 1 { [0.0, 1.0] } else { [1.0, 0.0] }).collect();
    let teacher = Teacher::try_new(hard, &table.truth, options(0.0)).unwrap();
    let rows = || train(&learnt, &others);
    let student = fitted(&table, (gbdt, settings), Some(&teacher), rows()).unwrap();
    let expected = fitted(&table, (gbdt, settings), None, rows()).unwrap();
    assert_eq!(student.other_scores, expected.other_scores);
    let teacher = Teacher::try_new(said, &table.truth, options(1.0)).unwrap();
    let student = fitted(&table, (gbdt, settings), Some(&teacher), rows()).unwrap();
    assert_eq!(student.other_scores, expected.other_scores);
}

fn labels(prepared: &Prepared<'_>) -> Vec<u32> {
    match &prepared.truth {
        crate::Truth::Classes { labels, .. } => labels.clone(),
        crate::Truth::Values(_) | crate::Truth::Several(_) => Vec::new(),
    }
}

#[test]
fn rows_without_a_target_are_learnt_from_and_never_held_back() {
    // Rows 3, 7, 11, .. have no target; row 3 has the cells of row 0, row 7 is known to nobody.
    let mut csv = "x,c,y\n".to_owned();
    for row in 0..24 {
        let y = if row % 4 == 3 { String::new() } else { (row % 5 % 2).to_string() };
        let of = if row == 3 { 0 } else { row };
        csv += &format!("{},{},{y}\n", of % 6, ["a", "b", "c", "d"][of / 6]);
    }
    let case = Case::new(&csv);
    let nb = learner("categorical_nb").unwrap();
    let table = case.prepared(nb);
    assert_eq!(table.unlabelled, [3, 7, 11, 15, 19, 23]);
    let mut said = vec![0.5; 48];
    said[14..16].fill(f64::NAN);
    let weighs = TeacherOptions { unlabelled_weight: 0.5, ..options(1.0) };
    let teacher = Teacher::try_new(said.clone(), &table.truth, weighs.clone()).unwrap();
    let got = given(&table, &teacher, train(&table.rows, &[]), 1).unwrap();
    let taught: Vec<u32> = got.rows.iter().copied().filter(|row| row % 4 == 3 && *row < 24).collect();
    assert_eq!(taught, [3, 11, 15, 19, 23]);
    let weights = got.weights.unwrap();
    assert_eq!((weights[3], weights[0], weights.len()), (0.25, 1.0, 29));
    assert_eq!((got.labels[3], &got.labels[24..]), (0, &[1; 5][..]));
    // Row 3 is a copy of row 0, which is held back, and row 11 is scored.
    let some: Vec<u32> = table.rows.iter().copied().filter(|row| *row > 2).collect();
    let got = given(&table, &teacher, train(&some, &[0, 1, 2, 11]), 1).unwrap();
    let taught: Vec<u32> = got.rows.iter().copied().filter(|row| row % 4 == 3 && *row < 24).collect();
    assert_eq!(taught, [15, 19, 23]);
    // They count for something, and for nothing with a weight of 0.
    let rows = || train(&table.rows, &[0, 1, 2]);
    let plain = fitted(&table, (nb, &[]), None, rows()).unwrap();
    let student = fitted(&table, (nb, &[]), Some(&teacher), rows()).unwrap();
    assert_ne!(student.other_scores, plain.other_scores);
    let none = TeacherOptions { unlabelled_weight: 0.0, ..weighs };
    let teacher = Teacher::try_new(said, &table.truth, none).unwrap();
    let student = fitted(&table, (nb, &[]), Some(&teacher), rows()).unwrap();
    assert_eq!(student.other_scores, plain.other_scores);
    // No fold holds one back.
    let params = params(nb, &[]);
    let candidate = Candidate {
        prepared: &table,
        learner: nb,
        params: &params,
        teacher: Some(&teacher),
        onto: None,
        origin: None,
    };
    let folds = with(1, |ctx| candidate.plan(Scheme::Folds(3), Seed(1), ctx)).unwrap();
    assert!(folds.iter().all(|fold| fold.held_back.iter().all(|row| row % 4 != 3)));
}

fn model(
    case: &Case,
    candidate: Candidate<'_>,
    (subsets, rounds): (&[Vec<u32>], Option<[u32; 2]>),
) -> ir::Model {
    let costs = runtime::cost::OperationCosts::default();
    let origin = Origin {
        target: "y".to_owned(),
        targets: Vec::new(),
        task: case.target.task,
        classes: &case.target.classes,
        missing: &[],
        seed: 5,
        work: 1,
        recipe: String::new(),
        scales: Scales { costs: &costs, limits: Limits::default() },
        combination: None,
        decision: &Decision::Largest,
        score_map: None,
        metrics: Vec::new(),
    };
    with(1, |ctx| finish(&[Member { candidate, rounds, subsets }], origin, ctx).unwrap()).model
}

/// Probabilities that a model gives all rows of a table, by the plan and by the interpreter.
fn probabilities(table: &Prepared<'_>, model: &ir::Model) -> Vec<f64> {
    let inputs = &model.signature().inputs;
    let bound = table.bound(inputs).unwrap();
    let columns = data::by_column(&bound, inputs.len());
    let columns: Vec<ir::Column<'_>> = columns.iter().map(|chunks| chunks[0]).collect();
    let outputs = runtime::Plan::new(model.graph()).unwrap().run(&columns).unwrap();
    assert_eq!(outputs, runtime::reference::run(model.graph(), &columns).unwrap());
    match Predictions::from_outputs(&outputs, model.signature()) {
        Some(Predictions::Classes { probabilities, .. }) => probabilities,
        _ => panic!("classes"),
    }
}

/// A teacher with a model for these rows.
fn with_models(case: &Case, said: &[f64], options: &TeacherOptions, rows: &[Vec<u32>]) -> Teacher {
    let nb = learner("gaussian_nb").unwrap();
    let (table, params) = (case.prepared(nb), params(nb, &[]));
    let mut teacher = Teacher::try_new(said.to_vec(), &table.truth, options.clone()).unwrap();
    for rows in rows {
        let candidate = Candidate {
            prepared: &table,
            learner: nb,
            params: &params,
            teacher: None,
            onto: None,
            origin: None,
        };
        let of_rows = model(case, candidate, (std::slice::from_ref(rows), None));
        teacher = teacher.with_model(rows, &of_rows).unwrap();
    }
    teacher
}

fn generate(name: &str, times: &str) -> Option<Generate> {
    Some(Generate::parse(name, &[("times".to_owned(), times.to_owned())]).unwrap())
}

#[test]
fn made_rows_are_labelled_by_a_model_that_has_not_seen_what_is_held_back() {
    let (csv, said, _) = noisy(300, 4);
    let case = Case::new(&csv);
    let gbdt = learner("gbdt").unwrap();
    let table = case.prepared(gbdt);
    let (learnt, others): (Vec<u32>, Vec<u32>) = ((0..200).collect(), (200..300).collect());
    let both = [learnt.clone(), table.rows.clone()];
    for name in ["near_swaps", "leaf_gibbs"] {
        let asked = TeacherOptions { generate: generate(name, "2"), ..options(0.5) };
        let teacher = with_models(&case, &said, &asked, &both);
        let rows = || train(&learnt, &others);
        let first = given(&table, &teacher, rows(), 1).unwrap();
        for n_threads in [2, 3] {
            assert_eq!(
                given(&table, &teacher, rows(), n_threads).unwrap(),
                first,
                "{name}: {n_threads} threads"
            );
        }
        // Copies of training rows are there without a generator; what is behind them is made.
        let plain = Teacher::try_new(said.clone(), &table.truth, options(0.5)).unwrap();
        let n_plain = given(&table, &plain, rows(), 1).unwrap().labels.len();
        let n_made = first.labels.len() - n_plain;
        assert!((200..=800).contains(&n_made), "{name}: {n_made}");
        let weights = first.weights.as_ref().unwrap();
        let all: f64 = weights[n_plain..].iter().map(|w| f64::from(*w)).sum();
        assert!(all > 150.0 && all <= 400.001, "{name}: {all}");
        // Every cell is one of a training row, no row is one of the table as a whole.
        for made in &first.codes[n_plain..] {
            for (at, code) in made.iter().enumerate() {
                assert!(learnt.iter().any(|&row| first.codes[row as usize][at] == *code), "{name}");
            }
        }
        // A part of the rows is served by the model of all of them; where it has seen what is held back, nobody is.
        assert!(given(&table, &teacher, train(&learnt[..100], &others), 1).is_ok());
        let error = given(&table, &teacher, train(&others, &learnt), 1).unwrap_err();
        assert!(matches!(error.kind(), Kind::NoTeacherModel { n_rows: 100, n_models: 2, .. }), "{error}");
        let settings: &[(&str, &str)] = &[("n_trees", "10")];
        let student = fitted(&table, (gbdt, settings), Some(&teacher), rows()).unwrap();
        let without = fitted(&table, (gbdt, settings), Some(&plain), rows()).unwrap();
        assert_ne!(student.other_scores, without.other_scores);
    }
}

/// A teacher that answers by one column answers made rows by that column's cell.
#[test]
fn labels_are_those_of_the_cells() {
    let mut random = SplitMix64::new(9);
    let mut csv = "xa,xb,y\n".to_owned();
    for _ in 0..120 {
        let a = random.below(10);
        csv += &format!("{a},{},{}\n", random.below(10), a * 10);
    }
    let csv = csv.replace(",10\n", ",10.5\n");
    let case = Case::new(&csv);
    let tree = learner("tree").unwrap();
    let table = case.prepared(tree);
    let params = params(tree, &[("smoothing", "0"), ("min_leaf_rows", "1")]);
    let candidate = Candidate {
        prepared: &table,
        learner: tree,
        params: &params,
        teacher: None,
        onto: None,
        origin: None,
    };
    let of_all = model(&case, candidate, (&[], None));
    let said = match &table.truth {
        crate::Truth::Values(values) => values.clone(),
        _ => panic!("numbers"),
    };
    let asked = TeacherOptions { generate: generate("leaf_gibbs", "3"), ..options(0.0) };
    let teacher = Teacher::try_new(said.clone(), &table.truth, asked).unwrap();
    let teacher = teacher.with_model(&table.rows, &of_all).unwrap();
    let got = given(&table, &teacher, all(120), 1).unwrap();
    assert!(got.values.len() > 300, "{}", got.values.len());
    for (value, codes) in got.values[120..].iter().zip(&got.codes[120..]) {
        let alike = (0..120).find(|&row| got.codes[row][0] == codes[0]).unwrap();
        assert!((value - said[alike]).abs() < 0.01, "{value} for {}", said[alike]);
    }
}

/// Folds and the last fit, each with the model of its rows, on any number of threads.
#[test]
fn a_student_is_validated_and_finished() {
    let (csv, said, _) = noisy(240, 10);
    let case = Case::new(&csv);
    let gbdt = learner("gbdt").unwrap();
    let (table, params) = (case.prepared(gbdt), params(gbdt, &[]));
    let (scheme, seed) = (Scheme::Folds(3), Seed(1));
    let plain = Candidate {
        prepared: &table,
        learner: gbdt,
        params: &params,
        teacher: None,
        onto: None,
        origin: None,
    };
    let folds = with(1, |ctx| plain.plan(scheme, seed, ctx)).unwrap();
    let mut rows: Vec<Vec<u32>> = folds.into_iter().map(|fold| fold.train).collect();
    rows.push(table.rows.clone());
    let metric = metrics::metric("log_loss").unwrap();
    let aim = Aim { metric, costs: None, factors: None };
    for loss in [Loss::CrossEntropy, Loss::Logit] {
        let asked = TeacherOptions { generate: generate("near_swaps", "1"), loss, ..options(0.25) };
        let teacher = with_models(&case, &said, &asked, &rows);
        let student = || Candidate { teacher: Some(&teacher), ..plain };
        let validated = |n_threads, go_on| {
            let student = student();
            let done = with(n_threads, |ctx| {
                validate_while(&student, scheme, aim, (seed, ctx), &mut |_, _, _| go_on)
            });
            done.unwrap()
        };
        let first = validated(1, GoOn::Yes).unwrap();
        assert_eq!((first.n_fits, first.n_skipped), (3, 0));
        // The first fold alone is what it is among others.
        let alone = validated(1, GoOn::Enough).unwrap();
        assert_eq!((alone.n_fits, alone.n_skipped), (1, 2));
        assert_eq!(alone.held[0].scores, first.held[0].scores);
        assert!(validated(1, GoOn::No).is_none());
        for n_threads in [2, 3] {
            let on_several = validated(n_threads, GoOn::Yes).unwrap();
            assert_eq!(on_several.predictions, first.predictions, "{loss:?}: {n_threads} threads");
        }
        // The entropy of the classes themselves is about 0.69.
        assert!(first.score.unwrap() < 0.66, "{loss:?}: {:?}", first.score);
        let of_all = model(&case, student(), (&[], first.rounds));
        let again = model(&case, student(), (&[], first.rounds));
        assert_eq!(ir::file::write(&of_all), ir::file::write(&again));
    }
}

/// Rows without a target are labelled by the model too, where there is one.
#[test]
fn a_model_labels_rows_without_a_target() {
    let (csv, said, _) = noisy(80, 5);
    let csv: String =
        csv.lines()
            .enumerate()
            .map(|(at, line)| {
                if at > 60 {
                    format!("{}\n", &line[..=line.rfind(',').unwrap()])
                } else {
                    format!("{line}\n")
                }
            })
            .collect();
    let case = Case::new(&csv);
    let nb = learner("gaussian_nb").unwrap();
    let table = case.prepared(nb);
    assert_eq!(table.unlabelled.len(), 20);
    let params = params(nb, &[]);
    let candidate =
        Candidate { prepared: &table, learner: nb, params: &params, teacher: None, onto: None, origin: None };
    let of_all = model(&case, candidate, (&[], None));
    let teacher = Teacher::try_new(said, &table.truth, options(0.0)).unwrap();
    let teacher = teacher.with_model(&table.rows, &of_all).unwrap();
    let got = given(&table, &teacher, train(&table.rows, &[]), 1).unwrap();
    let probabilities = probabilities(&table, &of_all);
    let weights = got.weights.unwrap();
    for &row in &table.unlabelled {
        let largest = probabilities[2 * row as usize..][..2].iter().fold(0.0f64, |most, p| most.max(*p));
        let weight = f64::from(weights[row as usize]);
        assert!((weight - largest).abs() < 2e-3, "{row}: {weight} for {largest}");
    }
}

/// The model of a student that learnt log odds predicts what its fit scored.
#[test]
fn log_odds_are_a_model_of_two_classes() {
    let (csv, said, _) = noisy(200, 6);
    let case = Case::new(&csv);
    let logits = TeacherOptions { loss: Loss::Logit, ..options(0.25) };
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("ridge", &[]),
        ("gbdt", &[("n_trees", "30")]),
        ("forest", &[("n_trees", "10")]),
        ("knn", &[]),
        ("ebm", &[]),
        ("svm", &[]),
    ];
    for &(name, settings) in cases {
        let learner = learner(name).unwrap();
        let table = case.prepared(learner);
        let teacher = Teacher::try_new(said.clone(), &table.truth, logits.clone()).unwrap();
        let params = params(learner, settings);
        let candidate = || Candidate {
            prepared: &table,
            learner,
            params: &params,
            teacher: Some(&teacher),
            onto: None,
            origin: None,
        };
        let seed = Seed(5).derive("finish", 0);
        let student =
            with(1, |ctx| candidate().fit(all(200), Some([30, 30]), Exactness::Floats, (seed, ctx))).unwrap();
        assert_eq!(student.link.kind, ir::op::LinkKind::Logistic, "{name}");
        let of_all = model(&case, candidate(), (&[], Some([30, 30])));
        let scored = student.link.apply(&student.other_scores, 1);
        assert_eq!(scored, probabilities(&table, &of_all), "{name}");
        // Floats grow other trees.
        let pairs = scored.iter().zip(&student.other_floats);
        let away: f64 = pairs.map(|(p, float)| (p - float).abs()).sum::<f64>() / 400.0;
        assert!(away < 0.02, "{name}: {away} from floats");
        // It says about what its teacher says.
        let away: f64 = scored.iter().zip(&said).map(|(p, said)| (p - said).abs()).sum::<f64>() / 400.0;
        assert!(away < 0.2, "{name}: {away}");
    }
}

#[test]
fn what_cannot_be_learnt_is_refused() {
    let (csv, said, _) = noisy(40, 7);
    let case = Case::new(&csv);
    let gbdt = learner("gbdt").unwrap();
    let table = case.prepared(gbdt);
    let refused = |said: &[f64], options: TeacherOptions, expected: &str| {
        let error = Teacher::try_new(said.to_vec(), &table.truth, options).err().unwrap();
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.nature(), ir::Nature::Input);
    };
    refused(
        &said[1..],
        options(0.5),
        "teacher: expected 2 number(s) for each of 40 rows of the table, got 79 in all",
    );
    let mut wrong = said.clone();
    wrong[6] = 1.5;
    refused(
        &wrong,
        options(0.5),
        "teacher: row 4: expected probabilities in 0..=1, or nothing throughout, got 1.5",
    );
    wrong[6] = f64::NAN;
    refused(
        &wrong,
        options(0.5),
        "teacher: row 4: expected probabilities in 0..=1, or nothing throughout, got NaN",
    );
    wrong[6..8].fill(0.25);
    refused(&wrong, options(0.5), "teacher: row 4: expected probabilities that sum up to 1, got 0.5");
    refused(&said, options(1.5), "teacher: own_share must be a number in 0..=1, got 1.5");
    refused(&said, options(f64::NAN), "teacher: own_share must be a number in 0..=1, got NaN");
    let heavy = TeacherOptions { unlabelled_weight: -1.0, ..options(0.0) };
    refused(&said, heavy, "teacher: unlabelled_weight must be a number in 0..=1000000, got -1");

    let numbers = crate::Truth::Values(vec![0.0; 2]);
    let logits = TeacherOptions { loss: Loss::Logit, ..options(0.0) };
    let error = Teacher::try_new(vec![1.0, 2.0], &numbers, logits.clone()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "teacher: log odds are learnt of 2 classes, got 0 (0: numbers); use cross entropy"
    );
    assert!(Teacher::try_new(vec![1.0, f64::INFINITY], &numbers, options(0.0)).is_err());
    assert!(Teacher::try_new(vec![1.0, f64::NAN], &numbers, options(0.0)).is_ok());

    // A learner of classes alone, and one whose scores are logs.
    let teacher = Teacher::try_new(said.clone(), &table.truth, logits).unwrap();
    let error =
        fitted(&table, (learner("gaussian_nb").unwrap(), &[]), Some(&teacher), all(40)).err().unwrap();
    assert!(error.to_string().contains("a regression task is not supported"), "{error}");
    let loss: &[(&str, &str)] = &[("loss", "poisson")];
    assert!(fitted(&table, (gbdt, loss), Some(&teacher), all(40)).is_err());

    // Of nothing known, nothing is learnt.
    let teacher = Teacher::try_new(vec![f64::NAN; 80], &table.truth, options(0.5)).unwrap();
    assert!(fitted(&table, (gbdt, &[]), Some(&teacher), all(40)).is_err());

    let teacher = Teacher::try_new(said.clone(), &table.truth, options(0.5)).unwrap();
    let noise = Augment::parse("noise", &[]).unwrap();
    let augmented = case.prepared_by(&PrepareOptions { augment: Some(noise), ..case.options(gbdt) });
    let error = fitted(&augmented, (gbdt, &[]), Some(&teacher), all(40)).err().unwrap();
    assert!(matches!(error.kind(), Kind::TeacherAugment { augmentation: "noise" }), "{error}");
}

#[test]
fn tables_whose_rows_cannot_be_mixed_are_refused() {
    let (csv, said, _) = noisy(60, 8);
    let case = Case::new(&csv);
    let gbdt = learner("gbdt").unwrap();
    let asked = TeacherOptions { generate: generate("near_swaps", "1"), ..options(0.5) };
    let all_rows: Vec<u32> = (0..60).collect();
    let teacher = with_models(&case, &said, &asked, std::slice::from_ref(&all_rows));
    let refused = |options: PrepareOptions<'_>, part: &str| {
        let table = case.prepared_by(&options);
        let error = given(&table, &teacher, all(60), 1).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert!(matches!(error.kind(), Kind::Generate { generator: "near_swaps", .. }), "{error}");
    };
    let relations = Relations { group: Some("c"), ..Relations::default() };
    refused(PrepareOptions { relations, ..case.options(gbdt) }, "groups of \"c\"");
    // All columns together.
    let steps = ["one_hot", "standard", "row_norm"].map(|name| Step::parse(name, &[]).unwrap()).to_vec();
    refused(PrepareOptions { steps, ..case.options(gbdt) }, "3 that are used together");
    // Two of three columns stay together.
    let steps = vec![Step::parse("row_norm(xa;xb)", &[]).unwrap()];
    let table = case.prepared_by(&PrepareOptions { steps, ..case.options(gbdt) });
    let groups = super::ColumnGroups::new("near_swaps", &table, &table.study).unwrap();
    assert_eq!((&groups.of_input[..], groups.n), (&[0, 0, 1][..], 2));
    let got = given(&table, &teacher, all(60), 1).unwrap();
    let together = |codes: &[u8]| {
        got.codes[..60].iter().any(|row| {
            groups.of_feature.iter().zip(row.iter().zip(codes)).all(|(&group, (a, b))| group != 0 || a == b)
        })
    };
    assert!(got.codes.len() > 140 && got.codes[60..].iter().all(|made| together(made)));
    // A step that sees the target is fitted on the training rows, and its cells are theirs.
    let steps = vec![Step::parse("target_encode(c)", &[]).unwrap()];
    let table = case.prepared_by(&PrepareOptions { steps, ..case.options(gbdt) });
    assert!(given(&table, &teacher, all(60), 1).is_ok());
    // A model of other classes, and one of other columns.
    let three = Case::new("x,c,y\n0,a,0\n1,b,1\n2,c,2\n3,a,2\n0,b,1\n");
    let nb = learner("categorical_nb").unwrap();
    let (of_three, params) = (three.prepared(nb), params(nb, &[]));
    let candidate = Candidate {
        prepared: &of_three,
        learner: nb,
        params: &params,
        teacher: None,
        onto: None,
        origin: None,
    };
    let of_three = model(&three, candidate, (&[], None));
    let error = teacher.with_model(&all_rows, &of_three).err().unwrap();
    assert_eq!(
        error.to_string(),
        "teacher: what it predicts of one of its models: expected 2 classes, got 3 classes"
    );
}
