//! How fine leaves are, and how they are rounded: the grid of a boosted forest.

use ir::fixed::{power_of_two as pow2, round_i64};

/// Bits of a leaf from which rounding to the nearest loses nothing that matters.
pub(super) const FINE_BITS: u32 = 12;

/// The largest leaf of the first round may grow by this factor in later rounds before it is cut off at the grid's
/// end. Few bits are better spent on the many small leaves: later trees add what was cut off of the largest.
fn headroom(leaf_bits: u32) -> f64 {
    match leaf_bits {
        FINE_BITS.. => 8.0,
        8..FINE_BITS => 2.0,
        5..8 => 1.0,
        0..5 => 0.5,
    }
}

/// The finest grid on which leaves [`headroom`] times the largest of the first round still fit.
/// Probabilities are linked at 20 fraction bits at most, and need no more than one step in 2^-20.
pub(super) fn finest_shift(largest: f64, leaf_bits: u32, is_linear: bool) -> i16 {
    let levels = ((1i64 << (leaf_bits - 1)) - 1) as f64;
    let headroom = headroom(leaf_bits);
    if !(largest > 0.0 && largest.is_finite()) {
        // Only the starting score is left to be told apart.
        return if is_linear { 50 } else { 12 };
    }
    let mut shift = 0i32;
    while shift < 1000 && largest * headroom * pow2(shift + 1) <= levels {
        shift += 1;
    }
    while shift > -1000 && largest * headroom * pow2(shift) > levels {
        shift -= 1;
    }
    if is_linear { shift as i16 } else { shift.clamp(0, 20) as i16 }
}

/// The leaves of the forest's tree `number` in steps of `grid`, cut off at its ends.
///
/// Fine grids take the nearest step. On coarse ones most late leaves are below half a step, so the nearest would
/// be 0 for ever: there it is `floor(w / grid + u)`, with `u` the fraction of `(number + 1) / phi`, which fills
/// `(0, 1)` evenly, so that leaves are right on average over trees. One `u` for a tree keeps the order of its
/// leaves, which monotone features need. Zero stays zero.
/// # Source  Weyl, Math. Ann. 77, 1916 (multiples of an irrational number).
pub(super) fn rounded(leaves: &[f64], grid: f64, leaf_bits: u32, number: usize) -> Vec<i32> {
    let most = (1i64 << (leaf_bits - 1)) - 1;
    // 2^64 / phi; the product's low bits are a fraction of 2^64 that is never 0.
    let fraction = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 12 | 1;
    let offset = fraction as f64 * pow2(-52);
    let round = |w: &f64| {
        let steps =
            if leaf_bits >= FINE_BITS { round_i64(w / grid) } else { (w / grid + offset).floor() as i64 };
        steps.clamp(-most, most) as i32
    };
    leaves.iter().map(round).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarse_leaves_are_right_on_average_and_keep_their_order() {
        let leaves = [-3.7, -0.01, 0.0, 1e-9, 0.03, 0.4, 0.6, 6.5, 90.0];
        let mut sums = [0i64; 9];
        let n = 1000;
        for number in 0..n {
            let steps = rounded(&leaves, 0.5, 4, number);
            assert!(steps.is_sorted() && steps[2] == 0, "{steps:?}");
            sums.iter_mut().zip(&steps).for_each(|(sum, &q)| *sum += i64::from(q));
        }
        for (sum, leaf) in sums.iter().zip(leaves) {
            let mean = *sum as f64 * 0.5 / n as f64;
            // An even sequence is within log(n) / n of the mean.
            assert!((mean - leaf.clamp(-3.5, 3.5)).abs() < 0.5 * 7.0 / n as f64, "{mean} for {leaf}");
        }
    }

    #[test]
    fn fine_leaves_are_the_nearest_ones() {
        assert_eq!(rounded(&[-0.2, 0.3, 0.5, 1.5, 1e9], 1.0, 16, 3), [0, 0, 0, 2, 32_767]);
    }

    #[test]
    fn leaves_fit_the_grid_with_headroom() {
        for (leaf_bits, room) in [(16, 8.0), (8, 2.0), (6, 1.0), (4, 0.5)] {
            for largest in [1e-6, 0.3, 1.0, 777.0] {
                let shift = i32::from(finest_shift(largest, leaf_bits, true));
                let steps = largest * room * pow2(shift) / ((1 << (leaf_bits - 1)) - 1) as f64;
                assert!(steps <= 1.0 && steps > 0.5, "{leaf_bits} {largest}: {steps}");
            }
        }
    }
}
