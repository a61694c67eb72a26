//! `BSpline`: a number to the values of the B-splines over knots.

use super::{Attr, Attrs, Operand, Payload, arity, misfit, wide};
use crate::{DType, Error, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "BSpline";

/// `out[n, i] = B_i(x[n])`, the B-splines of a degree d over the knots `t_0 < t_1 < ..`:
/// `B_{i,0}(x) = 1 if t_i <= x < t_{i+1} else 0`,
/// `B_{i,d}(x) = (x - t_i) / (t_{i+d} - t_i) B_{i,d-1}(x) + (t_{i+d+1} - x) / (t_{i+d+1} - t_{i+1}) B_{i+1,d-1}(x)`.
/// Outside `[t_d, t_{M-d-1}]`, the range in which they sum to 1, the values of its nearer end. NaN gives NaN
/// in every column.
///
/// Inputs: `f64 [N]`, and `knots [M]`, a constant of finite, strictly rising doubles, M at least `2 d + 2`.
/// Output: `f64 [N, M - d - 1]`. O(d^2) a row, and the columns.
/// # Source  de Boor, A Practical Guide to Splines, 1978, chapter X; the order of operations is that of
/// algorithm A2.2 of Piegl & Tiller, The NURBS Book, 1997.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BSpline {
    /// Degree of the polynomials, at most [`BSpline::MAX_DEGREE`].
    pub degree: u8,
}

impl BSpline {
    /// The largest degree.
    pub const MAX_DEGREE: u8 = 10;

    pub(super) fn parse(attrs: &Attrs) -> Result<BSpline, Error> {
        Ok(BSpline { degree: attrs.int(NAME, "degree")? })
    }

    /// The values at `x`, one an element of `out`; `knots` and the length of `out` as the operator asks for.
    pub fn of(self, x: f64, knots: &[f64], out: &mut [f64]) {
        let d = usize::from(self.degree);
        let n = out.len();
        if x.is_nan() || n <= d || knots.len() <= n {
            out.fill(f64::NAN);
            return;
        }
        let x = if x < knots[d] {
            knots[d]
        } else if x > knots[n] {
            knots[n]
        } else {
            x
        };
        // The interval `knots[at] <= x < knots[at + 1]`, the last one closed on the right.
        let at = (d + knots[d..=n].partition_point(|&k| k <= x)).clamp(d + 1, n) - 1;
        let (mut values, mut left, mut right) = ([0.0; 11], [0.0; 11], [0.0; 11]);
        values[0] = 1.0;
        for j in 1..=d {
            left[j] = x - knots[at + 1 - j];
            right[j] = knots[at + j] - x;
            let mut saved = 0.0;
            for r in 0..j {
                let share = values[r] / (right[r + 1] + left[j - r]);
                values[r] = saved + right[r + 1] * share;
                saved = left[j - r] * share;
            }
            values[j] = saved;
        }
        out.fill(0.0);
        for (out, v) in out[at - d..].iter_mut().zip(&values[..=d]) {
            // Machines differ in the sign and payload of a NaN that they make.
            *out = if v.is_nan() { f64::NAN } else { *v };
        }
    }
}

impl Payload for BSpline {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("degree", Attr::Int(self.degree.into()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [x, knots] = arity(NAME, inputs)?;
        if x.dtype != DType::F64 || x.shape.rank() != 1 {
            return Err(misfit(NAME, "column", "f64 [N]", &x.describe()));
        }
        if self.degree > BSpline::MAX_DEGREE {
            return Err(misfit(NAME, "degree", "0..=10", &self.degree));
        }
        let Some(TensorData::F64(at)) = knots.constant.map(|c| c.data()) else {
            return Err(misfit(NAME, "knots", "a constant of f64", &knots.describe()));
        };
        let least = 2 * usize::from(self.degree) + 2;
        if knots.shape.rank() != 1 || at.len() < least {
            let expected = alloc::format!("a constant f64 [M], M at least {least}");
            return Err(misfit(NAME, "knots", &expected, &knots.describe()));
        }
        // Before the order: a hostile file may name one long constant in many nodes.
        let shape = wide(NAME, &x.shape.0[0], at.len() - usize::from(self.degree) - 1)?;
        if at.iter().any(|k| !k.is_finite()) || !at.is_sorted_by(|a, b| a < b) {
            return Err(misfit(NAME, "knots", "finite, strictly rising numbers", &"others"));
        }
        Ok(vec![(DType::F64, shape)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_by_hand() {
        // Cubic splines over whole knots at their middle: 1/6, 4/6, 1/6; in between (1/48, 23/48, 23/48, 1/48).
        let knots: Vec<f64> = (0..10).map(f64::from).collect();
        let cases: &[(f64, u8, &[f64])] = &[
            (4.0, 3, &[0.0, 1.0 / 6.0, 4.0 / 6.0, 1.0 / 6.0, 0.0, 0.0]),
            (3.5, 3, &[1.0 / 48.0, 23.0 / 48.0, 23.0 / 48.0, 1.0 / 48.0, 0.0, 0.0]),
            (3.0, 3, &[1.0 / 6.0, 4.0 / 6.0, 1.0 / 6.0, 0.0, 0.0, 0.0]),
            (-1e300, 3, &[1.0 / 6.0, 4.0 / 6.0, 1.0 / 6.0, 0.0, 0.0, 0.0]),
            (6.0, 3, &[0.0, 0.0, 0.0, 1.0 / 6.0, 4.0 / 6.0, 1.0 / 6.0]),
            (f64::INFINITY, 3, &[0.0, 0.0, 0.0, 1.0 / 6.0, 4.0 / 6.0, 1.0 / 6.0]),
            (1.25, 1, &[0.75, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
            (2.0, 0, &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
            (9.0, 0, &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]),
        ];
        for &(x, degree, expected) in cases {
            let mut got = vec![7.0; expected.len()];
            BSpline { degree }.of(x, &knots, &mut got);
            // Abs { eps: 1e-15, because: a few roundings of numbers below 1 }
            let near = got.iter().zip(expected).all(|(g, e)| (g - e).abs() <= 1e-15);
            assert!(near, "degree {degree} at {x}: {got:?} for {expected:?}");
        }
        let mut got = [0.0; 6];
        BSpline { degree: 3 }.of(f64::NAN, &knots, &mut got);
        assert!(got.iter().all(|v| v.is_nan()));
    }
}
