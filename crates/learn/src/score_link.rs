//! From integer scores to what people read: probabilities or values, and the decision.

use crate::Error;
use ir::fixed::{link, math, power_of_two};
use ir::op::{ArgMax, LeastCost, Link, LinkKind, Threshold};
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use trees::Target;

/// How integer scores become probabilities or values; the fields of [`ir::op::Link`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreLink {
    /// The function.
    pub kind: LinkKind,
    /// Fraction bits of a score.
    pub shift: i16,
    /// Added to a score first. Of shares all votes that there can be: half of them for two classes.
    pub offset: i64,
}

/// How a class is chosen.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// The most probable one, ties to the first.
    Largest,
    /// Of two classes the second one if its probability is at least this, else the first.
    AtLeast(f64),
    /// The one whose expected cost is least: `[n_classes, n_classes]`, rows true, columns predicted.
    LeastCost(Vec<f64>),
    /// Of several targets that of each.
    Each(Vec<Decision>),
}

impl Decision {
    /// The class of a row of probabilities.
    pub fn of(&self, probabilities: &[f64]) -> u32 {
        match self {
            Decision::Largest => {
                let mut best = 0;
                for (k, p) in probabilities.iter().enumerate() {
                    if *p > probabilities[best] {
                        best = k;
                    }
                }
                best as u32
            }
            Decision::AtLeast(least) => u32::from(probabilities.get(1).is_some_and(|p| p >= least)),
            Decision::LeastCost(cost) => LeastCost::of(probabilities.iter().copied(), cost) as u32,
            Decision::Each(each) => each.first().map_or(0, |first| first.of(probabilities)),
        }
    }

    /// That of one of several targets.
    pub fn of_target(&self, k: usize) -> Decision {
        match self {
            Decision::Each(each) => each.get(k).cloned().unwrap_or(Decision::Largest),
            one => one.clone(),
        }
    }
}

/// What a score became in a graph.
pub struct Linked {
    /// Probabilities, or the predicted value.
    pub linked: ValueIdx,
    /// Index of the predicted class; none for regression.
    pub label: Option<ValueIdx>,
}

impl ScoreLink {
    /// What people read for scores `[n_rows, n_outputs]`: probabilities `[n_rows, n_classes]`, or
    /// values `[n_rows]`.
    pub fn apply(&self, scores: &[i32], n_outputs: usize) -> Vec<f64> {
        let shift = u32::from(self.shift.unsigned_abs());
        match self.kind {
            LinkKind::Logistic => {
                scores.iter().flat_map(|&s| link::logistic(s, shift)).map(f64::from).collect()
            }
            LinkKind::Softmax => {
                let mut p = vec![0f32; scores.len()];
                for (row, p) in scores.chunks_exact(n_outputs).zip(p.chunks_exact_mut(n_outputs)) {
                    link::softmax(row, shift, p);
                }
                p.into_iter().map(f64::from).collect()
            }
            LinkKind::Share => {
                let n = if n_outputs == 1 { 2 } else { n_outputs };
                let mut p = vec![0f32; scores.len() / n_outputs.max(1) * n];
                for (row, p) in scores.chunks_exact(n_outputs).zip(p.chunks_exact_mut(n)) {
                    link::share(row, self.offset, p);
                }
                p.into_iter().map(f64::from).collect()
            }
            LinkKind::Linear => scores.iter().map(|&s| link::linear(s, self.offset, self.shift)).collect(),
            LinkKind::Exponential => scores.iter().map(|&s| link::exponential(s, shift)).collect(),
        }
    }

    /// As [`ScoreLink::apply`]; of several targets, whose second one on has the `further` links, what people read of each
    /// by its own link, side by side. There are none of one target.
    pub fn apply_all(&self, further: &[ScoreLink], scores: &[i32], n_outputs: usize) -> Vec<f64> {
        if further.is_empty() {
            return self.apply(scores, n_outputs);
        }
        let links = std::iter::once(self).chain(further).enumerate();
        let of_link = |(k, link): (usize, &ScoreLink)| {
            let own: Vec<i32> = scores.iter().skip(k).step_by(n_outputs).copied().collect();
            link.apply(&own, 1)
        };
        let each: Vec<Vec<f64>> = links.map(of_link).collect();
        let n_rows = scores.len() / n_outputs.max(1);
        let of_row = |row: usize| {
            each.iter().flat_map(move |own| {
                let width = own.len() / n_rows;
                &own[row * width..(row + 1) * width]
            })
        };
        (0..n_rows).flat_map(of_row).copied().collect()
    }

    /// Appends the nodes behind a score `i32 [N, n_outputs]`.
    ///
    /// # Errors
    /// The graph refuses a node.
    pub fn lower(
        &self,
        builder: &mut GraphBuilder,
        score: ValueIdx,
        n_outputs: usize,
        decision: &Decision,
    ) -> Result<Linked, Error> {
        let ScoreLink { kind, shift, offset } = *self;
        // Shares of several classes are of the votes that a row has.
        let offset = if kind == LinkKind::Share && n_outputs > 1 { 0 } else { offset };
        let linked = builder.node(Op::Link(Link { kind, shift, offset }), &[score])?;
        let label = match (kind, decision) {
            (LinkKind::Linear | LinkKind::Exponential, _) => None,
            (_, Decision::LeastCost(cost)) => {
                let n = if n_outputs == 1 { 2 } else { n_outputs };
                let cost = Tensor::try_new(vec![n, n], TensorData::F64(cost.clone()));
                let cost = builder.constant(cost.unwrap_or(Tensor::vector(TensorData::F64(Vec::new()))))?;
                Some(builder.node(Op::LeastCost(LeastCost), &[linked, cost])?)
            }
            (_, Decision::AtLeast(least)) if n_outputs == 1 => {
                Some(builder.node(Op::Threshold(Threshold { above: self.above(*least) }), &[score])?)
            }
            _ if n_outputs == 1 => Some(builder.node(Op::Threshold(Threshold { above: 0 }), &[score])?),
            _ => Some(builder.node(Op::ArgMax(ArgMax), &[score])?),
        };
        Ok(Linked { linked, label })
    }

    /// The largest score of one output whose second probability is below `least`; probabilities never fall with
    /// the score.
    fn above(&self, least: f64) -> i32 {
        let reaches = |score: i32| self.apply(&[score], 1).get(1).is_some_and(|p| *p >= least);
        let (mut low, mut high) = (i64::from(i32::MIN), i64::from(i32::MAX) + 1);
        while low < high {
            let middle = (low + high).div_euclid(2);
            if reaches(middle as i32) { high = middle } else { low = middle + 1 }
        }
        (low - 1).clamp(i32::MIN.into(), i32::MAX.into()) as i32
    }
}

/// What people read for real scores `[n_rows, n_outputs]`, as [`ScoreLink::apply`] gives it for integers; shares
/// of votes are the votes as they are.
pub fn linked(kind: LinkKind, mut scores: Vec<f64>, n_outputs: usize) -> Vec<f64> {
    match kind {
        LinkKind::Logistic => scores.into_iter().map(math::sigmoid).flat_map(|p| [1.0 - p, p]).collect(),
        LinkKind::Softmax => {
            for row in scores.chunks_exact_mut(n_outputs.max(1)) {
                let largest = row.iter().fold(f64::NEG_INFINITY, |m, s| m.max(*s));
                row.iter_mut().for_each(|s| *s = math::exp(*s - largest));
                let sum: f64 = row.iter().sum();
                row.iter_mut().for_each(|s| *s /= sum);
            }
            scores
        }
        LinkKind::Share | LinkKind::Linear => scores,
        LinkKind::Exponential => scores.into_iter().map(math::exp).collect(),
    }
}

/// The link of scores that are log odds, logs of shares, or the number itself.
pub(crate) fn link_kind(target: Target<'_>) -> LinkKind {
    match target {
        Target::Binary(_) => LinkKind::Logistic,
        Target::Classes { .. } => LinkKind::Softmax,
        Target::Values(_) => LinkKind::Linear,
        Target::Several(_) if target.is_of_numbers() => LinkKind::Linear,
        Target::Several(_) => LinkKind::Logistic,
    }
}

/// The largest `g` up to `most` with `size * 2^g` within its limit for each (size, limit).
pub(crate) fn finest_grid(limits: &[(f64, f64)], most: i32) -> i32 {
    let fits = |grid: i32| limits.iter().all(|&(size, limit)| size * power_of_two(grid) <= limit);
    let mut grid = most.min(50);
    while grid > -1000 && !fits(grid) {
        grid -= 1;
    }
    while grid < most && limits.iter().any(|&(size, _)| size > 0.0) && fits(grid + 1) {
        grid += 1;
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_on_scores_is_one_on_probabilities() {
        for (kind, shift, offset) in [(LinkKind::Logistic, 14, 0), (LinkKind::Share, 0, 100_000)] {
            let link = ScoreLink { kind, shift, offset };
            for least in [0.05, 0.25, 0.5, 0.731, 0.999] {
                let above = link.above(least);
                for score in [above - 1, above, above + 1, above + 2] {
                    let p = link.apply(&[score], 1)[1];
                    assert_eq!(score > above, p >= least, "{kind:?} {least} {score}: {p}");
                }
            }
        }
        // Nothing reaches more than 1, everything 0.
        let link = ScoreLink { kind: LinkKind::Logistic, shift: 10, offset: 0 };
        assert_eq!(link.above(1.5), i32::MAX);
        assert_eq!(link.above(0.0), i32::MIN);
    }

    #[test]
    fn decisions() {
        assert_eq!(Decision::Largest.of(&[0.4, 0.4, 0.2]), 0);
        assert_eq!(Decision::AtLeast(0.2).of(&[0.8, 0.2]), 1);
        assert_eq!(Decision::AtLeast(0.3).of(&[0.8, 0.2]), 0);
        // A missed second class costs five.
        let cost = Decision::LeastCost(vec![0.0, 1.0, 5.0, 0.0]);
        assert_eq!(cost.of(&[0.8, 0.2]), 1);
        assert_eq!(cost.of(&[0.9, 0.1]), 0);
    }
}
