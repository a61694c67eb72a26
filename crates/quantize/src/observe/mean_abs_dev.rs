//! `mean_abs_dev`: the mean and some mean absolute deviations on both sides.

use super::observer::{Observer, ObserverEntry};
use crate::grid::IntegerFormat;
use crate::statistics::Channel;
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(super) static ENTRY: ObserverEntry = ObserverEntry {
    name: "mean_abs_dev",
    aliases: &["mad"],
    doc: "the mean and k mean absolute deviations on both sides",
    spec: &[ParamSpec {
        name: "k",
        aliases: &["n_mad"],
        default: Value::Real(4.0),
        range: Range::Real { low: 0.0, high: 1000.0 },
        doc: "mean absolute deviations on either side of the mean",
    }],
    observer: &MeanAbsDev,
};

struct MeanAbsDev;

impl Observer for MeanAbsDev {
    /// `[mean - k d, mean + k d]` with `d = E |x - mean|`, from the histogram (within half a bin); an outlier weighs
    /// less than in a standard deviation. Not cut off at the extremes.
    fn range(&self, seen: &Channel, _: &IntegerFormat, params: &Params) -> (f64, f64) {
        let whole = seen.whole();
        let (mean, reach) = (whole.mean(), params.real("k") * whole.absolute_deviation());
        (mean - reach, mean + reach)
    }
}

#[cfg(test)]
mod tests {
    use super::super::laws::range;
    use super::*;

    #[test]
    fn within_a_bin_of_the_values_themselves() {
        let format = IntegerFormat::weights(8).unwrap();
        for values in [vec![0.1, 0.2, 0.3, 0.4, 0.5], vec![-3.0, 1.0, 1.0, 1.0], vec![0.0, 0.0, 6.0]] {
            let seen = Channel::of(&values);
            let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / values.len() as f64;
            let direct =
                values.iter().map(|x| (f64::from(*x) - mean).abs()).sum::<f64>() / values.len() as f64;
            let range = range("mean-abs-dev:k=2", &seen, &format);
            let high = (mean + 2.0 * direct).max(0.0);
            assert!((f64::from(range.high()) - high).abs() <= 2.0 * seen.whole().bin_width(), "{values:?}");
        }
    }
}
