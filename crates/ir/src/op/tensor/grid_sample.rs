//! `GridSample`: interpolation at given places.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, flag, floats, met, misfit, one, word};
use crate::op::Attrs;
use crate::{Dim, Shape};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "GridSample";

/// How elements around a place make its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// The nearest one, ties to even.
    Nearest,
    /// The two on each axis, by distance.
    Linear,
    /// Four on each axis, by a cubic with `a = -0.75`.
    Cubic,
}

impl Sampling {
    /// Every member.
    pub const ALL: &'static [Sampling] = &[Sampling::Nearest, Sampling::Linear, Sampling::Cubic];

    /// Name as ONNX writes it.
    pub fn name(self) -> &'static str {
        match self {
            Sampling::Nearest => "nearest",
            Sampling::Linear => "linear",
            Sampling::Cubic => "cubic",
        }
    }
}

/// What stands beyond the borders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// Zeros.
    Zeros,
    /// The element at the border.
    Border,
    /// The image mirrored at the border.
    Reflection,
}

impl Beyond {
    fn name(self) -> &'static str {
        match self {
            Beyond::Zeros => "zeros",
            Beyond::Border => "border",
            Beyond::Reflection => "reflection",
        }
    }
}

/// ONNX's `GridSample`. Inputs: `x: [N, C, D..]`, and `grid: [N, out.., axes]` with places from -1 to 1, the last
/// axis of the image first. Output: `[N, C, out..]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridSample {
    /// How values are made.
    pub sampling: Sampling,
    /// What stands beyond the borders.
    pub beyond: Beyond,
    /// -1 and 1 are the centres of the outermost elements, not their outer edges.
    pub align_corners: bool,
}

impl Payload for GridSample {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![
            ("mode", word(self.sampling.name())),
            ("padding_mode", word(self.beyond.name())),
            ("align_corners", flag(self.align_corners)),
        ]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, grid] = arity(NAME, inputs)?;
        floats(NAME, "input", x)?;
        floats(NAME, "grid", grid)?;
        let (Some(axes), Some(places)) = (x.shape.axes(), grid.shape.axes()) else {
            return one(x.dtype, Shape::any());
        };
        match (axes, places) {
            ([n, channels, space @ ..], [m, out @ .., depth])
                if !space.is_empty()
                    && out.len() == space.len()
                    && met(n, m).is_some()
                    && met(depth, &Dim::Fixed(space.len())).is_some() =>
            {
                let mut dims = vec![n.clone(), channels.clone()];
                dims.extend(out.iter().cloned());
                one(x.dtype, Shape(dims))
            }
            _ => Err(misfit(NAME, "grid", "[N, out.., axes] for [N, C, axes..]", &grid.describe())),
        }
    }

    fn is_exact(&self) -> bool {
        false
    }
}

impl Stored for GridSample {
    fn parse(name: &str, attrs: &Attrs) -> Found<GridSample> {
        (name == NAME).then(|| {
            let all = [Beyond::Zeros, Beyond::Border, Beyond::Reflection];
            Ok(GridSample {
                sampling: attrs.one_of(NAME, "mode", Sampling::ALL, |s| s.name())?,
                beyond: attrs.one_of(NAME, "padding_mode", &all, |b| b.name())?,
                align_corners: attrs.flag(NAME, "align_corners")?,
            })
        })
    }
}
