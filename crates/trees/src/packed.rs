//! Gradients as integers.
//!
//! A row's gradient `g` and second derivative `h` become integers on a grid of the round: `g` in 23
//! bits with its sign, `h` in 17, rounded stochastically with random bits that depend only on
//! (seed, round, row). Sums of integers are exact in any order, so threads and blocks cannot change
//! a tree. Both share one 64-bit word, `g << 29 | h`, which 4,096 rows cannot overflow.
//! # Source  Shi et al., Quantized Training of Gradient Boosting Decision Trees, NeurIPS 2022; our
//! deviation: more bits, and random bits by counter instead of by stream.

use ir::digest::mix;
use jobs::Threads;

/// Rows that one packed sum may hold.
pub(crate) const BLOCK: usize = 4096;

const H_FIELD: u32 = 29;
const H_MASK: i64 = (1 << H_FIELD) - 1;
const G_MAX: f64 = ((1 << 22) - 1) as f64;
const H_MAX: f64 = ((1 << 17) - 1) as f64;

/// Splits a packed sum into its sums of `g` and `h`.
#[inline]
pub(crate) fn unpack(sum: i64) -> [i64; 2] {
    [sum >> H_FIELD, sum & H_MASK]
}

/// Packed gradients of one output or of several side by side.
pub(crate) struct Packed {
    /// `[n_rows, width]`.
    pub(crate) words: Vec<i64>,
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
        let words = values.iter().map(|[g, h]| (g << H_FIELD) + h).collect();
        Packed { words, width, g_step: vec![g_step; width], h_step: vec![1.0; width] }
    }

    /// Packs `gradients [n_rows, width]`; rows outside the training part must hold zeros.
    pub(crate) fn new(gradients: &[Gradient], width: usize, key: u64, threads: &Threads) -> Packed {
        let chunk = BLOCK * width;
        let n_chunks = gradients.len().div_ceil(chunk);
        let largest = threads.map(n_chunks, |i| {
            let mut most = vec![[0f32; 2]; width];
            let part = &gradients[i * chunk..gradients.len().min((i + 1) * chunk)];
            for row in part.chunks_exact(width) {
                for (m, v) in most.iter_mut().zip(row) {
                    m[0] = m[0].max(v[0].abs());
                    m[1] = m[1].max(v[1]);
                }
            }
            most
        });
        let mut most = vec![[0f32; 2]; width];
        for part in &largest {
            for (m, v) in most.iter_mut().zip(part) {
                *m = [m[0].max(v[0]), m[1].max(v[1])];
            }
        }
        let step = |most: f32, levels: f64| if most > 0.0 { f64::from(most) / levels } else { 1.0 };
        let g_step: Vec<f64> = most.iter().map(|m| step(m[0], G_MAX)).collect();
        let h_step: Vec<f64> = most.iter().map(|m| step(m[1], H_MAX)).collect();
        let scales: Vec<[f64; 2]> = g_step.iter().zip(&h_step).map(|(g, h)| [1.0 / g, 1.0 / h]).collect();

        let mut words = vec![0i64; gradients.len()];
        threads.chunks(&mut words, chunk, |first, words| {
            let part = &gradients[first..first + words.len()];
            for (i, (word, v)) in words.iter_mut().zip(part).enumerate() {
                let scale = scales[if width == 1 { 0 } else { i % width }];
                let random = mix(key.wrapping_add((first + i) as u64));
                let low = (random & 0xffff_ffff) as f64 * (1.0 / 4_294_967_296.0);
                let high = (random >> 32) as f64 * (1.0 / 4_294_967_296.0);
                // floor(x + u), u uniform in [0, 1), is x on average; it never leaves the field
                // because the largest value is a whole number of steps.
                let g = floor(f64::from(v[0]) * scale[0] + low);
                let h = floor(f64::from(v[1]) * scale[1] + high);
                *word = (g << H_FIELD) + h;
            }
        });
        Packed { words, width, g_step, h_step }
    }
}

/// Largest whole number that is not above `x`, for `|x|` below 2^51.
#[inline]
fn floor(x: f64) -> i64 {
    let cut = x as i64;
    cut - i64::from((cut as f64) > x)
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
        for block in packed.words.chunks(BLOCK) {
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
            let [g, h] = unpack(packed.words.iter().sum());
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
    }
}
