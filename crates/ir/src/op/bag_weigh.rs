//! `BagWeigh`: counts of a bag to weights.

use super::{Attr, Attrs, Operand, Payload, bag, misfit};
use crate::fixed::math;
use crate::{DType, Dim, Error, Shape, TensorData};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "BagWeigh";

/// What a count counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermFrequency {
    /// `count`
    Raw,
    /// `1 + ln count`
    Sublinear,
    /// `1`
    Binary,
}

impl TermFrequency {
    /// Every member.
    pub const ALL: &'static [TermFrequency] =
        &[TermFrequency::Raw, TermFrequency::Sublinear, TermFrequency::Binary];

    /// Name as printed and stored.
    pub fn name(self) -> &'static str {
        match self {
            TermFrequency::Raw => "raw",
            TermFrequency::Sublinear => "sublinear",
            TermFrequency::Binary => "binary",
        }
    }

    /// The member of a name.
    pub fn parse(name: &str) -> Option<TermFrequency> {
        TermFrequency::ALL.iter().copied().find(|t| t.name() == name)
    }

    fn of(self, count: f64) -> f64 {
        match self {
            TermFrequency::Raw => count,
            TermFrequency::Sublinear => 1.0 + math::log(count),
            TermFrequency::Binary => 1.0,
        }
    }
}

/// Length that a row is brought to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BagNorm {
    /// The row stays as it is.
    None,
    /// The sum of absolute weights is 1.
    L1,
    /// The sum of squared weights is 1.
    L2,
}

impl BagNorm {
    /// Every member.
    pub const ALL: &'static [BagNorm] = &[BagNorm::None, BagNorm::L1, BagNorm::L2];

    /// Name as printed and stored.
    pub fn name(self) -> &'static str {
        match self {
            BagNorm::None => "none",
            BagNorm::L1 => "l1",
            BagNorm::L2 => "l2",
        }
    }

    /// The member of a name.
    pub fn parse(name: &str) -> Option<BagNorm> {
        BagNorm::ALL.iter().copied().find(|n| n.name() == name)
    }
}

/// `w = tf(count) * idf[id]`, then each row divided by its norm: l1 is `sum |w|`, l2 `sqrt(sum w^2)`, summed
/// over rising ids from 0, every operation rounded to double. A row whose norm is 0 stays as it is; every
/// NaN is the one of [`f64::NAN`].
///
/// Inputs: a bag `[N, V]`, and optionally `idf [V]`, a constant of finite `f64`, without which it is 1.
/// Output: a bag `[N, V]` of the same ids. In ONNX this is the weighting inside of `TfIdfVectorizer`, which
/// has neither the sublinear frequency nor a norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BagWeigh {
    /// What a count counts.
    pub term_frequency: TermFrequency,
    /// Length that a row is brought to.
    pub norm: BagNorm,
}

impl BagWeigh {
    pub(super) fn parse(attrs: &Attrs) -> Result<BagWeigh, Error> {
        let word = attrs.word(NAME, "term_frequency")?;
        let frequency = TermFrequency::parse(word);
        let term_frequency =
            frequency.ok_or_else(|| misfit(NAME, "term_frequency", "raw, sublinear or binary", &word))?;
        let word = attrs.word(NAME, "norm")?;
        let norm = BagNorm::parse(word).ok_or_else(|| misfit(NAME, "norm", "none, l1 or l2", &word))?;
        Ok(BagWeigh { term_frequency, norm })
    }

    /// Turns the counts of one row into weights; an id beyond `idf` has 1.
    pub fn weigh(self, ids: &[u32], weights: &mut [f64], idf: Option<&[f64]>) {
        for (&id, weight) in ids.iter().zip(weights.iter_mut()) {
            *weight = self.term_frequency.of(*weight);
            if let Some(idf) = idf.and_then(|idf| idf.get(id as usize)) {
                *weight *= idf;
            }
        }
        let length = match self.norm {
            BagNorm::None => 0.0,
            BagNorm::L1 => weights.iter().fold(0.0, |sum, w| sum + w.abs()),
            BagNorm::L2 => math::sqrt(weights.iter().fold(0.0, |sum, w| sum + w * w)),
        };
        for weight in weights {
            if length != 0.0 {
                *weight /= length;
            }
            if weight.is_nan() {
                *weight = f64::NAN;
            }
        }
    }
}

impl Payload for BagWeigh {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![
            ("term_frequency", Attr::Word(self.term_frequency.name().to_string())),
            ("norm", Attr::Word(self.norm.name().to_string())),
        ]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let ([counts] | [counts, _]) = inputs else {
            return Err(misfit(NAME, "inputs", "1 or 2", &inputs.len()));
        };
        let (_, width) = bag(NAME, counts)?;
        if let Some(idf) = inputs.get(1) {
            let values = match (idf.constant.map(|c| c.data()), &idf.shape.0[..]) {
                (Some(TensorData::F64(values)), [Dim::Fixed(n)]) if *n == width => values,
                _ => {
                    let expected = alloc::format!("a constant f64 [{width}]");
                    return Err(misfit(NAME, "idf", &expected, &idf.describe()));
                }
            };
            if let Some(odd) = values.iter().find(|v| !v.is_finite()) {
                return Err(misfit(NAME, "idf", "finite numbers", odd));
            }
        }
        Ok(vec![(DType::Bag, counts.shape.clone())])
    }
}
