//! `stack_trees`: boosted trees over the scores of members.

use super::ensemble::{Asked, Ensemble, EnsembleEntry, MemberRows, mean_in};
use crate::error::Error;
use ir::op::LinkKind;
use ir::{Column, ColumnData, Task};
use jobs::{Budget, Cancel, Clock, Ctx, Seed, Silent};
use learn::ScoreLink;
use params::{ParamSpec, Params, Range, Value};
use recipe::{Combination, MemberSum, ScoreColumn, ScoreTrees, Space, Truth};
use trees::{BoostInput, BoostParams, CodeMatrix, Encoder, Rounds, Rows, Target, boost, compact};

/// The line of the table.
pub(super) static ENTRY: EnsembleEntry = EnsembleEntry {
    name: "stack_trees",
    doc: "boosted trees that ask the scores of members",
    tasks: &[Task::Binary, Task::Multiclass, Task::Regression],
    takes_weights: false,
    asks_columns: false,
    spec: SPEC,
    ensemble: &StackTrees,
};

static SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "n_trees",
        aliases: &["n_estimators", "num_iterations", "iterations"],
        default: Value::Int(50),
        range: Range::Int { low: 1, high: 1000 },
        doc: "boosting rounds",
    },
    ParamSpec {
        name: "max_leaves",
        aliases: &["num_leaves", "max_leaf_nodes"],
        default: Value::Int(7),
        range: Range::Int { low: 2, high: 256 },
        doc: "leaves of a tree",
    },
    ParamSpec {
        name: "learning_rate",
        aliases: &["eta", "shrinkage"],
        default: Value::Real(0.05),
        range: Range::Real { low: 1e-4, high: 1.0 },
        doc: "factor of each leaf",
    },
    ParamSpec {
        name: "min_leaf_share",
        aliases: &[],
        default: Value::Real(0.01),
        range: Range::Real { low: 0.0, high: 0.5 },
        doc: "share of the rows in a leaf",
    },
    ParamSpec {
        name: "l2",
        aliases: &["lambda_l2", "reg_lambda"],
        default: Value::Real(1.0),
        range: Range::Real { low: 0.0, high: 1e9 },
        doc: "added to the sum of second derivatives of a leaf",
    },
    ParamSpec {
        name: "max_bins",
        aliases: &["max_bin"],
        default: Value::Int(64),
        range: Range::Int { low: 2, high: 254 },
        doc: "codes of a score",
    },
];

/// Bits of a leaf.
const LEAF_BITS: u32 = 8;

struct StackTrees;

impl Ensemble for StackTrees {
    /// `F(s_1, .., s_J)` of members' real scores, `F` a boosted forest on their quantiles: the log loss for classes, the
    /// squares of errors for numbers; few small trees and a low learning rate, since scores of members are much alike.
    /// Its leaves are the integers of the model; its score is on a grid of its own. Where no split gains anything it is
    /// the mean of members. O(n_trees n_members n_rows n_classes).
    /// # Source  Wolpert, Stacked generalization, Neural Networks 5, 1992; Friedman, Ann. Statist. 29, 2001.
    /// Deviation: the second level sees scores of members alone, no columns of the table.
    fn fit(&self, rows: &MemberRows, asked: &Asked<'_>, params: &Params) -> Result<Combination, Error> {
        let some = rows.some();
        let (n_rows, n_outputs) = (some.n_rows(), some.n_outputs());
        let scores = |at: usize| -> Vec<f64> {
            some.scores(at / n_outputs).iter().skip(at % n_outputs).step_by(n_outputs).copied().collect()
        };
        let scores = asked.threads.map(some.n_members() * n_outputs, scores);
        let columns: Vec<Vec<Column<'_>>> = scores.iter().map(|scores| chunks(scores)).collect();
        let int = |name: &str| usize::try_from(params.int(name)).unwrap_or(1);
        let encoders = asked.threads.map(columns.len(), |at| Encoder::fit(&columns[at], int("max_bins")));
        let codes = CodeMatrix::new(&encoders, &columns, n_rows, asked.threads);
        let (target, kind) = match some.truth() {
            Truth::Classes { labels, n_classes: 2, .. } => (Target::Binary(labels), LinkKind::Logistic),
            Truth::Classes { labels, n_classes, .. } => {
                (Target::Classes { labels, n_classes: *n_classes }, LinkKind::Softmax)
            }
            Truth::Values(values) => (Target::Values(values), LinkKind::Linear),
            // Not among its tasks.
            Truth::Several(_) => return mean_in(Space::Scores, rows, asked),
        };
        let boost_params = BoostParams {
            learning_rate: params.real("learning_rate"),
            max_leaves: int("max_leaves"),
            min_leaf_rows: (params.real("min_leaf_share") * n_rows as f64).max(1.0),
            l2: params.real("l2"),
            leaf_bits: LEAF_BITS,
            ..BoostParams::plain(Rounds::Exactly(int("n_trees") as u32))
        };
        // Nothing is drawn, and no time is kept: a stack is small, and the same wherever it is learnt.
        let (budget, cancel) = (Budget::work(Clock::start(), 0), Cancel::new());
        let ctx = Ctx { threads: asked.threads, budget: &budget, cancel: &cancel, progress: &Silent };
        let all = Rows { train: (0..n_rows as u32).collect(), others: Vec::new() };
        let input = BoostInput { codes: &codes, target, weights: None, offsets: None, rows: all };
        let boosted = boost(input, &boost_params, Seed(0), &ctx)?;
        let link = ScoreLink { kind, shift: boosted.shift, offset: boosted.offset };
        if boosted.trees.iter().all(|tree| tree.splits.is_empty()) {
            return mean_in(Space::Scores, rows, asked);
        }
        let compact = compact(boosted.trees, boosted.initial_scores, &encoders)?;
        let (mut members, mut columns) = (Vec::new(), Vec::with_capacity(compact.features.len()));
        let mut places: Vec<usize> = Vec::new();
        for used in &compact.features {
            let (member, output) = (used.feature / n_outputs, used.feature % n_outputs);
            let edges = match &used.encoder {
                Encoder::Real(edges) => edges.clone(),
                // Scores are doubles.
                Encoder::Whole(_) | Encoder::Category { .. } => Vec::new(),
            };
            let place = places.iter().position(|known| *known == member).unwrap_or_else(|| {
                let mut weights = vec![0.0; rows.n_members()];
                weights[member] = 1.0;
                members.push(MemberSum::mean(Space::Scores, &weights, rows.range()));
                places.push(member);
                places.len() - 1
            });
            columns.push(ScoreColumn { member: place, output, edges });
        }
        Ok(Combination::Trees(Box::new(ScoreTrees { members, columns, forest: compact.forest, link })))
    }
}

/// Scores as the one chunk of a column.
fn chunks(scores: &[f64]) -> Vec<Column<'_>> {
    Column::try_new(ColumnData::F64(scores), None).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ir::digest::SplitMix64;
    use jobs::Threads;

    /// Two members, of which the first is right where it is above 0 and the second elsewhere.
    fn rows() -> MemberRows {
        let mut random = SplitMix64::new(3);
        let (mut scores, mut values) = (vec![Vec::new(), Vec::new()], Vec::new());
        for _ in 0..4000 {
            let (a, b) = (random.normal(), random.normal());
            scores[0].push(a);
            scores[1].push(b);
            values.push(if a > 0.0 { a } else { b });
        }
        MemberRows::try_new(scores, 1, Truth::Values(values)).unwrap()
    }

    fn fit(rows: &MemberRows, settings: &[(&str, &str)]) -> Combination {
        let (threads, metric) = (Threads::one(), metrics::metric("rmse").unwrap());
        let prices = [0.0; 2];
        let asked =
            Asked { metric, weights: None, prices: &prices, costs: &[], room: None, threads: &threads };
        let settings: Vec<_> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ENTRY.fit(rows, &asked, &ENTRY.params(&settings).unwrap()).unwrap()
    }

    /// Root of the mean square error of integers, members on grids of 10 and 12 bits.
    fn error(made: &Combination, rows: &MemberRows) -> f64 {
        let links = [10, 12].map(|shift| ScoreLink { kind: LinkKind::Linear, shift, offset: 0 });
        let on_grid = |(member, link): (usize, &ScoreLink)| {
            let unit = f64::from(1 << link.shift);
            rows.scores(member).iter().map(|s| (s * unit).round() as i32).collect::<Vec<i32>>()
        };
        let integers: Vec<Vec<i32>> = links.iter().enumerate().map(on_grid).collect();
        let members: Vec<_> = integers.iter().zip(links).map(|(scores, link)| (&scores[..], link)).collect();
        let (scores, link) = made.apply(&members, 1, None).unwrap();
        let Truth::Values(values) = rows.truth() else { panic!("numbers") };
        let squares = link.apply(&scores, 1).iter().zip(values).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        (squares / values.len() as f64).sqrt()
    }

    #[test]
    fn what_no_sum_can_say_is_learnt() {
        let rows = rows();
        let stacked = fit(&rows, &[("n_trees", "200"), ("max_leaves", "31"), ("min_leaf_share", "0.002")]);
        let sum = super::super::named("stack_ridge").unwrap();
        let (threads, metric) = (Threads::one(), metrics::metric("rmse").unwrap());
        let asked =
            Asked { metric, weights: None, prices: &[0.0; 2], costs: &[], room: None, threads: &threads };
        let sum = sum.fit(&rows, &asked, &sum.params(&[]).unwrap()).unwrap();
        let (own, other) = (error(&stacked, &rows), error(&sum, &rows));
        assert!(own < 0.25 && other > 0.4, "{own}, {other} for a sum");
        assert!(stacked.weights().iter().all(|w| *w > 0.2), "{:?}", stacked.weights());
    }

    #[test]
    fn members_that_say_nothing_are_a_mean() {
        let truth = Truth::Values(vec![1.0, 2.0, 6.0, 8.0]);
        let rows = MemberRows::try_new(vec![vec![3.0; 4], vec![5.0; 4]], 1, truth).unwrap();
        assert_eq!(fit(&rows, &[]), Combination::mean(Space::Scores, &[1.0, 1.0], rows.range()));
    }
}
