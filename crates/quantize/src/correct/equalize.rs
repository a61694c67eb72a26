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
/// second ([`super::largest`]).
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

/// The same through a depthwise layer in the middle: what each channel is divided by in the first layer, and what by
/// in the middle one. With `r = (r1 r2 r3)^(1/3)` these are `s12 = r1 / r` and `s23 = r / r3`: the first layer is
/// divided by `s12`, the middle one multiplied by `s12` and divided by `s23` (its bias divided by `s23` alone), the
/// third multiplied by `s23`; 1 where a size is 0.
///
/// # Errors
/// `Shape` for other numbers of channels.
///
/// # Source  Nagel et al., ICCV 2019, for pairs; AIMET's scaling of depthwise layers for three.
pub fn triple(first: &[f32], middle: &[f32], third: &[f32]) -> Result<(Vec<f32>, Vec<f32>), Error> {
    alike("channels of the next layers", first.len(), &[middle.len(), third.len()])?;
    let scales = first.iter().zip(middle).zip(third).map(|((r1, r2), r3)| {
        let [r1, r2, r3] = [*r1, *r2, *r3].map(f64::from);
        let mean = cube_root(r1 * r2 * r3);
        match (usable(r1 / mean), usable(mean / r3)) {
            _ if r1 * r2 * r3 == 0.0 => (1.0, 1.0),
            scales => scales,
        }
    });
    Ok(scales.unzip())
}

/// A factor of single precision that can be divided by, else 1.
fn usable(scale: f64) -> f32 {
    let scale = scale as f32;
    if scale.is_normal() && (1.0 / scale).is_normal() { scale } else { 1.0 }
}

fn cube_root(x: f64) -> f64 {
    if x > 0.0 { ir::fixed::math::exp(ir::fixed::math::log(x) / 3.0) } else { 0.0 }
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
        let (s12, s23) =
            triple(&first, &largest(&odd, 2, 6).unwrap(), &largest(&counted, 2, 3).unwrap()).unwrap();
        assert!((s12[0] - 0.713_765_8).abs() < 1e-7 && (s23[0] - 0.934_013_2).abs() < 1e-7);
    }

    #[test]
    fn channels_of_nothing_stay() {
        assert_eq!(
            pair(&[0.0, 4.0, 0.0, f32::NAN, 3e38], &[3.0, 0.0, 0.0, 1.0, 1e-45]).unwrap()[..4],
            [1.0; 4]
        );
        let (s12, s23) = triple(&[0.0, 4.0, 1.0], &[3.0, 0.0, 1.0], &[1.0, 1.0, 0.0]).unwrap();
        assert_eq!((s12, s23), (vec![1.0; 3], vec![1.0; 3]));
        assert!(pair(&[1.0], &[]).is_err() && triple(&[1.0], &[1.0], &[]).is_err());
    }
}
