//! Trees over the scores of members.

use super::member_sum::{MemberSum, SumOnGrids};
use crate::error::{Error, Kind};
use crate::score_map::member_scores;
use ir::forest::{CodedFeature, Split, Test, Tree};
use ir::op::{Bin, Cast, ForestOp, Gather, LinkKind};
use ir::{Forest, GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use learn::ScoreLink;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A forest that asks real scores of members.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreTrees {
    /// What is asked: the score of a member, or the mean of those of its fits; sums over the same members.
    pub members: Vec<MemberSum>,
    /// By feature of the forest.
    pub columns: Vec<ScoreColumn>,
    /// The forest, its codes those of `columns`; its features are ordered.
    pub forest: Arc<Forest>,
    /// How its scores become probabilities or values.
    pub link: ScoreLink,
}

/// A score of a member, parted by edges.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreColumn {
    /// Place among what is asked.
    pub member: usize,
    /// Which of its scores.
    pub output: usize,
    /// Edges in real units, finite, strictly rising: a code is the number of those that are below the score.
    pub edges: Vec<f64>,
}

/// Trees on the grids of members.
#[derive(Clone, Debug)]
pub(super) struct TreesOnGrids {
    asked: Vec<Asked>,
    /// Edges are whole.
    columns: Vec<ScoreColumn>,
    forest: Arc<Forest>,
    n_outputs: usize,
}

/// What trees ask.
#[derive(Clone, Debug)]
enum Asked {
    /// The scores of a member, as they are.
    Member(usize),
    /// A sum of the members of these places.
    Sum(Vec<usize>, SumOnGrids),
}

impl ScoreTrees {
    fn of(&self, member: impl Fn(&MemberSum) -> MemberSum) -> ScoreTrees {
        ScoreTrees { members: self.members.iter().map(member).collect(), ..self.clone() }
    }

    pub(super) fn n_members(&self) -> usize {
        self.members.first().map_or(0, |member| member.weights.len())
    }

    /// The share of splits that ask each member.
    pub(super) fn weights(&self) -> Vec<f64> {
        let mut weights = vec![0.0; self.n_members()];
        let splits = || self.forest.trees().iter().flat_map(|tree| &tree.splits);
        let n_splits = splits().count().max(1) as f64;
        for split in splits() {
            let column = self.columns.get(split.feature as usize);
            let asked = column.and_then(|column| self.members.get(column.member));
            for (weight, own) in weights.iter_mut().zip(asked.iter().flat_map(|asked| &asked.weights)) {
                *weight += own / n_splits;
            }
        }
        weights
    }

    pub(super) fn of_members(&self, members: &[usize]) -> ScoreTrees {
        self.of(|member| member.of_members(members))
    }

    pub(super) fn used(&self) -> Vec<usize> {
        let mut used: Vec<usize> = self.members.iter().flat_map(MemberSum::used).collect();
        used.sort_unstable();
        used.dedup();
        used
    }

    pub(super) fn spread(&self, n_fits: &[usize]) -> ScoreTrees {
        self.of(|member| member.spread(n_fits))
    }

    /// Edges on the integers of each member, whatever its link: real scores never fall with them, so an edge is the largest
    /// one whose real score is not above it. Edges that fall together become one, and the trees ask for that.
    pub(super) fn on_grids(
        &self,
        links: &[ScoreLink],
        n_outputs: usize,
    ) -> Result<(TreesOnGrids, ScoreLink), Error> {
        let refuse = |what| Err(Kind::Combination { what }.into());
        let is_asked = |member: &MemberSum| {
            member.weights.len() == links.len()
                && member.weights.iter().any(|w| *w != 0.0)
                && member.after.is_none()
        };
        if !self.members.iter().all(is_asked) {
            return refuse("all members that trees ask");
        }
        let is_number = |link: &ScoreLink| matches!(link.kind, LinkKind::Linear | LinkKind::Exponential);
        if links.iter().any(|link| is_number(link) != is_number(&self.link)) {
            return refuse("members of one task");
        }
        let is_there = |column: &ScoreColumn| {
            column.member < self.members.len()
                && column.output < n_outputs
                && column.edges.iter().all(|edge| edge.is_finite())
        };
        let n_features = self.forest.features().len();
        if self.forest.n_outputs() as usize != n_outputs
            || self.columns.len() != n_features
            || !self.columns.iter().all(is_there)
        {
            return refuse("a column of scores for each feature of the trees");
        }
        let on = |member: &MemberSum| {
            let used = member.used();
            let is_plain = member.offsets.is_empty() && member.before.is_empty();
            if let &[only] = &used[..]
                && is_plain
                && member.weights[only] == 1.0
            {
                return Ok::<_, Error>((Asked::Member(only), links[only]));
            }
            let links: Vec<ScoreLink> = used.iter().map(|&at| links[at]).collect();
            let sum = member.of_members(&used).on_grids(&links, n_outputs)?;
            let link = sum.link();
            Ok((Asked::Sum(used, sum), link))
        };
        let (asked, links): (Vec<Asked>, Vec<ScoreLink>) =
            self.members.iter().map(on).collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
        let (mut columns, mut places) = (Vec::with_capacity(n_features), Vec::with_capacity(n_features));
        for column in &self.columns {
            let (edges, place) = whole_edges(&column.edges, &links[column.member], n_outputs);
            columns.push(ScoreColumn { edges, ..*column });
            places.push(place);
        }
        let forest = Arc::new(asked_anew(&self.forest, &columns, &places)?);
        Ok((TreesOnGrids { asked, columns, forest, n_outputs }, self.link))
    }
}

/// Edges on the integers of a link, strictly rising, and of each old edge the place among them.
fn whole_edges(edges: &[f64], link: &ScoreLink, n_outputs: usize) -> (Vec<f64>, Vec<usize>) {
    let (mut whole, mut places): (Vec<f64>, Vec<usize>) = (Vec::new(), Vec::with_capacity(edges.len()));
    for &edge in edges {
        let is_above = |score: i64| {
            let real = member_scores(&[score as i32], link, n_outputs);
            real.first().is_some_and(|real| *real > edge)
        };
        // The first score above it is in `low..=high`.
        let (mut low, mut high) = (i64::from(i32::MIN), i64::from(i32::MAX) + 1);
        while low < high {
            let middle = (low + high).div_euclid(2);
            if is_above(middle) { high = middle } else { low = middle + 1 }
        }
        let on_grid = (low - 1) as f64;
        if whole.last().is_none_or(|last| *last < on_grid) {
            whole.push(on_grid);
        }
        places.push(whole.len() - 1);
    }
    (whole, places)
}

/// The forest in the codes of columns that have fewer edges; `places` says of each old edge which it became.
fn asked_anew(forest: &Forest, columns: &[ScoreColumn], places: &[Vec<usize>]) -> Result<Forest, ir::Error> {
    let feature =
        |column: &ScoreColumn| CodedFeature { n_codes: column.edges.len() as u16 + 1, ordered: true };
    let test = |split: &Split| match (split.test, places.get(split.feature as usize)) {
        // No code is above the last one.
        (Test::Greater(t), Some(places)) => {
            let beyond = columns[split.feature as usize].edges.len();
            Test::Greater(places.get(usize::from(t)).copied().unwrap_or(beyond) as u8)
        }
        (other, _) => other,
    };
    let tree = |tree: &Tree| {
        let splits = tree.splits.iter().map(|split| Split { test: test(split), ..*split });
        Tree { splits: splits.collect(), ..tree.clone() }
    };
    let trees = forest.trees().iter().map(tree).collect();
    Forest::try_new(columns.iter().map(feature).collect(), forest.initial_scores().to_vec(), trees)
}

impl TreesOnGrids {
    pub(super) fn apply(&self, members: &[&[i32]]) -> Vec<i32> {
        let picked = |used: &[usize]| used.iter().map(|&at| members[at]).collect::<Vec<&[i32]>>();
        let of = |asked: &Asked| match asked {
            Asked::Member(at) => members[*at].to_vec(),
            Asked::Sum(used, sum) => sum.apply(&picked(used)),
        };
        let asked: Vec<Vec<i32>> = self.asked.iter().map(of).collect();
        let n_rows = members.first().map_or(0, |scores| scores.len() / self.n_outputs.max(1));
        let code = |column: &ScoreColumn, row: usize| {
            let score = f64::from(asked[column.member][row * self.n_outputs + column.output]);
            column.edges.partition_point(|edge| *edge < score) as u8
        };
        let mut scores = self.forest.initial_scores().repeat(n_rows);
        for (row, scores) in scores.chunks_exact_mut(self.n_outputs).enumerate() {
            let codes: Vec<u8> = self.columns.iter().map(|column| code(column, row)).collect();
            for tree in self.forest.trees() {
                let (first, n) = (tree.first_output as usize, tree.width as usize);
                let leaf = tree.leaf(|feature| codes[feature as usize]) as usize;
                let of_leaf = tree.leaves[leaf * n..].iter();
                scores[first..first + n].iter_mut().zip(of_leaf).for_each(|(score, value)| *score += value);
            }
        }
        scores
    }

    pub(super) fn lower(
        &self,
        builder: &mut GraphBuilder,
        members: &[ValueIdx],
    ) -> Result<ValueIdx, ir::Error> {
        let mut asked = Vec::with_capacity(self.asked.len());
        for of in &self.asked {
            let score = match of {
                Asked::Member(at) => members[*at],
                Asked::Sum(used, sum) => {
                    let own: Vec<ValueIdx> = used.iter().map(|&at| members[at]).collect();
                    sum.lower(builder, &own)?
                }
            };
            asked.push(builder.node(Op::Cast(Cast), &[score])?);
        }
        // Constants are written once.
        let mut places: BTreeMap<usize, ValueIdx> = BTreeMap::new();
        let mut codes = Vec::with_capacity(self.columns.len());
        for ScoreColumn { member, output, edges } in &self.columns {
            let at = match places.get(output) {
                Some(&at) => at,
                None => {
                    let at = Tensor::scalar(TensorData::I64(vec![*output as i64]));
                    builder.constant(at.unwrap_or(Tensor::vector(TensorData::I64(Vec::new()))))?
                }
            };
            places.insert(*output, at);
            let score = builder.node(Op::Gather(Gather), &[asked[*member], at])?;
            let edges = builder.constant(Tensor::vector(TensorData::F64(edges.clone())))?;
            codes.push(builder.node(Op::Bin(Bin), &[score, edges])?);
        }
        let forest = self.forest.clone();
        builder.node(Op::Forest(ForestOp { forest }), &codes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combination::{Combination, Space};
    use ir::fixed::power_of_two;
    use ir::forest::Child;

    fn stump(feature: u32, above: u8, leaves: [i32; 2]) -> Tree {
        let [left, right] = [Child::Leaf(0), Child::Leaf(1)];
        let split = Split { feature, test: Test::Greater(above), missing_left: true, left, right };
        Tree { first_output: 0, width: 1, splits: vec![split], leaves: leaves.to_vec() }
    }

    /// Three splits ask the second of two members, one the first.
    fn trees() -> ScoreTrees {
        let edges = [vec![-0.6, 0.3, 0.31], vec![0.0]];
        let features = edges.iter().map(|e| CodedFeature { n_codes: e.len() as u16 + 1, ordered: true });
        let trees = vec![
            stump(0, 0, [1, 2]),
            stump(0, 1, [10, 20]),
            stump(0, 2, [100, 200]),
            stump(1, 0, [1000, 2000]),
        ];
        let forest = Arc::new(Forest::try_new(features.collect(), vec![7], trees).unwrap());
        let member = |weights: &[f64]| MemberSum::mean(Space::Scores, weights, [-4.0, 4.0]);
        let columns = [1, 0].into_iter().zip(edges);
        ScoreTrees {
            members: vec![member(&[1.0, 0.0]), member(&[0.0, 1.0])],
            columns: columns.map(|(member, edges)| ScoreColumn { member, output: 0, edges }).collect(),
            forest,
            link: logistic(12),
        }
    }

    fn logistic(shift: i16) -> ScoreLink {
        ScoreLink { kind: LinkKind::Logistic, shift, offset: 0 }
    }

    #[test]
    fn edges_become_whole_and_fall_together() {
        let (edges, places) = whole_edges(&[-0.6, -0.1, 0.3, 0.31, 2.0], &logistic(3), 1);
        assert_eq!((edges, places), (vec![-5.0, -1.0, 2.0, 16.0], vec![0, 1, 2, 2, 3]));
        let linear = ScoreLink { kind: LinkKind::Linear, shift: 1, offset: 10 };
        assert_eq!(whole_edges(&[-1.0, 5.0, 5.5], &linear, 1).0, [-12.0, 0.0, 1.0]);
        // Zero is zero from both sides; below and above all scores.
        assert!(whole_edges(&[-0.0], &logistic(3), 1).0[0].is_sign_positive());
        let ends = [f64::from(i32::MIN) - 1.0, f64::from(i32::MAX)];
        assert_eq!(whole_edges(&[-1e300, 1e300], &logistic(3), 1).0, ends);
        // Votes and powers: half of all votes have log odds 0, e^0 is 1.
        let share = ScoreLink { kind: LinkKind::Share, shift: 0, offset: 100 };
        assert_eq!(whole_edges(&[0.0], &share, 1).0, [0.0]);
        let power = ScoreLink { kind: LinkKind::Exponential, shift: 4, offset: 0 };
        assert_eq!(whole_edges(&[1.0, 2.0], &power, 1).0, [0.0, 11.0]);
    }

    #[test]
    fn integers_are_parted_as_real_scores() {
        let made = Combination::Trees(Box::new(trees()));
        for shift in [2i16, 3, 10] {
            let unit = power_of_two(shift.into());
            let all: Vec<i32> = (-40..40).map(|s| s << (shift - 2)).collect();
            let first: Vec<i32> = all.iter().map(|s| -s).collect();
            let members = [(&first[..], logistic(shift)), (&all[..], logistic(shift))];
            let (scores, link) = made.apply(&members, 1, None).unwrap();
            assert_eq!(link, logistic(12));
            for (row, got) in scores.iter().enumerate() {
                let [a, b] = [first[row], all[row]].map(|s| f64::from(s) / unit);
                let above = |edge: f64, of: f64, leaf: i32| if of > edge { 2 * leaf } else { leaf };
                let expected =
                    7 + above(-0.6, b, 1) + above(0.3, b, 10) + above(0.31, b, 100) + above(0.0, a, 1000);
                assert_eq!(*got, expected, "{shift}: {a} {b}");
            }
        }
    }

    #[test]
    fn members_count_by_the_splits_that_ask_them() {
        let made = Combination::Trees(Box::new(trees()));
        assert_eq!(made.weights(), [0.25, 0.75]);
        assert_eq!((made.used(), made.ranked()), (vec![0, 1], vec![1, 0]));
        assert_eq!(made.spread(&[1, 2]).weights(), [0.25, 0.375, 0.375]);
        assert_eq!(made.first(2), Some(made.clone()));
        assert_eq!(made.first(1), None);
        let some = made.of_members(&[0]);
        let error = some.on_grids(&[logistic(3)], 1).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("all members that trees ask"), "{error}");
    }
}
