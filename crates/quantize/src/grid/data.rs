//! The values that a grid is made for: themselves, or what statistics kept of them.

use crate::statistics::{Piece, Summary};

/// Values that levels are chosen for.
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
    /// The values: weights.
    Values(&'a [f32]),
    /// Their histogram: activations.
    Summary(&'a Summary),
}

impl Data<'_> {
    /// Intervals that hold all finite values, rising. Of values, each distinct number is one; O(n log n).
    pub fn pieces(&self) -> Vec<Piece> {
        let values = match self {
            Data::Summary(summary) => return summary.pieces().collect(),
            Data::Values(values) => values,
        };
        // -0 becomes 0.
        let mut sorted: Vec<f32> = values.iter().filter(|x| x.is_finite()).map(|x| x + 0.0).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let alike = |run: &[f32]| {
            let value = run.first().copied().unwrap_or_default().into();
            Piece { low: value, high: value, count: run.len() as u64 }
        };
        sorted.chunk_by(|a, b| a == b).map(alike).collect()
    }
}

/// Number and sum of the sizes |x| above `least`, those of a piece lying evenly in it.
pub(crate) fn sizes_above(pieces: &[Piece], least: f64) -> (f64, f64) {
    let (mut count, mut sum) = (0.0, 0.0);
    for piece in pieces {
        let (low, high) = if piece.low < 0.0 { (-piece.high, -piece.low) } else { (piece.low, piece.high) };
        if high > least {
            let from = low.max(least);
            let share = if high > low { (high - from) / (high - low) } else { 1.0 };
            count += piece.count as f64 * share;
            sum += piece.count as f64 * share * 0.5 * (from + high);
        }
    }
    (count, sum)
}
