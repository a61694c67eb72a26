//! `absorb_bias`: a channel that is never near zero is moved down, and the next layer makes up for it.
//!
//! After [`super::equalize`] biases may be large, and ranges of activations with them.

use super::{Claim, Correction, CorrectionEntry, alike, slices};
use crate::error::Error;
use params::{ParamSpec, Range, Value};

/// The line of the table.
pub(super) static ENTRY: CorrectionEntry = CorrectionEntry {
    name: "absorb_bias",
    aliases: &["bias_absorption", "high_bias_fold"],
    doc: "channels that are never near zero moved down, made up for in the next layer",
    spec: &[ParamSpec {
        name: "k",
        aliases: &["n_std"],
        default: Value::Real(3.0),
        range: Range::Real { low: 0.0, high: 1000.0 },
        doc: "standard deviations that a channel keeps above zero",
    }],
    correction: Correction::AbsorbBias,
    claim: Claim::MostlySame,
};

/// What each channel is moved down by, `max(0, mean - k deviation)`: taken off the bias of the first layer. `means`,
/// `deviations: [n]` of the channel in front of a ReLU; behind a normalization they are its beta and gamma.
///
/// The network is the same where no value lies below what is taken off, and where the next layer pads nothing.
///
/// # Errors
/// `Shape` for other numbers of channels.
///
/// # Source  Nagel et al., ICCV 2019, section 4.1.3.
pub fn amounts(means: &[f32], deviations: &[f32], k: f64) -> Result<Vec<f32>, Error> {
    alike("deviations of channels", means.len(), &[deviations.len()])?;
    let amount = |(mean, deviation): (&f32, &f32)| {
        let above = f64::from(*mean) - k * f64::from(deviation.abs());
        if above.is_finite() { above.max(0.0) as f32 } else { 0.0 }
    };
    Ok(means.iter().zip(deviations).map(amount).collect())
}

/// What the next layer's bias gains: `sum over inputs and taps of w * amount`. `weights: [n_out, n_in, taps]`;
/// `amounts: [n_in]`; gives `[n_out]`.
///
/// # Errors
/// `Shape` for weights that are not so many times `n_in * taps`.
pub fn gains(weights: &[f32], amounts: &[f32], taps: usize) -> Result<Vec<f32>, Error> {
    let n_in = slices(weights.len(), amounts.len(), taps)?;
    let gain = |row: &[f32]| {
        let of = |(taps, amount): (&[f32], &f32)| {
            taps.iter().map(|w| f64::from(*w) * f64::from(*amount)).sum::<f64>()
        };
        row.chunks_exact(taps).zip(amounts).map(of).sum::<f64>() as f32
    };
    Ok(weights.chunks_exact(n_in * taps).map(gain).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_computed() {
        let amounts =
            amounts(&[5.0, -1.0, 2.0, 4.0, f32::INFINITY], &[1.0, 1.0, 1.0, -0.5, 1.0], 3.0).unwrap();
        assert_eq!(amounts, [2.0, 0.0, 0.0, 2.5, 0.0]);
        // [2, 2, 2]: (1 + 2) 2 + (3 + 4) 10 and (5 + 6) 2 + (7 + 8) 10.
        let weights = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        assert_eq!(gains(&weights, &[2.0, 10.0], 2).unwrap(), [76.0, 172.0]);
        assert!(gains(&weights, &[2.0, 10.0], 3).is_err() && gains(&weights, &[], 3).is_err());
        assert!(super::amounts(&[1.0], &[], 3.0).is_err());
    }
}
