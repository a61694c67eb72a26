use super::*;
use jobs::{Budget, Cancel, Clock, Silent, Threads};
use std::time::Duration;

const LIMITS: SmoLimits =
    SmoLimits { tolerance: 1e-3, max_iterations: 10_000_000, cache_bytes: 64 << 20, shrinking: true };

/// What a test asks of the solver.
enum Ask<'a> {
    Labels(&'a [bool]),
    Targets(&'a [f64], f64),
}

fn solve(k: Similarity<'_>, c: &[f64], ask: &Ask<'_>, limits: SmoLimits, threads: &Threads) -> Solution {
    let (budget, cancel) = (Budget::work(Clock::start(), 1), Cancel::new());
    let ctx = Ctx { threads, budget: &budget, cancel: &cancel, progress: &Silent };
    let smo = Smo { similarity: k, c, limits, ctx: &ctx };
    match ask {
        Ask::Labels(labels) => smo.classify(labels),
        Ask::Targets(targets, epsilon) => smo.regress(targets, *epsilon),
    }
}

/// Solves with the products of single numbers as similarity.
fn solve_line(x: &[f32], c: &[f64], ask: &Ask<'_>) -> Solution {
    let diagonal: Vec<f32> = x.iter().map(|x| x * x).collect();
    let row_into = |i: u32, others: &[u32], out: &mut [f32]| {
        out.iter_mut().zip(others).for_each(|(out, &j)| *out = x[i as usize] * x[j as usize]);
    };
    let k = Similarity { diagonal: &diagonal, row_into: &row_into };
    solve(k, c, ask, LIMITS, &Threads::one())
}

/// Uniform numbers below 1 by a formula that any language can repeat.
fn numbers(n: usize) -> Vec<f32> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    (0..n).map(|_| next()).collect()
}

/// Rows with `exp(-gamma d^2)` as similarity.
struct Rbf {
    x: Vec<f32>,
    n_columns: usize,
    gamma: f32,
}

impl Rbf {
    fn new(n_rows: usize, n_columns: usize, gamma: f32) -> Rbf {
        Rbf { x: numbers(n_rows * n_columns), n_columns, gamma }
    }

    fn n_rows(&self) -> usize {
        self.x.len() / self.n_columns
    }

    fn row(&self, i: usize) -> &[f32] {
        &self.x[i * self.n_columns..][..self.n_columns]
    }

    fn column(&self, row: usize, column: usize) -> f64 {
        f64::from(self.row(row)[column])
    }

    fn row_into(&self, i: u32, others: &[u32], out: &mut [f32]) {
        let a = self.row(i as usize);
        for (out, &j) in out.iter_mut().zip(others) {
            let (mut sums, b) = ([0f32; 4], self.row(j as usize));
            let (a, b) = (a.chunks_exact(4), b.chunks_exact(4));
            let rest = a.remainder().iter().zip(b.remainder()).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
            for (a, b) in a.zip(b) {
                sums.iter_mut().zip(a.iter().zip(b)).for_each(|(s, (a, b))| *s += (a - b) * (a - b));
            }
            *out = (-self.gamma * (sums.iter().sum::<f32>() + rest)).exp();
        }
    }

    fn matrix(&self) -> Vec<Vec<f64>> {
        let n = self.n_rows();
        let others: Vec<u32> = (0..n as u32).collect();
        let row = |&i: &u32| {
            let mut out = vec![0.0; n];
            self.row_into(i, &others, &mut out);
            out.into_iter().map(f64::from).collect()
        };
        others.iter().map(row).collect()
    }

    fn solve(&self, c: &[f64], ask: &Ask<'_>, limits: SmoLimits, threads: &Threads) -> Solution {
        let diagonal = vec![1.0; self.n_rows()];
        let row_into = |i: u32, others: &[u32], out: &mut [f32]| self.row_into(i, others, out);
        solve(Similarity { diagonal: &diagonal, row_into: &row_into }, c, ask, limits, threads)
    }

    /// Labels that are hard enough to need free and bounded coefficients.
    fn labels(&self) -> Vec<bool> {
        let score = |r| (6.0 * self.column(r, 0)).sin() + self.column(r, 1) * self.column(r, 2);
        (0..self.n_rows()).map(|r| score(r) + 0.6 * (40.0 * self.column(r, 2)).sin() > 0.4).collect()
    }

    fn targets(&self) -> Vec<f64> {
        let value = |r| (6.0 * self.column(r, 0)).sin() + self.column(r, 1) * self.column(r, 2);
        (0..self.n_rows()).map(value).collect()
    }
}

/// The problem as the module states it, by row: targets, low, high, epsilon.
fn problem(c: &[f64], ask: &Ask<'_>) -> Problem {
    let n = c.len();
    match *ask {
        Ask::Labels(labels) => Problem {
            targets: labels.iter().map(|&l| if l { 1.0 } else { -1.0 }).collect(),
            low: (0..n).map(|i| if labels[i] { 0.0 } else { -c[i] }).collect(),
            high: (0..n).map(|i| if labels[i] { c[i] } else { 0.0 }).collect(),
            epsilon: 0.0,
        },
        Ask::Targets(targets, epsilon) => Problem {
            targets: targets.to_vec(),
            low: c.iter().map(|c| -c).collect(),
            high: c.to_vec(),
            epsilon,
        },
    }
}

fn sums(k: &[Vec<f64>], b: &[f64]) -> Vec<f64> {
    k.iter().map(|row| row.iter().zip(b).map(|(k, b)| k * b).sum()).collect()
}

fn objective(k: &[Vec<f64>], b: &[f64], p: &Problem) -> f64 {
    let terms = sums(k, b).into_iter().zip(b).zip(&p.targets);
    terms.map(|((s, b), t)| 0.5 * b * s - t * b + p.epsilon * b.abs()).sum()
}

/// How far the optimality conditions are missed: by a bound, by the sum, by the decision of a row.
fn miss(k: &[Vec<f64>], s: &Solution, p: &Problem) -> f64 {
    let b = &s.coefficients;
    let mut miss = b.iter().sum::<f64>().abs();
    for (i, sum) in sums(k, b).into_iter().enumerate() {
        let residual = p.targets[i] - sum - s.intercept;
        let to_raise = residual - if b[i] >= 0.0 { p.epsilon } else { -p.epsilon };
        let to_lower = -residual - if b[i] <= 0.0 { p.epsilon } else { -p.epsilon };
        miss = miss.max(b[i] - p.high[i]).max(p.low[i] - b[i]);
        if b[i] < p.high[i] {
            miss = miss.max(to_raise);
        }
        if b[i] > p.low[i] {
            miss = miss.max(to_lower);
        }
    }
    miss
}

/// Row `i` may have 0.5 to 2 times `c`, every 17th nothing.
fn varied(n: usize, c: f64) -> Vec<f64> {
    let share = |i: usize| if i.is_multiple_of(17) { 0.0 } else { 0.5 + 1.5 * (i % 7) as f64 / 6.0 };
    (0..n).map(|i| c * share(i)).collect()
}

fn close(a: &[f64], b: &[f64], eps: f64) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= eps)
}

#[test]
fn two_points_have_the_margin_between_them() {
    // Between 1 and 3 lies f(x) = x - 2, which needs coefficients of 1/2.
    let labels = Ask::Labels(&[false, true]);
    let s = solve_line(&[1.0, 3.0], &[10.0; 2], &labels);
    assert!(s.converged && close(&s.coefficients, &[-0.5, 0.5], 1e-6) && (s.intercept + 2.0).abs() < 1e-6);
    assert_eq!(s, solve_line(&[1.0, 3.0], &[f64::INFINITY; 2], &labels));
    // With c = 1/8 both are at the bound, f(x) = x/4 + b, and b may be -1/2 for the middle.
    let s = solve_line(&[1.0, 3.0], &[0.125; 2], &labels);
    assert!(close(&s.coefficients, &[-0.125, 0.125], 0.0) && (s.intercept + 0.5).abs() < 1e-6);
}

#[test]
fn a_third_point_behind_the_margin_is_no_support_vector() {
    let s = solve_line(&[5.0, 1.0, 3.0], &[10.0; 3], &Ask::Labels(&[true, false, true]));
    assert!(s.converged && close(&s.coefficients, &[0.0, -0.5, 0.5], 1e-6));
    // The point at 3 may have 1/8, then f(x) = w x + b is -1 at 1 and 1 at 5: w = 1/2, of which the
    // rows at 5 and 1 give the rest: 5 p - n + 3/8 = 1/2, n = p + 1/8.
    let s = solve_line(&[5.0, 1.0, 3.0], &[10.0, 10.0, 0.125], &Ask::Labels(&[true, false, true]));
    let p = (0.5 - 0.375 + 0.125) / 4.0;
    assert!(close(&s.coefficients, &[p, -p - 0.125, 0.125], 1e-6) && (s.intercept + 1.5).abs() < 1e-6);
}

#[test]
fn a_line_through_three_values_is_as_flat_as_epsilon_allows() {
    // Values x at 0, 1, 2 with epsilon 1/4: the flattest line is 3/4 x + 1/4; its slope is
    // 2 b_2 + b_1, and the middle lies on the line's inside.
    let s = solve_line(&[0.0, 1.0, 2.0], &[10.0; 3], &Ask::Targets(&[0.0, 1.0, 2.0], 0.25));
    assert!(s.converged && close(&s.coefficients, &[-0.375, 0.0, 0.375], 1e-6), "{s:?}");
    assert!((s.intercept - 0.25).abs() < 1e-6);
}

#[test]
fn poor_problems_are_defined() {
    let constant = |s: &Solution, intercept: f64| {
        s.converged && s.coefficients.iter().all(|&b| b == 0.0) && s.intercept == intercept
    };
    let x = [1.0, 2.0, 3.0];
    assert!(constant(&solve_line(&x, &[1.0; 3], &Ask::Labels(&[true; 3])), 1.0));
    assert!(constant(&solve_line(&x, &[1.0; 3], &Ask::Labels(&[false; 3])), -1.0));
    assert!(constant(&solve_line(&x, &[0.0; 3], &Ask::Labels(&[false, true, true])), 0.0));
    assert!(constant(&solve_line(&x, &[1.0, 0.0, 0.0], &Ask::Labels(&[false, true, true])), -1.0));
    assert!(constant(&solve_line(&x[..1], &[1.0], &Ask::Labels(&[true])), 1.0));
    assert!(constant(&solve_line(&[], &[], &Ask::Labels(&[])), 0.0));
    for epsilon in [0.0, 0.5] {
        assert!(constant(&solve_line(&x, &[1.0; 3], &Ask::Targets(&[7.0; 3], epsilon)), 7.0));
        assert!(constant(&solve_line(&x[..1], &[1.0], &Ask::Targets(&[-2.0], epsilon)), -2.0));
        assert!(constant(&solve_line(&[], &[], &Ask::Targets(&[], epsilon)), 0.0));
    }
}

#[test]
fn equal_rows_with_unequal_labels_end_at_the_bound() {
    let s = solve_line(&[2.0; 4], &[1.5; 4], &Ask::Labels(&[true, false, true, false]));
    assert!(s.converged && s.coefficients == [1.5, -1.5, 1.5, -1.5] && s.intercept == 0.0);
    let s = solve_line(&[2.0; 4], &[1.5; 4], &Ask::Targets(&[0.0, 4.0, 0.0, 4.0], 0.5));
    assert!(s.converged && s.coefficients == [-1.5, 1.5, -1.5, 1.5] && s.intercept == 2.0);
}

#[test]
fn the_conditions_hold_however_it_is_solved() {
    let table = Rbf::new(150, 3, 4.0);
    let (labels, targets, k) = (table.labels(), table.targets(), table.matrix());
    for c in [vec![1.0; 150], vec![30.0; 150], varied(150, 3.0)] {
        for ask in [Ask::Labels(&labels), Ask::Targets(&targets, 0.05), Ask::Targets(&targets, 0.0)] {
            let p = problem(&c, &ask);
            let mut objectives = Vec::new();
            for shrinking in [true, false] {
                for cache_bytes in [0, 20 * 150 * 4, 64 << 20] {
                    let limits = SmoLimits { shrinking, cache_bytes, ..LIMITS };
                    let s = table.solve(&c, &ask, limits, &Threads::one());
                    assert!(s.converged && s.coefficients.len() == 150);
                    assert!(s.coefficients.iter().zip(&c).all(|(b, &c)| c > 0.0 || *b == 0.0));
                    let miss = miss(&k, &s, &p);
                    assert!(miss <= 1.01e-3, "shrinking {shrinking}, cache {cache_bytes}: {miss}");
                    objectives.push(objective(&k, &s.coefficients, &p));
                }
            }
            let (best, bound) = (objectives[0], 1e-3 * c.iter().sum::<f64>());
            assert!(
                objectives.iter().all(|o| (o - best).abs() < bound.min(1e-3 * best.abs())),
                "{objectives:?}"
            );
        }
    }
}

#[test]
fn memory_and_threads_change_no_bit() {
    let table = Rbf::new(5000, 3, 4.0);
    let labels = table.labels();
    let c = vec![1.0; 5000];
    let run = |cache_bytes, threads: &Threads| {
        let limits = SmoLimits { cache_bytes, ..LIMITS };
        table.solve(&c, &Ask::Labels(&labels), limits, threads)
    };
    let one = run(LIMITS.cache_bytes, &Threads::one());
    assert_eq!(one, run(LIMITS.cache_bytes, &Threads::try_new(3).unwrap()));
    assert_eq!(one, run(1 << 20, &Threads::one()));
}

#[test]
fn projected_gradient_is_never_better() {
    let table = Rbf::new(80, 3, 2.0);
    let (labels, targets, k) = (table.labels(), table.targets(), table.matrix());
    let c = varied(80, 2.0);
    for ask in [Ask::Labels(&labels), Ask::Targets(&targets, 0.1)] {
        let p = problem(&c, &ask);
        let s = table.solve(&c, &ask, SmoLimits { tolerance: 1e-6, ..LIMITS }, &Threads::one());
        let ours = objective(&k, &s.coefficients, &p);
        let theirs = objective(&k, &projected_gradient(&k, &p), &p);
        assert!(ours <= theirs + 1e-9 && theirs < ours + 0.01 * ours.abs(), "{ours} {theirs}");
    }
}

/// A proximal gradient descent, feasible at every step: the constraint's multiplier is bisected.
fn projected_gradient(k: &[Vec<f64>], p: &Problem) -> Vec<f64> {
    let n = p.targets.len();
    let step = 1.0 / k.iter().map(|row| row.iter().sum::<f64>()).fold(0.0, f64::max);
    let mut b = vec![0.0; n];
    for _ in 0..5000 {
        let sums = sums(k, &b);
        let goal: Vec<f64> = (0..n).map(|i| b[i] + step * (p.targets[i] - sums[i])).collect();
        let at = |shift: f64, i: usize| {
            let g = goal[i] - shift;
            (g.signum() * (g.abs() - step * p.epsilon).max(0.0)).clamp(p.low[i], p.high[i])
        };
        let (mut low, mut high) = (-1e3, 1e3);
        for _ in 0..80 {
            let middle = 0.5 * (low + high);
            let sum: f64 = (0..n).map(|i| at(middle, i)).sum();
            *(if sum > 0.0 { &mut low } else { &mut high }) = middle;
        }
        b = (0..n).map(|i| at(high, i)).collect();
    }
    b
}

/// scikit-learn 1.9.1, `SVC` and `SVR` with `gamma=2, tol=1e-8` on the same numbers: dual objective,
/// support vectors, intercept.
#[test]
fn scikit_learn_finds_the_same() {
    let table = Rbf::new(80, 3, 2.0);
    let (labels, targets, k) = (table.labels(), table.targets(), table.matrix());
    assert_eq!(labels.iter().filter(|&&l| l).count(), 40);
    let cases = [
        (1.0, Ask::Labels(&labels), -24.950673738734316, 35, -0.35888413426780624),
        (100.0, Ask::Labels(&labels), -775.4760302549046, 15, -1.6828933470052487),
        (1.0, Ask::Targets(&targets, 0.1), -13.424789649503833, 64, 0.022927205736903458),
        (10.0, Ask::Targets(&targets, 0.02), -42.73217549266906, 47, -0.01837446797100303),
    ];
    for (c, ask, expected, n_vectors, intercept) in cases {
        let c = vec![c; 80];
        let s = table.solve(&c, &ask, SmoLimits { tolerance: 1e-8, ..LIMITS }, &Threads::one());
        let found = objective(&k, &s.coefficients, &problem(&c, &ask));
        let n = s.coefficients.iter().filter(|&&b| b != 0.0).count();
        assert_eq!(n, n_vectors);
        assert!((found - expected).abs() < 1e-5 * expected.abs() && (s.intercept - intercept).abs() < 1e-4);
    }
}

#[test]
fn it_stops_when_told_with_what_it_has() {
    let table = Rbf::new(300, 3, 4.0);
    let (labels, c) = (table.labels(), vec![1.0; 300]);
    let s =
        table.solve(&c, &Ask::Labels(&labels), SmoLimits { max_iterations: 7, ..LIMITS }, &Threads::one());
    assert!(!s.converged && s.n_iterations == 7 && s.intercept.is_finite());
    assert!(s.coefficients.iter().sum::<f64>().abs() < 1e-12);

    let threads = Threads::one();
    let diagonal = vec![1.0; 300];
    let row_into = |i: u32, others: &[u32], out: &mut [f32]| table.row_into(i, others, out);
    let similarity = Similarity { diagonal: &diagonal, row_into: &row_into };
    for cancelled in [true, false] {
        let time = Duration::from_secs(if cancelled { 1000 } else { 0 });
        let (budget, cancel) = (Budget::time(Clock::start(), time), Cancel::new());
        if cancelled {
            cancel.cancel();
        }
        let ctx = Ctx { threads: &threads, budget: &budget, cancel: &cancel, progress: &Silent };
        let s = Smo { similarity, c: &c, limits: LIMITS, ctx: &ctx }.classify(&labels);
        assert!(!s.converged && s.n_iterations == 0 && s.coefficients == vec![0.0; 300]);
    }
}
