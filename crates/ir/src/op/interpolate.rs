//! `Interpolate`: a piecewise linear function.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Interpolate";

/// The function whose graph is the polygon through `(knots[i], values[i])`: between two knots
/// `v_i + (x - k_i) * (v_{i+1} - v_i) / (k_{i+1} - k_i)`, computed in this order; at and beyond the first and
/// the last knot their values; at a knot its value exactly. NaN gives NaN.
///
/// Inputs: `f64 [N]`, `knots [K]`, a constant of finite, strictly rising doubles, K at least 1, and `values
/// [K]`, a constant of finite doubles. Output: `f64 [N]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Interpolate;

impl Interpolate {
    pub(super) fn parse(_: &Attrs) -> Result<Interpolate, Error> {
        Ok(Interpolate)
    }

    /// The value at `x`; `knots` and `values` as the operator asks for.
    pub fn of(x: f64, knots: &[f64], values: &[f64]) -> f64 {
        let above = knots.partition_point(|&k| k <= x);
        match (above.checked_sub(1), knots.get(above)) {
            _ if x.is_nan() => f64::NAN,
            (None, _) => values.first().copied().unwrap_or(f64::NAN),
            (Some(last), None) => values[last],
            (Some(at), Some(next)) => {
                values[at] + (x - knots[at]) * (values[above] - values[at]) / (next - knots[at])
            }
        }
    }
}

impl Payload for Interpolate {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [x, knots, values] = arity(NAME, inputs)?;
        if x.dtype != DType::F64 || x.shape.rank() != 1 {
            return Err(misfit(NAME, "column", "f64 [N]", &x.describe()));
        }
        let Some(TensorData::F64(at)) = knots.constant.map(|c| c.data()) else {
            return Err(misfit(NAME, "knots", "a constant of f64", &knots.describe()));
        };
        let expected = alloc::format!("a constant f64 [{}]", at.len());
        match (values.constant.map(|c| c.data()), &values.shape.0[..]) {
            (Some(TensorData::F64(v)), [Dim::Fixed(n)]) if *n == at.len() => {
                if v.iter().any(|v| !v.is_finite()) {
                    return Err(misfit(NAME, "values", "finite numbers", &"another"));
                }
            }
            _ => return Err(misfit(NAME, "values", &expected, &values.describe())),
        }
        if at.is_empty() || at.iter().any(|k| !k.is_finite()) || !at.is_sorted_by(|a, b| a < b) {
            return Err(misfit(NAME, "knots", "one or more finite, strictly rising numbers", &"others"));
        }
        Ok(vec![(DType::F64, x.shape.clone())])
    }
}
