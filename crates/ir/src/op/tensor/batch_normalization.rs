//! `BatchNormalization` with statistics that are known.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, floats, misfit, one};
use crate::Dim;
use crate::op::Attrs;
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "BatchNormalization";

/// `y = scale * (x - mean) / sqrt(variance + epsilon) + bias`, by channel (axis 1).
///
/// Inputs: `x: [N, C, ..]`, then `scale`, `bias`, `mean`, `variance`, each `[C]`. Output: as `x`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNormalization {
    /// Added to the variance.
    pub epsilon: f32,
}

impl Payload for BatchNormalization {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("epsilon", Attr::Float(self.epsilon))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, statistics @ ..] = arity::<5>(NAME, inputs)?;
        floats(NAME, "input", x)?;
        let channels = match x.shape.axes() {
            None => &Dim::Unknown,
            Some([_, channels, ..]) => channels,
            Some(_) => return Err(misfit(NAME, "input", "[N, C, ..]", &x.describe())),
        };
        for operand in statistics {
            floats(NAME, "statistics", operand)?;
            match operand.shape.axes() {
                None => {}
                Some([n]) if super::met(n, channels).is_some() => {}
                Some(_) => {
                    let expected = alloc::format!("[{channels}]");
                    return Err(misfit(NAME, "statistics", &expected, &operand.describe()));
                }
            }
        }
        one(x.dtype, x.shape.clone())
    }

    fn is_exact(&self) -> bool {
        false
    }
}

impl Stored for BatchNormalization {
    fn parse(name: &str, attrs: &Attrs) -> Found<BatchNormalization> {
        (name == NAME).then(|| Ok(BatchNormalization { epsilon: attrs.float(NAME, "epsilon")? }))
    }
}
