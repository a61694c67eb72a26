//! What every ensemble must satisfy, on each task that it answers.

use super::{Asked, ENSEMBLES, EnsembleEntry, MemberRows, Pool, Room, choose};
use crate::{Error, Kind};
use ir::digest::SplitMix64;
use ir::fixed::{math, power_of_two, round_i32};
use ir::op::{Columns, LinkKind, ToScores};
use ir::{Column, ColumnData, DType, GraphBuilder, Op, Shape, Task, TensorData};
use jobs::{Budget, Cancel, Clock, Ctx, Silent, Threads};
use learn::{Decision, ScoreLink, linked};
use params::outside;
use recipe::{
    CodedColumns, Combination, HeldBack, Limits, MemberSum, ScoreMap, Size, Space, Truth, member_scores,
};
use std::sync::Arc;
use trees::{CodeMatrix, Encoder};

const N_CLASSES: usize = 3;
/// All votes of the drawn members that vote: enough that a rounded one is off by less than [`OF_SHARES`].
const VOTES: i64 = 100_000;
/// Log odds, or logs, of shares are lines between 65 points, so off by this much at most.
const OF_SHARES: f64 = 0.012;
/// Members that are drawn: one that is good, a noisy copy, a constant, one that knows nothing.
const N_MEMBERS: usize = 4;

/// What members say and what is true.
struct Drawn {
    links: Vec<ScoreLink>,
    /// Scores of each member on the grid of its link.
    integers: Vec<Vec<i32>>,
    rows: MemberRows,
    cells: Cells,
}

/// Columns of the table: how noisy the noisy copy is, now and then missing, and a category that says nothing.
#[derive(Clone)]
struct Cells {
    noise: Vec<f64>,
    offsets: Vec<i32>,
    keys: String,
}

impl Cells {
    fn new(mut noise: Vec<f64>) -> Cells {
        noise.iter_mut().step_by(17).for_each(|cell| *cell = f64::NAN);
        let keys: String = (0..noise.len()).map(|row| ["a", "b", "c"][row % 3]).collect();
        Cells { offsets: (0..=noise.len() as i32).collect(), noise, keys }
    }

    fn columns(&self) -> [Column<'_>; 2] {
        let keys = ColumnData::Str { offsets: &self.offsets, bytes: self.keys.as_bytes() };
        [ColumnData::F64(&self.noise), keys].map(|cells| Column::try_new(cells, None).unwrap())
    }

    fn coded(&self) -> Arc<CodedColumns> {
        let columns = self.columns().map(|column| vec![column]);
        let encoders: Vec<Encoder> = columns.iter().map(|column| Encoder::fit(column, 30)).collect();
        let codes = CodeMatrix::new(&encoders, &columns, self.noise.len(), &Threads::one());
        Arc::new(CodedColumns::try_new(COLUMNS.map(str::to_owned).to_vec(), encoders, codes).unwrap())
    }

    /// Rows that know their columns.
    fn known_to(&self, rows: MemberRows) -> MemberRows {
        let all = (0..rows.n_rows() as u32).collect();
        rows.with_columns(self.coded(), all).unwrap()
    }
}

/// Names of the columns.
const COLUMNS: [&str; 2] = ["noise", "key"];

fn n_outputs(task: Task) -> usize {
    if task == Task::Multiclass { N_CLASSES } else { 1 }
}

fn link(kind: LinkKind, shift: i16, offset: i64) -> ScoreLink {
    ScoreLink { kind, shift, offset }
}

/// Links of members that are combined, for a task.
fn all_links(task: Task) -> Vec<[ScoreLink; N_MEMBERS]> {
    let share = link(LinkKind::Share, 0, VOTES);
    match task {
        Task::Binary => {
            let on = |shift| link(LinkKind::Logistic, shift, 0);
            vec![[on(12); 4], [on(16), on(12), share, on(14)], [share; 4]]
        }
        Task::Multiclass => {
            let on = |shift| link(LinkKind::Softmax, shift, 0);
            vec![[on(12); 4], [on(16), share, on(12), on(14)], [share; 4]]
        }
        Task::Regression | Task::Transform | Task::MultiRegression | Task::Multilabel => {
            let on = |shift, offset| link(LinkKind::Linear, shift, offset);
            let power = |shift| link(LinkKind::Exponential, shift, 0);
            vec![[on(8, 0); 4], [on(8, 1000), power(12), on(-2, -7), on(6, 0)], [power(16); 4]]
        }
    }
}

/// Integer scores of real ones.
fn integers(real: &[f64], link: &ScoreLink, n_outputs: usize) -> Vec<i32> {
    let unit = power_of_two(link.shift.into());
    let votes = link.offset as f64;
    let each = |f: &dyn Fn(f64) -> f64| real.iter().map(|&s| round_i32(f(s))).collect::<Vec<i32>>();
    match link.kind {
        LinkKind::Logistic | LinkKind::Softmax => each(&|s| s * unit),
        LinkKind::Share if n_outputs == 1 => each(&|s| votes * (2.0 * math::sigmoid(s) - 1.0)),
        LinkKind::Share => linked(LinkKind::Softmax, real.to_vec(), n_outputs)
            .into_iter()
            .map(|p| round_i32(p * votes))
            .collect(),
        LinkKind::Linear => each(&|s| s * unit - votes),
        LinkKind::Exponential => each(&|s| math::log(s) * unit),
    }
}

/// Real scores of integers, as who makes [`MemberRows`] gets them.
fn real(integers: &[i32], link: &ScoreLink, n_outputs: usize) -> Vec<f64> {
    member_scores(integers, link, n_outputs)
}

impl Drawn {
    fn new(task: Task, links: &[ScoreLink], n_rows: usize, seed: u64) -> Drawn {
        let mut random = SplitMix64::new(seed);
        let n = n_outputs(task);
        let (mut scores, mut labels, mut targets) = (vec![Vec::new(); N_MEMBERS], Vec::new(), Vec::new());
        let mut noise = Vec::with_capacity(n_rows);
        for _ in 0..n_rows {
            let meant: Vec<f64> = (0..n).map(|_| 2.0 * random.normal()).collect();
            let at = |s: f64| if task == Task::Regression { f64::max(50.0 + 5.0 * s, 1.0) } else { s };
            noise.push(0.0);
            for (k, s) in meant.iter().enumerate() {
                let good = s + 0.6 * random.normal();
                let constant = [0.4, -0.2, 0.1][k];
                let away = random.normal();
                let largest = noise.last_mut().unwrap();
                *largest = away.abs().max(*largest);
                let said = [good, good + away, constant, random.normal()];
                scores.iter_mut().zip(said).for_each(|(scores, s)| scores.push(at(s)));
            }
            if task == Task::Regression {
                targets.push(at(meant[0] + 0.5 * random.normal()));
                continue;
            }
            let kind = if n == 1 { LinkKind::Logistic } else { LinkKind::Softmax };
            let p = linked(kind, meant, n);
            let mut left = random.unit();
            let label = p.iter().position(|p| {
                left -= p;
                left < 0.0
            });
            labels.push(label.unwrap_or(p.len() - 1) as u32);
        }
        let truth = match task {
            Task::Regression | Task::Transform | Task::MultiRegression | Task::Multilabel => {
                Truth::Values(targets)
            }
            Task::Binary => Truth::Classes { labels, n_classes: 2, positive: Some(1) },
            Task::Multiclass => Truth::Classes { labels, n_classes: N_CLASSES, positive: None },
        };
        let on_links = scores.iter().zip(links);
        let integers: Vec<Vec<i32>> = on_links.map(|(scores, link)| integers(scores, link, n)).collect();
        let scores = integers.iter().zip(links).map(|(scores, link)| real(scores, link, n)).collect();
        let cells = Cells::new(noise);
        let rows = cells.known_to(MemberRows::try_new(scores, n, truth).unwrap());
        Drawn { links: links.to_vec(), integers, rows, cells }
    }

    /// The usual ones: the first links of the task.
    fn usual(task: Task) -> Drawn {
        Drawn::new(task, &all_links(task)[0], 600, 11)
    }

    /// The sum by integers.
    fn on_grids(&self, combination: &Combination) -> (Vec<i32>, ScoreLink) {
        let on_grids = combination.on_grids(&self.links, self.rows.n_outputs()).unwrap();
        let members: Vec<&[i32]> = self.integers.iter().map(|scores| &scores[..]).collect();
        (on_grids.apply(&members, self.rows.coded()).unwrap(), on_grids.link())
    }

    /// The same members in the opposite order.
    fn reversed(&self) -> MemberRows {
        let scores = (0..self.rows.n_members()).rev().map(|at| self.rows.scores(at).to_vec());
        let truth = self.rows.truth().clone();
        self.cells.known_to(MemberRows::try_new(scores.collect(), self.rows.n_outputs(), truth).unwrap())
    }

    /// What a member says of four parts of the rows.
    fn held(&self, member: usize) -> Vec<HeldBack> {
        let n = self.rows.n_outputs();
        let part = |at: usize| {
            let rows: Vec<u32> = (0..self.rows.n_rows() as u32).skip(at).step_by(4).collect();
            let scores = rows.iter().flat_map(|&row| &self.integers[member][row as usize * n..][..n]);
            HeldBack {
                repetition: 0,
                scores: scores.copied().collect(),
                rows,
                link: self.links[member],
                further: Vec::new(),
                linked: Vec::new(),
                floats: Vec::new(),
            }
        };
        (0..4).map(part).collect()
    }

    /// One of the members alone.
    fn alone(&self, member: usize) -> Drawn {
        let scores = vec![self.rows.scores(member).to_vec()];
        let rows = MemberRows::try_new(scores, self.rows.n_outputs(), self.rows.truth().clone()).unwrap();
        let (links, integers) = (vec![self.links[member]], vec![self.integers[member].clone()]);
        let cells = self.cells.clone();
        Drawn { links, integers, rows: cells.known_to(rows), cells }
    }
}

/// How an ensemble is asked for.
#[derive(Clone, Copy)]
struct Ask<'a> {
    weights: Option<&'a [f64]>,
    costs: &'a [f64],
    settings: &'a [(&'a str, &'a str)],
    n_threads: usize,
}

/// The noisy copy is the cheapest.
const COSTS: [f64; N_MEMBERS] = [9.0, 1.0, 2.0, 3.0];
const PLAIN: Ask<'static> = Ask { weights: None, costs: &COSTS, settings: &[], n_threads: 1 };

/// Settings by which a member does what it is there for, although members are drawn and few.
fn settings_of(entry: &EnsembleEntry, task: Task) -> &'static [(&'static str, &'static str)] {
    match (entry.name, task) {
        ("cascade", Task::Binary) => &[("tolerance", "0.05")],
        ("cascade", _) => &[("tolerance", "0.2")],
        ("gate", _) => &[("tolerance", "0.1")],
        _ => &[],
    }
}

fn try_fit(entry: &EnsembleEntry, rows: &MemberRows, ask: Ask<'_>) -> Result<Combination, Error> {
    let threads = Threads::try_new(ask.n_threads).unwrap();
    let prices = vec![0.0; rows.n_members()];
    let metric = if rows.task() == Task::Regression { "rmse" } else { "log_loss" };
    let metric = metrics::metric(metric).unwrap();
    let Ask { weights, costs, .. } = ask;
    let asked = Asked { metric, weights, prices: &prices, costs, room: None, threads: &threads };
    let settings = settings_of(entry, rows.task()).iter().chain(ask.settings);
    let settings: Vec<_> = settings.map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    entry.fit(rows, &asked, &entry.params(&settings)?)
}

fn fit(entry: &EnsembleEntry, rows: &MemberRows, ask: Ask<'_>) -> Combination {
    try_fit(entry, rows, ask).unwrap()
}

/// Calls `law` for every member and each of its tasks.
fn each(law: impl Fn(&'static EnsembleEntry, Task)) {
    for entry in ENSEMBLES {
        assert!(!entry.tasks.is_empty() && !entry.doc.is_empty());
        entry.tasks.iter().for_each(|&task| law(entry, task));
    }
}

/// A weighted sum of real scores, before the last map.
fn real_sum(of: &MemberSum, rows: &MemberRows) -> Vec<f64> {
    let n = rows.n_outputs();
    let mut sum: Vec<f64> = of.offsets.iter().copied().cycle().take(n * rows.n_rows()).collect();
    sum.resize(n * rows.n_rows(), 0.0);
    for (member, weight) in of.weights.iter().enumerate() {
        let mut scores = rows.scores(member).to_vec();
        if let Some(map) = of.before.get(member) {
            map.apply(&mut scores);
        }
        sum.iter_mut().zip(scores).for_each(|(sum, s)| *sum += weight * s);
    }
    sum
}

/// The weighted mean of probabilities, or of votes for the most probable class.
fn real_mean(of: &MemberSum, drawn: &Drawn) -> Vec<f64> {
    let n_classes = drawn.rows.n_outputs().max(2);
    let mut mean = vec![0.0; n_classes * drawn.rows.n_rows()];
    let all: f64 = of.weights.iter().sum();
    for ((integers, link), weight) in drawn.integers.iter().zip(&drawn.links).zip(&of.weights) {
        let mut p = link.apply(integers, drawn.rows.n_outputs());
        if of.space == Space::Labels {
            for p in p.chunks_exact_mut(n_classes) {
                let label = Decision::Largest.of(p) as usize;
                p.iter_mut().enumerate().for_each(|(k, p)| *p = f64::from(u8::from(k == label)));
            }
        }
        mean.iter_mut().zip(p).for_each(|(mean, p)| *mean += weight / all * p);
    }
    mean
}

/// The scores of a combination by the real formula, before the last map; NaN for rows that integers may decide
/// otherwise, where scores are off by up to `away`.
fn real_scores(combination: &Combination, rows: &MemberRows, away: f64) -> Vec<f64> {
    match combination {
        Combination::Sum(sum) => real_sum(sum, rows),
        Combination::Cascade(cascade) => {
            let n = rows.n_outputs();
            let (mut scores, second) = (real_sum(&cascade.first, rows), real_sum(&cascade.second, rows));
            for (first, second) in scores.chunks_exact_mut(n).zip(second.chunks_exact(n)) {
                let sure = cascade.sureness(first) - cascade.margin;
                if sure.abs() < 2.0 * away {
                    first.fill(f64::NAN);
                } else if sure < 0.0 {
                    first.copy_from_slice(second);
                }
            }
            scores
        }
        // Columns are asked, not scores: no row is open.
        Combination::Gate(gate) => {
            let n = rows.n_outputs();
            let (mut scores, second) = (real_sum(&gate.first, rows), real_sum(&gate.second, rows));
            let gates = gate.gates(rows.coded().unwrap()).unwrap();
            let both = scores.chunks_exact_mut(n).zip(second.chunks_exact(n));
            both.zip(gates).filter(|(_, gate)| *gate < 0).for_each(|((first, second), _)| {
                first.copy_from_slice(second);
            });
            scores
        }
        // What trees ask is compared on the integers themselves, and their leaves are integers.
        Combination::Trees(trees) => {
            let (n, unit) = (rows.n_outputs(), power_of_two((-trees.link.shift).into()));
            let member = |sum: &MemberSum| sum.weights.iter().position(|w| *w == 1.0).unwrap();
            let of_row = |row: usize| {
                let code = |feature: u32| {
                    let column = &trees.columns[feature as usize];
                    let member = member(&trees.members[column.member]);
                    let score = rows.scores(member)[row * n + column.output];
                    column.edges.iter().filter(|edge| **edge < score).count() as u8
                };
                let mut scores: Vec<i64> = trees.forest.initial_scores().iter().map(|&s| s.into()).collect();
                for tree in trees.forest.trees() {
                    let (first, width) = (tree.first_output as usize, tree.width as usize);
                    let leaf = tree.leaf(code) as usize;
                    for (score, value) in
                        scores[first..].iter_mut().zip(&tree.leaves[leaf * width..][..width])
                    {
                        *score += i64::from(*value);
                    }
                }
                scores
                    .into_iter()
                    .map(|score| (score + trees.link.offset) as f64 * unit)
                    .collect::<Vec<f64>>()
            };
            (0..rows.n_rows()).flat_map(of_row).collect()
        }
    }
}

/// The map of a sum.
fn last_map(combination: &Combination) -> Option<&ScoreMap> {
    combination.sum().and_then(|sum| sum.after.as_ref())
}

/// What people read for a combination of real scores.
fn real_predictions(combination: &Combination, drawn: &Drawn) -> Vec<f64> {
    if let Some(sum) = combination.sum().filter(|sum| sum.space != Space::Scores) {
        return real_mean(sum, drawn);
    }
    let mut scores = real_scores(combination, &drawn.rows, 0.0);
    if let Some(map) = last_map(combination) {
        map.apply(&mut scores);
    }
    drawn.rows.linked(scores)
}

/// The probability of the second of two classes where the sum is off by `away`.
fn moved(sum: f64, away: f64, after: Option<&ScoreMap>) -> f64 {
    let mut sum = [sum + away];
    if let Some(map) = after {
        map.apply(&mut sum);
    }
    math::sigmoid(sum[0])
}

/// Integers are the real formula up to the grids: the sum within a few of their units, and within [`OF_SHARES`] where
/// shares of votes become log odds.
#[test]
fn integers_follow_the_real_formula() {
    each(|entry, task| {
        for links in all_links(task) {
            let drawn = Drawn::new(task, &links, 400, 3);
            let combination = fit(entry, &drawn.rows, PLAIN);
            let (sum, link) = drawn.on_grids(&combination);
            let got = link.apply(&sum, drawn.rows.n_outputs());
            let size = combination.weights().iter().map(|w| w.abs()).sum::<f64>().max(1.0);
            let shown = |row: usize, got: f64, want: f64| {
                format!("{} {task} {links:?} {row}: {got}, {want}", entry.name)
            };
            if let Some(of) = combination.sum().filter(|sum| sum.space != Space::Scores) {
                // Votes of 24 bits, floats of 24.
                for (row, (got, want)) in got.iter().zip(real_mean(of, &drawn)).enumerate() {
                    assert!((got - want).abs() < 1e-6, "{}", shown(row, *got, want));
                }
                continue;
            }
            if task == Task::Regression {
                // One rounding of the sum, one of its offset, one of each value that was a power.
                let most = 3.0 * size * power_of_two((-link.shift).into());
                let sum = real_scores(&combination, &drawn.rows, most);
                for (row, (got, want)) in got.iter().zip(sum).enumerate() {
                    assert!((got - want).abs() <= most, "{}", shown(row, *got, want));
                }
                continue;
            }
            let coarsest =
                links.iter().map(|l| if l.kind == LinkKind::Share { 14 } else { l.shift }).min().unwrap();
            let has_shares = links.iter().any(|l| l.kind == LinkKind::Share);
            // Of ranks between two knots a line in votes is off by as much as they differ.
            let of_shares = if combination.has_maps() { 0.02 } else { OF_SHARES };
            let away = 4.0 * power_of_two((-coarsest).into()) + if has_shares { of_shares } else { 0.0 };
            let away = away * size;
            let sum = real_scores(&combination, &drawn.rows, away);
            let n_open = sum.iter().filter(|sum| sum.is_nan()).count();
            assert!(n_open * 10 < sum.len(), "{} {task} {links:?}: {n_open}", entry.name);
            if task == Task::Binary {
                for (row, (got, sum)) in
                    got.chunks_exact(2).zip(sum).enumerate().filter(|(_, (_, sum))| !sum.is_nan())
                {
                    let ends = [-away, away].map(|away| moved(sum, away, last_map(&combination)));
                    // What the last map rounds.
                    let is_near = ends[0] - 1e-3 <= got[1] && got[1] <= ends[1] + 1e-3;
                    assert!(is_near, "{}", shown(row, got[1], ends[0]));
                }
                continue;
            }
            for (at, (got, want)) in got.iter().zip(drawn.rows.linked(sum)).enumerate() {
                if want.is_nan() {
                    continue;
                }
                assert!((got - want).abs() <= away + 1e-6, "{}", shown(at / N_CLASSES, *got, want));
            }
        }
    });
}

/// Integer scores come into a graph as whole doubles.
#[test]
fn the_graph_gives_the_integers() {
    each(|entry, task| {
        for links in all_links(task) {
            let drawn = Drawn::new(task, &links, 200, 4);
            let combination = fit(entry, &drawn.rows, PLAIN);
            let n = drawn.rows.n_outputs();
            let on_grids = combination.on_grids(&drawn.links, n).unwrap();
            let (mut b, mut inputs, mut owned) = (GraphBuilder::new(), Vec::new(), Vec::new());
            for (member, integers) in drawn.integers.iter().enumerate() {
                for k in 0..n {
                    let name = format!("member {member} score {k}");
                    inputs.push(b.input(&name, DType::F64, Shape::rows()).unwrap());
                    owned.push(
                        integers.iter().skip(k).step_by(n).map(|&s| f64::from(s)).collect::<Vec<f64>>(),
                    );
                }
            }
            let mut asked = Vec::new();
            if entry.asks_columns {
                for (name, dtype) in COLUMNS.iter().zip([DType::F64, DType::Str]) {
                    asked.push((dtype, b.input(name, dtype, Shape::rows()).unwrap()));
                }
            }
            let mut members = Vec::new();
            for of_member in inputs.chunks_exact(n) {
                let side_by_side = b.node(Op::Columns(Columns), of_member).unwrap();
                members.push(b.node(Op::ToScores(ToScores { shift: 0 }), &[side_by_side]).unwrap());
            }
            let by_name = |name: &str| asked.get(COLUMNS.iter().position(|known| *known == name)?).copied();
            let score = on_grids.lower(&mut b, &members, &by_name).unwrap();
            let linked = on_grids.link().lower(&mut b, score, n, &Decision::Largest).unwrap();
            let graph = b.finish(&[score, linked.linked]).unwrap();
            let column = |values| Column::try_new(ColumnData::F64(values), None).unwrap();
            let mut columns: Vec<Column<'_>> = owned.iter().map(|values| column(&values[..])).collect();
            columns.extend(drawn.cells.columns().into_iter().take(asked.len()));
            let (sum, link) = drawn.on_grids(&combination);
            let read = link.apply(&sum, n);
            for outputs in [
                runtime::reference::run(&graph, &columns).unwrap(),
                runtime::Plan::new(&graph).unwrap().run(&columns).unwrap(),
            ] {
                assert_eq!(outputs[0].data(), &TensorData::I32(sum.clone()), "{} {links:?}", entry.name);
                let got: Vec<f64> = match outputs[1].data() {
                    TensorData::F32(got) => got.iter().map(|&p| p.into()).collect(),
                    TensorData::F64(got) => got.clone(),
                    other => panic!("{}: {other:?}", entry.name),
                };
                assert_eq!(got, read, "{} {links:?}", entry.name);
            }
        }
    });
}

#[test]
fn threads_change_nothing() {
    each(|entry, task| {
        let drawn = Drawn::new(task, &all_links(task)[0], 3000, 5);
        let one = fit(entry, &drawn.rows, PLAIN);
        assert_eq!(one, fit(entry, &drawn.rows, Ask { n_threads: 2, ..PLAIN }), "{}", entry.name);
    });
}

#[test]
fn weights_of_the_user_are_taken_or_refused() {
    each(|entry, task| {
        let drawn = Drawn::usual(task);
        let with = |weights: &[f64]| try_fit(entry, &drawn.rows, Ask { weights: Some(weights), ..PLAIN });
        if !entry.takes_weights {
            let error = with(&[1.0; 4]).unwrap_err();
            assert!(matches!(error.kind(), Kind::NoWeights { .. }), "{error}");
            assert!(error.to_string().contains("use one of average, soft_vote"), "{error}");
            return;
        }
        assert_eq!(with(&[1.0, 3.0, 0.0, 4.0]).unwrap().weights(), [0.125, 0.375, 0.0, 0.5]);
        assert_eq!(fit(entry, &drawn.rows, PLAIN).weights(), [0.25; 4]);
        let refused: &[&[f64]] =
            &[&[1.0; 3], &[], &[1.0, 1.0, -0.5, 1.0], &[0.0; 4], &[1.0, 1.0, f64::NAN, 1.0]];
        for weights in refused {
            let error = with(weights).unwrap_err();
            assert_eq!(error.nature(), ir::Nature::Input);
            let expected = "--weights: expected 4 numbers, at least 0 and not all 0, got";
            assert!(error.to_string().starts_with(expected), "{error}");
        }
    });
}

#[test]
fn the_order_of_members_orders_their_weights() {
    each(|entry, task| {
        let drawn = Drawn::usual(task);
        let there = fit(entry, &drawn.rows, PLAIN);
        let mut costs = COSTS;
        costs.reverse();
        let back = fit(entry, &drawn.reversed(), Ask { costs: &costs, ..PLAIN }).of_members(&[3, 2, 1, 0]);
        let near = |a: &[f64], b: &[f64]| {
            let is_near = a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
            assert!(is_near, "{}: {there:?}, {back:?}", entry.name);
        };
        let is_alike = |a: &MemberSum, b: &MemberSum| {
            near(&a.weights, &b.weights);
            near(&a.offsets, &b.offsets);
            assert_eq!(a.before, b.before, "{}", entry.name);
        };
        match (&there, &back) {
            (Combination::Sum(a), Combination::Sum(b)) => is_alike(a, b),
            (Combination::Cascade(a), Combination::Cascade(b)) => {
                is_alike(&a.first, &b.first);
                is_alike(&a.second, &b.second);
                near(&[a.margin, a.offset, a.passed_on], &[b.margin, b.offset, b.passed_on]);
            }
            (Combination::Gate(a), Combination::Gate(b)) => {
                is_alike(&a.first, &b.first);
                is_alike(&a.second, &b.second);
                assert_eq!((&a.columns, &a.trees), (&b.columns, &b.trees));
            }
            (Combination::Trees(_), Combination::Trees(_)) => {
                near(&there.weights(), &back.weights());
                assert_eq!(drawn.on_grids(&there), drawn.on_grids(&back), "{}", entry.name);
            }
            _ => panic!("{}: {there:?}, {back:?}", entry.name),
        }
    });
}

/// Bytes that members add to those that are there once.
const OWN: [u64; N_MEMBERS] = [60, 30, 5, 25];
/// Fewer than all of them take together.
const MOST: u64 = 100;

#[test]
fn what_is_chosen_has_room_and_threads_change_nothing_of_it() {
    let weigh = |members: &[usize], _: &Combination| {
        Ok(Size { bytes: 10 + members.iter().map(|&member| OWN[member]).sum::<u64>(), ns: 0.0 })
    };
    let limits = Limits { bytes: Some(MOST), ns: None };
    let room = Room::new(limits, N_MEMBERS, &weigh, &Threads::one()).unwrap();
    let (budget, cancel) = (Budget::work(Clock::start(), 1), Cancel::new());
    each(|entry, task| {
        let drawn = Drawn::usual(task);
        let held: Vec<Vec<HeldBack>> = (0..N_MEMBERS).map(|member| drawn.held(member)).collect();
        let members = held.iter().map(|parts| &parts[..]).collect();
        let (truth, columns) = (drawn.rows.truth(), Some(drawn.cells.coded()));
        let pool = Pool { members, truth, columns };
        let metric = metrics::metric(if task == Task::Regression { "rmse" } else { "log_loss" }).unwrap();
        let params = entry.params(&[]).unwrap();
        let made = [1, 2].map(|n_threads| {
            let threads = Threads::try_new(n_threads).unwrap();
            let ctx = Ctx { threads: &threads, budget: &budget, cancel: &cancel, progress: &Silent };
            let prices = &[1e-4; N_MEMBERS];
            let room = Some(&room);
            let asked = Asked { metric, weights: None, prices, costs: &COSTS, room, threads: &threads };
            let made = choose(entry, &params, &pool, &asked, (None, &ctx)).unwrap();
            made.map(|made| {
                let scores: Vec<Vec<i32>> = made.held.into_iter().map(|part| part.scores).collect();
                (made.members, made.combination, scores)
            })
        });
        if let Some((members, ..)) = &made[0] {
            let bytes = weigh(members, &Combination::mean(Space::Scores, &[1.0], [0.0; 2])).unwrap().bytes;
            assert!(members.len() > 1 && bytes <= MOST, "{} {members:?}", entry.name);
        }
        assert_eq!(made[0], made[1], "{}", entry.name);
    });
}

/// Laws of a form hold for nothing where no member has it.
#[test]
fn every_form_is_drawn() {
    each(|entry, task| {
        for links in all_links(task) {
            let made = fit(entry, &Drawn::new(task, &links, 400, 3).rows, PLAIN);
            let is_there = match entry.name {
                "cascade" => matches!(&made, Combination::Cascade(c) if (0.05..0.95).contains(&c.passed_on)),
                "gate" => matches!(&made, Combination::Gate(gate) if (0.05..0.95).contains(&gate.passed_on)),
                "stack_trees" => matches!(&made, Combination::Trees(trees) if trees.members.len() > 1),
                _ => made.sum().is_some(),
            };
            assert!(is_there, "{} {task} {links:?}: {made:?}", entry.name);
        }
    });
}

#[test]
fn columns_that_are_asked_must_be_there() {
    each(|entry, task| {
        let drawn = Drawn::usual(task);
        let scores = (0..N_MEMBERS).map(|member| drawn.rows.scores(member).to_vec()).collect();
        let truth = drawn.rows.truth().clone();
        let rows = MemberRows::try_new(scores, drawn.rows.n_outputs(), truth).unwrap();
        let made = try_fit(entry, &rows, PLAIN);
        if !entry.asks_columns {
            assert_eq!(made.unwrap(), fit(entry, &drawn.rows, PLAIN), "{}", entry.name);
            return;
        }
        let error = made.unwrap_err();
        assert!(matches!(error.kind(), Kind::NoColumns { .. }), "{error}");
        assert_eq!(error.nature(), ir::Nature::Unsupported);
        let n_rows = rows.n_rows() as u32;
        let error = rows.with_columns(drawn.cells.coded(), (1..=n_rows).collect()).unwrap_err();
        assert!(matches!(error.kind(), Kind::MemberRows { .. }), "{error}");
    });
}

#[test]
fn tasks_that_are_not_answered_are_refused() {
    for entry in ENSEMBLES {
        for &task in Task::LEARNT.iter().filter(|task| !entry.tasks.contains(task)) {
            let error = try_fit(entry, &Drawn::usual(task).rows, PLAIN).unwrap_err();
            assert_eq!(error.nature(), ir::Nature::Unsupported);
            let Kind::EnsembleTask { ensemble, why, instead, .. } = error.kind() else { panic!("{error}") };
            assert_eq!(*ensemble, entry.name);
            assert!(!why.is_empty() && instead.split(", ").count() > 1, "{error}");
            assert!(
                error.to_string().starts_with(&format!("ensemble {}: a {task} task", entry.name)),
                "{error}"
            );
        }
    }
}

#[test]
fn parameters_just_outside_their_range_are_refused() {
    for entry in ENSEMBLES {
        for param in entry.spec {
            assert!(!param.doc.is_empty());
            for value in outside(param.range) {
                let error = entry.params(&[(param.name.to_owned(), value)]).unwrap_err().to_string();
                assert!(error.starts_with(&format!("{}: {} must be", entry.name, param.name)), "{error}");
            }
        }
    }
}

#[test]
fn names_are_found_and_others_refused() {
    for entry in ENSEMBLES {
        assert_eq!(super::named(entry.name).unwrap().name, entry.name);
    }
    let error = super::named("stack").map(|e| e.name).unwrap_err();
    assert!(matches!(error.kind(), Kind::UnknownEnsemble { .. }), "{error}");
    assert!(
        error.to_string().starts_with("unknown ensemble \"stack\"; did you mean \"stack_nnls\"?"),
        "{error}"
    );
}

#[test]
fn rows_of_members_are_checked() {
    let values = || Truth::Values(vec![1.0, 2.0]);
    let classes = Truth::Classes { labels: vec![0, 2], n_classes: 3, positive: None };
    for (scores, n_outputs, truth) in [
        (vec![vec![1.0]], 1, values()),
        (vec![vec![1.0, 2.0], vec![1.0, f64::NAN]], 1, values()),
        (vec![vec![1.0, 2.0]], 2, values()),
        (vec![vec![1.0, 2.0]], 1, classes),
    ] {
        let error = MemberRows::try_new(scores, n_outputs, truth).unwrap_err();
        assert!(matches!(error.kind(), Kind::MemberRows { .. }), "{error}");
        assert_eq!(error.nature(), ir::Nature::Bug);
    }
    let error = MemberRows::try_new(Vec::new(), 1, values()).unwrap_err();
    assert!(matches!(error.kind(), Kind::Members { n_members: 0, n_rows: 2 }), "{error}");
}

/// One vote of three classes more or less, of 2^24, and floats rounded twice.
#[test]
fn a_soft_vote_of_one_is_that_one() {
    for task in [Task::Binary, Task::Multiclass] {
        for links in all_links(task) {
            let drawn = Drawn::new(task, &links, 500, 6);
            for member in 0..N_MEMBERS {
                let alone = drawn.alone(member);
                let combination = fit(super::named("soft_vote").unwrap(), &alone.rows, PLAIN);
                let (sum, link) = alone.on_grids(&combination);
                let n = alone.rows.n_outputs();
                let most = power_of_two(if n == 1 { -23 } else { -22 });
                for (got, want) in link.apply(&sum, n).iter().zip(alone.links[0].apply(&alone.integers[0], n))
                {
                    assert!((got - want).abs() <= most, "{links:?} {member}: {got}, not {want}");
                }
            }
        }
    }
}

#[test]
fn an_average_of_one_is_that_one() {
    for task in [Task::Binary, Task::Multiclass, Task::Regression] {
        let drawn = Drawn::usual(task);
        for member in 0..N_MEMBERS {
            let alone = drawn.alone(member);
            let combination = fit(super::named("average").unwrap(), &alone.rows, PLAIN);
            assert_eq!(alone.on_grids(&combination), (alone.integers[0].clone(), alone.links[0]), "{task}");
        }
    }
}

/// Each by what it minimises, with as little shrinking as it allows and members for nothing.
#[test]
fn what_learns_weights_is_no_worse_than_its_best_member() {
    let learners: [(&str, &[(&str, &str)]); 5] = [
        ("greedy", &[]),
        ("stack_nnls", &[]),
        ("stack_ridge", &[("l2", "1e-6")]),
        ("stack_logistic", &[("l2", "1e-6")]),
        ("stack_trees", &[("n_trees", "300"), ("learning_rate", "0.1"), ("min_leaf_share", "0.002")]),
    ];
    for (name, settings) in learners {
        let entry = super::named(name).unwrap();
        for &task in entry.tasks {
            let drawn = Drawn::usual(task);
            let loss = |predictions: Vec<f64>| match (drawn.rows.truth(), name) {
                (Truth::Values(targets), _) => squares(&predictions, targets),
                (Truth::Classes { labels, n_classes, .. }, "stack_nnls") => {
                    let is_true = |(at, _): (usize, &f64)| at % n_classes == labels[at / n_classes] as usize;
                    let truth = predictions.iter().enumerate().map(|p| f64::from(u8::from(is_true(p))));
                    squares(&predictions, &truth.collect::<Vec<f64>>())
                }
                _ => drawn.rows.error(predictions, metrics::metric("log_loss").unwrap()),
            };
            let of_member = |member: usize| loss(drawn.rows.linked(drawn.rows.scores(member).to_vec()));
            let best = (0..N_MEMBERS).map(of_member).fold(f64::INFINITY, f64::min);
            let found = fit(entry, &drawn.rows, Ask { settings, ..PLAIN });
            let own = loss(real_predictions(&found, &drawn));
            assert!(
                own <= best + 1e-6 * (1.0 + best),
                "{name} {task}: {own}, {best} for one: {:?}",
                found.weights()
            );
        }
    }
}

fn squares(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>() / a.len() as f64
}
