//! Accumulators to the grid of the next integers: one multiplier and one shift.

use super::round_ties_even;
use alloc::vec::Vec;

/// `(acc * m + 2^(s - 1)) >> s` for a real factor `m * 2^-s`: rounded half up, in i64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requantize {
    multiplier: i64,
    shift: u32,
}

impl Requantize {
    /// `2^30 <= multiplier < 2^31` and `1 <= shift <= 62`, else `None`.
    pub fn try_new(multiplier: i64, shift: i64) -> Option<Requantize> {
        let fits = (1 << 30..1 << 31).contains(&multiplier) && (1..=62).contains(&shift);
        fits.then_some(Requantize { multiplier, shift: shift as u32 })
    }

    /// All multipliers and then all shifts, as graphs store them; `None` if one does not fit.
    pub fn pairs(values: &[i64]) -> Option<Vec<Requantize>> {
        let (multipliers, shifts) = values.split_at(values.len() / 2);
        multipliers.iter().zip(shifts).map(|(&m, &s)| Requantize::try_new(m, s)).collect()
    }

    /// The pair nearest to a real factor: `m = round_ties_even(factor * 2^s)`. `None` for a factor that rounds to
    /// one outside of `2^-32..2^30`, which no pair has.
    pub fn of(factor: f64) -> Option<Requantize> {
        if !(factor.is_finite() && factor > 0.0) {
            return None;
        }
        let mut scaled = factor;
        let mut shift = 0i64;
        while scaled < 1_073_741_824.0 && shift <= 62 {
            scaled *= 2.0;
            shift += 1;
        }
        let multiplier = round_ties_even(scaled) as i64;
        // Rounding up may reach the next power of two.
        if multiplier == 1 << 31 {
            Self::try_new(1 << 30, shift - 1)
        } else {
            Self::try_new(multiplier, shift)
        }
    }

    /// The multiplier.
    pub fn multiplier(self) -> i64 {
        self.multiplier
    }

    /// The shift.
    pub fn shift(self) -> i64 {
        self.shift.into()
    }

    /// The real factor.
    pub fn factor(self) -> f64 {
        self.multiplier as f64 / (1i64 << self.shift) as f64
    }

    /// The requantized accumulator; `acc` is below 2^32 in size, a larger one is clamped to that.
    #[inline]
    pub fn apply(self, acc: i64) -> i64 {
        // The product is below 2^63. Half up is the floor and the first bit behind it: no half is added, which
        // could overflow.
        let product = acc.clamp(-(1 << 32) + 1, (1 << 32) - 1) * self.multiplier;
        (product >> self.shift) + (product >> (self.shift - 1) & 1)
    }

    /// The requantized mean of `count` numbers, 1 for 0 of them: `floor((2 sum m + count 2^s) / (2 count 2^s))`, half up.
    ///
    /// Exact for sums below 2^62 in size.
    #[inline]
    pub fn mean(self, sum: i64, count: usize) -> i64 {
        let count = count.max(1) as i128;
        let halves = 2 * i128::from(sum) * i128::from(self.multiplier) + (count << self.shift);
        halves.div_euclid((2 * count) << self.shift) as i64
    }
}

/// An integer at the nearer end of i32, or itself.
#[inline]
pub fn clamp_i32(value: i64) -> i32 {
    value.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_goes_up() {
        let half = Requantize::of(0.5).unwrap();
        assert_eq!((half.multiplier(), half.shift()), (1 << 30, 31));
        for (acc, expected) in [(0, 0), (1, 1), (-1, 0), (3, 2), (-3, -1), (4, 2), (-4, -2)] {
            assert_eq!(half.apply(acc), expected, "{acc}");
        }
        let most = (1i64 << 32) - 1;
        assert_eq!(Requantize::try_new((1 << 31) - 1, 62).unwrap().apply(most), 2);
        assert_eq!(
            Requantize::try_new((1 << 31) - 1, 1).unwrap().apply(-most),
            -most * ((1 << 30) - 1) - most / 2
        );
    }

    #[test]
    fn means_round_half_up() {
        let one = Requantize::of(1.0).unwrap();
        for (sum, count, expected) in
            [(3, 2, 2), (-3, 2, -1), (7, 4, 2), (-6, 4, -1), (-7, 4, -2), (5, 0, 5), (1, 3, 0), (2, 3, 1)]
        {
            assert_eq!(one.mean(sum, count), expected, "{sum} / {count}");
        }
        let pair = Requantize::try_new((1 << 31) - 1, 62).unwrap();
        assert_eq!(pair.mean(i64::MAX / 2, 1), 2_147_483_647);
        assert_eq!(Requantize::of(0.5).unwrap().mean(-5, 1), Requantize::of(0.5).unwrap().apply(-5));
    }

    #[test]
    fn factors_near_and_far() {
        for factor in [1e-9, 0.1, 0.333, 1.0, 1.9999999999, 12345.678, 1e9] {
            let got = Requantize::of(factor).unwrap();
            assert!((got.factor() / factor - 1.0).abs() < 1e-9, "{factor}: {got:?}");
        }
        for factor in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e10, 1e-10] {
            assert_eq!(Requantize::of(factor), None, "{factor}");
        }
        assert_eq!(Requantize::try_new(1 << 31, 5), None);
        assert_eq!(Requantize::try_new(1 << 30, 0), None);
        assert_eq!(Requantize::try_new(1 << 30, 63), None);
    }
}
