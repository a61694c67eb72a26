//! `NonMaxSuppression`: boxes without those that overlap better ones.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, flag, misfit, one, ranked};
use crate::op::Attrs;
use crate::{DType, Dim, Shape};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "NonMaxSuppression";

/// ONNX's `NonMaxSuppression`. Inputs: `boxes: f32 [batch, boxes, 4]`, `scores: f32 [batch, classes, boxes]`, the most
/// boxes a class (`i64`), the overlap (intersection over union) from which on a box goes, the score above which a box
/// counts (`f32` each, minus infinity for all). Output: `i64 [n, 3]` of batch, class, box, by falling score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonMaxSuppression {
    /// Boxes are centre and size, not two corners.
    pub by_centre: bool,
}

impl Payload for NonMaxSuppression {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("center_point_box", flag(self.by_centre))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [boxes, scores, most, overlap, least] = arity(NAME, inputs)?;
        for (what, operand) in
            [("boxes", boxes), ("scores", scores), ("thresholds", overlap), ("thresholds", least)]
        {
            if operand.dtype != DType::F32 {
                return Err(misfit(NAME, what, "f32", &operand.describe()));
            }
        }
        super::whole(NAME, "max_output_boxes_per_class", most)?;
        let corners = ranked(NAME, "boxes", boxes, 3)?;
        let classes = ranked(NAME, "scores", scores, 3)?;
        if let (Some([n, k, four]), Some([m, _, l])) = (corners, classes) {
            let fits =
                [(n, m), (k, l), (four, &Dim::Fixed(4))].iter().all(|(a, b)| super::met(a, b).is_some());
            if !fits {
                return Err(misfit(NAME, "scores", &boxes.describe(), &scores.describe()));
            }
        }
        one(DType::I64, Shape(vec![Dim::Unknown, Dim::Fixed(3)]))
    }
}

impl Stored for NonMaxSuppression {
    fn parse(name: &str, attrs: &Attrs) -> Found<NonMaxSuppression> {
        (name == NAME).then(|| Ok(NonMaxSuppression { by_centre: attrs.flag(NAME, "center_point_box")? }))
    }
}
