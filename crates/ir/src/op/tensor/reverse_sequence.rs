//! `ReverseSequence`: the first elements of each sequence turned round.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, misfit, numbers, one, whole};
use crate::op::Attrs;
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "ReverseSequence";

/// ONNX's `ReverseSequence`. Inputs: any tensor of two axes or more, and how many steps of each row are turned round,
/// `i64 [batch]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReverseSequence {
    /// The axis of rows, 0 or 1.
    pub batch_axis: usize,
    /// The axis of steps, the other one.
    pub time_axis: usize,
}

impl Payload for ReverseSequence {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("batch_axis", numbers(&[self.batch_axis])), ("time_axis", numbers(&[self.time_axis]))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, lengths] = arity(NAME, inputs)?;
        whole(NAME, "sequence_lens", lengths)?;
        if (self.batch_axis + self.time_axis, self.batch_axis.max(self.time_axis)) != (1, 1) {
            return Err(misfit(NAME, "axes", "0 and 1, or 1 and 0", &self.batch_axis));
        }
        if let Some(axes) = x.shape.axes() {
            let own = super::ranked(NAME, "sequence_lens", lengths, 1)?;
            let batch = axes.get(self.batch_axis);
            if axes.len() < 2 || own.zip(batch).is_some_and(|(own, b)| super::met(&own[0], b).is_none()) {
                return Err(misfit(NAME, "sequence_lens", &x.describe(), &lengths.describe()));
            }
        }
        one(x.dtype, x.shape.clone())
    }
}

impl Stored for ReverseSequence {
    fn parse(name: &str, attrs: &Attrs) -> Found<ReverseSequence> {
        (name == NAME).then(|| {
            Ok(ReverseSequence {
                batch_axis: attrs.count(NAME, "batch_axis")?,
                time_axis: attrs.count(NAME, "time_axis")?,
            })
        })
    }
}
