//! The choice of the two rows whose coefficients move next.
//!
//! `residual[k] = t_k - sum_j b_j K(k, j)`. By raising `b_k` the objective falls at the rate
//! `residual[k] + up[k]`, by lowering it at `-(residual[k] + down[k])`; `up` is minus infinity where
//! `b_k` is at its upper bound, `down` infinity at its lower one. The point is optimal when no rate
//! to raise exceeds a rate to lower.
//!
//! Maxima are taken blockwise in a buffer, which the compiler vectorizes; of equal ones the first
//! counts, so the result is that of a plain loop.

/// Values that are computed before their maximum is taken.
const BLOCK: usize = 256;
const LANES: usize = 8;

/// Least curvature: where two rows are alike, or the similarity is not positive definite.
pub(super) const MIN_CURVATURE: f64 = 1e-12;

/// The largest value and its first position; `fill(first, out)` computes `out.len()` values from
/// position `first` on. Minus infinity at 0 if there are none.
fn first_max(n: usize, mut fill: impl FnMut(usize, &mut [f64])) -> (f64, usize) {
    let (mut best, mut at) = (f64::NEG_INFINITY, 0);
    let mut block = [0f64; BLOCK];
    for first in (0..n).step_by(BLOCK) {
        let values = &mut block[..BLOCK.min(n - first)];
        fill(first, values);
        let max = max_of(values);
        if max > best {
            best = max;
            at = first + values.iter().position(|&v| v == max).unwrap_or(0);
        }
    }
    (best, at)
}

fn max_of(values: &[f64]) -> f64 {
    let larger = |a: f64, b: f64| if b > a { b } else { a };
    let mut lanes = [f64::NEG_INFINITY; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest = chunks.remainder().iter().fold(f64::NEG_INFINITY, |m, &v| larger(m, v));
    for chunk in chunks {
        for (lane, &v) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, v);
        }
    }
    lanes.into_iter().fold(rest, larger)
}

/// The best rate to raise and its position, and the best rate to lower.
pub(super) fn extremes(residual: &[f64], up: &[f64], down: &[f64]) -> (f64, usize, f64) {
    let (top, at) = first_max(residual.len(), |first, out| {
        for ((out, r), u) in out.iter_mut().zip(&residual[first..]).zip(&up[first..]) {
            *out = r + u;
        }
    });
    let (bottom, _) = first_max(residual.len(), |first, out| {
        for ((out, r), d) in out.iter_mut().zip(&residual[first..]).zip(&down[first..]) {
            *out = -(r + d);
        }
    });
    (top, at, -bottom)
}

/// The partner to lower: the position with the largest gain `(top - rate)^2 / curvature`, the
/// decrease of the objective if no bound stood in the way; `None` if none gains.
/// `top` is the best rate to raise, `own` the similarity of its row with itself, `row` with others.
/// # Source  Fan, Chen & Lin, 2005, WSS 2.
pub(super) fn partner(
    (top, own, row): (f64, f32, &[f32]),
    residual: &[f64],
    down: &[f64],
    diagonal: &[f32],
) -> Option<usize> {
    let own = f64::from(own);
    let (gain, at) = first_max(residual.len(), |first, out| {
        let rates = residual[first..].iter().zip(&down[first..]);
        let similarities = row[first..].iter().zip(&diagonal[first..]);
        for ((out, (r, d)), (&k, &other)) in out.iter_mut().zip(rates).zip(similarities) {
            let violation = top - (r + d);
            let violation = if violation > 0.0 { violation } else { 0.0 };
            let curvature = own + f64::from(other) - 2.0 * f64::from(k);
            let curvature = if curvature > MIN_CURVATURE { curvature } else { MIN_CURVATURE };
            *out = violation * violation / curvature;
        }
    });
    (gain > 0.0).then_some(at)
}
