//! `DepthToSpace`, `SpaceToDepth`: channels to pixels and back.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, misfit, numbers, one, ranked, word};
use crate::op::Attrs;
use crate::{Dim, Shape};
use alloc::vec;
use alloc::vec::Vec;

/// ONNX's operators of these names on `[N, C, H, W]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepthSpace {
    /// `[N, C, H, W]` to `[N, C / (b b), H b, W b]`.
    ToSpace {
        /// Length of a block.
        block: usize,
        /// The place in the block is the last part of a channel (CRD), not the first (DCR).
        last: bool,
    },
    /// `[N, C, H, W]` to `[N, C b b, H / b, W / b]`.
    ToDepth {
        /// Length of a block.
        block: usize,
    },
}

impl Payload for DepthSpace {
    fn name(&self) -> &'static str {
        match self {
            DepthSpace::ToSpace { .. } => "DepthToSpace",
            DepthSpace::ToDepth { .. } => "SpaceToDepth",
        }
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        match self {
            DepthSpace::ToSpace { block, last } => {
                vec![("blocksize", numbers(&[*block])), ("mode", word(if *last { "CRD" } else { "DCR" }))]
            }
            DepthSpace::ToDepth { block } => vec![("blocksize", numbers(&[*block]))],
        }
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x] = arity(self.name(), inputs)?;
        let (DepthSpace::ToSpace { block, .. } | DepthSpace::ToDepth { block }) = *self;
        if block == 0 || block > 1 << 16 {
            return Err(misfit(self.name(), "blocksize", "1 to 65536", &block));
        }
        let Some([n, c, h, w]) = ranked(self.name(), "input", x, 4)? else {
            return one(x.dtype, Shape::of_rank(4));
        };
        let misfits = || misfit(self.name(), "input", "whole blocks", &x.describe());
        let more = |dim: &Dim, by: usize| -> Result<Dim, crate::Error> {
            match dim {
                Dim::Fixed(k) => Ok(Dim::Fixed(k.checked_mul(by).ok_or_else(misfits)?)),
                _ => Ok(Dim::Unknown),
            }
        };
        let less = |dim: &Dim, by: usize| match dim {
            Dim::Fixed(k) if k % by == 0 => Ok(Dim::Fixed(k / by)),
            Dim::Fixed(_) => Err(misfits()),
            _ => Ok(Dim::Unknown),
        };
        let dims = match self {
            DepthSpace::ToSpace { .. } => {
                vec![n.clone(), less(c, block * block)?, more(h, block)?, more(w, block)?]
            }
            DepthSpace::ToDepth { .. } => {
                vec![n.clone(), more(c, block * block)?, less(h, block)?, less(w, block)?]
            }
        };
        one(x.dtype, Shape(dims))
    }
}

impl Stored for DepthSpace {
    fn parse(name: &str, attrs: &Attrs) -> Found<DepthSpace> {
        let to_space = || {
            let op = "DepthToSpace";
            let last = attrs.one_of(op, "mode", &[false, true], |last| if *last { "CRD" } else { "DCR" })?;
            Ok(DepthSpace::ToSpace { block: attrs.count(op, "blocksize")?, last })
        };
        match name {
            "DepthToSpace" => Some(to_space()),
            "SpaceToDepth" => {
                let block = attrs.count("SpaceToDepth", "blocksize");
                Some(block.map(|block| DepthSpace::ToDepth { block }))
            }
            _ => None,
        }
    }
}
