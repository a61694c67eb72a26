//! `entropy`: the threshold at which the levels tell most of the distribution.

use super::observer::{Observer, ObserverEntry};
use crate::grid::{IntegerFormat, Symmetry};
use crate::statistics::Channel;
use ir::fixed::math::log;
use params::Params;

/// The line of the table.
pub(super) static ENTRY: ObserverEntry = ObserverEntry {
    name: "entropy",
    aliases: &["kl"],
    doc: "the threshold of least divergence between the values and their levels (Kullback and Leibler)",
    spec: &[],
    observer: &Entropy,
};

struct Entropy;

/// Share of the levels' probability that is spread evenly, so that none is 0.
const SPREAD: f64 = 1e-4;

impl Observer for Entropy {
    /// `t = i w` of the least `KL(P_i || Q_i)`, the largest of equals, over `n_levels <= i <= n_bins`, where the sizes
    /// |x| have counts `h` in bins of width w; `P_i` is `h[..i]` with all that lies beyond in its last bin; `Q_i` is
    /// `h[..i]` merged to `n_levels` runs, each spread over the bins of the run that hold something in `P_i`, then
    /// mixed with an even share of 1e-4. Levels are those of one sign: `2^(bits - 1)`, or `2^bits` for values of one
    /// sign on an asymmetric grid. With as many levels as bins nothing is cut off. The range is `[-t, t]` within the
    /// extremes. O(bins^2).
    /// # Source  Migacz, 8-bit inference with TensorRT, GTC 2017. Deviations: the upper border of a bin, not its
    /// middle; runs keep real numbers where ONNX Runtime truncates them; smoothing by mixing.
    fn range(&self, seen: &Channel, format: &IntegerFormat, _: &Params) -> (f64, f64) {
        let whole = seen.whole();
        let (low, high) = whole.extremes().unwrap_or_default();
        let one_sign = low >= 0.0 || high <= 0.0;
        let is_fine = one_sign && format.symmetry == Symmetry::Asymmetric;
        let n_levels = 1usize << (format.bits() - u8::from(!is_fine));
        let sizes = whole.sizes();
        let mut best = (f64::INFINITY, sizes.len());
        for i in n_levels..=sizes.len() {
            let kl = divergence(&sizes, i, n_levels);
            if kl <= best.0 {
                best = (kl, i);
            }
        }
        let threshold = (best.1 as f64 * whole.bin_width()).min(whole.largest().into());
        (f64::from(low).max(-threshold), f64::from(high).min(threshold))
    }
}

/// `KL(P_i || Q_i)`.
fn divergence(sizes: &[u64], i: usize, n_levels: usize) -> f64 {
    let (inside, outside) = sizes.split_at(i.min(sizes.len()));
    let n_inside: u64 = inside.iter().sum();
    let beyond: u64 = outside.iter().sum();
    let n = (n_inside + beyond) as f64;
    if n_inside == 0 {
        return f64::INFINITY;
    }
    let p = |at: usize| inside.get(at).map_or(0, |c| c + if at + 1 == inside.len() { beyond } else { 0 });
    let mut sum = 0.0;
    for level in 0..n_levels {
        let run = level * i / n_levels..(level + 1) * i / n_levels;
        let held: u64 = inside.get(run.clone()).unwrap_or_default().iter().sum();
        let n_held = run.clone().filter(|&at| p(at) > 0).count();
        if n_held == 0 {
            continue;
        }
        let q = held as f64 / n_held as f64 / n_inside as f64;
        let smooth = (1.0 - SPREAD) * q + SPREAD / i as f64;
        for share in run.map(|at| p(at) as f64 / n).filter(|share| *share > 0.0) {
            sum += share * log(share / smooth);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::super::laws::{bell, range};
    use super::*;

    /// The same from the definition, distribution by distribution.
    fn direct(sizes: &[u64], i: usize, n_levels: usize) -> f64 {
        let mut p: Vec<f64> = sizes[..i].iter().map(|&c| c as f64).collect();
        p[i - 1] += sizes[i..].iter().sum::<u64>() as f64;
        let mut q = vec![0.0; i];
        for level in 0..n_levels {
            let (from, to) = (level * i / n_levels, (level + 1) * i / n_levels);
            let total: u64 = sizes[from..to].iter().sum();
            let held: Vec<usize> = (from..to).filter(|&at| p[at] > 0.0).collect();
            held.iter().for_each(|&at| q[at] = total as f64 / held.len() as f64);
        }
        let (all_p, all_q) = (p.iter().sum::<f64>(), q.iter().sum::<f64>());
        let terms = p.iter().zip(&q).filter(|(p, _)| **p > 0.0).map(|(p, q)| {
            let q = (1.0 - SPREAD) * q / all_q + SPREAD / i as f64;
            p / all_p * (p / all_p / q).ln()
        });
        terms.sum()
    }

    #[test]
    fn the_divergence_is_that_of_its_definition() {
        let sizes = Channel::of(&bell(3000, 4)).whole().sizes();
        for (i, n_levels) in [(128, 128), (200, 128), (777, 128), (1024, 8), (9, 8), (1024, 2)] {
            let (got, expected) = (divergence(&sizes, i, n_levels), direct(&sizes, i, n_levels));
            assert!(
                (got - expected).abs() < 1e-9 * expected.abs().max(1.0),
                "{i} {n_levels}: {got} {expected}"
            );
        }
    }

    #[test]
    fn few_bits_cut_a_bell_off_and_many_do_not() {
        let seen = Channel::of(&bell(100_000, 5));
        let largest = seen.whole().largest();
        let cut = |bits| range("entropy", &seen, &IntegerFormat::weights(bits).unwrap()).largest() / largest;
        assert!(cut(4) < 0.9, "{}", cut(4));
        assert!(cut(4) < cut(8) && cut(8) <= 1.0, "{} {}", cut(4), cut(8));
        assert_eq!(cut(16), 1.0);
    }
}
