//! Rows as vectors of small integers, for learners that compare rows.
//!
//! A number is taken from its mean and counted in steps of its standard deviation; a category has a column of
//! its own that is 0 or one step set. Two rows that differ by one standard deviation in one number, or in one
//! category, are equally far apart. A missing number is the mean, a missing category none of them.

use crate::lowering::{encoded, missing_column, quantized};
use crate::{Error, FitInput};
use ir::digest::mix;
use ir::op::{Cast, OneHot, QuantizeLinear};
use ir::{GraphBuilder, Op, ValueIdx};
use jobs::Seed;
use params::{ParamSpec, Params, Range, Value};
use std::f64::consts::SQRT_2;
use trees::Encoder;

pub(crate) const INPUT_BITS: ParamSpec = ParamSpec {
    name: "input_bits",
    aliases: &[],
    default: Value::Int(8),
    range: Range::Int { low: 4, high: 16 },
    doc: "bits of a cell, which spans 8 standard deviations on each side of the mean",
};
pub(crate) const MAX_ROWS: ParamSpec = ParamSpec {
    name: "max_rows",
    aliases: &[],
    default: Value::Int(20_000),
    range: Range::Int { low: 2, high: 1_000_000 },
    doc: "training rows that are looked at; of more, so many are drawn",
};

/// Largest size of a cell in standard deviations.
const REACH: f64 = 8.0;

/// A column of the table.
enum Source {
    Number(usize),
    Category(usize, Encoder),
}

impl Source {
    fn feature(&self) -> usize {
        match self {
            Source::Number(feature) | Source::Category(feature, _) => *feature,
        }
    }
}

/// How rows become vectors.
pub(crate) struct Vectors {
    sources: Vec<Source>,
    /// Taken off each cell.
    centers: Vec<f64>,
    /// Real size of a step of each cell.
    scales: Vec<f64>,
    quantize: QuantizeLinear,
}

impl Vectors {
    /// From the training rows; `bits` of each cell. Columns of one value are left out while others remain.
    pub(crate) fn fit(input: &FitInput<'_>, params: &Params) -> Vectors {
        let quantize = QuantizeLinear { bits: u8::try_from(params.int(INPUT_BITS.name)).unwrap_or(8) };
        let mut vectors = Vectors { sources: Vec::new(), centers: Vec::new(), scales: Vec::new(), quantize };
        let steps = vectors.steps();
        for feature in 0..input.encoders.len() {
            match input.numbers_of(feature) {
                Some(numbers) => {
                    let (mean, deviation) = moments(input, numbers);
                    if deviation > 0.0 {
                        vectors.push(Source::Number(feature), 1, mean, deviation / steps);
                    }
                }
                None if input.encoders[feature].n_codes() > 0 && !input.encoders[feature].ordered() => {
                    let encoder = input.encoders[feature].clone();
                    let depth = usize::from(encoder.n_codes());
                    vectors.push(Source::Category(feature, encoder), depth, 0.0, SQRT_2 / steps);
                }
                None => {}
            }
        }
        if vectors.sources.is_empty() && !input.encoders.is_empty() {
            // All rows are alike: one column stays to count them by.
            if input.encoders[0].ordered() {
                vectors.push(Source::Number(0), 1, 0.0, f64::MAX);
            } else {
                let keys = Encoder::Category { keys: vec![String::new()], rare: false };
                vectors.push(Source::Category(0, keys), 1, 0.0, 1.0);
            }
        }
        vectors
    }

    fn push(&mut self, source: Source, width: usize, center: f64, scale: f64) {
        self.sources.push(source);
        self.centers.extend(vec![center; width]);
        self.scales.extend(vec![scale; width]);
    }

    /// Cells of a row.
    pub(crate) fn width(&self) -> usize {
        self.scales.len()
    }

    /// Steps of one standard deviation.
    pub(crate) fn steps(&self) -> f64 {
        f64::from(self.quantize.most()) / REACH
    }

    /// The columns that a graph must give, rising.
    pub(crate) fn uses(&self) -> Vec<usize> {
        self.sources.iter().map(Source::feature).collect()
    }

    /// Real distances from the centers, `[n_rows, width]`, in steps.
    pub(crate) fn reals(&self, input: &FitInput<'_>, rows: &[u32]) -> Vec<f64> {
        let mut cells = vec![0.0; rows.len() * self.width()];
        for (&row, cells) in rows.iter().zip(cells.chunks_exact_mut(self.width().max(1))) {
            let mut at = 0;
            for source in &self.sources {
                match source {
                    Source::Number(feature) => {
                        let x = input.numbers_of(*feature).map(|n| n[row as usize]);
                        let x = x
                            .filter(|x| !x.is_nan())
                            .map_or(0.0, |x| (x - self.centers[at]) / self.scales[at]);
                        let most = f64::from(self.quantize.most());
                        cells[at] = x.clamp(-most, most);
                        at += 1;
                    }
                    Source::Category(feature, encoder) => {
                        let code = usize::from(input.codes.code(*feature, row));
                        let depth = usize::from(encoder.n_codes());
                        if code < depth {
                            cells[at + code] = 1.0 / self.scales[at];
                        }
                        at += depth;
                    }
                }
            }
        }
        cells
    }

    /// The same as the graph has them.
    pub(crate) fn integers(&self, input: &FitInput<'_>, rows: &[u32]) -> Vec<i16> {
        // A step of 1: what is divided already is only rounded.
        self.reals(input, rows).into_iter().map(|x| self.quantize.of(x, 1.0)).collect()
    }

    /// Appends the nodes; gives `i16 [N, width]`. `columns` are those of [`Vectors::uses`].
    ///
    /// # Errors
    /// The graph refuses a node.
    pub(crate) fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, Error> {
        let mut parts = Vec::with_capacity(self.sources.len());
        for (at, source) in self.sources.iter().enumerate() {
            let column = *columns.get(at).ok_or_else(|| missing_column(source.feature()))?;
            parts.push(match source {
                Source::Number(_) => builder.node(Op::Cast(Cast), &[column])?,
                Source::Category(_, encoder) => {
                    let codes = encoded(encoder, builder, column)?;
                    builder.node(Op::OneHot(OneHot { depth: encoder.n_codes().into() }), &[codes])?
                }
            });
        }
        quantized(builder, &parts, &self.centers, &self.scales, self.quantize)
    }
}

/// The training rows that are looked at, rising: all that weigh something, or as many as the parameters and `most`
/// allow, drawn by the hash of their number.
///
/// # Errors
/// `NoRows`.
pub(crate) fn drawn_rows(
    input: &FitInput<'_>,
    params: &Params,
    most: usize,
    seed: Seed,
) -> Result<Vec<u32>, Error> {
    let mut rows = input.train_rows()?;
    let most = usize::try_from(params.int(MAX_ROWS.name)).unwrap_or(1).min(most).max(1);
    if rows.len() > most {
        let key = seed.derive("rows", 0).0;
        rows.sort_by_cached_key(|&row| (mix(key ^ u64::from(row)), row));
        rows.truncate(most);
        rows.sort_unstable();
    }
    Ok(rows)
}

/// Weighted mean and standard deviation of the finite numbers of the training rows; 0 and 0 without any.
pub(crate) fn moments(input: &FitInput<'_>, numbers: &[f64]) -> (f64, f64) {
    let weight = |row: u32| input.weight(row);
    let known =
        || input.rows.train.iter().map(|&r| (numbers[r as usize], weight(r))).filter(|(x, _)| x.is_finite());
    let total: f64 = known().map(|(_, w)| w).sum();
    if total <= 0.0 {
        return (0.0, 0.0);
    }
    let mean = known().map(|(x, w)| x * (w / total)).sum::<f64>();
    let variance = known().map(|(x, w)| (x - mean) * (x - mean) * (w / total)).sum::<f64>();
    let deviation = variance.sqrt();
    // What rounding leaves of a constant is no deviation.
    let least = mean.abs() * 1e-12;
    if deviation.is_finite() && deviation > least {
        (mean, deviation)
    } else {
        (if mean.is_finite() { mean } else { 0.0 }, 0.0)
    }
}

/// Weighted mean and standard deviation of the targets of some rows; sums are of distances from the first, which
/// loses nothing far from 0.
pub(crate) fn moments_of(targets: &[f64], weights: &[f64]) -> (f64, f64) {
    let total: f64 = weights.iter().sum();
    let pairs = || targets.iter().zip(weights);
    let first = targets.first().copied().unwrap_or(0.0);
    let mean = first + pairs().map(|(v, w)| (v - first) * (w / total)).sum::<f64>();
    let variance = pairs().map(|(v, w)| (v - mean) * (v - mean) * (w / total)).sum::<f64>();
    (mean, variance.sqrt())
}
