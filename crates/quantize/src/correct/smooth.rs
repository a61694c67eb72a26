//! `smooth`: outliers of activations moved into weights, where each channel has its own scale.

use super::{Claim, Correction, CorrectionEntry, alike};
use crate::error::Error;
use ir::fixed::math::{exp, log};
use params::{ParamSpec, Range, Value};

/// The line of the table.
pub(super) static ENTRY: CorrectionEntry = CorrectionEntry {
    name: "smooth",
    aliases: &["smooth_quant"],
    doc: "outliers of activations moved into the weights that take them",
    spec: &[ParamSpec {
        name: "alpha",
        aliases: &["smooth_alpha"],
        default: Value::Real(0.5),
        range: Range::Real { low: 0.0, high: 1.0 },
        doc: "share of the outliers that moves; 0: activations stay, 1: they become all alike",
    }],
    correction: Correction::Smooth,
    claim: Claim::Same,
};

/// Factors stay within `1 / MOST..=MOST`.
const MOST: f64 = 1e5;

/// What each channel of the activations is divided by, and the weights that take it are multiplied by:
/// `s = max|x|^alpha / max|w|^(1 - alpha)`, within `1e-5..=1e5`; 1 where either is 0.
/// `activations: [n]`, largest size of each channel; `weights: [n]`, of each input channel of all weights that take it.
///
/// # Errors
/// `Shape` for other numbers of channels.
///
/// # Source  Xiao et al., SmoothQuant, ICML 2023, equation 4.
pub fn scales(activations: &[f32], weights: &[f32], alpha: f64) -> Result<Vec<f32>, Error> {
    alike("input channels of the weights", activations.len(), &[weights.len()])?;
    let scale = |(x, w): (&f32, &f32)| {
        if !(*x > 0.0 && *w > 0.0 && x.is_finite() && w.is_finite()) {
            return 1.0;
        }
        let logarithm = alpha * log((*x).into()) - (1.0 - alpha) * log((*w).into());
        exp(logarithm).clamp(1.0 / MOST, MOST) as f32
    };
    Ok(activations.iter().zip(weights).map(scale).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_computed() {
        let check = |alpha, expected: [f32; 4]| {
            let scales = scales(&[16.0, 1.0, 0.0, 5.0], &[4.0, 0.25, 1.0, 0.0], alpha).unwrap();
            let near = |(a, b): (&f32, &f32)| (a / b - 1.0).abs() < 1e-6;
            assert!(scales.iter().zip(&expected).all(near), "{alpha}: {scales:?}");
        };
        check(0.5, [2.0, 2.0, 1.0, 1.0]);
        check(1.0, [16.0, 1.0, 1.0, 1.0]);
        check(0.0, [0.25, 4.0, 1.0, 1.0]);
        assert_eq!(scales(&[1e30], &[1e-30], 0.5).unwrap(), [1e5]);
        assert!(scales(&[1.0], &[], 0.5).is_err());
    }
}
