//! `bias_range`: weights' scales so large that no bias is beyond the integers that hold it.
//!
//! A bias has the scale `input scale * weight scale`. Where a channel's weights are tiny beside its bias, that scale is
//! too fine, and the bias would be cut off in silence.

use super::{Claim, Correction, CorrectionEntry};
use params::{ParamSpec, Range, Value};

/// The line of the table.
pub(super) static ENTRY: CorrectionEntry = CorrectionEntry {
    name: "bias_range",
    aliases: &[],
    doc: "coarser weights where a bias would be beyond its integers",
    spec: &[ParamSpec {
        name: "bits",
        aliases: &[],
        default: Value::Int(31),
        range: Range::Int { low: 8, high: 31 },
        doc: "bits of a bias without its sign; fewer leave the accumulator room for products",
    }],
    correction: Correction::BiasRange,
    claim: Claim::Integers,
};

/// Bits of a bias whose weights are all zero: its scale says nothing of them, and is to be neither too coarse for the
/// bias nor too fine for requantizing.
const DEAD_BITS: u32 = 16;

/// A little more than needed, so that rounding of the scale does not take it back.
const MARGIN: f64 = 1.0001;

/// The scale of a channel's weights with which `round(bias / (input_scale * scale))` holds in `bits` bits and a sign:
/// `weight_scale`, or if that is too fine `1.0001 |bias| / ((2^bits - 1) input_scale)`. A channel of zeros alone
/// (`is_dead`) takes the scale that gives its bias 16 bits, or 1 without a bias. A raised scale asks for new integers
/// of the weights. Scales are finite and above 0; a bias that is not finite changes nothing.
///
/// # Source  ONNX Runtime, adjustment of the weight scale for int32 biases (pull request 22020); deviation: channels of
/// zeros.
pub fn weight_scale(bias: f32, input_scale: f32, weight_scale: f32, is_dead: bool, bits: u32) -> f32 {
    let size = f64::from(bias.abs());
    if !size.is_finite() {
        return weight_scale;
    }
    let needed = |bits: u32| {
        let most = ir::fixed::power_of_two(bits.min(31) as i32) - 1.0;
        let scale = MARGIN * size / (most * f64::from(input_scale));
        scale.clamp(f32::MIN_POSITIVE.into(), f32::MAX.into()) as f32
    };
    match is_dead {
        true if size == 0.0 => 1.0,
        true => needed(DEAD_BITS.min(bits)),
        false if size == 0.0 => weight_scale,
        false => needed(bits).max(weight_scale),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn biases_hold() {
        for bits in [8, 16, 30, 31] {
            for bias in [0.0, 1e-20, -0.5, 3.0, -1e6, 3e38] {
                for (input_scale, own) in [(0.02, 1e-9), (1e-6, 7.8e-10), (4.0, 0.1), (1e-30, 1e-30)] {
                    for is_dead in [false, true] {
                        let scale = weight_scale(bias, input_scale, own, is_dead, bits);
                        assert!(scale.is_finite() && scale > 0.0);
                        let q = f64::from(bias) / (f64::from(input_scale) * f64::from(scale));
                        let holds = q.round_ties_even().abs() < 2f64.powi(bits as i32);
                        assert!(holds || scale == f32::MAX, "{bits} {bias} {input_scale} {own}: {q}");
                        assert!(is_dead || scale >= own);
                    }
                }
            }
        }
    }

    #[test]
    fn a_scale_that_does_is_kept_and_zeros_have_none() {
        assert_eq!(weight_scale(0.5, 0.02, 0.01, false, 31), 0.01);
        assert_eq!(weight_scale(0.0, 0.02, 0.01, true, 31), 1.0);
        assert_eq!(weight_scale(f32::NAN, 0.02, 0.01, false, 31), 0.01);
        let dead = weight_scale(0.5, 0.02, 1.0, true, 31);
        let q = (0.5 / (0.02 * f64::from(dead))).round();
        assert!((30_000.0..66_000.0).contains(&q), "{q}");
    }
}
