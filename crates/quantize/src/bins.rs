//! The values of a layer's input in few bins, for people to look at.
//!
//! A histogram that observers read has up to two thousand intervals; a drawing needs some dozens, on a scale that shows
//! the chosen range too.

use crate::diagnose::LayerReport;

/// Counts in bins of one width.
#[derive(Clone, Debug, PartialEq)]
pub struct Bins {
    /// Where the first bin begins.
    pub low: f64,
    /// Where the last one ends.
    pub high: f64,
    /// Values in each.
    pub counts: Vec<u64>,
}

impl LayerReport {
    /// The values of its input in `n` bins, which span them and the chosen range. A value lies in the bin of the middle
    /// of its interval, so borders are exact to half an interval.
    pub fn bins(&self, n: usize) -> Bins {
        let ends = [f64::from(self.range.0), f64::from(self.range.1)];
        let low = self.histogram.iter().map(|p| p.0).chain(ends).fold(f64::INFINITY, f64::min);
        let high = self.histogram.iter().map(|p| p.1).chain(ends).fold(f64::NEG_INFINITY, f64::max);
        let high = if high > low { high } else { low + 1.0 };
        let mut counts = vec![0u64; n.max(1)];
        let last = counts.len() - 1;
        for &(from, to, count) in &self.histogram {
            let place = (0.5 * (from + to) - low) / (high - low) * counts.len() as f64;
            let bin = &mut counts[(place.max(0.0) as usize).min(last)];
            *bin = bin.saturating_add(count);
        }
        Bins { low, high, counts }
    }

    /// Share of the values of its input that are 0.
    pub fn zeros(&self) -> f64 {
        let n: u64 = self.histogram.iter().map(|p| p.2).sum();
        let zeros: u64 = self.histogram.iter().filter(|p| p.0 == 0.0 && p.1 == 0.0).map(|p| p.2).sum();
        zeros as f64 / n.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::Effect;
    use ir::NodeIdx;

    #[test]
    fn bins_by_hand() {
        let mut layer = LayerReport {
            name: "layer".to_owned(),
            op: "Conv",
            node: NodeIdx(0),
            n_weights: 1,
            bits: (8, 8),
            signal_to_noise: 0.0,
            corrected: 0.0,
            alone: Effect::default(),
            causes: Vec::new(),
            remedy: None,
            range: (0.0, 4.0),
            saturated: 0.0,
            histogram: vec![(0.0, 0.0, 6), (0.0, 0.5, 1), (1.5, 1.6, 2), (7.5, 8.0, 3)],
            observers: Vec::new(),
        };
        assert_eq!(layer.bins(4), Bins { low: 0.0, high: 8.0, counts: vec![9, 0, 0, 3] });
        assert_eq!(layer.zeros(), 0.5);
        // The chosen range is seen even where no value lies.
        layer.range = (-8.0, 8.0);
        assert_eq!(layer.bins(4).counts, [0, 0, 9, 3]);
        // Nothing but zeros.
        (layer.range, layer.histogram) = ((0.0, 0.0), vec![(0.0, 0.0, 2)]);
        assert_eq!(layer.bins(2), Bins { low: 0.0, high: 1.0, counts: vec![2, 0] });
    }
}
