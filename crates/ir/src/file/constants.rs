//! The section of constants: numbers at the width that they need.
//!
//! Integers are stored as differences, zigzag varints; floats as their leading bytes, as many as
//! the longest of them needs (an edge chosen short is two or three bytes); text with its length.

use super::bytes::{Reader, Writer};
use crate::{DType, Error, Tensor, TensorData};
use alloc::vec::Vec;

pub(super) fn write(constants: &[&Tensor]) -> Vec<u8> {
    let mut out = Writer::default();
    if constants.is_empty() {
        return out.into_bytes();
    }
    out.count(constants.len());
    for tensor in constants {
        out.byte(tensor.dtype().tag());
        out.count(tensor.dims().len());
        for &dim in tensor.dims() {
            out.count(dim);
        }
        write_data(&mut out, tensor.data());
    }
    out.into_bytes()
}

fn write_data(out: &mut Writer, data: &TensorData) {
    match data {
        TensorData::Bool(v) => v.iter().for_each(|&b| out.byte(b.into())),
        TensorData::U8(v) => out.raw(v),
        TensorData::I16(v) => differences(out, v.iter().map(|&x| x.into())),
        TensorData::I32(v) => differences(out, v.iter().map(|&x| x.into())),
        TensorData::I64(v) => differences(out, v.iter().copied()),
        TensorData::F32(v) => leading(out, v.iter().map(|x| u64::from(x.to_bits()) << 32), 4),
        TensorData::F64(v) => leading(out, v.iter().map(|x| x.to_bits()), 8),
        TensorData::Str(v) => v.iter().for_each(|s| out.text(s)),
    }
}

fn differences(out: &mut Writer, values: impl Iterator<Item = i64>) {
    let mut last = 0i64;
    for value in values {
        out.signed(value.wrapping_sub(last));
        last = value;
    }
}

/// Words whose bytes beyond the first `width` are zero, the most significant byte first.
fn leading(out: &mut Writer, words: impl Iterator<Item = u64> + Clone, most: u32) {
    let needed = |w: u64| (8 - w.trailing_zeros() / 8).clamp(1, most);
    let width = words.clone().map(needed).max().unwrap_or(1);
    out.byte(width as u8);
    for word in words {
        out.raw(&word.to_be_bytes()[..width as usize]);
    }
}

pub(super) fn read(from: &mut Reader<'_>) -> Result<Vec<Tensor>, Error> {
    if from.left() == 0 {
        return Ok(Vec::new());
    }
    let n = from.count(2)?;
    let mut constants = Vec::with_capacity(n);
    for _ in 0..n {
        let tag = from.byte()?;
        let dtype = DType::from_tag(tag).ok_or_else(|| from.fail("the dtype of a constant is not known"))?;
        let rank = from.count(1)?;
        let mut dims = Vec::with_capacity(rank);
        let mut n_elements = 1usize;
        for _ in 0..rank {
            let dim: usize = from.small()?;
            n_elements = n_elements.checked_mul(dim).ok_or_else(|| from.fail("a constant is too large"))?;
            dims.push(dim);
        }
        // Every element takes at least one byte.
        if n_elements > from.left() {
            return Err(from.fail("a constant is larger than the bytes that are left"));
        }
        let data = read_data(from, dtype, n_elements)?;
        let tensor = Tensor::try_new(dims, data);
        constants.push(tensor.ok_or_else(|| from.fail("a constant does not fill its shape"))?);
    }
    from.end()?;
    Ok(constants)
}

fn read_data(from: &mut Reader<'_>, dtype: DType, n: usize) -> Result<TensorData, Error> {
    Ok(match dtype {
        DType::Bool => TensorData::Bool(from.take(n)?.iter().map(|&b| b != 0).collect()),
        DType::U8 => TensorData::U8(from.take(n)?.to_vec()),
        DType::I16 => TensorData::I16(narrow(from, n)?),
        DType::I32 => TensorData::I32(narrow(from, n)?),
        DType::I64 => TensorData::I64(narrow(from, n)?),
        DType::F32 => {
            let words = read_leading(from, n, 4)?;
            TensorData::F32(words.map(|w| f32::from_bits((w >> 32) as u32)).collect())
        }
        DType::F64 => TensorData::F64(read_leading(from, n, 8)?.map(f64::from_bits).collect()),
        DType::Str => TensorData::Str((0..n).map(|_| from.text()).collect::<Result<_, _>>()?),
    })
}

fn narrow<T: TryFrom<i64>>(from: &mut Reader<'_>, n: usize) -> Result<Vec<T>, Error> {
    let mut values = Vec::with_capacity(n);
    let mut last = 0i64;
    for _ in 0..n {
        last = last.wrapping_add(from.signed()?);
        values.push(T::try_from(last).map_err(|_| from.fail("a constant leaves the range of its dtype"))?);
    }
    Ok(values)
}

fn read_leading<'a>(
    from: &mut Reader<'a>,
    n: usize,
    most: usize,
) -> Result<impl Iterator<Item = u64> + use<'a>, Error> {
    let width = usize::from(from.byte()?);
    if width == 0 || width > most {
        return Err(from.fail("the width of a constant is out of range"));
    }
    let length = n.checked_mul(width).ok_or_else(|| from.fail("a constant is too large"))?;
    let bytes = from.take(length)?;
    Ok(bytes.chunks_exact(width).map(move |chunk| {
        let word = chunk.iter().fold(0u64, |w, &b| w << 8 | u64::from(b));
        word << (64 - 8 * width)
    }))
}
