//! `Link`: integer scores to what people read.

use super::{Attr, Attrs, Operand, Payload, arity, misfit};
use crate::fixed::link::{MAX_OFFSET, MAX_SHIFT};
use crate::{DType, Dim, Error, Shape};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Link";

/// The function of a link; `s = score * 2^-shift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// `[1 - p, p]`, `p = 1 / (1 + e^-s)`: `i32 [N, 1]` to `f32 [N, 2]`.
    Logistic,
    /// `e^(s_k) / sum_j e^(s_j)`: `i32 [N, K]` to `f32 [N, K]`.
    Softmax,
    /// Shares of votes, `score_k / sum_j score_j`: `i32 [N, K]` to `f32 [N, K]`; `i32 [N, 1]` to
    /// `f32 [N, 2]`, where the votes are `offset - score` and `offset + score`.
    Share,
    /// `(score + offset) * 2^-shift`: `i32 [N, 1]` to `f64 [N]`.
    Linear,
    /// `e^s`: `i32 [N, 1]` to `f64 [N]`.
    Exponential,
}

impl LinkKind {
    const ALL: &[LinkKind] =
        &[LinkKind::Logistic, LinkKind::Softmax, LinkKind::Share, LinkKind::Linear, LinkKind::Exponential];

    /// Name as printed and stored.
    pub fn name(self) -> &'static str {
        match self {
            LinkKind::Logistic => "logistic",
            LinkKind::Softmax => "softmax",
            LinkKind::Share => "share",
            LinkKind::Linear => "linear",
            LinkKind::Exponential => "exponential",
        }
    }
}

/// Turns scores into probabilities or values with integers alone (see [`crate::fixed::link`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The function.
    pub kind: LinkKind,
    /// Fraction bits of a score; 0 to 20 for `Logistic`, `Softmax` and `Exponential`, 0 for `Share`, any for `Linear`.
    pub shift: i16,
    /// `Linear`: added to the score first, on the same grid. `Share` of one score: half of all votes,
    /// `1..=2^32`. Else 0.
    pub offset: i64,
}

impl Link {
    pub(super) fn parse(attrs: &Attrs) -> Result<Link, Error> {
        let word = attrs.word(NAME, "kind")?;
        let kind = LinkKind::ALL.iter().copied().find(|k| k.name() == word);
        let kind = kind
            .ok_or_else(|| misfit(NAME, "kind", "logistic, softmax, share, linear or exponential", &word))?;
        Ok(Link { kind, shift: attrs.int(NAME, "shift")?, offset: attrs.int(NAME, "offset")? })
    }
}

impl Payload for Link {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![
            ("kind", Attr::Word(self.kind.name().to_string())),
            ("shift", Attr::Int(self.shift.into())),
            ("offset", Attr::Int(self.offset)),
        ]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [scores] = arity(NAME, inputs)?;
        let ([rows, Dim::Fixed(width)], DType::I32) = (&scores.shape.0[..], scores.dtype) else {
            return Err(misfit(NAME, "scores", "i32 [N, K]", &scores.describe()));
        };
        if self.kind == LinkKind::Share {
            if self.shift != 0 {
                return Err(misfit(NAME, "shift", "0", &self.shift));
            }
            let (range, expected) = if *width == 1 { (1..=MAX_OFFSET, "1..=2^32") } else { (0..=0, "0") };
            if !range.contains(&self.offset) {
                return Err(misfit(NAME, "offset", expected, &self.offset));
            }
        }
        let powers = matches!(self.kind, LinkKind::Logistic | LinkKind::Softmax | LinkKind::Exponential);
        if powers && !(0..=MAX_SHIFT.cast_signed()).contains(&i32::from(self.shift)) {
            return Err(misfit(NAME, "shift", "0..=20", &self.shift));
        }
        if powers && self.offset != 0 {
            return Err(misfit(NAME, "offset", "0", &self.offset));
        }
        let by = |n: usize| Shape(vec![rows.clone(), Dim::Fixed(n)]);
        match (self.kind, width) {
            (LinkKind::Logistic, 1) => Ok(vec![(DType::F32, by(2))]),
            (LinkKind::Share, 1) => Ok(vec![(DType::F32, by(2))]),
            (LinkKind::Softmax | LinkKind::Share, &k) if k > 0 => Ok(vec![(DType::F32, by(k))]),
            (LinkKind::Linear | LinkKind::Exponential, 1) => {
                Ok(vec![(DType::F64, Shape(vec![rows.clone()]))])
            }
            (LinkKind::Softmax | LinkKind::Share, _) => {
                Err(misfit(NAME, "scores", "one or more a row", width))
            }
            (LinkKind::Logistic | LinkKind::Linear | LinkKind::Exponential, _) => {
                Err(misfit(NAME, "scores", "one a row", width))
            }
        }
    }
}
