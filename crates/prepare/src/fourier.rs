//! `fourier`: a number to sines and cosines of whole waves over its range.

use crate::error::Error;
use crate::nodes::{apply, side_by_side, with};
use crate::statistics::extremes;
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, Transform, TransformEntry};
use ir::op::{Arithmetic, Function};
use ir::{GraphBuilder, ValueIdx};
use params::{ParamSpec, Params, Range, Value};
use std::f64::consts::TAU;

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "fourier",
    doc: "a number to sines and cosines of whole waves over its range",
    takes: &[FeatureKind::Number],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &Fourier,
};

const SPEC: &[ParamSpec] = &[ParamSpec {
    name: "order",
    aliases: &[],
    default: Value::Int(4),
    range: Range::Int { low: 1, high: 64 },
    doc: "most waves over the range; there is a sine and a cosine of 1, 2, .. waves",
}];

/// `sin(2 pi k z)` and `cos(2 pi k z)`, `z = (x - low) / (high - low)`, `k` = 1 to `order`, `low` and `high` the
/// ends of the finite values. Beyond them the waves go on. Missing and infinite cells give missing. Columns
/// without two different finite values go on as they are. O(rows).
/// # Source  Bishop, Pattern Recognition and Machine Learning, 2006, section 3.1 (Fourier basis).
struct Fourier;

impl Transform for Fourier {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let order = u32::try_from(params.int("order")).unwrap_or(1);
        Ok(FittedStep::of_each(input, |at, name| {
            let (low, high) = extremes(&input.numbers(at)).unwrap_or((0.0, 0.0));
            let range = high - low;
            if range <= 0.0 || !range.is_finite() {
                return None;
            }
            let names = |what: &'static str| (1..=order).map(move |k| format!("{what} {k} of \"{name}\""));
            let names = names("sine").chain(names("cosine")).collect();
            Some(Group::matrix(vec![at], names, Waves { low, range, order }))
        }))
    }
}

struct Waves {
    low: f64,
    range: f64,
    order: u32,
}

impl Lower for Waves {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let angles: Vec<f64> = (1..=self.order).map(|k| TAU * f64::from(k)).collect();
        let x = with(builder, Arithmetic::Sub, columns[0], &[self.low])?;
        let x = with(builder, Arithmetic::Div, x, &[self.range])?;
        let x = side_by_side(builder, &[x])?;
        let x = with(builder, Arithmetic::Mul, x, &angles)?;
        sine_and_cosine(builder, x)
    }
}

/// The sines of all columns and then their cosines.
pub(crate) fn sine_and_cosine(builder: &mut GraphBuilder, x: ValueIdx) -> Result<ValueIdx, ir::Error> {
    let sine = apply(builder, Function::Sin, x)?;
    let cosine = apply(builder, Function::Cos, x)?;
    side_by_side(builder, &[sine, cosine])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::Table;
    use crate::laws::wine::check_column;

    #[test]
    fn hand_computed() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let table = Table::numbers(&[("x", &[3.0, 4.0, 5.0, 7.0, nan, inf])]);
        let fitted = table.fit(&ENTRY, &[("order", "2")]);
        assert_eq!(fitted.names[0], "sine 1 of \"x\"");
        assert_eq!(fitted.names[3], "cosine 2 of \"x\"");
        // Also beyond the range, which is 4 wide: 9 is half a wave further.
        let made = fitted.run(&Table::numbers(&[("x", &[3.0, 4.0, 5.0, 3.5, 9.0, nan, inf])]));
        let half = 0.5f64.sqrt();
        let expected = [
            [0.0, 1.0, 0.0, half, 0.0, nan, nan],
            [0.0, 0.0, 0.0, 1.0, 0.0, nan, nan],
            [1.0, 0.0, -1.0, half, -1.0, nan, nan],
            [1.0, -1.0, 1.0, 0.0, 1.0, nan, nan],
        ];
        assert_eq!(made.len(), 4);
        // 2e-15, because an angle of up to 6 pi is rounded.
        made.iter().zip(&expected).for_each(|(made, expected)| check_column(made, expected, 2e-15));
        let odd = Table::numbers(&[("same", &[2.0; 2]), ("none", &[nan; 2]), ("wide", &[1e308, -1e308])]);
        assert_eq!(odd.fit(&ENTRY, &[]).kept, ["same", "none", "wide"]);
    }
}
