//! Models that add up tables of codes: naive Bayes, additive models, the categories of linear models.
//!
//! [`RealTables`] holds what was learnt; [`RealTables::quantize`] rounds it to one grid, drops what came to
//! nothing and edges between equal neighbours, and gives the part that a graph takes.

use crate::lowering::{encoded, matrix, missing_column};
use crate::score_link::{finest_grid, link_kind, linked};
use crate::{Error, Exactness, FitInput, Fitted, Part, ScoreLink};
use ir::fixed::{power_of_two, round_i64};
use ir::op::{LinkKind, Tables};
use ir::{GraphBuilder, Op, Tensor, TensorData, ValueIdx};
use std::collections::{BTreeMap, BTreeSet};
use trees::{CodeMatrix, Encoder};

/// A column of codes that terms hang on.
#[derive(Clone, Debug)]
pub(crate) struct TableColumn {
    /// Its column among those of the study.
    pub(crate) feature: usize,
    /// How it is coded.
    pub(crate) encoder: Encoder,
    /// Codes of all rows where the encoder is not the study's.
    pub(crate) own: Option<Vec<u8>>,
}

impl TableColumn {
    /// The study's own codes of a feature.
    pub(crate) fn of_study(input: &FitInput<'_>, feature: usize) -> TableColumn {
        TableColumn { feature, encoder: input.encoders[feature].clone(), own: None }
    }

    /// Places of the column's table: its codes and missing.
    pub(crate) fn n_places(&self) -> usize {
        usize::from(self.encoder.n_codes()) + 1
    }

    /// Code of a row; missing is past the others.
    #[inline]
    fn code(&self, codes: &CodeMatrix, row: u32) -> u8 {
        match &self.own {
            Some(own) => own[row as usize],
            None => codes.code(self.feature, row),
        }
    }

    /// Place of a row.
    #[inline]
    pub(crate) fn place(&self, codes: &CodeMatrix, row: u32) -> usize {
        usize::from(self.code(codes, row)).min(self.n_places() - 1)
    }
}

/// A term: one column, or two of them.
#[derive(Clone, Debug)]
pub(crate) struct RealTerm {
    /// Place of the first column among those of the tables.
    pub(crate) a: usize,
    /// That of the second one.
    pub(crate) b: Option<usize>,
    /// `[n_places(a), n_places(b), n_outputs]`, missing last.
    pub(crate) values: Vec<f64>,
}

/// Tables in real numbers: `score_k = intercept_k + sum over terms`.
#[derive(Clone, Debug)]
pub(crate) struct RealTables {
    pub(crate) columns: Vec<TableColumn>,
    pub(crate) terms: Vec<RealTerm>,
    pub(crate) intercepts: Vec<f64>,
}

impl RealTables {
    fn n_outputs(&self) -> usize {
        self.intercepts.len()
    }

    fn place(&self, term: &RealTerm, codes: &CodeMatrix, row: u32) -> usize {
        let a = self.columns[term.a].place(codes, row);
        term.b.map_or(a, |b| a * self.columns[b].n_places() + self.columns[b].place(codes, row))
    }

    /// Real scores `[n_rows, n_outputs]`.
    pub(crate) fn scores(&self, codes: &CodeMatrix, rows: &[u32]) -> Vec<f64> {
        let n = self.n_outputs();
        let mut scores = self.intercepts.repeat(rows.len());
        for (scores, &row) in scores.chunks_exact_mut(n).zip(rows) {
            for term in &self.terms {
                let at = self.place(term, codes, row) * n;
                scores.iter_mut().zip(&term.values[at..]).for_each(|(s, v)| *s += v);
            }
        }
        scores
    }

    /// Largest size of a value.
    pub(crate) fn largest(&self) -> f64 {
        self.terms.iter().flat_map(|t| &t.values).fold(0.0, |m, v| m.max(v.abs()))
    }

    /// Sum of the terms' largest sizes: no score is further from its intercept.
    pub(crate) fn reach(&self) -> f64 {
        let largest = |t: &RealTerm| t.values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        self.terms.iter().map(largest).sum()
    }

    /// Rounds all values and intercepts to multiples of `2^-grid`, values to `levels` of them on each side. The
    /// score is then `2^shift` times as fine.
    pub(crate) fn quantize(&self, grid: i32, levels: i64, shift: u8) -> IntegerTables {
        let factor = power_of_two(grid);
        let whole = |v: f64, most: i64| round_i64(v * factor).clamp(-most, most) as i32;
        let terms: Vec<(usize, Option<usize>, Vec<i32>)> = self
            .terms
            .iter()
            .map(|t| (t.a, t.b, t.values.iter().map(|&v| whole(v, levels)).collect::<Vec<_>>()))
            .filter(|t| t.2.iter().any(|&v| v != 0))
            .collect();
        let start = self.intercepts.iter().map(|&v| whole(v, i64::from(i32::MAX >> 2))).collect();
        IntegerTables { columns: self.columns.clone(), terms, start, shift, n_outputs: self.n_outputs() }
    }

    /// The model of these tables alone: the finest grid on which `bits` hold every value.
    pub(crate) fn fitted(self, input: &FitInput<'_>, bits: u32) -> Fitted {
        let levels = (1i64 << (bits - 1)) - 1;
        let n = self.n_outputs();
        let kind = link_kind(input.target);
        let linear = kind == LinkKind::Linear;
        // For numbers the intercept is the link's; then it must stay whole in a double.
        let start = if linear { self.intercepts[0] } else { 0.0 };
        let mut real = self;
        if linear {
            real.intercepts.fill(0.0);
        }
        let limits = [
            (real.largest(), levels as f64),
            (real.reach() + real.intercepts.iter().fold(0.0, |m: f64, v| m.max(v.abs())), 1e9),
            (start.abs(), power_of_two(50)),
        ];
        let grid = finest_grid(&limits, if linear { 1000 } else { 20 });
        // A link of classes takes no negative shift: coarser tables are spread.
        let (shift, spread) = if linear { (grid, 0) } else { (grid.max(0), (-grid).clamp(0, 30)) };
        let tables = real.quantize(grid, levels, spread as u8);
        let offset = if linear { round_i64(start * power_of_two(grid)) } else { 0 };
        let link = ScoreLink { kind, shift: shift as i16, offset };
        let others = &input.rows.others;
        let other_scores = tables.scores(input.codes, others);
        let floats = if input.exact == Exactness::Floats {
            let scores = real.scores(input.codes, others).into_iter().map(|s| s + start).collect();
            linked(kind, scores, n)
        } else {
            Vec::new()
        };
        let tables = tables.compacted(input);
        Fitted {
            uses: tables.uses(),
            part: Box::new(tables),
            other_scores,
            other_floats: floats,
            onto: None,
            link,
            further: Vec::new(),
            rounds: [0; 2],
        }
    }
}

/// Tables on a grid, ready to become nodes.
#[derive(Clone, Debug)]
pub(crate) struct IntegerTables {
    columns: Vec<TableColumn>,
    terms: Vec<(usize, Option<usize>, Vec<i32>)>,
    start: Vec<i32>,
    shift: u8,
    n_outputs: usize,
}

impl IntegerTables {
    /// Columns of the study that the terms hang on, rising.
    pub(crate) fn uses(&self) -> Vec<usize> {
        let uses: BTreeSet<usize> = self.columns.iter().map(|c| c.feature).collect();
        uses.into_iter().collect()
    }

    /// True if there is nothing to look up.
    pub(crate) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The constants of the node: sizes of columns, columns of terms, values with the start behind them.
    fn constants(&self) -> (Vec<i64>, Vec<i64>, Vec<i32>) {
        let sizes = self.columns.iter().map(|c| i64::from(c.encoder.n_codes())).collect();
        let terms = self.terms.iter().flat_map(|t| [t.0 as i64, t.1.map_or(-1, |b| b as i64)]).collect();
        let mut values: Vec<i32> = self.terms.iter().flat_map(|t| t.2.iter().copied()).collect();
        values.extend(&self.start);
        (sizes, terms, values)
    }

    /// The integer scores of rows, `[n_rows, n_outputs]`.
    pub(crate) fn scores(&self, codes: &CodeMatrix, rows: &[u32]) -> Vec<i32> {
        let (sizes, terms, values) = self.constants();
        // Columns are named by their place, so every term has its rows.
        let terms = Tables::terms(&sizes, &terms).map_or(Vec::new(), |(terms, _)| terms);
        let mut scores = vec![0; rows.len() * self.n_outputs];
        for (scores, &row) in scores.chunks_exact_mut(self.n_outputs).zip(rows) {
            self.op().scores_into(&terms, &values, |column| self.columns[column].code(codes, row), scores);
        }
        scores
    }

    fn op(&self) -> Tables {
        Tables { shift: self.shift }
    }

    /// The same scores from fewer columns and edges: columns without a term go, and so do edges between which no
    /// table changes. One column stays, so that rows can be counted.
    pub(crate) fn compacted(mut self, input: &FitInput<'_>) -> IntegerTables {
        let asked: BTreeSet<usize> = self.terms.iter().flat_map(|t| [Some(t.0), t.1]).flatten().collect();
        let places: BTreeMap<usize, usize> = asked.iter().copied().zip(0..).collect();
        self.columns = asked.iter().map(|&at| self.columns[at].clone()).collect();
        for (a, b, _) in &mut self.terms {
            *a = places[a];
            *b = b.map(|b| places[&b]);
        }
        if self.columns.is_empty() && !input.encoders.is_empty() {
            self.columns.push(TableColumn {
                encoder: constant_code(&input.encoders[0]),
                ..TableColumn::of_study(input, 0)
            });
        }
        for at in 0..self.columns.len() {
            self.merge_places(at);
        }
        self
    }

    /// Drops the edges of an ordered column on whose sides every table holds the same.
    fn merge_places(&mut self, column: usize) {
        if !self.columns[column].encoder.ordered() {
            return;
        }
        let n = self.columns[column].n_places();
        // Which codes begin a new bin; missing, the last place, always does.
        let mut begins = vec![false; n];
        begins[0] = true;
        begins[n - 1] = true;
        let widths: Vec<usize> = self.columns.iter().map(TableColumn::n_places).collect();
        for (a, b, values) in &self.terms {
            let n_b = b.map_or(1, |b| widths[b]);
            let row = n_b * self.n_outputs;
            if *a == column {
                for place in 1..n {
                    begins[place] |= values[(place - 1) * row..place * row] != values[place * row..][..row];
                }
            }
            if *b == Some(column) {
                for line in values.chunks_exact(row) {
                    let cells = line.chunks_exact(self.n_outputs);
                    let changes = cells.clone().zip(cells.skip(1)).map(|(before, here)| before != here);
                    begins[1..].iter_mut().zip(changes).for_each(|(begins, changes)| *begins |= changes);
                }
            }
        }
        let keeps = |place: usize| begins[place];
        for (a, b, values) in &mut self.terms {
            let n_b = b.map_or(1, |b| widths[b]);
            if *b == Some(column) {
                let cells = values.chunks_exact(self.n_outputs).enumerate();
                let some = cells.filter(|(i, _)| keeps(i % n_b)).flat_map(|(_, c)| c.to_vec());
                *values = some.collect();
            }
            let n_b = if *b == Some(column) { begins.iter().filter(|k| **k).count() } else { n_b };
            if *a == column {
                let rows = values.chunks_exact(n_b * self.n_outputs).enumerate();
                *values = rows.filter(|(i, _)| keeps(*i)).flat_map(|(_, r)| r.to_vec()).collect();
            }
        }
        // Bin `p` begins at edge `p - 1`.
        let stays = |(at, _): &(usize, &bool)| *at > 0 && *at < n - 1;
        let edges: Vec<usize> =
            begins.iter().enumerate().filter(stays).filter(|(_, k)| **k).map(|(p, _)| p - 1).collect();
        let changed = &mut self.columns[column];
        changed.encoder = match &changed.encoder {
            Encoder::Whole(all) => Encoder::Whole(edges.iter().map(|&e| all[e]).collect()),
            Encoder::Real(all) => Encoder::Real(edges.iter().map(|&e| all[e]).collect()),
            category @ Encoder::Category { .. } => category.clone(),
        };
        // The rows that a fit still asks for are coded by the old edges.
        changed.own = None;
    }
}

impl IntegerTables {
    /// Appends the nodes; `column` gives the value of a feature.
    pub(crate) fn lower_by(
        &self,
        builder: &mut GraphBuilder,
        column: impl Fn(usize) -> Option<ValueIdx>,
    ) -> Result<ValueIdx, Error> {
        let mut inputs = Vec::with_capacity(self.columns.len() + 3);
        for coded in &self.columns {
            let value = column(coded.feature).ok_or_else(|| missing_column(coded.feature))?;
            inputs.push(encoded(&coded.encoder, builder, value)?);
        }
        let (sizes, terms, values) = self.constants();
        inputs.push(builder.constant(Tensor::vector(TensorData::I64(sizes)))?);
        inputs.push(builder.constant(matrix(self.terms.len(), 2, TensorData::I64(terms))?)?);
        let n = values.len() / self.n_outputs;
        inputs.push(builder.constant(matrix(n, self.n_outputs, TensorData::I32(values))?)?);
        Ok(builder.node(Op::Tables(self.op()), &inputs)?)
    }
}

/// An encoder of the same kind of column that tells nothing apart.
pub(crate) fn constant_code(encoder: &Encoder) -> Encoder {
    match encoder {
        Encoder::Whole(_) => Encoder::Whole(Vec::new()),
        Encoder::Real(_) => Encoder::Real(Vec::new()),
        Encoder::Category { .. } => Encoder::Category { keys: Vec::new(), rare: false },
    }
}

impl Part for IntegerTables {
    fn lower(&self, builder: &mut GraphBuilder, columns: &[ValueIdx]) -> Result<ValueIdx, Error> {
        let uses = self.uses();
        self.lower_by(builder, |feature| {
            uses.binary_search(&feature).ok().and_then(|at| columns.get(at).copied())
        })
    }
}
