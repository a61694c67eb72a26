//! Sums of single-precision numbers, or of their squares, without rounding: whole numbers of the least unit.

/// A sum in fixed point: a whole number of `64 N` bits in two's complement, times `2^-unit`.
///
/// 5 words hold `2^42` numbers of single precision (277 bits), 10 words as many of their squares (554 bits). What
/// does not round has no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ExactSum<const N: usize> {
    words: [u64; N],
}

/// `2^-149`, the least number of single precision, is the unit of sums.
const UNIT: i32 = 149;

impl<const N: usize> Default for ExactSum<N> {
    fn default() -> ExactSum<N> {
        ExactSum { words: [0; N] }
    }
}

/// Whole number and shift of a finite number: `|x| = whole 2^(shift - 149)`.
#[inline]
fn parts(x: f32) -> (u64, usize) {
    let bits = x.to_bits();
    let exponent = (bits >> 23) & 255;
    let fraction = u64::from(bits & 0x7f_ffff);
    let whole = if exponent == 0 { fraction } else { fraction | 0x80_0000 };
    (whole, exponent.max(1) as usize - 1)
}

impl ExactSum<5> {
    /// Adds a finite number.
    #[inline]
    pub(super) fn add(&mut self, x: f32) {
        let (whole, shift) = parts(x);
        if x < 0.0 { self.lower(whole, shift) } else { self.raise(whole, shift) }
    }

    /// Adds `sum 2^(shift - 149)`.
    pub(super) fn add_block(&mut self, sum: i64, shift: usize) {
        let whole = sum.unsigned_abs();
        if sum < 0 { self.lower(whole, shift) } else { self.raise(whole, shift) }
    }

    /// The sum, within two steps of double precision.
    pub(super) fn value(&self) -> f64 {
        self.scaled(UNIT)
    }
}

impl ExactSum<10> {
    /// Adds the square of a finite number.
    #[inline]
    pub(super) fn add_square(&mut self, x: f32) {
        let (whole, shift) = parts(x);
        self.raise(whole * whole, 2 * shift);
    }

    /// Adds `sum 2^(2 shift - 298)`.
    pub(super) fn add_block(&mut self, sum: u128, shift: usize) {
        self.raise(sum as u64, 2 * shift);
        self.raise((sum >> 64) as u64, 2 * shift + 64);
    }

    /// The sum of squares, within two steps of double precision.
    pub(super) fn value(&self) -> f64 {
        self.scaled(2 * UNIT)
    }
}

impl<const N: usize> ExactSum<N> {
    /// Adds `whole 2^shift`.
    #[inline]
    fn raise(&mut self, whole: u64, shift: usize) {
        let wide = u128::from(whole) << (shift % 64);
        let mut carry = wide;
        for word in self.words.iter_mut().skip(shift / 64) {
            if carry == 0 {
                break;
            }
            let (sum, over) = word.overflowing_add(carry as u64);
            *word = sum;
            carry = (carry >> 64) + u128::from(over);
        }
    }

    /// Takes `whole 2^shift` off.
    #[inline]
    fn lower(&mut self, whole: u64, shift: usize) {
        let mut carry = u128::from(whole) << (shift % 64);
        for word in self.words.iter_mut().skip(shift / 64) {
            if carry == 0 {
                break;
            }
            let (rest, under) = word.overflowing_sub(carry as u64);
            *word = rest;
            carry = (carry >> 64) + u128::from(under);
        }
    }

    /// Adds another sum.
    pub(super) fn merge(&mut self, other: &ExactSum<N>) {
        let mut carry = 0u128;
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            let sum = u128::from(*word) + u128::from(*more) + carry;
            *word = sum as u64;
            carry = sum >> 64;
        }
    }

    fn scaled(&self, unit: i32) -> f64 {
        let is_negative = self.words.last().is_some_and(|w| w.cast_signed() < 0);
        let mut magnitude = *self;
        if is_negative {
            let mut carry = 1u128;
            for word in &mut magnitude.words {
                let sum = u128::from(!*word) + carry;
                *word = sum as u64;
                carry = sum >> 64;
            }
        }
        // The highest words first; a word that adds nothing to 53 bits changes nothing.
        let mut sum = 0.0;
        for (at, word) in magnitude.words.iter().enumerate().rev() {
            sum += ir::fixed::scaled(*word as f64, 64 * at as i32 - unit);
        }
        if is_negative { -sum } else { sum }
    }
}
