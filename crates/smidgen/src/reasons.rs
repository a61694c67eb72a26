//! `predict --explain`: the columns that moved each prediction most, beside it.
//!
//! A model file holds no rows, so the table that is predicted is its own background: the first rows of its first
//! batch. The same table gives the same reasons on any number of threads.

use crate::Error;
use crate::table::Scorer;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, new_empty_array};
use arrow_schema::DataType;
use data::Bound;
use evaluate::explain::{Explainer, spelled};
use ir::{Column, Model, Signature};
use jobs::Threads;
use recipe::Predictions;
use std::sync::Arc;

/// Columns that are named for a row.
pub(crate) const N_REASONS: usize = 3;
/// Most rows of background: shares of trees need no more.
const BACKGROUND: usize = 4096;

/// Explains batches of a table; made from its first one.
pub(crate) struct Reasons<'m> {
    signature: &'m Signature,
    explainer: Explainer<'m>,
}

impl<'m> Reasons<'m> {
    /// Takes the first rows of a batch as background, all of them for a model that sees other rows.
    ///
    /// # Errors
    /// The batch has no row or does not fit the model, or the model has no score.
    pub(crate) fn new(
        model: &'m Model,
        scorer: &Scorer<'_>,
        batch: &RecordBatch,
    ) -> Result<Reasons<'m>, Error> {
        let most = if scorer.sees_other_rows() { usize::MAX } else { BACKGROUND };
        let first = batch.slice(0, batch.num_rows().min(most));
        let explainer =
            with_columns(model.signature(), scorer, &first, |columns| Ok(Explainer::new(model, columns)?))?;
        Ok(Reasons { signature: model.signature(), explainer })
    }

    /// The columns of a table without rows, which has nothing to compare with.
    pub(crate) fn of_no_rows() -> Vec<ArrayRef> {
        let mut made = vec![new_empty_array(&DataType::Utf8); N_REASONS];
        made.push(new_empty_array(&DataType::Float64));
        made
    }

    /// `reason_1` to `reason_3` and `base` of the rows of a batch. A reason is `column=cell: attribution`, the largest
    /// attribution in size first and the first column of equal ones, `?` for a missing cell; columns that moved nothing
    /// are left out, so there may be fewer.
    ///
    /// # Errors
    /// The batch does not fit the model.
    pub(crate) fn columns(
        &self,
        scorer: &Scorer<'_>,
        batch: &RecordBatch,
        predictions: &Predictions,
        threads: &Threads,
    ) -> Result<Vec<ArrayRef>, Error> {
        let classes: &[u32] = match predictions {
            Predictions::Classes { labels, .. } => labels,
            Predictions::Values(_) | Predictions::Several(_) => &[],
        };
        with_columns(self.signature, scorer, batch, |columns| {
            let explained = self.explainer.attribute(columns, classes, threads)?;
            let of_row = |row| self.of_row(columns, row, explained.row(row));
            let reasons: Vec<Vec<String>> = (0..batch.num_rows()).map(of_row).collect();
            let nth = |n: usize| {
                let texts = reasons.iter().map(|of_row| of_row.get(n).map(String::as_str));
                Arc::new(StringArray::from_iter(texts)) as ArrayRef
            };
            let mut made: Vec<ArrayRef> = (0..N_REASONS).map(nth).collect();
            made.push(Arc::new(Float64Array::from(explained.base)));
            Ok(made)
        })
    }

    fn of_row(&self, columns: &[Column<'_>], row: usize, attributions: &[f64]) -> Vec<String> {
        let mut moved: Vec<usize> = (0..attributions.len()).filter(|&c| attributions[c] != 0.0).collect();
        moved.sort_by(|&a, &b| attributions[b].abs().total_cmp(&attributions[a].abs()));
        let reason = |&c: &usize| {
            let (input, column) = (self.signature.inputs.get(c)?, columns.get(c)?);
            let cell = spelled(column, input, row);
            Some(format!("{}={}: {}", input.name, cell.as_deref().unwrap_or("?"), signed(attributions[c])))
        };
        moved.iter().take(N_REASONS).filter_map(reason).collect()
    }
}

/// Calls `f` with the columns of a batch, and of the second table, as the graph takes them.
pub(crate) fn with_columns<T>(
    signature: &Signature,
    scorer: &Scorer<'_>,
    batch: &RecordBatch,
    f: impl FnOnce(&[Column<'_>]) -> Result<T, Error>,
) -> Result<T, Error> {
    let bound = data::bind(batch, signature)?;
    let second = scorer.bind_second()?;
    let mut columns = bound.columns();
    columns.extend(second.iter().flat_map(Bound::columns));
    f(&columns)
}

/// Three significant digits with their sign, without an exponent wherever that is short.
fn signed(amount: f64) -> String {
    let short = format!("{amount:.2e}").parse::<f64>().unwrap_or(amount);
    if (1e-6..1e15).contains(&short.abs()) { format!("{short:+}") } else { format!("{short:+e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_three_digits_and_a_sign() {
        let cases = [
            (0.4249, "+0.425"),
            (-12.0, "-12"),
            (1234567.0, "+1230000"),
            (-0.000012345, "-0.0000123"),
            (1e-9, "+1e-9"),
            (-2.5e20, "-2.5e20"),
        ];
        for (amount, expected) in cases {
            assert_eq!(signed(amount), expected);
        }
    }
}
