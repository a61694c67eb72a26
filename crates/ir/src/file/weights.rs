//! Constants of networks: raw, at their bit width.
//!
//! A constant is its dtype, its lengths and its elements, little endian, integers of 4 and 2 bits two and four a byte, the
//! first in the lowest bits. Those above 4 kB stand behind one another in a section of their own, each at a multiple of 64
//! bytes from the start of the file, so that a machine that maps the file multiplies with them where they lie. Where the
//! coding of constants of tables ([`super::constants`]) is shorter, a small constant has that, and so has a large one of
//! integers of 32 or 64 bits (pairs of multiplier and shift, biases) if it takes at most half.

use super::bytes::{Reader, Writer};
use super::constants::{read_data, write_data};
use crate::fixed::Narrow;
use crate::{DType, Error, Tensor, TensorData};
use alloc::vec;
use alloc::vec::Vec;

/// Beside the tag of a dtype: coded as constants of tables are.
const CODED: u8 = 0x40;
/// Beside the tag of a dtype: elements stand in the section of large constants.
const ALIGNED: u8 = 0x80;

/// Constants above this many bytes are aligned.
const LARGE: usize = 4096;
/// What they are aligned to.
const ALIGNMENT: usize = 64;
/// Most axes of a constant.
pub(super) const MAX_RANK: usize = 64;

/// Bits of an element, if it can be stored as they are.
fn bits(dtype: DType) -> Option<usize> {
    match dtype {
        DType::Str | DType::Bag => None,
        DType::Narrow(narrow) => Some(narrow.bits() as usize),
        other => Some(8 * other.bytes()),
    }
}

/// Bytes of `n` elements as they are.
fn raw_bytes(dtype: DType, n: usize) -> Option<usize> {
    Some(n.checked_mul(bits(dtype)?)?.div_ceil(8))
}

/// Headers and small constants; and the large ones, each at a multiple of [`ALIGNMENT`] from the start.
pub(super) fn write(constants: &[&Tensor]) -> (Vec<u8>, Vec<u8>) {
    let mut out = Writer::default();
    let mut large: Vec<u8> = Vec::new();
    if constants.is_empty() {
        return (Vec::new(), large);
    }
    out.count(constants.len());
    for tensor in constants {
        let raw = raw_bytes(tensor.dtype(), tensor.data().len()).filter(|&n| n > LARGE);
        match raw.filter(|&n| coded(tensor).is_none_or(|c| 2 * c.len() > n)) {
            None => write_packed(&mut out, tensor),
            Some(_) => {
                header(&mut out, tensor, ALIGNED);
                large.resize(large.len().next_multiple_of(ALIGNMENT), 0);
                large.extend(raw_elements(tensor.data()));
            }
        }
    }
    (out.into_bytes(), large)
}

/// The section of large constants for its place in the file: a count of bytes, as many zeros, then the constants, so that
/// the first stands at a multiple of [`ALIGNMENT`]. `start(n)` is where a section of `n` bytes begins.
pub(super) fn place(large: &[u8], start: impl Fn(usize) -> usize) -> Vec<u8> {
    if large.is_empty() {
        return Vec::new();
    }
    let length = |pad: usize| 1 + pad + large.len();
    // The start moves by a byte at most once, where the section's own length takes one more.
    let pad = (0..2 * ALIGNMENT).find(|&pad| (start(length(pad)) + 1 + pad).is_multiple_of(ALIGNMENT));
    let pad = pad.unwrap_or(0);
    let mut section = vec![0; 1 + pad];
    section[0] = pad as u8;
    section.extend_from_slice(large);
    section
}

fn header(out: &mut Writer, tensor: &Tensor, coding: u8) {
    out.byte(tensor.dtype().tag() | coding);
    out.count(tensor.dims().len());
    tensor.dims().iter().for_each(|&n| out.count(n));
}

/// The constant coded as those of tables are, where that may be short and does not take long to find out.
fn coded(tensor: &Tensor) -> Option<Vec<u8>> {
    let is_small = raw_bytes(tensor.dtype(), tensor.data().len()).is_some_and(|n| n <= LARGE);
    let is_wide = matches!(tensor.dtype(), DType::I32 | DType::I64 | DType::U32 | DType::U64 | DType::Str);
    (is_small || is_wide).then(|| {
        let mut out = Writer::default();
        write_data(&mut out, tensor.data());
        out.into_bytes()
    })
}

/// A constant where it stands.
pub(super) fn write_packed(out: &mut Writer, tensor: &Tensor) {
    let raw = raw_bytes(tensor.dtype(), tensor.data().len());
    match coded(tensor).filter(|c| raw.is_none_or(|n| c.len() < n)) {
        Some(coded) => {
            header(out, tensor, CODED);
            out.raw(&coded);
        }
        None => {
            header(out, tensor, 0);
            out.raw(&raw_elements(tensor.data()));
        }
    }
}

fn raw_elements(data: &TensorData) -> Vec<u8> {
    fn each<T: Copy, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
        values.iter().flat_map(|&v| bytes(v)).collect()
    }
    match data {
        TensorData::Bool(v) => v.iter().map(|&b| b.into()).collect(),
        TensorData::U8(v) => v.clone(),
        TensorData::I8(v) => each(v, i8::to_le_bytes),
        TensorData::U16(v) | TensorData::Half(_, v) => each(v, u16::to_le_bytes),
        TensorData::I16(v) => each(v, i16::to_le_bytes),
        TensorData::U32(v) => each(v, u32::to_le_bytes),
        TensorData::I32(v) => each(v, i32::to_le_bytes),
        TensorData::U64(v) => each(v, u64::to_le_bytes),
        TensorData::I64(v) => each(v, i64::to_le_bytes),
        TensorData::F32(v) => each(v, |x| x.to_bits().to_le_bytes()),
        TensorData::F64(v) => each(v, |x| x.to_bits().to_le_bytes()),
        TensorData::Narrow(narrow, v) => {
            let bits = narrow.bits();
            let mask = u8::MAX >> (8 - bits);
            let joined = |codes: &[u8]| {
                codes
                    .iter()
                    .rev()
                    .fold(0u8, |byte, &code| byte.checked_shl(bits).unwrap_or(0) | (code & mask))
            };
            v.chunks(8 / bits as usize).map(joined).collect()
        }
        // These have no bits of their own, see `bits`.
        TensorData::Str(_) | TensorData::Bag(_) => Vec::new(),
    }
}

/// The constants; `large` is the section of the large ones.
pub(super) fn read(from: &mut Reader<'_>, large: &mut Reader<'_>) -> Result<Vec<Tensor>, Error> {
    if large.left() > 0 {
        let pad = large.byte()?;
        large.take(pad.into())?;
    }
    let mut at = 0usize;
    let mut constants = Vec::new();
    if from.left() > 0 {
        let n = from.count(2)?;
        constants.reserve(n);
        for _ in 0..n {
            constants.push(read_one(from, Some((large, &mut at)))?);
        }
    }
    from.end()?;
    large.end()?;
    Ok(constants)
}

/// A constant where it stands.
pub(super) fn read_packed(from: &mut Reader<'_>) -> Result<Tensor, Error> {
    read_one(from, None)
}

fn read_one(from: &mut Reader<'_>, large: Option<(&mut Reader<'_>, &mut usize)>) -> Result<Tensor, Error> {
    let tag = from.byte()?;
    let dtype = DType::from_tag(tag & !(CODED | ALIGNED));
    let dtype = dtype.ok_or_else(|| from.fail("the dtype of a constant is not known"))?;
    let rank = from.count(1)?;
    if rank > MAX_RANK {
        return Err(from.fail("a constant has more than 64 axes"));
    }
    let mut dims = Vec::with_capacity(rank);
    let mut n_elements = 1usize;
    for _ in 0..rank {
        let dim: usize = from.small()?;
        n_elements = n_elements.checked_mul(dim).ok_or_else(|| from.fail("a constant is too large"))?;
        dims.push(dim);
    }
    let data = match (tag & (CODED | ALIGNED), large) {
        (0, _) => read_raw(from, dtype, n_elements)?,
        (CODED, _) => {
            // Every element takes at least one byte.
            if n_elements > from.left() {
                return Err(from.fail("a constant is larger than the bytes that are left"));
            }
            read_data(from, dtype, n_elements)?
        }
        (ALIGNED, Some((large, at))) => {
            let pad = at.next_multiple_of(ALIGNMENT) - *at;
            large.take(pad)?;
            let before = large.left();
            let data = read_raw(large, dtype, n_elements)?;
            *at += pad + before - large.left();
            data
        }
        _ => return Err(from.fail("the coding of a constant is not known")),
    };
    Tensor::try_new(dims, data).ok_or_else(|| from.fail("a constant does not fill its shape"))
}

fn read_raw(from: &mut Reader<'_>, dtype: DType, n: usize) -> Result<TensorData, Error> {
    fn each<T, const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> T) -> Vec<T> {
        bytes.as_chunks::<N>().0.iter().map(|&chunk| value(chunk)).collect()
    }
    let length =
        raw_bytes(dtype, n).ok_or_else(|| from.fail("a constant is too large, or of text or bags"))?;
    let bytes = from.take(length)?;
    Ok(match dtype {
        DType::Bool => match bytes.iter().any(|&b| b > 1) {
            true => return Err(from.fail("a truth is neither 0 nor 1")),
            false => TensorData::Bool(bytes.iter().map(|&b| b == 1).collect()),
        },
        DType::U8 => TensorData::U8(bytes.to_vec()),
        DType::I8 => TensorData::I8(each(bytes, i8::from_le_bytes)),
        DType::U16 => TensorData::U16(each(bytes, u16::from_le_bytes)),
        DType::I16 => TensorData::I16(each(bytes, i16::from_le_bytes)),
        DType::U32 => TensorData::U32(each(bytes, u32::from_le_bytes)),
        DType::I32 => TensorData::I32(each(bytes, i32::from_le_bytes)),
        DType::U64 => TensorData::U64(each(bytes, u64::from_le_bytes)),
        DType::I64 => TensorData::I64(each(bytes, i64::from_le_bytes)),
        DType::F32 => TensorData::F32(each(bytes, |b| f32::from_bits(u32::from_le_bytes(b)))),
        DType::F64 => TensorData::F64(each(bytes, |b| f64::from_bits(u64::from_le_bytes(b)))),
        DType::Half(half) => TensorData::Half(half, each(bytes, u16::from_le_bytes)),
        DType::Narrow(narrow) => TensorData::Narrow(narrow, read_narrow(from, narrow, bytes, n)?),
        DType::Str | DType::Bag => return Err(from.fail("a constant of text or bags is not raw")),
    })
}

fn read_narrow(from: &Reader<'_>, narrow: Narrow, bytes: &[u8], n: usize) -> Result<Vec<u8>, Error> {
    let bits = narrow.bits() as usize;
    let mask = u8::MAX >> (8 - bits);
    // Integers are kept in two's complement of 8 bits.
    let code = |low: u8| if narrow.whole_range().is_some() { narrow.of_whole(low.into()) } else { low };
    let parts = bytes.iter().flat_map(|&byte| (0..8 / bits).map(move |at| byte >> (at * bits) & mask));
    let mut all: Vec<u8> = parts.map(code).collect();
    if all.get(n..).is_some_and(|unused| unused.iter().any(|&c| c != 0)) {
        return Err(from.fail("bits beyond the last element are not 0"));
    }
    all.truncate(n);
    Ok(all)
}
