//! The section of constants: numbers at the width that they need.
//!
//! Integers are stored as differences, zigzag varints; floats as their leading bytes, as many as
//! the longest of them needs (an edge chosen short is two or three bytes), or, where that is shorter, as
//! places in a table of the floats that occur, the most frequent first (the weights of a vocabulary hang on
//! few counts); rising `i64` and `f64`, as edges are, entropy-coded where that is shorter; text as what differs from the text before it, which in a sorted vocabulary is little.

use super::bytes::{Reader, Writer};
use super::forests::PER_BYTE;
use super::rising;
use crate::{DType, Error, Tensor, TensorData};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;

/// Beside the tag of a dtype: the numbers rise and are coded so.
const RISING: u8 = 0x80;

pub(super) fn write(constants: &[&Tensor]) -> Vec<u8> {
    let mut out = Writer::default();
    if constants.is_empty() {
        return out.into_bytes();
    }
    out.count(constants.len());
    for tensor in constants {
        let mut data = Writer::default();
        write_data(&mut data, tensor.data());
        let rising = write_rising(tensor.data()).filter(|r| r.len() < data.bytes().len());
        out.byte(tensor.dtype().tag() | if rising.is_some() { RISING } else { 0 });
        out.count(tensor.dims().len());
        for &dim in tensor.dims() {
            out.count(dim);
        }
        out.raw(rising.as_deref().unwrap_or(data.bytes()));
    }
    out.into_bytes()
}

pub(super) fn write_data(out: &mut Writer, data: &TensorData) {
    match data {
        TensorData::Bool(v) => v.iter().for_each(|&b| out.byte(b.into())),
        TensorData::U8(v) => out.raw(v),
        TensorData::I16(v) => differences(out, v.iter().map(|&x| x.into())),
        TensorData::I32(v) => differences(out, v.iter().map(|&x| x.into())),
        TensorData::I64(v) => differences(out, v.iter().copied()),
        TensorData::F32(v) => floats(out, v.iter().map(|x| u64::from(x.to_bits()) << 32), 4),
        TensorData::F64(v) => floats(out, v.iter().map(|x| x.to_bits()), 8),
        TensorData::Str(v) => front_coded(out, v),
        TensorData::I8(v) => differences(out, v.iter().map(|&x| x.into())),
        TensorData::U16(v) => differences(out, v.iter().map(|&x| x.into())),
        TensorData::U32(v) => differences(out, v.iter().map(|&x| x.into())),
        TensorData::U64(v) => differences(out, v.iter().map(|&x| x.cast_signed())),
        TensorData::Half(_, v) => floats(out, v.iter().map(|&x| u64::from(x) << 48), 2),
        TensorData::Narrow(_, v) => out.raw(v),
        // The builder takes no constant of bags.
        TensorData::Bag(_) => {}
    }
}

/// Numbers that rise, coded; floats behind the exponent of their common unit.
fn write_rising(data: &TensorData) -> Option<Vec<u8>> {
    match data {
        TensorData::I64(v) => rising::write(v),
        TensorData::F64(v) => {
            let (numbers, unit) = rising::multiples(v)?;
            let mut out = Writer::default();
            out.signed(unit.into());
            out.raw(&rising::write(&numbers)?);
            Some(out.into_bytes())
        }
        _ => None,
    }
}

fn differences(out: &mut Writer, values: impl Iterator<Item = i64>) {
    let mut last = 0i64;
    for value in values {
        out.signed(value.wrapping_sub(last));
        last = value;
    }
}

/// The width of floats that are stored as places in a table.
const TABLE: u8 = 0;

/// Words as they are, or a table of those that occur and a place each: what is shorter.
fn floats(out: &mut Writer, words: impl Iterator<Item = u64> + Clone, most: u32) {
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    words.clone().for_each(|w| *counts.entry(w).or_default() += 1);
    let mut plain = Writer::default();
    leading(&mut plain, words.clone(), most);
    // A place takes a byte at least, and so does a float of the table.
    if counts.len() + counts.values().sum::<usize>() < plain.bytes().len() {
        let mut order: Vec<(u64, usize)> = counts.into_iter().collect();
        order.sort_by_key(|&(_, n)| Reverse(n));
        let mut table = Writer::default();
        table.byte(TABLE);
        table.count(order.len());
        leading(&mut table, order.iter().map(|&(w, _)| w), most);
        let places: BTreeMap<u64, usize> = order.iter().zip(0..).map(|(&(w, _), at)| (w, at)).collect();
        words.filter_map(|w| places.get(&w)).for_each(|&at| table.count(at));
        if table.bytes().len() < plain.bytes().len() {
            plain = table;
        }
    }
    out.raw(plain.bytes());
}

/// Most bytes that a text may share with the one before it; a byte of the file thus never becomes more
/// than 16 of text.
const MAX_SHARED: usize = 15;

/// Each text as a byte, `16 * shared + own`, and its own bytes behind those that it shares with the
/// text before; from 15 own bytes on, `own` is 15 and a varint holds what is more.
fn front_coded(out: &mut Writer, texts: &[String]) {
    let mut last: &[u8] = &[];
    for text in texts {
        let text = text.as_bytes();
        let shared = last.iter().zip(text).take(MAX_SHARED).take_while(|(a, b)| a == b).count();
        let own = &text[shared..];
        out.byte((shared << 4 | own.len().min(15)) as u8);
        if let Some(more) = own.len().checked_sub(15) {
            out.count(more);
        }
        out.raw(own);
        last = text;
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
        let is_rising = tag & RISING != 0;
        let dtype = DType::from_tag(tag & !RISING)
            .ok_or_else(|| from.fail("the dtype of a constant is not known"))?;
        let rank = from.count(1)?;
        let mut dims = Vec::with_capacity(rank);
        let mut n_elements = 1usize;
        for _ in 0..rank {
            let dim: usize = from.small()?;
            n_elements = n_elements.checked_mul(dim).ok_or_else(|| from.fail("a constant is too large"))?;
            dims.push(dim);
        }
        // Every element takes at least one byte, or a share of a coded one.
        let per_byte = if is_rising { PER_BYTE } else { 1 };
        if n_elements > from.left().saturating_mul(per_byte) {
            return Err(from.fail("a constant is larger than the bytes that are left"));
        }
        let data = if is_rising {
            read_rising(from, dtype, n_elements)
        } else {
            read_data(from, dtype, n_elements)
        }?;
        let tensor = Tensor::try_new(dims, data);
        constants.push(tensor.ok_or_else(|| from.fail("a constant does not fill its shape"))?);
    }
    from.end()?;
    Ok(constants)
}

pub(super) fn read_data(from: &mut Reader<'_>, dtype: DType, n: usize) -> Result<TensorData, Error> {
    Ok(match dtype {
        DType::Bool => TensorData::Bool(from.take(n)?.iter().map(|&b| b != 0).collect()),
        DType::U8 => TensorData::U8(from.take(n)?.to_vec()),
        DType::I16 => TensorData::I16(narrow(from, n)?),
        DType::I32 => TensorData::I32(narrow(from, n)?),
        DType::I64 => TensorData::I64(narrow(from, n)?),
        DType::F32 => {
            let words = read_floats(from, n, 4)?;
            TensorData::F32(words.into_iter().map(|w| f32::from_bits((w >> 32) as u32)).collect())
        }
        DType::F64 => TensorData::F64(read_floats(from, n, 8)?.into_iter().map(f64::from_bits).collect()),
        DType::Str => TensorData::Str(read_front_coded(from, n)?),
        DType::I8 => TensorData::I8(narrow(from, n)?),
        DType::U16 => TensorData::U16(narrow(from, n)?),
        DType::U32 => TensorData::U32(narrow(from, n)?),
        DType::U64 => {
            TensorData::U64(narrow::<i64>(from, n)?.into_iter().map(|x| x.cast_unsigned()).collect())
        }
        DType::Half(half) => {
            let words = read_floats(from, n, 2)?;
            TensorData::Half(half, words.into_iter().map(|w| (w >> 48) as u16).collect())
        }
        DType::Narrow(narrow) => {
            let codes = from.take(n)?;
            if let Some(&other) = codes.iter().find(|&&c| !narrow.holds(c)) {
                return Err(from.fail(&alloc::format!("{other} is no code of {dtype}")));
            }
            TensorData::Narrow(narrow, codes.to_vec())
        }
        DType::Bag => return Err(from.fail("a constant of bags")),
    })
}

fn read_rising(from: &mut Reader<'_>, dtype: DType, n: usize) -> Result<TensorData, Error> {
    match dtype {
        DType::I64 => Ok(TensorData::I64(rising::read(from, n)?)),
        DType::F64 => {
            let unit = i16::try_from(from.signed()?).ok().filter(|u| (-1074..=1023).contains(u));
            let unit = unit.ok_or_else(|| from.fail("the unit of a constant is out of range"))?;
            let numbers = rising::read(from, n)?;
            Ok(TensorData::F64(numbers.into_iter().map(|k| rising::float(k, unit)).collect()))
        }
        _ => Err(from.fail("a constant of this dtype does not rise")),
    }
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

fn read_floats(from: &mut Reader<'_>, n: usize, most: usize) -> Result<Vec<u64>, Error> {
    let width = from.byte()?;
    if width != TABLE {
        return read_leading(from, width, n, most);
    }
    let n_known = from.count(1)?;
    let width = from.byte()?;
    let known = read_leading(from, width, n_known, most)?;
    let mut words = Vec::with_capacity(n.min(from.left()));
    for _ in 0..n {
        let at: usize = from.small()?;
        words.push(*known.get(at).ok_or_else(|| from.fail("a constant is not in its table"))?);
    }
    Ok(words)
}

fn read_leading(from: &mut Reader<'_>, width: u8, n: usize, most: usize) -> Result<Vec<u64>, Error> {
    let width = usize::from(width);
    if width == 0 || width > most {
        return Err(from.fail("the width of a constant is out of range"));
    }
    let length = n.checked_mul(width).ok_or_else(|| from.fail("a constant is too large"))?;
    let word = |chunk: &[u8]| {
        let word = chunk.iter().fold(0u64, |w, &b| w << 8 | u64::from(b));
        word << (64 - 8 * width)
    };
    Ok(from.take(length)?.chunks_exact(width).map(word).collect())
}

fn read_front_coded(from: &mut Reader<'_>, n: usize) -> Result<Vec<String>, Error> {
    let mut texts: Vec<String> = Vec::with_capacity(n);
    for _ in 0..n {
        let head = usize::from(from.byte()?);
        let (shared, mut own) = (head >> 4, head & 15);
        if own == 15 {
            own += from.count(1)?;
        }
        let before = texts.last().map_or(&[][..], |t| t.as_bytes());
        let before = before.get(..shared).ok_or_else(|| from.fail("a text shares more than there is"))?;
        let own = from.take(own)?;
        let mut bytes = Vec::with_capacity(shared + own.len());
        bytes.extend_from_slice(before);
        bytes.extend_from_slice(own);
        let text = String::from_utf8(bytes);
        texts.push(text.map_err(|_| from.fail("a text is not UTF-8"))?);
    }
    Ok(texts)
}
