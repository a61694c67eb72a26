//! `row_norm`: every row of numbers to length 1.

use crate::error::Error;
use crate::nodes::scalar;
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, Transform, TransformEntry};
use ir::op::{Arithmetic, Columns, Comparison, Function, IsNaN, Reduce, Where};
use ir::{GraphBuilder, Op, ValueIdx};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "row_norm",
    doc: "every row of numbers divided by its length",
    takes: &[FeatureKind::Number],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &RowNorm,
};

const SPEC: &[ParamSpec] = &[ParamSpec {
    name: "norm",
    aliases: &[],
    default: Value::Word("l2"),
    range: Range::Words(&["l2", "l1", "max"]),
    doc: "what a length is: the root of the sum of squares, the sum of sizes, the largest size",
}];

/// `x_k / norm(x)` over all number columns of the step: `sqrt(sum x^2)`, `sum |x|` or `max |x|`. A row of
/// zeros stays. A missing cell counts as 0 in the norm and stays missing; an infinite one counts as the largest
/// double. The row is first divided by its largest size, so no norm leaves the range of doubles. Learns
/// nothing from the rows. O(rows).
/// # Source  scikit-learn's `Normalizer` has the same definition where no cell is missing.
struct RowNorm;

impl Transform for RowNorm {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let mut step = FittedStep::default();
        if input.columns.is_empty() {
            return Ok(step);
        }
        let reduce = match params.word("norm") {
            "max" => Reduce::Max,
            "l1" => Reduce::L1,
            _ => Reduce::L2,
        };
        let uses = (0..input.columns.len()).collect();
        let names = input.columns.iter().map(|c| c.name.to_owned()).collect();
        step.groups.push(Group::matrix(uses, names, Divided { reduce }));
        Ok(step)
    }
}

struct Divided {
    reduce: Reduce,
}

impl Lower for Divided {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let zero = scalar(builder, 0.0)?;
        let (least, most) = (scalar(builder, f64::MIN)?, scalar(builder, f64::MAX)?);
        let x = builder.node(Op::Columns(Columns), columns)?;
        let x = builder.node(Op::Arithmetic(Arithmetic::Max), &[x, least])?;
        let x = builder.node(Op::Arithmetic(Arithmetic::Min), &[x, most])?;
        let missing = builder.node(Op::IsNaN(IsNaN), &[x])?;
        let there = builder.node(Op::Where(Where), &[missing, zero, x])?;
        let size = builder.node(Op::Function(Function::Abs), &[there])?;
        let largest = builder.node(Op::Reduce(Reduce::Max), &[size])?;
        let x = divided(builder, x, largest)?;
        if self.reduce == Reduce::Max {
            return Ok(x);
        }
        let there = divided(builder, there, largest)?;
        let norm = builder.node(Op::Reduce(self.reduce), &[there])?;
        divided(builder, x, norm)
    }
}

/// `x / norm`, or `x` where the norm is 0.
fn divided(builder: &mut GraphBuilder, x: ValueIdx, norm: ValueIdx) -> Result<ValueIdx, ir::Error> {
    let (zero, one) = (scalar(builder, 0.0)?, scalar(builder, 1.0)?);
    let none = builder.node(Op::Comparison(Comparison::Equal), &[norm, zero])?;
    let norm = builder.node(Op::Where(Where), &[none, one, norm])?;
    builder.node(Op::Arithmetic(Arithmetic::Div), &[x, norm])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::Table;
    use crate::laws::wine;

    #[test]
    fn hand_computed() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let half = 0.5f64.sqrt();
        // Norm, row, result.
        let cases: &[(&str, [f64; 3], [f64; 3])] = &[
            ("l2", [3.0, 4.0, 0.0], [0.6, 0.8, 0.0]),
            ("l2", [0.0, -0.0, 0.0], [0.0, 0.0, 0.0]),
            ("l2", [-3.0, nan, 4.0], [-0.6, nan, 0.8]),
            ("l2", [nan, nan, nan], [nan, nan, nan]),
            ("l2", [1e300, -1e300, 1.0], [half, -half, 1e-300 * half]),
            ("l2", [5e-324, 0.0, nan], [1.0, 0.0, nan]),
            ("l2", [inf, -inf, 7.0], [half, -half, 0.0]),
            ("l1", [3.0, -1.0, 0.0], [0.75, -0.25, 0.0]),
            ("l1", [nan, -2.0, 2.0], [nan, -0.5, 0.5]),
            ("max", [3.0, -4.0, 1.0], [0.75, -1.0, 0.25]),
            ("max", [0.0, nan, 0.0], [0.0, nan, 0.0]),
        ];
        for (norm, row, expected) in cases {
            let [a, b, c] = row.map(|v| [v]);
            let table = Table::numbers(&[("a", &a), ("b", &b), ("c", &c)]);
            let made = table.fit(&ENTRY, &[("norm", norm)]).run(&table).concat();
            wine::check_column(&made, expected, 1e-15);
        }
    }

    #[test]
    fn as_scikit_learn() {
        // Normalizer(norm=norm).fit_transform(X)[[0, 59, 100, 177]].
        let l2 = [
            [0.013360292575559625, 0.0016054884261564974, 0.9999094583957133],
            [0.02378169472249532, 0.0018071780953230073, 0.9997155420935786],
            [0.01701154945199154, 0.0029291409652435763, 0.9998510025591053],
            [0.025223438938549524, 0.007318903018262777, 0.9996550463968671],
        ];
        let l1 = [
            [0.01316446796306918, 0.0015819564453161137, 0.9852535755916146],
            [0.02319476477095873, 0.0017625771127486828, 0.9750426581162926],
            [0.016681396376491384, 0.0028722934158197087, 0.9804463102076889],
            [0.024436642858378155, 0.007090604084879718, 0.9684727530567421],
        ];
        let max = [
            [0.01336150234741784, 0.0016056338028169015, 1.0],
            [0.023788461538461536, 0.0018076923076923077, 1.0],
            [0.017014084507042254, 0.0029295774647887323, 1.0],
            [0.02523214285714286, 0.007321428571428571, 1.0],
        ];
        for (norm, expected) in [("l2", l2), ("l1", l1), ("max", max)] {
            // Abs { eps: 1e-15, because: dividing twice rounds once more }
            wine::check(&ENTRY, &[("norm", norm)], &expected, 1e-15);
        }
    }
}
