//! Columns of an Arrow batch as a model takes them: by name, in the order of its signature.
//!
//! A batch of any of the types that a Parquet file may have binds as that file would be read
//! ([`crate::ReadPlan::read`]): dictionaries, views, decimals, times with and without zone; `signature.missing`
//! and the built-in markers are missing. A column that holds already what the model takes is borrowed, any other
//! is converted once and owned by [`Bound`].
//!
//! A batch that this crate has read says so in its schema: its missing cells are null already, and are
//! not looked for again (`-999.0` is no marker in a CSV where `-999` is one, though they are one number).

use crate::builders::{Form, column_of, is_read};
use crate::cell::{Number, number_key, trim};
use crate::error::{Kind, Result, short};
use crate::markers::Markers;
use crate::parquet::Cells;
use crate::plan::missing_columns;
use crate::storage::Storage;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::DataType;
use ir::{Bits, Column, ColumnData, Input, Signature};
use std::collections::{HashMap, HashSet};

/// The columns that a model takes, borrowed from a batch where its types agree.
#[derive(Debug)]
pub struct Bound<'a> {
    slots: Vec<Slot<'a>>,
    n_rows: usize,
}

impl Bound<'_> {
    /// The columns in the order of the signature. O(columns), and O(rows) for each owned text column.
    pub fn columns(&self) -> Vec<Column<'_>> {
        let columns = self.slots.iter().map(|slot| match slot {
            Slot::Borrowed(column) => Some(*column),
            Slot::Owned(array) => column(array),
        });
        // `bind` has made each of them once, from the same buffers.
        columns.map(|column| column.expect("an owned column is checked when it is bound")).collect()
    }

    /// Number of rows of the batch.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }
}

#[derive(Debug)]
enum Slot<'a> {
    Borrowed(Column<'a>),
    /// Converted.
    Owned(ArrayRef),
}

/// Where the columns of a batch come from.
struct Origin {
    markers: Markers,
    /// True if this crate has read them.
    is_read: bool,
}

/// Finds the inputs of a signature in a batch; see [`bind_inputs`].
/// # Errors  As there.
pub fn bind<'a>(batch: &'a RecordBatch, signature: &Signature) -> Result<Bound<'a>> {
    bind_inputs(batch, &signature.inputs, &signature.missing)
}

/// Finds inputs in a batch, by name; other columns are not looked at. Cells of `missing` are missing, beside
/// the built-in ones. Of several columns of one name the first is taken.
/// # Errors  `MissingColumns` names every missing one; `ArrayType` for nested and binary types;
/// `WrongType` for a time made of anything else; `TextInNumber`, `TimeRange`, `ZeroText` with the row, from 1 in
/// the batch; `TooLong` for 2^31 bytes of converted text.
pub fn bind_inputs<'a>(
    batch: &'a RecordBatch,
    inputs: &[Input],
    missing_cells: &[String],
) -> Result<Bound<'a>> {
    let schema = batch.schema_ref();
    let mut position: HashMap<&str, usize> = HashMap::with_capacity(schema.fields().len());
    for (idx, field) in schema.fields().iter().enumerate() {
        position.entry(field.name()).or_insert(idx);
    }
    let is_read = is_read(schema);
    let markers = if is_read { Markers::default() } else { Markers::new(missing_cells) };
    let origin = Origin { markers, is_read };
    let mut slots = Vec::with_capacity(inputs.len());
    let mut missing: Vec<&str> = Vec::new();
    for input in inputs {
        let found = position.get(input.name.as_str()).copied();
        match found.and_then(|idx| Some((idx, batch.columns().get(idx)?))) {
            Some((idx, array)) => slots.push(bind_one(array, idx + 1, input, &origin)?),
            None => missing.push(&input.name),
        }
    }
    if !missing.is_empty() {
        let used: HashSet<&str> = inputs.iter().map(|i| i.name.as_str()).collect();
        let names = schema.fields().iter().map(|field| field.name().as_str());
        return Err(missing_columns(String::from(TABLE), &missing, names, &used, &[]));
    }
    Ok(Bound { slots, n_rows: batch.num_rows() })
}

/// The chunks of each of the columns of batches that are bound to the same inputs.
pub fn by_column<'b>(bound: &'b [Bound<'_>], n_columns: usize) -> Vec<Vec<Column<'b>>> {
    let mut columns: Vec<Vec<Column<'b>>> = vec![Vec::with_capacity(bound.len()); n_columns];
    for bound in bound {
        for (chunks, column) in columns.iter_mut().zip(bound.columns()) {
            chunks.push(column);
        }
    }
    columns
}

/// What messages call a batch, which has no name.
const TABLE: &str = "table";

fn bind_one<'a>(array: &'a ArrayRef, position: usize, input: &Input, origin: &Origin) -> Result<Slot<'a>> {
    if let Some(column) = borrowed(array, input, origin) {
        return Ok(Slot::Borrowed(column));
    }
    let unfit = || {
        let (column, got) = (input.name.clone(), array.data_type().to_string());
        match Storage::of(array.data_type()) {
            Some(_) => Kind::WrongType { column, expected: input.kind, got },
            None => Kind::ArrayType { column, got, cast: "a number, text or time type" },
        }
    };
    let form = Form::of(input.kind, input.dtype);
    let is_time = Storage::of(array.data_type()) == Some(Storage::Time);
    if form == Form::Time && !is_time && array.data_type() != &DataType::Null {
        return Err(unfit().into());
    }
    let cells = Cells::new(array).ok_or_else(unfit)?;
    let place = |row: usize| (String::from(TABLE), input.name.clone(), row as u64 + 1);
    if let Some(row) = cells.zero_byte().filter(|_| !origin.is_read) {
        let (file, column, row) = place(row);
        return Err(Kind::ZeroText { file, row, column, position }.into());
    }
    let owned = match column_of(form, &cells, &origin.markers) {
        Ok(owned) => owned?,
        Err(bad) => {
            let (file, column, row) = place(bad.0);
            return Err(match cells.get(bad.0) {
                Some(cell) if form != Form::Time => {
                    let cell = short(ir::text::category_key(&cell.spell()));
                    Kind::TextInNumber { file, column, position, row, line: None, cell }
                }
                _ => Kind::TimeRange { file, column, position, row },
            }
            .into());
        }
    };
    match owned.filter(|array| column(array).is_some()) {
        Some(array) => Ok(Slot::Owned(array)),
        None => Err(Kind::TooLong { column: input.name.clone() }.into()),
    }
}

/// The column as it is, if every cell of it is what the model takes.
fn borrowed<'a>(array: &'a ArrayRef, input: &Input, origin: &Origin) -> Option<Column<'a>> {
    let markers = &origin.markers;
    let unmarked = |number| !markers.is_missing_number(number);
    let form = Form::of(input.kind, input.dtype);
    let fits = match (form, array.data_type()) {
        (Form::I64, DataType::Int64) => {
            let values = array.as_primitive_opt::<Int64Type>()?.values();
            !markers.has_extra() || values.iter().all(|&v| unmarked(Number::Int(v)))
        }
        (Form::F64, DataType::Float64) => {
            let values = array.as_primitive_opt::<Float64Type>()?.values();
            !markers.has_extra() || values.iter().all(|&v| unmarked(Number::Float(v)))
        }
        (Form::Time, DataType::Int64) => origin.is_read,
        (Form::Text | Form::Key(_), DataType::Utf8) => are_keys(array.as_string_opt()?, form, origin),
        _ => false,
    };
    if fits { column(array) } else { None }
}

/// True if every cell is its own key already.
fn are_keys(array: &StringArray, form: Form, origin: &Origin) -> bool {
    let is_key = |text: &str| {
        let key = trim(text.as_bytes());
        let spelt = match form {
            Form::Key(dtype) => number_key(key, dtype).is_none_or(|spelt| spelt == text),
            _ => true,
        };
        key.len() == text.len() && spelt && !origin.markers.is_missing_bytes(key)
    };
    (origin.is_read || !array.value_data().contains(&0)) && array.iter().flatten().all(is_key)
}

/// A column over the buffers of an array; `None` for other types than those of [`Form`].
fn column(array: &ArrayRef) -> Option<Column<'_>> {
    let data = match array.data_type() {
        DataType::Int64 => ColumnData::I64(array.as_primitive_opt::<Int64Type>()?.values()),
        DataType::Float64 => ColumnData::F64(array.as_primitive_opt::<Float64Type>()?.values()),
        _ => {
            let texts = array.as_string_opt::<i32>()?;
            ColumnData::Str { offsets: texts.value_offsets(), bytes: texts.value_data() }
        }
    };
    let validity = match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        Some(nulls) => Some(Bits::try_new(nulls.validity(), nulls.offset(), nulls.len())?),
        None => None,
    };
    Column::try_new(data, validity)
}

#[cfg(test)]
mod tests;
