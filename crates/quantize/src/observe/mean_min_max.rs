//! `mean_min_max`: the mean ends of rows.

use super::observer::{Observer, ObserverEntry};
use crate::grid::IntegerFormat;
use crate::statistics::Channel;
use params::Params;

/// The line of the table.
pub(super) static ENTRY: ObserverEntry = ObserverEntry {
    name: "mean_min_max",
    aliases: &["mean_minmax"],
    doc: "means of the least and the largest value of a row",
    spec: &[],
    observer: &MeanMinMax,
};

struct MeanMinMax;

impl Observer for MeanMinMax {
    /// `[mean over rows of min x, mean over rows of max x]`, rows without a finite value left out.
    /// # Source  NNCF, `MEAN_MINMAX` statistics of post-training quantization.
    fn range(&self, seen: &Channel, _: &IntegerFormat, _: &Params) -> (f64, f64) {
        seen.whole().mean_extremes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::laws::range;
    use super::*;
    use crate::statistics::Statistics;

    #[test]
    fn hand_computed() {
        let mut seen = Statistics::try_new(1, 4).unwrap();
        seen.push(0, 4, &[-1.0, 2.0, -3.0, 4.0, f32::NAN, f32::NAN, -2.0, 12.0], 1).unwrap();
        let range = range("mean-min-max", &seen.channels()[0], &IntegerFormat::weights(8).unwrap());
        assert_eq!((range.low(), range.high()), (-2.0, 6.0));
    }
}
