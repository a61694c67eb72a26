//! A regression of log odds as a model of two classes.
//!
//! The scores of a regression are log odds on a grid, from an offset of the link. A logistic link knows no offset and at
//! most 20 fraction bits, so the scores go through a line, whose integers stand in the graph.

use crate::error::{Error, Kind};
use crate::score_map::MapOnGrid;
use ir::fixed::link::MAX_SHIFT;
use ir::fixed::{power_of_two, round_i32};
use ir::op::LinkKind;
use ir::{GraphBuilder, ValueIdx};
use learn::{Fitted, Part, ScoreLink, linked};

/// Scores and values of the line stay within this many units: log odds of 1,000 and more on the finest grid.
const REACH: f64 = (1u64 << 30) as f64;

/// What was fitted to log odds, with scores that a logistic link takes: `(score + offset) 2^-shift` of the regression on
/// a grid of at most 20 fraction bits, within one unit of it.
///
/// # Errors
/// `StudentLink` for a learner whose scores of numbers are logs.
pub(super) fn as_odds(fitted: Fitted, learner: &'static str) -> Result<Fitted, Error> {
    let ScoreLink { kind, shift, offset } = fitted.link;
    if kind != LinkKind::Linear {
        return Err(Kind::StudentLink { learner, link: kind.name() }.into());
    }
    let line = line(shift, offset);
    let mut other_scores = fitted.other_scores;
    line.apply(&mut other_scores);
    Ok(Fitted {
        part: Box::new(OnOdds { part: fitted.part, line }),
        other_scores,
        other_floats: linked(LinkKind::Logistic, fitted.other_floats, 1),
        link: ScoreLink { kind: LinkKind::Logistic, shift: grid(shift), offset: 0 },
        ..fitted
    })
}

/// Fraction bits of the log odds of a regression of so many.
fn grid(shift: i16) -> i16 {
    shift.clamp(0, MAX_SHIFT as i16)
}

/// From the scores of a regression to log odds on their grid.
fn line(shift: i16, offset: i64) -> MapOnGrid {
    let factor = power_of_two(i32::from(grid(shift)) - i32::from(shift));
    let from = offset as f64;
    // The longest piece on which scores and values stay within reach.
    let (low, high) = ((-REACH).max(-REACH / factor - from), REACH.min(REACH / factor - from));
    let at = |score: f64| (round_i32(score), round_i32((score + from) * factor));
    // A start beyond reach is all that there is.
    let points = if low < high { vec![at(low.ceil()), at(high.floor())] } else { vec![at(0.0)] };
    MapOnGrid::of(std::iter::once(points))
}

/// The part of a regression with the line behind it.
struct OnOdds {
    part: Box<dyn Part>,
    line: MapOnGrid,
}

impl Part for OnOdds {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, learn::Error> {
        let score = self.part.lower(builder, columns)?;
        Ok(self.line.lower(builder, score)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_odds_are_those_of_the_regression() {
        let cases =
            [(12, 0), (12, -5000), (20, 1 << 22), (27, -(5 << 27)), (0, 3), (-3, 1), (47, 1 << 49), (5, 7)];
        for (shift, offset) in cases {
            let line = line(shift, offset);
            let unit = power_of_two(-i32::from(grid(shift)));
            for score in [0, 1, -1, 77, -40_000, 1 << 20, -(1 << 29), 500_000_000] {
                let exact = (f64::from(score) + offset as f64) * power_of_two(-i32::from(shift));
                if exact.abs() > 900.0 {
                    continue;
                }
                let mut scores = [score];
                line.apply(&mut scores);
                let got = f64::from(scores[0]) * unit;
                assert!((got - exact).abs() <= unit, "{shift} {offset} {score}: {got} for {exact}");
            }
        }
        // Within 20 bits nothing is rounded.
        let mut scores = [-3, 0, 1_000_000];
        line(14, 123).apply(&mut scores);
        assert_eq!(scores, [120, 123, 1_000_123]);
    }
}
