//! `Tile`: a tensor repeated along axes.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, ints, length, misfit, one, ranked, whole};
use crate::op::Attrs;
use crate::{Dim, Shape};
use alloc::vec::Vec;

const NAME: &str = "Tile";

/// ONNX's `Tile`. Inputs: any tensor, and how often each axis is repeated, `i64 [rank]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile;

impl Payload for Tile {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, repeats] = arity(NAME, inputs)?;
        whole(NAME, "repeats", repeats)?;
        ranked(NAME, "repeats", repeats, 1)?;
        let Some(axes) = x.shape.axes() else { return one(x.dtype, Shape::any()) };
        let Some(times) = ints(repeats) else { return one(x.dtype, Shape::of_rank(axes.len())) };
        if times.len() != axes.len() {
            return Err(misfit(NAME, "repeats", &alloc::format!("{}", axes.len()), &times.len()));
        }
        let mut dims = Vec::with_capacity(axes.len());
        for (dim, &n) in axes.iter().zip(&times) {
            let n = length(NAME, "repeats", n)?;
            dims.push(match dim {
                Dim::Fixed(k) => {
                    let long = k.checked_mul(n);
                    Dim::Fixed(
                        long.ok_or_else(|| misfit(NAME, "repeats", "a length that can be counted", &n))?,
                    )
                }
                dim if n == 1 => dim.clone(),
                _ => Dim::Unknown,
            });
        }
        one(x.dtype, Shape(dims))
    }
}

impl Stored for Tile {
    fn parse(name: &str, _: &Attrs) -> Found<Tile> {
        (name == NAME).then_some(Ok(Tile))
    }
}
