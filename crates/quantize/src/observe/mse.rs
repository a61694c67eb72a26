//! `mse`: the range of the least mean squared error.

use super::observer::{Observer, ObserverEntry};
use super::search::least_error;
use crate::grid::IntegerFormat;
use crate::statistics::Channel;
use params::Params;

/// The line of the table.
pub(super) static ENTRY: ObserverEntry = ObserverEntry {
    name: "mse",
    aliases: &[],
    doc: "the range of the least mean squared error of even steps",
    spec: &[],
    observer: &Mse,
};

struct Mse;

impl Observer for Mse {
    /// The range of the least `sum (x - level)^2`, from the histogram, among hundredths of the extremes.
    /// # Source  Sung, Shin & Hwang, Resiliency of deep neural networks under quantization, arXiv 1511.06488,
    /// section 3.2; Nagel et al., arXiv 2106.08295, section 3.1.
    fn range(&self, seen: &Channel, format: &IntegerFormat, _: &Params) -> (f64, f64) {
        least_error(&seen.whole(), format, 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::laws::{bell, range};
    use super::*;
    use crate::grid::{Affine, Levels, Sign, Span, Symmetry};
    use crate::observe::Range;
    use crate::rounding::Rounding;

    fn error(values: &[f32], range: Range, format: &IntegerFormat) -> f64 {
        let levels = Levels::Affine(Affine::of_range(range, format));
        let back = levels.values(&levels.codes(values, &Rounding::HALF_EVEN));
        values.iter().zip(&back).map(|(x, y)| f64::from(x - y).powi(2)).sum::<f64>() / values.len() as f64
    }

    const N_SHARES: i32 = 70;

    /// The error against the least one over all pairs of ends, on the numbers themselves. They are so many that the
    /// best pair is not one that fits their chance places.
    fn check(values: &[f32], format: &IntegerFormat) {
        let seen = Channel::of(values);
        let (low, high) = seen.whole().extremes().unwrap();
        let (low, high) = (low.min(0.0), high.max(0.0));
        let found = error(values, range("mse", &seen, format), format);
        let mut least = f64::INFINITY;
        for i in 1..=N_SHARES {
            for j in 1..=N_SHARES {
                if format.symmetry == Symmetry::Symmetric && i != j {
                    continue;
                }
                let share = |k: i32| k as f32 / N_SHARES as f32;
                let range = Range::try_new(share(i) * low, share(j) * high).unwrap();
                least = least.min(error(values, range, format));
            }
        }
        assert!(found <= 1.03 * least, "{format:?}: {found}, least {least}");
    }

    #[test]
    fn near_the_least_error_of_a_fine_grid_of_ends() {
        let skewed: Vec<f32> = bell(3000, 2).into_iter().map(|x| if x < 0.0 { 0.2 * x } else { x }).collect();
        let positive: Vec<f32> = bell(3000, 4).into_iter().map(|x| x.max(0.0)).collect();
        for values in [bell(3000, 1), skewed, positive] {
            for bits in [2, 3, 4] {
                check(&values, &IntegerFormat::activations(bits).unwrap());
                check(&values, &IntegerFormat::weights(bits).unwrap());
                let full =
                    IntegerFormat::try_new(bits, Sign::Signed, Symmetry::Symmetric, Span::Full).unwrap();
                check(&values, &full);
            }
        }
    }

    #[test]
    fn far_outliers_are_given_up() {
        let mut values = bell(10_000, 3);
        values.push(100_000.0);
        let range = range("mse", &Channel::of(&values), &IntegerFormat::weights(2).unwrap());
        assert_eq!(range.largest(), 100_000.0, "one value of 1e5 weighs more than ten thousand of 1");
        values.pop();
        values.push(60.0);
        let range =
            super::super::laws::range("mse", &Channel::of(&values), &IntegerFormat::weights(4).unwrap());
        assert!(range.largest() < 12.0, "{range:?}");
    }
}
