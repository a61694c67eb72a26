//! `stochastic`: up as often as the number is near the upper level, so that the mean error is 0.
//!
//! What is drawn depends on the seed and on the number's place alone, so threads and order change nothing.

use super::RoundingEntry;
use ir::digest::{SplitMix64, mix};
use ir::fixed::power_of_two;

/// The line of the table.
pub(super) static ENTRY: RoundingEntry = RoundingEntry {
    name: "stochastic",
    aliases: &[],
    doc: "up with the probability of the fraction, drawn by place and seed",
    spec: &[],
    round: stochastic,
};

/// `floor(x) + [u < x - floor(x)]`, with u even in `[0, 1)`.
/// # Source  Gupta et al., Deep learning with limited numerical precision, ICML 2015, section 3.
fn stochastic(steps: f64, at: u64, seed: u64) -> f64 {
    let below = steps.floor();
    let word = SplitMix64::new(mix(seed).wrapping_add(at)).next_word();
    let drawn = (word >> 11) as f64 * power_of_two(-53);
    if drawn < steps - below { below + 1.0 } else { below }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_the_number() {
        // 40,000 draws: the standard error is at most 0.0025; six of them, for five fractions and three seeds.
        for steps in [-1.9, -0.5, 0.01, 0.25, 3.7] {
            for seed in [0, 1, u64::MAX] {
                let sum: f64 = (0..40_000).map(|at| stochastic(steps, at, seed)).sum();
                assert!((sum / 40_000.0 - steps).abs() < 0.015, "{steps} {seed}");
            }
        }
    }

    #[test]
    fn places_and_seeds_draw_apart() {
        let drawn = |seed| (0..200).map(|at| stochastic(0.5, at, seed) as u8).collect::<Vec<_>>();
        for (a, b) in [(0, 1), (1, 2), (0, 1 << 40)] {
            let same = drawn(a).iter().zip(&drawn(b)).filter(|(a, b)| a == b).count();
            assert!((60..140).contains(&same), "{a} {b}: {same}");
        }
    }
}
