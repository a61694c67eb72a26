//! `gate`: a small tree over columns of the table says which of two answers a row.

use super::ensemble::{Asked, Ensemble, EnsembleEntry, MemberRows};
use crate::error::Error;
use ir::Task;
use ir::fixed::math;
use ir::forest::{Child, Tree};
use jobs::{Budget, Cancel, Clock, Ctx, Seed, Silent};
use metrics::MetricEntry;
use params::{ParamSpec, Params, Range, Value};
use recipe::{Aim, CodedRows, Combination, Gate, GateColumn, MemberSum, Space, Truth};
use std::collections::BTreeSet;
use trees::{BoostInput, BoostParams, Rounds, Rows, Target, boost};

/// The line of the table.
pub(super) static ENTRY: EnsembleEntry = EnsembleEntry {
    name: "gate",
    doc: "a small tree over columns says which rows a cheap member answers, and which a sum of members",
    tasks: &[Task::Binary, Task::Multiclass, Task::Regression],
    takes_weights: false,
    asks_columns: true,
    spec: SPEC,
    ensemble: &ByColumns,
};

static SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "aim",
        aliases: &[],
        default: Value::Word("speed"),
        range: Range::Words(&["speed", "score"]),
        doc: "speed: a cheap member answers as many rows as the tolerance allows; score: the least error of any two",
    },
    ParamSpec {
        name: "tolerance",
        aliases: &[],
        default: Value::Real(0.001),
        range: Range::Real { low: 0.0, high: 1.0 },
        doc: "for speed: share by which the error may be above that of the sum alone",
    },
    ParamSpec {
        name: "second",
        aliases: &[],
        default: Value::Word("greedy"),
        range: Range::Words(&["greedy", "average"]),
        doc: "what the sum is of the members",
    },
    ParamSpec {
        name: "max_leaves",
        aliases: &["num_leaves", "max_leaf_nodes"],
        default: Value::Int(8),
        range: Range::Int { low: 2, high: 64 },
        doc: "leaves of the tree",
    },
    ParamSpec {
        name: "min_leaf_share",
        aliases: &[],
        default: Value::Real(0.03),
        range: Range::Real { low: 0.0, high: 0.5 },
        doc: "share of the rows in a leaf",
    },
];

/// Members that are tried as the first of two for speed, the cheapest ones, and for the score, the best ones.
const MOST_TRIED: [usize; 2] = [8, 4];
/// The least probability whose logarithm is taken.
const LEAST: f64 = 1e-15;

struct ByColumns;

impl Ensemble for ByColumns {
    /// Of two answers `a`, `b` a row's `d = loss(a) - loss(b)` (the log loss of classes; of numbers the square of the error,
    /// its size for `mae` and `medae`). A regression tree learns `d` from the columns; leaves in the order of their mean
    /// `d` go to `a`, the others to `b`. For speed `b` is the sum that `second` learns of all members and `a` a member
    /// that costs less: of the leaves as many go to `a` as keep `error(gate) <= (1 + tolerance) error(b)`, and `a` is that
    /// of the least mean cost `(1 - q) c_a + q c_b`, `q` the share of rows that `b` answers; where none costs less than
    /// `b`, it is `b` alone. For the score `a` and `b` are any two of the best members and that sum, leaves of a negative
    /// mean go to `a`, and the least error is taken if it is less than that of the sum. Ties go to the first.
    /// Metrics whose threshold is tuned behind it are judged by the log loss.
    /// O(n_members (n_rows n_columns + what `max_leaves` metrics cost)).
    /// # Source  Jacobs, Jordan, Nowlan & Hinton, Adaptive mixtures of local experts, Neural Computation 3, 1991.
    /// Deviations: experts are fitted before, the gate is a tree that names one of them.
    fn fit(&self, rows: &MemberRows, asked: &Asked<'_>, params: &Params) -> Result<Combination, Error> {
        let entry = super::named(params.word("second"))?;
        let made = entry.fit(rows, asked, &entry.params(&[])?)?;
        let Some(sum) = made.sum().filter(|sum| sum.space == Space::Scores && sum.after.is_none()) else {
            return Ok(made);
        };
        let rows = rows.some();
        let Some(coded) = rows.coded() else { return Ok(made) };
        let gating = Gating::new((&rows, coded), asked, params, sum);
        let found = match params.word("aim") {
            "score" => gating.for_score()?,
            _ => gating.for_speed(params.real("tolerance"))?,
        };
        Ok(found.map_or_else(|| made.clone(), |found| gating.combination(found)))
    }
}

/// What may answer a row: a member, or the sum of several.
struct Answer {
    sum: MemberSum,
    /// `[n_rows, n_outputs]`.
    scores: Vec<f64>,
    /// By row.
    losses: Vec<f64>,
    cost: f64,
}

/// Answers, and what parts rows among them.
struct Gating<'a> {
    rows: &'a MemberRows,
    coded: CodedRows<'a>,
    asked: &'a Asked<'a>,
    metric: &'static MetricEntry,
    max_leaves: usize,
    min_leaf_rows: f64,
    /// Those of members, in their order, then that of the sum.
    answers: Vec<Answer>,
}

/// A gate between two answers.
struct Found {
    answers: [usize; 2],
    /// Its leaves are 0 for the first answer, -1 for the second.
    tree: Tree,
    passed_on: f64,
}

impl<'a> Gating<'a> {
    fn new(
        (rows, coded): (&'a MemberRows, CodedRows<'a>),
        asked: &'a Asked<'a>,
        params: &Params,
        sum: &MemberSum,
    ) -> Gating<'a> {
        let is_tuned = Aim { metric: asked.metric, costs: None, factors: None }.is_tuned();
        let metric = if is_tuned { asked.smooth(rows.task()) } else { asked.metric };
        let n_members = rows.n_members();
        let answer = |at: usize| {
            let sum = if at == n_members { sum.clone() } else { alone(at, n_members, sum.range) };
            Answer::new(sum, (rows, asked))
        };
        let answers = asked.threads.map(n_members + 1, answer);
        let max_leaves = usize::try_from(params.int("max_leaves")).unwrap_or(2);
        let min_leaf_rows = (params.real("min_leaf_share") * rows.n_rows() as f64).max(1.0);
        Gating { rows, coded, asked, metric, max_leaves, min_leaf_rows, answers }
    }

    fn error(&self, scores: Vec<f64>) -> f64 {
        self.rows.error(self.rows.linked(scores), self.metric)
    }

    /// The place of the sum.
    fn sum(&self) -> usize {
        self.answers.len() - 1
    }

    /// The cheapest gate between a member and the sum that is not worse than is tolerated.
    fn for_speed(&self, tolerance: f64) -> Result<Option<Found>, Error> {
        let sum = self.sum();
        let most = self.error(self.answers[sum].scores.clone()) * (1.0 + tolerance);
        let mut members: Vec<usize> = (0..sum).collect();
        members.sort_by(|&a, &b| self.answers[a].cost.total_cmp(&self.answers[b].cost).then(a.cmp(&b)));
        let mut least = self.answers[sum].cost;
        let mut best = None;
        for &member in members.iter().take(MOST_TRIED[0]) {
            if !most.is_finite() || self.answers[member].cost >= least {
                break;
            }
            let parted = self.parted([member, sum])?;
            let errors =
                self.asked.threads.map(parted.leaves.len(), |n| self.error(parted.scores(self, n + 1)));
            let Some(n) = errors.iter().rposition(|error| *error <= most) else { continue };
            let found = parted.found(n + 1);
            let cost = self.cost(&found);
            if cost < least {
                (least, best) = (cost, Some(found));
            }
        }
        Ok(best)
    }

    /// The gate of the least error between two of the best members and the sum.
    fn for_score(&self) -> Result<Option<Found>, Error> {
        let sum = self.sum();
        let errors = self.asked.threads.map(sum + 1, |at| self.error(self.answers[at].scores.clone()));
        let mut tried: Vec<usize> = (0..sum).collect();
        tried.sort_by(|&a, &b| errors[a].total_cmp(&errors[b]).then(a.cmp(&b)));
        tried.truncate(MOST_TRIED[1]);
        tried.push(sum);
        let mut least = errors[sum];
        let mut best = None;
        for (at, &second) in tried.iter().enumerate() {
            for &first in &tried[..at] {
                let parted = self.parted([first, second])?;
                let n = parted.leaves.partition_point(|(_, mean)| *mean < 0.0);
                let error = self.error(parted.scores(self, n));
                if error < least {
                    (least, best) = (error, Some(parted.found(n)));
                }
            }
        }
        Ok(best)
    }

    /// What a row costs on average.
    fn cost(&self, found: &Found) -> f64 {
        let [first, second] = found.answers.map(|at| self.answers[at].cost);
        (1.0 - found.passed_on) * first + found.passed_on * second
    }

    /// The rows, parted by how much worse the first of two answers is.
    fn parted(&self, answers: [usize; 2]) -> Result<Parted, Error> {
        let codes = self.coded.columns.codes();
        // A row that stands there several times counts as often.
        let (mut sums, mut counts) = (vec![0.0; codes.n_rows()], vec![0f32; codes.n_rows()]);
        let [first, second] = answers.map(|at| &self.answers[at].losses);
        let away: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
        for (&row, away) in self.coded.rows.iter().zip(&away) {
            sums[row as usize] += away;
            counts[row as usize] += 1.0;
        }
        let means: Vec<f64> = sums.iter().zip(&counts).map(|(sum, n)| sum / f64::from(n.max(1.0))).collect();
        let train = (0..).zip(&counts).filter(|(_, n)| **n > 0.0).map(|(row, _)| row).collect();
        let params = BoostParams {
            max_leaves: self.max_leaves,
            min_leaf_rows: self.min_leaf_rows,
            ..BoostParams::plain(Rounds::Exactly(1))
        };
        // Nothing is drawn, and no time is kept: a tree is small, and the same wherever it is learnt.
        let (budget, cancel) = (Budget::work(Clock::start(), 0), Cancel::new());
        let ctx = Ctx { threads: self.asked.threads, budget: &budget, cancel: &cancel, progress: &Silent };
        let rows = Rows { train, others: Vec::new() };
        let input =
            BoostInput { codes, target: Target::Values(&means), weights: Some(&counts), offsets: None, rows };
        let tree = boost(input, &params, Seed(0), &ctx)?.trees.into_iter().next();
        let tree = tree.unwrap_or_else(|| Tree { width: 1, leaves: vec![0], ..Tree::default() });
        let leaf = |&row: &u32| tree.leaf(|feature| self.coded.columns.code(feature as usize, row)) as usize;
        let leaf_of: Vec<usize> = self.coded.rows.iter().map(leaf).collect();
        let mut leaves = vec![(0usize, 0.0f64); tree.leaves.len()];
        for (&leaf, away) in leaf_of.iter().zip(&away) {
            leaves[leaf] = (leaves[leaf].0 + 1, leaves[leaf].1 + away);
        }
        let mean = |(leaf, (n, sum)): (usize, (usize, f64))| (leaf, sum / n.max(1) as f64);
        let mut leaves: Vec<(usize, f64)> = leaves.into_iter().enumerate().map(mean).collect();
        leaves.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        Ok(Parted { answers, tree, leaf_of, leaves })
    }

    /// What it becomes: one answer where all rows go to it.
    fn combination(&self, found: Found) -> Combination {
        let [first, second] = found.answers.map(|at| self.answers[at].sum.clone());
        let mut tree = pruned(&found.tree);
        if tree.splits.is_empty() {
            return Combination::Sum(if tree.leaves == [0] { first } else { second });
        }
        let used: BTreeSet<u32> = tree.splits.iter().map(|split| split.feature).collect();
        let used: Vec<u32> = used.into_iter().collect();
        for split in &mut tree.splits {
            split.feature = used.iter().position(|feature| *feature == split.feature).unwrap_or(0) as u32;
        }
        let columns = self.coded.columns;
        let column = |&feature: &u32| GateColumn {
            name: columns.names()[feature as usize].clone(),
            encoder: columns.encoders()[feature as usize].clone(),
        };
        let columns = used.iter().map(column).collect();
        let (trees, passed_on) = (vec![tree], found.passed_on);
        Combination::Gate(Box::new(Gate { first, second, columns, trees, passed_on }))
    }
}

/// All the weight to one member.
fn alone(member: usize, n_members: usize, range: [f64; 2]) -> MemberSum {
    let mut weights = vec![0.0; n_members];
    weights[member] = 1.0;
    MemberSum::mean(Space::Scores, &weights, range)
}

impl Answer {
    fn new(sum: MemberSum, (rows, asked): (&MemberRows, &Asked<'_>)) -> Answer {
        let mut scores: Vec<f64> = match &sum.offsets[..] {
            [] => vec![0.0; rows.n_rows() * rows.n_outputs()],
            offsets => offsets.repeat(rows.n_rows()),
        };
        let mut cost = 0.0;
        for (member, weight) in sum.weights.iter().enumerate().filter(|(_, w)| **w != 0.0) {
            scores.iter_mut().zip(rows.scores(member)).for_each(|(sum, score)| *sum += weight * score);
            cost += asked.cost(member);
        }
        let linked = rows.linked(scores.clone());
        let losses = match rows.truth() {
            Truth::Classes { labels, n_classes, .. } => {
                let each = linked.chunks_exact(*n_classes).zip(labels);
                each.map(|(p, &label)| -math::log(p[label as usize].max(LEAST))).collect()
            }
            Truth::Values(values) => {
                let by_size = matches!(asked.metric.name, "mae" | "medae");
                let loss = |away: f64| if by_size { away.abs() } else { away * away };
                linked.iter().zip(values).map(|(said, value)| loss(said - value)).collect()
            }
            // Refused before.
            Truth::Several(_) => vec![0.0; rows.n_rows()],
        };
        Answer { sum, scores, losses, cost }
    }
}

/// Rows by the leaves of a tree.
struct Parted {
    answers: [usize; 2],
    tree: Tree,
    /// By row.
    leaf_of: Vec<usize>,
    /// Leaves with the mean of what the first answer loses more, rising.
    leaves: Vec<(usize, f64)>,
}

impl Parted {
    /// Whether each leaf goes to the second answer, if the first `n` of the leaves go to the first one.
    fn passed_on(&self, n: usize) -> Vec<bool> {
        let mut passed_on = vec![true; self.leaves.len()];
        self.leaves[..n].iter().for_each(|(leaf, _)| passed_on[*leaf] = false);
        passed_on
    }

    /// The scores of rows then.
    fn scores(&self, gating: &Gating<'_>, n: usize) -> Vec<f64> {
        let (passed_on, n_outputs) = (self.passed_on(n), gating.rows.n_outputs());
        let [first, second] = self.answers.map(|at| gating.answers[at].scores.chunks_exact(n_outputs));
        let rows = first.zip(second).zip(&self.leaf_of);
        let taken = rows.flat_map(|((first, second), leaf)| if passed_on[*leaf] { second } else { first });
        taken.copied().collect()
    }

    fn found(&self, n: usize) -> Found {
        let passed_on = self.passed_on(n);
        let n_passed = self.leaf_of.iter().filter(|leaf| passed_on[**leaf]).count();
        let leaves = passed_on.iter().map(|passed_on| -i32::from(*passed_on)).collect();
        Found {
            answers: self.answers,
            tree: Tree { leaves, ..self.tree.clone() },
            passed_on: n_passed as f64 / self.leaf_of.len().max(1) as f64,
        }
    }
}

/// The same tree without splits whose sides say the same.
fn pruned(tree: &Tree) -> Tree {
    let mut made = Tree { first_output: tree.first_output, width: tree.width, ..Tree::default() };
    let top = if tree.splits.is_empty() { Child::Leaf(0) } else { Child::Split(0) };
    grow(tree, top, &mut made);
    made
}

/// Appends what hangs below to a tree, splits in preorder and leaves from left to right.
fn grow(from: &Tree, below: Child, made: &mut Tree) -> Child {
    if let Some(said) = said(from, below) {
        made.leaves.push(said);
        return Child::Leaf(made.leaves.len() as u32 - 1);
    }
    let Child::Split(at) = below else { return below };
    let (split, place) = (from.splits[at as usize], made.splits.len());
    made.splits.push(split);
    let left = grow(from, split.left, made);
    let right = grow(from, split.right, made);
    (made.splits[place].left, made.splits[place].right) = (left, right);
    Child::Split(place as u32)
}

/// What all leaves below say, if they say the same.
fn said(tree: &Tree, below: Child) -> Option<i32> {
    match below {
        Child::Leaf(leaf) => tree.leaves.get(leaf as usize).copied(),
        Child::Split(at) => {
            let split = tree.splits.get(at as usize)?;
            said(tree, split.left).filter(|left| said(tree, split.right) == Some(*left))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::digest::SplitMix64;
    use ir::forest::{Split, Test};
    use ir::{Column, ColumnData};
    use jobs::Threads;
    use recipe::CodedColumns;
    use std::sync::Arc;
    use trees::{CodeMatrix, Encoder};

    const N_ROWS: usize = 4000;

    /// Two members, the first of which is right where a column is below 0.6, the second everywhere; or there alone.
    fn rows(is_everywhere: bool) -> MemberRows {
        let mut random = SplitMix64::new(7);
        let (mut scores, mut values) = (vec![Vec::new(), Vec::new()], Vec::new());
        let mut cells = [Vec::new(), Vec::new()];
        for _ in 0..N_ROWS {
            let [x, other, value] = [random.unit(), random.unit(), 10.0 * random.unit()];
            let [near, far] = [value + 0.1 * random.normal(), value + 3.0 * random.normal()];
            scores[0].push(if x < 0.6 { near } else { far });
            scores[1].push(if x < 0.6 && !is_everywhere { far } else { value + 0.1 * random.normal() });
            values.push(value);
            cells[0].push(other);
            cells[1].push(x);
        }
        let columns =
            cells.each_ref().map(|cells| vec![Column::try_new(ColumnData::F64(cells), None).unwrap()]);
        let encoders: Vec<Encoder> = columns.iter().map(|column| Encoder::fit(column, 254)).collect();
        let codes = CodeMatrix::new(&encoders, &columns, N_ROWS, &Threads::one());
        let names = vec!["other".to_owned(), "x".to_owned()];
        let columns = Arc::new(CodedColumns::try_new(names, encoders, codes).unwrap());
        let rows = MemberRows::try_new(scores, 1, Truth::Values(values)).unwrap();
        rows.with_columns(columns, (0..N_ROWS as u32).collect()).unwrap()
    }

    fn fit(rows: &MemberRows, costs: &[f64], settings: &[(&str, &str)]) -> Combination {
        let (threads, metric) = (Threads::one(), metrics::metric("rmse").unwrap());
        let asked = Asked { metric, weights: None, prices: &[0.0; 2], costs, room: None, threads: &threads };
        let settings: Vec<_> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ENTRY.fit(rows, &asked, &ENTRY.params(&settings).unwrap()).unwrap()
    }

    fn names(gate: &Gate) -> Vec<&str> {
        gate.columns.iter().map(|column| column.name.as_str()).collect()
    }

    #[test]
    fn a_cheap_member_answers_where_a_column_says_that_it_is_right() {
        let made = fit(&rows(true), &[1.0, 20.0], &[("tolerance", "1")]);
        let Combination::Gate(gate) = &made else { panic!("{made:?}") };
        assert_eq!((gate.first.weights.clone(), names(gate)), (vec![1.0, 0.0], vec!["x"]));
        assert!((0.38..0.45).contains(&gate.passed_on), "{gate:?}");
        // One that costs more is no first answer.
        let made = fit(&rows(true), &[30.0, 1.0], &[("tolerance", "1")]);
        assert!(matches!(&made, Combination::Sum(_)), "{made:?}");
    }

    #[test]
    fn two_members_answer_where_each_is_right() {
        let made = fit(&rows(false), &[1.0, 1.0], &[("aim", "score")]);
        let Combination::Gate(gate) = &made else { panic!("{made:?}") };
        assert_eq!(names(gate), ["x"]);
        let weights = [gate.first.weights.clone(), gate.second.weights.clone()];
        assert_eq!(weights, [vec![1.0, 0.0], vec![0.0, 1.0]]);
        assert!((0.35..0.45).contains(&gate.passed_on), "{gate:?}");
    }

    #[test]
    fn splits_that_say_nothing_are_cut() {
        let split =
            |feature, left, right| Split { feature, test: Test::Greater(3), missing_left: true, left, right };
        let (s, l) = (Child::Split, Child::Leaf);
        let splits = vec![split(0, s(1), s(2)), split(1, l(0), l(1)), split(2, l(2), l(3))];
        let tree = |leaves: [i32; 4]| Tree {
            first_output: 0,
            width: 1,
            splits: splits.clone(),
            leaves: leaves.to_vec(),
        };
        assert_eq!(pruned(&tree([0, -1, -1, 0])), tree([0, -1, -1, 0]));
        let made = pruned(&tree([0, 0, -1, 0]));
        assert_eq!(made.leaves, [0, -1, 0]);
        assert_eq!(made.splits, [split(0, l(0), s(1)), split(2, l(1), l(2))]);
        let made = pruned(&tree([-1, -1, -1, -1]));
        assert_eq!((made.splits.len(), made.leaves), (0, vec![-1]));
    }
}
