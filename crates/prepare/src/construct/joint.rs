//! What the bins of a made column explain beside the bins of the two columns it is made of.
//!
//! A ratio of positive numbers nearly is a sum of a curve of each, so what curves leave of it is small and hardly
//! follows the ratio by itself: only the three together fit. Three sets of cells are few enough unknowns to solve
//! for exactly.

use super::cells::Codes;
use super::residual::{Gain, Residual};
use ir::fixed::math;

/// Rows without an effect in each cell: enough for a solution wherever cells repeat each other.
pub(super) const RIDGE: f64 = 1.0;

/// Minimises `sum w (r - f_a - g_b - h_c)^2 + RIDGE (sum f^2 + sum g^2 + sum h^2)` over values of the cells `a`, `b`
/// and `c` of three sets, by Cholesky's factors: `L L' = M`, `z = L^-1 s`, `M` the weights of cells and pairs of
/// cells, `s` the sums of `w r`. The part of `z` that belongs to the third set is what it explains beyond the
/// other two. O(rows + cells^3).
pub(super) struct Joint<'c> {
    cells: [&'c Codes; 3],
    /// `L`, row-major; what is above its diagonal is not defined.
    lower: Vec<f64>,
    /// `z` of each part.
    right: Vec<Vec<f64>>,
    n: usize,
}

/// Places of the cells of each row among all cells.
fn places(cells: [&Codes; 3]) -> impl Iterator<Item = [usize; 3]> {
    let [a, b, c] = cells;
    let rows = a.iter().zip(b.iter()).zip(c.iter());
    rows.map(move |((i, j), k)| [i, a.n + j, a.n + b.n + k])
}

impl<'c> Joint<'c> {
    pub(super) fn new(residual: &Residual, cells: [&'c Codes; 3]) -> Joint<'c> {
        let n: usize = cells.iter().map(|c| c.n).sum();
        let mut lower = vec![0.0f64; n * n];
        let mut right = vec![vec![0.0f64; n]; residual.parts.len()];
        for (row, ([i, j, k], &w)) in places(cells).zip(&residual.weights).enumerate() {
            for (at, with) in [(i, i), (j, j), (k, k), (j, i), (k, i), (k, j)] {
                lower[at * n + with] += w;
            }
            for (sums, part) in right.iter_mut().zip(&residual.parts) {
                let sum = w * part[row];
                [i, j, k].iter().for_each(|&at| sums[at] += sum);
            }
        }
        (0..n).for_each(|at| lower[at * n + at] += RIDGE);
        factor(&mut lower, n);
        right.iter_mut().for_each(|sums| forward(&lower, sums));
        Joint { cells, lower, right, n }
    }

    /// What the third set explains beyond the other two.
    pub(super) fn gain(&self) -> Gain {
        let own = self.n - self.cells[2].n..self.n;
        let squares = self.right.iter().map(|z| z[own.clone()].iter().map(|z| z * z).sum::<f64>()).sum();
        // Of noise an unknown explains at most the part of its pivot that rows make.
        let share = |at: usize| {
            let root = self.lower[at * self.n + at];
            1.0 - RIDGE / (root * root)
        };
        Gain { squares, mean: own.clone().map(share).sum(), spread: own.map(share).map(|s| s * s).sum() }
    }

    /// Subtracts what all three sets explain.
    pub(super) fn subtract_from(self, residual: &mut Residual) {
        for (mut values, part) in self.right.into_iter().zip(&mut residual.parts) {
            backward(&self.lower, &mut values);
            for (at, r) in places(self.cells).zip(part.iter_mut()) {
                *r -= at.iter().map(|&at| values[at]).sum::<f64>();
            }
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Cholesky's factor in the place of the lower half of an `n x n` matrix that is [`RIDGE`] or more in every direction.
fn factor(matrix: &mut [f64], n: usize) {
    for i in 0..n {
        let (above, rest) = matrix.split_at_mut(i * n);
        for j in 0..i {
            let other = &above[j * n..=j * n + j];
            rest[j] = (rest[j] - dot(&rest[..j], &other[..j])) / other[j];
        }
        // Less than this is rounding.
        rest[i] = math::sqrt((rest[i] - dot(&rest[..i], &rest[..i])).max(RIDGE));
    }
}

/// `L z = s`, `z` in the place of `s`.
fn forward(lower: &[f64], s: &mut [f64]) {
    let n = s.len();
    for i in 0..n {
        let row = &lower[i * n..=i * n + i];
        s[i] = (s[i] - dot(&row[..i], &s[..i])) / row[i];
    }
}

/// `L' x = z`, `x` in the place of `z`.
fn backward(lower: &[f64], z: &mut [f64]) {
    let n = z.len();
    for i in (0..n).rev() {
        let row = &lower[i * n..=i * n + i];
        z[i] /= row[i];
        let x = z[i];
        z[..i].iter_mut().zip(row).for_each(|(z, l)| *z -= l * x);
    }
}

#[cfg(test)]
mod tests {
    use super::super::residual::tests::residual;
    use super::*;

    /// Beside two columns of one cell each, two cells of two rows explain what they explain alone: the means of
    /// `1, 1, -1, -1` with a row added to each cell are 2 / 3.
    #[test]
    fn hand_computed() {
        let mut left = residual(&[1.0, 1.0, -1.0, -1.0]);
        let one = Codes::of_numbers(&[0.0; 4], &[]);
        let two = Codes::of_numbers(&[0.0, 0.0, 1.0, 1.0], &[0.5]);
        let joint = Joint::new(&left, [&one, &one, &two]);
        let gain = joint.gain();
        // 1e-12, because sums, roots and divisions are rounded.
        assert!((gain.squares - 8.0 / 3.0).abs() < 1e-12, "{gain:?}");
        assert!(gain.spread > 0.0 && gain.spread <= gain.mean && gain.mean < 2.0, "{gain:?}");
        joint.subtract_from(&mut left);
        for (r, expected) in left.parts[0].iter().zip([1.0, 1.0, -1.0, -1.0]) {
            assert!((r - expected / 3.0).abs() < 1e-12, "{r}");
        }
    }

    /// What repeats a column explains nothing beside it.
    #[test]
    fn a_copy_explains_nothing() {
        let x: Vec<f64> = (0..40).map(|i| f64::from(i % 4)).collect();
        let left = residual(&x);
        let one = Codes::of_numbers(&[0.0; 40], &[]);
        let cells = Codes::of_numbers(&x, &[0.0, 1.0, 2.0]);
        let alone = Joint::new(&left, [&one, &one, &cells]).gain();
        let beside = Joint::new(&left, [&cells, &one, &cells]).gain();
        assert!(beside.squares < 0.1 * alone.squares, "{beside:?}, {alone:?}");
    }
}
