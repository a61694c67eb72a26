//! `equalize`: channels of neighbouring layers made alike in size, so that one scale serves all.
//!
//! Where nothing but a function with `f(s x) = s f(x)` for `s > 0` stands between two layers (none, ReLU, leaky and
//! parametric ReLU; not ReLU6, nor anything that bends elsewhere), a channel may be divided by `s` in the first and
//! multiplied by it in the second.

use super::{Claim, Correction, CorrectionEntry, alike};
use crate::error::Error;
use params::{ParamSpec, Range, Value};

/// The line of the table.
pub(super) static ENTRY: CorrectionEntry = CorrectionEntry {
    name: "equalize",
    aliases: &["cle", "cross_layer_equalization"],
    doc: "channels of neighbouring layers made alike in size",
    spec: &[ParamSpec {
        name: "rounds",
        aliases: &["iterations"],
        default: Value::Int(20),
        range: Range::Int { low: 1, high: 1000 },
        doc: "times that all pairs of layers are gone through, unless nothing changes before",
    }],
    correction: Correction::Equalize,
    claim: Claim::Same,
};

/// What each channel is divided by in the first layer (weights and bias) and multiplied by in the second:
/// `s = sqrt(r1 / r2)`, after which both have the size `sqrt(r1 r2)`; 1 where a size is 0.
/// `first: [n]`, largest size of each output channel of the first layer; `second: [n]`, of each input channel of the
/// second ([`super::largest`]). Of three layers, a depthwise one between two, both neighbours are gone through in turn:
/// all three come to `(r1 r2 r3)^(1/3)`, in rounds that each leave a quarter of what was amiss.
///
/// # Errors
/// `Shape` for other numbers of channels.
///
/// # Source  Nagel et al., Data-free quantization through weight equalization and bias correction, ICCV 2019,
/// section 4.1, equation 11.
pub fn pair(first: &[f32], second: &[f32]) -> Result<Vec<f32>, Error> {
    alike("channels of the second layer", first.len(), &[second.len()])?;
    let scale = |(r1, r2): (&f32, &f32)| {
        // In double precision, neither quotient leaves its range.
        usable(ir::fixed::math::sqrt(f64::from(*r1) / f64::from(*r2)))
    };
    Ok(first.iter().zip(second).map(scale).collect())
}

/// A factor of single precision that can be divided by, else 1.
fn usable(scale: f64) -> f32 {
    let scale = scale as f32;
    if scale.is_normal() && (1.0 / scale).is_normal() { scale } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::super::largest;
    use super::*;

    #[test]
    fn published_scales() {
        // AIMET, DlEqualization/test/TestDLEqualization.cpp: weights [2, 2, 3] of 1, 2, .. and 1, 3, 5, ..
        let counted: Vec<f32> = (1..=12).map(|i| i as f32).collect();
        let odd: Vec<f32> = (0..12).map(|i| (2 * i + 1) as f32).collect();
        let first = largest(&counted, 2, 6).unwrap();
        assert_eq!(first, [6.0, 12.0]);
        assert_eq!(largest(&odd, 2, 3).unwrap(), [17.0, 23.0]);
        let scales = pair(&first, &largest(&odd, 2, 3).unwrap()).unwrap();
        assert!((scales[0] - (6.0f32 / 17.0).sqrt()).abs() < 1e-7);
    }

    #[test]
    fn channels_of_nothing_stay() {
        assert_eq!(
            pair(&[0.0, 4.0, 0.0, f32::NAN, 3e38], &[3.0, 0.0, 0.0, 1.0, 1e-45]).unwrap()[..4],
            [1.0; 4]
        );
        assert!(pair(&[1.0], &[]).is_err());
    }
}
