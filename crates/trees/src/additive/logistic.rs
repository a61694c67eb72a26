//! Gradients of the logistic loss in single precision.
//!
//! An additive model takes gradients anew after each term, which is nearly all its time, so here is
//! [`Target::gradients`](crate::Target) of one score without a branch, in a loop that vectorizes. Only
//! IEEE operations in a fixed order: the same bits on every machine.

use crate::packed::Gradient;

/// `e^-x` for `x >= 0`, above 87 that of 87; relative error below 2e-7.
/// # Source  Cody & Waite, Software Manual for the Elementary Functions, 1980, chapter 6; Taylor series.
#[inline]
fn exp_of_minus(x: f32) -> f32 {
    // Adding 1.5 * 2^23 rounds to a whole number, ties to even, in the low bits of the sum.
    const ROUND: f32 = 12_582_912.0;
    // Cody and Waite's split of ln 2: the high part has 15 bits, so `n * LN_2_HIGH` is exact.
    const LN_2_HIGH: f32 = 0.693_145_75;
    const LN_2_LOW: f32 = 1.428_606_8e-6;
    let x = -x.min(87.0);
    let shifted = x * core::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut p = 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    // The whole number sits in the low mantissa bits of `shifted`.
    f32::from_bits((shifted.to_bits() << 23).wrapping_add(p.to_bits()))
}

/// Rows whose scores are made single first, so that the loop over them works on one width.
const ROWS: usize = 64;

/// `g = p - y`, `h = p (1 - p)`, times the weight, at scores `[n_rows]`. Bound: 3e-7 of the weight.
pub(super) fn gradients(scores: &[f64], labels: &[u32], weights: &[f32], out: &mut [Gradient]) {
    let rows = scores.chunks(ROWS).zip(labels.chunks(ROWS));
    for ((out, weights), (scores, labels)) in out.chunks_mut(ROWS).zip(weights.chunks(ROWS)).zip(rows) {
        let mut single = [0f32; ROWS];
        single.iter_mut().zip(scores).for_each(|(to, &score)| *to = score as f32);
        let (mut shares, mut slopes) = (single, single);
        for (share, slope) in shares.iter_mut().zip(&mut slopes) {
            let negative = share.is_sign_negative();
            let e = exp_of_minus(share.abs());
            let large = 1.0 / (1.0 + e);
            let small = e * large;
            *share = if negative { small } else { large };
            *slope = (small * large).max(1e-16);
        }
        let rows = labels.iter().zip(weights).zip(shares.iter().zip(&slopes));
        for (out, ((&label, &weight), (p, h))) in out.iter_mut().zip(rows) {
            // Labels are 0 or 1, and small numbers are converted faster with a sign.
            *out = [(p - label.cast_signed() as f32) * weight, h * weight];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Target;
    use jobs::Threads;

    #[test]
    fn as_the_objective_has_them() {
        let scores: Vec<f64> = (-4000..4000)
            .map(|i| f64::from(i) * 0.01)
            .chain([0.0, -0.0, 88.0, -88.0, 1e300, -1e300])
            .collect();
        let labels: Vec<u32> = (0..scores.len() as u32).map(|i| i % 2).collect();
        let weights: Vec<f32> = (0..scores.len()).map(|i| if i % 3 == 0 { 2.0 } else { 0.5 }).collect();
        let mut exact = vec![[0.0; 2]; scores.len()];
        crate::objective::Objective::from(Target::Binary(&labels)).gradients(
            |row, _| scores[row],
            &weights,
            &mut exact,
            &Threads::one(),
        );
        let mut fast = exact.clone();
        gradients(&scores, &labels, &weights, &mut fast);
        for (i, (a, b)) in exact.iter().zip(&fast).enumerate() {
            let near = |a: f32, b: f32| (a - b).abs() <= 3e-7 * weights[i];
            assert!(near(a[0], b[0]) && near(a[1], b[1]) && b[1] > 0.0, "{}: {a:?} {b:?}", scores[i]);
        }
    }
}
