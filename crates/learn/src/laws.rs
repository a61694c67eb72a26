//! What every learner must satisfy, on each task that it answers.

use crate::{
    Decision, Error, Exactness, FitInput, Fitted, Goal, LEARNERS, LearnerEntry, Offsets, ScoreLink, Wants,
};
use ir::digest::SplitMix64;
use ir::op::LinkKind;
use ir::{Bits, Card, Column, ColumnData, ColumnKind, DType, GraphBuilder, Input, Model};
use ir::{OutputRole, Shape, Signature, Task, TensorData, ValueIdx};
use jobs::{Budget, Cancel, Clock, Ctx, Seed, Silent, Threads};
use runtime::Plan;
use std::collections::BTreeSet;
use std::sync::Arc;
use trees::{CodeMatrix, Encoder, Rows, Target};

/// A small table: two numbers (one whole), one category, with missing cells.
#[derive(Clone)]
struct Table {
    real: Vec<f64>,
    whole: Vec<i64>,
    whole_valid: Vec<u8>,
    colors: Vec<&'static str>,
    labels: Vec<u32>,
    values: Vec<f64>,
}

const COLORS: [&str; 6] = ["amber", "blue", "coral", "dun", "ecru", "fawn"];

impl Table {
    fn new(n_rows: usize, seed: u64) -> Table {
        let mut random = SplitMix64::new(seed);
        let mut table = Table {
            real: Vec::new(),
            whole: Vec::new(),
            whole_valid: vec![0; n_rows.div_ceil(8)],
            colors: Vec::new(),
            labels: Vec::new(),
            values: Vec::new(),
        };
        for row in 0..n_rows {
            let unit = |random: &mut SplitMix64| f64::from(random.below(1 << 20)) / f64::from(1 << 20);
            let (x, w) = (unit(&mut random) * 4.0, i64::from(random.below(50)));
            let c = random.below(6) as usize;
            let noise = unit(&mut random) - 0.5;
            let known = random.below(8) != 0;
            let y =
                (x - 2.0) * (x - 2.0) + if known { w as f64 / 25.0 } else { 3.0 } + (c % 3) as f64 + noise;
            table.real.push(if random.below(10) == 0 { f64::NAN } else { x });
            table.whole.push(w);
            table.whole_valid[row >> 3] |= u8::from(known) << (row & 7);
            table.colors.push(COLORS[c]);
            table.values.push(y);
            table.labels.push(if y < 2.5 {
                0
            } else if y < 4.0 {
                1
            } else {
                2
            });
        }
        table
    }

    /// The same rows in another order.
    fn permuted(&self, order: &[usize]) -> Table {
        let mut other = self.clone();
        other.whole_valid.fill(0);
        for (to, &from) in order.iter().enumerate() {
            other.real[to] = self.real[from];
            other.whole[to] = self.whole[from];
            other.whole_valid[to >> 3] |= (self.whole_valid[from >> 3] >> (from & 7) & 1) << (to & 7);
            other.colors[to] = self.colors[from];
            other.labels[to] = self.labels[from];
            other.values[to] = self.values[from];
        }
        other
    }

    fn n_rows(&self) -> usize {
        self.values.len()
    }
}

/// Text in Arrow's layout.
struct Text {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
}

impl Text {
    fn new(cells: &[&str]) -> Text {
        let mut text = Text { offsets: vec![0], bytes: Vec::new() };
        for cell in cells {
            text.bytes.extend_from_slice(cell.as_bytes());
            text.offsets.push(text.bytes.len() as i32);
        }
        text
    }
}

fn columns<'a>(table: &'a Table, text: &'a Text) -> Vec<Column<'a>> {
    let valid = Bits::try_new(&table.whole_valid, 0, table.n_rows());
    let colors = ColumnData::Str { offsets: &text.offsets, bytes: &text.bytes };
    vec![
        Column::try_new(ColumnData::F64(&table.real), None).unwrap(),
        Column::try_new(ColumnData::I64(&table.whole), valid).unwrap(),
        Column::try_new(colors, None).unwrap(),
    ]
}

fn target(table: &Table, task: Task) -> (Target<'_>, usize) {
    match task {
        Task::Binary => (Target::Binary(&table.labels), 2),
        Task::Multiclass => (Target::Classes { labels: &table.labels, n_classes: 3 }, 3),
        Task::Regression | Task::Transform | Task::MultiRegression | Task::Multilabel => {
            (Target::Values(&table.values), 0)
        }
    }
}

/// One fit and everything around it.
struct Case<'a> {
    entry: &'a LearnerEntry,
    task: Task,
    settings: Vec<(String, String)>,
    n_threads: usize,
    seed: u64,
    weights: Option<Vec<f32>>,
    /// Rows before it are learnt from.
    n_train: usize,
    /// Rows from it on are scored.
    first_other: usize,
    exact: Exactness,
    wants: Wants,
    /// Scores of all rows that are gone on from, with their link.
    offsets: Option<(Vec<i32>, ScoreLink)>,
}

impl<'a> Case<'a> {
    fn new(
        entry: &'a LearnerEntry,
        task: Task,
        settings: Vec<(String, String)>,
        exact: Exactness,
    ) -> Case<'a> {
        let (n_threads, seed, weights, n_train, first_other) = (1, 5, None, 600, 600);
        Case {
            entry,
            task,
            settings,
            n_threads,
            seed,
            weights,
            n_train,
            first_other,
            exact,
            wants: Wants::Model,
            offsets: None,
        }
    }

    /// What is drawn by the number of a row.
    fn draws_rows(&self) -> bool {
        matches!(self.entry.name, "forest" | "extra_trees")
            || self.settings.iter().any(|s| s.0 == "row_share" || s.0 == "gradient_share")
    }

    /// The table with a target that the member takes: two classes, or counts.
    fn suited(&self, table: &Table) -> Table {
        let mut table = binary(table, self.task);
        if self.entry.name == "poisson" {
            table.values.iter_mut().for_each(|y| *y = y.abs());
        }
        table
    }

    fn fit(&self, table: &Table) -> (Fitted, Vec<u8>, Model) {
        let (fitted, n_classes) = self.fit_alone(table);
        let model = assemble(&fitted, self.task, n_classes);
        let bytes = ir::file::write(&model);
        (fitted, bytes, model)
    }

    /// A fit without its model, and the number of classes.
    fn fit_alone(&self, table: &Table) -> (Fitted, usize) {
        self.try_fit(table).unwrap()
    }

    fn try_fit(&self, table: &Table) -> Result<(Fitted, usize), Error> {
        let text = Text::new(&table.colors);
        let columns = columns(table, &text);
        let params = self.entry.params(&self.settings).unwrap();
        let threads = Threads::try_new(self.n_threads).unwrap();
        let encoders: Vec<Encoder> =
            columns.iter().map(|c| Encoder::fit(&[*c], self.entry.max_bins(&params))).collect();
        let chunks: Vec<Vec<Column<'_>>> = columns.iter().map(|c| vec![*c]).collect();
        let codes = CodeMatrix::new(&encoders, &chunks, table.n_rows(), &threads);
        let numbers: Vec<Option<Arc<[f64]>>> = columns.iter().map(numbers_of).collect();
        let table = self.suited(table);
        let (target, n_classes) = target(&table, self.task);
        let n_rows = table.n_rows() as u32;
        let n_train = self.n_train as u32;
        let input = FitInput {
            names: &["real", "whole", "color"],
            encoders: &encoders,
            codes: &codes,
            numbers: &numbers,
            bags: &[],
            target,
            row_weights: self.weights.as_deref(),
            offsets: self.offsets.as_ref().map(|(scores, link)| Offsets { scores, link: *link }),
            rows: Rows { train: (0..n_train).collect(), others: (self.first_other as u32..n_rows).collect() },
            rounds: None,
            goal: Goal::Mean,
            exact: self.exact,
            wants: self.wants,
        };
        let (budget, cancel) = (Budget::work(Clock::start(), 1), Cancel::new());
        let ctx = Ctx { threads: &threads, budget: &budget, cancel: &cancel, progress: &Silent };
        Ok((self.entry.fit(input, &params, Seed(self.seed), &ctx)?, n_classes))
    }
}

/// A column as learners of numbers take it.
fn numbers_of(column: &Column<'_>) -> Option<Arc<[f64]>> {
    let is_number = !matches!(column.data(), ColumnData::Str { .. });
    is_number.then(|| (0..column.n_rows()).map(|row| column.double(row)).collect())
}

/// Two of the three classes for a binary task.
fn binary(table: &Table, task: Task) -> Table {
    let mut table = table.clone();
    if task == Task::Binary {
        table.labels.iter_mut().for_each(|l| *l = u32::from(*l > 0));
    }
    table
}

fn assemble(fitted: &Fitted, task: Task, n_classes: usize) -> Model {
    assemble_onto(None, fitted, task, n_classes)
}

/// A model of a fit, added to what it went on from.
fn assemble_onto(before: Option<&Fitted>, fitted: &Fitted, task: Task, n_classes: usize) -> Model {
    let all = [
        ("real", ColumnKind::Number, DType::F64),
        ("whole", ColumnKind::Number, DType::I64),
        ("color", ColumnKind::Category, DType::Str),
    ];
    let mut builder = GraphBuilder::new();
    let mut inputs = Vec::new();
    let mut values = Vec::new();
    let used = uses(before, fitted);
    for &used in &used {
        let (name, kind, dtype) = all[used];
        values.push(builder.input(name, dtype, Shape::rows()).unwrap());
        inputs.push(Input { name: name.into(), kind, dtype });
    }
    let n_outputs = if n_classes > 2 { n_classes } else { 1 };
    let lower = |builder: &mut GraphBuilder, fitted: &Fitted| {
        let place = |column: &usize| values[used.iter().position(|other| other == column).unwrap()];
        let own: Vec<ValueIdx> = fitted.uses.iter().map(place).collect();
        fitted.part.lower(builder, &own).unwrap()
    };
    let mut score = lower(&mut builder, fitted);
    if let (Some(before), Some(onto)) = (before, fitted.onto) {
        let before = lower(&mut builder, before);
        score = onto.lower(&mut builder, before, score, n_outputs).unwrap();
    }
    let linked = fitted.link.lower(&mut builder, score, n_outputs, &Decision::Largest).unwrap();
    let (mut roles, mut outputs) = (vec![OutputRole::Score], vec![score, linked.linked]);
    match linked.label {
        Some(label) => {
            roles.extend([OutputRole::Probability, OutputRole::Label]);
            outputs.push(label);
        }
        None => roles.push(OutputRole::Value),
    }
    let classes = (0..n_classes).map(|k| format!("class {k}")).collect();
    let positive = (task == Task::Binary).then_some(1);
    let signature = Signature {
        task,
        target: "y".into(),
        targets: Vec::new(),
        inputs,
        outputs: roles,
        classes,
        positive,
        missing: vec![],
        columns: vec![],
        joined: None,
    };
    Model::try_new(builder.finish(&outputs).unwrap(), signature, Card::default()).unwrap()
}

/// Columns that either fit takes, rising.
fn uses(before: Option<&Fitted>, fitted: &Fitted) -> Vec<usize> {
    let all = before.into_iter().chain([fitted]).flat_map(|fitted| fitted.uses.iter().copied());
    all.collect::<BTreeSet<usize>>().into_iter().collect()
}

/// Integer scores of all rows by the plan of a model.
fn scores(model: &Model, fitted: &Fitted, table: &Table) -> Vec<i32> {
    scores_by(model, &fitted.uses, table)
}

fn scores_by(model: &Model, uses: &[usize], table: &Table) -> Vec<i32> {
    let text = Text::new(&table.colors);
    let all = columns(table, &text);
    let used: Vec<Column<'_>> = uses.iter().map(|&u| all[u]).collect();
    let outputs = Plan::new(model.graph()).unwrap().run(&used).unwrap();
    assert_eq!(runtime::reference::run(model.graph(), &used).unwrap(), outputs);
    match outputs[0].data() {
        TensorData::I32(v) => v.clone(),
        other => panic!("scores of {}", other.dtype()),
    }
}

/// Runs a law on every member, task, way of fitting several classes, and with options.
fn on_every_member(mut law: impl FnMut(Case<'_>, &str)) {
    for entry in LEARNERS {
        for &task in entry.tasks.iter().filter(|task| !task.is_several()) {
            let mut variants = vec![Vec::new()];
            let per_class = entry.spec().any(|p| p.name == "class_trees");
            if task == Task::Multiclass && per_class {
                variants.push(vec![("class_trees".to_owned(), "one_per_class".to_owned())]);
            }
            if entry.name == "gbdt" {
                let options = [
                    ("row_share", "0.6"),
                    ("column_share", "0.7"),
                    ("l1", "0.5"),
                    ("path_smoothing", "3"),
                    ("feature_reuse", "0.01"),
                    ("threshold_reuse", "0.001"),
                ];
                let more = [
                    ("growth", "symmetric"),
                    ("gradient_share", "0.6"),
                    ("column_share_by_split", "0.7"),
                    ("max_step", "2"),
                ];
                for options in [&options[..], &more] {
                    variants.push(options.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect());
                }
            }
            for settings in variants {
                let name = format!("{} {task} {settings:?}", entry.name);
                let exact = Exactness::Integers;
                let case = Case::new(entry, task, settings, exact);
                law(case, &name);
            }
        }
    }
}

#[test]
fn refit_and_threads_give_equal_bytes() {
    let table = Table::new(800, 1);
    on_every_member(|mut case, name| {
        let (_, first, _) = case.fit(&table);
        let (_, again, _) = case.fit(&table);
        assert_eq!(first, again, "{name}: a second fit");
        for n in [2, 3] {
            case.n_threads = n;
            let (_, other, _) = case.fit(&table);
            assert_eq!(first, other, "{name}: {n} threads");
        }
    });
}

#[test]
fn the_graph_predicts_the_training_scores() {
    let table = Table::new(900, 2);
    on_every_member(|case, name| {
        let (fitted, _, model) = case.fit(&table);
        let n_outputs = fitted.other_scores.len() / 300;
        let all = scores(&model, &fitted, &table);
        assert_eq!(&all[600 * n_outputs..], &fitted.other_scores[..], "{name}");
    });
}

#[test]
fn scores_alone_are_those_of_the_model() {
    let table = Table::new(900, 2);
    on_every_member(|mut case, name| {
        for exact in [Exactness::Integers, Exactness::Floats] {
            case.exact = exact;
            let [model, alone] = [Wants::Model, Wants::Scores].map(|wants| {
                case.wants = wants;
                case.fit_alone(&table).0
            });
            assert_eq!(model.other_scores, alone.other_scores, "{name}");
            let bits = |fitted: &Fitted| fitted.other_floats.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&model), bits(&alone), "{name}");
            assert!((&model.link, model.rounds) == (&alone.link, alone.rounds), "{name}");
        }
    });
}

/// Rows that were learnt from may be asked for beside those held back.
#[test]
fn training_rows_are_scored_as_the_graph_does() {
    let table = Table::new(900, 2);
    on_every_member(|mut case, name| {
        case.first_other = 300;
        let (fitted, _, model) = case.fit(&table);
        let n_outputs = fitted.other_scores.len() / 600;
        let all = scores(&model, &fitted, &table);
        assert_eq!(&all[300 * n_outputs..], &fitted.other_scores[..], "{name}");
    });
}

/// What a fit may go on from: learners with grids of their own, fitted to other rows than those that it learns from.
fn befores(task: Task) -> Vec<(&'static str, Vec<(String, String)>)> {
    let of = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let linear = if task == Task::Regression { "ridge" } else { "logistic" };
    let fine = vec![of("n_trees", "5"), of("leaf_bits", "16"), of("max_leaves", "3")];
    vec![("gbdt", vec![of("n_trees", "5"), of("max_leaves", "4")]), ("gbdt", fine), (linear, Vec::new())]
}

#[test]
fn scores_gone_on_from_are_added_as_the_graph_adds_them() {
    let table = Table::new(900, 2);
    on_every_member(|mut case, name| {
        for (before, settings) in befores(case.task) {
            let entry = crate::learner(before).unwrap();
            let mut first = Case::new(entry, case.task, settings, Exactness::Integers);
            (first.n_train, first.first_other) = (150, 0);
            let (first, n_classes) = first.fit_alone(&table);
            case.offsets = Some((first.other_scores.clone(), first.link));
            if !case.entry.starts_from_scores {
                let error = case.try_fit(&table).err().unwrap().to_string();
                let expected = format!("learner {}: it cannot go on from the scores", case.entry.name);
                assert!(error.starts_with(&expected), "{error}");
                return;
            }
            let (fitted, _) = case.fit_alone(&table);
            let model = assemble_onto(Some(&first), &fitted, case.task, n_classes);
            let n_outputs = fitted.other_scores.len() / 300;
            let all = scores_by(&model, &uses(Some(&first), &fitted), &table);
            assert_eq!(&all[600 * n_outputs..], &fitted.other_scores[..], "{name} on {before}");
            let suited = case.suited(&table);
            let of_first = Fitted { other_scores: first.other_scores[600 * n_outputs..].to_vec(), ..first };
            let [alone, both] =
                [&of_first, &fitted].map(|fitted| share_of_constant(fitted, &suited, case.task));
            assert!(both < 0.9 * alone, "{name} on {before}: {both} after {alone}");
            case.n_threads = 3;
            let (threaded, _) = case.fit_alone(&table);
            let again = assemble_onto(Some(&of_first), &threaded, case.task, n_classes);
            assert_eq!(ir::file::write(&again), ir::file::write(&model), "{name} on {before}: threads");
            case.n_threads = 1;
        }
    });
}

#[test]
fn scores_of_another_link_are_refused() {
    let table = Table::new(900, 2);
    let gbdt = crate::learner("gbdt").unwrap();
    for (before, task, says) in [
        ("forest", Task::Binary, "expected a logistic link, got share; go on from"),
        ("poisson", Task::Regression, "expected a linear link, got exponential; set its loss"),
    ] {
        let mut first = Case::new(crate::learner(before).unwrap(), task, Vec::new(), Exactness::Integers);
        first.first_other = 0;
        let mut table = table.clone();
        table.values.iter_mut().for_each(|y| *y = y.abs());
        let (first, _) = first.fit_alone(&table);
        let mut case = Case::new(gbdt, task, Vec::new(), Exactness::Integers);
        case.offsets = Some((first.other_scores, first.link));
        let error = case.try_fit(&table).err().unwrap();
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(error.nature(), ir::Nature::Unsupported);
        // The loss on logs takes them.
        case.settings = vec![("loss".to_owned(), "poisson".to_owned())];
        assert!(task == Task::Binary || case.try_fit(&table).is_ok());
    }
}

#[test]
fn save_and_load_give_equal_bytes_and_scores() {
    let table = Table::new(700, 3);
    on_every_member(|case, name| {
        let (fitted, bytes, model) = case.fit(&table);
        let back = ir::file::read(&bytes).unwrap();
        assert_eq!(ir::file::write(&back), bytes, "{name}");
        assert_eq!(scores(&back, &fitted, &table), scores(&model, &fitted, &table), "{name}");
    });
}

#[test]
fn the_reference_and_the_plan_agree_and_a_row_predicts_alone() {
    let table = Table::new(700, 4);
    on_every_member(|case, name| {
        let (fitted, _, model) = case.fit(&table);
        let text = Text::new(&table.colors);
        let all = columns(&table, &text);
        let used: Vec<Column<'_>> = fitted.uses.iter().map(|&u| all[u]).collect();
        let plan = Plan::new(model.graph()).unwrap();
        let whole = plan.run(&used).unwrap();
        assert_eq!(runtime::reference::run(model.graph(), &used).unwrap(), whole, "{name}");
        let n_outputs = whole[0].dims()[1];
        let TensorData::I32(batch) = whole[0].data() else { panic!("{name}") };
        for row in [0, 255, 256, 699] {
            let one: Vec<Column<'_>> = used.iter().map(|c| c.slice(row, 1).unwrap()).collect();
            let alone = plan.run(&one).unwrap();
            let TensorData::I32(alone) = alone[0].data() else { panic!("{name}") };
            assert_eq!(alone[..], batch[row * n_outputs..(row + 1) * n_outputs], "{name} row {row}");
        }
    });
}

/// Mean loss of the rows held back, over that of a constant guess.
fn share_of_constant(fitted: &Fitted, table: &Table, task: Task) -> f64 {
    let n = 600;
    let (_, n_classes) = target(table, task);
    let n_outputs = if task == Task::Multiclass { 3 } else { 1 };
    let linked = fitted.link.apply(&fitted.other_scores, n_outputs);
    let held = table.n_rows() - n;
    let mut loss = 0.0;
    let mut constant = 0.0;
    let mean = table.values[..n].iter().sum::<f64>() / n as f64;
    for i in 0..held {
        let row = n + i;
        if n_classes == 0 {
            loss += (linked[i] - table.values[row]).powi(2);
            constant += (mean - table.values[row]).powi(2);
        } else {
            let label = table.labels[row];
            let share = table.labels[..n].iter().filter(|l| **l == label).count() as f64 / n as f64;
            let p = linked[i * n_classes + label as usize];
            if fitted.link.kind == LinkKind::Share {
                // Of a hundred trees none may vote for a class, where log loss has no bound: squared distance.
                loss += (1.0 - p) * (1.0 - p);
                constant += (1.0 - share) * (1.0 - share);
            } else {
                loss -= p.max(1e-15).ln();
                constant -= share.ln();
            }
        }
    }
    loss / constant
}

/// The largest share of a constant guess's loss; the target hangs on a square, which straight lines do not
/// see, and columns are not independent within a class.
fn margin(learner: &str) -> f64 {
    match learner {
        // Machines of one class against the rest do not know each other's probabilities.
        "svm" => 0.7,
        // Five votes are coarse shares.
        "knn" => 0.7,
        "gaussian_nb" | "categorical_nb" => 0.85,
        "bernoulli_nb" | "multinomial_nb" => 0.995,
        "ridge" | "lasso" | "elastic_net" | "logistic" | "poisson" | "huber" | "linear_svm" => 0.95,
        _ => 0.6,
    }
}

#[test]
fn beats_the_constant_guess() {
    // Three tables; the noise alone is below a tenth of the variance.
    for seed in [11, 12, 13] {
        let table = Table::new(900, seed);
        on_every_member(|case, name| {
            let (fitted, _, _) = case.fit(&table);
            let share = share_of_constant(&fitted, &case.suited(&table), case.task);
            let margin = margin(case.entry.name);
            assert!(share < margin, "{name}, table {seed}: {share} of the loss of a constant guess");
        });
    }
}

#[test]
fn weight_two_equals_the_row_twice() {
    let base = Table::new(900, 21);
    on_every_member(|mut case, name| {
        // The first 100 rows twice, against a weight of 2.
        let twice: Vec<usize> = (0..100).chain(0..600).chain(600..800).collect();
        let mut doubled = base.permuted(&(0..900).collect::<Vec<_>>());
        doubled = doubled.permuted(&twice.iter().copied().chain(800..900).take(900).collect::<Vec<_>>());
        case.n_train = 700;
        case.first_other = 700;
        let (with_copies, _, _) = case.fit(&doubled);
        let order: Vec<usize> = (0..700).map(|i| i % 600).chain(600..800).collect();
        let weighted_table = base.permuted(&order);
        let mut weights = vec![1.0; 900];
        // Rows 600..700 of this table are further copies; weight 0 takes them out.
        for (row, weight) in weights.iter_mut().enumerate() {
            *weight = match row {
                0..100 => 2.0,
                600..700 => 0.0,
                _ => 1.0,
            };
        }
        case.weights = Some(weights);
        let (weighted, _, _) = case.fit(&weighted_table);
        let n_outputs = with_copies.other_scores.len() / 200;
        let a = with_copies.link.apply(&with_copies.other_scores, n_outputs);
        let b = weighted.link.apply(&weighted.other_scores, n_outputs);
        let size = a.iter().map(|v| v.abs()).sum::<f64>() / a.len() as f64;
        let apart = a.iter().zip(&b).map(|(x, y)| (x - y).abs()).sum::<f64>() / a.len() as f64;
        // Gradients are rounded with other random bits, edges see other counts: not equal, but close.
        // Rows are drawn by number, so a member that draws rows sees two samples of one table.
        // The sigmoid of a support vector machine hangs on how its inner fits fall.
        let bound = match case.entry.name {
            _ if case.draws_rows() => 0.15,
            "svm" => 0.1,
            _ => 0.05,
        };
        assert!(apart < bound * size, "{name}: mean distance {apart} of {size}");
    });
}

#[test]
fn degenerate_columns_and_targets_are_learnt_without_a_fault() {
    let ordinary = Table::new(640, 31);
    let mut cases: Vec<(&str, Table)> = Vec::new();
    let mut t = ordinary.clone();
    t.real.fill(f64::NAN);
    cases.push(("a column without a value", t));
    let mut t = ordinary.clone();
    t.real.fill(7.0);
    t.whole.fill(3);
    t.colors.fill("amber");
    cases.push(("constant columns", t));
    let mut t = ordinary.clone();
    t.labels.fill(1);
    t.values.fill(-3.0);
    cases.push(("a constant target", t));
    let mut t = ordinary.clone();
    t.real.iter_mut().step_by(3).for_each(|v| *v = f64::INFINITY);
    t.real.iter_mut().step_by(5).for_each(|v| *v = f64::NEG_INFINITY);
    cases.push(("infinite values", t));
    let mut t = ordinary.clone();
    t.values.iter_mut().for_each(|v| *v = 1e12 + *v * 1e-3);
    cases.push(("a target far from zero", t));
    for (what, table) in &cases {
        on_every_member(|case, name| {
            // Counts are not below 0.
            if case.entry.name == "multinomial_nb" && *what == "infinite values" {
                return;
            }
            let (fitted, bytes, model) = case.fit(table);
            let n_outputs = fitted.other_scores.len() / 40;
            let linked = fitted.link.apply(&fitted.other_scores, n_outputs);
            assert!(linked.iter().all(|v| v.is_finite()), "{name}: {what}");
            let all = scores(&ir::file::read(&bytes).unwrap(), &fitted, table);
            assert_eq!(all, scores(&model, &fitted, table), "{name}: {what}");
            if *what == "a constant target" && case.task == Task::Regression {
                let expected = case.suited(table).values[0];
                let near = |v: f64| match fitted.link.kind {
                    LinkKind::Exponential => (v / expected - 1.0).abs() < 1e-4,
                    _ => v == expected,
                };
                assert!(linked.iter().all(|&v| near(v)), "{name}: {what}: {:?}", &linked[..3]);
            }
        });
    }
}

#[test]
fn one_training_row_is_a_constant_model() {
    let table = Table::new(60, 41);
    on_every_member(|mut case, name| {
        case.n_train = 1;
        case.first_other = 1;
        let (fitted, _, _) = case.fit(&table);
        let n_outputs = fitted.other_scores.len() / 59;
        let first = &fitted.other_scores[..n_outputs];
        assert!(fitted.other_scores.chunks(n_outputs).all(|s| s == first), "{name}");
    });
}

#[test]
fn parameters_out_of_range_give_the_message() {
    for entry in LEARNERS {
        for param in entry.spec().chain(entry.shared()) {
            for text in params::outside(param.range) {
                let error = entry.params(&[(param.name.to_owned(), text.clone())]).unwrap_err();
                let expected = format!("{}: {} must be {}, got {text}", entry.name, param.name, param.range);
                assert_eq!(error.to_string(), expected);
            }
            for alias in param.aliases {
                let known = entry.params(&[((*alias).to_owned(), param.default.to_string())]);
                assert!(known.is_ok(), "{alias}");
            }
        }
        let error = entry.params(&[("no_such".to_owned(), "1".to_owned())]).unwrap_err();
        assert!(error.to_string().contains("unknown parameter \"no_such\""), "{error}");
    }
}

/// What a search changes is a parameter, each once, and every place of its axis is a value that it takes.
#[test]
fn every_axis_is_a_parameter() {
    for entry in LEARNERS {
        for (at, axis) in entry.space.iter().enumerate() {
            let name = (entry.name, axis.name);
            assert!(entry.spec().any(|p| p.name == axis.name), "{name:?}");
            assert!(entry.space[..at].iter().all(|other| other.name != axis.name), "{name:?}");
            for place in [0.0, 0.25, 0.5, 0.75, 1.0] {
                let setting = (axis.name.to_owned(), axis.text(place));
                assert!(entry.params(std::slice::from_ref(&setting)).is_ok(), "{name:?}: {setting:?}");
            }
        }
    }
}

/// Mean distance of what people read from what they would read without rounding; values in deviations of the
/// target.
fn distance(fitted: &Fitted, table: &Table, task: Task) -> f64 {
    let n_outputs = if task == Task::Multiclass { 3 } else { 1 };
    let linked = fitted.link.apply(&fitted.other_scores, n_outputs);
    assert_eq!(linked.len(), fitted.other_floats.len());
    let pairs = linked.iter().zip(&fitted.other_floats);
    let away = pairs.map(|(a, b)| (a - b).abs()).sum::<f64>() / linked.len() as f64;
    let n = table.values.len() as f64;
    let mean = table.values.iter().sum::<f64>() / n;
    let variance = table.values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    if task == Task::Regression { away / variance.sqrt() } else { away }
}

/// The largest mean distance. Leaves, weights and tables of 16 bits are near; where rounding decides between
/// splits, rounds or neighbours that are as good, other answers are as right.
fn nearness(learner: &str) -> f64 {
    match learner {
        "gbdt" => 0.05,
        "forest" | "extra_trees" | "tree" => 1e-4,
        "knn" => 0.06,
        "svm" | "gaussian_nb" => 0.03,
        _ => 1e-3,
    }
}

#[test]
fn floats_are_near_integers() {
    let table = Table::new(900, 51);
    on_every_member(|mut case, name| {
        let (integers, bytes, _) = case.fit(&table);
        assert!(integers.other_floats.is_empty(), "{name}: not asked for");
        case.exact = Exactness::Floats;
        let (fitted, same_bytes, _) = case.fit(&table);
        assert_eq!(bytes, same_bytes, "{name}: floats stand beside the model");
        let away = distance(&fitted, &case.suited(&table), case.task);
        assert!(away < nearness(case.entry.name), "{name}: {away}");
        if case.task != Task::Regression {
            let n_classes = if case.task == Task::Multiclass { 3 } else { 2 };
            for row in fitted.other_floats.chunks_exact(n_classes) {
                assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{name}: {row:?}");
            }
        }
        case.n_threads = 3;
        let (threaded, _, _) = case.fit(&table);
        assert_eq!(fitted.other_floats, threaded.other_floats, "{name}: threads");
    });
}

#[test]
fn fewer_bits_are_farther_from_floats() {
    let table = Table::new(900, 52);
    on_every_member(|mut case, name| {
        if !case.entry.spec().any(|p| p.name == "leaf_bits") {
            return;
        }
        case.exact = Exactness::Floats;
        if case.entry.name == "gbdt" {
            // Of few rounds, before one other split leads to others.
            case.settings.push(("n_trees".to_owned(), "10".to_owned()));
        }
        let fine = case.fit(&table).0;
        case.settings.push(("leaf_bits".to_owned(), "4".to_owned()));
        let coarse = case.fit(&table).0;
        assert_eq!(fine.other_floats, coarse.other_floats, "{name}: floats have no leaf bits");
        let [fine, coarse] = [fine, coarse].map(|f| distance(&f, &case.suited(&table), case.task));
        assert!(coarse > fine, "{name}: {coarse} at 4 bits, {fine} at 16");
    });
}

/// A change here changes every user's models.
#[test]
fn defaults_of_gbdt_keep_their_bytes() {
    let table = Table::new(800, 1);
    let mut found = Vec::new();
    on_every_member(|case, _| {
        if case.entry.name == "gbdt" && !case.draws_rows() {
            let mut digest = ir::digest::Digest::new();
            digest.bytes(&case.fit(&table).1);
            found.push(digest.finish());
        }
    });
    let expected =
        [0x44b2_a13c_6380_6787, 0x0979_1c49_5ff6_a0cb, 0x58cc_6811_1817_c5a1, 0xdde0_8cd9_35be_2af6];
    assert_eq!(found, expected, "{found:#x?}");
}

/// A fit of `gbdt` on a binary task with one setting.
fn gbdt_with(table: &Table, name: &str, value: &str) -> (Fitted, Vec<u8>) {
    let settings = vec![("n_trees".to_owned(), "40".to_owned()), (name.to_owned(), value.to_owned())];
    let entry = crate::learner("gbdt").unwrap();
    let task = Task::Binary;
    let exact = Exactness::Integers;
    let case = Case::new(entry, task, settings, exact);
    let (fitted, bytes, _) = case.fit(table);
    (fitted, bytes)
}

#[test]
fn penalties_make_models_smaller_and_leaves_shrink() {
    let table = Table::new(900, 6);
    let plain = gbdt_with(&table, "l1", "0");
    for name in ["feature_reuse", "threshold_reuse"] {
        let (fitted, bytes) = gbdt_with(&table, name, "0.02");
        let smaller = bytes.len() < plain.1.len();
        // Every column of this table is worth its price, so only thresholds become fewer.
        assert!(smaller || name == "feature_reuse", "{name}: {} for {}", bytes.len(), plain.1.len());
        let share = share_of_constant(&fitted, &binary(&table, Task::Binary), Task::Binary);
        assert!(share < 0.6, "{name}: {share}");
    }
    assert_eq!(gbdt_with(&table, "feature_reuse", "1").0.uses.len(), 1, "one column, then none is worth it");
    for name in ["l1", "path_smoothing"] {
        let spread = |fitted: &Fitted| {
            let scores = &fitted.other_scores;
            let range = scores.iter().max().unwrap() - scores.iter().min().unwrap();
            f64::from(range) * 2f64.powi(-i32::from(fitted.link.shift))
        };
        let some = spread(&gbdt_with(&table, name, "20").0);
        let most = spread(&gbdt_with(&table, name, "1e9").0);
        assert!(most < 0.001 && some < spread(&plain.0), "{name}: {most}, {some}, {}", spread(&plain.0));
    }
    for name in ["row_share", "column_share", "gradient_share", "column_share_by_split"] {
        let (fitted, bytes) = gbdt_with(&table, name, "0.5");
        let share = share_of_constant(&fitted, &binary(&table, Task::Binary), Task::Binary);
        assert!(bytes != plain.1 && share < 0.6, "{name}: {share}");
    }
}
