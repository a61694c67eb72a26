//! `sums`, `differences`, `products`, `ratios`: two numbers to one.

use super::base::Base;
use super::{Construction, Look, Parents};
use crate::transform::{Group, Lower, StepInput, StepTarget};
use ir::op::Arithmetic;
use ir::{GraphBuilder, Op, ValueIdx};

/// `a op b`; missing where a side is missing or the result is not finite.
pub(super) struct OfNumbers {
    name: &'static str,
    op: Arithmetic,
    sign: &'static str,
    parents: Parents,
}

/// `a + b`
pub(super) static SUMS: OfNumbers =
    OfNumbers { name: "sums", op: Arithmetic::Add, sign: "+", parents: Parents::Numbers };
/// `a - b`
pub(super) static DIFFERENCES: OfNumbers =
    OfNumbers { name: "differences", op: Arithmetic::Sub, sign: "-", parents: Parents::Numbers };
/// `a * b`
pub(super) static PRODUCTS: OfNumbers =
    OfNumbers { name: "products", op: Arithmetic::Mul, sign: "*", parents: Parents::Numbers };
/// `a / b` and `b / a`
pub(super) static RATIOS: OfNumbers =
    OfNumbers { name: "ratios", op: Arithmetic::Div, sign: "/", parents: Parents::NumbersInBothOrders };

impl Construction for OfNumbers {
    fn name(&self) -> &'static str {
        self.name
    }

    fn parents(&self) -> Parents {
        self.parents
    }

    fn serves(&self, _: StepTarget<'_>) -> bool {
        true
    }

    fn look(&self, a: &Base<'_>, b: &Base<'_>) -> Look {
        let both = a.numbers().iter().zip(b.numbers());
        Look::Values(both.map(|(&a, &b)| finite_or_missing(self.op.of(a, b))).collect())
    }

    fn group(&self, input: &StepInput<'_>, uses: [usize; 2]) -> Option<Group> {
        let [a, b] = uses.map(|at| input.columns[at].name);
        let name = format!("\"{a}\" {} \"{b}\"", self.sign);
        Some(Group::number(uses.to_vec(), name, Nodes { op: self.op }))
    }
}

struct Nodes {
    op: Arithmetic,
}

impl Lower for Nodes {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        let q = builder.node(Op::Arithmetic(self.op), columns)?;
        finite_or_missing_node(builder, q)
    }
}

/// `q + (q - q)`: `q`, and NaN where it is not finite.
pub(super) fn finite_or_missing(q: f64) -> f64 {
    Arithmetic::Add.of(q, Arithmetic::Sub.of(q, q))
}

/// The nodes of [`finite_or_missing`].
pub(super) fn finite_or_missing_node(builder: &mut GraphBuilder, q: ValueIdx) -> Result<ValueIdx, ir::Error> {
    let zero = builder.node(Op::Arithmetic(Arithmetic::Sub), &[q, q])?;
    builder.node(Op::Arithmetic(Arithmetic::Add), &[q, zero])
}
