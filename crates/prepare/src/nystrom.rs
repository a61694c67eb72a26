//! `nystrom`: rows of numbers to their similarity to some rows of the training table.

use crate::error::Error;
use crate::nodes::{apply, matrix, with};
use crate::random_fourier::{GAMMA, StandardRows, unit};
use crate::transform::{FeatureKind, FittedStep, Group, Lower, StepInput, Transform, TransformEntry};
use ir::digest::SplitMix64;
use ir::fixed::math;
use ir::op::{Arithmetic, Function, MatMul, Reduce};
use ir::{GraphBuilder, Op, ValueIdx};
use params::{ParamSpec, Params, Range, Value};

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "nystrom",
    doc: "rows of numbers to their similarity to some rows of the training table",
    takes: &[FeatureKind::Number],
    sees_target: false,
    cleans: false,
    spec: SPEC,
    transform: &Nystrom,
};

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "landmarks",
        aliases: &["n_components"],
        default: Value::Int(32),
        range: Range::Int { low: 1, high: 256 },
        doc: "rows that others are compared to, and columns that are made of all",
    },
    ParamSpec {
        name: "how",
        aliases: &[],
        default: Value::Word("spread"),
        range: Range::Words(&["spread", "random"]),
        doc: "whether landmarks are drawn far from each other (k-means++), or all rows alike",
    },
    GAMMA,
];

/// Rows that landmarks are drawn from at most.
const MAX_CANDIDATES: usize = 20_000;

/// `k(z) K^(-1/2)` of the standardized row `z`, `k_j(z) = exp(-gamma |z - l_j|^2)` for the landmarks `l_j`,
/// `K_ij = k_j(l_i)`: the product of two landmarks is their similarity, that of two rows estimates theirs.
/// Landmarks are training rows, drawn from the seed among 20,000 at most; equal ones count once with
/// `how=spread`. Eigenvalues of K below 10^-10 of the largest count as none. A missing cell counts as the mean,
/// and no cell as further from it than 1000 deviations. Columns that do not vary go on as they are.
/// O(rows landmarks columns + landmarks^3), and for each row O(landmarks (columns + landmarks)).
/// # Source  Williams & Seeger, Using the Nyström Method to Speed Up Kernel Machines, NeurIPS 2001; Arthur &
/// Vassilvitskii, k-means++, SODA 2007; scikit-learn's `Nystroem`, which draws all rows alike, does not
/// standardize and raises small eigenvalues to 10^-12.
struct Nystrom;

impl Transform for Nystrom {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let standard = StandardRows::fit(input);
        let (uses, kept) = (standard.uses.clone(), standard.others.clone());
        if uses.is_empty() {
            return Ok(FittedStep { kept, groups: Vec::new() });
        }
        let most = usize::try_from(params.int("landmarks")).unwrap_or(1);
        let gamma = standard.gamma(params);
        let rows = standard.rows(input);
        let mut random = SplitMix64::new(input.seed.derive(ENTRY.name, 0).0);
        let chosen = match params.word("how") {
            "random" => some_of(input.rows.len(), most, &mut random),
            _ => spread(&rows, uses.len(), most, &mut random),
        };
        let landmarks: Vec<&[f64]> =
            chosen.iter().map(|&row| &rows[row * uses.len()..(row + 1) * uses.len()]).collect();
        let similar = |a: &[f64], b: &[f64]| math::exp(-gamma * distance(a, b));
        let m = landmarks.len();
        let kernel = (0..m * m).map(|at| similar(landmarks[at / m], landmarks[at % m])).collect();
        let part = Similar {
            directions: (0..uses.len() * m).map(|at| -2.0 * landmarks[at % m][at / m]).collect(),
            squares: landmarks.iter().map(|l| l.iter().map(|v| v * v).sum()).collect(),
            normalization: inverse_root(kernel, m),
            standard,
            gamma,
        };
        let names = (1..=m).map(|j| format!("similarity {j}")).collect();
        Ok(FittedStep { kept, groups: vec![Group::matrix(uses, names, part)] })
    }
}

/// `|a - b|^2`.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// At most `most` of `0..n`, all alike, rising.
fn some_of(n: usize, most: usize, random: &mut SplitMix64) -> Vec<usize> {
    let mut all: Vec<usize> = (0..n).collect();
    let most = most.min(n);
    for at in 0..most {
        let other = at + random.below((n - at) as u32) as usize;
        all.swap(at, other);
    }
    all.truncate(most);
    all.sort_unstable();
    all
}

/// At most `most` rows, each drawn with a chance that grows with the square of the distance to the nearest one
/// drawn before; rising.
fn spread(rows: &[f64], width: usize, most: usize, random: &mut SplitMix64) -> Vec<usize> {
    let candidates = some_of(rows.len() / width.max(1), MAX_CANDIDATES, random);
    let row = |at: usize| &rows[candidates[at] * width..][..width];
    let mut nearest = vec![f64::INFINITY; candidates.len()];
    let mut chosen: Vec<usize> = Vec::new();
    let mut next = random.below(candidates.len() as u32) as usize;
    while chosen.len() < most && next < candidates.len() {
        chosen.push(candidates[next]);
        let new = row(next);
        for (at, nearest) in nearest.iter_mut().enumerate() {
            let d = distance(row(at), new);
            *nearest = if d < *nearest { d } else { *nearest };
        }
        let total: f64 = nearest.iter().sum();
        let mut left = unit(random) * total;
        // None is left where all rows are drawn or equal to one that is.
        let far = nearest.iter().rposition(|&d| d > 0.0);
        next = far.map_or(candidates.len(), |far| {
            let reached = nearest[..=far].iter().position(|&d| {
                left -= d;
                d > 0.0 && left <= 0.0
            });
            reached.unwrap_or(far)
        });
    }
    chosen.sort_unstable();
    chosen
}

/// `A^(-1/2)` of a symmetric, positive semidefinite matrix of `n` rows.
fn inverse_root(mut a: Vec<f64>, n: usize) -> Vec<f64> {
    let vectors = eigenvectors(&mut a, n);
    let values: Vec<f64> = (0..n).map(|k| a[k * n + k]).collect();
    let largest = values.iter().fold(0.0, |most: f64, &v| if v > most { v } else { most });
    let factor = |v: f64| if v > 1e-10 * largest { 1.0 / math::sqrt(v) } else { 0.0 };
    let factors: Vec<f64> = values.into_iter().map(factor).collect();
    let element = |i: usize, j: usize| -> f64 {
        (0..n).map(|k| vectors[i * n + k] * factors[k] * vectors[j * n + k]).sum()
    };
    (0..n * n).map(|at| element(at / n, at % n)).collect()
}

/// Diagonalizes a symmetric matrix of `n` rows in place; gives its eigenvectors, one a column.
/// # Source  Jacobi, 1846; the rotation as in Golub & Van Loan, Matrix Computations, section 8.5, cyclic by rows.
fn eigenvectors(a: &mut [f64], n: usize) -> Vec<f64> {
    let mut v = vec![0.0; n * n];
    (0..n).for_each(|i| v[i * n + i] = 1.0);
    let total: f64 = a.iter().map(|x| x * x).sum();
    // Convergence is quadratic: 30 sweeps are far more than any such matrix needs.
    for _ in 0..30 {
        let off: f64 = (0..n * n).filter(|at| at / n != at % n).map(|at| a[at] * a[at]).sum();
        if off <= 1e-32 * total {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                let apq = a[p * n + q];
                if apq == 0.0 {
                    continue;
                }
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
                let size = theta.abs() + math::sqrt(theta * theta + 1.0);
                let t = if theta < 0.0 { -1.0 / size } else { 1.0 / size };
                let c = 1.0 / math::sqrt(t * t + 1.0);
                let s = t * c;
                for k in 0..n {
                    let (x, y) = (a[k * n + p], a[k * n + q]);
                    a[k * n + p] = c * x - s * y;
                    a[k * n + q] = s * x + c * y;
                }
                for k in 0..n {
                    let (x, y) = (a[p * n + k], a[q * n + k]);
                    a[p * n + k] = c * x - s * y;
                    a[q * n + k] = s * x + c * y;
                    let (x, y) = (v[k * n + p], v[k * n + q]);
                    v[k * n + p] = c * x - s * y;
                    v[k * n + q] = s * x + c * y;
                }
            }
        }
    }
    v
}

struct Similar {
    standard: StandardRows,
    /// `-2 l_j`, `[columns, landmarks]`.
    directions: Vec<f64>,
    /// `|l_j|^2`.
    squares: Vec<f64>,
    gamma: f64,
    normalization: Vec<f64>,
}

impl Lower for Similar {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, ir::Error> {
        // |z - l|^2 = |z|^2 - 2 z.l + |l|^2, which rounding may take below 0.
        let z = self.standard.lower(builder, columns)?;
        let square = builder.node(Op::Arithmetic(Arithmetic::Mul), &[z, z])?;
        let square = builder.node(Op::Reduce(Reduce::Sum), &[square])?;
        let directions = matrix(builder, self.standard.uses.len(), self.directions.clone())?;
        let x = builder.node(Op::MatMul(MatMul), &[z, directions])?;
        let x = builder.node(Op::Arithmetic(Arithmetic::Add), &[x, square])?;
        let x = with(builder, Arithmetic::Add, x, &self.squares)?;
        let x = with(builder, Arithmetic::Max, x, &[0.0])?;
        let x = with(builder, Arithmetic::Mul, x, &[-self.gamma])?;
        let x = apply(builder, Function::Exp, x)?;
        let normalization = matrix(builder, self.squares.len(), self.normalization.clone())?;
        builder.node(Op::MatMul(MatMul), &[x, normalization])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::table::{Fitting, Table};
    use crate::laws::wine::{self, check_column};

    #[test]
    fn as_scikit_learn() {
        // Rows 0, 10, 80 and 150 by Nystroem(gamma=1/3, n_components=4) fitted to rows 0, 59, 100 and 177 after
        // a StandardScaler fitted to these; its columns in the order of the rows.
        let expected = [
            [0.9990261416324359, 0.009992486547229429, 0.03864344095692696, 0.018804335101794873],
            [0.22683810745580288, -0.0001995504487457783, -0.006457754782773499, -0.00344811998444071],
            [-0.00488440972954453, 0.6511456289130031, 0.0017783804284148127, 0.003585241835091807],
            [0.02852464058997727, 0.13587188553513393, 0.2247561001872067, 0.6625392192565788],
        ];
        let table = wine::table();
        let fitting = Fitting { rows: vec![0, 59, 100, 177], ..Fitting::default() };
        for how in ["spread", "random"] {
            let fitted = table.fit_with(&ENTRY, &[("how", how)], &fitting).unwrap();
            let made = fitted.run(&table.select(&[0, 10, 80, 150]));
            assert_eq!(made.len(), 4);
            for (j, made) in made.iter().enumerate() {
                // 1e-13, because eigenvectors are rounded otherwise.
                check_column(made, &expected.map(|row| row[j]), 1e-13);
            }
        }
    }

    /// Between landmarks the product of two rows is their similarity, for any number of landmarks.
    #[test]
    fn products_of_landmarks_are_their_similarity() {
        let table = wine::table().select(&(0..60).collect::<Vec<_>>());
        let made = table.fit(&ENTRY, &[("landmarks", "256"), ("gamma", "0.5")]).run(&table);
        assert_eq!(made.len(), 60);
        let standard = table.fit(&crate::standard::ENTRY, &[]).run(&table);
        for a in 0..60 {
            for b in 0..60 {
                let got: f64 = made.iter().map(|c| c[a] * c[b]).sum();
                let expected = (-0.5 * standard.iter().map(|c| (c[a] - c[b]).powi(2)).sum::<f64>()).exp();
                // Abs { eps: 1e-6, because: eigenvalues below 1e-10 of the largest are left out }
                assert!((got - expected).abs() < 1e-6, "{a} {b}: {got} for {expected}");
            }
        }
    }

    #[test]
    fn landmarks_are_far_from_each_other_and_differ() {
        let mut random = SplitMix64::new(3);
        // 90 rows at 0, 9 at 1, one at 100: three different rows.
        let rows: Vec<f64> =
            (0..100).map(|i| [0.0, 1.0, 100.0][usize::from(i >= 90) + usize::from(i == 99)]).collect();
        let chosen = spread(&rows, 1, 10, &mut random);
        assert_eq!(chosen.iter().map(|&c| rows[c]).collect::<Vec<_>>(), [0.0, 1.0, 100.0]);
        let far = (0..50).filter(|_| spread(&rows, 1, 2, &mut random).contains(&99)).count();
        // The chance is above 0.999 (of a square distance of 10,000 and nine of 1).
        assert!(far >= 48, "{far} of 50");
        let all = some_of(20, 50, &mut random);
        assert_eq!(all, (0..20).collect::<Vec<_>>());
        let mut hits = [0; 10];
        for _ in 0..1000 {
            some_of(10, 3, &mut random).into_iter().for_each(|at| hits[at] += 1);
        }
        // 300 expected, of deviation 14.5 (seed 3): five of them.
        assert!(hits.iter().all(|h| (228..=372).contains(h)), "{hits:?}");
    }

    #[test]
    fn roots_by_hand() {
        // [[2, 1], [1, 2]] has the eigenvalues 1 and 3 of (1, -1) and (1, 1).
        let third = 1.0 / 3f64.sqrt();
        let expected = [0.5 + third / 2.0, third / 2.0 - 0.5, third / 2.0 - 0.5, 0.5 + third / 2.0];
        check_column(&inverse_root(vec![2.0, 1.0, 1.0, 2.0], 2), &expected, 1e-15);
        // Of a singular one the inverse on what it reaches.
        check_column(&inverse_root(vec![2.0, 2.0, 2.0, 2.0], 2), &[0.25; 4], 1e-15);
        // A random one of 40 rows: R A R = 1.
        let n = 40;
        let mut random = SplitMix64::new(1);
        let b: Vec<f64> = (0..n * n).map(|_| unit(&mut random) - 0.5).collect();
        let times = |a: &[f64], b: &[f64]| -> Vec<f64> {
            (0..n * n).map(|at| (0..n).map(|k| a[at / n * n + k] * b[k * n + at % n]).sum()).collect()
        };
        let transposed: Vec<f64> = (0..n * n).map(|at| b[at % n * n + at / n]).collect();
        let mut a = times(&b, &transposed);
        (0..n).for_each(|i| a[i * n + i] += 0.5);
        let root = inverse_root(a.clone(), n);
        let one = times(&times(&root, &a), &root);
        for (at, got) in one.iter().enumerate() {
            let expected = f64::from(u8::from(at / n == at % n));
            assert!((got - expected).abs() < 1e-13, "{at}: {got}");
        }
    }

    #[test]
    fn rows_that_do_not_vary_are_left() {
        let table = Table::numbers(&[("same", &[2.0; 3]), ("none", &[f64::NAN; 3])]);
        let fitted = table.fit(&ENTRY, &[]);
        assert_eq!((fitted.kept.len(), fitted.names.len()), (2, 0));
    }
}
