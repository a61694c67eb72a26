//! `bias_mean`: biases that make the means of outputs what they were.
//!
//! Rounding weights moves the mean of a channel, which all that follows sees; a bias takes it back at no cost.

use super::{Claim, Correction, CorrectionEntry, alike, slices};
use crate::error::Error;
use params::{ParamSpec, Range, Value};

/// The line of the table.
pub(super) static ENTRY: CorrectionEntry = CorrectionEntry {
    name: "bias_mean",
    aliases: &["bias", "bias_correction"],
    doc: "biases that make the means of outputs what they were",
    spec: &[ParamSpec {
        name: "means",
        aliases: &[],
        default: Value::Word("seen"),
        range: Range::Words(&["seen", "normal"]),
        doc: "where means come from: calibration rows, layer by layer, or the normalization in front of a layer",
    }],
    correction: Correction::BiasMean,
    claim: Claim::Integers,
};

/// What each channel's bias gains, `E y - E y'`: `before: [n]` means of a layer's outputs in float, `after: [n]` with
/// quantized weights and inputs. Every channel is corrected, those with a bias of 0 too.
///
/// # Errors
/// `Shape` for other numbers of channels.
///
/// # Source  Nagel et al., ICCV 2019, section 4.2 and appendix D.
pub fn gains(before: &[f64], after: &[f64]) -> Result<Vec<f32>, Error> {
    alike("means of channels", before.len(), &[after.len()])?;
    let gain = |(before, after): (&f64, &f64)| {
        let gain = (before - after) as f32;
        if gain.is_finite() { gain } else { 0.0 }
    };
    Ok(before.iter().zip(after).map(gain).collect())
}

/// The same without rows: `sum over inputs and taps of (w - w') E x`. `weights`, `quantized: [n_out, n_in, taps]`;
/// `inputs: [n_in]` means of the inputs, as of [`mean_of_relu`]; gives `[n_out]`.
///
/// # Errors
/// `Shape` for weights that are not so many times `n_in * taps`, or not alike.
///
/// # Source  Nagel et al., ICCV 2019, section 4.2.1.
pub fn gains_of_weights(
    weights: &[f32],
    quantized: &[f32],
    inputs: &[f64],
    taps: usize,
) -> Result<Vec<f32>, Error> {
    alike("quantized weights", weights.len(), &[quantized.len()])?;
    let n_in = slices(weights.len(), inputs.len(), taps)?;
    let block = n_in * taps;
    let gain = |(w, q): (&[f32], &[f32])| {
        let change = w.iter().zip(q).map(|(w, q)| f64::from(*w) - f64::from(*q));
        let means = inputs.iter().flat_map(|mean| std::iter::repeat_n(*mean, taps));
        change.zip(means).map(|(change, mean)| change * mean).sum::<f64>() as f32
    };
    Ok(weights.chunks_exact(block).zip(quantized.chunks_exact(block)).map(gain).collect())
}

/// Mean of `max(0, x)` for a normal x: `deviation phi(t) + mean Phi(t)`, `t = mean / deviation`. Behind a normalization
/// mean and deviation are its beta and gamma.
pub fn mean_of_relu(mean: f64, deviation: f64) -> f64 {
    let deviation = deviation.abs();
    if deviation == 0.0 {
        return mean.max(0.0);
    }
    let t = mean / deviation;
    let density = ir::fixed::math::exp(-0.5 * t * t) / (2.0 * std::f64::consts::PI).sqrt();
    let below = 0.5 * libm::erfc(-t * std::f64::consts::FRAC_1_SQRT_2);
    deviation * density + mean * below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_biases() {
        // AIMET, DlEqualization/test/TestDLEqualization.cpp, bias correction from means: outputs one higher after.
        assert_eq!(gains(&[3.5, 3.5], &[4.5, 4.5]).unwrap(), [-1.0, -1.0]);
        // The same, from a normalization (gamma 1 and 3, beta -2 and 1): weights [3, 2, 3], all one higher.
        let quantized: Vec<f32> = (1..=18).map(|i| i as f32).collect();
        let weights: Vec<f32> = quantized.iter().map(|w| w - 1.0).collect();
        let relu = [mean_of_relu(-2.0, 1.0), mean_of_relu(1.0, 3.0)];
        let gains = gains_of_weights(&weights, &quantized, &relu, 3).unwrap();
        assert!(gains.len() == 3 && gains.iter().all(|g| (5.0 + g - -0.313_597_2).abs() < 1e-6), "{gains:?}");
        let none = gains_of_weights(&weights, &quantized, &[-2.0, 1.0], 3).unwrap();
        assert!(none.iter().all(|g| 5.0 + g == 8.0), "{none:?}");
    }

    #[test]
    fn means_of_relus() {
        for (mean, deviation, expected) in [
            (0.0, 1.0, 0.398_942_280_4),
            (3.0, 0.0, 3.0),
            (-3.0, 0.0, 0.0),
            (50.0, 1.0, 50.0),
            (-50.0, -1.0, 0.0),
        ] {
            let got = mean_of_relu(mean, deviation);
            assert!((got - expected).abs() < 1e-9, "{mean} {deviation}: {got}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(gains(&[1.0], &[]).is_err());
        assert_eq!(gains(&[f64::INFINITY], &[0.0]).unwrap(), [0.0]);
        assert!(gains_of_weights(&[1.0; 6], &[1.0; 5], &[1.0], 3).is_err());
        assert!(gains_of_weights(&[1.0; 6], &[1.0; 6], &[1.0; 4], 1).is_err());
        assert!(gains_of_weights(&[], &[], &[], 0).is_err());
    }
}
