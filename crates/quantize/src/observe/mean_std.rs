//! `mean_std`: the mean and some standard deviations on both sides.

use super::observer::{Observer, ObserverEntry};
use crate::grid::IntegerFormat;
use crate::statistics::Channel;
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(super) static ENTRY: ObserverEntry = ObserverEntry {
    name: "mean_std",
    aliases: &[],
    doc: "the mean and k standard deviations on both sides",
    spec: &[ParamSpec {
        name: "k",
        aliases: &["n_std", "sigma"],
        default: Value::Real(3.0),
        range: Range::Real { low: 0.0, high: 1000.0 },
        doc: "standard deviations on either side of the mean",
    }],
    observer: &MeanStd,
};

struct MeanStd;

impl Observer for MeanStd {
    /// `[mean - k std, mean + k std]`, the deviation divided by n; not cut off at the extremes.
    fn range(&self, seen: &Channel, _: &IntegerFormat, params: &Params) -> (f64, f64) {
        let whole = seen.whole();
        let (mean, reach) = (whole.mean(), params.real("k") * whole.deviation());
        (mean - reach, mean + reach)
    }
}

#[cfg(test)]
mod tests {
    use super::super::laws::{bell, range};
    use super::*;
    use crate::grid::{Affine, Levels, Sign, Span, Symmetry};
    use crate::rounding::Rounding;

    #[test]
    fn hand_computed() {
        let values = [0.1, 0.2, 0.3, 0.4, 0.5];
        let format = IntegerFormat::try_new(8, Sign::Signed, Symmetry::Asymmetric, Span::Full).unwrap();
        for (text, scale, zero_point, codes) in [
            ("mean-std:k=1", 0.001_731_06, -128, [-70, -12, 45, 103, 127]),
            ("mean-std:k=3", 0.003_327_56, -91, [-61, -31, -1, 29, 59]),
        ] {
            let affine = Affine::of_range(range(text, &Channel::of(&values), &format), &format);
            assert!((affine.scale() - scale).abs() < 5e-9, "{}", affine.scale());
            assert_eq!(affine.zero_point(), zero_point);
            assert_eq!(Levels::Affine(affine).codes(&values, &Rounding::HALF_EVEN), codes);
        }
    }

    #[test]
    fn errors_of_a_thousand_rows_of_bells() {
        // Root of the mean squared error of 1000 x 10 numbers of mean 0 and deviation 1; 12 % cover the draw, whose
        // largest size alone strays by as much.
        let values = bell(10_000, 11);
        for (text, bits, expected) in [
            ("min_max", 8, 0.0088),
            ("mean_std:k=3", 8, 0.016),
            ("min_max", 4, 0.16),
            ("mean_std:k=2.5", 4, 0.108),
        ] {
            let format = IntegerFormat::weights(bits).unwrap();
            let levels =
                Levels::Affine(Affine::of_range(range(text, &Channel::of(&values), &format), &format));
            let back = levels.values(&levels.codes(&values, &Rounding::HALF_EVEN));
            let squares = values.iter().zip(&back).map(|(x, y)| f64::from(x - y).powi(2)).sum::<f64>();
            let error = (squares / values.len() as f64).sqrt();
            assert!((error / expected - 1.0).abs() < 0.12, "{text}, {bits} bits: {error}");
        }
    }
}
