//! What the solvers must agree on, and what they are compared with.

use super::objective::Objective;
use super::*;
use ir::Bags;
use ir::digest::SplitMix64;
use jobs::{Budget, Cancel, Clock, Silent, Threads};

/// Resources of a test.
struct Desk {
    threads: Threads,
    budget: Budget,
    cancel: Cancel,
}

impl Desk {
    fn new(n_threads: usize) -> Desk {
        let budget = Budget::work(Clock::start(), 1);
        Desk { threads: Threads::try_new(n_threads).unwrap(), budget, cancel: Cancel::new() }
    }

    fn ctx(&self) -> Ctx<'_> {
        Ctx { threads: &self.threads, budget: &self.budget, cancel: &self.cancel, progress: &Silent }
    }
}

fn unit(random: &mut SplitMix64) -> f64 {
    (random.next_word() >> 11) as f64 / 9_007_199_254_740_992.0 * 2.0 - 1.0
}

fn dense(n_rows: usize, cells: Vec<f64>) -> Design {
    let n_dense = cells.len() / n_rows;
    let mut sparse = Bags::new();
    (0..n_rows).for_each(|_| sparse.push([]));
    Design::try_new(n_rows, cells, n_dense, sparse, 0).unwrap()
}

/// Rows with raw and centred dense columns, one-hot and weighted sparse ones, and targets for every loss.
struct Table {
    design: Design,
    numbers: Vec<f64>,
    binary: Vec<f64>,
    classes: Vec<f64>,
    counts: Vec<f64>,
    row_weights: Vec<f64>,
    penalty: Vec<f64>,
}

impl Table {
    fn new(n_rows: usize, n_dense: usize, n_sparse: usize, seed: u64) -> Table {
        let mut random = SplitMix64::new(seed);
        let mut cells = Vec::new();
        let mut sparse = Bags::new();
        let (mut numbers, mut scores) = (Vec::new(), Vec::new());
        for _ in 0..n_rows {
            let u: Vec<f64> = (0..n_dense).map(|_| unit(&mut random)).collect();
            // Column 1 is raw: far from 0 and wide.
            cells.extend(u.iter().enumerate().map(|(j, &x)| if j == 1 { 10.0 * x + 50.0 } else { x }));
            let mut row = Vec::new();
            if n_sparse > 0 {
                let one = random.below(n_sparse as u32);
                row.push((one, 1.0));
                let more = random.below(n_sparse as u32);
                if more > one {
                    row.push((more, unit(&mut random)));
                }
            }
            let f: f64 = u.iter().enumerate().map(|(j, x)| x * (1.5 - 0.5 * j as f64)).sum::<f64>()
                + row.iter().map(|&(id, x)| x * (f64::from(id % 3) - 1.0)).sum::<f64>();
            scores.push(f + 0.7 * unit(&mut random));
            numbers.push(3.0 + f + unit(&mut random));
            sparse.push(row);
        }
        let class = |&f: &f64| if f > 0.7 { 2.0 } else { f64::from(f > -0.7) };
        Table {
            design: Design::try_new(n_rows, cells, n_dense, sparse, n_sparse).unwrap(),
            binary: scores.iter().map(|&f| f64::from(f > 0.0)).collect(),
            classes: scores.iter().map(class).collect(),
            counts: numbers.iter().map(|y: &f64| y.abs().floor()).collect(),
            numbers,
            row_weights: (0..n_rows).map(|i| 0.5 + (i % 4) as f64 / 2.0).collect(),
            penalty: (0..n_dense + n_sparse).map(|j| 0.5 + (j % 3) as f64 / 2.0).collect(),
        }
    }

    fn targets(&self, loss: Loss) -> &[f64] {
        match loss {
            Loss::Squared | Loss::Huber { .. } | Loss::SquaredEpsilonInsensitive { .. } => &self.numbers,
            Loss::Logistic | Loss::SquaredHinge => &self.binary,
            Loss::Softmax { .. } => &self.classes,
            Loss::Poisson => &self.counts,
        }
    }

    fn problem(&self, loss: Loss, l1: f64, l2: f64) -> Problem<'_> {
        Problem {
            design: &self.design,
            targets: self.targets(loss),
            row_weights: Some(&self.row_weights),
            loss,
            l1,
            l2,
            penalty: Some(&self.penalty),
        }
    }
}

const LOSSES: [Loss; 7] = [
    Loss::Squared,
    Loss::Logistic,
    Loss::Softmax { n_classes: 3 },
    Loss::Poisson,
    Loss::Huber { epsilon: 1.35 },
    Loss::SquaredHinge,
    Loss::SquaredEpsilonInsensitive { epsilon: 0.3 },
];
const FULL: Solver = Solver::GradientDescent { batch: None, learning_rate: 0.3, momentum: 0.9 };

fn limits(tolerance: f64, max_iterations: usize) -> Limits {
    Limits { tolerance, max_iterations }
}

fn solved(problem: &Problem<'_>, solver: Solver, limits: Limits) -> Weights {
    solve(problem, solver, limits, Seed(1), &Desk::new(1).ctx()).unwrap()
}

/// Largest difference of weights, relative to the largest weight.
fn distance(a: &Weights, b: &Weights) -> f64 {
    let all = |w: &Weights| w.coefficients.iter().chain(&w.intercepts).copied().collect::<Vec<f64>>();
    let (a, b) = (all(a), all(b));
    let most = a.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    a.iter().zip(&b).fold(0.0f64, |m, (x, y)| m.max((x - y).abs())) / most.max(1e-300)
}

#[track_caller]
fn near(a: &Weights, b: &Weights, bound: f64) {
    assert!(distance(a, b) <= bound, "{:e} > {bound:e}\n{a:?}\n{b:?}", distance(a, b));
}

/// Largest entry of the smallest subgradient, `x: [n_rows, n_columns]` written out, from the formulas alone.
fn violation(problem: &Problem<'_>, w: &Weights, scale: f64) -> f64 {
    let design = problem.design;
    let k = problem.loss.n_outputs();
    let mut gradient = vec![0.0; w.coefficients.len()];
    let mut of_intercepts = vec![0.0; k];
    let (mut scores, mut slopes) = (vec![0.0; k], vec![0.0; k]);
    for row in 0..design.n_rows() {
        design.scores(row, &w.coefficients, &w.intercepts, &mut scores);
        problem.loss.at(problem.targets[row], &scores, scale, &mut slopes);
        slopes.iter_mut().for_each(|s| *s *= problem.row_weight(row));
        design.add_row(row, &slopes, &mut gradient);
        of_intercepts.iter_mut().zip(&slopes).for_each(|(g, s)| *g += s);
    }
    let mut most = of_intercepts.iter().fold(0.0f64, |m, g| m.max(g.abs()));
    for (at, (&g, &w)) in gradient.iter().zip(&w.coefficients).enumerate() {
        let (l1, g) = (problem.l1_of(at / k), g + problem.l2_of(at / k) * w);
        most = most.max(if w == 0.0 { (g.abs() - l1).max(0.0) } else { (g + l1.copysign(w)).abs() });
    }
    most
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let table = Table::new(90, 3, 4, 3);
    let desk = Desk::new(1);
    for loss in LOSSES {
        let problem = table.problem(loss, 0.0, 0.7);
        let ctx = desk.ctx();
        let objective = Objective::new(&problem, &ctx);
        let mut random = SplitMix64::new(9);
        let at: Vec<f64> = objective.start().iter().map(|u| u + 0.3 * unit(&mut random)).collect();
        let here = objective.evaluate(&at);
        for k in 0..at.len() {
            let value = |h: f64| {
                let mut moved = at.clone();
                moved[k] += h;
                objective.evaluate(&moved).value
            };
            let difference = (value(1e-5) - value(-1e-5)) / 2e-5;
            let gradient = here.gradient[k];
            assert!(
                (difference - gradient).abs() <= 2e-6 * (1.0 + gradient.abs()),
                "{loss:?} {k}: {difference} {gradient}"
            );
        }
    }
}

#[test]
fn curvatures_are_those_of_finite_differences() {
    for loss in LOSSES {
        let y = 1.0;
        for output in 0..loss.n_outputs() {
            let scores: Vec<f64> = (0..loss.n_outputs()).map(|k| 0.4 - 0.9 * k as f64).collect();
            let slope = |h: f64| {
                let (mut moved, mut slopes) = (scores.clone(), scores.clone());
                moved[output] += h;
                loss.at(y, &moved, 0.8, &mut slopes);
                slopes[output]
            };
            let difference = (slope(1e-5) - slope(-1e-5)) / 2e-5;
            let curvature = loss.curvature(y, &scores, 0.8, output);
            assert!((difference - curvature).abs() < 1e-8, "{loss:?}: {difference} {curvature}");
        }
    }
}

#[test]
fn ridge_by_hand() {
    // x = 0, 1, 2, 3; y = 1, 3, 2, 6: centred products 7 and 5, so w = 7 / (5 + 2), b = 3 - 1.5 w.
    let design = dense(4, vec![0.0, 1.0, 2.0, 3.0]);
    let targets = [1.0, 3.0, 2.0, 6.0];
    let mut problem = Problem {
        design: &design,
        targets: &targets,
        row_weights: None,
        loss: Loss::Squared,
        l1: 0.0,
        l2: 2.0,
        penalty: None,
    };
    for solver in [Solver::ClosedForm, Solver::CoordinateDescent, Solver::Lbfgs, FULL] {
        let w = solved(&problem, solver, limits(1e-13, 5000));
        assert!(
            (w.coefficients[0] - 1.0).abs() < 1e-7 && (w.intercepts[0] - 1.5).abs() < 1e-7,
            "{solver:?} {w:?}"
        );
    }
    // A penalty factor of 2 is four times l2: w = 7 / 13. With l1 = 1 and no l2: w = (7 - 1) / 5.
    problem.penalty = Some(&[2.0]);
    let w = solved(&problem, Solver::ClosedForm, limits(0.0, 0));
    assert!((w.coefficients[0] - 7.0 / 13.0).abs() < 1e-14);
    let lasso = Problem { l1: 1.0, l2: 0.0, penalty: None, ..problem };
    let w = solved(&lasso, Solver::CoordinateDescent, limits(1e-14, 100));
    assert!((w.coefficients[0] - 1.2).abs() < 1e-14 && w.converged);
    let w = solved(&Problem { l1: 7.5, ..lasso }, Solver::CoordinateDescent, limits(1e-14, 100));
    assert_eq!((w.coefficients[0], w.intercepts[0]), (0.0, 3.0));
}

#[test]
fn every_solver_reaches_the_closed_form() {
    for (n_rows, n_dense, n_sparse) in [(300, 5, 0), (300, 0, 6), (2500, 4, 7)] {
        let table = Table::new(n_rows, n_dense, n_sparse, 5);
        let problem = table.problem(Loss::Squared, 0.0, 3.0);
        let exact = solved(&problem, Solver::ClosedForm, limits(0.0, 0));
        for (solver, limits, bound) in [
            (Solver::CoordinateDescent, limits(1e-16, 2000), 1e-8),
            (Solver::Lbfgs, limits(1e-11, 200), 1e-8),
            (FULL, limits(1e-9, 5000), 1e-6),
        ] {
            let w = solved(&problem, solver, limits);
            assert!(w.converged, "{solver:?} {w:?}");
            near(&exact, &w, bound);
        }
        for (batch, learning_rate, momentum) in [(32, 0.1, 0.0), (32, 0.02, 0.9), (1, 0.01, 0.0)] {
            let solver = Solver::GradientDescent { batch: Some(batch), learning_rate, momentum };
            let w = solved(&problem, solver, limits(1e-8, 400));
            // Raw column 1 lets the intercept show its weight's error 50 times.
            near(&exact, &w, 1e-2);
        }
    }
}

#[test]
fn both_closed_forms_agree() {
    // 69 columns of 40 rows take the form by rows.
    let wide = Table::new(40, 9, 60, 11);
    let problem = wide.problem(Loss::Squared, 0.0, 0.5);
    let by_rows = solved(&problem, Solver::ClosedForm, limits(0.0, 0));
    assert!(violation(&problem, &by_rows, 1.0) < 1e-9);
    near(&by_rows, &solved(&problem, Solver::Lbfgs, limits(1e-12, 500)), 1e-8);
    near(&by_rows, &solved(&problem, Solver::CoordinateDescent, limits(1e-16, 5000)), 1e-7);
    // A column without a penalty asks for the form by columns.
    let mut penalty = wide.penalty.clone();
    penalty[1] = 0.0;
    let free = Problem { penalty: Some(&penalty), ..problem };
    let w = solved(&free, Solver::ClosedForm, limits(0.0, 0));
    assert!(violation(&free, &w, 1.0) < 1e-8, "{}", violation(&free, &w, 1.0));
}

#[test]
fn without_a_penalty_the_closed_form_takes_the_least_weights() {
    // Columns 0 and 2 are equal, column 1 is three times column 0, column 3 constant.
    let x = [0.3, -1.0, 0.8, 2.0, -0.4];
    let design = dense(5, x.iter().flat_map(|&x| [x, 3.0 * x, x, 7.1]).collect());
    let targets = x.map(|x| 6.0 * x + 1.0);
    let problem = Problem {
        design: &design,
        targets: &targets,
        row_weights: None,
        loss: Loss::Squared,
        l1: 0.0,
        l2: 0.0,
        penalty: None,
    };
    // Equal parts of standardised columns: 6 = 2 + 3 (2 / 3) + 2.
    let expected = Weights {
        coefficients: vec![2.0, 2.0 / 3.0, 2.0, 0.0],
        intercepts: vec![1.0],
        n_iterations: 0,
        converged: true,
    };
    near(&expected, &solved(&problem, Solver::ClosedForm, limits(0.0, 0)), 1e-12);
    near(&expected, &solved(&problem, Solver::Lbfgs, limits(1e-13, 100)), 1e-9);
    // More columns than rows: the rows are met exactly, again with the least weights.
    let wide = Table::new(8, 12, 0, 2);
    let problem = Problem { penalty: None, ..wide.problem(Loss::Squared, 0.0, 0.0) };
    let w = solved(&problem, Solver::ClosedForm, limits(0.0, 0));
    let mut score = [0.0];
    for (row, y) in wide.numbers.iter().enumerate() {
        wide.design.scores(row, &w.coefficients, &w.intercepts, &mut score);
        assert!((score[0] - y).abs() < 1e-9, "{} {y}", score[0]);
    }
    near(&w, &solved(&problem, Solver::Lbfgs, limits(1e-13, 1000)), 1e-7);
}

#[test]
fn lasso_satisfies_its_conditions() {
    for (n_rows, n_dense, n_sparse) in [(200, 8, 0), (200, 4, 9), (30, 20, 40)] {
        let table = Table::new(n_rows, n_dense, n_sparse, 17);
        for (l1, l2) in [(30.0, 0.0), (1.0, 2.0), (0.0, 2.0), (400.0, 0.0)] {
            let problem = table.problem(Loss::Squared, l1, l2);
            let w = solved(&problem, Solver::CoordinateDescent, limits(1e-14, 20_000));
            assert!(w.converged);
            assert!(violation(&problem, &w, 1.0) < 1e-4, "{l1} {l2}: {:e}", violation(&problem, &w, 1.0));
            let zeros = w.coefficients.iter().filter(|&&w| w == 0.0).count();
            assert!(l1 < 30.0 || zeros > 0, "{w:?}");
        }
    }
}

#[test]
fn the_gap_bounds_the_distance_to_the_minimum() {
    let table = Table::new(200, 8, 6, 21);
    let desk = Desk::new(1);
    let problem = table.problem(Loss::Squared, 2.0, 0.0);
    let value = |w: &Weights| {
        let ctx = desk.ctx();
        let objective = Objective::new(&problem, &ctx);
        let mut at: Vec<f64> =
            w.coefficients.iter().enumerate().map(|(j, w)| w / objective.coordinates.factor(j)).collect();
        let moved = |(j, w): (usize, &f64)| w * objective.coordinates.means()[j];
        at.push(w.intercepts[0] + w.coefficients.iter().enumerate().map(moved).sum::<f64>());
        objective.evaluate(&at).value + objective.l1(&at)
    };
    let constant = value(&solved(&problem, Solver::CoordinateDescent, limits(1e-3, 0)));
    let best = value(&solved(&problem, Solver::CoordinateDescent, limits(1e-15, 5000)));
    for tolerance in [1e-2, 1e-4, 1e-6] {
        let w = solved(&problem, Solver::CoordinateDescent, limits(tolerance, 5000));
        assert!(w.converged && value(&w) - best <= tolerance * constant, "{tolerance}");
    }
}

#[test]
fn every_loss_has_one_minimum_for_all_solvers() {
    let table = Table::new(1500, 4, 5, 23);
    let desk = Desk::new(1);
    for loss in LOSSES {
        let problem = table.problem(loss, 0.0, 4.0);
        let ctx = desk.ctx();
        let objective = Objective::new(&problem, &ctx);
        let lbfgs = solved(&problem, Solver::Lbfgs, limits(1e-12, 500));
        assert!(lbfgs.converged, "{loss:?} {lbfgs:?}");
        let scale = match loss {
            Loss::Huber { epsilon } => {
                let mut score = [0.0];
                let error = |row| {
                    table.design.scores(row, &lbfgs.coefficients, &lbfgs.intercepts, &mut score);
                    ((score[0] - table.numbers[row]).abs(), table.row_weights[row])
                };
                loss::huber_scale((0..1500).map(error).collect(), epsilon, 0.0)
            }
            _ => 1.0,
        };
        // Raw columns are up to 60, the row weights sum to 1875.
        let allowed = objective.threshold(1e-10) * 60.0 * 1875.0;
        assert!(violation(&problem, &lbfgs, scale) <= allowed, "{loss:?}");
        let tolerance = if loss == Loss::Squared { 1e-16 } else { 1e-11 };
        let newton = solved(&problem, Solver::CoordinateDescent, limits(tolerance, 500));
        assert!(newton.converged, "{loss:?} {newton:?}");
        near(&lbfgs, &newton, 1e-7);
        let full = Solver::GradientDescent { batch: None, learning_rate: 0.1, momentum: 0.9 };
        let full = solved(&problem, full, limits(1e-8, 5000));
        assert!(full.converged, "{loss:?} {full:?}");
        near(&lbfgs, &full, 1e-5);
        let batches = Solver::GradientDescent { batch: Some(16), learning_rate: 0.03, momentum: 0.0 };
        let w = solved(&problem, batches, limits(1e-8, 400));
        near(&lbfgs, &w, 2e-2);
    }
}

#[test]
fn an_absolute_penalty_goes_with_every_loss() {
    let table = Table::new(600, 5, 5, 29);
    for loss in LOSSES {
        let problem = table.problem(loss, 60.0, 1.0);
        let tolerance = if loss == Loss::Squared { 1e-15 } else { 1e-9 };
        let w = solved(&problem, Solver::CoordinateDescent, limits(tolerance, 1000));
        assert!(w.converged, "{loss:?} {w:?}");
        assert!(w.coefficients.contains(&0.0), "{loss:?} {w:?}");
        let full = Solver::GradientDescent { batch: None, learning_rate: 0.1, momentum: 0.9 };
        let full = solved(&problem, full, limits(1e-8, 10_000));
        assert!(full.converged, "{loss:?} {full:?}");
        near(&w, &full, 1e-5);
        let zeros = |w: &Weights| w.coefficients.iter().map(|&w| w == 0.0).collect::<Vec<_>>();
        assert_eq!(zeros(&w), zeros(&full), "{loss:?}");
    }
}

/// The table of the numbers that scikit-learn 1.9.1 gave for the same rows.
fn reference() -> (Design, Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut random = SplitMix64::new(7);
    let mut cells: Vec<f64> = (0..240).map(|_| unit(&mut random)).collect();
    let noise: Vec<f64> = (0..60).map(|_| unit(&mut random)).collect();
    let f = cells.chunks(4).map(|u| 1.5 * u[0] - 2.0 * u[1] + 0.5 * u[2] * u[3]).collect();
    cells.chunks_mut(4).for_each(|x| x[1] = 10.0 * x[1] + 50.0);
    (dense(60, cells), f, noise, (0..60).map(|i| f64::from(1 + i % 3)).collect())
}

/// Loss, targets, l1, l2, coefficients, intercepts, bound of the distance.
type Case<'a> = (Loss, &'a [f64], f64, f64, &'a [f64], &'a [f64], f64);

#[test]
fn scikit_learn_gives_the_same_weights() {
    let (design, f, noise, row_weights) = reference();
    let numbers: Vec<f64> = f.iter().zip(&noise).map(|(f, e)| 3.0 + f + e).collect();
    let binary: Vec<f64> = f.iter().zip(&noise).map(|(f, e)| f64::from(f + e > 0.0)).collect();
    let class = |f: f64| if f > 0.7 { 2.0 } else { f64::from(f > -0.7) };
    let classes: Vec<f64> = f.iter().zip(&noise).map(|(f, e)| class(f + e)).collect();
    let counts: Vec<f64> = numbers.iter().map(|y| y.abs().floor()).collect();
    let wild: Vec<f64> =
        numbers.iter().enumerate().map(|(i, y)| if i % 7 == 0 { y + 20.0 } else { *y }).collect();
    // ElasticNet, PoissonRegressor: penalties per unit of row weight, of which there are 120.
    // LogisticRegression: 1 / C. HuberRegressor: twice alpha; it stops early, so digits are few.
    let cases: [Case<'_>; 6] = [
        (
            Loss::Squared,
            &numbers,
            0.0,
            2.0,
            &[1.4582465883032354, -0.19029154191410427, 0.11406289451016362, 0.023692308736576958],
            &[12.469477806885],
            1e-10,
        ),
        (
            Loss::Squared,
            &numbers,
            120.0 * 0.07,
            120.0 * 0.03,
            &[1.2184484381559992, -0.18464431845829912, 0.0, 0.0],
            &[12.205550635793],
            1e-7,
        ),
        (
            Loss::Logistic,
            &binary,
            0.0,
            2.0,
            &[2.215380922077599, -0.3826366067347995, 0.32836705768909835, 0.42726834637553096],
            &[19.125541189885],
            1e-9,
        ),
        (
            Loss::Softmax { n_classes: 3 },
            &classes,
            0.0,
            2.0,
            &[
                -2.0207972682721635,
                -0.3602978592057854,
                2.381095127477949,
                0.314691210336736,
                0.054903294635184174,
                -0.3695945049718498,
                -0.1822251158311643,
                -0.17443198894491418,
                0.3566571047760788,
                0.12923922904884277,
                -0.09739234144048946,
                -0.03184688760835293,
            ],
            &[-16.002355419097, -2.130549524062, 18.132904943159],
            1e-8,
        ),
        (
            Loss::Poisson,
            &counts,
            0.0,
            12.0,
            &[0.4912862190669881, -0.07459341470657863, 0.08904040490082375, 0.02450840352801615],
            &[4.524611829692],
            1e-9,
        ),
        (
            Loss::Huber { epsilon: 1.35 },
            &wild,
            0.0,
            1.0,
            &[1.6634017931897709, -0.2021526813431309, 0.3166792898494978, 0.03812676376922159],
            &[3.087827991263 + 50.0 * 0.2021526813431309],
            1e-4,
        ),
    ];
    for (loss, targets, l1, l2, coefficients, intercepts, bound) in cases {
        let problem = Problem {
            design: &design,
            targets,
            row_weights: Some(&row_weights),
            loss,
            l1,
            l2,
            penalty: None,
        };
        let expected = Weights {
            coefficients: coefficients.to_vec(),
            intercepts: intercepts.to_vec(),
            n_iterations: 0,
            converged: true,
        };
        for solver in [Solver::Lbfgs, Solver::CoordinateDescent] {
            if l1 == 0.0 || solver == Solver::CoordinateDescent {
                let tolerance = if loss == Loss::Squared { 1e-15 } else { 1e-12 };
                near(&expected, &solved(&problem, solver, limits(tolerance, 2000)), bound);
            }
        }
    }
}

#[test]
fn weight_two_is_the_row_twice() {
    let table = Table::new(120, 3, 4, 31);
    let twice: Vec<usize> = (0..120).flat_map(|row| std::iter::repeat_n(row, 1 + row % 2)).collect();
    let mut sparse = Bags::new();
    twice.iter().for_each(|&row| sparse.push(table.design.sparse_row(row).map(|(id, x)| (id as u32, x))));
    let cells = twice.iter().flat_map(|&row| table.design.dense_row(row).to_vec()).collect();
    let longer = Design::try_new(twice.len(), cells, 3, sparse, 4).unwrap();
    let weights: Vec<f64> = (0..120).map(|row| 1.0 + f64::from(row % 2)).collect();
    for loss in LOSSES {
        let problem = Problem { row_weights: Some(&weights), ..table.problem(loss, 0.0, 1.0) };
        let targets: Vec<f64> = twice.iter().map(|&row| table.targets(loss)[row]).collect();
        let other = Problem { design: &longer, targets: &targets, row_weights: None, ..problem };
        for solver in [Solver::ClosedForm, Solver::Lbfgs, Solver::CoordinateDescent, FULL] {
            if solver != Solver::ClosedForm || loss == Loss::Squared {
                let limits = limits(1e-10, 5000);
                near(&solved(&problem, solver, limits), &solved(&other, solver, limits), 2e-5);
            }
        }
        // A row of weight 0 is no row.
        let mut some = weights.clone();
        some[..20].fill(0.0);
        let without = Problem { row_weights: Some(&some), ..problem };
        assert!(solved(&without, Solver::Lbfgs, limits(1e-8, 500)).converged);
    }
}

#[test]
fn threads_change_nothing() {
    let table = Table::new(3000, 5, 600, 37);
    for loss in LOSSES {
        for (solver, l1) in [
            (Solver::ClosedForm, 0.0),
            (Solver::Lbfgs, 0.0),
            (Solver::CoordinateDescent, 1.0),
            (FULL, 1.0),
            (Solver::GradientDescent { batch: Some(64), learning_rate: 0.05, momentum: 0.5 }, 1.0),
        ] {
            if solver == Solver::ClosedForm && loss != Loss::Squared {
                continue;
            }
            let fit = |n| {
                let problem = table.problem(loss, l1, 1.0);
                let w = solve(&problem, solver, limits(1e-6, 4), Seed(3), &Desk::new(n).ctx()).unwrap();
                w.coefficients.iter().chain(&w.intercepts).map(|w| w.to_bits()).collect::<Vec<_>>()
            };
            let one = fit(1);
            assert!(one == fit(2) && one == fit(3), "{loss:?} {solver:?}");
        }
    }
}

#[test]
fn a_seed_is_an_order_of_rows() {
    let table = Table::new(200, 3, 0, 41);
    let problem = table.problem(Loss::Logistic, 0.0, 1.0);
    let solver = Solver::GradientDescent { batch: Some(1), learning_rate: 0.05, momentum: 0.0 };
    let fit = |seed| solve(&problem, solver, limits(1e-6, 3), Seed(seed), &Desk::new(1).ctx()).unwrap();
    assert_eq!(fit(1), fit(1));
    assert_ne!(fit(1), fit(2));
}

#[test]
fn degenerate_tables() {
    let all = [Solver::Lbfgs, Solver::CoordinateDescent, FULL];
    for loss in LOSSES {
        for solver in all {
            let fit = |design: &Design, targets: &[f64], l2: f64| {
                let problem =
                    Problem { design, targets, row_weights: None, loss, l1: 0.0, l2, penalty: None };
                let w = solved(&problem, solver, limits(1e-7, 3000));
                assert!(
                    w.coefficients.iter().chain(&w.intercepts).all(|w| w.is_finite()),
                    "{loss:?} {solver:?} {w:?}"
                );
                w
            };
            // One row, one class, counts of 0 only.
            for l2 in [0.0, 1.0] {
                let w = fit(&dense(1, vec![5.0, -3.0]), &[1.0], l2);
                assert!(w.converged && w.coefficients.iter().all(|&w| w == 0.0), "{loss:?} {solver:?} {w:?}");
                let many = dense(9, (0..9).map(f64::from).collect());
                for target in [0.0, 1.0] {
                    let w = fit(&many, &[target; 9], l2);
                    assert!(w.converged && w.coefficients[0].abs() < 1e-6, "{loss:?} {solver:?} {w:?}");
                }
            }
            // A constant column weighs nothing; no columns give the intercept.
            let targets = [0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0];
            let w = fit(&dense(7, vec![0.1; 7]), &targets, 0.0);
            assert_eq!(w.coefficients[0], 0.0, "{loss:?} {solver:?}");
            let alone = fit(&dense(7, Vec::new()), &targets, 0.0);
            // Most targets are equal, so Huber's scale is at its least and the minimum is nearly a kink.
            let kink = matches!(loss, Loss::Huber { .. }) && solver == FULL;
            assert!(alone.converged || kink, "{loss:?} {solver:?} {alone:?}");
            let expected = match loss {
                Loss::Squared => Some(5.0 / 7.0),
                Loss::Logistic => Some((5.0f64 / 2.0).ln()),
                Loss::Poisson => Some((5.0f64 / 7.0).ln()),
                Loss::SquaredHinge => Some(3.0 / 7.0),
                _ => None,
            };
            if let Some(b) = expected {
                assert!((alone.intercepts[0] - b).abs() < 1e-6, "{loss:?} {solver:?} {alone:?}");
            }
            // Columns that depend on each other, nothing penalised, and more columns than rows.
            let x = [0.1, -0.9, 0.4, 0.8, -0.3, 0.2, -0.7];
            fit(&dense(7, x.iter().flat_map(|&x| [x, x, 2.0 * x, 1.0]).collect()), &targets, 0.0);
            let wide = Table::new(12, 30, 5, 43);
            let problem = wide.problem(loss, 0.0, 20.0);
            let w = solved(&problem, solver, limits(1e-7, 10_000));
            assert!(w.converged, "{loss:?} {solver:?} {w:?}");
        }
    }
}

#[test]
fn a_perfect_fit_has_a_huber_scale() {
    let design = dense(50, (0..50).map(f64::from).collect());
    let targets: Vec<f64> = (0..50).map(|i| 2.0 * f64::from(i) - 7.0).collect();
    let loss = Loss::Huber { epsilon: 1.35 };
    let problem = Problem {
        design: &design,
        targets: &targets,
        row_weights: None,
        loss,
        l1: 0.0,
        l2: 0.0,
        penalty: None,
    };
    for solver in [Solver::Lbfgs, Solver::CoordinateDescent] {
        let w = solved(&problem, solver, limits(1e-6, 1000));
        assert!(
            (w.coefficients[0] - 2.0).abs() < 1e-4 && (w.intercepts[0] + 7.0).abs() < 1e-2,
            "{solver:?} {w:?}"
        );
    }
}

#[test]
fn huber_scale_by_hand() {
    // Errors 1, 1, 10, epsilon 2: with 10 outside nothing would be left, 3 - 4 < 0, so all are inside.
    assert_eq!(
        loss::huber_scale(vec![(1.0, 1.0), (1.0, 1.0), (10.0, 1.0)], 2.0, 0.1),
        (102.0f64 / 3.0).sqrt()
    );
    // One of eight outside: s^2 = 7 / (8 - 4) = 1.75, and the border 2.65 leaves 10 outside.
    let mut errors = vec![(1.0, 1.0); 7];
    errors.push((10.0, 1.0));
    assert_eq!(loss::huber_scale(errors, 2.0, 0.1), 1.75f64.sqrt());
    assert_eq!(loss::huber_scale(vec![(0.0, 1.0); 4], 1.5, 0.1), 0.1);
}

#[test]
fn a_cancelled_or_short_search_gives_what_it_has() {
    let table = Table::new(300, 4, 3, 47);
    let desk = Desk::new(1);
    desk.cancel.cancel();
    for loss in LOSSES {
        let problem = table.problem(loss, 0.0, 1.0);
        let batches = Solver::GradientDescent { batch: Some(8), learning_rate: 0.1, momentum: 0.0 };
        for solver in [Solver::Lbfgs, Solver::CoordinateDescent, FULL, batches] {
            let w = solve(&problem, solver, limits(1e-9, 50), Seed(1), &desk.ctx()).unwrap();
            assert!(!w.converged && w.n_iterations == 0, "{loss:?} {solver:?}");
            assert_eq!(solved(&problem, solver, limits(0.0, 2)).n_iterations, 2, "{loss:?} {solver:?}");
        }
    }
}

#[test]
fn a_learning_rate_that_diverges_is_halved() {
    let table = Table::new(300, 5, 0, 53);
    let problem = table.problem(Loss::Squared, 0.0, 3.0);
    let exact = solved(&problem, Solver::ClosedForm, limits(0.0, 0));
    for batch in [None, Some(10)] {
        let solver = Solver::GradientDescent { batch, learning_rate: 1e4, momentum: 0.0 };
        near(&exact, &solved(&problem, solver, limits(1e-9, 400)), 2e-2);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let table = Table::new(20, 2, 3, 59);
    let refused = |problem: &Problem<'_>, solver: Solver| {
        solve(problem, solver, limits(1e-6, 5), Seed(1), &Desk::new(1).ctx()).unwrap_err().to_string()
    };
    let squared = table.problem(Loss::Squared, 0.0, 1.0);
    let logistic = table.problem(Loss::Logistic, 0.0, 1.0);
    let rate = |learning_rate| Solver::GradientDescent { batch: None, learning_rate, momentum: 0.0 };
    for (got, expected) in [
        (
            refused(&logistic, Solver::ClosedForm),
            "linear model: closed form does not solve logistic loss with l1 = 0; use lbfgs or coordinate descent",
        ),
        (
            refused(&Problem { l1: 2.0, ..squared }, Solver::Lbfgs),
            "linear model: lbfgs does not solve squared loss with l1 = 2; use coordinate descent",
        ),
        (
            refused(&Problem { l1: 2.0, ..squared }, Solver::ClosedForm),
            "linear model: closed form does not solve squared loss with l1 = 2; use coordinate descent",
        ),
        (refused(&squared, rate(0.0)), "linear model: learning rate must be above 0, got 0"),
        (
            refused(&Problem { targets: &[1.0], ..squared }, Solver::Lbfgs),
            "linear model: targets: expected 20, got 1",
        ),
        (
            refused(&Problem { targets: &[0.5; 20], ..logistic }, Solver::Lbfgs),
            "linear model: target of row 0: logistic loss expects 0 or 1, got 0.5",
        ),
        (
            refused(&Problem { row_weights: Some(&[0.0; 20]), ..squared }, Solver::Lbfgs),
            "linear model: 20 rows of total weight 0; at least one row must weigh something",
        ),
        (
            refused(&Problem { l2: -1.0, ..squared }, Solver::Lbfgs),
            "linear model: l2 must be finite and at least 0, got -1",
        ),
        (
            refused(&Problem { loss: Loss::Huber { epsilon: 0.5 }, ..squared }, Solver::Lbfgs),
            "linear model: epsilon must be finite and at least 1, got 0.5",
        ),
    ] {
        assert_eq!(got, expected);
    }
    let mut bags = Bags::new();
    bags.push([(2, 1.0), (1, 1.0)]);
    assert_eq!(Design::try_new(1, Vec::new(), 0, bags, 3).unwrap_err(), Unfit::Ids { n_sparse: 3 });
    let mut bags = Bags::new();
    bags.push([]);
    let nan = Design::try_new(1, vec![f64::NAN], 1, bags.clone(), 0).unwrap_err();
    assert_eq!(nan, Unfit::NotFinite { what: "columns" });
    assert!(matches!(
        Design::try_new(1, vec![1.0, 2.0], 1, bags, 0),
        Err(Unfit::Shape { expected: 1, got: 2, .. })
    ));
}

#[test]
fn the_common_part_is_where_the_penalty_is_least() {
    let mut random = SplitMix64::new(61);
    for case in 0..200 {
        let weights: Vec<f64> = (0..2 + case % 4).map(|_| 2.0 * unit(&mut random)).collect();
        let (l1, l2) = [(1.0, 0.0), (0.0, 1.0), (1.0, 0.7), (0.1, 1.0)][case % 4];
        let penalty =
            |a: f64| weights.iter().map(|w| l1 * (w - a).abs() + 0.5 * l2 * (w - a) * (w - a)).sum::<f64>();
        let least = penalty(proximal_newton::common_part(&weights, l1, l2));
        assert!(
            (-300..=300).all(|a| least <= penalty(f64::from(a) / 100.0) + 1e-12),
            "{weights:?} {l1} {l2}"
        );
    }
    assert_eq!(proximal_newton::common_part(&[3.0, 4.0], 0.0, 0.0), 0.0);
}
