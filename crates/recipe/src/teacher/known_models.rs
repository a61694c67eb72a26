//! Models of the teacher by the rows that they were fitted on, which label rows that nobody has predicted.
//!
//! It stands apart because here a teacher is a graph that is run: a student's made rows are cells of the table's columns
//! as they are in the table, which is what a model takes.

use crate::error::{Error, Kind};
use crate::predictions::Predictions;
use crate::prepared::Prepared;
use crate::whole::WholeColumn;
use data::by_column;
use ir::{Column, Model, Signature};
use jobs::Threads;
use runtime::Plan;
use trees::Rows;

/// Rows that one thread labels at a time.
const SLICE: usize = 4096;

/// A model that is ready to run, with the rows that it has seen.
pub(super) struct KnownModel {
    /// Rising.
    rows: Vec<u32>,
    signature: Signature,
    plan: Plan,
    n_classes: usize,
}

impl KnownModel {
    /// `n_classes` is 0 for numbers.
    ///
    /// # Errors
    /// As [`super::Teacher::with_model`].
    pub(super) fn try_new(rows: &[u32], model: &Model, n_classes: usize) -> Result<KnownModel, Error> {
        let signature = model.signature();
        let fault =
            |what, expected: String, got: String| Error::from(Kind::TeacherModel { what, expected, got });
        if signature.classes.len() != n_classes {
            let shown = |n: usize| if n == 0 { "numbers".to_owned() } else { format!("{n} classes") };
            return Err(fault("what it predicts", shown(n_classes), shown(signature.classes.len())));
        }
        let plan = Plan::new(model.graph())?;
        if plan.sees_other_rows() || signature.joined.is_some() {
            return Err(fault("its columns", "those of one row".into(), "columns of other rows".into()));
        }
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        Ok(KnownModel { rows, signature: signature.clone(), plan, n_classes })
    }

    /// True if it was fitted on these rows, rising.
    pub(super) fn is_of(&self, rows: &[u32]) -> bool {
        self.rows == rows
    }

    /// True if it has seen all rows that a fit learns from, and none of the others: it may say of new rows what they are.
    pub(super) fn serves(&self, rows: &Rows, n_rows: usize) -> bool {
        let mut is_seen = vec![false; n_rows];
        self.rows
            .iter()
            .map(|&row| row as usize)
            .filter(|row| *row < n_rows)
            .for_each(|row| is_seen[row] = true);
        let mut is_learnt = vec![false; n_rows];
        rows.train.iter().for_each(|&row| is_learnt[row as usize] = true);
        let is_held = |&&row: &&u32| !is_learnt[row as usize];
        rows.train.iter().all(|&row| is_seen[row as usize])
            && !rows.others.iter().filter(is_held).any(|&row| is_seen[row as usize])
    }

    /// What it says of `n` rows, probabilities `[n, n_classes]` or values, on all threads: the cells of a column come
    /// from the rows of the table that `rows_of(name)` gives.
    ///
    /// # Errors
    /// What `rows_of` says; the table has no such column; a cell that the graph refuses.
    pub(super) fn says<'r>(
        &self,
        prepared: &Prepared<'_>,
        rows_of: impl Fn(&str) -> Result<&'r Vec<u32>, Error>,
        n: usize,
        threads: &Threads,
    ) -> Result<Vec<f64>, Error> {
        let inputs = &self.signature.inputs;
        let rows = inputs.iter().map(|input| rows_of(&input.name)).collect::<Result<Vec<_>, Error>>()?;
        let bound = prepared.bound(inputs)?;
        let columns = by_column(&bound, inputs.len());
        let slices = threads.map(n.div_ceil(SLICE), |slice| {
            let range = slice * SLICE..n.min((slice + 1) * SLICE);
            let taken = columns.iter().zip(&rows).map(|(chunks, rows)| {
                let rows = rows.get(range.clone())?;
                WholeColumn::taken(chunks, rows)
            });
            let taken = taken.collect::<Option<Vec<WholeColumn>>>();
            let taken = taken.ok_or_else(|| Kind::TooLong { n_columns: inputs.len() })?;
            let columns: Option<Vec<Column<'_>>> = taken.iter().map(WholeColumn::column).collect();
            let outputs = self.plan.run(&columns.unwrap_or_default())?;
            let said = match Predictions::from_outputs(&outputs, &self.signature) {
                Some(Predictions::Classes { probabilities, .. }) => probabilities,
                Some(Predictions::Values(values)) => values,
                Some(Predictions::Several(_)) | None => Vec::new(),
            };
            let expected = range.len() * self.n_classes.max(1);
            if said.len() != expected {
                let (what, expected, got) = ("its outputs", expected.to_string(), said.len().to_string());
                return Err(Error::from(Kind::TeacherModel { what, expected, got }));
            }
            Ok(said)
        });
        Ok(slices.into_iter().collect::<Result<Vec<_>, Error>>()?.concat())
    }
}
