//! A histogram whose bins widen as larger values come.
//!
//! Widths are powers of two, and widening merges pairs of bins, so counts are those that the final width would have
//! given from the start: any order of values and of merging gives the same bits.

use super::block;

/// Bins, half of them for negative numbers.
pub(super) const N_BINS: usize = 2048;

/// Where bins of positive numbers begin.
pub(super) const HALF: i64 = N_BINS as i64 / 2;

/// Counts of `[i w, (i + 1) w)` for `-1024 <= i < 1024`, `w = 2^exponent` the least power of two for which every value
/// is inside `(-1024 w, 1024 w)`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Histogram {
    exponent: i32,
    /// None before the first value.
    counts: Vec<u64>,
}

/// Width of bins before anything came: that of the least normal number.
const LEAST_EXPONENT: i32 = -135;

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { exponent: LEAST_EXPONENT, counts: Vec::new() }
    }
}

impl Histogram {
    /// The exponent of the width that values up to `|x|` need.
    #[inline]
    fn needed(x: f32) -> i32 {
        ((x.to_bits() >> 23) & 255).max(1) as i32 - 136
    }

    /// Counts finite values.
    pub(super) fn push(&mut self, values: impl Iterator<Item = f32> + Clone) {
        let Some(needed) = values.clone().map(Histogram::needed).max() else { return };
        self.widen(needed);
        let per_width = ir::fixed::power_of_two(-self.exponent);
        for x in values {
            // Exact: a power of two times a number of single precision.
            let bin = (f64::from(x) * per_width).floor() as i64 + HALF;
            if let Some(count) = usize::try_from(bin).ok().and_then(|bin| self.counts.get_mut(bin)) {
                *count += 1;
            }
        }
    }

    /// Counts a block of finite values, of which `largest` is the largest size.
    pub(super) fn push_block(&mut self, values: &[f32], largest: f32) {
        self.widen(Histogram::needed(largest));
        let per_width = ir::fixed::power_of_two(-self.exponent);
        let mut bins = [0u16; block::MOST];
        block::bins(values, per_width, &mut bins);
        for &bin in bins.iter().take(values.len()) {
            if let Some(count) = self.counts.get_mut(usize::from(bin)) {
                *count += 1;
            }
        }
    }

    /// Makes bins at least `2^exponent` wide.
    fn widen(&mut self, exponent: i32) {
        if self.counts.is_empty() {
            self.counts = vec![0; N_BINS];
        }
        if exponent <= self.exponent {
            return;
        }
        let shift = (exponent - self.exponent).min(63);
        let mut wide = vec![0; N_BINS];
        for (at, count) in self.counts.iter().enumerate().filter(|(_, c)| **c > 0) {
            let bin = ((at as i64 - HALF) >> shift) + HALF;
            if let Some(sum) = usize::try_from(bin).ok().and_then(|bin| wide.get_mut(bin)) {
                *sum += count;
            }
        }
        self.counts = wide;
        self.exponent = exponent;
    }

    /// Adds the counts of another.
    pub(super) fn merge(&mut self, other: &Histogram) {
        if other.counts.is_empty() {
            return;
        }
        let mut other = other.clone();
        self.widen(other.exponent);
        other.widen(self.exponent);
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }

    /// Width of a bin.
    pub(super) fn width(&self) -> f64 {
        ir::fixed::power_of_two(self.exponent)
    }

    /// Bins that hold something, rising: `i` of `[i w, (i + 1) w)`, and the count.
    pub(super) fn bins(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        let bins = self.counts.iter().enumerate().filter(|(_, c)| **c > 0);
        bins.map(|(at, count)| (at as i64 - HALF, *count))
    }
}
