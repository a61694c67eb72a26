//! Adaptive binary arithmetic coding.
//!
//! A bit is coded with the probability that its context has learnt so far; the same model code
//! drives writing and reading, so the two cannot disagree. Integers only, no carry: the interval is
//! `low..=high` in 32 bits, and its leading byte is given out once both ends share it.
//! # Source  Mahoney, Adaptive weighing of context models (PAQ), 2005, section on the arithmetic coder;
//! Krichevsky & Trofimov, IEEE Trans. Inf. Theory 27, 1981, for the rate of learning.

use super::bytes::Reader;
use crate::Error;
use alloc::vec::Vec;

/// The probability of a one in a context, and how often it was seen.
#[derive(Clone, Copy)]
pub(super) struct Bit {
    one: u16,
    seen: u8,
}

impl Default for Bit {
    fn default() -> Bit {
        Bit { one: 1 << 15, seen: 0 }
    }
}

/// Sightings after which a context forgets at a fixed rate.
const MEMORY: u8 = 120;

impl Bit {
    #[inline]
    fn learn(&mut self, bit: bool) {
        // one += (target - one) / (seen + 1.5)
        let rate = 131_072 / (2 * i32::from(self.seen) + 3);
        let target = if bit { 65_535 } else { 0 };
        let step = ((target - i32::from(self.one)) * (rate >> 1)) >> 15;
        self.one = (i32::from(self.one) + step).clamp(64, 65_535 - 64) as u16;
        self.seen = (self.seen + 1).min(MEMORY);
    }
}

/// Either end of the coder.
pub(super) trait Coder {
    /// Codes one bit in a context: the writer takes `bit`, the reader returns it.
    fn bit(&mut self, context: &mut Bit, bit: bool) -> bool;
}

/// Where the interval is cut for a probability of one.
#[inline]
fn cut(low: u32, high: u32, one: u16) -> u32 {
    low + ((u64::from(high - low) * u64::from(one)) >> 16) as u32
}

/// Writes bits.
pub(super) struct Encoder {
    low: u32,
    high: u32,
    out: Vec<u8>,
}

impl Encoder {
    pub(super) fn new() -> Encoder {
        Encoder { low: 0, high: u32::MAX, out: Vec::new() }
    }

    /// The bytes; as few as tell the last interval from all others.
    pub(super) fn finish(mut self) -> Vec<u8> {
        // A reader past the end sees zeros, so a byte string within the interval is enough.
        if self.low > 0 {
            for n in 1..=4u32 {
                let drop = 32 - 8 * n;
                let up = ((u64::from(self.low) + (1u64 << drop) - 1) >> drop) << drop;
                if up <= u64::from(self.high) {
                    self.out.extend_from_slice(&(up as u32).to_be_bytes()[..n as usize]);
                    break;
                }
            }
        }
        self.out
    }
}

impl Coder for Encoder {
    #[inline]
    fn bit(&mut self, context: &mut Bit, bit: bool) -> bool {
        let middle = cut(self.low, self.high, context.one);
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        context.learn(bit);
        while (self.low ^ self.high) >> 24 == 0 {
            self.out.push((self.high >> 24) as u8);
            self.low <<= 8;
            self.high = self.high << 8 | 255;
        }
        bit
    }
}

/// Reads bits; past the end it sees zeros, and the model that it reads is checked as a whole.
pub(super) struct Decoder<'a> {
    low: u32,
    high: u32,
    code: u32,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Decoder<'a> {
        let mut decoder = Decoder { low: 0, high: u32::MAX, code: 0, bytes, at: 0 };
        for _ in 0..4 {
            decoder.shift();
        }
        decoder
    }

    #[inline]
    fn shift(&mut self) {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.code = self.code << 8 | u32::from(byte);
        self.at += 1;
    }

    /// Fails when more was read than the writer can have written.
    pub(super) fn check(&self, from: &Reader<'_>) -> Result<(), Error> {
        if self.at > self.bytes.len() + 4 { Err(from.fail("the trees end too early")) } else { Ok(()) }
    }
}

impl Coder for Decoder<'_> {
    #[inline]
    fn bit(&mut self, context: &mut Bit, _: bool) -> bool {
        let middle = cut(self.low, self.high, context.one);
        let bit = self.code <= middle;
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        context.learn(bit);
        while (self.low ^ self.high) >> 24 == 0 {
            self.low <<= 8;
            self.high = self.high << 8 | 255;
            self.shift();
        }
        bit
    }
}

/// A number below `1 << n_bits`, most significant bit first, each bit in the context of those
/// before it. `contexts` has `1 << n_bits` entries.
pub(super) fn symbol<C: Coder>(coder: &mut C, contexts: &mut [Bit], n_bits: u32, value: u32) -> u32 {
    let mut node = 1usize;
    for i in (0..n_bits).rev() {
        let bit = coder.bit(&mut contexts[node], value >> i & 1 == 1);
        node = node << 1 | usize::from(bit);
    }
    node as u32 - (1 << n_bits)
}

/// Bits of a symbol below `n`.
pub(super) fn n_bits(n: usize) -> u32 {
    usize::BITS - n.saturating_sub(1).leading_zeros()
}

/// Contexts of a signed number: its length in bits, its sign, and its bits below the leading one,
/// the first three of them in context.
pub(super) struct Signed {
    length: [Bit; 64],
    sign: [Bit; 33],
    high: [[Bit; 8]; 33],
    flat: Bit,
}

impl Default for Signed {
    fn default() -> Signed {
        Signed {
            length: [Bit::default(); 64],
            sign: [Bit::default(); 33],
            high: [[Bit::default(); 8]; 33],
            flat: Bit::default(),
        }
    }
}

impl Signed {
    pub(super) fn code<C: Coder>(&mut self, coder: &mut C, value: i32) -> i32 {
        let size = value.unsigned_abs();
        let length = symbol(coder, &mut self.length, 6, 32 - size.leading_zeros()).min(32);
        if length == 0 {
            return 0;
        }
        let negative = coder.bit(&mut self.sign[length as usize], value < 0);
        let mut read = 1u64;
        let mut node = 1usize;
        for i in (0..length - 1).rev() {
            let bit = size >> i & 1 == 1;
            let bit = if node < 8 {
                let bit = coder.bit(&mut self.high[length as usize][node], bit);
                node = node << 1 | usize::from(bit);
                bit
            } else {
                self.flat = Bit::default();
                coder.bit(&mut self.flat, bit)
            };
            read = read << 1 | u64::from(bit);
        }
        let size = i64::try_from(read).unwrap_or(0);
        let value = if negative { -size } else { size };
        value.clamp(i32::MIN.into(), i32::MAX.into()) as i32
    }
}
