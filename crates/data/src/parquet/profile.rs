//! The first pass over a Parquet file.

use super::{Chunk, Parquet};
use crate::error::{Kind, Result};
use crate::facts::{Facts, distinct_cap};
use crate::infer::{Place, infer};
use crate::markers::Markers;
use crate::options::ReadOptions;
use crate::profile::{ColumnProfile, TableProfile, check_names};
use crate::storage::Storage;
use ir::ColumnKind;
use std::collections::HashSet;

/// A column and what is known of it.
struct Look {
    file_idx: usize,
    storage: Storage,
    declared: Option<ColumnKind>,
    facts: Facts,
}

impl Look {
    /// True if the cells are seen as CSV that spells them: times that are declared anything else,
    /// and text that is declared a number.
    fn is_spelt(&self) -> bool {
        match self.storage {
            Storage::Time => self.declared.is_some_and(|kind| kind != ColumnKind::Time),
            Storage::Text => self.declared == Some(ColumnKind::Number),
            Storage::Untyped | Storage::Number | Storage::Bool | Storage::Null => false,
        }
    }
}

/// As `crate::profile`, of a Parquet file or of batches in memory.
pub(crate) fn profile(parquet: Parquet, options: &ReadOptions) -> Result<TableProfile> {
    let file = parquet.file();
    check_names(&file, parquet.names(), options)?;
    let dropped: HashSet<&str> = options.drop.iter().map(String::as_str).collect();
    let raw: HashSet<&str> = options.raw.iter().map(String::as_str).collect();
    let names = parquet.names().to_vec();
    let cap = distinct_cap(names.len());
    let mut looks = Vec::with_capacity(names.len());
    for (file_idx, name) in names.iter().enumerate().filter(|(_, name)| !dropped.contains(name.as_str())) {
        let storage = parquet.storage(file_idx)?;
        let declared = options.types.get(name).copied();
        looks.push(Look { file_idx, storage, declared, facts: Facts::new(cap) });
    }
    let markers = Markers::new(&options.missing);
    let wanted: Vec<usize> = looks.iter().map(|look| look.file_idx).collect();
    let mut rows = parquet.rows(&wanted)?;
    while let Some(chunk) = rows.next()? {
        for (at, look) in looks.iter_mut().enumerate() {
            see(look, &chunk, at, &markers).map_err(|row| {
                let (column, position) = rows.column(at);
                Kind::TimeRange { file: rows.file(), column, position, row }
            })?;
        }
    }
    if rows.row() == 0 {
        return Err(Kind::EmptyTable { file: rows.file() }.into());
    }
    let mut columns = Vec::with_capacity(looks.len());
    for look in looks {
        let name = &names[look.file_idx];
        let raw = raw.contains(name.as_str());
        let Look { file_idx, storage, declared, facts } = look;
        let place = Place { file: &file, column: name, position: file_idx + 1, storage };
        let found = infer(&facts, declared, raw, &place)?;
        columns.push(ColumnProfile::new(name.clone(), file_idx, raw, found, facts));
    }
    Ok(TableProfile { name: rows.file(), n_rows: rows.row(), columns, delimiter: None, has_header: true })
}

/// Sees the cells of a column; the row, from 1, of a time beyond 64 bits of microseconds.
fn see(look: &mut Look, chunk: &Chunk, at: usize, markers: &Markers) -> std::result::Result<(), u64> {
    let is_spelt = look.is_spelt();
    let Some(cells) = chunk.columns.get(at) else { return Ok(()) };
    for row in 0..cells.n_rows() {
        let number = chunk.first_row + row as u64;
        let facts = &mut look.facts;
        let Some(cell) = cells.get(row) else {
            facts.see_missing();
            continue;
        };
        match (cell.text(), cell.number()) {
            (Some(text), _) if is_spelt => facts.see(text.as_bytes(), number, markers),
            (Some(text), _) => facts.see_text(text.as_bytes(), number, markers),
            _ if is_spelt => facts.see(cell.spell().as_bytes(), number, markers),
            _ if cell.is_missing(markers) => facts.see_missing(),
            (None, Some(value)) => facts.see_number(value, number, || cell.spell().into_owned()),
            (None, None) => return Err(number),
        }
    }
    Ok(())
}
