//! Elements of another dtype.

use super::args::Args;
use crate::error::Error;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use ir::fixed::{Narrow, Overflow};
use ir::op::tensor::Cast;
use ir::{DType, Tensor, TensorData};

/// Elements on their way: each kind of storage as the widest one that holds it exactly.
enum Wide {
    Whole(Vec<i64>),
    /// Unsigned 64-bit integers keep their bits.
    Large(Vec<u64>),
    Single(Vec<f32>),
    Double(Vec<f64>),
    Text(Vec<String>),
}

fn widen(data: &TensorData) -> Option<Wide> {
    macro_rules! whole {
        ($v:expr) => {
            Some(Wide::Whole($v.iter().map(|&x| x.into()).collect()))
        };
    }
    match data {
        TensorData::Bool(v) => whole!(v),
        TensorData::U8(v) => whole!(v),
        TensorData::I8(v) => whole!(v),
        TensorData::U16(v) => whole!(v),
        TensorData::I16(v) => whole!(v),
        TensorData::U32(v) => whole!(v),
        TensorData::I32(v) => whole!(v),
        TensorData::I64(v) => Some(Wide::Whole(v.clone())),
        TensorData::U64(v) => Some(Wide::Large(v.clone())),
        TensorData::F32(v) => Some(Wide::Single(v.clone())),
        TensorData::F64(v) => Some(Wide::Double(v.clone())),
        TensorData::Half(half, v) => Some(Wide::Single(super::each::singles(*half, v))),
        TensorData::Narrow(narrow, v) if narrow.whole_range().is_some() => {
            Some(Wide::Whole(v.iter().map(|&x| x.cast_signed().into()).collect()))
        }
        TensorData::Narrow(narrow, v) => Some(Wide::Single(v.iter().map(|&x| narrow.to_f32(x)).collect())),
        TensorData::Str(v) => Some(Wide::Text(v.clone())),
        TensorData::Bag(_) => None,
    }
}

pub(super) fn cast(op: Cast, args: &mut Args<'_, '_>) -> Result<Vec<Tensor>, Error> {
    if args.tensor(0)?.dtype() == op.to {
        return Ok(alloc::vec![args.take(0)]);
    }
    let wide = widen(args.data(0)?).ok_or_else(|| args.refuse(0))?;
    let made = match wide {
        Wide::Whole(v) => of_whole(op, &v),
        Wide::Large(v) => match op.to {
            DType::F32 => TensorData::F32(v.iter().map(|&x| x as f32).collect()),
            DType::F64 => TensorData::F64(v.iter().map(|&x| x as f64).collect()),
            DType::Str => TensorData::Str(v.iter().map(u64::to_string).collect()),
            _ => of_whole(op, &v.iter().map(|&x| x.cast_signed()).collect::<Vec<_>>()),
        },
        Wide::Single(v) if op.to == DType::Str => {
            TensorData::Str(v.iter().map(|&x| spelled(x.into(), &x)).collect())
        }
        Wide::Double(v) if op.to == DType::Str => {
            TensorData::Str(v.iter().map(|&x| spelled(x, &x)).collect())
        }
        Wide::Single(v) => of_float(op, v.iter().map(|&x| x.into())),
        Wide::Double(v) => of_float(op, v.iter().copied()),
        Wide::Text(v) => of_text(op, &v, args)?,
    };
    args.only(made)
}

/// Whole numbers as elements of a dtype.
pub(super) fn whole(dtype: DType, v: &[i64]) -> TensorData {
    of_whole(Cast::to(dtype), v)
}

/// No element of a dtype.
pub(super) fn none(dtype: DType) -> TensorData {
    of_whole(Cast::to(dtype), &[])
}

fn of_whole(op: Cast, v: &[i64]) -> TensorData {
    macro_rules! low {
        ($kind:ident, $t:ident) => {
            TensorData::$kind(v.iter().map(|&x| x as $t).collect())
        };
    }
    match op.to {
        DType::Bool => TensorData::Bool(v.iter().map(|&x| x != 0).collect()),
        DType::U8 => low!(U8, u8),
        DType::I8 => low!(I8, i8),
        DType::U16 => low!(U16, u16),
        DType::I16 => low!(I16, i16),
        DType::U32 => low!(U32, u32),
        DType::I32 => low!(I32, i32),
        DType::U64 => low!(U64, u64),
        DType::I64 => low!(I64, i64),
        DType::F32 => low!(F32, f32),
        DType::F64 => low!(F64, f64),
        DType::Str => TensorData::Str(v.iter().map(i64::to_string).collect()),
        DType::Narrow(narrow) if narrow.whole_range().is_some() => {
            TensorData::Narrow(narrow, v.iter().map(|&x| narrow.of_whole(x)).collect())
        }
        DType::Half(_) | DType::Narrow(_) | DType::Bag => of_float(op, v.iter().map(|&x| x as f64)),
    }
}

/// Truncated towards 0; what an integer cannot hold saturates, NaN is 0.
fn of_float(op: Cast, v: impl Iterator<Item = f64>) -> TensorData {
    macro_rules! saturated {
        ($kind:ident, $t:ident) => {
            TensorData::$kind(v.map(|x| x as $t).collect())
        };
    }
    match op.to {
        DType::Bool => TensorData::Bool(v.map(|x| x != 0.0).collect()),
        DType::U8 => saturated!(U8, u8),
        DType::I8 => saturated!(I8, i8),
        DType::U16 => saturated!(U16, u16),
        DType::I16 => saturated!(I16, i16),
        DType::U32 => saturated!(U32, u32),
        DType::I32 => saturated!(I32, i32),
        DType::U64 => saturated!(U64, u64),
        DType::I64 => saturated!(I64, i64),
        DType::F32 => saturated!(F32, f32),
        DType::F64 | DType::Str | DType::Bag => saturated!(F64, f64),
        DType::Half(half) => TensorData::Half(half, v.map(|x| half.of(x)).collect()),
        DType::Narrow(Narrow::E8M0) => {
            TensorData::Narrow(Narrow::E8M0, v.map(|x| Narrow::power(x, op.rounding, op.overflow)).collect())
        }
        DType::Narrow(narrow) => {
            // As numpy's small integers do, those keep the low bits of what they cannot hold.
            let overflow = if narrow.whole_range().is_some() { Overflow::Special } else { op.overflow };
            TensorData::Narrow(narrow, v.map(|x| narrow.of(x, overflow)).collect())
        }
    }
}

/// A number as ONNX writes it: the shortest that reads back, `NaN`, `INF` and `-INF`.
fn spelled(x: f64, shortest: &dyn ToString) -> String {
    if x.is_nan() {
        "NaN".to_string()
    } else if x.is_infinite() {
        if x > 0.0 { "INF" } else { "-INF" }.to_string()
    } else {
        shortest.to_string()
    }
}

fn of_text(op: Cast, texts: &[String], args: &Args<'_, '_>) -> Result<TensorData, Error> {
    let mut v = Vec::with_capacity(texts.len());
    for text in texts {
        let word = text.trim();
        let number = match word.to_ascii_lowercase().as_str() {
            "inf" | "+inf" | "infinity" => Ok(f64::INFINITY),
            "-inf" | "-infinity" => Ok(f64::NEG_INFINITY),
            lower => lower.parse::<f64>(),
        };
        v.push(number.map_err(|_| args.fail("text", &"a number", &alloc::format!("{text:?}")))?);
    }
    if op.to == DType::I64 {
        // Whole numbers beyond 2^53 are read as such.
        let whole = texts.iter().zip(&v).map(|(t, &x)| t.trim().parse::<i64>().unwrap_or(x as i64));
        return Ok(TensorData::I64(whole.collect()));
    }
    Ok(of_float(op, v.into_iter()))
}
