//! `select_chi2`: keeps the columns that depend most on the class.

use crate::best_columns::{K, SHARE, deviate_of_chi2, keep_best};
use crate::error::{Error, Kind};
use crate::transform::{FeatureKind, FittedStep, StepInput, StepTarget, Transform, TransformEntry};
use params::{ParamSpec, Params};
use std::collections::BTreeMap;

/// The line of the table.
pub(crate) static ENTRY: TransformEntry = TransformEntry {
    name: "select_chi2",
    doc: "keeps the columns that depend most on the class",
    takes: &[FeatureKind::Number, FeatureKind::Category],
    sees_target: true,
    cleans: false,
    spec: SPEC,
    transform: &SelectChi2,
};

const SPEC: &[ParamSpec] = &[K, SHARE];

/// The columns of the largest `chi^2 = sum (observed - expected)^2 / expected` go on: for numbers, counts or other
/// amounts, over the classes, observed the sum of the class and expected the share of its rows in the sum of
/// all; for a category over classes and categories, missing being one of its own. Categories have more degrees
/// of freedom, so what is ranked is the normal deviate of the same chance, which for
/// columns alike ranks as chi^2 does. Rows whose number is not finite do not count. Of a column with a
/// negative number it is not defined: such columns go on. O(rows columns log categories).
/// # Errors  `Task` for a regression.
/// # Source  Pearson, Philosophical Magazine 50, 1900; scikit-learn's `SelectKBest` with `chi2`.
struct SelectChi2;

impl Transform for SelectChi2 {
    fn fit(&self, input: &StepInput<'_>, params: &Params) -> Result<FittedStep, Error> {
        let StepTarget::Classes(labels, n_classes) = input.target(ENTRY.name)? else {
            return Err(Kind::Task { transform: ENTRY.name, expected: "classes", got: "regression" }.into());
        };
        let classes = Classes { labels, n: n_classes };
        let scores = input.threads.map(input.columns.len(), |at| match input.columns[at].kind {
            FeatureKind::Number => classes.of_numbers(input, at).map(|(x, df)| deviate_of_chi2(x, df)),
            _ => {
                let (x, df) = classes.of_category(input, at);
                Some(deviate_of_chi2(x, df))
            }
        });
        Ok(keep_best(&scores, params))
    }
}

struct Classes<'a> {
    labels: &'a [u32],
    n: usize,
}

impl Classes<'_> {
    fn of(&self, row: u32) -> Option<usize> {
        self.labels.get(row as usize).map(|&class| class as usize).filter(|&class| class < self.n)
    }

    /// The statistic and its degrees of freedom; `None` where a number is negative.
    fn of_numbers(&self, input: &StepInput<'_>, at: usize) -> Option<(f64, f64)> {
        let mut sums = vec![0.0; self.n];
        let mut rows = vec![0u64; self.n];
        for (&x, &row) in input.numbers(at).iter().zip(input.rows) {
            let Some(class) = self.of(row).filter(|_| x.is_finite()) else { continue };
            if x < 0.0 {
                return None;
            }
            sums[class] += x;
            rows[class] += 1;
        }
        Some(chi2(&[sums], &rows))
    }

    fn of_category(&self, input: &StepInput<'_>, at: usize) -> (f64, f64) {
        let mut counts: BTreeMap<Option<&str>, Vec<f64>> = BTreeMap::new();
        let mut rows = vec![0u64; self.n];
        for (key, &row) in input.texts(at).into_iter().zip(input.rows) {
            let Some(class) = self.of(row) else { continue };
            counts.entry(key).or_insert_with(|| vec![0.0; self.n])[class] += 1.0;
            rows[class] += 1;
        }
        let counts: Vec<Vec<f64>> = counts.into_values().collect();
        let (x, df) = chi2(&counts, &rows);
        // The last category follows from the others.
        (x, df * (counts.len() as f64 - 1.0))
    }
}

/// The statistic of amounts by class, one row of `amounts` after the other, and `classes - 1`; NaN where there is
/// no amount.
fn chi2(amounts: &[Vec<f64>], rows: &[u64]) -> (f64, f64) {
    let n: u64 = rows.iter().sum();
    let mut sum = 0.0;
    for amounts in amounts {
        let total: f64 = amounts.iter().sum();
        for (observed, &rows) in amounts.iter().zip(rows).filter(|(_, rows)| **rows > 0) {
            let expected = total * (rows as f64 / n as f64);
            sum += (observed - expected) * (observed - expected) / expected;
        }
    }
    (sum, rows.iter().filter(|&&rows| rows > 0).count() as f64 - 1.0)
}

#[cfg(test)]
#[path = "select_chi2/tests.rs"]
mod tests;
