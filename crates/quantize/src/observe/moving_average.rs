//! `moving_average`: the ends of rows, newer rows weighing more.

use super::observer::{Observer, ObserverEntry};
use crate::grid::IntegerFormat;
use crate::statistics::Channel;
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(super) static ENTRY: ObserverEntry = ObserverEntry {
    name: "moving_average",
    aliases: &["ema", "moving_average_min_max"],
    doc: "moving averages of the least and the largest value of a row",
    spec: &[ParamSpec {
        name: "c",
        aliases: &["averaging_constant", "momentum"],
        default: Value::Real(0.01),
        range: Range::Real { low: 0.001, high: 1.0 },
        doc: "share of the way to a row's end that the average goes",
    }],
    observer: &MovingAverage,
};

struct MovingAverage;

impl Observer for MovingAverage {
    /// `m <- m + c (x - m)` for the ends `x` of each row, in order of rows, from the ends of the first. Rows are single
    /// ones, not batches, so the size of batches changes nothing; those before the last 4,096 are forgotten.
    /// # Source  Jacob et al., CVPR 2018, section 3.1; deviation: rows instead of training steps.
    fn range(&self, seen: &Channel, _: &IntegerFormat, params: &Params) -> (f64, f64) {
        let c = params.real("c");
        let mut ends: Option<(f64, f64)> = None;
        for (low, high) in seen.last_rows() {
            let (low, high) = (f64::from(low), f64::from(high));
            ends = Some(ends.map_or((low, high), |(l, h)| (l + c * (low - l), h + c * (high - h))));
        }
        ends.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::laws::range;
    use super::*;
    use crate::statistics::Statistics;

    #[test]
    fn hand_computed() {
        let mut seen = Statistics::try_new(1, 3).unwrap();
        // Rows of ends (-1, 2), (-3, 4), (-1, 8).
        seen.push(0, 3, &[-1.0, 2.0, -3.0, 4.0, -1.0, 8.0], 1).unwrap();
        let format = IntegerFormat::weights(8).unwrap();
        for (text, low, high) in [
            ("moving-average:c=0.5", -1.5, 5.5),
            ("moving_average:momentum=0.25", -1.375, 3.875),
            ("moving_average:c=1", -1.0, 8.0),
        ] {
            let range = range(text, &seen.channels()[0], &format);
            assert_eq!((range.low(), range.high()), (low, high), "{text}");
        }
    }
}
