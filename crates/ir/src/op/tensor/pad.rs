//! `Pad`: elements around a tensor.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, axes_of, between, ints, misfit, one, whole, word};
use crate::op::Attrs;
use crate::{Dim, Error, Shape};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "Pad";

/// Largest pad; sums of two and a length stay far from what can be counted.
const MAX_PAD: u64 = 1 << 40;

/// What stands in the pad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PadMode {
    /// One value.
    Constant,
    /// The outermost element.
    Edge,
    /// The tensor mirrored, without its outermost element.
    Reflect,
    /// The tensor again.
    Wrap,
}

impl PadMode {
    fn name(self) -> &'static str {
        match self {
            PadMode::Constant => "constant",
            PadMode::Edge => "edge",
            PadMode::Reflect => "reflect",
            PadMode::Wrap => "wrap",
        }
    }
}

/// ONNX's `Pad`. Inputs: any tensor; `pads: i64 [2 axes]`, first all before, then all after, below 0 to cut; the
/// value, one element; and the axes, which may be left out for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pad {
    /// What stands in the pad.
    pub mode: PadMode,
}

impl Pad {
    /// Pads before and after each axis.
    ///
    /// # Errors
    /// Another number of pads than of axes, or axes that are none.
    pub fn sides(pads: &[i64], axes: Option<&[i64]>, rank: usize) -> Result<Vec<(i64, i64)>, Error> {
        let places = match axes {
            Some(axes) => axes_of(NAME, axes, rank)?,
            None => (0..rank).collect(),
        };
        if pads.len() != 2 * places.len() {
            return Err(misfit(NAME, "pads", &alloc::format!("{}", 2 * places.len()), &pads.len()));
        }
        if let Some(n) = pads.iter().find(|n| n.unsigned_abs() > MAX_PAD) {
            return Err(misfit(NAME, "pads", "-2^40 to 2^40", n));
        }
        let mut sides = vec![(0, 0); rank];
        for (at, &axis) in places.iter().enumerate() {
            sides[axis] = (pads[at], pads[at + places.len()]);
        }
        Ok(sides)
    }
}

impl Payload for Pad {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![("mode", word(self.mode.name()))]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        between(NAME, inputs, 3, 4)?;
        let (x, pads, value) = (&inputs[0], &inputs[1], &inputs[2]);
        whole(NAME, "pads", pads)?;
        if value.dtype != x.dtype || value.shape.lengths().is_some_and(|l| l.iter().any(|&n| n != 1)) {
            return Err(misfit(NAME, "value", &alloc::format!("{} []", x.dtype), &value.describe()));
        }
        let Some(dims) = x.shape.axes() else { return one(x.dtype, Shape::any()) };
        let axes = match inputs.get(3) {
            None => Some(None),
            Some(axes) => ints(axes).map(Some),
        };
        let (Some(pads), Some(axes)) = (ints(pads), axes) else {
            return one(x.dtype, Shape::of_rank(dims.len()));
        };
        let sides = Pad::sides(&pads, axes.as_deref(), dims.len())?;
        let mut made = Vec::with_capacity(dims.len());
        for (dim, (before, after)) in dims.iter().zip(sides) {
            made.push(match dim {
                _ if (before, after) == (0, 0) => dim.clone(),
                Dim::Fixed(n) => {
                    let size = i64::try_from(*n).ok();
                    let padded = size.and_then(|n| n.checked_add(before)?.checked_add(after));
                    let padded = padded.and_then(|n| usize::try_from(n).ok());
                    let fits = match self.mode {
                        PadMode::Constant => true,
                        PadMode::Edge | PadMode::Wrap => *n > 0,
                        PadMode::Reflect => *n > 0 && before.max(after) < size.unwrap_or(0).max(1),
                    };
                    let expected = "pads that the axis can have in this mode";
                    let misfits = || misfit(NAME, "pads", expected, &alloc::format!("{before} {n} {after}"));
                    Dim::Fixed(padded.filter(|_| fits).ok_or_else(misfits)?)
                }
                _ => Dim::Unknown,
            });
        }
        one(x.dtype, Shape(made))
    }
}

impl Stored for Pad {
    fn parse(name: &str, attrs: &Attrs) -> Found<Pad> {
        (name == NAME).then(|| {
            let all = [PadMode::Constant, PadMode::Edge, PadMode::Reflect, PadMode::Wrap];
            Ok(Pad { mode: attrs.one_of(NAME, "mode", &all, |m| m.name())? })
        })
    }
}
