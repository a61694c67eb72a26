//! `LRN`: normalisation over neighbouring channels.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, floats, misfit, numbers, one};
use crate::op::Attrs;
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "LRN";

/// `y[c] = x[c] / (bias + alpha / size * sum x[k]^2)^beta` over the `size` channels around `c`. Input: `[N, C, ..]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lrn {
    /// Factor of the squares.
    pub alpha: f32,
    /// Exponent.
    pub beta: f32,
    /// What is added.
    pub bias: f32,
    /// Channels that count.
    pub size: usize,
}

impl Payload for Lrn {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![
            ("alpha", Attr::Float(self.alpha)),
            ("beta", Attr::Float(self.beta)),
            ("bias", Attr::Float(self.bias)),
            ("size", numbers(&[self.size])),
        ]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x] = arity(NAME, inputs)?;
        floats(NAME, "input", x)?;
        if x.shape.axes().is_some_and(|a| a.len() < 2) || self.size == 0 {
            return Err(misfit(NAME, "input and size", "[N, C, ..] and 1 or more", &x.describe()));
        }
        one(x.dtype, x.shape.clone())
    }

    fn is_exact(&self) -> bool {
        false
    }
}

impl Stored for Lrn {
    fn parse(name: &str, attrs: &Attrs) -> Found<Lrn> {
        (name == NAME).then(|| {
            Ok(Lrn {
                alpha: attrs.float(NAME, "alpha")?,
                beta: attrs.float(NAME, "beta")?,
                bias: attrs.float(NAME, "bias")?,
                size: attrs.count(NAME, "size")?,
            })
        })
    }
}
