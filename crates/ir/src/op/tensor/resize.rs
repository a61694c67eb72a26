//! `Resize`: interpolation to other lengths.

use super::grid_sample::Sampling;
use super::stored::{Found, Stored};
use super::{Attr, Made, Operand, Payload, axes_of, between, flag, ints, length, misfit, one, word};
use crate::op::Attrs;
use crate::{Dim, Error, Shape, TensorData};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "Resize";
const COORDINATES: &str = "coordinate_transformation_mode";

/// How a place of the output is found in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinates {
    /// `(x + 0.5) / scale - 0.5`
    HalfPixel,
    /// The same, moved where the output's length was rounded.
    HalfPixelSymmetric,
    /// The same, 0 where the output has one element.
    PytorchHalfPixel,
    /// `x (in - 1) / (out - 1)`
    AlignCorners,
    /// `x / scale`
    Asymmetric,
    /// Within a part of the input, the region of interest.
    TfCropAndResize,
}

impl Coordinates {
    /// Every member.
    pub const ALL: &'static [Coordinates] = &[
        Coordinates::HalfPixel,
        Coordinates::HalfPixelSymmetric,
        Coordinates::PytorchHalfPixel,
        Coordinates::AlignCorners,
        Coordinates::Asymmetric,
        Coordinates::TfCropAndResize,
    ];

    /// Name as ONNX writes it.
    pub fn name(self) -> &'static str {
        match self {
            Coordinates::HalfPixel => "half_pixel",
            Coordinates::HalfPixelSymmetric => "half_pixel_symmetric",
            Coordinates::PytorchHalfPixel => "pytorch_half_pixel",
            Coordinates::AlignCorners => "align_corners",
            Coordinates::Asymmetric => "asymmetric",
            Coordinates::TfCropAndResize => "tf_crop_and_resize",
        }
    }
}

/// What the output's lengths follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResizeBy {
    /// The second input is a factor for each axis.
    Scales,
    /// The second input is a length for each axis.
    Sizes,
}

/// What lengths mean where the shape of the image is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResizePolicy {
    /// Each axis has its own.
    Stretch,
    /// No axis is longer than asked for.
    NotLarger,
    /// No axis is shorter than asked for.
    NotSmaller,
}

impl ResizePolicy {
    /// Every member.
    pub const ALL: &'static [ResizePolicy] =
        &[ResizePolicy::Stretch, ResizePolicy::NotLarger, ResizePolicy::NotSmaller];

    /// Name as ONNX writes it.
    pub fn name(self) -> &'static str {
        match self {
            ResizePolicy::Stretch => "stretch",
            ResizePolicy::NotLarger => "not_larger",
            ResizePolicy::NotSmaller => "not_smaller",
        }
    }
}

/// Which element is nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NearestMode {
    /// Ties down.
    RoundPreferFloor,
    /// Ties up.
    RoundPreferCeil,
    /// The one before.
    Floor,
    /// The one behind.
    Ceil,
}

impl NearestMode {
    /// Every member.
    pub const ALL: &'static [NearestMode] =
        &[NearestMode::RoundPreferFloor, NearestMode::RoundPreferCeil, NearestMode::Floor, NearestMode::Ceil];

    /// Name as ONNX writes it.
    pub fn name(self) -> &'static str {
        match self {
            NearestMode::RoundPreferFloor => "round_prefer_floor",
            NearestMode::RoundPreferCeil => "round_prefer_ceil",
            NearestMode::Floor => "floor",
            NearestMode::Ceil => "ceil",
        }
    }
}

/// How values are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResizeMode {
    /// Which elements count.
    pub sampling: Sampling,
    /// Which element is the nearest.
    pub nearest: NearestMode,
    /// The cubic's parameter.
    pub cubic_a: f32,
    /// Elements beyond the border do not count, in place of being the outermost.
    pub exclude_outside: bool,
    /// Where an axis gets shorter, more elements count.
    pub antialias: bool,
    /// The value outside the region of interest.
    pub extrapolation: f32,
}

/// ONNX's `Resize`. Inputs: numbers of any rank; factors (floats) or lengths (`i64`), one for each of `axes`; and of
/// `TfCropAndResize` the region: starts, then ends, from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Resize {
    /// What the second input is.
    pub by: ResizeBy,
    /// What lengths mean.
    pub policy: ResizePolicy,
    /// The axes; none stands for all.
    pub axes: Option<Vec<i64>>,
    /// How places are found.
    pub coordinates: Coordinates,
    /// How values are made.
    pub mode: ResizeMode,
}

impl Resize {
    /// For each axis its length in the output and the factor.
    ///
    /// # Errors
    /// Another number of factors or lengths than of axes; some below 0.
    pub fn lengths(&self, lengths: &[usize], wanted: &TensorData) -> Result<Vec<(usize, f64)>, Error> {
        let places = match &self.axes {
            Some(axes) => axes_of(NAME, axes, lengths.len())?,
            None => (0..lengths.len()).collect(),
        };
        let mut made: Vec<(usize, f64)> = lengths.iter().map(|&n| (n, 1.0)).collect();
        let n_wanted = wanted.len();
        if n_wanted != places.len() {
            return Err(misfit(NAME, "scales or sizes", &alloc::format!("{}", places.len()), &n_wanted));
        }
        match (self.by, wanted) {
            (ResizeBy::Scales, TensorData::F32(scales)) => {
                for (&axis, &scale) in places.iter().zip(scales) {
                    let size = lengths[axis] as f64 * f64::from(scale);
                    // What cannot be counted is no length.
                    if !(scale > 0.0 && size < 4_294_967_296.0) {
                        return Err(misfit(NAME, "scales", "above 0", &scale));
                    }
                    made[axis] = (size as usize, scale.into());
                }
            }
            (ResizeBy::Sizes, TensorData::I64(sizes)) => {
                let sizes: Vec<usize> =
                    sizes.iter().map(|&n| length(NAME, "sizes", n)).collect::<Result<_, _>>()?;
                let ratio = |(&axis, &size): (&usize, &usize)| size as f64 / lengths[axis].max(1) as f64;
                let all = places.iter().zip(&sizes).map(ratio);
                let joint = match self.policy {
                    ResizePolicy::Stretch => None,
                    ResizePolicy::NotLarger => Some(all.fold(f64::INFINITY, f64::min)),
                    ResizePolicy::NotSmaller => Some(all.fold(0.0, f64::max)),
                };
                for pair in places.iter().zip(&sizes) {
                    let (axis, size) = (*pair.0, *pair.1);
                    made[axis] = match joint {
                        None => (size, ratio(pair)),
                        Some(scale) => {
                            let n = scale * lengths[axis] as f64;
                            ((n + 0.5) as usize, scale)
                        }
                    };
                }
            }
            _ => return Err(misfit(NAME, "scales or sizes", "f32 scales or i64 sizes", &wanted.dtype())),
        }
        Ok(made)
    }
}

impl Payload for Resize {
    fn name(&self) -> &'static str {
        NAME
    }

    fn attrs(&self) -> Vec<(&'static str, Attr)> {
        let by = if self.by == ResizeBy::Scales { "scales" } else { "sizes" };
        let mut attrs = vec![
            ("mode", word(self.mode.sampling.name())),
            (COORDINATES, word(self.coordinates.name())),
            ("by", word(by)),
            ("keep_aspect_ratio_policy", word(self.policy.name())),
            ("nearest_mode", word(self.mode.nearest.name())),
            ("cubic_coeff_a", Attr::Float(self.mode.cubic_a)),
            ("exclude_outside", flag(self.mode.exclude_outside)),
            ("antialias", flag(self.mode.antialias)),
            ("extrapolation_value", Attr::Float(self.mode.extrapolation)),
        ];
        attrs.extend(self.axes.iter().map(|axes| ("axes", Attr::Ints(axes.clone()))));
        attrs
    }

    fn infer(&self, inputs: &[Operand<'_>]) -> Made {
        let has_region = self.coordinates == Coordinates::TfCropAndResize;
        between(NAME, inputs, 2 + usize::from(has_region), 2 + usize::from(has_region))?;
        let (x, wanted) = (&inputs[0], &inputs[1]);
        if matches!(x.dtype, crate::DType::Str | crate::DType::Bag | crate::DType::Narrow(_)) {
            return Err(misfit(NAME, "input", "numbers of 8 bits or more", &x.describe()));
        }
        let Some(axes) = x.shape.axes() else { return one(x.dtype, Shape::any()) };
        if let Some(region) = inputs.get(2) {
            let n = 2 * self.axes.as_ref().map_or(axes.len(), Vec::len);
            if region.shape.lengths().is_some_and(|l| l != [n]) {
                return Err(misfit(NAME, "roi", &alloc::format!("[{n}]"), &region.describe()));
            }
        }
        let known = x.shape.lengths().zip(wanted.constant);
        if let Some((lengths, wanted)) = known {
            let made = self.lengths(&lengths, wanted.data())?;
            let from_none = made.iter().zip(&lengths).any(|((n, _), &m)| m == 0 && *n > 0);
            if from_none {
                return Err(misfit(NAME, "input", "one element or more", &x.describe()));
            }
            return one(x.dtype, Shape(made.into_iter().map(|(n, _)| Dim::Fixed(n)).collect()));
        }
        // With a symbol among the axes, lengths that are asked for one by one are known.
        let mut dims = vec![Dim::Unknown; axes.len()];
        let all: Option<Vec<i64>> = match self.by {
            ResizeBy::Sizes if self.policy == ResizePolicy::Stretch && self.axes.is_none() => ints(wanted),
            _ => None,
        };
        for (dim, n) in dims.iter_mut().zip(all.unwrap_or_default()) {
            *dim = Dim::Fixed(length(NAME, "sizes", n)?);
        }
        if let (ResizeBy::Scales, None, Some(TensorData::F32(scales))) =
            (self.by, &self.axes, wanted.constant.map(|c| c.data()))
        {
            for ((dim, own), &scale) in dims.iter_mut().zip(axes).zip(scales) {
                *dim = match own {
                    own if scale == 1.0 => own.clone(),
                    Dim::Fixed(n) if scale > 0.0 && (*n as f64) * f64::from(scale) < 4_294_967_296.0 => {
                        Dim::Fixed((*n as f64 * f64::from(scale)) as usize)
                    }
                    _ => Dim::Unknown,
                };
            }
        }
        one(x.dtype, Shape(dims))
    }

    fn is_exact(&self) -> bool {
        self.mode.sampling == Sampling::Nearest
    }
}

impl Stored for Resize {
    fn parse(name: &str, attrs: &Attrs) -> Found<Resize> {
        (name == NAME).then(|| {
            let by = |by: &ResizeBy| if *by == ResizeBy::Scales { "scales" } else { "sizes" };
            Ok(Resize {
                by: attrs.one_of(NAME, "by", &[ResizeBy::Scales, ResizeBy::Sizes], by)?,
                policy: attrs.one_of(NAME, "keep_aspect_ratio_policy", ResizePolicy::ALL, |p| p.name())?,
                axes: attrs.maybe("axes", |a| a.ints(NAME, "axes"))?,
                coordinates: attrs.one_of(NAME, COORDINATES, Coordinates::ALL, |c| c.name())?,
                mode: ResizeMode {
                    sampling: attrs.one_of(NAME, "mode", Sampling::ALL, |s| s.name())?,
                    nearest: attrs.one_of(NAME, "nearest_mode", NearestMode::ALL, |m| m.name())?,
                    cubic_a: attrs.float(NAME, "cubic_coeff_a")?,
                    exclude_outside: attrs.flag(NAME, "exclude_outside")?,
                    antialias: attrs.flag(NAME, "antialias")?,
                    extrapolation: attrs.float(NAME, "extrapolation_value")?,
                },
            })
        })
    }
}
