//! Rows drawn by how much they matter to a split.
//!
//! Minimal variance sampling: a row is drawn with probability `p = min(1, s / mu)` and counts `1 / p`
//! times, where `s = sqrt(sum_k g_k^2 + lambda h_k^2)` and `mu` is such that the wanted share of the rows
//! is drawn. Sums of `g` and `h` are right on average, and rows whose gradient is large are seldom left
//! out. Each draw is a hash of (seed, row), so threads change nothing.
//! # Source  Ibragimov & Gusev, Minimal Variance Sampling in Stochastic Gradient Boosting, NeurIPS 2019;
//! deviations: `lambda = (sum |g| / sum h)^2`, which has no unit, where the paper takes the squared value
//! of the leaves before; `mu` from sizes in buckets instead of sorted ones.

use crate::packed::Gradient;
use ir::digest::mix;

/// Bits of a size's mantissa that part buckets.
const BUCKET_BITS: u32 = 7;
const SHIFT: u32 = 23 - BUCKET_BITS;
/// Buckets of all sizes that are not negative.
const N_BUCKETS: usize = 1 << (31 - SHIFT);

/// Draws about `share` of `rows` and multiplies their `gradients [n_rows, width]` by `1 / p`; gives the
/// drawn rows and the others, both in the old order. All are drawn where there is nothing to go by. `O(rows)`.
pub(crate) fn draw_by_gradient(
    rows: &[u32],
    gradients: &mut [Gradient],
    width: usize,
    share: f64,
    key: u64,
) -> (Vec<u32>, Vec<u32>) {
    let of = |row: u32| row as usize * width..(row as usize + 1) * width;
    let mut sums = [0.0; 2];
    for &row in rows {
        for [g, h] in &gradients[of(row)] {
            sums = [sums[0] + f64::from(g.abs()), sums[1] + f64::from(*h)];
        }
    }
    let mean = sums[0] / sums[1].max(f64::MIN_POSITIVE);
    let size = |row: u32| {
        let add = |sum, [g, h]: &Gradient| {
            let (g, h) = (f64::from(*g), mean * f64::from(*h));
            sum + (g * g + h * h)
        };
        gradients[of(row)].iter().fold(0.0, add).sqrt() as f32
    };
    let sizes: Vec<f32> = rows.iter().map(|&row| size(row)).collect();
    let mu = threshold(&sizes, (share * rows.len() as f64).max(1.0));
    if !(mu > 0.0 && mu.is_finite()) {
        return (rows.to_vec(), Vec::new());
    }
    let (mut taken, mut left) = (Vec::new(), Vec::new());
    for (&row, &size) in rows.iter().zip(&sizes) {
        let p = (f64::from(size) / mu).min(1.0);
        let random = (mix(key.wrapping_add(u64::from(row))) >> 11) as f64 * (1.0 / (1u64 << 53) as f64);
        if random < p {
            taken.push(row);
            let weight = (1.0 / p) as f32;
            gradients[of(row)].iter_mut().for_each(|v| *v = [v[0] * weight, v[1] * weight]);
        } else {
            left.push(row);
        }
    }
    if taken.is_empty() {
        std::mem::swap(&mut taken, &mut left);
    }
    (taken, left)
}

/// The `mu` at which `sum min(1, size / mu)` is about `wanted`, at most as many as there are sizes.
/// Sizes of a bucket differ by less than 1 in 128 and are certain together.
fn threshold(sizes: &[f32], wanted: f64) -> f64 {
    let mut buckets = vec![(0u32, 0.0f64); N_BUCKETS];
    let mut rest = 0.0;
    for &size in sizes {
        let (count, sum) = &mut buckets[((size.to_bits() >> SHIFT) as usize).min(N_BUCKETS - 1)];
        *count += 1;
        *sum += f64::from(size);
        rest += f64::from(size);
    }
    let mut left = wanted;
    for (bucket, &(count, sum)) in buckets.iter().enumerate().rev() {
        let lowest = f64::from(f32::from_bits((bucket as u32) << SHIFT));
        // A bucket above `mu` holds fewer rows than are still wanted, or the rest would be larger.
        if count > 0 && lowest <= rest / left {
            break;
        }
        rest -= sum;
        left -= f64::from(count);
    }
    rest / left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::numbers;

    fn case() -> (Vec<u32>, Vec<Gradient>) {
        // Cubes: a few large gradients among many small ones.
        let gradients = numbers(4000, 5).iter().map(|v| [v.powi(3) as f32, 0.25]).collect();
        ((0..2000).map(|i| i * 2).collect(), gradients)
    }

    fn sum(rows: &[u32], gradients: &[Gradient]) -> [f64; 2] {
        rows.iter().fold([0.0; 2], |s, &r| {
            let [g, h] = gradients[r as usize];
            [s[0] + f64::from(g), s[1] + f64::from(h)]
        })
    }

    #[test]
    fn sums_are_right_on_average_and_closer_than_of_equal_chances() {
        let (rows, gradients) = case();
        let exact = sum(&rows, &gradients);
        let n = 400;
        let mut mean = [0.0; 2];
        let (mut spread, mut count) = (0.0, 0);
        let mut spread_of_equal = 0.0;
        for key in 0..n {
            let mut scaled = gradients.clone();
            let (taken, left) = draw_by_gradient(&rows, &mut scaled, 1, 0.3, key << 32);
            assert_eq!(taken.len() + left.len(), rows.len());
            assert!(left.iter().all(|&r| scaled[r as usize] == gradients[r as usize]));
            let found = sum(&taken, &scaled);
            mean = [mean[0] + found[0] / n as f64, mean[1] + found[1] / n as f64];
            spread += (found[0] - exact[0]).powi(2) / n as f64;
            count += taken.len();
            let (equal, _) = crate::sample::draw(&rows, 0.3, key << 32);
            spread_of_equal += (sum(&equal, &gradients)[0] / 0.3 - exact[0]).powi(2) / n as f64;
        }
        let share = count as f64 / n as f64 / rows.len() as f64;
        assert!((share - 0.3).abs() < 0.005, "{share}");
        // Four standard errors.
        let error = 4.0 * (spread / n as f64).sqrt();
        assert!((mean[0] - exact[0]).abs() < error, "{} of {}, {error}", mean[0], exact[0]);
        assert!((mean[1] / exact[1] - 1.0).abs() < 0.01, "{} of {}", mean[1], exact[1]);
        assert!(spread < 0.6 * spread_of_equal, "{spread} of {spread_of_equal}");
    }

    #[test]
    fn a_draw_is_repeated_by_its_key() {
        let (_, gradients) = case();
        let rows: Vec<u32> = (0..2000).collect();
        let draw = |key| {
            let mut scaled = gradients.clone();
            (draw_by_gradient(&rows, &mut scaled, 2, 0.2, key), scaled)
        };
        assert!(draw(1) == draw(1) && draw(1) != draw(2));
    }

    #[test]
    fn rows_without_gradients_are_all_drawn() {
        let mut zeros = vec![[0.0; 2]; 5];
        assert_eq!(draw_by_gradient(&[0, 3], &mut zeros, 1, 0.5, 1), (vec![0, 3], vec![]));
        let mut one = vec![[1.0f32, 1.0]];
        assert_eq!(draw_by_gradient(&[0], &mut one, 1, 0.1, 1), (vec![0], vec![]));
        assert_eq!(draw_by_gradient(&[], &mut one, 1, 0.1, 1), (vec![], vec![]));
        assert_eq!(one, [[1.0, 1.0]]);
    }
}
