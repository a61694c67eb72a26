//! What the naive Bayes members share: class shares, tables of log odds by column, and their model.
//!
//! `log P(k | x) = log P(k) + sum_j log P(x_j | k) + const`. Each column's part is a table over its codes, from
//! which what all classes have in common is taken off: of two classes the log odds stay, of more the distance
//! from the mean over classes. A missing cell says nothing: its entry is 0.

use crate::additive_tables::{RealTables, RealTerm, TableColumn};
use crate::error::Kind;
use crate::{Error, FitInput, Fitted};
use ir::fixed::math;
use params::{ParamSpec, Params, Range, Value};
use trees::Target;

pub(crate) const TABLE_BITS: ParamSpec = ParamSpec {
    name: "table_bits",
    aliases: &[],
    default: Value::Int(16),
    range: Range::Int { low: 4, high: 16 },
    doc: "bits of an entry of a table",
};
pub(crate) const SMOOTHING: ParamSpec = ParamSpec {
    name: "smoothing",
    aliases: &["alpha"],
    default: Value::Real(1.0),
    range: Range::Real { low: 0.0, high: 1e6 },
    doc: "rows that are added to each count",
};
pub(crate) const PRIOR: ParamSpec = ParamSpec {
    name: "prior",
    aliases: &["fit_prior"],
    default: Value::Word("share"),
    range: Range::Words(&["share", "uniform"]),
    doc: "how probable classes are before any column is seen: as their share of the rows, or all alike",
};

/// Log odds beyond this in one column are cut: such odds decide whatever the other columns say.
const MOST_LOG_ODDS: f64 = 4096.0;
/// What the log of nothing is taken for.
const LEAST_SHARE: f64 = 1e-300;

/// Classes and weights of the training rows.
pub(crate) struct Classes<'a> {
    input: &'a FitInput<'a>,
    labels: &'a [u32],
    pub(crate) n_classes: usize,
    /// Weight of the training rows of each class.
    pub(crate) totals: Vec<f64>,
}

impl<'a> Classes<'a> {
    /// # Errors
    /// A target of numbers, no row of positive weight.
    pub(crate) fn new(input: &'a FitInput<'a>) -> Result<Classes<'a>, Error> {
        let (labels, n_classes) = match input.target {
            Target::Binary(labels) => (labels, 2),
            Target::Classes { labels, n_classes } => (labels, n_classes),
            Target::Values(_) | Target::Several(_) => return Err(Kind::NoClasses.into()),
        };
        let mut classes = Classes { input, labels, n_classes, totals: vec![0.0; n_classes] };
        let mut totals = vec![0.0; n_classes];
        classes.each(|_, class, weight| totals[class] += weight);
        if totals.iter().sum::<f64>() <= 0.0 {
            return Err(Kind::NoRows.into());
        }
        classes.totals = totals;
        Ok(classes)
    }

    /// Calls `f` with row, class and weight of the training rows that count.
    pub(crate) fn each(&self, mut f: impl FnMut(u32, usize, f64)) {
        for &row in &self.input.rows.train {
            let weight = self.input.weight(row);
            if weight > 0.0 {
                f(row, self.labels[row as usize] as usize, weight);
            }
        }
    }

    /// Weight of each (place, class) of a column, `[n_places, n_classes]`. A class without rows is distributed as
    /// all rows are.
    pub(crate) fn counts(&self, column: &TableColumn) -> Vec<f64> {
        let n = self.n_classes;
        let mut counts = vec![0.0; column.n_places() * n];
        self.each(|row, class, weight| counts[column.place(self.input.codes, row) * n + class] += weight);
        for cell in counts.chunks_exact_mut(n) {
            let all: f64 = cell.iter().sum();
            let empty = cell.iter_mut().zip(&self.totals).filter(|(_, total)| **total == 0.0);
            empty.for_each(|(count, _)| *count = all);
        }
        counts
    }

    /// Weight of the training rows of each place.
    pub(crate) fn weights(&self, column: &TableColumn) -> Vec<f64> {
        let mut weights = vec![0.0; column.n_places()];
        self.each(|row, _, weight| weights[column.place(self.input.codes, row)] += weight);
        weights
    }

    /// Logs of the classes' probabilities before any column is seen; a class without rows has that of half a row.
    pub(crate) fn log_priors(&self, params: &Params) -> Vec<f64> {
        if params.word("prior") == "uniform" {
            return vec![0.0; self.n_classes];
        }
        let total: f64 = self.totals.iter().sum();
        self.totals.iter().map(|&t| math::log(t.max(0.5) / total.max(1.0))).collect()
    }

    /// Log likelihoods or priors of the classes as scores of the model: log odds of two, distances from the mean
    /// of more.
    pub(crate) fn centred(&self, logs: &[f64]) -> Vec<f64> {
        if self.n_classes == 2 {
            return vec![(logs[1] - logs[0]).clamp(-MOST_LOG_ODDS, MOST_LOG_ODDS)];
        }
        // The largest one decides; what lies far below it is cut before the mean is taken. Distances first: equal
        // logs, however large, are no distance apart.
        let largest = logs.iter().fold(f64::NEG_INFINITY, |m, l| m.max(*l));
        let away = |l: &f64| if *l == largest { 0.0 } else { (l - largest).max(-2.0 * MOST_LOG_ODDS) };
        let mean = logs.iter().map(away).sum::<f64>() / self.n_classes as f64;
        logs.iter().map(|l| away(l) - mean).collect()
    }

    /// Scores a row.
    pub(crate) fn n_outputs(&self) -> usize {
        if self.n_classes == 2 { 1 } else { self.n_classes }
    }

    /// The table of a column from the log likelihoods of each place but missing, `[n_places - 1, n_classes]`.
    pub(crate) fn term(&self, at: usize, logs: &[f64]) -> RealTerm {
        let mut values: Vec<f64> = logs.chunks_exact(self.n_classes).flat_map(|l| self.centred(l)).collect();
        values.extend(vec![0.0; self.n_outputs()]);
        RealTerm { a: at, b: None, values }
    }

    /// The model of these tables.
    pub(crate) fn fitted(&self, columns: Vec<TableColumn>, terms: Vec<RealTerm>, params: &Params) -> Fitted {
        let intercepts = self.centred(&self.log_priors(params));
        let tables = RealTables { columns, terms, intercepts };
        tables.fitted(self.input, u32::try_from(params.int("table_bits")).unwrap_or(16))
    }

    /// Logs of smoothed shares `(count + a) / (total + a * n_places)` of the places but missing, `[n_places - 1,
    /// n_classes]`, from counts with missing last. The total is that of the rows where the column is known.
    pub(crate) fn log_shares(&self, counts: &[f64], smoothing: f64) -> Vec<f64> {
        let n = self.n_classes;
        let known = &counts[..counts.len() - n];
        let n_places = known.len() / n;
        let mut logs = vec![0.0; known.len()];
        for class in 0..n {
            let total: f64 = known.iter().skip(class).step_by(n).sum();
            let whole = total + smoothing * n_places as f64;
            for place in 0..n_places {
                let count = known[place * n + class] + smoothing;
                let share = if whole > 0.0 { count / whole } else { 1.0 / n_places as f64 };
                logs[place * n + class] = math::log(share.max(LEAST_SHARE));
            }
        }
        logs
    }
}
