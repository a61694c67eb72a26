//! The contract of the Generator family: new rows, whose cells are those of training rows, for a teacher to label.
//!
//! The life of a call: (1) inside a fold, `make` sees the training rows of that fold alone, in codes, and what a teacher
//! says of them; (2) it names, for each made row and each group of columns, the training row whose cells are taken;
//! (3) whoever called takes these cells, of any kind, as they are in the table, and lets a teacher label the rows.
//! A row that is scored is never looked at, and no cell is made that no row has.
//!
//! Columns of one group are taken together, since something that hangs on all of them is learnt from. A member is one
//! file and one line in [`GENERATORS`]; `laws.rs` runs on every member.

mod leaf_gibbs;
mod near_swaps;

#[cfg(test)]
mod laws;

use crate::coded::Coded;
use crate::error::{Error, Kind};
use crate::starts::evenly;
use jobs::{Seed, Threads};
use params::{ParamSpec, Params, Range, Value};
use trees::{CodeMatrix, Encoder};

/// Every generator, in ascending cost.
pub static GENERATORS: &[&GeneratorEntry] = &[&near_swaps::ENTRY, &leaf_gibbs::ENTRY];

/// Made rows, at most.
const MOST_MADE: usize = 1_000_000;
/// Numbers of rows that made rows are told by, at most: one for each row and group.
const MOST_TOLD: usize = 1 << 25;
/// Training rows from which made rows may weigh as much as they are.
const MANY_ROWS: usize = 10_000;
/// What made rows weigh together at most where there are fewer, as a multiple of what the training rows weigh.
const MOST_WEIGHT: f64 = 2.0;
/// Rows that a thread makes in one go.
const CHUNK: usize = 1024;

/// The generator of a name.
///
/// # Errors
/// `UnknownGenerator` lists the known ones.
pub fn generator(name: &str) -> Result<&'static GeneratorEntry, Error> {
    let found = GENERATORS.iter().find(|g| g.name == name);
    found.copied().ok_or_else(|| {
        let names = || GENERATORS.iter().map(|g| g.name);
        Kind::UnknownGenerator {
            name: name.to_owned(),
            suggestion: params::suggestion(name, names()),
            known: names().collect::<Vec<_>>().join(", "),
        }
        .into()
    })
}

/// What rows are made of.
pub struct GenerateInput<'a> {
    /// How each column became codes.
    pub encoders: &'a [Encoder],
    /// The codes of all rows.
    pub codes: &'a CodeMatrix,
    /// By column the group whose cells are taken together; groups may have no column.
    pub group_of: &'a [usize],
    /// Number of groups.
    pub n_groups: usize,
    /// What a teacher says of all rows, `[n_rows, n_outputs]`, finite for the training rows.
    pub targets: &'a [f64],
    /// Numbers that a teacher says of a row.
    pub n_outputs: usize,
    /// Weight of each row; `None` weighs all alike.
    pub row_weights: Option<&'a [f32]>,
    /// The training rows, rising; other rows must not be looked at.
    pub rows: &'a [u32],
    /// Where randomness comes from.
    pub seed: Seed,
    /// Where parallel work runs; the number of threads changes nothing.
    pub threads: &'a Threads,
}

/// Rows that are told by the rows that their cells come from; none of them is a row of the table as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct MadeCells {
    /// The row that each starts from.
    pub start: Vec<u32>,
    /// By group the row that the cells of each made row come from, `from[group][made]`.
    pub from: Vec<Vec<u32>>,
    /// The weight of each, above zero.
    pub weights: Vec<f32>,
}

impl MadeCells {
    /// Number of made rows.
    pub fn n_rows(&self) -> usize {
        self.start.len()
    }

    /// Rows that start as `starts` say: `fill(number, start, from)` changes the rows of the groups, which are the start's
    /// at first. Made rows that came out as a row of the table are left out. Each weighs what its start weighs; of fewer
    /// than 10,000 training rows all together at most twice what these weigh. O(made rows groups).
    fn of(
        input: &GenerateInput<'_>,
        starts: &[u32],
        fill: impl Fn(usize, u32, &mut [u32]) + Sync + Send,
    ) -> MadeCells {
        let n_groups = input.n_groups;
        let chunks = input.threads.map(starts.len().div_ceil(CHUNK), |chunk| {
            let first = chunk * CHUNK;
            let mut made = (Vec::new(), Vec::new());
            let mut from = vec![0; n_groups];
            for (at, &start) in (first..).zip(&starts[first..starts.len().min(first + CHUNK)]) {
                from.fill(start);
                fill(at, start, &mut from);
                if from.iter().any(|row| *row != from[0]) {
                    made.0.push(start);
                    made.1.extend_from_slice(&from);
                }
            }
            made
        });
        let start: Vec<u32> = chunks.iter().flat_map(|(start, _)| start).copied().collect();
        let by_group = input.threads.map(n_groups, |group| {
            let rows = chunks.iter().flat_map(|(_, from)| from.iter().skip(group).step_by(n_groups));
            rows.copied().collect::<Vec<u32>>()
        });
        let weights = weights(input, &start);
        MadeCells { start, from: by_group, weights }
    }
}

/// What made rows weigh.
fn weights(input: &GenerateInput<'_>, start: &[u32]) -> Vec<f32> {
    let sum = |rows: &[u32]| rows.iter().map(|&row| f64::from(input.weight(row))).sum::<f64>();
    let (own, made) = (sum(input.rows), sum(start));
    let is_small = input.rows.len() < MANY_ROWS;
    let factor = if is_small && made > MOST_WEIGHT * own { MOST_WEIGHT * own / made } else { 1.0 };
    // Nothing that weighs something is rounded to nothing.
    let weight = |&row: &u32| ((f64::from(input.weight(row)) * factor) as f32).max(f32::from_bits(1));
    start.iter().map(weight).collect()
}

impl<'a> GenerateInput<'a> {
    fn coded(&self) -> Coded<'a> {
        Coded { encoders: self.encoders, codes: self.codes, threads: self.threads }
    }

    fn weight(&self, row: u32) -> f32 {
        self.row_weights.map_or(1.0, |w| w[row as usize])
    }

    /// The training rows that weigh something, rising.
    fn training_rows(&self) -> Vec<u32> {
        let weighs = |&r: &u32| self.weight(r) > 0.0 && self.weight(r).is_finite();
        self.rows.iter().copied().filter(weighs).collect()
    }

    /// The rows that made rows start from, rising, each as often as any other of `rows`, give or take once: `times` for
    /// each of `n_rows`, as far as bounds allow. None where there is nothing to mix.
    fn starts(&self, rows: &[u32], n_rows: usize, params: &Params) -> Vec<u32> {
        if self.n_groups < 2 {
            return Vec::new();
        }
        let wanted = (params.real(TIMES.name) * n_rows as f64).round() as usize;
        let wanted = wanted.min(MOST_MADE).min(MOST_TOLD / self.n_groups);
        let starts = evenly(rows, wanted);
        starts.into_iter().flat_map(|start| std::iter::repeat_n(start.row, start.n_made)).collect()
    }
}

/// How many rows to make.
const TIMES: ParamSpec = ParamSpec {
    name: "times",
    aliases: &[],
    default: Value::Real(1.0),
    range: Range::Real { low: 0.0, high: 100.0 },
    doc: "rows that are made for each training row",
};

/// A generator makes rows.
pub trait Generator: Sync {
    /// Makes rows of the cells of training rows. Exact: the same rows, parameters and seed give the same rows on any
    /// machine and any number of threads. Never more than a million.
    ///
    /// # Errors
    /// A forest cannot be grown.
    fn make(&self, input: &GenerateInput<'_>, params: &Params) -> Result<MadeCells, Error>;
}

/// One line of the table.
pub struct GeneratorEntry {
    /// Name on the command line.
    pub name: &'static str,
    /// What it is, in one line.
    pub doc: &'static str,
    /// Its parameters.
    pub spec: &'static [ParamSpec],
    /// The generator.
    pub generator: &'static dyn Generator,
}

impl GeneratorEntry {
    /// Parameters with these settings.
    ///
    /// # Errors
    /// An unknown name or a value out of range.
    pub fn params(&self, settings: &[(String, String)]) -> Result<Params, Error> {
        Ok(Params::parse(self.name, &[self.spec], settings)?)
    }
}
