//! Which pairs of features interact: a ranking on what the terms of one feature leave.
//!
//! Both features are merged to few bins; a pair counts by its best 2 x 2 table. Only what neither
//! feature could gain alone counts, so that leftovers of a feature do not look like its interactions.

use super::fit::Fit;
use super::grid::Axis;
use jobs::Ctx;

/// Bins of values of a feature.
pub(super) const BINS: usize = 15;
/// Features whose pairs are ranked; of more, those with the largest terms.
const MOST_FEATURES: usize = 500;
/// Gain that a pair needs, in mean squares of what is left. The best of some 200 cuts of pure noise, each of
/// mean 1, seldom has as much.
const LEAST_GAIN: f64 = 10.0;

/// The `n` pairs of largest gain, the mean over fits and outputs, best first; fewer where the others
/// gain no more than noise would.
///
/// `sizes` tell the features with the largest terms, `axes` are coarse. With `m_ij`, `H_ij` the mean
/// gradient and the sum of second derivatives of the four parts of a 2 x 2 table, a pair's gain is
/// the largest `(m_00 - m_01 - m_10 + m_11)^2 / sum_ij 1 / H_ij`, the squares that the table explains
/// beyond its rows and columns, over the mean square that is left. Categories are grouped as suits the
/// other cut best, and pay the gain that this has on noise: about one mean square a category.
/// None when the budget is spent. Cost: `O(pairs * rows)`.
/// # Source  Lou, Caruana, Gehrke & Hooker, KDD 2013 (FAST); deviation: the gain is that of the
/// interaction alone.
pub(super) fn best_pairs(
    fits: &[Fit],
    axes: &[Axis],
    sizes: &[f64],
    n: usize,
    ctx: &Ctx<'_>,
) -> Vec<(usize, usize)> {
    let mut features: Vec<usize> = (0..axes.len()).filter(|&f| axes[f].n_values > 0).collect();
    if features.len() > MOST_FEATURES {
        features.sort_by(|&a, &b| sizes[b].total_cmp(&sizes[a]).then(a.cmp(&b)));
        features.truncate(MOST_FEATURES);
        features.sort_unstable();
    }
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (i, &a) in features.iter().enumerate() {
        pairs.extend(features[i + 1..].iter().map(|&b| (a, b)));
    }
    let noise: Vec<Vec<f64>> = fits.iter().map(Fit::noise).collect();
    let gains = ctx.threads.map(pairs.len(), |i| {
        let (a, b) = (&axes[pairs[i].0], &axes[pairs[i].1]);
        // Groups of categories are found along the second axis.
        let (a, b) = if a.ordered { (a, b) } else { (b, a) };
        let of = |(fit, noise): (&Fit, &Vec<f64>)| {
            let sums = fit.sums_of_pair(a, b);
            let width = noise.len();
            let gains = noise.iter().enumerate().map(|(k, noise)| gain(a, b, &sums[k..], width) / noise);
            gains.sum::<f64>() / (width * fits.len()) as f64
        };
        let price: usize = [a, b].iter().filter(|axis| !axis.ordered).map(|axis| axis.n_values).sum();
        let all = fits.iter().zip(&noise).map(|fit| if ctx.is_over() { 0.0 } else { of(fit) });
        all.sum::<f64>() - price as f64
    });
    if ctx.is_over() {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..pairs.len()).filter(|&i| gains[i] > LEAST_GAIN).collect();
    order.sort_by(|&i, &j| gains[j].total_cmp(&gains[i]).then(i.cmp(&j)));
    order.iter().take(n).map(|&i| pairs[i]).collect()
}

/// The best 2 x 2 table; `sums` of one output in steps of `width`.
fn gain(a: &Axis, b: &Axis, sums: &[[f64; 2]], width: usize) -> f64 {
    let n = b.n_bins();
    let row = |bin: usize| (0..n).map(move |at| sums[(bin * n + at) * width]);
    let mut all = vec![[0.0; 2]; n];
    for bin in 0..a.n_bins() {
        all.iter_mut().zip(row(bin)).for_each(|(sum, add)| *sum = plus(*sum, add));
    }
    let mut low = vec![[0.0; 2]; n];
    let mut order: Vec<usize> = (0..n).collect();
    let mut best = 0.0f64;
    for bin in 0..a.n_bins() {
        if !a.ordered {
            low.fill([0.0; 2]);
        }
        low.iter_mut().zip(row(bin)).for_each(|(sum, add)| *sum = plus(*sum, add));
        if !b.ordered {
            let contrast = |at: &usize| mean(low[*at]) - mean(minus(all[*at], low[*at]));
            order.sort_by(|i, j| contrast(i).total_cmp(&contrast(j)).then(i.cmp(j)));
        }
        let sum = |of: &[[f64; 2]]| of.iter().fold([0.0; 2], |sum, &add| plus(sum, add));
        let (low_all, all_all) = (sum(&low), sum(&all));
        let (mut low_left, mut all_left) = ([0.0; 2], [0.0; 2]);
        for &at in &order[..n - 1] {
            low_left = plus(low_left, low[at]);
            all_left = plus(all_left, all[at]);
            let low_right = minus(low_all, low_left);
            let parts =
                [low_left, low_right, minus(all_left, low_left), minus(minus(all_all, all_left), low_right)];
            best = best.max(interaction(parts));
        }
    }
    best
}

/// Squares that a 2 x 2 table explains beyond its rows and columns.
fn interaction(parts: [[f64; 2]; 4]) -> f64 {
    // Differences of sums leave dust where a part is empty.
    if parts.iter().any(|part| part[1] < 1e-6) {
        return 0.0;
    }
    let [m00, m01, m10, m11] = parts.map(|[g, h]| g / h);
    let contrast = m00 - m01 - m10 + m11;
    contrast * contrast / parts.iter().map(|part| 1.0 / part[1]).sum::<f64>()
}

fn mean([g, h]: [f64; 2]) -> f64 {
    if h > 1e-6 { g / h } else { 0.0 }
}

fn plus(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] + b[0], a[1] + b[1]]
}

fn minus(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] - b[0], a[1] - b[1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rows_and_columns_explain_is_no_interaction() {
        assert!(interaction([[1.0, 1.0], [4.0, 2.0], [2.0, 1.0], [6.0, 2.0]]) < 1e-12);
        assert_eq!(interaction([[1.0, 1.0], [-1.0, 1.0], [-1.0, 1.0], [1.0, 1.0]]), 4.0);
        assert_eq!(interaction([[1.0, 1.0], [0.0, 0.0], [-1.0, 1.0], [1.0, 1.0]]), 0.0);
    }
}
