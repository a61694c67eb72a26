//! `Forest`: trees over codes.

use super::{Attr, Attrs, Operand, Payload, misfit};
use crate::{DType, Error, Forest, Shape};
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "Forest";

/// `score_k = initial_k + sum over trees of the leaf that the row reaches`, in i32 (see [`Forest`]).
///
/// Inputs: one `u8 [N]` of codes a feature, at least one. Output: `i32 [N, n_outputs]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ForestOp {
    /// The trees; graphs that are made of one another share them.
    pub forest: Arc<Forest>,
}

impl ForestOp {
    pub(super) fn parse(attrs: &Attrs) -> Result<ForestOp, Error> {
        Ok(ForestOp { forest: attrs.forest(NAME, "forest")?.clone() })
    }
}

impl Payload for ForestOp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("forest", Attr::Forest(self.forest.clone()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let n_features = self.forest.features().len();
        if inputs.len() != n_features || inputs.is_empty() {
            return Err(misfit(NAME, "inputs", &n_features.max(1).to_string(), &inputs.len()));
        }
        for input in inputs {
            if input.dtype != DType::U8 || input.shape != inputs[0].shape || input.shape.rank() != 1 {
                return Err(misfit(NAME, "codes", "u8 [N]", &input.describe()));
            }
        }
        let rows = inputs[0].shape.0[0].clone();
        let width = crate::Dim::Fixed(self.forest.n_outputs() as usize);
        Ok(vec![(DType::I32, Shape(vec![rows, width]))])
    }
}
