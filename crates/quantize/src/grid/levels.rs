//! The real values that integers stand for, and the way there and back.

use super::format::{IntegerFormat, Symmetry};
use super::table::Table;
use crate::error::{Error, misfit};
use crate::observe::Range;
use crate::rounding::Rounding;
use ir::DType;
use ir::fixed::round_ties_even;

/// What the integers of a part of a tensor stand for.
#[derive(Clone, Debug, PartialEq)]
pub enum Levels {
    /// Even steps: `scale * (q - zero_point)`.
    Affine(Affine),
    /// Any steps: `scale * values[q]`.
    Table(Table),
}

/// `real = scale * (q - zero_point)` for `low <= q <= high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    scale: f32,
    zero_point: i32,
    low: i32,
    high: i32,
    dtype: DType,
}

impl Affine {
    /// Integers of a dtype of at most 16 bits, of which `low..=high` are used.
    ///
    /// # Errors
    /// `Shape` for a scale that is not finite and above 0, a dtype that is no such integer, and integers beyond it.
    pub fn try_new(scale: f32, zero_point: i32, low: i32, high: i32, dtype: DType) -> Result<Affine, Error> {
        if !(scale.is_finite() && scale > 0.0) {
            return Err(misfit("scale", "a finite number above 0", scale));
        }
        let range = dtype.whole_range().filter(|_| dtype.bytes() <= 2);
        let Some((least, most)) = range else {
            return Err(misfit("dtype of integers", "an integer of at most 16 bits", dtype));
        };
        let holds = |q: i32| (least..=most).contains(&q.into());
        if !(holds(zero_point) && holds(low) && holds(high) && low <= high) {
            let got = format!("zero point {zero_point}, {low}..={high}");
            return Err(misfit("integers", format!("{least}..={most} of {dtype}"), got));
        }
        Ok(Affine { scale, zero_point, low, high, dtype })
    }

    /// Integers for a range. With `qmin`, `qmax` the limits of the format:
    /// asymmetric `scale = (high - low) / (qmax - qmin)`, `zero_point = clamp(round_ties_even(qmin - low / scale))`;
    /// symmetric `scale = 2 max(high, -low) / (qmax - qmin)`, the zero point in the middle, so a full span cuts half a
    /// step off at the upper end. A range of nothing has scale 1. A scale is not subnormal, and so small that every level
    /// is finite.
    pub fn of_range(range: Range, format: &IntegerFormat) -> Affine {
        let (low, high) = format.limits();
        // One bit without its least integer has a single one; its scale is the range.
        let n_steps = f64::from((high - low).max(1));
        let (least, most) = match format.symmetry {
            Symmetry::Symmetric => (-f64::from(range.largest()), f64::from(range.largest())),
            Symmetry::Asymmetric => (f64::from(range.low()), f64::from(range.high())),
        };
        let width = most - least;
        // Every level is a finite number.
        let coarsest = (f64::from(f32::MAX) / n_steps) as f32;
        let scale = ((width / n_steps) as f32).clamp(f32::MIN_POSITIVE, coarsest.next_down());
        let scale = if width > 0.0 { scale } else { 1.0 };
        Affine::with_scale(scale, least, format)
    }

    /// Integers of a scale (finite, above 0), the zero point where `least` asks for it, or in the middle.
    pub(super) fn with_scale(scale: f32, least: f64, format: &IntegerFormat) -> Affine {
        let (low, high) = format.limits();
        let zero_point = match format.symmetry {
            Symmetry::Symmetric => format.middle(),
            Symmetry::Asymmetric => {
                let q = round_ties_even(f64::from(low) - least / f64::from(scale));
                q.clamp(low.into(), high.into()) as i32
            }
        };
        Affine { scale, zero_point, low, high, dtype: format.dtype() }
    }

    /// The step.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// The integer of 0.
    pub fn zero_point(&self) -> i32 {
        self.zero_point
    }

    /// Least integer used.
    pub fn low(&self) -> i32 {
        self.low
    }

    /// Largest integer used.
    pub fn high(&self) -> i32 {
        self.high
    }

    /// Storage type of the integers.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// `clamp(round(x / scale) + zero_point, low, high)`, the quotient in single precision; NaN gives 0, within the
    /// limits. With ties to even this is ONNX's `QuantizeLinear`, bit for bit.
    #[inline]
    pub fn code(&self, x: f32, at: u64, rounding: &Rounding) -> i32 {
        let q = rounding.round(f64::from(x / self.scale), at) + f64::from(self.zero_point);
        if q.is_nan() {
            0.clamp(self.low, self.high)
        } else {
            q.clamp(self.low.into(), self.high.into()) as i32
        }
    }

    /// `(q - zero_point) * scale`, rounded once: ONNX's `DequantizeLinear`, bit for bit.
    #[inline]
    pub fn value(&self, code: i32) -> f32 {
        ((f64::from(code) - f64::from(self.zero_point)) * f64::from(self.scale)) as f32
    }
}

impl Levels {
    /// The integer of a number; `at` is the number's place in its tensor, which stochastic rounding draws by.
    #[inline]
    pub fn code(&self, x: f32, at: u64, rounding: &Rounding) -> i32 {
        match self {
            Levels::Affine(affine) => affine.code(x, at, rounding),
            Levels::Table(table) => table.code(x, at, rounding),
        }
    }

    /// The number of an integer; one beyond the levels gives the nearest level.
    #[inline]
    pub fn value(&self, code: i32) -> f32 {
        match self {
            Levels::Affine(affine) => affine.value(code.clamp(affine.low, affine.high)),
            Levels::Table(table) => table.value(code),
        }
    }

    /// Integers of numbers, the first of which stands at place 0.
    pub fn codes(&self, values: &[f32], rounding: &Rounding) -> Vec<i32> {
        (0..).zip(values).map(|(at, &x)| self.code(x, at, rounding)).collect()
    }

    /// Numbers of integers.
    pub fn values(&self, codes: &[i32]) -> Vec<f32> {
        codes.iter().map(|&code| self.value(code)).collect()
    }

    /// Storage type of the integers.
    pub fn dtype(&self) -> DType {
        match self {
            Levels::Affine(affine) => affine.dtype(),
            Levels::Table(table) => table.dtype(),
        }
    }

    /// The scale.
    pub fn scale(&self) -> f32 {
        match self {
            Levels::Affine(affine) => affine.scale(),
            Levels::Table(table) => table.scale(),
        }
    }

    /// Every level as its integer and its number, the integers rising.
    pub fn each(&self) -> Vec<(i32, f32)> {
        let (low, high) = match self {
            Levels::Affine(affine) => (affine.low, affine.high),
            Levels::Table(table) => (0, table.values().len() as i32 - 1),
        };
        (low..=high).map(|code| (code, self.value(code))).collect()
    }
}
