//! `Gemm`: a product of two matrices and a sum.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, alike, between, broadcast, flag, met, misfit, one, ranked};
use crate::op::Attrs;
use crate::{Dim, Shape};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "Gemm";

/// `y = alpha * op(a) op(b) + beta * c`, with `op` the transpose where asked for; `c` broadcasts to the product and
/// may be left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gemm {
    /// Factor of the product.
    pub alpha: f32,
    /// Factor of the sum.
    pub beta: f32,
    /// `a` is transposed.
    pub transpose_a: bool,
    /// `b` is transposed.
    pub transpose_b: bool,
}

impl Payload for Gemm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![
            ("alpha", Attr::Float(self.alpha)),
            ("beta", Attr::Float(self.beta)),
            ("transA", flag(self.transpose_a)),
            ("transB", flag(self.transpose_b)),
        ]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        between(NAME, inputs, 2, 3)?;
        let (a, b) = (&inputs[0], &inputs[1]);
        super::matmul::numbers(NAME, a)?;
        alike(NAME, a, &inputs[1..])?;
        let sides = |operand: &Operand<'_>, what, turned| -> Result<(Dim, Dim), crate::Error> {
            Ok(match ranked(NAME, what, operand, 2)? {
                Some([x, y]) if turned => (y.clone(), x.clone()),
                Some([x, y]) => (x.clone(), y.clone()),
                _ => (Dim::Unknown, Dim::Unknown),
            })
        };
        let (rows, inner) = sides(a, "a", self.transpose_a)?;
        let (depth, columns) = sides(b, "b", self.transpose_b)?;
        if met(&inner, &depth).is_none() {
            return Err(misfit(NAME, "inner lengths", &alloc::format!("{inner}"), &depth));
        }
        let shape = Shape(vec![rows, columns]);
        if let Some(c) = inputs.get(2) {
            let joint = broadcast(NAME, &[&shape, c.shape])?;
            if joint.axes().is_some_and(|j| !j.iter().eq(shape.0.iter()) && shape.lengths().is_some()) {
                return Err(misfit(
                    NAME,
                    "c",
                    &alloc::format!("one that broadcasts to {shape}"),
                    &c.describe(),
                ));
            }
        }
        one(a.dtype, shape)
    }

    fn is_exact(&self) -> bool {
        false
    }
}

impl Stored for Gemm {
    fn parse(name: &str, attrs: &Attrs) -> Found<Gemm> {
        (name == NAME).then(|| {
            Ok(Gemm {
                alpha: attrs.float(NAME, "alpha")?,
                beta: attrs.float(NAME, "beta")?,
                transpose_a: attrs.flag(NAME, "transA")?,
                transpose_b: attrs.flag(NAME, "transB")?,
            })
        })
    }
}
