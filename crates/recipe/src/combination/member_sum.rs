//! A weighted sum of members, and its integers.
//!
//! It stands apart because other combinations are made of such sums: the stages of a cascade are, and those behind a gate.

use crate::error::{Error, Kind};
use crate::score_map::{Curve, MapOnGrid, ScoreMap};
use ir::fixed::{power_of_two, round_ties_even};
use ir::op::{Columns, Link, LinkKind, ToScores, Votes, VotesKind, WeightedSum};
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use learn::ScoreLink;

/// What of the members is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// Log odds of the second of two classes, logs of shares of several, values of a regression.
    Scores,
    /// Probabilities.
    Probabilities,
    /// One vote for the most probable class, ties to the first.
    Labels,
}

/// A weighted sum of members.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberSum {
    /// What is added up.
    pub space: Space,
    /// Weight of each member, finite; at least 0, and not all 0, of probabilities and labels.
    pub weights: Vec<f64>,
    /// What is added, a number for each score; nothing for probabilities and labels.
    pub offsets: Vec<f64>,
    /// By member a map of its real scores that comes first; none, or one for each. Of classes alone.
    pub before: Vec<ScoreMap>,
    /// A map of the sum. Of classes alone.
    pub after: Option<ScoreMap>,
    /// The least and the largest real score of any member: grids have room for [`ROOM`] times what lies between.
    pub range: [f64; 2],
}

/// How much further than the known scores a score of a regression may lie before it is clamped.
const ROOM: f64 = 16.0;
/// How many bits finer than the coarsest member the sum of values may be.
const MOST_FINER: i32 = 10;
/// Fraction bits of probabilities that are added up: as many as a float has.
const BITS: u8 = 24;
/// Largest sum of the sizes of integer weights, and of the sizes of scores.
const MOST_WEIGHT: f64 = WeightedSum::MAX_WEIGHTS as f64;

/// A sum on the grids of its members.
#[derive(Clone, Debug)]
pub(super) struct SumOnGrids {
    steps: Vec<Step>,
    sum: WeightedSum,
    weights: Vec<i64>,
    offsets: Vec<i64>,
    after: Option<MapOnGrid>,
    link: ScoreLink,
    n_outputs: usize,
}

/// What becomes of a member's integer scores before they are added up.
#[derive(Clone, Debug)]
enum Step {
    AsTheyAre,
    Curve(MapOnGrid),
    Votes(Votes),
    /// Of a score whose exponential is the value: that value, on a grid.
    Value(ScoreLink, ToScores),
}

impl MemberSum {
    /// A weighted sum of members, without offsets and maps; the mean if the weights are alike.
    pub fn mean(space: Space, weights: &[f64], range: [f64; 2]) -> MemberSum {
        let all: f64 = weights.iter().sum();
        let weights = weights.iter().map(|w| w / all).collect();
        MemberSum { space, weights, offsets: Vec::new(), before: Vec::new(), after: None, range }
    }

    /// The same of some of the members, in that order: those that are left out weigh nothing.
    pub(super) fn of_members(&self, members: &[usize]) -> MemberSum {
        let before = members.iter().filter_map(|&at| self.before.get(at).cloned()).collect();
        let weights = members.iter().filter_map(|&at| self.weights.get(at).copied()).collect();
        MemberSum { weights, before, ..self.clone() }
    }

    /// Members that weigh anything; the first one where none does, so that there is one.
    pub(super) fn used(&self) -> Vec<usize> {
        let used: Vec<usize> = (0..self.weights.len()).filter(|&at| self.weights[at] != 0.0).collect();
        if used.is_empty() { vec![0] } else { used }
    }

    /// The first `n` members, with weights of the sum that all had: those that are left stand for those that went. `None`
    /// where weights below 0 make up for others.
    pub(super) fn first(&self, n: usize) -> Option<MemberSum> {
        let first = self.of_members(&(0..n).collect::<Vec<usize>>());
        let [all, left] = [self, &first].map(|c| c.weights.iter().sum::<f64>());
        let stands = self.weights.iter().all(|w| *w >= 0.0) && left > 0.0;
        stands.then(|| MemberSum { weights: first.weights.iter().map(|w| w * all / left).collect(), ..first })
    }

    /// The same where member `j` is the mean of `n_fits[j]` fits.
    pub(super) fn spread(&self, n_fits: &[usize]) -> MemberSum {
        let of = |at: usize| std::iter::repeat_n(at, n_fits.get(at).copied().unwrap_or(1));
        let places: Vec<usize> = (0..self.weights.len()).flat_map(of).collect();
        let share = |&at: &usize| self.weights[at] / n_fits.get(at).copied().unwrap_or(1).max(1) as f64;
        MemberSum { weights: places.iter().map(share).collect(), ..self.of_members(&places) }
    }

    /// The same on the grids of members with these links, of `n_outputs` scores a row each.
    ///
    /// # Errors
    /// Links that are not of one task, as many as weights; weights, offsets or maps that the doc of the field excludes.
    pub(super) fn on_grids(&self, links: &[ScoreLink], n_outputs: usize) -> Result<SumOnGrids, Error> {
        self.on_shift(links, n_outputs, i16::MIN)
    }

    /// The same with at least so many fraction bits, of classes whose scores are added up.
    ///
    /// # Errors
    /// As [`MemberSum::on_grids`].
    pub(super) fn on_shift(
        &self,
        links: &[ScoreLink],
        n_outputs: usize,
        least: i16,
    ) -> Result<SumOnGrids, Error> {
        let refuse = |what| Kind::Combination { what };
        let is_number = |link: &ScoreLink| matches!(link.kind, LinkKind::Linear | LinkKind::Exponential);
        let of_numbers = links.first().is_some_and(is_number);
        if links.iter().any(|link| is_number(link) != of_numbers) {
            return Err(refuse("members of one task").into());
        }
        let fits = links.len() == self.weights.len() && self.weights.iter().all(|w| w.is_finite());
        if !fits || links.is_empty() || n_outputs == 0 {
            return Err(refuse("one finite weight a member").into());
        }
        let offsets_fit = self.offsets.is_empty() || self.offsets.len() == n_outputs;
        if !offsets_fit || self.offsets.iter().any(|b| !b.is_finite()) {
            return Err(refuse("one finite offset a score").into());
        }
        let maps = || self.before.iter().chain(&self.after);
        if maps().any(|map| map.curves().len() != n_outputs) {
            return Err(refuse("a curve for each score").into());
        }
        if !self.before.is_empty() && self.before.len() != links.len() {
            return Err(refuse("a map for each member").into());
        }
        match (self.space, of_numbers) {
            (Space::Scores, true) if maps().count() > 0 => Err(refuse("no maps of numbers").into()),
            (Space::Scores, true) => self.of_numbers(links, None),
            (Space::Scores, false) => self.of_scores(links, n_outputs, least),
            (_, true) => Err(refuse("classes, where probabilities or labels are added up").into()),
            (_, false) => self.of_votes(links, n_outputs),
        }
    }

    /// The same with this link, which is [`MemberSum::joint`] of it and of another sum.
    ///
    /// # Errors
    /// As [`MemberSum::on_grids`].
    pub(super) fn on_link(
        &self,
        links: &[ScoreLink],
        n_outputs: usize,
        link: ScoreLink,
    ) -> Result<SumOnGrids, Error> {
        match link.kind {
            LinkKind::Linear => self.of_numbers(links, Some(link)),
            _ => self.on_shift(links, n_outputs, link.shift),
        }
    }

    /// The link of this sum and another one, which have these links: of classes on the finer grid of both; of numbers about
    /// the offset of this one, on the grid of the sum of several members, whose weights have room there, else on the finer
    /// one too as far as there is room.
    pub(super) fn joint(&self, (of_other, other): (&MemberSum, ScoreLink), own: ScoreLink) -> ScoreLink {
        let [coarser, finer] = [other.shift.min(own.shift), other.shift.max(own.shift)];
        if own.kind != LinkKind::Linear {
            return ScoreLink { shift: finer, ..own };
        }
        let mut shift = match [of_other, self].map(|sum| sum.used().len() > 1) {
            [true, true] => i32::from(coarser),
            [true, false] => i32::from(other.shift),
            [false, true] => i32::from(own.shift),
            [false, false] => i32::from(finer).min(i32::from(coarser) + MOST_FINER),
        };
        let offset = own.offset as f64 * power_of_two(-i32::from(own.shift));
        let away = self.range.map(|end| (end - offset).abs()).into_iter().fold(f64::MIN_POSITIVE, f64::max);
        while shift > -900 && away * ROOM * power_of_two(shift) > MOST_WEIGHT {
            shift -= 1;
        }
        let offset = round_ties_even(offset * power_of_two(shift)) as i64;
        ScoreLink { shift: shift as i16, offset, ..own }
    }

    /// With this link, or the one that fits best.
    fn of_numbers(&self, links: &[ScoreLink], given: Option<ScoreLink>) -> Result<SumOnGrids, Error> {
        let of_lines = || links.iter().filter(|link| link.kind == LinkKind::Linear);
        // No finer than the finest member, and with room for what rows not yet seen may bring.
        let most = of_lines().map(|link| i32::from(link.shift)).max().unwrap_or(30);
        // Offsets are added behind the sum, so integers only hold how far values lie from them.
        let away = |link: &ScoreLink| {
            let offset = match link.kind {
                LinkKind::Linear => link.offset as f64 * power_of_two(-i32::from(link.shift)),
                _ => 0.0,
            };
            self.range.map(|end| (end - offset).abs()).into_iter().fold(f64::MIN_POSITIVE, f64::max)
        };
        let sizes = links.iter().zip(&self.weights).map(|(link, w)| w.abs() * away(link));
        let size: f64 = sizes.sum::<f64>().max(f64::MIN_POSITIVE);
        let mut grid = most.clamp(-900, 900);
        // A member on a far coarser grid says nothing between its steps.
        let coarsest = of_lines().map(|link| i32::from(link.shift)).min().unwrap_or(grid);
        grid = grid.min(coarsest + MOST_FINER);
        while grid > -900 && size * ROOM * power_of_two(grid) > MOST_WEIGHT {
            grid -= 1;
        }
        let grid = given.map_or(grid, |link| link.shift.into());
        let shift = grid as i16;
        let value = ToScores { shift };
        let (mut steps, mut factors, mut offset) =
            (Vec::new(), Vec::new(), self.offsets.first().copied().unwrap_or(0.0));
        for (link, weight) in links.iter().zip(&self.weights) {
            match link.kind {
                LinkKind::Linear => {
                    steps.push(Step::AsTheyAre);
                    factors.push(weight * power_of_two(grid - i32::from(link.shift)));
                    offset += weight * link.offset as f64 * power_of_two(-i32::from(link.shift));
                }
                _ => {
                    steps.push(Step::Value(*link, value));
                    factors.push(*weight);
                }
            }
        }
        let offset = offset * power_of_two(grid);
        let own = || ScoreLink { kind: LinkKind::Linear, shift, offset: round_ties_even(offset) as i64 };
        match given {
            None => self.summed(steps, &factors, &[0.0], own(), 1),
            Some(link) => self.summed(steps, &factors, &[offset - link.offset as f64], link, 1),
        }
    }

    fn of_scores(&self, links: &[ScoreLink], n_outputs: usize, least: i16) -> Result<SumOnGrids, Error> {
        let identity = vec![Curve::Line { scale: 1.0, offset: 0.0 }; n_outputs];
        let identity = ScoreMap::try_new(identity).ok_or(Kind::Combination { what: "scores" })?;
        let (mut steps, mut behind) = (Vec::new(), Vec::new());
        for (at, link) in links.iter().enumerate() {
            let map = self.before.get(at);
            let is_log = matches!(link.kind, LinkKind::Logistic | LinkKind::Softmax);
            if is_log && map.is_none() {
                steps.push(Step::AsTheyAre);
                behind.push(*link);
                continue;
            }
            let on_link = map.unwrap_or(&identity).on_link(link);
            let (curve, link) = on_link.ok_or(Kind::Combination { what: "links of classes" })?;
            steps.push(Step::Curve(curve));
            behind.push(link);
        }
        // Log odds beyond 2^11 are clamped at the finest grid, where probabilities have long reached their ends.
        let shift = behind.iter().map(|link| link.shift).fold(least, i16::max);
        let factors = behind.iter().zip(&self.weights);
        let factors: Vec<f64> =
            factors.map(|(link, w)| w * power_of_two(i32::from(shift) - i32::from(link.shift))).collect();
        let unit = power_of_two(shift.into());
        let offsets: Vec<f64> = if self.offsets.is_empty() {
            vec![0.0; n_outputs]
        } else {
            self.offsets.iter().map(|b| b * unit).collect()
        };
        let kind = if n_outputs == 1 { LinkKind::Logistic } else { LinkKind::Softmax };
        self.summed(steps, &factors, &offsets, ScoreLink { kind, shift, offset: 0 }, n_outputs)
    }

    fn of_votes(&self, links: &[ScoreLink], n_outputs: usize) -> Result<SumOnGrids, Error> {
        let all: f64 = self.weights.iter().sum();
        if self.weights.iter().any(|w| *w < 0.0)
            || all <= 0.0
            || !self.offsets.is_empty()
            || !self.before.is_empty()
        {
            return Err(
                Kind::Combination { what: "weights of at least 0, no offsets and no maps before" }.into()
            );
        }
        let votes = |link: &ScoreLink| {
            let (kind, shift, offset) = match link.kind {
                _ if self.space == Space::Labels => (VotesKind::Largest, 0, 0),
                LinkKind::Logistic => (VotesKind::Logistic, link.shift, 0),
                LinkKind::Softmax => (VotesKind::Softmax, link.shift, 0),
                _ => (VotesKind::Share, 0, if n_outputs == 1 { link.offset } else { 0 }),
            };
            Step::Votes(Votes { kind, shift, offset, bits: BITS })
        };
        let steps = links.iter().map(votes).collect();
        let factors: Vec<f64> = self.weights.iter().map(|w| w / all).collect();
        let link = ScoreLink { kind: LinkKind::Share, shift: 0, offset: 1 << BITS };
        self.summed(steps, &factors, &vec![0.0; n_outputs], link, n_outputs)
    }

    /// Integer weights of the finest shift that the operator allows; `factors` and `offsets` are in units of the sum.
    fn summed(
        &self,
        steps: Vec<Step>,
        factors: &[f64],
        offsets: &[f64],
        link: ScoreLink,
        n_outputs: usize,
    ) -> Result<SumOnGrids, Error> {
        // Rounding adds at most a half a member.
        let most = MOST_WEIGHT - factors.len() as f64;
        let size: f64 = factors.iter().map(|f| f.abs()).sum();
        let offset = offsets.iter().fold(0.0f64, |m, b| m.max(b.abs()));
        let fits = |shift: u8| {
            let unit = power_of_two(shift.into());
            size * unit <= most && offset * unit < WeightedSum::MAX_OFFSET as f64
        };
        let Some(shift) = (0..=WeightedSum::MAX_SHIFT).rev().find(|&shift| fits(shift)) else {
            return Err(Kind::Combination { what: "weights and offsets that integers can hold" }.into());
        };
        let unit = power_of_two(shift.into());
        let whole = |x: &f64| round_ties_even(x * unit) as i64;
        let on_link =
            self.after.as_ref().map(|map| map.on_link(&link).ok_or(Kind::Combination { what: "classes" }));
        let (after, link) = match on_link.transpose()? {
            Some((map, link)) => (Some(map), link),
            None => (None, link),
        };
        Ok(SumOnGrids {
            steps,
            sum: WeightedSum { shift },
            weights: factors.iter().map(whole).collect(),
            offsets: offsets.iter().map(whole).collect(),
            after,
            link,
            n_outputs,
        })
    }
}

impl Step {
    fn apply(&self, scores: &[i32], n_outputs: usize) -> Vec<i32> {
        match self {
            Step::AsTheyAre => scores.to_vec(),
            Step::Curve(map) => {
                let mut scores = scores.to_vec();
                map.apply(&mut scores);
                scores
            }
            Step::Votes(votes) => {
                let mut votes_of = scores.to_vec();
                votes.apply(n_outputs, &mut votes_of);
                votes_of
            }
            Step::Value(link, to) => link.apply(scores, 1).into_iter().map(|value| to.of(value)).collect(),
        }
    }

    fn lower(&self, builder: &mut GraphBuilder, score: ValueIdx) -> Result<ValueIdx, ir::Error> {
        match self {
            Step::AsTheyAre => Ok(score),
            Step::Curve(map) => map.lower(builder, score),
            Step::Votes(votes) => builder.node(Op::Votes(*votes), &[score]),
            Step::Value(ScoreLink { kind, shift, offset }, to) => {
                let link = Link { kind: *kind, shift: *shift, offset: *offset };
                let value = builder.node(Op::Link(link), &[score])?;
                let column = builder.node(Op::Columns(Columns), &[value])?;
                builder.node(Op::ToScores(*to), &[column])
            }
        }
    }
}

impl SumOnGrids {
    /// How the sum becomes probabilities or values.
    pub(super) fn link(&self) -> ScoreLink {
        self.link
    }

    /// The sum of integer scores `[n_rows, n_outputs]` of all members, as the graph computes it.
    pub(super) fn apply(&self, members: &[&[i32]]) -> Vec<i32> {
        let steps = self.steps.iter().zip(members);
        let members: Vec<Vec<i32>> = steps.map(|(step, scores)| step.apply(scores, self.n_outputs)).collect();
        let members: Vec<&[i32]> = members.iter().map(|scores| &scores[..]).collect();
        let mut sum = vec![0; members.first().map_or(0, |scores| scores.len())];
        self.sum.apply(&members, &self.weights, &self.offsets, &mut sum);
        if let Some(map) = &self.after {
            map.apply(&mut sum);
        }
        sum
    }

    /// Appends the nodes behind the members' scores.
    ///
    /// # Errors
    /// The graph refuses a node: scores of other shapes.
    pub(super) fn lower(
        &self,
        builder: &mut GraphBuilder,
        members: &[ValueIdx],
    ) -> Result<ValueIdx, ir::Error> {
        let mut inputs = Vec::with_capacity(members.len() + 2);
        for (step, &score) in self.steps.iter().zip(members) {
            inputs.push(step.lower(builder, score)?);
        }
        let weights = Tensor::try_new(vec![self.weights.len(), 1], TensorData::I64(self.weights.clone()));
        let weights = weights.unwrap_or(Tensor::vector(TensorData::I64(Vec::new())));
        inputs.push(builder.constant(weights)?);
        inputs.push(builder.constant(Tensor::vector(TensorData::I64(self.offsets.clone())))?);
        let sum = builder.node(Op::WeightedSum(self.sum), &inputs)?;
        match &self.after {
            Some(map) => map.lower(builder, sum),
            None => Ok(sum),
        }
    }

    /// The same without a node that changes nothing: the sum of one member that counts once is its score.
    ///
    /// # Errors
    /// As [`SumOnGrids::lower`].
    pub(super) fn lower_short(
        &self,
        builder: &mut GraphBuilder,
        members: &[ValueIdx],
    ) -> Result<ValueIdx, ir::Error> {
        let is_once = self.weights == [1i64 << self.sum.shift] && self.offsets.iter().all(|b| *b == 0);
        match (&self.steps[..], members, &self.after) {
            ([step], &[score], None) if is_once => step.lower(builder, score),
            _ => self.lower(builder, members),
        }
    }
}
