//! Counts, extremes, exact sums and a histogram of values.

use super::block::{self, Block};
use super::exact_sum::ExactSum;
use super::histogram::{Histogram, N_BINS};

/// What some rows of a channel hold. Values are the finite numbers; -0 counts as 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    n: u64,
    n_zero: u64,
    n_nan: u64,
    n_infinite: u64,
    extremes: Option<(f32, f32)>,
    sum: ExactSum<5>,
    squares: ExactSum<10>,
    histogram: Histogram,
    n_rows: u64,
    row_lows: ExactSum<5>,
    row_highs: ExactSum<5>,
}

/// An interval that holds some of the values; without further knowledge they lie evenly in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// Lower end.
    pub low: f64,
    /// Upper end; equal to the lower one where all values are one number.
    pub high: f64,
    /// Number of values.
    pub count: u64,
}

impl Piece {
    /// The larger size of an end.
    pub fn size(&self) -> f64 {
        self.high.max(-self.low)
    }

    /// Half-way between the ends.
    pub fn middle(&self) -> f64 {
        0.5 * (self.low + self.high)
    }
}

impl Summary {
    /// Counts a row, given in runs; its extremes, if it holds a value.
    pub(super) fn push_row<'a>(&mut self, runs: impl Iterator<Item = &'a [f32]>) -> Option<(f32, f32)> {
        let mut row: Option<(f32, f32)> = None;
        for run in runs {
            let (blocks, rest) = run.split_at(run.len() - run.len() % block::LANES);
            for block in blocks.chunks(block::MOST) {
                let seen = match Block::of(block) {
                    Some(found) => Some(self.push_block(block, &found)),
                    None => self.push_each(block),
                };
                row = joined(row, seen);
            }
            row = joined(row, self.push_each(rest));
        }
        if let Some((low, high)) = row {
            self.n_rows += 1;
            self.row_lows.add(low);
            self.row_highs.add(high);
            self.extremes = joined(self.extremes, row);
        }
        row
    }

    /// Counts values one by one; their extremes. [`Summary::push_block`] gives the same bits.
    pub(super) fn push_each(&mut self, values: &[f32]) -> Option<(f32, f32)> {
        let mut seen: Option<(f32, f32)> = None;
        for &x in values {
            if x.is_finite() {
                // -0 becomes 0, so that no order of values shows.
                let x = x + 0.0;
                self.n += 1;
                self.n_zero += u64::from(x == 0.0);
                self.sum.add(x);
                self.squares.add_square(x);
                seen = joined(seen, Some((x, x)));
            } else {
                *(if x.is_nan() { &mut self.n_nan } else { &mut self.n_infinite }) += 1;
            }
        }
        self.histogram.push(values.iter().copied().filter(|x| x.is_finite()));
        seen
    }

    /// Counts a block; its extremes.
    fn push_block(&mut self, values: &[f32], found: &Block) -> (f32, f32) {
        self.n += values.len() as u64;
        self.n_zero += found.n_zero;
        self.sum.add_block(found.sum, found.shift);
        self.squares.add_block(found.squares, found.shift);
        if found.has_small {
            for &x in values.iter().filter(|x| found.is_small(**x)) {
                self.sum.add(x);
                self.squares.add_square(x);
            }
        }
        self.histogram.push_block(values, found.largest);
        found.extremes
    }

    /// Adds another. Exact: in any order the same bits.
    pub(super) fn merge(&mut self, other: &Summary) {
        self.n += other.n;
        self.n_zero += other.n_zero;
        self.n_nan += other.n_nan;
        self.n_infinite += other.n_infinite;
        self.extremes = joined(self.extremes, other.extremes);
        self.sum.merge(&other.sum);
        self.squares.merge(&other.squares);
        self.histogram.merge(&other.histogram);
        self.n_rows += other.n_rows;
        self.row_lows.merge(&other.row_lows);
        self.row_highs.merge(&other.row_highs);
    }

    /// Number of values.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// How many of them are 0.
    pub fn n_zero(&self) -> u64 {
        self.n_zero
    }

    /// NaN that came, and are no values.
    pub fn n_nan(&self) -> u64 {
        self.n_nan
    }

    /// Infinities that came, and are no values.
    pub fn n_infinite(&self) -> u64 {
        self.n_infinite
    }

    /// Rows that hold a value.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Least and largest value; none without a value.
    pub fn extremes(&self) -> Option<(f32, f32)> {
        self.extremes
    }

    /// Largest size of a value; 0 without one.
    pub fn largest(&self) -> f32 {
        self.extremes.map_or(0.0, |(low, high)| high.max(-low))
    }

    /// Mean; 0 without a value.
    pub fn mean(&self) -> f64 {
        share(self.sum.value(), self.n)
    }

    /// Mean of the squares; 0 without a value.
    pub fn mean_square(&self) -> f64 {
        share(self.squares.value(), self.n)
    }

    /// Standard deviation, `sqrt(E x^2 - (E x)^2)` (divided by n, not n - 1), from sums without rounding.
    pub fn deviation(&self) -> f64 {
        match self.extremes {
            Some((low, high)) if low < high => {
                let mean = self.mean();
                ir::fixed::math::sqrt((self.mean_square() - mean * mean).max(0.0))
            }
            _ => 0.0,
        }
    }

    /// Mean distance from the mean, `E |x - E x|`; within half a bin.
    pub fn absolute_deviation(&self) -> f64 {
        let mean = self.mean();
        // Distances above and below the mean are equal in sum, so those above say all; a bin that the mean parts
        // counts with the part above.
        let above = |piece: Piece| {
            let from = piece.low.max(mean);
            if piece.high <= mean {
                return 0.0;
            }
            let whole = piece.high - piece.low;
            let part = if whole > 0.0 { (piece.high - from) / whole } else { 1.0 };
            piece.count as f64 * part * (0.5 * (from + piece.high) - mean)
        };
        2.0 * share(self.pieces().map(above).sum(), self.n)
    }

    /// Means over rows of the least and of the largest value of a row; zeros without a row.
    pub fn mean_extremes(&self) -> (f64, f64) {
        (share(self.row_lows.value(), self.n_rows), share(self.row_highs.value(), self.n_rows))
    }

    /// Width of the bins of [`Summary::pieces`], a power of two: more than a 1024th of the largest size, at most
    /// a 512th.
    pub fn bin_width(&self) -> f64 {
        self.histogram.width()
    }

    /// Intervals that hold all values, rising: the zeros as one, then bins of one width, cut off at the extremes.
    /// At most 2,049.
    pub fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        let (least, most) = self.extremes.unwrap_or_default();
        let width = self.bin_width();
        let (n_zero, n) = (self.n_zero, self.n);
        let of_bin = move |(bin, count): (i64, u64)| {
            let low = (bin as f64 * width).max(least.into());
            let high = ((bin + 1) as f64 * width).min(most.into());
            let zeros = (bin == 0 && n_zero > 0).then_some(Piece { low: 0.0, high: 0.0, count: n_zero });
            let count = if bin == 0 { count - n_zero.min(count) } else { count };
            let others = (count > 0).then_some(Piece { low, high: high.max(low), count });
            zeros.into_iter().chain(others)
        };
        let bins = self.histogram.bins().filter(move |_| n > 0);
        bins.flat_map(of_bin)
    }

    /// Counts of the sizes |x|, zeros among them, in 1,024 bins of [`Summary::bin_width`] from 0 on.
    pub fn sizes(&self) -> Vec<u64> {
        let mut sizes = vec![0; N_BINS / 2];
        for (bin, count) in self.histogram.bins() {
            let size = if bin < 0 { -1 - bin } else { bin };
            if let Some(sum) = usize::try_from(size).ok().and_then(|size| sizes.get_mut(size)) {
                *sum += count;
            }
        }
        sizes
    }
}

/// Extremes of both.
fn joined(own: Option<(f32, f32)>, other: Option<(f32, f32)>) -> Option<(f32, f32)> {
    match (own, other) {
        (Some((l, h)), Some((low, high))) => Some((l.min(low), h.max(high))),
        (own, other) => own.or(other),
    }
}

fn share(sum: f64, n: u64) -> f64 {
    if n == 0 { 0.0 } else { sum / n as f64 }
}
