//! Columns of linear models: what the solver sees, and what its weights become in a graph.
//!
//! A number is centred and divided by its standard deviation, its missing cells are the mean and, where the
//! training rows have some, a yes or no of their own; a category is one yes or no a value, missing among them; a
//! bag is its terms. Deployed, numbers are 16-bit integers times integer weights, categories are tables, bags
//! are products of short weights; all of them end on one grid.

use crate::additive_tables::{IntegerTables, RealTables, RealTerm, TableColumn, constant_code};
use crate::linear_model::{Design, Unfit, Weights};
use crate::lowering::{matrix, missing_column, quantized, requantize};
use crate::score_link::{finest_grid, linked};
use crate::vectors::moments;
use crate::{Error, Exactness, FitInput, Fitted, Part, ScoreLink};
use ir::fixed::{Requantize, power_of_two, round_i32, round_i64, round_ties_even};
use ir::op::{BagGemm, Cast, LinkKind, QGemm, QuantizeLinear, Sum, ToScores};
use ir::{Bags, GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use std::sync::Arc;

/// A number column.
#[derive(Clone, Debug)]
struct Number {
    feature: usize,
    mean: f64,
    deviation: f64,
    /// Furthest training row from the mean.
    reach: f64,
}

/// A column of yes and no: each value of a category, or whether a number is missing.
#[derive(Clone, Debug)]
struct Coded {
    column: TableColumn,
    /// First of its sparse columns.
    first: usize,
}

/// A bag of terms.
#[derive(Clone, Debug)]
struct Terms {
    feature: usize,
    bags: Arc<Bags>,
    width: usize,
    first: usize,
}

/// The columns of a linear model.
pub(crate) struct LinearColumns {
    numbers: Vec<Number>,
    coded: Vec<Coded>,
    terms: Vec<Terms>,
    n_sparse: usize,
}

/// Cells of numbers may lie this many times further from the mean than any training row.
const HEADROOM: f64 = 2.0;
/// Numbers are integers of so many bits.
const INPUT: QuantizeLinear = QuantizeLinear { bits: 16 };

impl LinearColumns {
    /// Looks at the training rows; columns of one value are left out.
    pub(crate) fn new(input: &FitInput<'_>) -> LinearColumns {
        let mut columns =
            LinearColumns { numbers: Vec::new(), coded: Vec::new(), terms: Vec::new(), n_sparse: 0 };
        for feature in 0..input.encoders.len() {
            if let Some((bags, width)) = input.bags.get(feature).and_then(|b| b.as_ref()) {
                let first = columns.n_sparse;
                columns.terms.push(Terms { feature, bags: bags.clone(), width: *width, first });
                columns.n_sparse += width;
                continue;
            }
            let Some(numbers) = input.numbers_of(feature) else {
                columns.code(TableColumn::of_study(input, feature));
                continue;
            };
            let (mean, deviation) = moments(input, numbers);
            let of_rows = || input.rows.train.iter().map(|&r| numbers[r as usize]);
            if deviation > 0.0 {
                let away = of_rows().filter(|x| x.is_finite()).map(|x| (x - mean).abs());
                let reach = away.fold(0.0, f64::max);
                columns.numbers.push(Number { feature, mean, deviation, reach });
            }
            if of_rows().any(f64::is_nan) {
                let code = |x: &f64| if x.is_nan() { u8::MAX } else { 0 };
                let own = Some(numbers.iter().map(code).collect());
                let encoder = constant_code(&input.encoders[feature]);
                columns.code(TableColumn { feature, encoder, own });
            }
        }
        columns
    }

    fn code(&mut self, column: TableColumn) {
        let first = self.n_sparse;
        self.n_sparse += column.n_places();
        self.coded.push(Coded { column, first });
    }

    /// Number of columns of the design.
    pub(crate) fn n_columns(&self) -> usize {
        self.numbers.len() + self.n_sparse
    }

    /// Factors of the penalty that make it one on weights of columns as they are in the table.
    pub(crate) fn raw_penalty(&self) -> Vec<f64> {
        let numbers = self.numbers.iter().map(|n| 1.0 / n.deviation);
        numbers.chain(std::iter::repeat_n(1.0, self.n_sparse)).collect()
    }

    /// Which columns count something: numbers, terms and categories, but not that a cell is missing.
    pub(crate) fn counted(&self) -> Vec<bool> {
        let mut counted = vec![true; self.n_columns()];
        for coded in &self.coded {
            let first = self.numbers.len() + coded.first;
            let n_places = coded.column.n_places();
            let missing = if coded.column.own.is_some() { first } else { first + n_places - 1 };
            counted[missing..first + n_places].fill(false);
        }
        counted
    }

    /// Calls `f` with each column of a row of the design and its cell as it is in the table.
    pub(crate) fn raw_cells(&self, design: &Design, row: usize, mut f: impl FnMut(usize, f64)) {
        for (at, (number, x)) in self.numbers.iter().zip(design.dense_row(row)).enumerate() {
            f(at, number.mean + number.deviation * x);
        }
        design.sparse_row(row).for_each(|(id, x)| f(self.numbers.len() + id, x));
    }

    /// Turns weights of cells as they are in the table, `[n_columns, n_outputs]`, into those of the design.
    pub(crate) fn standardize_weights(&self, coefficients: &mut [f64], intercepts: &mut [f64]) {
        let n = intercepts.len();
        for (number, weights) in self.numbers.iter().zip(coefficients.chunks_exact_mut(n)) {
            for (weight, intercept) in weights.iter_mut().zip(intercepts.iter_mut()) {
                *intercept += *weight * number.mean;
                *weight *= number.deviation;
            }
        }
    }

    /// The cells of rows.
    ///
    /// # Errors
    /// Weights of bags that are no numbers.
    pub(crate) fn design(&self, input: &FitInput<'_>, rows: &[u32]) -> Result<Design, Unfit> {
        let n_dense = self.numbers.len();
        let mut dense = vec![0.0; rows.len() * n_dense];
        for (at, number) in self.numbers.iter().enumerate() {
            let Some(cells) = input.numbers_of(number.feature) else { continue };
            for (i, &row) in rows.iter().enumerate() {
                dense[i * n_dense + at] = number.standard(cells[row as usize]);
            }
        }
        let mut sparse = Bags::new();
        let mut cells = Vec::new();
        for &row in rows {
            cells.clear();
            let coded = self.coded.iter().map(|c| (c.first + c.column.place(input.codes, row), 1.0));
            cells.extend(coded.map(|(id, one)| (id as u32, one)));
            for terms in &self.terms {
                cells.extend(terms.bags.row(row as usize).map(|(id, w)| (terms.first as u32 + id, w)));
            }
            cells.sort_unstable_by_key(|c| c.0);
            sparse.push(cells.iter().copied());
        }
        Design::try_new(rows.len(), dense, n_dense, sparse, self.n_sparse)
    }

    /// The fitted model of these weights.
    ///
    /// # Errors
    /// As [`LinearColumns::design`].
    pub(crate) fn fitted(
        &self,
        input: &FitInput<'_>,
        weights: &Weights,
        kind: LinkKind,
        weight_bits: u32,
    ) -> Result<Fitted, Error> {
        let others = &input.rows.others;
        let n = weights.intercepts.len();
        let other_floats = if input.exact == Exactness::Floats {
            linked(kind, self.real_scores(&self.design(input, others)?, weights), n)
        } else {
            Vec::new()
        };
        let (part, link) = self.quantize(weights, kind, weight_bits);
        let other_scores = part.scores(input, others);
        let part = part.compacted(input);
        let uses = part.uses();
        Ok(Fitted {
            uses,
            part: Box::new(part),
            onto: None,
            other_scores,
            other_floats,
            link,
            further: Vec::new(),
            rounds: [0; 2],
        })
    }

    /// Real scores `[n_rows, n_outputs]` of the rows of a design.
    pub(crate) fn real_scores(&self, design: &Design, weights: &Weights) -> Vec<f64> {
        let n = weights.intercepts.len();
        let mut scores = weights.intercepts.repeat(design.n_rows());
        let n_dense = self.numbers.len();
        for (row, scores) in scores.chunks_exact_mut(n).enumerate() {
            let dense = design.dense_row(row).iter().copied().enumerate();
            for (column, x) in dense.chain(design.sparse_row(row).map(|(id, x)| (n_dense + id, x))) {
                let w = &weights.coefficients[column * n..];
                scores.iter_mut().zip(w).for_each(|(s, w)| *s += w * x);
            }
        }
        scores
    }

    /// Tables of the coded columns; the intercept is theirs.
    fn tables(&self, weights: &Weights) -> RealTables {
        let n = weights.intercepts.len();
        let n_dense = self.numbers.len();
        let term = |(at, coded): (usize, &Coded)| {
            let first = (n_dense + coded.first) * n;
            let values = weights.coefficients[first..first + coded.column.n_places() * n].to_vec();
            RealTerm { a: at, b: None, values }
        };
        RealTables {
            columns: self.coded.iter().map(|c| c.column.clone()).collect(),
            terms: self.coded.iter().enumerate().map(term).collect(),
            intercepts: weights.intercepts.clone(),
        }
    }

    /// Weights on grids: those of numbers and terms of `bits`, one step an output.
    fn quantize(&self, weights: &Weights, kind: LinkKind, bits: u32) -> (LinearPart, ScoreLink) {
        let n = weights.intercepts.len();
        let levels = (1i64 << (bits - 1)) - 1;
        let linear = kind == LinkKind::Linear;
        let mut tables = self.tables(weights);
        // The intercept is that of the link for numbers, else of the products, else of the tables.
        let start = if linear { weights.intercepts[0] } else { 0.0 };
        let mut bias = vec![0.0; n];
        if !linear && !self.numbers.is_empty() {
            bias.copy_from_slice(&weights.intercepts);
        }
        if linear || !self.numbers.is_empty() {
            tables.intercepts.fill(0.0);
        }
        // What one step of a cell adds to each score.
        let scales: Vec<f64> =
            self.numbers.iter().map(|m| m.reach * HEADROOM / f64::from(INPUT.most())).collect();
        let effect = |at: usize, k: usize| {
            weights.coefficients[at * n + k] * (scales[at] / self.numbers[at].deviation)
        };
        let n_numbers = self.numbers.len();
        let sums: Vec<f64> = (0..n).map(|k| (0..n_numbers).map(|at| effect(at, k).abs()).sum()).collect();
        let largest = |k: usize| (0..n_numbers).map(|at| effect(at, k).abs()).fold(0.0, f64::max);
        // The accumulator holds 2^15 times the sum of the weights, and the bias.
        let step = |k: usize| {
            let of_weights = (largest(k) / levels as f64).max(sums[k] / 49_000.0);
            of_weights.max(bias[k].abs() / power_of_two(28)).max(f64::MIN_POSITIVE)
        };
        let steps: Vec<f64> = (0..n).map(step).collect();
        let reach = sums.iter().fold(0.0f64, |m, s| m.max(s * f64::from(INPUT.most())));
        let size = |values: &[f64]| values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let of_terms = if self.terms.is_empty() { 0.0 } else { self.reach_of_terms(weights) };
        let all = reach + tables.reach() + size(&tables.intercepts) + size(&bias) + of_terms;
        let limits =
            if linear { vec![(all, 5e8), (start.abs(), power_of_two(50))] } else { vec![(all, 5e8)] };
        let grid = finest_grid(&limits, if linear { 1000 } else { 20 });
        let grid = if linear { grid } else { grid.max(0) };
        let table_grid =
            finest_grid(&[(tables.largest(), levels as f64), (size(&tables.intercepts), 5e8)], grid);
        let shift = (grid - table_grid).clamp(0, 30);
        let factor = power_of_two(grid);
        let smallest = Requantize::of(power_of_two(-31));
        let mut whole = Vec::with_capacity(n_numbers * n);
        for at in 0..n_numbers {
            whole.extend((0..n).map(|k| round_i32(effect(at, k) / steps[k]) as i16));
        }
        let part = LinearPart {
            features: self.numbers.iter().map(|m| m.feature).collect(),
            means: self.numbers.iter().map(|m| m.mean).collect(),
            scales,
            weights: whole,
            bias: bias.iter().zip(&steps).map(|(b, step)| round_i32(b / step)).collect(),
            pairs: steps.iter().filter_map(|s| Requantize::of(s * factor).or(smallest)).collect(),
            tables: Some(tables.quantize(grid - shift, levels, shift as u8)),
            terms: self.terms.iter().map(|t| self.short_weights(t, weights, bits)).collect(),
            grid: grid as i16,
            n_outputs: n,
        };
        let offset = if linear { round_i64(start * factor) } else { 0 };
        (part, ScoreLink { kind, shift: grid as i16, offset })
    }

    /// Largest score that the terms of a training row make.
    fn reach_of_terms(&self, weights: &Weights) -> f64 {
        let n = weights.intercepts.len();
        let n_dense = self.numbers.len();
        let mut most = 0.0f64;
        for terms in &self.terms {
            for row in 0..terms.bags.n_rows() {
                for k in 0..n {
                    let cell = |(id, w): (u32, f64)| {
                        (w * weights.coefficients[(n_dense + terms.first + id as usize) * n + k]).abs()
                    };
                    most = most.max(terms.bags.row(row).map(cell).sum());
                }
            }
        }
        // Rows to come may be longer.
        4.0 * most
    }

    /// The weights of terms, rounded to multiples of a power of two.
    fn short_weights(&self, terms: &Terms, weights: &Weights, bits: u32) -> BagWeights {
        let n = weights.intercepts.len();
        let first = (self.numbers.len() + terms.first) * n;
        let own = &weights.coefficients[first..first + terms.width * n];
        let largest = own.iter().fold(0.0f64, |m, w| m.max(w.abs()));
        let levels = ((1i64 << (bits - 1)) - 1) as f64;
        let grid = finest_grid(&[(largest, levels)], 1000);
        let short = |w: &f64| round_ties_even(w * power_of_two(grid)) * power_of_two(-grid);
        BagWeights {
            feature: terms.feature,
            bags: terms.bags.clone(),
            weights: own.iter().map(short).collect(),
        }
    }
}

impl Number {
    /// A cell in standard deviations from the mean; missing is the mean, and nothing is further than the
    /// integers reach.
    fn standard(&self, x: f64) -> f64 {
        if x.is_nan() {
            return 0.0;
        }
        let most = self.reach * HEADROOM;
        (x - self.mean).clamp(-most, most) / self.deviation
    }
}

/// Weights of the terms of a bag, `[width, n_outputs]`.
struct BagWeights {
    feature: usize,
    bags: Arc<Bags>,
    weights: Vec<f64>,
}

/// A linear model on integers.
struct LinearPart {
    /// Number columns, rising.
    features: Vec<usize>,
    means: Vec<f64>,
    scales: Vec<f64>,
    /// `[n_numbers, n_outputs]`.
    weights: Vec<i16>,
    bias: Vec<i32>,
    pairs: Vec<Requantize>,
    tables: Option<IntegerTables>,
    terms: Vec<BagWeights>,
    grid: i16,
    n_outputs: usize,
}

impl LinearPart {
    /// The same scores from fewer columns: tables without a term go where other columns remain.
    fn compacted(self, input: &FitInput<'_>) -> LinearPart {
        let alone = self.features.is_empty() && self.terms.is_empty();
        let tables = self.tables.filter(|t| alone || !t.is_empty()).map(|t| t.compacted(input));
        LinearPart { tables, ..self }
    }

    fn uses(&self) -> Vec<usize> {
        let of_terms = self.terms.iter().map(|t| t.feature);
        let mut uses: Vec<usize> = self.features.iter().copied().chain(of_terms).collect();
        uses.extend(self.tables.iter().flat_map(IntegerTables::uses));
        uses.sort_unstable();
        uses.dedup();
        uses
    }

    /// Scores of rows as the graph has them.
    fn scores(&self, input: &FitInput<'_>, rows: &[u32]) -> Vec<i32> {
        let n = self.n_outputs;
        let mut parts: Vec<Vec<i32>> = Vec::new();
        if let Some(tables) = &self.tables {
            parts.push(tables.scores(input.codes, rows));
        }
        if !self.features.is_empty() {
            let mut scores = vec![0; rows.len() * n];
            let mut acc = vec![0; n];
            let mut x = vec![0i16; self.features.len()];
            for (&row, out) in rows.iter().zip(scores.chunks_exact_mut(n)) {
                for (at, &feature) in self.features.iter().enumerate() {
                    let cell = input.numbers_of(feature).map_or(f64::NAN, |c| c[row as usize]);
                    x[at] = INPUT.of(cell - self.means[at], self.scales[at]);
                }
                QGemm::scores_into(&x, &self.weights, &self.bias, &self.pairs, &mut acc, out);
            }
            parts.push(scores);
        }
        let to_scores = ToScores { shift: self.grid };
        for terms in &self.terms {
            let mut scores = Vec::with_capacity(rows.len() * n);
            for &row in rows {
                let mut sums = vec![0.0; n];
                for (id, x) in terms.bags.row(row as usize) {
                    let w = &terms.weights[id as usize * n..];
                    sums.iter_mut().zip(w).for_each(|(sum, w)| *sum += x * w);
                }
                scores.extend(sums.into_iter().map(|s| to_scores.of(s)));
            }
            parts.push(scores);
        }
        let sum = |i: usize| parts.iter().map(|p| i64::from(p[i])).sum::<i64>();
        (0..rows.len() * n).map(|i| ir::fixed::clamp_i32(sum(i))).collect()
    }
}

impl Part for LinearPart {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, Error> {
        let uses = self.uses();
        let column = |feature: usize| {
            let at = uses.binary_search(&feature).ok().and_then(|at| columns.get(at).copied());
            at.ok_or_else(|| missing_column(feature))
        };
        let n = self.n_outputs;
        let mut parts = Vec::new();
        if let Some(tables) = &self.tables {
            parts.push(tables.lower_by(builder, |feature| column(feature).ok())?);
        }
        if !self.features.is_empty() {
            let cast = |f: &usize| Ok(builder.node(Op::Cast(Cast), &[column(*f)?])?);
            let cells = self.features.iter().map(cast).collect::<Result<Vec<_>, Error>>()?;
            let x = quantized(builder, &cells, &self.means, &self.scales, INPUT)?;
            let w = matrix(self.features.len(), n, TensorData::I16(self.weights.clone()))?;
            let w = builder.constant(w)?;
            let bias = builder.constant(Tensor::vector(TensorData::I32(self.bias.clone())))?;
            let pairs = builder.constant(requantize(&self.pairs)?)?;
            parts.push(builder.node(Op::QGemm(QGemm), &[x, w, bias, pairs])?);
        }
        for terms in &self.terms {
            let w = matrix(terms.weights.len() / n, n, TensorData::F64(terms.weights.clone()))?;
            let w = builder.constant(w)?;
            let sums = builder.node(Op::BagGemm(BagGemm), &[column(terms.feature)?, w])?;
            parts.push(builder.node(Op::ToScores(ToScores { shift: self.grid }), &[sums])?);
        }
        match parts[..] {
            [only] => Ok(only),
            _ => Ok(builder.node(Op::Sum(Sum), &parts)?),
        }
    }
}
