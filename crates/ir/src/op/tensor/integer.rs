//! What the operators of the integer form share: codes, zero points, pairs and clamps as `infer` checks them.
//!
//! `real = scale * (q - zero_point)`. Zero points and clamps are attributes, so that an engine knows them before any
//! data arrives; pairs are constants, because there is one a channel. A sum is in i64 and a pair is
//! [`Requantize`](crate::fixed::Requantize): half up, so every machine makes the same bytes.

use super::{Attr, Operand, met, misfit, word};
use crate::fixed::Requantize;
use crate::op::Attrs;
use crate::{DType, Dim, Error, TensorData};
use alloc::vec;
use alloc::vec::Vec;

/// Most products of one sum: so many of 17 and 17 bits stay below 2^63.
const MAX_PRODUCTS: usize = 1 << 28;

/// Attributes of what an operator of the integer form makes.
pub(super) struct Output {
    /// The dtype.
    pub to: DType,
    /// The code of 0.
    pub zero: i64,
    /// The least code.
    pub low: i64,
    /// The largest code.
    pub high: i64,
}

/// Least and largest code of a dtype that stands for reals in the integer form: `i8`, `u8`, `i16`, `u16`.
fn range(dtype: DType) -> Option<(i64, i64)> {
    match dtype {
        DType::I8 => Some((-128, 127)),
        DType::U8 => Some((0, 255)),
        DType::I16 => Some((-32_768, 32_767)),
        DType::U16 => Some((0, 65_535)),
        _ => None,
    }
}

/// Refuses a zero point that is no code of the dtype.
pub(super) fn zero_point(op: &'static str, what: &str, dtype: DType, zero: i64) -> Result<(), Error> {
    match dtype.whole_range() {
        Some((least, most)) if (least..=most).contains(&zero.into()) => Ok(()),
        _ => Err(misfit(op, what, &alloc::format!("a code of {dtype}"), &zero)),
    }
}

/// Refuses an input that holds no codes, or whose zero point is none.
pub(super) fn codes(op: &'static str, what: &str, x: &Operand<'_>, zero: i64) -> Result<(), Error> {
    if range(x.dtype).is_none() {
        return Err(misfit(op, what, "i8, u8, i16 or u16", &x.describe()));
    }
    zero_point(op, &alloc::format!("zero point of the {what}"), x.dtype, zero)
}

/// Refuses weights that are no integers of 16 bits or fewer.
pub(super) fn weights(op: &'static str, w: &Operand<'_>) -> Result<(), Error> {
    match w.dtype {
        DType::I8 | DType::U8 | DType::I16 => Ok(()),
        DType::Narrow(narrow) if narrow.whole_range().is_some() => Ok(()),
        _ => Err(misfit(op, "weights", "i8, u8, i16, i4, u4, i2 or u2", &w.describe())),
    }
}

/// Refuses sums of more products than 63 bits hold.
pub(super) fn summed(op: &'static str, dims: &[Dim]) -> Result<(), Error> {
    match super::product(op, dims)? {
        Dim::Fixed(n) if n > MAX_PRODUCTS => Err(misfit(op, "products of a sum", "at most 2^28", &n)),
        _ => Ok(()),
    }
}

/// Refuses a bias that is not one `i32` a channel.
pub(super) fn bias(op: &'static str, bias: &Operand<'_>, channels: Option<&Dim>) -> Result<(), Error> {
    let fits = match (bias.shape.axes(), channels) {
        (Some([n]), Some(channels)) => met(n, channels).is_some(),
        (Some([_]) | None, _) => true,
        (Some(_), _) => false,
    };
    if bias.dtype == DType::I32 && fits {
        return Ok(());
    }
    let channels = channels.unwrap_or(&Dim::Unknown);
    Err(misfit(op, "bias", &alloc::format!("i32 [{channels}]"), &bias.describe()))
}

/// Refuses pairs of multiplier and shift that are not one for all, or one a channel where there are channels.
pub(super) fn pairs(op: &'static str, pairs: &Operand<'_>, channels: Option<&Dim>) -> Result<(), Error> {
    let fits = match (pairs.shape.axes(), channels) {
        (None, _) => true,
        (Some([two, n]), channels) => {
            met(two, &Dim::Fixed(2)).is_some()
                && (met(n, &Dim::Fixed(1)).is_some() || channels.is_some_and(|m| met(n, m).is_some()))
        }
        (Some(_), _) => false,
    };
    if pairs.dtype != DType::I64 || !fits {
        let expected = match channels {
            Some(m) => alloc::format!("i64 [2, 1] or [2, {m}]"),
            None => "i64 [2, 1]".into(),
        };
        return Err(misfit(op, "pairs", &expected, &pairs.describe()));
    }
    let Some(TensorData::I64(values)) = pairs.constant.map(crate::Tensor::data) else { return Ok(()) };
    let (multipliers, shifts) = values.split_at(values.len() / 2);
    let mut all = multipliers.iter().zip(shifts);
    match all.find(|(m, s)| Requantize::try_new(**m, **s).is_none()) {
        None => Ok(()),
        Some((m, s)) => {
            let got = alloc::format!("{m} and {s}");
            Err(misfit(op, "pairs", "multipliers from 2^30 below 2^31, shifts of 1 to 62", &got))
        }
    }
}

impl Output {
    /// Refuses a dtype that holds no codes, a zero point and clamps that are none of its codes.
    pub(super) fn check(&self, op: &'static str) -> Result<(), Error> {
        match range(self.to) {
            Some(ends) => self.check_within(op, ends),
            None => Err(misfit(op, "output_dtype", "i8, u8, i16 or u16", &self.to)),
        }
    }

    /// The same of an output that may be `i32`: sums on a fine grid.
    pub(super) fn check_sums(&self, op: &'static str) -> Result<(), Error> {
        match self.to {
            DType::I32 => self.check_within(op, (i32::MIN.into(), i32::MAX.into())),
            _ => self.check(op),
        }
    }

    fn check_within(&self, op: &'static str, (least, most): (i64, i64)) -> Result<(), Error> {
        zero_point(op, "zero point of the output", self.to, self.zero)?;
        if least <= self.low && self.low <= self.high && self.high <= most {
            return Ok(());
        }
        let expected = alloc::format!("low <= high, both codes of {}", self.to);
        Err(misfit(op, "low and high", &expected, &alloc::format!("{} and {}", self.low, self.high)))
    }

    /// Reads the attributes back, but for the zero points of inputs.
    pub(super) fn parse(op: &'static str, attrs: &Attrs) -> Result<Output, Error> {
        Ok(Output {
            to: attrs.dtype(op, "output_dtype")?,
            zero: attrs.int(op, "zero_y")?,
            low: attrs.int(op, "low")?,
            high: attrs.int(op, "high")?,
        })
    }

    /// Zero points of inputs by name, then what the output is.
    pub(super) fn attrs(&self, zeros: &[(&'static str, i64)]) -> Vec<(&'static str, Attr)> {
        let zeros = zeros.iter().map(|&(name, zero)| (name, Attr::Int(zero)));
        zeros
            .chain(vec![
                ("zero_y", Attr::Int(self.zero)),
                ("low", Attr::Int(self.low)),
                ("high", Attr::Int(self.high)),
                ("output_dtype", word(self.to.name())),
            ])
            .collect()
    }
}

/// `Output` of a payload, whose fields of these names all operators have.
macro_rules! output_of {
    ($payload:expr) => {
        super::integer::Output {
            to: $payload.to,
            zero: $payload.zero_y,
            low: $payload.low,
            high: $payload.high,
        }
    };
}
pub(super) use output_of;
