//! `pow2`: even steps of a power of two, so that scaling is a shift.

use super::distortion::Distortion;
use super::format::{IntegerFormat, Symmetry};
use super::levels::{Affine, Levels};
use super::{Grid, GridEntry, Part};
use crate::error::Error;
use params::Params;

/// The line of the table.
pub(super) static ENTRY: GridEntry = GridEntry {
    name: "pow2",
    aliases: &["po2", "power_of_two"],
    doc: "even steps of a power of two",
    bits: &[2, 3, 4, 5, 6, 7, 8, 16],
    spec: &[],
    grid: &Pow2,
};

struct Pow2;

impl Grid for Pow2 {
    /// `scale = 2^k`, k the whole number below or above `log2` of the affine scale: that of the less squared error, the
    /// larger of equals. The zero point follows the new scale. O(n log n).
    /// # Source  Jain et al., Trained quantization thresholds, arXiv 1903.08066, section 3.1.
    fn levels(&self, parts: &[Part<'_>], format: &IntegerFormat, _: &Params) -> Result<Vec<Levels>, Error> {
        Ok(parts.iter().map(|part| Levels::Affine(better(part, format))).collect())
    }
}

/// The better of two powers.
fn better(part: &Part<'_>, format: &IntegerFormat) -> Affine {
    let scale = Affine::of_range(part.range, format).scale();
    let least = match format.symmetry {
        Symmetry::Symmetric => -part.range.largest(),
        Symmetry::Asymmetric => part.range.low(),
    };
    // Scales are normal numbers, so without its fraction one is the power below.
    let below = f32::from_bits(scale.to_bits() & !0x7f_ffff);
    let (low, high) = format.limits();
    let is_finite = (2.0 * below * (high - low) as f32).is_finite();
    let above = if below < scale && is_finite { 2.0 * below } else { below };
    let [fine, coarse] = [below, above].map(|s| Affine::with_scale(s, least.into(), format));
    let distortion = Distortion::new(part.data.pieces(), 2.0, scale.into());
    let error = |affine| distortion.of(affine, f64::INFINITY);
    if error(&fine) < error(&coarse) { fine } else { coarse }
}

#[cfg(test)]
mod tests {
    use super::super::laws::levels;
    use super::*;
    use crate::grid::Data;
    use crate::observe::Range;

    #[test]
    fn the_power_of_the_less_error() {
        for (values, bits, expected) in [
            // 7 / 7 is a power already.
            (vec![7.0, 1.0], 4, 1.0),
            // 7.7 / 7 = 1.1: the finer step cuts 7.7 off at 7, which is worse by itself than 8 instead of 7.7; twenty
            // odd numbers, which the coarser step misses by 1, outweigh that.
            (vec![7.7], 4, 2.0),
            ([vec![7.7], vec![3.0; 20]].concat(), 4, 1.0),
            (vec![0.0; 3], 8, 1.0),
            (vec![127.0], 8, 1.0),
        ] {
            let largest = values.iter().fold(0.0f32, |m, x: &f32| m.max(x.abs()));
            let range = Range::try_new(-largest, largest).unwrap();
            let format = IntegerFormat::weights(bits).unwrap();
            let scale = levels("pow2", &Data::Values(&values), range, &format).unwrap().scale();
            assert_eq!(scale, expected, "{values:?}");
        }
    }
}
