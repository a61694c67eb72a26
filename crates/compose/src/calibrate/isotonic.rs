//! `isotonic`: the rising steps nearest to the labels, joined by lines.
//!
//! It assumes no shape, so it takes many rows; rows of one block get one probability and can no longer be told apart.

use super::calibrator::{Calibrator, CalibratorEntry, ScoredRows};
use ir::Task;
use ir::fixed::math;
use params::{ParamSpec, Params, Range, Value};
use recipe::Curve;

const SPEC: &[ParamSpec] = &[ParamSpec {
    name: "max_blocks",
    aliases: &[],
    default: Value::Int(128),
    range: Range::Int { low: 2, high: 4096 },
    doc: "most blocks that are kept; neighbours are pooled beyond it",
}];

/// The line of the table.
pub(super) static ENTRY: CalibratorEntry = CalibratorEntry {
    name: "isotonic",
    doc: "rising steps nearest to the labels, joined by lines",
    tasks: &[Task::Binary],
    spec: SPEC,
    calibrator: &Isotonic,
};

/// Neighbouring rows of one probability.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Block {
    first: f64,
    last: f64,
    weight: f64,
    positive: f64,
}

impl Block {
    fn share(&self) -> f64 {
        self.positive / self.weight
    }

    fn add(&mut self, next: &Block) {
        self.last = next.last;
        self.weight += next.weight;
        self.positive += next.positive;
    }
}

struct Isotonic;

impl Calibrator for Isotonic {
    /// Minimises `sum_i w_i (y_i - f(s_i))^2` over non-decreasing `f` by pooling adjacent violators; a block has its
    /// value from its first to its last score, lines on log odds join blocks, the ends stay constant. Probabilities
    /// are kept within `1 / (n + 2)` of 0 and 1, `n` the sum of weights, as log odds of 0 and 1 are infinite. Equal
    /// scores are merged, so any row order gives the same curve up to rounding of sums. O(n log n).
    /// # Source  Zadrozny & Elkan, KDD 2002; Ayer et al., Annals of Mathematical Statistics 26, 1955. Deviations: row
    /// weights; lines on log odds where scikit-learn's are on probabilities; the ends; at most `max_blocks`.
    fn fit(&self, rows: &ScoredRows, params: &Params) -> Vec<Curve> {
        vec![rising(rows, params.int("max_blocks").max(2) as usize)]
    }
}

/// The isotonic curve from scores to log odds, of at most `most` blocks.
pub(crate) fn rising(rows: &ScoredRows, most: usize) -> Curve {
    let blocks = at_most(pooled(rows), most);
    let all: f64 = rows.row_weights().iter().sum();
    let least = 1.0 / (all + 2.0);
    let mut points: Vec<(f64, f64)> = Vec::with_capacity(2 * blocks.len());
    for block in &blocks {
        let p = block.share().clamp(least, 1.0 - least);
        let odds = math::log(p / (1.0 - p));
        points.push((block.first, odds));
        if block.last > block.first {
            points.push((block.last, odds));
        }
    }
    Curve::Polygon(points)
}

/// Blocks of rising shares.
fn pooled(rows: &ScoredRows) -> Vec<Block> {
    let mut order: Vec<usize> = (0..rows.labels().len()).collect();
    let (scores, labels, weights) = (rows.scores(), rows.labels(), rows.row_weights());
    order.sort_by(|&a, &b| {
        scores[a]
            .total_cmp(&scores[b])
            .then(labels[a].cmp(&labels[b]))
            .then(weights[a].total_cmp(&weights[b]))
    });
    let mut equal: Vec<Block> = Vec::new();
    for row in order {
        let (score, weight) = (scores[row], weights[row]);
        let one = Block { first: score, last: score, weight, positive: weight * f64::from(labels[row]) };
        match equal.last_mut() {
            // -0 and 0 are one score.
            Some(block) if block.last == score => block.add(&one),
            _ => equal.push(one),
        }
    }
    let mut blocks: Vec<Block> = Vec::new();
    for mut block in equal {
        while let Some(before) = blocks.last().copied().filter(|before| before.share() >= block.share()) {
            blocks.pop();
            let mut joined = before;
            joined.add(&block);
            block = joined;
        }
        blocks.push(block);
    }
    blocks
}

/// Pools neighbours into groups of about the same weight if there are more than `most`; shares still rise.
fn at_most(blocks: Vec<Block>, most: usize) -> Vec<Block> {
    if blocks.len() <= most {
        return blocks;
    }
    let all: f64 = blocks.iter().map(|b| b.weight).sum();
    let mut groups: Vec<(usize, Block)> = Vec::with_capacity(most);
    let mut before = 0.0;
    for block in blocks {
        // The group of the block's middle, which never falls.
        let place = ((before + 0.5 * block.weight) / all * most as f64) as usize;
        before += block.weight;
        match groups.last_mut() {
            Some((at, group)) if *at == place.min(most - 1) => group.add(&block),
            _ => groups.push((place.min(most - 1), block)),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::laws::{binary, fit, fit_with};

    /// Scores 1 to 8, labels 0 1 0 0 1 1 0 1: the 1 at 2 is pooled with the two 0s behind it, those at 5 and 6 with
    /// the 0 at 7.
    #[test]
    fn hand_computed() {
        let rows = binary(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], &[0, 1, 0, 0, 1, 1, 0, 1]);
        let blocks: Vec<_> = pooled(&rows).iter().map(|b| (b.first, b.last, b.weight, b.positive)).collect();
        assert_eq!(
            blocks,
            [(1.0, 1.0, 1.0, 0.0), (2.0, 4.0, 3.0, 1.0), (5.0, 7.0, 3.0, 2.0), (8.0, 8.0, 1.0, 1.0)]
        );
        // 0 and 1 are kept 1/10 away.
        let curves = fit(&ENTRY, &rows);
        let at = |s: f64| 1.0 / (1.0 + (-curves[0].of(s)).exp());
        for (s, p) in
            [(0.0, 0.1), (1.0, 0.1), (2.0, 1.0 / 3.0), (3.3, 1.0 / 3.0), (7.0, 2.0 / 3.0), (9.0, 0.9)]
        {
            assert!((at(s) - p).abs() < 1e-12, "{s}: {}", at(s));
        }
        // Half way between log odds of -ln 9 and -ln 2.
        assert!((curves[0].of(1.5) + 0.5 * 18.0f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn weights_and_equal_scores() {
        let rows =
            ScoredRows::try_new(vec![1.0, 1.0, 2.0, 2.0], 1, vec![0, 1, 1, 0], vec![1.0, 3.0, 1.0, 1.0])
                .unwrap();
        // 3/4 before 1/2: one block of 4/6.
        let block = Block { first: 1.0, last: 2.0, weight: 6.0, positive: 4.0 };
        assert_eq!(pooled(&rows), [block]);
    }

    #[test]
    fn blocks_are_counted() {
        let scores: Vec<f64> = (0..3000).map(f64::from).collect();
        // Shares that rise a little with each score.
        let labels: Vec<u32> = (0..3000).map(|i| u32::from((i * i) / 3000 > (i * 7919) % 3000)).collect();
        let rows = binary(&scores, &labels);
        for most in [2, 3, 17] {
            let settings = [("max_blocks".to_owned(), most.to_string())];
            let curves = fit_with(&ENTRY, &rows, &settings);
            let Curve::Polygon(points) = &curves[0] else { panic!("no polygon") };
            assert!(points.len() <= 2 * most && points.len() > most / 2, "{most}: {}", points.len());
        }
    }
}
