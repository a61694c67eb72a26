//! `ScoreCurve`: integer scores to integer scores by a polygon for each column.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "ScoreCurve";

/// `score_k` becomes the polygon of column `k` at it: between two knots `v_i + (s - k_i) (v_{i+1} - v_i) / (k_{i+1} -
/// k_i)`, rounded once, ties to even; at and beyond the first and the last knot their values; at a knot its value
/// exactly. What probability calibration makes of scores.
///
/// Inputs: `i32 [N, K]`, K at least 1, then constants `sizes: i64 [K]` (knots of each column, at least 1), `knots:
/// i32 [M]` and `values: i32 [M]`, the columns' one after the other, the knots of each strictly rising; `M` is the
/// sum of `sizes`. Output: `i32 [N, K]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ScoreCurve;

impl ScoreCurve {
    pub(super) fn parse(_: &Attrs) -> Result<ScoreCurve, Error> {
        Ok(ScoreCurve)
    }

    /// The polygon at `score`; `knots` and `values` of one column, as the operator asks for. Never leaves the range
    /// between the least and the largest value. O(log knots).
    #[inline]
    pub fn of(score: i32, knots: &[i32], values: &[i32]) -> i32 {
        let above = knots.partition_point(|&k| k <= score);
        let value = |at: usize| values.get(at).copied().unwrap_or(0);
        match (above.checked_sub(1), knots.get(above)) {
            (None, _) => value(0),
            (Some(last), None) => value(last),
            (Some(at), Some(next)) => {
                // Both factors are below 2^32, so the product is below 2^64.
                let (from, to) = (value(at), value(above));
                let product = u64::from(score.abs_diff(knots[at])) * u64::from(to.abs_diff(from));
                let width = u64::from(next.abs_diff(knots[at]));
                let (floor, twice) = (product / width, 2 * (product % width));
                // The parity of the result is that of `from` and the step together.
                let is_odd = (floor ^ u64::from(from.unsigned_abs())) & 1 == 1;
                let step = floor + u64::from(twice > width || (twice == width && is_odd));
                let step = step.cast_signed();
                (i64::from(from) + if to < from { -step } else { step }) as i32
            }
        }
    }

    /// The scores of rows `[n, K]` in place; `sizes`, `knots` and `values` as the operator asks for.
    pub fn apply(sizes: &[i64], knots: &[i32], values: &[i32], scores: &mut [i32]) {
        let mut first = 0;
        for (column, &size) in sizes.iter().enumerate() {
            let last = first + usize::try_from(size).unwrap_or(0);
            let (Some(knots), Some(values)) = (knots.get(first..last), values.get(first..last)) else {
                return;
            };
            let of_column = scores.iter_mut().skip(column).step_by(sizes.len());
            of_column.for_each(|score| *score = ScoreCurve::of(*score, knots, values));
            first = last;
        }
    }
}

impl Payload for ScoreCurve {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [scores, sizes, knots, values] = arity(NAME, inputs)?;
        let width = match (scores.dtype, &scores.shape.0[..]) {
            (DType::I32, [_, Dim::Fixed(width)]) if *width > 0 => *width,
            _ => return Err(misfit(NAME, "scores", "i32 [N, K], K at least 1", &scores.describe())),
        };
        let expected = alloc::format!("a constant i64 [{width}]");
        let lengths = match (sizes.constant.map(|c| c.data()), &sizes.shape.0[..]) {
            (Some(TensorData::I64(v)), [Dim::Fixed(n)]) if *n == width => v,
            _ => return Err(misfit(NAME, "sizes", &expected, &sizes.describe())),
        };
        let (at, of) = (constant("knots", knots)?, constant("values", values)?);
        if of.len() != at.len() {
            let expected = alloc::format!("a constant i32 [{}]", at.len());
            return Err(misfit(NAME, "values", &expected, &values.describe()));
        }
        let mut rest = at;
        for &size in lengths {
            let size = usize::try_from(size).ok().filter(|&n| n > 0 && n <= rest.len());
            let Some((own, others)) = size.map(|n| rest.split_at(n)) else {
                let expected = "one or more for each column, in all as many as knots";
                return Err(misfit(NAME, "sizes", expected, &alloc::format!("{lengths:?}")));
            };
            if !own.is_sorted_by(|a, b| a < b) {
                return Err(misfit(NAME, "knots", "strictly rising numbers for each column", &"others"));
            }
            rest = others;
        }
        if !rest.is_empty() {
            let expected = "one or more for each column, in all as many as knots";
            return Err(misfit(NAME, "sizes", expected, &alloc::format!("{lengths:?}")));
        }
        Ok(vec![(DType::I32, scores.shape.clone())])
    }
}

fn constant<'a>(what: &str, operand: &Operand<'a>) -> Result<&'a [i32], Error> {
    match operand.constant.map(|c| c.data()) {
        Some(TensorData::I32(v)) if operand.shape.rank() == 1 => Ok(v),
        _ => Err(misfit(NAME, what, "a constant i32 [M]", &operand.describe())),
    }
}

#[cfg(test)]
mod tests {
    use super::ScoreCurve;

    #[test]
    fn a_polygon_is_rounded_once() {
        let (knots, values) = ([-10, 0, 4], [0, -5, 1]);
        let cases = [
            (i32::MIN, 0),
            (-10, 0),
            (0, -5),
            (4, 1),
            (i32::MAX, 1),
            // -0.5, -1.5, -2.5: ties to even.
            (-9, 0),
            (-7, -2),
            (-5, -2),
            (-4, -3),
            // -5 + 1.5, -5 + 3, -5 + 4.5.
            (1, -4),
            (2, -2),
            (3, 0),
        ];
        for (score, expected) in cases {
            assert_eq!(ScoreCurve::of(score, &knots, &values), expected, "{score}");
        }
    }

    #[test]
    fn the_whole_range_stays_exact() {
        let (knots, values) = ([i32::MIN, i32::MAX], [i32::MAX, i32::MIN]);
        for score in [i32::MIN, -7, 0, 12, i32::MAX] {
            assert_eq!(ScoreCurve::of(score, &knots, &values), -1 - score);
        }
        // Against doubles, which hold these products exactly.
        let (knots, values) = ([-30_000, 70_001], [-2_000_000, 999_999]);
        for score in (-30_000..70_001).step_by(17) {
            let t = f64::from(score + 30_000) * 2_999_999.0 / 100_001.0 - 2_000_000.0;
            assert!((f64::from(ScoreCurve::of(score, &knots, &values)) - t).abs() <= 0.500_001);
        }
    }

    #[test]
    fn columns_have_curves_of_their_own() {
        let mut scores = [1, 1, 2, 2, 9, 9];
        ScoreCurve::apply(&[1, 2], &[0, 0, 4], &[7, 0, 8], &mut scores);
        assert_eq!(scores, [7, 2, 7, 4, 7, 8]);
        // Curves that the operator would refuse change nothing or stop, they do not panic.
        ScoreCurve::apply(&[5], &[0], &[7], &mut scores);
        assert_eq!(scores, [7, 2, 7, 4, 7, 8]);
    }
}
