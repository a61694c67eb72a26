//! Many values at once, with the same bits as one by one.
//!
//! Numbers of single precision whose sizes are within `2^15` of each other are whole numbers of one unit, below `2^39`.
//! So doubles add some thousands of them without rounding, and of their squares too if these are taken in halves of 20
//! bits: `(2^20 a + b)^2 = 2^40 a^2 + 2^21 ab + b^2`. What is smaller is rare and left to the exact sums.

use super::histogram::HALF;
use pulp::NullaryFnOnce;

/// Most values of a block: sums of halves stay below `2^53`.
pub(super) const MOST: usize = 8192;
/// Fewer are quicker one by one.
const LEAST: usize = 32;
/// Sums that grow side by side, so that vectors hold them.
pub(super) const LANES: usize = 8;
/// Doubles near it are whole: adding and taking it off rounds to a whole number.
const ROUND: f64 = 1.5 * (1u64 << 52) as f64;
const INFINITE: u32 = 0x7f80_0000;
const SIZE: u32 = 0x7fff_ffff;

/// What a block of finite values holds.
pub(super) struct Block {
    /// Zeros.
    pub(super) n_zero: u64,
    /// Least and largest value.
    pub(super) extremes: (f32, f32),
    /// The largest size.
    pub(super) largest: f32,
    /// Sum of the values that are not small, in units of `2^(shift - 149)`.
    pub(super) sum: i64,
    /// Sum of their squares, in units of `2^(2 shift - 298)`.
    pub(super) squares: u128,
    /// See `sum`.
    pub(super) shift: usize,
    /// Bits of the size below which a value other than 0 is small, and left out of both sums.
    pub(super) small: u32,
    /// Some are small.
    pub(super) has_small: bool,
}

impl Block {
    /// None of values that are few, many, no multiple of [`LANES`], or not all finite.
    pub(super) fn of(values: &[f32]) -> Option<Block> {
        let (values, []) = values.as_chunks() else { return None };
        if !(LEAST..=MOST).contains(&values.as_flattened().len()) {
            return None;
        }
        let arch = pulp::Arch::new();
        let seen = arch.dispatch(Sizing(values));
        let most = seen.most.into_iter().fold(0, u32::max);
        if most >= INFINITE {
            return None;
        }
        let shift = (most >> 23).max(16) - 16;
        let small = if shift == 0 { 0 } else { (shift + 1) << 23 };
        let unit = ir::fixed::power_of_two(149 - shift as i32);
        let sums = arch.dispatch(Summing { values, per_unit: unit, small });
        let whole = |sums: [f64; LANES]| i128::from(sums.iter().sum::<f64>() as i64);
        let squares = (whole(sums.high) << 40) + (whole(sums.mixed) << 21) + whole(sums.low);
        Some(Block {
            n_zero: seen.zeros.iter().map(|&n| u64::from(n)).sum(),
            extremes: (
                seen.low.into_iter().fold(f32::INFINITY, f32::min),
                seen.high.into_iter().fold(f32::NEG_INFINITY, f32::max),
            ),
            largest: f32::from_bits(most),
            sum: sums.sum.iter().sum::<f64>() as i64,
            squares: squares.unsigned_abs(),
            shift: shift as usize,
            small,
            has_small: sums.small.iter().any(|n| *n > 0),
        })
    }

    /// True for a value that is in neither sum.
    pub(super) fn is_small(&self, x: f32) -> bool {
        let size = x.to_bits() & SIZE;
        size > 0 && size < self.small
    }
}

struct Sizes {
    most: [u32; LANES],
    zeros: [u32; LANES],
    low: [f32; LANES],
    high: [f32; LANES],
}

impl Sizes {
    /// A loop for each sum, which becomes a vector then.
    #[expect(clippy::needless_range_loop, reason = "one index for all lanes")]
    #[inline(always)]
    fn see(&mut self, x: &[f32; LANES]) {
        let size = x.map(|x| x.to_bits() & SIZE);
        // -0 becomes 0, so that no order of values shows.
        let x = x.map(|x| x + 0.0);
        for l in 0..LANES {
            self.most[l] = if size[l] > self.most[l] { size[l] } else { self.most[l] };
        }
        for l in 0..LANES {
            self.zeros[l] += u32::from(size[l] == 0);
        }
        for l in 0..LANES {
            self.low[l] = if x[l] < self.low[l] { x[l] } else { self.low[l] };
        }
        for l in 0..LANES {
            self.high[l] = if x[l] > self.high[l] { x[l] } else { self.high[l] };
        }
    }
}

/// A closure that takes nothing by value is called through a function that is not inlined, and so is compiled without
/// the instructions; what implements the trait of calls itself is.
struct Sizing<'v>(&'v [[f32; LANES]]);

impl NullaryFnOnce for Sizing<'_> {
    type Output = Sizes;

    #[inline(always)]
    fn call(self) -> Sizes {
        let mut seen = Sizes {
            most: [0; LANES],
            zeros: [0; LANES],
            low: [f32::INFINITY; LANES],
            high: [f32::NEG_INFINITY; LANES],
        };
        for values in self.0 {
            seen.see(values);
        }
        seen
    }
}

#[derive(Default)]
struct Sums {
    sum: [f64; LANES],
    high: [f64; LANES],
    mixed: [f64; LANES],
    low: [f64; LANES],
    small: [u32; LANES],
}

impl Sums {
    /// `per_unit` makes whole numbers of what is not small.
    #[expect(clippy::needless_range_loop, reason = "one index for all lanes")]
    #[inline(always)]
    fn add(&mut self, x: &[f32; LANES], per_unit: f64, small: u32) {
        const STEP: f64 = (1 << 20) as f64;
        let size = x.map(|x| x.to_bits() & SIZE);
        let (mut whole, mut high, mut low) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for l in 0..LANES {
            self.small[l] += u32::from(size[l] > 0 && size[l] < small);
        }
        for l in 0..LANES {
            whole[l] = f64::from(if size[l] < small { 0.0 } else { x[l] }) * per_unit;
        }
        for l in 0..LANES {
            high[l] = (whole[l] * (1.0 / STEP) + ROUND) - ROUND;
        }
        for l in 0..LANES {
            low[l] = whole[l] - high[l] * STEP;
        }
        for l in 0..LANES {
            self.sum[l] += whole[l];
        }
        for l in 0..LANES {
            self.high[l] += high[l] * high[l];
        }
        for l in 0..LANES {
            self.mixed[l] += high[l] * low[l];
        }
        for l in 0..LANES {
            self.low[l] += low[l] * low[l];
        }
    }
}

struct Summing<'v> {
    values: &'v [[f32; LANES]],
    /// Makes whole numbers of what is not small.
    per_unit: f64,
    small: u32,
}

impl NullaryFnOnce for Summing<'_> {
    type Output = Sums;

    #[inline(always)]
    fn call(self) -> Sums {
        let mut sums = Sums::default();
        for values in self.values {
            sums.add(values, self.per_unit, self.small);
        }
        sums
    }
}

/// Bins `floor(x per_width) + 1024` of values whose sizes are below `1024 / per_width`.
pub(super) fn bins(values: &[f32], per_width: f64, bins: &mut [u16]) {
    pulp::Arch::new().dispatch(Binning { values, per_width, bins });
}

struct Binning<'v, 'b> {
    values: &'v [f32],
    per_width: f64,
    bins: &'b mut [u16],
}

impl NullaryFnOnce for Binning<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (bin, &x) in self.bins.iter_mut().zip(self.values) {
            // Exact: a power of two times a number of single precision.
            let place = f64::from(x) * self.per_width;
            let near = (place + ROUND) - ROUND;
            let floor = if near > place { near - 1.0 } else { near };
            // The last bits of such a double are those of the whole number.
            *bin = ((floor + (ROUND + HALF as f64)).to_bits() & 0xffff) as u16;
        }
    }
}
