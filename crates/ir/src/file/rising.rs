//! Rising numbers, as the edges of a column are: each by what parts it from the one before.
//!
//! Floats are whole multiples of the largest power of two that divides them all. A number is coded as
//! its trailing zeros and as how many numbers with as many zeros lie between it and the one before, so
//! that an edge chosen short is stored short. The stream is padded like that of a forest.

use super::bytes::{Reader, Writer};
use super::coder::{Bit, Coder, Decoder, Encoder, symbol};
use super::forests::PER_BYTE;
use crate::Error;
use crate::fixed::power_of_two;
use alloc::vec;
use alloc::vec::Vec;

/// Bits of the largest number, so that no sum of two overflows.
const MAX_BITS: u32 = 61;

/// Trailing zeros that zero is said to have.
const ZERO: u32 = 63;

/// The numbers coded, if they rise and none is too large.
pub(super) fn write(numbers: &[i64]) -> Option<Vec<u8>> {
    let large = |k: &i64| k.unsigned_abs() >> MAX_BITS > 0;
    if numbers.is_empty() || numbers.iter().any(large) || !numbers.is_sorted_by(|a, b| a < b) {
        return None;
    }
    let mut coder = Encoder::new();
    let mut contexts = Contexts::default();
    let mut last = None;
    for &k in numbers {
        last = contexts.code(&mut coder, last, k);
    }
    let mut stream = coder.finish();
    stream.resize(stream.len().max(numbers.len().div_ceil(PER_BYTE)), 0);
    let mut out = Writer::default();
    out.count(stream.len());
    out.raw(&stream);
    Some(out.into_bytes())
}

pub(super) fn read(from: &mut Reader<'_>, n: usize) -> Result<Vec<i64>, Error> {
    let length = from.count(1)?;
    let stream = from.take(length)?;
    if n > length.saturating_mul(PER_BYTE) {
        return Err(from.fail("a constant is larger than its bytes can hold"));
    }
    let mut coder = Decoder::new(stream);
    let mut contexts = Contexts::default();
    let mut numbers = Vec::with_capacity(n);
    for _ in 0..n {
        let k = contexts.code(&mut coder, numbers.last().copied(), 0);
        numbers.push(k.ok_or_else(|| from.fail("a rising constant is too large"))?);
    }
    coder.check(from)?;
    Ok(numbers)
}

/// Floats as whole multiples of a power of two, and its exponent. `None` for what is not finite, for -0,
/// and where multiples would be too large.
pub(super) fn multiples(floats: &[f64]) -> Option<(Vec<i64>, i16)> {
    let parts: Option<Vec<(i64, i16)>> = floats.iter().map(|&x| parts(x)).collect();
    let parts = parts?;
    let unit = parts.iter().filter(|(m, _)| *m != 0).map(|&(_, e)| e).min().unwrap_or(0);
    let mut numbers = Vec::with_capacity(parts.len());
    for (m, e) in parts {
        let shift = if m == 0 { 0 } else { u32::try_from(e - unit).ok()? };
        if shift + m.unsigned_abs().checked_ilog2().map_or(0, |b| b + 1) > MAX_BITS {
            return None;
        }
        numbers.push(m << shift);
    }
    Some((numbers, unit))
}

/// The float of a multiple.
pub(super) fn float(multiple: i64, unit: i16) -> f64 {
    // In two steps, since the power of two alone may be smaller than any normal float.
    let half = i32::from(unit) / 2;
    multiple as f64 * power_of_two(half) * power_of_two(i32::from(unit) - half)
}

/// An odd mantissa, or zero, and its exponent.
fn parts(x: f64) -> Option<(i64, i16)> {
    if !x.is_finite() || x.to_bits() == 1 << 63 {
        return None;
    }
    let bits = x.to_bits();
    let fraction = (bits & ((1 << 52) - 1)).cast_signed();
    let exponent = (bits >> 52 & 0x7ff) as i16;
    let (m, e) = if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
    if m == 0 {
        return Some((0, 0));
    }
    let zeros = m.trailing_zeros();
    let m = m >> zeros;
    Some((if x < 0.0 { -m } else { m }, e + zeros as i16))
}

struct Contexts {
    zeros: Vec<Bit>,
    /// Of the bits of the steps and the trailing zeros together, which hang on how far edges lie apart.
    size: Vec<Bit>,
}

impl Default for Contexts {
    fn default() -> Contexts {
        Contexts { zeros: vec![Bit::default(); 64], size: vec![Bit::default(); 128] }
    }
}

impl Contexts {
    /// Codes the number after `last`; `None` when what was read is too large.
    fn code<C: Coder>(&mut self, coder: &mut C, last: Option<i64>, k: i64) -> Option<i64> {
        let zeros = if k == 0 { ZERO } else { k.trailing_zeros() };
        let zeros = symbol(coder, &mut self.zeros, 6, zeros);
        if zeros == ZERO {
            return Some(0).filter(|_| last.is_none_or(|l| l < 0));
        }
        if zeros > MAX_BITS {
            return None;
        }
        // Numbers with these zeros are `(2 j + 1) << zeros`; of the first, `j` is folded to be positive.
        let j = k >> zeros >> 1;
        let first = last.map(|l| ((l >> zeros) + 1) >> 1);
        let steps = first.map_or((j << 1) ^ (j >> 63), |f| j.wrapping_sub(f)).cast_unsigned();
        let length = 64 - steps.leading_zeros();
        let length = symbol(coder, &mut self.size, 7, (length + zeros) & 127).checked_sub(zeros)?;
        if length > MAX_BITS + 1 {
            return None;
        }
        let mut read = u64::from(length > 0);
        let mut left = length.saturating_sub(1);
        while left > 0 {
            let n = left.min(24);
            left -= n;
            let low = (steps >> left & ((1 << n) - 1)) as u32;
            read = read << n | u64::from(coder.flat(n, low));
        }
        let read = read.cast_signed();
        let j = match first {
            Some(f) => f.checked_add(read)?,
            None => (read >> 1) ^ -(read & 1),
        };
        let odd = j.checked_mul(2)?.checked_add(1)?;
        let k = odd.checked_mul(1i64.checked_shl(zeros)?)?;
        Some(k).filter(|k| k.unsigned_abs() >> MAX_BITS == 0)
    }
}
