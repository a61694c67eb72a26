//! Interpolation of images, and regions in them.

use super::{Operator, Outputs};
use crate::context::Context;
use crate::error::Error;
use ir::op::tensor::{
    Beyond, Binary, Cast, Concat, ConstantOfShape, Coordinates, Expand, Gather, GridSample, MatMul,
    NearestMode, NonMaxSuppression, Range, Reshape, Resize, ResizeBy, ResizeMode, ResizePolicy, RoiAlign,
    Sampling, Slice, Squeeze, Transpose,
};
use ir::{DType, Tensor, TensorData, ValueIdx};

pub(super) const OPERATORS: &[Operator] = &[
    Operator::of("Resize", 10, resize),
    Operator::of("Upsample", 7, upsample),
    Operator::of("GridSample", 16, grid_sample),
    Operator::of("AffineGrid", 20, affine_grid),
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

/// Places from -1 to 1 along an axis of a length `[]`: centres of elements, or with the outermost ones at the ends.
fn places(c: &mut Context<'_, '_>, length: ValueIdx, dtype: DType, align: bool) -> Result<ValueIdx, Error> {
    let length = c.emit(Cast::to(dtype), &[length])?;
    let (zero, one, two) = (c.number(dtype, 0.0)?, c.number(dtype, 1.0)?, c.number(dtype, 2.0)?);
    let at = c.emit(Range, &[zero, length, one])?;
    let twice = c.emit(Binary::Mul, &[at, two])?;
    let (twice, whole) = match align {
        true => (twice, c.emit(Binary::Sub, &[length, one])?),
        false => (c.emit(Binary::Add, &[twice, one])?, length),
    };
    let share = c.emit(Binary::Div, &[twice, whole])?;
    c.emit(Binary::Sub, &[share, one])
}

/// `grid[n, place] = theta[n] (x, y, .., 1)` for the places of an image of `size: [N, C, lengths..]`.
fn affine_grid(c: &mut Context<'_, '_>) -> Outputs {
    let align = c.flag("align_corners", false)?;
    let (theta, size) = (c.input(0)?, c.input(1)?);
    let dtype = c.dtype(theta);
    let rank = c.length(theta, 1).or_else(|| c.length(size, 0).and_then(|n| n.checked_sub(2)));
    let rank = rank.filter(|r| (1..=3).contains(r)).and_then(|r| i64::try_from(r).ok());
    let rank =
        rank.ok_or_else(|| c.unsupported("a grid of another or unknown number of axes", "use 2 or 3"))?;
    let part = |c: &mut Context<'_, '_>, from: i64, to: i64| -> Result<ValueIdx, Error> {
        let inputs = [size, c.list(&[from])?, c.list(&[to])?];
        c.emit(Slice { has_axes: false, has_steps: false }, &inputs)
    };
    let (batch, lengths) = (part(c, 0, 1)?, part(c, 2, i64::MAX)?);
    let last = c.list(&[-1])?;
    let mut columns = Vec::new();
    // The last axis of the image comes first, and a one at the end.
    for axis in (0..rank).rev() {
        let at = c.whole(axis)?;
        let length = c.emit(Gather::Slices { axis: 0 }, &[lengths, at])?;
        let places = places(c, length, dtype, align)?;
        let behind: Vec<i64> = (1..rank - axis).collect();
        let behind = c.list(&behind)?;
        let places = c.emit(Squeeze::Add, &[places, behind])?;
        let places = c.emit(Expand, &[places, lengths])?;
        columns.push(c.emit(Squeeze::Add, &[places, last])?);
    }
    let one = crate::tensor::scalar(dtype, 1.0).map(Tensor::vector);
    let value = one.ok_or_else(|| c.misfit("theta", "floats", dtype.name()))?;
    let ones = c.emit(ConstantOfShape { value }, &[lengths])?;
    columns.push(c.emit(Squeeze::Add, &[ones, last])?);
    let grid = c.emit(Concat { axis: -1 }, &columns)?;
    let flat = c.list(&[-1, rank + 1])?;
    let grid = c.emit(Reshape::To { allow_zero: false }, &[grid, flat])?;
    let turned = c.emit(Transpose { order: Some(vec![0, 2, 1]) }, &[theta])?;
    let moved = c.emit(MatMul::Numbers, &[grid, turned])?;
    let depth = c.list(&[rank])?;
    let shape = c.emit(Concat { axis: 0 }, &[batch, lengths, depth])?;
    c.emit_all(Reshape::To { allow_zero: false }, &[moved, shape])
}
