//! `knn`: the votes of the nearest training rows.
//!
//! Distances are those of integer vectors ([`crate::vectors`]), so that ties and neighbours are the same
//! everywhere. A row of weight `w` stands `w` times, rounded, at least once.
//! # Source  Fix and Hodges, 1951; Cover and Hart, IEEE Trans. Information Theory 13, 1967.

use crate::lowering::matrix;
use crate::score_link::{finest_grid, link_kind};
use crate::vectors::{INPUT_BITS, MAX_ROWS, Vectors, drawn_rows};
use crate::{Error, Exactness, FitInput, Fitted, Grows, Learner, LearnerEntry, Part, ScoreLink, Takes};
use ir::fixed::{power_of_two, round_i64};
use ir::op::{LinkKind, NearestRows};
use ir::{GraphBuilder, Op, Task, TensorData, ValueIdx};
use jobs::{Ctx, Seed};
use params::{Axis, ParamSpec, Params, Range, Scale, Value};
use trees::Target;

const SPEC: &[ParamSpec] = &[
    ParamSpec {
        name: "k",
        aliases: &["n_neighbors", "n_neighbours"],
        default: Value::Int(5),
        range: Range::Int { low: 1, high: 1000 },
        doc: "rows that vote",
    },
    ParamSpec {
        name: "weights",
        aliases: &[],
        default: Value::Word("uniform"),
        range: Range::Words(&["uniform", "distance"]),
        doc: "whether near rows count more",
    },
    INPUT_BITS,
    MAX_ROWS,
];

/// What a search changes.
const SPACE: &[Axis] = &[
    Axis { name: "k", scale: Scale::Int(1, 100) },
    Axis { name: "weights", scale: Scale::Words(&["uniform", "distance"]) },
];

/// The line of the table.
pub(crate) static ENTRY: LearnerEntry = LearnerEntry {
    name: "knn",
    doc: "k nearest neighbours",
    tasks: Task::LEARNT,
    specs: &[SPEC],
    space: SPACE,
    takes: Takes::NUMBERS,
    floats_are_free: true,
    starts_from_scores: false,
    grows: Grows::Rows,
    learner: &Knn,
};

struct Knn;

/// A row stands at most so often.
const MOST_COPIES: f64 = 100.0;
/// Votes of a row for its class; a power of two, so that shares of few rows are exact.
const VOTE: i32 = 1 << 12;
/// Numbers are votes of at most this size.
const MOST_VOTE: f64 = 1_048_575.0;

/// The training rows that are kept, with copies for their weights.
fn kept_rows(input: &FitInput<'_>, params: &Params, width: usize, seed: Seed) -> Result<Vec<u32>, Error> {
    let most = NearestRows::MAX_CELLS / width.max(1);
    let rows = drawn_rows(input, params, most, seed)?;
    if input.row_weights.is_none() {
        return Ok(rows);
    }
    let least = rows.iter().map(|&r| input.weight(r)).fold(f64::INFINITY, f64::min);
    let copies = |row: u32| (input.weight(row) / least).round().clamp(1.0, MOST_COPIES) as usize;
    let mut repeated: Vec<u32> = rows.iter().flat_map(|&row| vec![row; copies(row)]).collect();
    repeated.truncate(most.max(1));
    Ok(repeated)
}

struct KnnPart {
    vectors: Vectors,
    known: Vec<i16>,
    votes: Vec<i32>,
    n_outputs: usize,
    op: NearestRows,
}

impl Part for KnnPart {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, Error> {
        let x = self.vectors.lower(builder, columns)?;
        let n = self.votes.len() / self.n_outputs;
        let known = matrix(n, self.vectors.width(), TensorData::I16(self.known.clone()))?;
        let known = builder.constant(known)?;
        let votes = builder.constant(matrix(n, self.n_outputs, TensorData::I32(self.votes.clone()))?)?;
        Ok(builder.node(Op::NearestRows(self.op), &[x, known, votes])?)
    }
}

impl Learner for Knn {
    fn fit(&self, input: FitInput<'_>, params: &Params, seed: Seed, ctx: &Ctx<'_>) -> Result<Fitted, Error> {
        let vectors = Vectors::fit(&input, params);
        let width = vectors.width();
        let rows = kept_rows(&input, params, width, seed)?;
        let k = u32::try_from(params.int("k")).unwrap_or(1);
        let op = NearestRows { k, by_distance: params.word("weights") == "distance" };
        let n_voters = (k as usize).min(rows.len());
        let n = input.target.n_outputs();
        let known = vectors.integers(&input, &rows);
        let (votes, link) = votes(input.target, &rows, n_voters);

        let others = &input.rows.others;
        let cells = vectors.integers(&input, others);
        let mut other_scores = vec![0i32; others.len() * n];
        ctx.threads.chunks(&mut other_scores, 64 * n, |first, scores| {
            let mut near = Vec::new();
            let cells = &cells[first / n * width..];
            for (row, out) in cells.chunks_exact(width.max(1)).zip(scores.chunks_exact_mut(n)) {
                op.scores_into(row, &known, &votes, &mut near, out);
            }
        });
        let floats = match input.exact {
            Exactness::Integers => Vec::new(),
            Exactness::Floats => {
                let known = vectors.reals(&input, &rows);
                let cells = vectors.reals(&input, others);
                let n_classes = if n == 1 && link.kind == LinkKind::Share { 2 } else { n };
                let mut out = vec![0.0; others.len() * n_classes];
                ctx.threads.chunks(&mut out, 64 * n_classes, |first, out| {
                    let cells = &cells[first / n_classes * width..];
                    for (row, out) in cells.chunks_exact(width.max(1)).zip(out.chunks_exact_mut(n_classes)) {
                        real_votes(row, &known, &rows, input.target, op, out);
                    }
                });
                out
            }
        };
        Ok(Fitted {
            uses: vectors.uses(),
            part: Box::new(KnnPart { vectors, known, votes, n_outputs: n, op }),
            other_scores,
            other_floats: floats,
            onto: None,
            link,
            further: Vec::new(),
            rounds: [0; 2],
        })
    }
}

/// Votes `[n_rows, n_outputs]` of the kept rows, and what the sum of `n_voters` of them means.
fn votes(target: Target<'_>, rows: &[u32], n_voters: usize) -> (Vec<i32>, ScoreLink) {
    match target {
        Target::Binary(labels) => {
            let vote = |&row: &u32| if labels[row as usize] == 1 { VOTE } else { -VOTE };
            let offset = i64::from(VOTE) * n_voters as i64;
            (rows.iter().map(vote).collect(), ScoreLink { kind: LinkKind::Share, shift: 0, offset })
        }
        Target::Classes { labels, n_classes } => {
            let mut votes = vec![0; rows.len() * n_classes];
            for (&row, votes) in rows.iter().zip(votes.chunks_exact_mut(n_classes)) {
                votes[labels[row as usize] as usize] = VOTE;
            }
            let offset = i64::from(VOTE) * n_voters as i64;
            (votes, ScoreLink { kind: LinkKind::Share, shift: 0, offset })
        }
        Target::Values(values) => {
            let mean = rows.iter().map(|&r| values[r as usize] / rows.len() as f64).sum::<f64>();
            // The middle of the kept rows, so that a constant target is met exactly.
            let (low, high) = rows
                .iter()
                .map(|&r| values[r as usize])
                .fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
            let base = mean.clamp(low, high);
            let away = |r: &u32| (values[*r as usize] - base) / n_voters as f64;
            let largest = rows.iter().map(away).fold(0.0f64, |m, v| m.max(v.abs()));
            let most = MOST_VOTE.min(f64::from(i32::MAX / 1000));
            let grid = finest_grid(&[(largest, most), (base.abs(), power_of_two(50))], 1000);
            let factor = power_of_two(grid);
            let votes = rows.iter().map(|r| round_i64(away(r) * factor) as i32).collect();
            let offset = round_i64(base * factor);
            (votes, ScoreLink { kind: link_kind(target), shift: grid as i16, offset })
        }
        // Refused before.
        Target::Several(_) => (Vec::new(), ScoreLink { kind: link_kind(target), shift: 0, offset: 0 }),
    }
}

/// What the nearest rows say in real numbers: shares of classes, or the mean.
fn real_votes(
    row: &[f64],
    known: &[f64],
    rows: &[u32],
    target: Target<'_>,
    op: NearestRows,
    out: &mut [f64],
) {
    let distance = |r: &[f64]| row.iter().zip(r).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    let mut near: Vec<(f64, usize)> = known.chunks_exact(row.len().max(1)).map(distance).zip(0..).collect();
    let k = op.k as usize;
    let order = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if near.len() > k {
        near.select_nth_unstable_by(k - 1, order);
        near.truncate(k);
    }
    let at_zero = near.iter().any(|(d, _)| *d == 0.0);
    let weight = |d: f64| match op.by_distance {
        false => 1.0,
        true if at_zero => f64::from(u8::from(d == 0.0)),
        true => 1.0 / d.sqrt(),
    };
    let total: f64 = near.iter().map(|&(d, _)| weight(d)).sum();
    out.fill(0.0);
    for &(d, at) in &near {
        let share = weight(d) / total;
        let row = rows[at] as usize;
        match target {
            Target::Binary(labels) | Target::Classes { labels, .. } => out[labels[row] as usize] += share,
            Target::Values(values) => out[0] += share * values[row],
            // Refused before.
            Target::Several(_) => {}
        }
    }
    if !matches!(target, Target::Values(_)) {
        // Shares that round up may sum to more than all.
        out.iter_mut().for_each(|p| *p = p.min(1.0));
    }
}
