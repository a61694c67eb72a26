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
