//! `BagGather`: some ids of a bag as columns.

use super::{Attr, Attrs, Operand, Payload, arity, bag, misfit, wide};
use crate::{DType, Error, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;

pub(super) const NAME: &str = "BagGather";

/// `out[n, j] = weight of ids[j] in row n`, 0 where the row has not the id: a term that does not stand in a
/// text has the weight 0, and so has every term of a missing text.
///
/// Inputs: a bag `[N, V]` and `ids [M]`, a constant `i64`, strictly rising, below `V`. Output: `f64 [N, M]`.
/// ONNX has no bags; on the dense matrix this would be `Gather` along the last axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct BagGather;

impl BagGather {
    pub(super) fn parse(_: &Attrs) -> Result<BagGather, Error> {
        Ok(BagGather)
    }
}

impl Payload for BagGather {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Result<Vec<(DType, Shape)>, Error> {
        let [bags, ids] = arity(NAME, inputs)?;
        let (rows, width) = bag(NAME, bags)?;
        let (Some(TensorData::I64(known)), 1) = (ids.constant.map(|c| c.data()), ids.shape.rank()) else {
            return Err(misfit(NAME, "ids", "a constant i64 [M]", &ids.describe()));
        };
        if !known.is_sorted_by(|a, b| a < b) {
            return Err(misfit(NAME, "ids", "strictly rising ids", &"another order"));
        }
        let inside = |id: &i64| usize::try_from(*id).is_ok_and(|id| id < width);
        if let Some(id) = [known.first(), known.last()].into_iter().flatten().find(|id| !inside(id)) {
            return Err(misfit(NAME, "id", &alloc::format!("0 or more, below {width}"), id));
        }
        Ok(vec![(DType::F64, wide(NAME, rows, known.len())?)])
    }
}
