//! `octav`: the clip at which noise of cutting off and noise of rounding balance.

use super::observer::{Observer, ObserverEntry};
use crate::grid::{IntegerFormat, Symmetry, sizes_above};
use crate::statistics::{Channel, Piece};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(super) static ENTRY: ObserverEntry = ObserverEntry {
    name: "octav",
    aliases: &[],
    doc: "the clip of the least squared error, by Newton's recursion",
    spec: &[ParamSpec {
        name: "steps",
        aliases: &["iterations"],
        default: Value::Int(20),
        range: Range::Int { low: 1, high: 1000 },
        doc: "steps of the recursion",
    }],
    observer: &Octav,
};

struct Octav;

impl Observer for Octav {
    /// `s <- sum |x| [|x| > s] / (4^-bits / 3 #{0 < |x| <= s} + #{|x| > s})` from `s = E |x|` on; 12 instead of 3 for
    /// values of one sign on an asymmetric grid. Sums are those of the histogram. The range is `[-s, s]` within the
    /// extremes.
    /// # Source  Sakr et al., Optimal clipping and magnitude-aware differentiation, ICML 2022, equations 6 and 7.
    fn range(&self, seen: &Channel, format: &IntegerFormat, params: &Params) -> (f64, f64) {
        let whole = seen.whole();
        let (low, high) = whole.extremes().unwrap_or_default();
        let one_sign = low >= 0.0 || high <= 0.0;
        let is_fine = one_sign && format.symmetry == Symmetry::Asymmetric;
        let noise = ir::fixed::power_of_two(-2 * i32::from(format.bits())) / if is_fine { 12.0 } else { 3.0 };
        // Zeros have a code of their own, and no noise.
        let sizes: Vec<Piece> = whole.pieces().filter(|p| p.low != p.high || p.low != 0.0).collect();
        let n = sizes_above(&sizes, 0.0).0;
        if n == 0.0 {
            return (0.0, 0.0);
        }
        let mut clip = sizes_above(&sizes, 0.0).1 / whole.n() as f64;
        for _ in 0..params.int("steps") {
            let (count, sum) = sizes_above(&sizes, clip);
            let next = sum / (noise * (n - count) + count);
            if !next.is_finite() || next == clip {
                break;
            }
            clip = next;
        }
        (f64::from(low).max(-clip), f64::from(high).min(clip))
    }
}

#[cfg(test)]
mod tests {
    use super::super::laws::{bell, range};
    use super::*;

    #[test]
    fn the_clip_of_a_bell_is_the_known_one() {
        // Clips of the least squared error for a normal distribution, in deviations, under the same model of noise:
        // Banner et al., arXiv 1810.05723.
        let seen = Channel::of(&bell(200_000, 8));
        for (bits, clip) in [(2, 1.71), (3, 2.15), (4, 2.55), (8, 3.92)] {
            let format = IntegerFormat::weights(bits).unwrap();
            let got = range("octav", &seen, &format).largest();
            assert!((got - clip).abs() < 0.12, "{bits} bits: {got}");
        }
    }

    #[test]
    fn a_fixed_point_of_the_recursion() {
        let seen = Channel::of(&bell(5000, 9));
        let format = IntegerFormat::weights(4).unwrap();
        let clip = f64::from(range("octav:steps=100", &seen, &format).largest());
        let sizes: Vec<f64> = bell(5000, 9).iter().map(|x| f64::from(x.abs())).collect();
        let above: Vec<f64> = sizes.iter().copied().filter(|x| *x > clip).collect();
        let noise = 4f64.powi(-4) / 3.0;
        let next = above.iter().sum::<f64>() / (noise * (5000 - above.len()) as f64 + above.len() as f64);
        assert!((next - clip).abs() < 0.02 * clip, "{clip} {next}");
    }
}
