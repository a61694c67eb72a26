//! Interpolation of images, and regions in them.

use super::step::{Step, flag, word};
use crate::error::Error;
use crate::writer::{Attribute, wide};
use ir::op::tensor::{
    Beyond, Coordinates, GridSample, NearestMode, NonMaxSuppression, Resize, ResizeBy, ResizePolicy,
    RoiAlign, Sampling,
};

fn sampling(sampling: Sampling) -> &'static str {
    match sampling {
        Sampling::Nearest => "nearest",
        Sampling::Linear => "linear",
        Sampling::Cubic => "cubic",
    }
}

pub(super) fn resize(s: &mut Step<'_>, op: &Resize) -> Result<(), Error> {
    let (since, coordinates) = match op.coordinates {
        Coordinates::HalfPixel => (13, "half_pixel"),
        Coordinates::HalfPixelSymmetric => (19, "half_pixel_symmetric"),
        Coordinates::PytorchHalfPixel => (13, "pytorch_half_pixel"),
        Coordinates::AlignCorners => (13, "align_corners"),
        Coordinates::Asymmetric => (13, "asymmetric"),
        Coordinates::TfCropAndResize => (13, "tf_crop_and_resize"),
    };
    s.needs(since);
    let nearest = match op.mode.nearest {
        NearestMode::RoundPreferFloor => "round_prefer_floor",
        NearestMode::RoundPreferCeil => "round_prefer_ceil",
        NearestMode::Floor => "floor",
        NearestMode::Ceil => "ceil",
    };
    let mut attributes = vec![
        ("mode", word(sampling(op.mode.sampling))),
        ("coordinate_transformation_mode", word(coordinates)),
    ];
    if op.mode.sampling == Sampling::Nearest {
        attributes.push(("nearest_mode", word(nearest)));
    }
    if op.mode.sampling == Sampling::Cubic {
        attributes.push(("cubic_coeff_a", Attribute::Float(op.mode.cubic_a)));
    }
    if op.mode.exclude_outside {
        attributes.push(("exclude_outside", flag(true)));
    }
    if op.coordinates == Coordinates::TfCropAndResize {
        attributes.push(("extrapolation_value", Attribute::Float(op.mode.extrapolation)));
    }
    // What came with version 18.
    if op.mode.antialias {
        s.needs(18);
        attributes.push(("antialias", flag(true)));
    }
    if let Some(axes) = &op.axes {
        s.needs(18);
        attributes.push(("axes", Attribute::Ints(axes.clone())));
    }
    let policy = match op.policy {
        ResizePolicy::Stretch => None,
        ResizePolicy::NotLarger => Some("not_larger"),
        ResizePolicy::NotSmaller => Some("not_smaller"),
    };
    if let Some(policy) = policy.filter(|_| op.by == ResizeBy::Sizes) {
        s.needs(18);
        attributes.push(("keep_aspect_ratio_policy", word(policy)));
    }
    let region = if s.n_inputs() > 2 { s.input(2)? } else { String::new() };
    let mut inputs = vec![s.input(0)?, region];
    match op.by {
        ResizeBy::Scales => inputs.push(s.input(1)?),
        ResizeBy::Sizes => inputs.extend([String::new(), s.wide(1)?]),
    }
    let dtype = s.dtype(0)?;
    s.write("Resize", &[dtype], inputs, attributes)
}

/// Version 20 brought images of any number of axes, and other names for the ways of sampling.
pub(super) fn grid_sample(s: &mut Step<'_>, op: GridSample) -> Result<(), Error> {
    if s.axes(0)?.is_none_or(|axes| axes.len() != 4) {
        s.needs(20);
    }
    let mode = match (op.sampling, s.versions.opset) {
        (Sampling::Linear, ..20) => "bilinear",
        (Sampling::Cubic, ..20) => "bicubic",
        (other, _) => sampling(other),
    };
    let beyond = match op.beyond {
        Beyond::Zeros => "zeros",
        Beyond::Border => "border",
        Beyond::Reflection => "reflection",
    };
    let (x, grid, inputs) = (s.dtype(0)?, s.dtype(1)?, s.inputs()?);
    let attributes =
        vec![("mode", word(mode)), ("padding_mode", word(beyond)), ("align_corners", flag(op.align_corners))];
    s.write("GridSample", &[x, grid], inputs, attributes)
}

/// Before version 16 there was no half pixel.
pub(super) fn roi_align(s: &mut Step<'_>, op: RoiAlign) -> Result<(), Error> {
    let mut attributes = vec![
        ("mode", word(if op.of_max { "max" } else { "avg" })),
        ("output_height", Attribute::Int(wide(op.height))),
        ("output_width", Attribute::Int(wide(op.width))),
        ("sampling_ratio", Attribute::Int(wide(op.sampling_ratio))),
        ("spatial_scale", Attribute::Float(op.spatial_scale)),
    ];
    if op.half_pixel {
        s.needs(16);
    }
    if s.versions.opset >= 16 {
        let mode = if op.half_pixel { "half_pixel" } else { "output_half_pixel" };
        attributes.push(("coordinate_transformation_mode", word(mode)));
    }
    let (dtype, inputs) = (s.dtype(0)?, vec![s.input(0)?, s.input(1)?, s.wide(2)?]);
    s.write("RoiAlign", &[dtype], inputs, attributes)
}

pub(super) fn non_max_suppression(s: &mut Step<'_>, op: NonMaxSuppression) -> Result<(), Error> {
    let mut inputs = vec![s.input(0)?, s.input(1)?, s.wide(2)?];
    for at in 3..s.n_inputs() {
        inputs.push(s.input(at)?);
    }
    let dtype = s.dtype(0)?;
    let by_centre = Attribute::Int(op.by_centre.into());
    s.write("NonMaxSuppression", &[dtype], inputs, vec![("center_point_box", by_centre)])
}
