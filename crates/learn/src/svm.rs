//! `svm`: support vector machine with Gaussian similarity (RBF kernel), for classes and for numbers.
//!
//! `f(x) = sum_s c_s exp(-gamma d(x, v_s)) + b` on integer vectors ([`crate::vectors`]); the similarity is read
//! from a table, and training sees the table that is deployed. Several classes: one machine a class against the
//! rest. Probabilities: Platt's sigmoid on decisions of rows that three inner fits had not seen.
//! # Source  Cortes & Vapnik, Machine Learning 20, 1995; Platt, 1999. Deviation: similarities from a table.

use crate::lowering::{matrix, requantize};
use crate::score_link::{finest_grid, link_kind, linked};
use crate::smo::platt::{inner_parts, log_odds};
use crate::smo::{Similarity, Smo, SmoLimits, Solution};
use crate::vectors::{INPUT_BITS, MAX_ROWS, Vectors, drawn_rows, moments_of};
use crate::{Error, Exactness, FitInput, Fitted, Grows, Learner, LearnerEntry, Part, ScoreLink, Takes};
use ir::fixed::{Requantize, math, power_of_two, round_i32, round_i64};
use ir::op::{LinkKind, RbfParts, RbfSums};
use ir::{GraphBuilder, Op, Task, Tensor, TensorData, ValueIdx};
use jobs::{Ctx, Seed};
use params::{Axis, ParamSpec, Params, Range, Scale, Value};
use std::convert::Infallible;
use trees::Target;

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "c",
        aliases: &["C", "cost"],
        default: Value::Real(1.0),
        range: Range::Real { low: 1e-6, high: 1e6 },
        doc: "most that a row's coefficient may be: larger fits closer",
    },
    ParamSpec {
        name: "gamma",
        aliases: &[],
        default: Value::Real(0.0),
        range: Range::Real { low: 0.0, high: 1e6 },
        doc: "how fast similarity falls with the squared distance in standard deviations; 0: 1 / cells of a row",
    },
    ParamSpec {
        name: "epsilon",
        aliases: &[],
        default: Value::Real(0.1),
        range: Range::Real { low: 0.0, high: 1e3 },
        doc: "numbers: errors below it, in standard deviations of the target, cost nothing",
    },
    ParamSpec {
        name: "tolerance",
        aliases: &["tol"],
        default: Value::Real(1e-3),
        range: Range::Real { low: 1e-9, high: 1.0 },
        doc: "how far from the optimum training may stop",
    },
    ParamSpec {
        name: "weight_bits",
        aliases: &[],
        default: Value::Int(8),
        range: Range::Int { low: 4, high: 16 },
        doc: "bits of a support vector's coefficient",
    },
    INPUT_BITS,
    MAX_ROWS,
];

/// What a search changes.
const SPACE: &[Axis] = &[
    Axis { name: "c", scale: Scale::Log(0.01, 1e3) },
    Axis { name: "gamma", scale: Scale::Log(1e-4, 10.0) },
];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "svm",
    doc: "support vector machine with Gaussian similarity",
    tasks: Task::LEARNT,
    specs: &[SPEC],
    space: SPACE,
    takes: Takes::NUMBERS,
    floats_are_free: false,
    starts_from_scores: false,
    grows: Grows::Rows,
    learner: &Svm,
};

struct Svm;

/// Memory for rows of the similarity matrix.
const CACHE_BYTES: usize = 256 << 20;
/// Entries of the table of similarities, up to where they are below half a step.
const TABLE: f64 = 512.0;
/// `-log(2^-17)`.
const LEAST: f64 = 11.783_501_968_8;

/// The rows that are learnt from and how alike they are.
struct Rows<'a> {
    rows: Vec<u32>,
    weights: Vec<f64>,
    /// `[n_rows, width]`.
    integers: Vec<i16>,
    /// Empty unless floats are asked for.
    reals: Vec<f64>,
    width: usize,
    /// Of a squared distance in steps.
    gamma: f64,
    op: RbfSums,
    table: Vec<i32>,
    params: &'a Params,
}

impl<'a> Rows<'a> {
    fn new(
        input: &FitInput<'_>,
        vectors: &Vectors,
        params: &'a Params,
        seed: Seed,
    ) -> Result<Rows<'a>, Error> {
        let width = vectors.width();
        let rows = drawn_rows(input, params, RbfSums::MAX_CELLS / width.max(1), seed)?;
        let gamma = match params.real("gamma") {
            0.0 => 1.0 / width.max(1) as f64,
            gamma => gamma,
        } / (vectors.steps() * vectors.steps());
        let (op, table) = similarities(gamma);
        let reals = if input.exact == Exactness::Floats { vectors.reals(input, &rows) } else { Vec::new() };
        Ok(Rows {
            weights: rows.iter().map(|&r| input.weight(r)).collect(),
            integers: vectors.integers(input, &rows),
            rows,
            reals,
            width,
            gamma,
            op,
            table,
            params,
        })
    }

    fn cell<T>(&self, all: &'a [T], i: u32) -> &'a [T] {
        &all[i as usize * self.width..][..self.width]
    }

    /// Solves for labels or numbers; `kept` says which rows take part.
    fn solve(&self, aim: &Aim<'_>, kept: impl Fn(usize) -> bool, floats: bool, ctx: &Ctx<'_>) -> Solution {
        let c: Vec<f64> = (0..self.rows.len())
            .map(|i| if kept(i) { self.params.real("c") * self.weights[i] } else { 0.0 })
            .collect();
        let integers = |row: u32, others: &[u32], out: &mut [f32]| {
            let a = &self.integers[row as usize * self.width..][..self.width];
            for (&other, out) in others.iter().zip(out) {
                let b = &self.integers[other as usize * self.width..][..self.width];
                *out = self.op.of(a, b, &self.table) as f32 / RbfSums::ONE as f32;
            }
        };
        let reals = |row: u32, others: &[u32], out: &mut [f32]| {
            let a = &self.reals[row as usize * self.width..][..self.width];
            for (&other, out) in others.iter().zip(out) {
                let b = &self.reals[other as usize * self.width..][..self.width];
                *out = self.real(a, b) as f32;
            }
        };
        let ones = vec![1.0; self.rows.len()];
        let row_into: &crate::smo::RowInto<'_> = if floats { &reals } else { &integers };
        let limits = SmoLimits {
            tolerance: self.params.real("tolerance"),
            max_iterations: 10_000_000,
            cache_bytes: CACHE_BYTES,
            shrinking: true,
        };
        let smo = Smo { similarity: Similarity { diagonal: &ones, row_into }, c: &c, limits, ctx };
        match aim {
            Aim::Labels(labels) => smo.classify(labels),
            Aim::Numbers(targets, epsilon) => smo.regress(targets, *epsilon),
        }
    }

    /// Similarity of two real vectors.
    fn real(&self, a: &[f64], b: &[f64]) -> f64 {
        let distance: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
        math::exp(-self.gamma * distance)
    }

    /// The decision of a solution for one of the rows.
    fn decision(&self, solution: &Solution, row: usize, floats: bool) -> f64 {
        let mut sum = solution.intercept;
        for (i, &c) in solution.coefficients.iter().enumerate().filter(|(_, c)| **c != 0.0) {
            let cell = |at: usize| at * self.width..(at + 1) * self.width;
            let similarity = if floats {
                self.real(&self.reals[cell(row)], &self.reals[cell(i)])
            } else {
                let (a, b) = (&self.integers[cell(row)], &self.integers[cell(i)]);
                f64::from(self.op.of(a, b, &self.table)) / f64::from(RbfSums::ONE)
            };
            sum += c * similarity;
        }
        sum
    }

    /// A part of each row for the inner fits of probabilities, by its cells.
    fn inner_parts(&self, seed: Seed) -> Vec<usize> {
        let cells = |row: usize| &self.integers[row * self.width..(row + 1) * self.width];
        inner_parts(self.rows.len(), seed, |row| cells(row).iter().map(|&cell| cell.cast_unsigned().into()))
    }

    /// A machine whose decisions are log odds.
    fn calibrated(&self, labels: &[bool], parts: &[usize], floats: bool, ctx: &Ctx<'_>) -> Solution {
        let aim = Aim::Labels(labels);
        let mut whole = self.solve(&aim, |_| true, floats, ctx);
        let made = log_odds(parts, labels, &self.weights, |held| {
            let inner = self.solve(&aim, |row| parts[row] != held, floats, ctx);
            let decision = |row| if parts[row] == held { self.decision(&inner, row, floats) } else { 0.0 };
            Ok::<_, Infallible>(Some(ctx.threads.map(self.rows.len(), decision)))
        });
        let Ok((scale, offset)) = made;
        whole.coefficients.iter_mut().for_each(|c| *c *= scale);
        whole.intercept = scale * whole.intercept + offset;
        whole
    }
}

/// What a machine answers.
enum Aim<'a> {
    Labels(&'a [bool]),
    /// Numbers, and the error that costs nothing.
    Numbers(&'a [f64], f64),
}

/// The table of `exp(-gamma d)` on squared distances in steps.
fn similarities(gamma: f64) -> (RbfSums, Vec<i32>) {
    let far = LEAST / gamma;
    let mut step = 0u8;
    while far / power_of_two(step.into()) > TABLE && step < 50 {
        step += 1;
    }
    let width = power_of_two(step.into());
    let n = ((far / width) as usize).clamp(1, 2 * TABLE as usize) + 2;
    let entry = |i: usize| round_i32(math::exp(-gamma * width * i as f64) * f64::from(RbfSums::ONE));
    (RbfSums { step }, (0..n).map(entry).collect())
}

/// Support vectors on integers.
struct SvmPart {
    vectors: Vectors,
    op: RbfSums,
    table: Vec<i32>,
    known: Vec<i16>,
    coefficients: Vec<i16>,
    pairs: Vec<Requantize>,
    start: Vec<i32>,
}

impl SvmPart {
    fn parts(&self) -> RbfParts<'_> {
        RbfParts {
            vectors: &self.known,
            coefficients: &self.coefficients,
            table: &self.table,
            pairs: &self.pairs,
            start: &self.start,
        }
    }

    fn scores(&self, input: &FitInput<'_>, ctx: &Ctx<'_>) -> Vec<i32> {
        let (n, width) = (self.start.len(), self.vectors.width());
        let cells = self.vectors.integers(input, &input.rows.others);
        let mut scores = vec![0i32; input.rows.others.len() * n];
        ctx.threads.chunks(&mut scores, 64 * n, |first, scores| {
            let mut acc = vec![0; n];
            let cells = &cells[first / n * width..];
            for (row, out) in cells.chunks_exact(width.max(1)).zip(scores.chunks_exact_mut(n)) {
                self.op.scores_into(row, &self.parts(), &mut acc, out);
            }
        });
        scores
    }
}

impl Part for SvmPart {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, Error> {
        let x = self.vectors.lower(builder, columns)?;
        let n = self.start.len();
        let n_vectors = self.coefficients.len() / n;
        let known = matrix(n_vectors, self.vectors.width(), TensorData::I16(self.known.clone()))?;
        let constants = [
            known,
            matrix(n_vectors, n, TensorData::I16(self.coefficients.clone()))?,
            Tensor::vector(TensorData::I32(self.table.clone())),
            requantize(&self.pairs)?,
            Tensor::vector(TensorData::I32(self.start.clone())),
        ];
        let mut inputs = vec![x];
        for constant in constants {
            inputs.push(builder.constant(constant)?);
        }
        Ok(builder.node(Op::RbfSums(self.op), &inputs)?)
    }
}

/// Rounds machines with a coefficient a row each, one an output.
fn quantize(
    rows: &Rows<'_>,
    vectors: Vectors,
    machines: &[Solution],
    bits: u32,
    kind: LinkKind,
) -> (SvmPart, ScoreLink) {
    let n = machines.len();
    let levels = f64::from((1u32 << (bits - 1)) - 1);
    let largest = |m: &Solution| m.coefficients.iter().fold(0.0f64, |most, c| most.max(c.abs()));
    let steps: Vec<f64> = machines.iter().map(|m| (largest(m) / levels).max(f64::MIN_POSITIVE)).collect();
    let whole: Vec<Vec<i32>> = machines
        .iter()
        .zip(&steps)
        .map(|(m, step)| m.coefficients.iter().map(|c| round_i32(c / step)).collect())
        .collect();
    let kept: Vec<usize> = (0..rows.rows.len()).filter(|&i| whole.iter().any(|w| w[i] != 0)).collect();
    // No score is further from its start than the sum of the coefficients.
    let reach = |m: &Solution| m.coefficients.iter().map(|c| c.abs()).sum::<f64>();
    let furthest = machines.iter().map(reach).fold(0.0, f64::max);
    let linear = kind == LinkKind::Linear;
    let start = machines.iter().fold(0.0f64, |most, m| most.max(m.intercept.abs()));
    let limits =
        if linear { [(furthest, 1e9), (start, power_of_two(50))] } else { [(furthest, 1e9), (start, 1e9)] };
    let grid = finest_grid(&limits, if linear { 1000 } else { 20 });
    let grid = if linear { grid } else { grid.max(0) };
    let factor = power_of_two(grid);
    let smallest = Requantize::of(power_of_two(-31));
    let pairs = steps.iter().filter_map(|s| Requantize::of(s * factor).or(smallest)).collect();
    let (start, offset) = if linear {
        (vec![0; n], round_i64(machines[0].intercept * factor))
    } else {
        (machines.iter().map(|m| round_i32(m.intercept * factor)).collect(), 0)
    };
    let part = SvmPart {
        known: kept.iter().flat_map(|&i| rows.integers[i * rows.width..][..rows.width].to_vec()).collect(),
        coefficients: kept.iter().flat_map(|&i| whole.iter().map(move |w| w[i] as i16)).collect(),
        op: rows.op,
        table: rows.table.clone(),
        vectors,
        pairs,
        start,
    };
    (part, ScoreLink { kind, shift: grid as i16, offset })
}

impl Learner for Svm {
    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error> {
        let vectors = Vectors::fit(&input, params);
        let rows = Rows::new(&input, &vectors, params, seed)?;
        let kind = link_kind(input.target);
        let parts = rows.inner_parts(seed);
        let machines = |floats: bool| -> Vec<Solution> {
            let one = |class: u32, labels: &[u32]| {
                let labels: Vec<bool> = rows.rows.iter().map(|&r| labels[r as usize] == class).collect();
                rows.calibrated(&labels, &parts, floats, ctx)
            };
            match input.target {
                Target::Binary(labels) => vec![one(1, labels)],
                Target::Classes { labels, n_classes } => {
                    (0..n_classes as u32).map(|k| one(k, labels)).collect()
                }
                Target::Values(values) => vec![regression(&rows, values, params, floats, ctx)],
                // Refused before.
                Target::Several(_) => Vec::new(),
            }
        };
        let n = input.target.n_outputs();
        let floats = match input.exact {
            Exactness::Integers => Vec::new(),
            Exactness::Floats => {
                let machines = machines(true);
                let cells = vectors.reals(&input, &input.rows.others);
                let scores = ctx.threads.map(input.rows.others.len(), |i| {
                    let x = rows.cell(&cells, i as u32);
                    let of = |m: &Solution| {
                        let terms = m.coefficients.iter().enumerate().filter(|(_, c)| **c != 0.0);
                        let sum: f64 =
                            terms.map(|(j, c)| c * rows.real(x, rows.cell(&rows.reals, j as u32))).sum();
                        sum + m.intercept
                    };
                    machines.iter().map(of).collect::<Vec<f64>>()
                });
                linked(kind, scores.concat(), n)
            }
        };
        let uses = vectors.uses();
        let bits = u32::try_from(params.int("weight_bits")).unwrap_or(8);
        let (part, link) = quantize(&rows, vectors, &machines(false), bits, kind);
        let other_scores = part.scores(&input, ctx);
        Ok(Fitted {
            uses,
            part: Box::new(part),
            onto: None,
            other_scores,
            other_floats: floats,
            link,
            further: Vec::new(),
            rounds: [0; 2],
        })
    }
}

/// A machine for numbers; the target is brought to mean 0 and deviation 1 meanwhile.
fn regression(rows: &Rows<'_>, values: &[f64], params: &Params, floats: bool, ctx: &Ctx<'_>) -> Solution {
    let of_rows: Vec<f64> = rows.rows.iter().map(|&r| values[r as usize]).collect();
    let (mean, deviation) = moments_of(&of_rows, &rows.weights);
    if !(deviation > 0.0 && deviation.is_finite()) {
        return Solution {
            coefficients: vec![0.0; rows.rows.len()],
            intercept: mean,
            n_iterations: 0,
            converged: true,
        };
    }
    let targets: Vec<f64> = of_rows.iter().map(|v| (v - mean) / deviation).collect();
    let mut solution = rows.solve(&Aim::Numbers(&targets, params.real("epsilon")), |_| true, floats, ctx);
    solution.coefficients.iter_mut().for_each(|c| *c *= deviation);
    solution.intercept = mean + deviation * solution.intercept;
    solution
}
