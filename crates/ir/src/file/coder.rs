//! Adaptive binary range coding.
//!
//! A bit is coded with the probability that its context has learnt so far; the same model code
//! drives writing and reading, so the two cannot disagree. Integers only: the interval is `range` wide
//! in 64 bits and is widened by 32 bits at a time, so that a reader seldom waits for bytes, and a bit
//! is read without a branch on it. Bits that nothing is known of are coded many at once.
//! # Source  Martin, Range encoding, 1979, with the carry of Schindler's range coder, 1998; Krichevsky &
//! Trofimov, IEEE Trans. Inf. Theory 27, 1981, for the rate of learning.

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

/// Chances tend to this, of 2^16, and to what it leaves; they never reach 0 or 1.
const LEAST_CHANCE: i32 = 48;

/// Sightings after which a context forgets at a fixed rate.
const MEMORY: u8 = 127;

/// `2^16 / (seen + 3)`: slower than for a lone bit, since most contexts are one of many beside each other.
const RATES: [i32; MEMORY as usize + 1] = {
    let mut rates = [0; MEMORY as usize + 1];
    let mut seen = 0;
    while seen < rates.len() {
        rates[seen] = 65_536 / (seen as i32 + 3);
        seen += 1;
    }
    rates
};

impl Bit {
    #[inline(always)]
    fn learn(&mut self, bit: bool) {
        // one += (target - one) / (seen + 3)
        let rate = RATES[usize::from(self.seen & MEMORY)];
        let target = LEAST_CHANCE + i32::from(bit) * (65_535 - 2 * LEAST_CHANCE);
        let step = ((target - i32::from(self.one)) * (rate >> 1)) >> 15;
        self.one = (i32::from(self.one) + step) as u16;
        self.seen += u8::from(self.seen < MEMORY);
    }

    /// Starts from what a wider context has learnt.
    #[inline(always)]
    pub(super) fn inherit(&mut self, wider: Bit) {
        if self.seen == 0 {
            *self = Bit { one: wider.one, seen: wider.seen.min(2) };
        }
    }

    /// Learns a bit that was coded in a narrower context.
    #[inline(always)]
    pub(super) fn watch(&mut self, bit: bool) {
        self.learn(bit);
    }
}

/// Either end of the coder.
pub(super) trait Coder {
    /// Codes one bit in a context: the writer takes `bit`, the reader returns it.
    fn bit(&mut self, context: &mut Bit, bit: bool) -> bool;

    /// Codes the lower `n` bits (at most 31) of a number, all equally likely.
    fn flat(&mut self, n: u32, value: u32) -> u32;
}

/// Least range before a coder takes the next four bytes.
const LEAST: u64 = 1 << 32;

/// Writes bits.
pub(super) struct Encoder {
    low: u64,
    range: u64,
    out: Vec<u8>,
}

impl Encoder {
    pub(super) fn new() -> Encoder {
        Encoder { low: 0, range: u64::MAX, out: Vec::new() }
    }

    /// The bytes; as few as tell the last interval from all others.
    pub(super) fn finish(mut self) -> Vec<u8> {
        // A reader past the end sees zeros, so a byte string within the interval is enough.
        for n in 0..=8u32 {
            let drop = 64 - 8 * n;
            let up = ((u128::from(self.low) + (1u128 << drop) - 1) >> drop) << drop;
            let step = up - u128::from(self.low);
            if step < u128::from(self.range) {
                self.add(step as u64);
                self.out.extend_from_slice(&self.low.to_be_bytes()[..n as usize]);
                break;
            }
        }
        while self.out.last() == Some(&0) {
            self.out.pop();
        }
        self.out
    }

    #[inline]
    fn add(&mut self, step: u64) {
        let (low, carry) = self.low.overflowing_add(step);
        self.low = low;
        if carry {
            for byte in self.out.iter_mut().rev() {
                *byte = byte.wrapping_add(1);
                if *byte != 0 {
                    break;
                }
            }
        }
    }

    #[inline]
    fn widen(&mut self) {
        if self.range < LEAST {
            self.out.extend_from_slice(&self.low.to_be_bytes()[..4]);
            self.low <<= 32;
            self.range <<= 32;
        }
    }
}

impl Coder for Encoder {
    fn bit(&mut self, context: &mut Bit, bit: bool) -> bool {
        let cut = (self.range >> 16) * u64::from(context.one);
        if bit {
            self.range = cut;
        } else {
            self.add(cut);
            self.range -= cut;
        }
        context.learn(bit);
        self.widen();
        bit
    }

    fn flat(&mut self, n: u32, value: u32) -> u32 {
        self.range >>= n;
        self.add(u64::from(value) * self.range);
        self.widen();
        value
    }
}

/// Reads bits; past the end it sees zeros, and the model that it reads is checked as a whole.
pub(super) struct Decoder<'a> {
    /// The bytes read, less the lower end of the interval.
    code: u64,
    range: u64,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Decoder<'a> {
        let mut decoder = Decoder { code: 0, range: u64::MAX, bytes, at: 0 };
        decoder.shift();
        decoder.shift();
        decoder
    }

    #[inline(always)]
    fn shift(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let four = match rest.first_chunk::<4>() {
            Some(four) => u32::from_be_bytes(*four),
            None => rest.iter().zip([24, 16, 8]).fold(0, |word, (&b, up)| word | u32::from(b) << up),
        };
        self.code = self.code << 32 | u64::from(four);
        self.at += 4;
    }

    #[inline(always)]
    fn widen(&mut self) {
        if self.range < LEAST {
            self.range <<= 32;
            self.shift();
        }
    }

    /// Fails when more was read than the writer can have written.
    pub(super) fn check(&self, from: &Reader<'_>) -> Result<(), Error> {
        if self.at > self.bytes.len().saturating_add(16) {
            Err(from.fail("the coded bytes end too early"))
        } else {
            Ok(())
        }
    }
}

impl Coder for Decoder<'_> {
    #[inline(always)]
    fn bit(&mut self, context: &mut Bit, _: bool) -> bool {
        let cut = (self.range >> 16) * u64::from(context.one);
        let bit = self.code < cut;
        // Selected, not branched: which way a bit falls is what no branch predictor can know.
        let keep = u64::from(bit).wrapping_neg();
        self.code -= cut & !keep;
        self.range = (cut & keep) | ((self.range - cut) & !keep);
        context.learn(bit);
        self.widen();
        bit
    }

    #[inline(always)]
    fn flat(&mut self, n: u32, _: u32) -> u32 {
        self.range >>= n;
        let value = (self.code / self.range).min((1 << n) - 1);
        self.code -= value * self.range;
        self.widen();
        value as u32
    }
}

/// A number below `1 << n_bits`, most significant bit first, each bit in the context of those
/// before it. `contexts` has `1 << n_bits` entries.
#[inline]
pub(super) fn symbol<C: Coder>(coder: &mut C, contexts: &mut [Bit], n_bits: u32, value: u32) -> u32 {
    let mut node = 1usize;
    for i in (0..n_bits).rev() {
        let bit = coder.bit(&mut contexts[node], value >> i & 1 == 1);
        node = node << 1 | usize::from(bit);
    }
    node as u32 - (1 << n_bits)
}

/// A [`symbol`] in contexts that start from wider ones, which learn beside them.
#[inline]
pub(super) fn symbol_within<C: Coder>(
    coder: &mut C,
    (narrow, wide): (&mut [Bit], &mut [Bit]),
    n_bits: u32,
    value: u32,
) -> u32 {
    let mut node = 1usize;
    for i in (0..n_bits).rev() {
        narrow[node].inherit(wide[node]);
        let bit = coder.bit(&mut narrow[node], value >> i & 1 == 1);
        wide[node].watch(bit);
        node = node << 1 | usize::from(bit);
    }
    node as u32 - (1 << n_bits)
}

/// A number of `low..high`, below `1 << n_bits`, as a [`symbol`] without the bits that the limits decide.
#[inline]
pub(super) fn symbol_between<C: Coder>(
    coder: &mut C,
    contexts: &mut [Bit],
    n_bits: u32,
    (low, high): (u32, u32),
    value: u32,
) -> u32 {
    // The leading bits that all numbers share.
    let open = (32 - (low ^ high.saturating_sub(1)).leading_zeros()).min(n_bits);
    let mut node = (1 << n_bits | low) >> open;
    for i in (0..open).rev() {
        // The first number of the upper half below this node.
        let middle = ((node << 1 | 1) << i) - (1 << n_bits);
        let bit = if high <= middle {
            false
        } else if low >= middle {
            true
        } else {
            coder.bit(&mut contexts[node as usize], value >> i & 1 == 1)
        };
        node = node << 1 | u32::from(bit);
    }
    node - (1 << n_bits)
}

/// Bits of a symbol below `n`.
pub(super) fn n_bits(n: usize) -> u32 {
    usize::BITS - n.saturating_sub(1).leading_zeros()
}
