//! `RoiAlign`: pooling of regions of images.

use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, arity, flag, floats, met, misfit, numbers, one, ranked, whole};
use crate::op::Attrs;
use crate::{Dim, Shape};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "RoiAlign";

/// ONNX's `RoiAlign`: each region is cut in `height x width` bins, each bin is the mean or the largest of points
/// that are interpolated linearly.
///
/// Inputs: `x: [N, C, H, W]`, `rois: [R, 4]` (x1, y1, x2, y2), and the image of each, `i64 [R]`. Output: `[R, C,
/// height, width]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoiAlign {
    /// Bins down.
    pub height: usize,
    /// Bins across.
    pub width: usize,
    /// Points a bin on each axis; 0 for as many as the bin has pixels.
    pub sampling_ratio: usize,
    /// From places of `rois` to places of `x`.
    pub spatial_scale: f32,
    /// The largest, not the mean.
    pub of_max: bool,
    /// Pixels' centres stand at halves.
    pub half_pixel: bool,
}

impl Payload for RoiAlign {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        vec![
            ("output_height", numbers(&[self.height])),
            ("output_width", numbers(&[self.width])),
            ("sampling_ratio", numbers(&[self.sampling_ratio])),
            ("spatial_scale", Attr::Float(self.spatial_scale)),
            ("of_max", flag(self.of_max)),
            ("half_pixel", flag(self.half_pixel)),
        ]
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let [x, rois, images] = arity(NAME, inputs)?;
        floats(NAME, "input", x)?;
        super::alike(NAME, x, &[*rois])?;
        whole(NAME, "batch_indices", images)?;
        let channels = match ranked(NAME, "input", x, 4)? {
            Some([_, channels, ..]) => channels.clone(),
            _ => Dim::Unknown,
        };
        let n = match (ranked(NAME, "rois", rois, 2)?, ranked(NAME, "batch_indices", images, 1)?) {
            (Some([n, four]), Some([m])) => match met(n, m) {
                Some(n) if met(four, &Dim::Fixed(4)).is_some() => n,
                _ => return Err(misfit(NAME, "rois", "[R, 4] and [R]", &rois.describe())),
            },
            _ => Dim::Unknown,
        };
        if self.sampling_ratio > 1 << 10 {
            return Err(misfit(NAME, "sampling_ratio", "at most 1024", &self.sampling_ratio));
        }
        one(x.dtype, Shape(vec![n, channels, Dim::Fixed(self.height), Dim::Fixed(self.width)]))
    }

    fn is_exact(&self) -> bool {
        false
    }
}

impl Stored for RoiAlign {
    fn parse(name: &str, attrs: &Attrs) -> Found<RoiAlign> {
        (name == NAME).then(|| {
            Ok(RoiAlign {
                height: attrs.count(NAME, "output_height")?,
                width: attrs.count(NAME, "output_width")?,
                sampling_ratio: attrs.count(NAME, "sampling_ratio")?,
                spatial_scale: attrs.float(NAME, "spatial_scale")?,
                of_max: attrs.flag(NAME, "of_max")?,
                half_pixel: attrs.flag(NAME, "half_pixel")?,
            })
        })
    }
}
