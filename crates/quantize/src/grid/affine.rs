//! `affine`: even steps, `real = scale * (q - zero_point)`.

use super::format::IntegerFormat;
use super::levels::{Affine, Levels};
use super::{Grid, GridEntry, Part};
use crate::error::Error;
use params::Params;

/// The line of the table.
pub(super) static ENTRY: GridEntry = GridEntry {
    name: "affine",
    aliases: &["linear", "uniform"],
    doc: "even steps: scale * (q - zero_point)",
    bits: &[2, 3, 4, 5, 6, 7, 8, 16],
    spec: &[],
    grid: &AffineGrid,
};

struct AffineGrid;

impl Grid for AffineGrid {
    /// [`Affine::of_range`].
    /// # Source  Jacob et al., CVPR 2018, sections 2.1 and 3; Krishnamoorthi, arXiv 1806.08342, section 2.
    fn levels(&self, parts: &[Part<'_>], format: &IntegerFormat, _: &Params) -> Result<Vec<Levels>, Error> {
        Ok(parts.iter().map(|part| Levels::Affine(Affine::of_range(part.range, format))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::{Granularity, QParams, Sign, Span, Symmetry};
    use crate::observe::Range;
    use crate::rounding::Rounding;
    use ir::DType;

    #[test]
    fn published_scales() {
        // ONNX Runtime, test/python/quantization/test_quant_util.py. Not alike: a range of nothing has our own zero
        // point, and one whose scale would be subnormal the smallest normal scale instead of 1.
        for (sign, symmetry, span, zero_point, scale) in [
            (Sign::Signed, Symmetry::Symmetric, Span::Narrow, 0, 2.0 / 127.0),
            (Sign::Signed, Symmetry::Asymmetric, Span::Narrow, -42, 3.0 / 254.0),
            (Sign::Unsigned, Symmetry::Symmetric, Span::Full, 128, 4.0 / 255.0),
            (Sign::Unsigned, Symmetry::Asymmetric, Span::Full, 85, 3.0 / 255.0),
        ] {
            let format = IntegerFormat::try_new(8, sign, symmetry, span).unwrap();
            let affine = Affine::of_range(Range::try_new(-1.0, 2.0).unwrap(), &format);
            assert_eq!((affine.zero_point(), affine.scale()), (zero_point, scale));
        }
        let nothing =
            Affine::of_range(Range::try_new(0.0, 0.0).unwrap(), &IntegerFormat::weights(8).unwrap());
        assert_eq!((nothing.zero_point(), nothing.scale()), (0, 1.0));
    }

    #[test]
    fn published_codes() {
        // AIMET, DlQuantization/test/TestTensorQuantizationSim.cpp: its ranges are widened to hold 0 as ours are. Left
        // out are ties, such as 0.5 in a range of 1: whether 0.5 / (1 / 255) is one depends on the precision of the
        // scale, and ONNX's is single.
        let check = |low, high, sign, numbers: &[(f32, i32, f32)]| {
            let format = IntegerFormat::try_new(8, sign, Symmetry::Asymmetric, Span::Full).unwrap();
            let levels = Levels::Affine(Affine::of_range(Range::try_new(low, high).unwrap(), &format));
            for &(x, code, real) in numbers {
                let got = levels.code(x, 0, &Rounding::HALF_EVEN);
                let back = levels.value(got);
                assert!(
                    got == code && (back - real).abs() <= 4.0 * f32::EPSILON * real.abs(),
                    "{x}: {got} {back}"
                );
            }
        };
        let reals = [-0.458_117_54, -0.249_882_3, 0.0, 0.249_882_3, 0.499_764_6, 0.721_882_2];
        for (sign, codes) in
            [(Sign::Unsigned, [0, 45, 99, 153, 207, 255]), (Sign::Signed, [-128, -83, -29, 25, 79, 127])]
        {
            let values = [-0.5, -0.25, 0.0, 0.25, 0.5, 0.75];
            let numbers: Vec<_> = (0..6).map(|i| (values[i], codes[i], reals[i])).collect();
            check(-0.46, 0.72, sign, &numbers);
        }
        let of_one = [(-0.5, 0, 0.0), (0.0, 0, 0.0), (0.25, 64, 0.250_980_4), (0.75, 191, 0.749_019_6)];
        check(0.0, 1.0, Sign::Unsigned, &of_one);
        check(0.0, 0.5, Sign::Unsigned, &[(-0.25, 0, 0.0), (0.0, 0, 0.0), (0.5, 255, 0.5), (0.75, 255, 0.5)]);
        check(
            -0.5,
            0.0,
            Sign::Unsigned,
            &[(-0.5, 0, -0.5), (0.0, 255, 0.0), (0.25, 255, 0.0), (0.75, 255, 0.0)],
        );
    }

    #[test]
    fn published_blocks() {
        // AIMET, DlQuantization/test/TestQuantizationFunctions.cpp: a tensor [2, 3, 4] with a scale for each four.
        let scales = [0.25, 1.0, 0.5, 2.0, 0.25, 10.0];
        let zero_points = [0, 0, 0, 1, 10, 0];
        let affine = |(scale, zero)| Levels::Affine(Affine::try_new(scale, zero, 0, 255, DType::U8).unwrap());
        let levels = scales.into_iter().zip(zero_points).map(affine).collect();
        let granularity = Granularity::PerGroup { axis: 0, len: 4 };
        let params = QParams::try_new(vec![2, 3, 4], granularity, levels).unwrap();
        let values = [0.126, 10.4, -12.3, 10_000.0].repeat(6);
        let codes = params.codes(&values, &Rounding::HALF_EVEN).unwrap();
        let expected = [
            [0.25, 10.5, 0.0, 63.75],
            [0.0, 10.0, 0.0, 255.0],
            [0.0, 10.5, 0.0, 127.5],
            [0.0, 10.0, -2.0, 508.0],
            [0.25, 10.5, -2.5, 61.25],
            [0.0, 10.0, 0.0, 2550.0],
        ];
        assert_eq!(params.values(&codes).unwrap(), expected.concat());
    }
}
