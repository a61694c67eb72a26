//! Columns with a role: what the user says of them, and what a recipe takes.

use crate::Error;
use crate::joined::{JoinOptions, Second};
use crate::output::refuse_same_file;
use data::ReadOptions;
use ir::ColumnKind;
use params::Params;
use prepare::past_rows;
use recipe::Relations;
use std::collections::BTreeMap;
use std::path::Path;

/// Columns by their role.
#[derive(Clone, Debug, Default)]
pub struct RelationOptions {
    /// Rows are ordered by it, and earlier rows become features.
    pub order: Option<String>,
    /// Rows of one group belong together: they share a fold, and only they are each other's past.
    pub group: Option<String>,
    /// Parameters of the features of earlier rows, as text.
    pub past: Vec<(String, String)>,
    /// A second table.
    pub join: Option<JoinOptions>,
}

impl RelationOptions {
    /// Kinds that roles ask for: keys are categories.
    pub(crate) fn add_types(&self, types: &mut BTreeMap<String, ColumnKind>) {
        let keys = [self.group.as_ref(), self.join.as_ref().map(|j| &j.on.0)];
        for key in keys.into_iter().flatten() {
            types.entry(key.clone()).or_insert(ColumnKind::Category);
        }
    }

    /// What a recipe takes; `second` is the second table, read.
    ///
    /// # Errors
    /// An unknown parameter or one out of range; one without `--order`.
    pub(crate) fn relations<'a>(&'a self, second: Option<&'a Second>) -> Result<Relations<'a>, Error> {
        if self.order.is_none() && !self.past.is_empty() {
            return Err(Error::input("--set past: rows have no order; name the column with --order"));
        }
        let past = Params::parse(past_rows::NAME, &[past_rows::SPEC], &self.past)
            .map_err(|e| Error::input(e.to_string()))?;
        Ok(Relations {
            order: self.order.as_deref(),
            group: self.group.as_deref(),
            past: self.order.is_some().then_some(past),
            join: self.join.as_ref().zip(second).map(|(options, second)| second.join(options)),
        })
    }

    /// Refuses to write over the second table, and to read it from standard input: it is read again to predict.
    ///
    /// # Errors
    /// `output` is the second table, or the second table is `-`.
    pub(crate) fn refuse_output(&self, output: &Path) -> Result<(), Error> {
        let Some(join) = &self.join else { return Ok(()) };
        if join.table == "-" {
            return Err(Error::input("--join -: the second table is read again to predict; name a file"));
        }
        refuse_same_file(output, &join.table)
    }

    /// The second table, read.
    ///
    /// # Errors
    /// As [`Second::read`].
    pub(crate) fn read_second(&self, read: &ReadOptions) -> Result<Option<Second>, Error> {
        self.join.as_ref().map(|j| Second::read(j, read)).transpose()
    }
}
