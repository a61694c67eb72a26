//! Platt's sigmoid: probabilities of a classifier's decisions.
//!
//! It is a fit of two numbers, apart from the solver; the caller gives decisions of rows that the
//! classifier did not learn from, else the probabilities are too sure.

use ir::digest::mix;
use jobs::Seed;

/// Newton steps at most, and the least share of one that is tried.
const MAX_STEPS: usize = 100;
const MIN_SHARE: f64 = 1e-10;
/// Added to the diagonal of the Hessian, so that it can be inverted.
const RIDGE: f64 = 1e-12;
/// The gradient that counts as 0.
const FLAT: f64 = 1e-5;
/// Share of the expected decrease that a step must reach.
const DECREASE: f64 = 1e-4;

/// Inner fits, each on the rows of the other parts.
pub(crate) const INNER: usize = 3;

/// A part `0..INNER` of each row, by the hash of its cells, so that copies of a row share a part.
pub(crate) fn inner_parts<I: Iterator<Item = u64>>(
    n_rows: usize,
    seed: Seed,
    cells: impl Fn(usize) -> I,
) -> Vec<usize> {
    let key = seed.derive("inner", 0).0;
    let hash = |row: usize| cells(row).fold(key, |hash, word| mix(hash ^ word));
    (0..n_rows).map(|row| (hash(row) % INNER as u64) as usize).collect()
}

/// Fits the sigmoid to decisions of rows that the machine of the other parts makes; `decide(held)` gives those of
/// all rows by the machine that did not see part `held`, or none where there is no such machine.
/// Log odds of a decision `f` are `scale f + offset`, which is returned.
///
/// # Errors
/// Those of `decide`.
pub(crate) fn log_odds<E>(
    parts: &[usize],
    labels: &[bool],
    row_weights: &[f64],
    mut decide: impl FnMut(usize) -> Result<Option<Vec<f64>>, E>,
) -> Result<(f64, f64), E> {
    let mut decisions = vec![0.0; labels.len()];
    for held in 0..INNER {
        let Some(made) = decide(held)? else { continue };
        let of_part = made.into_iter().enumerate().filter(|(row, _)| parts[*row] == held);
        of_part.for_each(|(row, decision)| decisions[row] = decision);
    }
    let (a, b) = fit_sigmoid(&decisions, labels, Some(row_weights));
    // P(y = 1) = 1 / (1 + exp(a f + b)): the log odds are -(a f + b).
    Ok((-a, -b))
}

/// Fits `P(label) = 1 / (1 + exp(a f + b))` to decisions `f`; returns `(a, b)`.
/// Minimises the log loss to the targets `(n_true + 1) / (n_true + 2)` and `1 / (n_false + 2)` instead
/// of 1 and 0, so both numbers stay finite where a threshold separates the classes.
/// `decisions, labels, row_weights: [n_rows]`, decisions finite, weights >= 0; the counts are sums of
/// weights. No rows give `(0, 0)`. O(n_rows) a Newton step.
/// # Source  Platt, 1999; Lin, Lin & Weng, A note on Platt's probabilistic outputs for support vector
/// machines, Machine Learning 68, 2007, algorithm 1; deviation: row weights.
pub fn fit_sigmoid(decisions: &[f64], labels: &[bool], row_weights: Option<&[f64]>) -> (f64, f64) {
    let weight = |row: usize| row_weights.map_or(1.0, |w| w.get(row).copied().unwrap_or(0.0));
    let (mut n_true, mut n_false) = (0.0, 0.0);
    for (row, &label) in labels.iter().enumerate() {
        *(if label { &mut n_true } else { &mut n_false }) += weight(row);
    }
    let targets = [1.0 / (n_false + 2.0), (n_true + 1.0) / (n_true + 2.0)];
    let rows: Vec<Row> = (decisions.iter().zip(labels).enumerate())
        .map(|(row, (&decision, &label))| Row {
            decision,
            target: targets[usize::from(label)],
            weight: weight(row),
        })
        .collect();

    let (mut a, mut b) = (0.0, f64::ln((n_false + 1.0) / (n_true + 1.0)));
    let mut loss = loss_of(&rows, a, b);
    for _ in 0..MAX_STEPS {
        let Slope { a: slope_a, b: slope_b, aa, ab, bb } = slope_of(&rows, a, b);
        if slope_a.abs() < FLAT && slope_b.abs() < FLAT {
            break;
        }
        let determinant = aa * bb - ab * ab;
        let step_a = -(bb * slope_a - ab * slope_b) / determinant;
        let step_b = -(aa * slope_b - ab * slope_a) / determinant;
        let expected = slope_a * step_a + slope_b * step_b;
        let mut share = 1.0;
        let better = loop {
            let (new_a, new_b) = (a + share * step_a, b + share * step_b);
            let new_loss = loss_of(&rows, new_a, new_b);
            if new_loss < loss + DECREASE * share * expected {
                break Some((new_a, new_b, new_loss));
            }
            share *= 0.5;
            if share < MIN_SHARE {
                break None;
            }
        };
        let Some(better) = better else { break };
        (a, b, loss) = better;
    }
    (a, b)
}

struct Row {
    decision: f64,
    target: f64,
    weight: f64,
}

/// Gradient and Hessian of the loss.
struct Slope {
    a: f64,
    b: f64,
    aa: f64,
    ab: f64,
    bb: f64,
}

/// Log loss, written so that nothing overflows or cancels.
fn loss_of(rows: &[Row], a: f64, b: f64) -> f64 {
    let loss = |row: &Row| {
        let z = row.decision * a + b;
        let linear = if z >= 0.0 { row.target * z } else { (row.target - 1.0) * z };
        row.weight * (linear + (-z.abs()).exp().ln_1p())
    };
    rows.iter().map(loss).sum()
}

fn slope_of(rows: &[Row], a: f64, b: f64) -> Slope {
    let mut slope = Slope { a: 0.0, b: 0.0, aa: RIDGE, ab: 0.0, bb: RIDGE };
    for row in rows {
        let z = row.decision * a + b;
        let small = (-z.abs()).exp();
        let (larger, smaller) = (1.0 / (1.0 + small), small / (1.0 + small));
        let p = if z >= 0.0 { smaller } else { larger };
        let first = row.weight * (row.target - p);
        let second = row.weight * larger * smaller;
        slope.a += row.decision * first;
        slope.b += first;
        slope.aa += row.decision * row.decision * second;
        slope.ab += row.decision * second;
        slope.bb += second;
    }
    slope
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decisions of -3 to 3, each with as many weights of both labels as the sigmoid says.
    fn known(a: f64, b: f64, n: f64) -> (Vec<f64>, Vec<bool>, Vec<f64>) {
        let (mut decisions, mut labels, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for k in -30..=30 {
            let f = f64::from(k) / 10.0;
            let p = 1.0 / (1.0 + (a * f + b).exp());
            for (label, weight) in [(true, p), (false, 1.0 - p)] {
                decisions.push(f);
                labels.push(label);
                weights.push(weight * n);
            }
        }
        (decisions, labels, weights)
    }

    #[test]
    fn a_known_sigmoid_is_found() {
        for (a, b) in [(-1.5, 0.4), (-0.2, -1.0), (2.0, 0.0)] {
            let (decisions, labels, weights) = known(a, b, 1e5);
            let (found_a, found_b) = fit_sigmoid(&decisions, &labels, Some(&weights));
            assert!((found_a - a).abs() < 1e-3 && (found_b - b).abs() < 1e-3, "{found_a} {found_b}");
        }
    }

    #[test]
    fn a_weight_of_two_is_the_row_twice() {
        let decisions = [-1.0, -0.5, 0.25, 0.5, 1.5];
        let labels = [false, true, false, true, true];
        let twice = |x: &[f64]| x.iter().chain(x).copied().collect::<Vec<_>>();
        let (a, b) = fit_sigmoid(&decisions, &labels, Some(&[2.0; 5]));
        let (c, d) = fit_sigmoid(&twice(&decisions), &[labels, labels].concat(), None);
        assert!((a - c).abs() < 1e-6 && (b - d).abs() < 1e-6);
    }

    #[test]
    fn separable_rows_stay_finite_and_ordered() {
        for size in [1e-3, 1.0, 1e6] {
            let decisions: Vec<f64> = (-50..50).map(|k| (f64::from(k) + 0.5) * size).collect();
            let labels: Vec<bool> = decisions.iter().map(|&f| f > 0.0).collect();
            let (a, b) = fit_sigmoid(&decisions, &labels, None);
            assert!(a.is_finite() && b.is_finite() && a < 0.0, "{size}: {a} {b}");
        }
    }

    #[test]
    fn one_class_equal_decisions_and_no_rows_are_defined() {
        assert_eq!(fit_sigmoid(&[], &[], None), (0.0, 0.0));
        for labels in [[true; 3], [false; 3], [true, false, true]] {
            let (a, b) = fit_sigmoid(&[0.5; 3], &labels, None);
            let p = 1.0 / (1.0 + (a * 0.5 + b).exp());
            let n_true = labels.iter().filter(|&&l| l).count();
            let expected = [0.2, 0.0, 11.0 / 18.0, 0.8][n_true];
            assert!((p - expected).abs() < 1e-4, "{labels:?}: {p}");
        }
    }
}
