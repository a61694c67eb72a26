//! A whole table in memory: its profile and its batches.

use crate::batches::{batches, typed_batches};
use crate::error::{Kind, Result};
use crate::options::ReadOptions;
use crate::parquet::{self, Parquet};
use crate::profile::{TableProfile, profile};
use crate::source::Source;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};

/// A table in memory.
#[derive(Clone, Debug)]
pub struct Table {
    profile: TableProfile,
    batches: Vec<RecordBatch>,
}

impl Table {
    /// Reads a source twice: once to find out its types, once to keep its values.
    /// # Errors  Those of [`profile`] and [`batches`]; `TooLarge` beyond `ReadOptions::most_bytes`.
    pub fn read(source: &Source, options: &ReadOptions) -> Result<Table> {
        let profile = profile(source, options)?;
        let mut kept = Vec::new();
        let (mut bytes, mut n_rows) = (0u64, 0);
        for batch in batches(source, options, &profile)? {
            let batch = batch?;
            bytes += batch.get_array_memory_size() as u64;
            n_rows += batch.num_rows();
            if let Some(most) = options.most_bytes.filter(|most| bytes > *most) {
                return Err(Kind::TooLarge { table: profile.name, most, n_rows }.into());
            }
            kept.push(batch);
        }
        Ok(Table { profile, batches: kept })
    }

    /// Takes Arrow batches of one schema as the Parquet file that holds them would be read.
    /// # Errors  As [`Table::read`] of that file; `OtherSchema` if the batches are not alike. `name` stands for the
    /// file in messages.
    pub fn from_batches(name: &str, batches: &[RecordBatch], options: &ReadOptions) -> Result<Table> {
        let profile = parquet::profile(Parquet::in_memory(name, batches)?, options)?;
        let typed = typed_batches(Parquet::in_memory(name, batches)?, options, &profile)?;
        let batches = typed.collect::<Result<Vec<RecordBatch>>>()?;
        Ok(Table { profile, batches })
    }

    /// The same table with more rows behind its own; what is known of the columns stays that of its own rows.
    /// # Errors  `OtherSchema` if the batch has other columns.
    pub fn with_rows(&self, more: RecordBatch) -> Result<Table> {
        let types = |batch: &RecordBatch| -> Vec<_> {
            batch.schema().fields().iter().map(|f| (f.name().clone(), f.data_type().clone())).collect()
        };
        if self.batches.first().is_some_and(|first| types(first) != types(&more)) {
            let (table, batch) = (self.profile.name.clone(), self.batches.len() + 1);
            return Err(Kind::OtherSchema { table, batch }.into());
        }
        let batches = self.batches.iter().cloned().chain(std::iter::once(more)).collect();
        Ok(Table { profile: self.profile.clone(), batches })
    }

    /// What is known of the columns, in the order of the batches' columns.
    pub fn profile(&self) -> &TableProfile {
        &self.profile
    }

    /// The rows, in order.
    pub fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.profile.columns.len()
    }

    /// Position of the column `name`.
    /// # Errors  `UnknownColumn`, with the most alike name.
    pub fn column_idx(&self, name: &str) -> Result<usize> {
        self.profile.column_idx(name)
    }

    /// The arrays of column `idx`, one per batch; none if there is no such column.
    pub fn column(&self, idx: usize) -> impl Iterator<Item = &ArrayRef> + Clone {
        self.batches.iter().filter_map(move |batch| batch.columns().get(idx))
    }

    /// The cells of the raw column `name`, as [`crate::Target::resolve`] takes them; `None` where blank.
    /// # Errors  `UnknownColumn`; `NotRaw` if the column was not in `ReadOptions::raw`.
    pub fn raw_cells(&self, name: &str) -> Result<impl Iterator<Item = Option<&str>> + Clone> {
        let idx = self.column_idx(name)?;
        if !self.profile.columns.get(idx).is_some_and(|column| column.raw) {
            let (file, column) = (self.profile.name.clone(), String::from(name));
            return Err(Kind::NotRaw { file, column }.into());
        }
        let arrays = self.column(idx).filter_map(|a| a.as_any().downcast_ref::<StringArray>());
        Ok(arrays.flat_map(StringArray::iter))
    }
}
