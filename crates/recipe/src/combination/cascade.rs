//! A first stage that answers where it is sure, and a second one for all other rows.

use super::Combination;
use super::member_sum::{MemberSum, Space};
use super::stages::{self, StageOnGrids};
use crate::error::{Error, Kind};
use ir::fixed::{power_of_two, round_i32};
use ir::op::LinkKind;
use ir::{GraphBuilder, Op, ValueIdx, op};
use learn::ScoreLink;

/// Two weighted sums of the same members' scores, of classes, without maps behind them.
#[derive(Clone, Debug, PartialEq)]
pub struct Cascade {
    /// What a row is asked first.
    pub first: MemberSum,
    /// What rows are asked of which the first is not sure.
    pub second: MemberSum,
    /// How far a score must lie from `offset`, or the largest of several from the second largest, to be sure: at least 0,
    /// infinite where it never is.
    pub margin: f64,
    /// The log odds in which nothing is sure of two classes, finite; 0 of more.
    pub offset: f64,
    /// The share of rows that took the second score in training.
    pub passed_on: f64,
}

/// A cascade on the grids of its members.
#[derive(Clone, Debug)]
pub(super) struct CascadeOnGrids {
    first: StageOnGrids,
    second: StageOnGrids,
    op: op::Cascade,
    n_outputs: usize,
}

impl Cascade {
    /// How sure scores `[n_outputs]` of the first stage are.
    pub fn sureness(&self, scores: &[f64]) -> f64 {
        sureness(scores, self.offset)
    }

    fn of(&self, stage: impl Fn(&MemberSum) -> MemberSum) -> Cascade {
        Cascade { first: stage(&self.first), second: stage(&self.second), ..*self }
    }

    pub(super) fn weights(&self) -> Vec<f64> {
        stages::weights([&self.first, &self.second], self.passed_on)
    }

    pub(super) fn of_members(&self, members: &[usize]) -> Cascade {
        self.of(|stage| stage.of_members(members))
    }

    pub(super) fn used(&self) -> Vec<usize> {
        stages::used([&self.first, &self.second])
    }

    pub(super) fn spread(&self, n_fits: &[usize]) -> Cascade {
        self.of(|stage| stage.spread(n_fits))
    }

    /// The first `n` members; the first stage alone, if no member of the second one is left beside it.
    pub(super) fn first(&self, n: usize) -> Option<Combination> {
        let first = self.first.first(n)?;
        let is_left = |at: usize| at < n && self.first.weights[at] == 0.0;
        match self.second.first(n) {
            Some(second) if self.second.used().into_iter().any(is_left) => {
                Some(Combination::Cascade(Box::new(Cascade { first, second, ..*self })))
            }
            _ => Some(Combination::Sum(first)),
        }
    }

    /// Both stages on the finer of their grids; the margin is rounded up.
    pub(super) fn on_grids(
        &self,
        links: &[ScoreLink],
        n_outputs: usize,
    ) -> Result<(CascadeOnGrids, ScoreLink), Error> {
        let refuse = |what| Err(Kind::Combination { what }.into());
        let is_sum = |stage: &MemberSum| stage.space == Space::Scores && stage.after.is_none();
        let is_classes =
            |link: &ScoreLink| matches!(link.kind, LinkKind::Logistic | LinkKind::Softmax | LinkKind::Share);
        if !is_sum(&self.first) || !is_sum(&self.second) || !links.iter().all(is_classes) {
            return refuse("stages that are sums of scores of classes");
        }
        let fits = |stage: &MemberSum| stage.weights.len() == links.len();
        if !fits(&self.first) || !fits(&self.second) {
            return refuse("one weight a member in each stage");
        }
        if self.margin.is_nan() || self.margin < 0.0 || !self.offset.is_finite() {
            return refuse("a margin of at least 0 and a finite offset");
        }
        let on = |stage: &MemberSum, least: i16| {
            let used = stage.used();
            let links: Vec<ScoreLink> = used.iter().map(|&at| links[at]).collect();
            let sum = stage.of_members(&used).on_shift(&links, n_outputs, least)?;
            Ok::<_, Error>(StageOnGrids { used, sum })
        };
        let [a, b] = [on(&self.first, 0)?.sum.link(), on(&self.second, 0)?.sum.link()];
        let shift = a.shift.max(b.shift);
        let unit = power_of_two(shift.into());
        let margin = (self.margin * unit).ceil().min(op::Cascade::NEVER as f64) as i64;
        let offset = if n_outputs == 1 { round_i32(self.offset * unit) } else { 0 };
        let all = f64::from(op::Cascade::ALL);
        let passed_on = (self.passed_on * all).round().clamp(0.0, all) as u16;
        let op = op::Cascade { margin, offset, passed_on };
        let (first, second) = (on(&self.first, shift)?, on(&self.second, shift)?);
        Ok((CascadeOnGrids { first, second, op, n_outputs }, ScoreLink { shift, ..b }))
    }
}

/// How far a score lies from `offset`, or the largest of several from the second largest.
fn sureness(scores: &[f64], offset: f64) -> f64 {
    match scores {
        &[score] => (score - offset).abs(),
        _ => {
            let larger = |[first, second]: [f64; 2], &score: &f64| {
                if score > first { [score, first] } else { [first, second.max(score)] }
            };
            let [first, second] = scores.iter().fold([f64::NEG_INFINITY; 2], larger);
            first - second
        }
    }
}

impl CascadeOnGrids {
    pub(super) fn apply(&self, members: &[&[i32]]) -> Vec<i32> {
        let (mut scores, second) = (self.first.apply(members), self.second.apply(members));
        self.op.apply(self.n_outputs, &mut scores, &second);
        scores
    }

    pub(super) fn lower(
        &self,
        builder: &mut GraphBuilder,
        members: &[ValueIdx],
    ) -> Result<ValueIdx, ir::Error> {
        let stages = [self.first.lower(builder, members)?, self.second.lower(builder, members)?];
        builder.node(Op::Cascade(self.op), &stages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(weights: &[f64]) -> MemberSum {
        MemberSum::mean(Space::Scores, weights, [-8.0, 8.0])
    }

    fn cascade(margin: f64) -> Cascade {
        let (first, second) = (sum(&[0.0, 1.0, 0.0]), sum(&[1.0, 1.0, 2.0]));
        Cascade { first, second, margin, offset: 0.0, passed_on: 0.25 }
    }

    fn logistic(shift: i16) -> ScoreLink {
        ScoreLink { kind: LinkKind::Logistic, shift, offset: 0 }
    }

    #[test]
    fn stages_meet_on_the_finer_grid() {
        // The first stage has 3 fraction bits, the second 4: in 16ths its scores are (a + 2 b + 2 c) / 4.
        let links = [logistic(4), logistic(3), logistic(4)];
        let scores = [[10, 10, -40], [8, 9, -16], [1, 0, 3]];
        let members: Vec<_> = scores.iter().zip(links).map(|(s, link)| (&s[..], link)).collect();
        // |b| of 8 / 8, 9 / 8 and 16 / 8 against 1.07.
        let (made, link) = Combination::Cascade(Box::new(cascade(1.07))).apply(&members, 1, None).unwrap();
        assert_eq!(link, logistic(4));
        assert_eq!(made, [(10 + 16 + 2) / 4, 18, -32]);
        let never = Combination::Cascade(Box::new(cascade(f64::INFINITY)));
        let second = Combination::Sum(cascade(0.0).second).apply(&members, 1, None).unwrap();
        assert_eq!(never.apply(&members, 1, None).unwrap(), second);
    }

    #[test]
    fn what_members_count() {
        let made = Combination::Cascade(Box::new(cascade(1.0)));
        assert_eq!(made.weights(), [0.0625, 0.8125, 0.125]);
        assert_eq!((made.used(), made.ranked()), (vec![0, 1, 2], vec![1, 2, 0]));
        // Those of a stage alone, in another order.
        let some = made.of_members(&made.ranked());
        assert_eq!(some.ranked(), [0, 1, 2]);
        let Some(Combination::Cascade(two)) = some.first(2) else { panic!("two stages") };
        assert_eq!((two.first.weights, two.second.weights), (vec![1.0, 0.0], vec![1.0 / 3.0, 2.0 / 3.0]));
        assert_eq!(some.first(1), Some(Combination::Sum(sum(&[1.0]))));
        let spread = made.spread(&[1, 2, 1]);
        let Combination::Cascade(spread) = spread else { panic!("two stages") };
        assert_eq!(spread.first.weights, [0.0, 0.5, 0.5, 0.0]);
        assert_eq!(spread.second.weights, [0.25, 0.125, 0.125, 0.5]);
    }

    #[test]
    fn sure_is_far_from_the_offset_or_ahead() {
        assert_eq!(sureness(&[-1.5], 0.5), 2.0);
        assert_eq!(sureness(&[1.0, 4.0, 3.5], 0.0), 0.5);
        assert_eq!(sureness(&[4.0, 4.0], 0.0), 0.0);
    }

    #[test]
    fn what_is_no_cascade_is_refused() {
        let on =
            |cascade: Cascade, link| cascade.on_grids(&[link; 3], 1).map(|_| ()).unwrap_err().to_string();
        let number = ScoreLink { kind: LinkKind::Linear, shift: 3, offset: 0 };
        assert!(on(cascade(1.0), number).contains("scores of classes"));
        assert!(on(cascade(f64::NAN), logistic(3)).contains("a margin"));
        assert!(on(cascade(1.0).of_members(&[0, 1]), logistic(3)).contains("one weight a member"));
    }
}
