//! `log`: the logarithm of the size, with the sign kept.

use crate::error::Error;
use crate::nodes::scalar;
use crate::transform::{FeatureKind, FittedStep, Group, StepInput, Transform, TransformEntry};
use ir::op::{Arithmetic, Function};
use ir::{GraphBuilder, Op, ValueIdx};
use params::Params;

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "log",
    doc: "the logarithm of 1 and the size, with the sign kept: long tails become short",
    takes: &[FeatureKind::Number],
    sees_target: false,
    cleans: false,
    spec: &[],
    transform: &Logarithm,
};

/// `sign(x) * log(1 + |x|)`, within 1e-15 of the exact value or of its size. Missing stays missing, infinities stay.
/// A column whose finite values are all below 1e-6 in size, where the logarithm of 1 + x is x, goes on as it is.
/// O(rows).
/// # Source  Webber, Measurement Science and Technology 24, 2013; for numbers of one sign numpy's `log1p`.
struct Logarithm;

/// Below it, rounding 1 + x would lose more than the logarithm changes.
const TINY: f64 = 1e-6;

impl Transform for Logarithm {
    fn fit(&self, input: &StepInput<'_>, _: &Params) -> Result<FittedStep, Error> {
        Ok(FittedStep::of_each(input, |at, name| {
            let is_changed = input.numbers(at).iter().any(|v| v.is_finite() && v.abs() >= TINY);
            is_changed.then(|| Group::number(vec![at], name.to_owned(), lower))
        }))
    }
}

fn lower(builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
    let x = columns[0];
    let size = log_of_one_and_size(builder, x)?;
    let sign = builder.node(Op::Function(Function::Sign), &[x])?;
    builder.node(Op::Arithmetic(Arithmetic::Mul), &[sign, size])
}

/// `log(1 + |x|)`.
pub(crate) fn log_of_one_and_size(builder: &mut GraphBuilder, x: ValueIdx) -> Result<ValueIdx, ir::Error> {
    let one = scalar(builder, 1.0)?;
    let size = builder.node(Op::Function(Function::Abs), &[x])?;
    let above = builder.node(Op::Arithmetic(Arithmetic::Add), &[size, one])?;
    builder.node(Op::Function(Function::Log), &[above])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::Table;
    use crate::laws::wine;

    #[test]
    fn hand_computed() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let e = std::f64::consts::E;
        let table = Table::numbers(&[
            ("x", &[0.0, e - 1.0, 1.0 - e, nan, inf, -inf, 1e308]),
            ("tiny", &[1e-9, -1e-7, 0.0, nan, inf, 0.0, 0.0]),
        ]);
        let fitted = table.fit(&ENTRY, &[]);
        assert_eq!(fitted.kept, ["tiny"]);
        let expected = [0.0, 1.0, -1.0, nan, inf, -inf, 308.0 * 10f64.ln()];
        wine::check_column(&fitted.column(&table, "x"), &expected, 1e-15);
    }

    #[test]
    fn as_numpy() {
        let table = wine::table();
        let fitted = table.fit(&ENTRY, &[]);
        let made = fitted.column(&table, "proline");
        let expected: Vec<f64> = wine::column("proline").iter().map(|v| v.ln_1p()).collect();
        wine::check_column(&made, &expected, 1e-15);
    }
}
