//! Gradients as integers.
//!
//! A row's gradient `g` and second derivative `h` become integers on a grid of the round: `g` in 23
//! bits with its sign, `h` in 17, rounded stochastically with random bits that depend only on
//! (seed, round, row). Sums of integers are exact in any order, so threads and blocks cannot change
//! a tree. Both share one 64-bit word, `g << 29 | h`, which 4,096 rows cannot overflow.
//!
//! To see what these bits cost, gradients can be kept wide instead ([`Packed::wide`]): sums stay exact and
//! every search stays the same code, but a row's numbers are those of single precision.
//! # Source  Shi et al., Quantized Training of Gradient Boosting Decision Trees, NeurIPS 2022; our
//! deviation: more bits, and random bits by counter instead of by stream.

use crate::histogram::Cell;
use ir::digest::mix;
use ir::fixed::{power_of_two as pow2, round_i64};
use jobs::Threads;

/// Rows that one packed sum may hold.
pub(crate) const BLOCK: usize = 4096;

const H_FIELD: u32 = 29;
const H_MASK: i64 = (1 << H_FIELD) - 1;
const G_MAX: f64 = ((1 << 22) - 1) as f64;
const H_MAX: f64 = ((1 << 17) - 1) as f64;
/// Bits of the largest wide number: 24 of single precision, and 17 below its last.
const WIDE_BITS: i32 = 41;

/// Splits a packed sum into its sums of `g` and `h`.
#[inline]
pub(crate) fn unpack(sum: i64) -> [i64; 2] {
    [sum >> H_FIELD, sum & H_MASK]
}

/// The gradients of rows, `[n_rows, width]`.
#[derive(Debug, PartialEq)]
pub(crate) enum Words {
    /// `g` and `h` in one word.
    Packed(Vec<i64>),
    /// `g` and `h` each in its own.
    Wide(Vec<Cell>),
}

/// Gradients of one output or of several side by side, as integers.
pub(crate) struct Packed {
    pub(crate) words: Words,
    /// Outputs side by side.
    pub(crate) width: usize,
    /// Real value of one step of `g`, one an output.
    pub(crate) g_step: Vec<f64>,
    /// Real value of one step of `h`, one an output.
    pub(crate) h_step: Vec<f64>,
}

/// Real gradients of a row: `g` and `h`.
pub(crate) type Gradient = [f32; 2];

impl Packed {
    /// Packs whole numbers: `g` of at most 23 bits with its sign, `h` of at most 17.
    pub(crate) fn whole(values: &[[i64; 2]], width: usize, g_step: f64) -> Packed {
        let words = Words::Packed(values.iter().map(|[g, h]| (g << H_FIELD) + h).collect());
        Packed { words, width, g_step: vec![g_step; width], h_step: vec![1.0; width] }
    }

    /// Packs `gradients [n_rows, width]`; rows outside the training part must hold zeros.
    pub(crate) fn new(gradients: &[Gradient], width: usize, key: u64, threads: &Threads) -> Packed {
        let chunk = BLOCK * width;
        let most = largest(gradients, width, threads);
        let step = |most: f32, levels: f64| if most > 0.0 { f64::from(most) / levels } else { 1.0 };
        let g_step: Vec<f64> = most.iter().map(|m| step(m[0], G_MAX)).collect();
        let h_step: Vec<f64> = most.iter().map(|m| step(m[1], H_MAX)).collect();
        let scales: Vec<[f64; 2]> = g_step.iter().zip(&h_step).map(|(g, h)| [1.0 / g, 1.0 / h]).collect();

        let mut words = vec![0i64; gradients.len()];
        threads.chunks(&mut words, chunk, |first, words| {
            let part = &gradients[first..first + words.len()];
            let rows = words.iter_mut().zip(part).enumerate();
            if let [scale] = scales[..] {
                rows.for_each(|(i, (word, v))| *word = rounded(*v, scale, key, first + i));
            } else {
                rows.for_each(|(i, (word, v))| *word = rounded(*v, scales[i % width], key, first + i));
            }
        });
        Packed { words: Words::Packed(words), width, g_step, h_step }
    }

    /// `gradients [n_rows, width]` without rounding that matters: the largest of an output has 41 bits, so all
    /// numbers of single precision above `2^-17` of it are exact, and others are rounded to the nearest. From
    /// `2^21` gradients on, bits are taken off so that sums fit a word.
    pub(crate) fn wide(gradients: &[Gradient], width: usize, threads: &Threads) -> Packed {
        let bits = WIDE_BITS.min(61 - gradients.len().max(2).ilog2() as i32);
        let most = largest(gradients, width, threads);
        let step = |most: f32| if most > 0.0 { pow2(exponent(most) - bits) } else { 1.0 };
        let steps: Vec<[f64; 2]> = most.iter().map(|m| m.map(step)).collect();
        let mut words = vec![[0i64; 2]; gradients.len()];
        threads.chunks(&mut words, BLOCK * width, |first, words| {
            let part = &gradients[first..first + words.len()];
            for (i, (word, v)) in words.iter_mut().zip(part).enumerate() {
                let [g_step, h_step] = steps[if width == 1 { 0 } else { i % width }];
                *word = [round_i64(f64::from(v[0]) / g_step), round_i64(f64::from(v[1]) / h_step)];
            }
        });
        let (g_step, h_step) = steps.iter().map(|s| (s[0], s[1])).unzip();
        Packed { words: Words::Wide(words), width, g_step, h_step }
    }

    /// Whether `g` and `h` share a word.
    pub(crate) fn is_narrow(&self) -> bool {
        matches!(self.words, Words::Packed(_))
    }

    /// Sums over rows, one an output.
    pub(crate) fn totals(&self, rows: &[u32]) -> Vec<Cell> {
        let width = self.width;
        let mut totals = vec![[0i64; 2]; width];
        match &self.words {
            Words::Packed(words) => {
                for &row in rows {
                    for (total, &word) in totals.iter_mut().zip(&words[row as usize * width..][..width]) {
                        let [g, h] = unpack(word);
                        *total = [total[0] + g, total[1] + h];
                    }
                }
            }
            Words::Wide(words) => {
                for &row in rows {
                    for (total, [g, h]) in totals.iter_mut().zip(&words[row as usize * width..][..width]) {
                        *total = [total[0] + g, total[1] + h];
                    }
                }
            }
        }
        totals
    }

    /// True if the rows differ in weight only, so that no split gains anything.
    ///
    /// All `g / h` of an output are then one number, and `T(G)^2 / (H + l2)` of the whole is at least the sum
    /// over its parts, because it is convex in `H` and 0 at 0.
    pub(crate) fn is_pure(&self, rows: &[u32]) -> bool {
        let at = |row: u32, k: usize| row as usize * self.width + k;
        match &self.words {
            Words::Packed(words) => {
                let same = |[g, h]: Cell, [other_g, other_h]: Cell| g * other_h == other_g * h;
                are_alike(rows, self.width, |row, k| unpack(words[at(row, k)]), same)
            }
            Words::Wide(words) => {
                let same = |a: Cell, b: Cell| {
                    i128::from(a[0]) * i128::from(b[1]) == i128::from(b[0]) * i128::from(a[1])
                };
                are_alike(rows, self.width, |row, k| words[at(row, k)], same)
            }
        }
    }
}

/// True if all rows are the `same` as the first one, whose `h` is above 0, in every output.
#[inline]
fn are_alike(
    rows: &[u32],
    width: usize,
    of: impl Fn(u32, usize) -> Cell,
    same: impl Fn(Cell, Cell) -> bool,
) -> bool {
    let Some(&first) = rows.first() else { return true };
    (0..width).all(|k| {
        let one = of(first, k);
        one[1] > 0 && rows.iter().all(|&row| same(one, of(row, k)))
    })
}

/// The largest size of `g` and of `h`, one an output.
fn largest(gradients: &[Gradient], width: usize, threads: &Threads) -> Vec<[f32; 2]> {
    let chunk = BLOCK * width;
    let n_chunks = gradients.len().div_ceil(chunk);
    let largest = threads.map(n_chunks, |i| {
        let mut most = vec![[0f32; 2]; width];
        let part = &gradients[i * chunk..gradients.len().min((i + 1) * chunk)];
        if let [most] = &mut most[..] {
            // Eight at a time.
            let mut lanes = [[0f32; 2]; 8];
            part.chunks(lanes.len()).for_each(|part| raise(&mut lanes, part));
            lanes.iter().for_each(|lane| raise(std::slice::from_mut(most), std::slice::from_ref(lane)));
        } else {
            part.chunks_exact(width).for_each(|row| raise(&mut most, row));
        }
        most
    });
    let mut most = vec![[0f32; 2]; width];
    largest.iter().for_each(|part| raise(&mut most, part));
    most
}

/// Raises the largest sizes so far.
#[inline]
fn raise(most: &mut [[f32; 2]], gradients: &[Gradient]) {
    for (m, [g, h]) in most.iter_mut().zip(gradients) {
        let (g, h) = (g.abs(), *h);
        *m = [if g > m[0] { g } else { m[0] }, if h > m[1] { h } else { m[1] }];
    }
}

/// The least power of two above a number, normal numbers assumed: `2^-126` for smaller ones.
fn exponent(x: f32) -> i32 {
    (x.to_bits() >> 23 & 0xff) as i32 - 126
}

/// The word of the gradient `number`, rounded at random by `key` and its number.
#[inline]
fn rounded(v: Gradient, scale: [f64; 2], key: u64, number: usize) -> i64 {
    let random = mix(key.wrapping_add(number as u64));
    let low = f64::from(random as u32) * (1.0 / 4_294_967_296.0);
    let high = f64::from((random >> 32) as u32) * (1.0 / 4_294_967_296.0);
    // floor(x + u), u uniform in [0, 1), is x on average; it never leaves the field
    // because the largest value is a whole number of steps.
    let g = floor(f64::from(v[0]) * scale[0] + low);
    let h = floor(f64::from(v[1]) * scale[1] + high);
    (g << H_FIELD) + h
}

/// Largest whole number that is not above `x`, for `|x|` below 2^51; 0 of NaN.
#[inline]
fn floor(x: f64) -> i64 {
    // Added to this, a number becomes whole, and stands in the low bits of the sum.
    const WHOLE: f64 = 6_755_399_441_055_744.0;
    let x = if x.is_nan() { 0.0 } else { x };
    let sum = x + WHOLE;
    let nearest = sum.to_bits().wrapping_sub(WHOLE.to_bits()).cast_signed();
    nearest - i64::from(sum - WHOLE > x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_sums_are_exact_and_close() {
        let n = 3 * BLOCK + 17;
        let gradients: Vec<Gradient> =
            (0..n).map(|i| [((i * 37) % 1000) as f32 / 500.0 - 1.0, ((i * 13) % 97) as f32 / 97.0]).collect();
        let packed = Packed::new(&gradients, 1, 42, &Threads::one());
        let mut sums = [0i64; 2];
        let Words::Packed(words) = &packed.words else { panic!("wide") };
        for block in words.chunks(BLOCK) {
            let [g, h] = unpack(block.iter().sum());
            sums = [sums[0] + g, sums[1] + h];
        }
        for (k, step) in [packed.g_step[0], packed.h_step[0]].into_iter().enumerate() {
            let exact: f64 = gradients.iter().map(|v| f64::from(v[k])).sum();
            let bound = step * 4.0 * (n as f64).sqrt();
            assert!(
                (sums[k] as f64 * step - exact).abs() < bound,
                "{k}: {} for {exact}",
                sums[k] as f64 * step
            );
        }
    }

    #[test]
    fn a_full_block_of_largest_values_fits() {
        for sign in [-1.0, 1.0] {
            let gradients = vec![[sign, 1.0f32]; BLOCK];
            let packed = Packed::new(&gradients, 1, 1, &Threads::one());
            let Words::Packed(words) = &packed.words else { panic!("wide") };
            let [g, h] = unpack(words.iter().sum());
            assert!((g as f64 * packed.g_step[0] - f64::from(sign) * BLOCK as f64).abs() < 1e-2);
            assert!((h as f64 * packed.h_step[0] - BLOCK as f64).abs() < 0.1);
        }
    }

    #[test]
    fn threads_change_nothing() {
        let gradients: Vec<Gradient> = (0..50_000).map(|i| [(i as f32).sin(), 0.5]).collect();
        let one = Packed::new(&gradients, 2, 9, &Threads::one());
        let two = Packed::new(&gradients, 2, 9, &Threads::try_new(2).unwrap());
        assert_eq!(one.words, two.words);
        let threads = Threads::try_new(2).unwrap();
        let [one, two] = [Threads::one(), threads].map(|t| Packed::wide(&gradients, 2, &t).words);
        assert_eq!(one, two);
    }

    #[test]
    fn wide_gradients_are_exact() {
        for unit in [1.0f32, 3e-9, 7e20] {
            let number = |i: u32| (i as f32).sin() * unit;
            let gradients: Vec<Gradient> =
                (0..6000).map(|i| [number(i), number(i).abs() * 0.25 + unit * 2f32.powi(-15)]).collect();
            let packed = Packed::wide(&gradients, 2, &Threads::one());
            let Words::Wide(words) = &packed.words else { panic!("packed") };
            for (i, (word, v)) in words.iter().zip(&gradients).enumerate() {
                let (g, h) = (word[0] as f64 * packed.g_step[i % 2], word[1] as f64 * packed.h_step[i % 2]);
                assert_eq!(h, f64::from(v[1]), "{i}");
                assert!((g - f64::from(v[0])).abs() < f64::from(unit) * 2f64.powi(-40), "{i}");
            }
            let rows: Vec<u32> = (0..3000).collect();
            let sum: f64 = gradients.iter().step_by(2).map(|v| f64::from(v[1])).sum();
            let [_, h] = packed.totals(&rows)[0];
            assert!((h as f64 * packed.h_step[0] / sum - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn rows_that_differ_in_weight_only_are_pure() {
        let weighed = |w: f32| [[0.5 * w, w], [-0.25 * w, w]];
        let mut gradients = [weighed(1.0), weighed(2.0), weighed(4.0)].concat();
        for expected in [true, false] {
            let words: Vec<Cell> = gradients.iter().map(|v| v.map(|v| (v * 8.0) as i64)).collect();
            for packed in [Packed::whole(&words, 2, 0.125), Packed::wide(&gradients, 2, &Threads::one())] {
                assert_eq!(packed.is_pure(&[0, 1, 2]), expected);
                assert!(packed.is_pure(&[0, 1]) && packed.is_pure(&[]));
            }
            gradients[5][0] = 0.5;
        }
    }
}
