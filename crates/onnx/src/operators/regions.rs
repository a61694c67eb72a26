//! Interpolation of images, and regions in them.

use super::{Operator, Outputs};
use crate::context::Context;
use crate::error::Error;
use ir::op::tensor::{
    Beyond, Cast, Coordinates, GridSample, NearestMode, NonMaxSuppression, Resize, ResizeBy, ResizeMode,
    ResizePolicy, RoiAlign, Sampling,
};
use ir::{DType, Tensor, TensorData};

pub(super) const OPERATORS: &[Operator] = &[
    Operator::of("Resize", 10, resize),
    Operator::of("Upsample", 7, upsample),
    Operator::of("GridSample", 16, grid_sample),
    Operator::of("RoiAlign", 10, roi_align),
    Operator::of("NonMaxSuppression", 10, non_max_suppression),
];

fn sampling(c: &Context<'_, '_>, default: &str) -> Result<Sampling, Error> {
    match c.word("mode", default)?.as_str() {
        "nearest" => Ok(Sampling::Nearest),
        "linear" | "bilinear" => Ok(Sampling::Linear),
        "cubic" | "bicubic" => Ok(Sampling::Cubic),
        other => Err(c.misfit("attribute \"mode\"", "nearest, linear or cubic", other)),
    }
}

/// Before opset 11: places are divided by the factor, the nearest element is the one before.
fn old(sampling: Sampling) -> Resize {
    Resize {
        by: ResizeBy::Scales,
        policy: ResizePolicy::Stretch,
        axes: None,
        coordinates: Coordinates::Asymmetric,
        mode: ResizeMode {
            sampling,
            nearest: NearestMode::Floor,
            cubic_a: -0.75,
            exclude_outside: false,
            antialias: false,
            extrapolation: 0.0,
        },
    }
}

fn upsample(c: &mut Context<'_, '_>) -> Outputs {
    let op = old(sampling(c, "nearest")?);
    let x = c.input(0)?;
    let scales = match c.floats("scales") {
        Some(scales) => c.add_constant(Tensor::vector(TensorData::F32(scales)))?,
        None => c.input(1)?,
    };
    c.emit_all(op, &[x, scales])
}

fn coordinates(c: &Context<'_, '_>) -> Result<Coordinates, Error> {
    match c.word("coordinate_transformation_mode", "half_pixel")?.as_str() {
        "half_pixel" => Ok(Coordinates::HalfPixel),
        "half_pixel_symmetric" => Ok(Coordinates::HalfPixelSymmetric),
        "pytorch_half_pixel" => Ok(Coordinates::PytorchHalfPixel),
        "align_corners" => Ok(Coordinates::AlignCorners),
        "asymmetric" => Ok(Coordinates::Asymmetric),
        "tf_crop_and_resize" => Ok(Coordinates::TfCropAndResize),
        other => {
            let what = format!("coordinate_transformation_mode={other}");
            Err(c.unsupported(&what, "use half_pixel, pytorch_half_pixel, align_corners or asymmetric"))
        }
    }
}

fn resize(c: &mut Context<'_, '_>) -> Outputs {
    let sampling = sampling(c, "nearest")?;
    let x = c.input(0)?;
    if c.opset < 11 {
        let scales = c.input(1)?;
        return c.emit_all(old(sampling), &[x, scales]);
    }
    let nearest = match c.word("nearest_mode", "round_prefer_floor")?.as_str() {
        "round_prefer_floor" => NearestMode::RoundPreferFloor,
        "round_prefer_ceil" => NearestMode::RoundPreferCeil,
        "floor" => NearestMode::Floor,
        "ceil" => NearestMode::Ceil,
        other => return Err(c.misfit("attribute \"nearest_mode\"", "a way of rounding", other)),
    };
    let policy = match c.word("keep_aspect_ratio_policy", "stretch")?.as_str() {
        "stretch" => ResizePolicy::Stretch,
        "not_larger" => ResizePolicy::NotLarger,
        "not_smaller" => ResizePolicy::NotSmaller,
        other => {
            return Err(c.misfit("keep_aspect_ratio_policy", "stretch, not_larger or not_smaller", other));
        }
    };
    let mode = ResizeMode {
        sampling,
        nearest,
        cubic_a: c.float("cubic_coeff_a", -0.75)?,
        exclude_outside: c.flag("exclude_outside", false)?,
        antialias: c.flag("antialias", false)?,
        extrapolation: c.float("extrapolation_value", 0.0)?,
    };
    // Opset 11 had empty tensors where others leave an input out.
    let given = |c: &Context<'_, '_>, at: usize| c.optional(at).filter(|&v| c.length(v, 0) != Some(0));
    let (by, wanted) = match (given(c, 2), given(c, 3)) {
        (Some(scales), None) => (ResizeBy::Scales, scales),
        (None, Some(sizes)) => (ResizeBy::Sizes, sizes),
        (Some(_), Some(_)) => return Err(c.misfit("inputs", "scales or sizes", "both")),
        (None, None) => return Err(c.misfit("inputs", "scales or sizes", "neither")),
    };
    let op = Resize { by, policy, axes: c.ints("axes"), coordinates: coordinates(c)?, mode };
    let mut inputs = vec![x, wanted];
    if op.coordinates == Coordinates::TfCropAndResize {
        inputs.push(c.input(1)?);
    }
    c.emit_all(op, &inputs)
}

fn grid_sample(c: &mut Context<'_, '_>) -> Outputs {
    let beyond = match c.word("padding_mode", "zeros")?.as_str() {
        "zeros" => Beyond::Zeros,
        "border" => Beyond::Border,
        "reflection" => Beyond::Reflection,
        other => return Err(c.misfit("attribute \"padding_mode\"", "zeros, border or reflection", other)),
    };
    let op = GridSample {
        sampling: sampling(c, "linear")?,
        beyond,
        align_corners: c.flag("align_corners", false)?,
    };
    let inputs = c.all_inputs()?;
    c.emit_all(op, &inputs)
}

fn roi_align(c: &mut Context<'_, '_>) -> Outputs {
    let of_max = match c.word("mode", "avg")?.as_str() {
        "avg" => false,
        "max" => true,
        other => return Err(c.misfit("attribute \"mode\"", "avg or max", other)),
    };
    // Before opset 16 there was no half pixel.
    let default = if c.opset < 16 { "output_half_pixel" } else { "half_pixel" };
    let half_pixel = match c.word("coordinate_transformation_mode", default)?.as_str() {
        "half_pixel" => true,
        "output_half_pixel" => false,
        other => {
            return Err(c.misfit("coordinate_transformation_mode", "half_pixel or output_half_pixel", other));
        }
    };
    let op = RoiAlign {
        height: c.count("output_height", c.int("output_height", 1)?)?,
        width: c.count("output_width", c.int("output_width", 1)?)?,
        sampling_ratio: c.count("sampling_ratio", c.int("sampling_ratio", 0)?)?,
        spatial_scale: c.float("spatial_scale", 1.0)?,
        of_max,
        half_pixel,
    };
    let inputs = c.all_inputs()?;
    c.emit_all(op, &inputs)
}

fn non_max_suppression(c: &mut Context<'_, '_>) -> Outputs {
    let by_centre = c.flag("center_point_box", false)?;
    let (boxes, scores) = (c.input(0)?, c.input(1)?);
    let most = match c.optional(2) {
        Some(most) => c.emit(Cast::to(DType::I64), &[most])?,
        None => c.whole(0)?,
    };
    let mut bound = |at: usize, default: f32| match c.optional(at) {
        Some(value) => Ok(value),
        None => c.scalar_data(TensorData::F32(vec![default])),
    };
    let (overlap, least) = (bound(3, 0.0)?, bound(4, f32::NEG_INFINITY)?);
    c.emit_all(NonMaxSuppression { by_centre }, &[boxes, scores, most, overlap, least])
}
