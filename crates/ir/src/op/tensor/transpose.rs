//! `Transpose`: axes in another order.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, axes_of, misfit, numbers, one};
use crate::Shape;
use crate::op::Attrs;
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "Transpose";

/// ONNX's `Transpose`: axis `i` of the output is axis `order[i]` of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transpose {
    /// The order; none stands for the reverse.
    pub order: Option<Vec<usize>>,
}

impl Payload for Transpose {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        self.order.iter().map(|order| ("perm", numbers(order))).collect()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x] = arity(NAME, inputs)?;
        let Some(axes) = x.shape.axes() else {
            return one(x.dtype, self.order.as_ref().map_or(Shape::any(), |o| Shape::of_rank(o.len())));
        };
        let dims = match &self.order {
            None => axes.iter().rev().cloned().collect(),
            Some(order) => {
                let places: Vec<i64> = order.iter().map(|&a| i64::try_from(a).unwrap_or(i64::MAX)).collect();
                if axes_of(NAME, &places, axes.len())?.len() != axes.len() {
                    return Err(misfit(NAME, "perm", "each axis once", &order.len()));
                }
                order.iter().map(|&at| axes[at].clone()).collect()
            }
        };
        Ok(vec![(x.dtype, Shape(dims))])
    }
}

impl Stored for Transpose {
    fn parse(name: &str, attrs: &Attrs) -> Found<Transpose> {
        (name == NAME).then(|| Ok(Transpose { order: attrs.maybe("perm", |a| a.ints(NAME, "perm"))? }))
    }
}
