//! What stacks share: sums over rows, the minimum of a quadratic function some of whose unknowns are at least 0,
//! and least squares by it.
//!
//! It stands apart because every stack is such a minimum, and is no member itself. Members are few, so matrices are
//! small and dense; rows are many, so they are summed in chunks of a fixed length whose sums are added in order:
//! the same bits on any number of threads.

use super::ensemble::MemberRows;
use jobs::Threads;
use recipe::{Combination, MemberSum, Space};
use std::ops::Range;

/// Rows that are summed up by themselves.
const CHUNK: usize = 1024;
/// A slope that counts as 0, as a share of the sizes of what it is a sum of: a few hundred thousand roundings.
const FLAT: f64 = 1e-10;

/// What a stack learnt.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stacked {
    /// A weight for each member.
    pub weights: Vec<f64>,
    /// A number for each score.
    pub offsets: Vec<f64>,
}

/// Which weights there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Any.
    Any,
    /// At least 0.
    NonNegative,
}

impl Stacked {
    /// The sum of scores that it stands for.
    pub(super) fn combination(self, rows: &MemberRows) -> Combination {
        let Stacked { weights, offsets } = self;
        let (before, after, range) = (Vec::new(), None, rows.range());
        Combination::Sum(MemberSum { space: Space::Scores, weights, offsets, before, after, range })
    }
}

impl Sign {
    /// How many of so many weights are at least 0: all or none.
    pub(super) fn bounded(self, n_weights: usize) -> usize {
        match self {
            Sign::Any => 0,
            Sign::NonNegative => n_weights,
        }
    }
}

/// Sums over `0..n_rows` of what `add` adds for a range of rows.
pub(super) fn sums(
    n_rows: usize,
    n_sums: usize,
    threads: &Threads,
    add: impl Fn(Range<usize>, &mut [f64]) + Sync + Send,
) -> Vec<f64> {
    let of_chunk = |at: usize| {
        let mut sum = vec![0.0; n_sums];
        add(at * CHUNK..((at + 1) * CHUNK).min(n_rows), &mut sum);
        sum
    };
    let mut all = vec![0.0; n_sums];
    for part in threads.map(n_rows.div_ceil(CHUNK), of_chunk) {
        all.iter_mut().zip(part).for_each(|(all, sum)| *all += sum);
    }
    all
}

/// Mean products `[n, n]` of `n` columns of one length.
pub(super) fn mean_products(columns: &[Vec<f64>], threads: &Threads) -> Vec<f64> {
    let (n, n_cells) = (columns.len(), columns.first().map_or(0, Vec::len));
    let mut products = sums(n_cells, n * n, threads, |cells, sums| {
        for (i, a) in columns.iter().enumerate() {
            for (j, b) in columns[..=i].iter().enumerate() {
                let products = a[cells.clone()].iter().zip(&b[cells.clone()]).map(|(a, b)| a * b);
                sums[i * n + j] = products.sum();
            }
        }
    });
    products.iter_mut().for_each(|sum| *sum /= n_cells.max(1) as f64);
    mirror(&mut products, n);
    products
}

/// Completes a symmetric matrix `[n, n]` of which the lower half is known.
pub(super) fn mirror(matrix: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..i {
            matrix[j * n + i] = matrix[i * n + j];
        }
    }
}

/// The mean of the first `n` numbers of the diagonal of a matrix `[width, width]`.
pub(super) fn mean_diagonal(matrix: &[f64], width: usize, n: usize) -> f64 {
    matrix.iter().step_by(width + 1).take(n).sum::<f64>() / n as f64
}

/// The `x` of the least `x' H x / 2 - c' x` whose first `n_bounded` unknowns are at least 0; `hessian: [n, n]`
/// symmetric and positive definite, `linear: [n]`; it starts `at: [n]`, within the bounds. Unknowns at their bound
/// are exactly 0. Each face is left for good, in O(n^3).
/// # Source  Lawson & Hanson, Solving Least Squares Problems, 1974, chapter 23 (NNLS). Deviations: any start;
/// unknowns without a bound; elimination in the matrix of products, which a ridge keeps well enough conditioned.
pub(super) fn quadratic_minimum(
    hessian: &[f64],
    linear: &[f64],
    n_bounded: usize,
    mut at: Vec<f64>,
) -> Vec<f64> {
    let n = linear.len();
    let mut is_free: Vec<bool> = (0..n).map(|i| i >= n_bounded || at[i] > 0.0).collect();
    // A round frees one unknown; rounding could let the same one come and go.
    for _ in 0..3 * n + 1 {
        loop {
            let goal = solved(hessian, linear, &is_free);
            let leaves = (0..n_bounded).filter(|&i| is_free[i] && goal[i] < 0.0);
            let ends = leaves.map(|i| (at[i] / (at[i] - goal[i]), i));
            let Some((share, first)) = ends.min_by(|a, b| a.0.total_cmp(&b.0)) else {
                at = goal;
                break;
            };
            at.iter_mut().zip(&goal).zip(&is_free).for_each(|((x, goal), is_free)| {
                if *is_free {
                    *x += share * (goal - *x);
                }
            });
            for (i, (x, is_free)) in at.iter_mut().zip(&mut is_free).enumerate().take(n_bounded) {
                if i == first || *x <= 0.0 {
                    (*x, *is_free) = (0.0, false);
                }
            }
        }
        let slope = |i: usize| {
            let terms = || hessian[i * n..(i + 1) * n].iter().zip(at.iter()).map(|(h, x)| h * x);
            let size: f64 = terms().map(f64::abs).sum::<f64>() + linear[i].abs();
            (terms().sum::<f64>() - linear[i], size)
        };
        let falling = (0..n_bounded).filter(|&i| !is_free[i]).map(|i| (slope(i), i));
        let falling = falling.filter(|((slope, size), _)| *slope < -FLAT * size);
        match falling.min_by(|a, b| a.0.0.total_cmp(&b.0.0)) {
            Some((_, steepest)) => is_free[steepest] = true,
            None => break,
        }
    }
    at
}

/// `H x = c` for the free unknowns, 0 for the others, by elimination: a positive definite matrix needs no pivots.
fn solved(hessian: &[f64], linear: &[f64], is_free: &[bool]) -> Vec<f64> {
    let n = linear.len();
    let free: Vec<usize> = (0..n).filter(|&i| is_free[i]).collect();
    let line = |&i: &usize| free.iter().map(|&j| hessian[i * n + j]).chain([linear[i]]).collect::<Vec<f64>>();
    let mut lines: Vec<_> = free.iter().map(line).collect();
    for i in 0..free.len() {
        let (above, below) = lines.split_at_mut(i + 1);
        let pivot = &above[i];
        for line in below {
            let factor = line[i] / pivot[i];
            line[i..].iter_mut().zip(&pivot[i..]).for_each(|(x, p)| *x -= factor * p);
        }
    }
    let mut x = vec![0.0; n];
    for (at, &i) in free.iter().enumerate().rev() {
        let line = &lines[at];
        let rest: f64 = free.iter().zip(line).skip(at + 1).map(|(&j, h)| h * x[j]).sum();
        x[i] = (line[free.len()] - rest) / line[at];
    }
    x
}

/// Members whose scores tell rows apart; what any other says, an offset says too.
pub(super) fn telling(rows: &MemberRows) -> Vec<usize> {
    let n_outputs = rows.n_outputs();
    // Of several classes only differences count.
    let base = |row: &[f64]| if n_outputs > 1 { row[0] } else { 0.0 };
    let tells = |&member: &usize| {
        let scores = rows.scores(member);
        let first = &scores[..n_outputs];
        let is_other = |row: &[f64]| row.iter().zip(first).any(|(s, f)| s - base(row) != f - base(first));
        scores.chunks_exact(n_outputs).any(is_other)
    };
    (0..rows.n_members()).filter(tells).collect()
}

/// The weighted sum of members, and a constant, nearest to the targets `[n_rows]` of a regression: the least
/// `sum_i (y_i - b - sum_j w_j s_ij)^2 / n + l2 v sum_j (w_j - 1 / J)^2`, where `v` is the mean square of the
/// members' centred scores, so the target's unit does not matter, and `J` counts the members that tell rows apart;
/// the others get 0. Shrinking leads to the mean of members and not to 0: it is the best guess where rows tell nothing.
pub(super) fn least_squares(
    rows: &MemberRows,
    targets: &[f64],
    (l2, sign): (f64, Sign),
    threads: &Threads,
) -> Stacked {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let telling = telling(rows);
    let n = telling.len();
    let sources: Vec<&[f64]> = telling.iter().map(|&member| rows.scores(member)).chain([targets]).collect();
    let mut columns = threads.map(n + 1, |at| {
        let center = mean(sources[at]);
        sources[at].iter().map(|value| value - center).collect::<Vec<f64>>()
    });
    // Squares of any unit stay finite.
    let largest = columns.iter().flatten().fold(0.0f64, |most, x| most.max(x.abs())).max(f64::MIN_POSITIVE);
    columns.iter_mut().flatten().for_each(|x| *x /= largest);
    let products = mean_products(&columns, threads);
    let ridge = l2 * mean_diagonal(&products, n + 1, n);
    let (mut hessian, mut linear) = (Vec::with_capacity(n * n), Vec::with_capacity(n));
    for (i, line) in products.chunks_exact(n + 1).take(n).enumerate() {
        hessian.extend(line[..n].iter().enumerate().map(|(j, h)| if i == j { h + ridge } else { *h }));
        linear.push(line[n] + ridge / n as f64);
    }
    let found = quadratic_minimum(&hessian, &linear, sign.bounded(n), vec![1.0 / n as f64; n]);
    let mut weights = vec![0.0; rows.n_members()];
    telling.iter().zip(&found).for_each(|(&member, w)| weights[member] = *w);
    if weights.iter().any(|w| !w.is_finite()) || weights.iter().all(|w| *w == 0.0) {
        // No member says anything of the target: their mean, moved to where the targets are.
        weights = vec![1.0 / rows.n_members() as f64; rows.n_members()];
    }
    let of_members = weights.iter().enumerate().map(|(member, w)| w * mean(rows.scores(member)));
    let offset = mean(targets) - of_members.sum::<f64>();
    Stacked { weights, offsets: vec![offset] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(hessian: &[f64], linear: &[f64], x: &[f64]) -> Vec<f64> {
        let line = |(line, c): (&[f64], &f64)| line.iter().zip(x).map(|(h, x)| h * x).sum::<f64>() - c;
        hessian.chunks_exact(linear.len()).zip(linear).map(line).collect()
    }

    #[test]
    fn hand_computed_minima() {
        // 2 a + b = 4, a + 2 b = 5; with c_1 = -1 the free minimum (-7/3, 11/3) is outside, b = 5 / 2 on the edge.
        let hessian = [2.0, 1.0, 1.0, 2.0];
        for (linear, n_bounded, expected) in [
            ([4.0, 5.0], 2, [1.0, 2.0]),
            ([-1.0, 5.0], 0, [-7.0 / 3.0, 11.0 / 3.0]),
            ([-1.0, 5.0], 1, [0.0, 2.5]),
            ([-1.0, 5.0], 2, [0.0, 2.5]),
            ([-1.0, -5.0], 2, [0.0, 0.0]),
            ([-1.0, -5.0], 1, [1.0, -3.0]),
            ([3.0, -5.0], 2, [1.5, 0.0]),
        ] {
            for start in [[0.0, 0.0], [3.0, 0.0], [0.0, 7.0], [1.0, 1.0]] {
                let x = quadratic_minimum(&hessian, &linear, n_bounded, start.to_vec());
                assert!(
                    x.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12),
                    "{linear:?} {start:?}: {x:?}"
                );
            }
        }
    }

    #[test]
    fn bounded_minima_have_the_slopes_of_minima() {
        let mut random = ir::digest::SplitMix64::new(5);
        for round in 0..200 {
            let n = 1 + round % 9;
            let columns: Vec<Vec<f64>> = (0..n).map(|_| (0..12).map(|_| random.normal()).collect()).collect();
            let mut hessian = mean_products(&columns, &Threads::one());
            (0..n).for_each(|i| hessian[i * n + i] += 1e-3);
            let linear: Vec<f64> = (0..n).map(|_| random.normal()).collect();
            let n_bounded = random.below(n as u32 + 1) as usize;
            let start: Vec<f64> = (0..n).map(|_| f64::from(random.below(3))).collect();
            let x = quadratic_minimum(&hessian, &linear, n_bounded, start);
            for (i, (x, slope)) in x.iter().zip(gradient(&hessian, &linear, &x)).enumerate() {
                let is_bounded = i < n_bounded;
                assert!(!is_bounded || *x >= 0.0, "{round}: {x}");
                let is_least = if is_bounded && *x == 0.0 { slope > -1e-8 } else { slope.abs() < 1e-8 };
                assert!(is_least, "{round} {i}: {x} {slope}");
            }
        }
    }

    #[test]
    fn sums_are_the_same_on_any_number_of_threads() {
        let mut random = ir::digest::SplitMix64::new(6);
        let columns: Vec<Vec<f64>> = (0..3).map(|_| (0..5000).map(|_| random.normal()).collect()).collect();
        let one = mean_products(&columns, &Threads::one());
        assert_eq!(mean_products(&columns, &Threads::try_new(3).unwrap()), one);
        let direct: f64 = columns[2].iter().zip(&columns[0]).map(|(a, b)| a * b).sum::<f64>() / 5000.0;
        assert!((one[2] - direct).abs() < 1e-12 && one[2] == one[6]);
    }
}
