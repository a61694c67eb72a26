//! Columns of an Arrow batch as a model takes them: by name, in the order of its signature.
//!
//! A column whose type is the one that the graph takes is borrowed; others are converted once and
//! owned by [`Bound`]:
//! - a number given as another integer or float type, or as bool (0 and 1), is widened; a float
//!   for an `I64` input becomes its ceiling, saturated; NaN is missing;
//! - a category or text given as text is trimmed, and missing where that leaves nothing;
//! - a category or text given as numbers becomes their canonical spelling (32-bit floats their own
//!   shortest one);
//! - a category whose training cells were all numbers, given as text: cells that are numbers get
//!   their canonical spelling.
//!
//! A column of Arrow's null type is missing throughout.

mod numbers;
mod strings;

use crate::error::{Kind, Result};
use crate::plan::missing_columns;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use ir::{Bits, Column, ColumnData, ColumnKind, DType, Input, Signature};
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
            Slot::Owned(owned) => owned.column(),
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
    Owned(Owned),
}

/// A converted column.
#[derive(Debug)]
struct Owned {
    values: Values,
    nulls: Option<NullBuffer>,
}

#[derive(Debug)]
enum Values {
    I64(Vec<i64>),
    F64(Vec<f64>),
    Str { offsets: Vec<i32>, bytes: Vec<u8> },
}

impl Owned {
    fn column(&self) -> Option<Column<'_>> {
        let data = match &self.values {
            Values::I64(values) => ColumnData::I64(values),
            Values::F64(values) => ColumnData::F64(values),
            Values::Str { offsets, bytes } => ColumnData::Str { offsets, bytes },
        };
        make_column(data, self.nulls.as_ref())
    }
}

/// Finds the inputs of a signature in a batch, by name; other columns are not looked at.
/// Of several columns of one name the first is taken.
/// # Errors  `MissingColumns` names every missing one; `WrongType`, `ArrayType` (dictionaries, views,
/// large strings, decimals, times: not yet), `TimeKind`; `TooLong` for 2^31 bytes of converted text.
pub fn bind<'a>(batch: &'a RecordBatch, signature: &Signature) -> Result<Bound<'a>> {
    let schema = batch.schema_ref();
    let mut position: HashMap<&str, usize> = HashMap::with_capacity(schema.fields().len());
    for (idx, field) in schema.fields().iter().enumerate() {
        position.entry(field.name()).or_insert(idx);
    }
    let mut slots = Vec::with_capacity(signature.inputs.len());
    let mut missing: Vec<&str> = Vec::new();
    for input in &signature.inputs {
        match position.get(input.name.as_str()).and_then(|&idx| batch.columns().get(idx)) {
            Some(array) => slots.push(bind_one(array, input)?),
            None => missing.push(&input.name),
        }
    }
    if !missing.is_empty() {
        let used: HashSet<&str> = signature.inputs.iter().map(|i| i.name.as_str()).collect();
        let names = schema.fields().iter().map(|field| field.name().as_str());
        return Err(missing_columns(String::from("table"), &missing, names, &used, &[]));
    }
    Ok(Bound { slots, n_rows: batch.num_rows() })
}

fn bind_one<'a>(array: &'a ArrayRef, input: &Input) -> Result<Slot<'a>> {
    let is_i64 = input.dtype == DType::I64;
    let borrowed = match (input.kind, array.data_type()) {
        (ColumnKind::Number | ColumnKind::Time, DataType::Int64) if is_i64 => {
            let values = array.as_primitive_opt::<Int64Type>().map(|a| ColumnData::I64(a.values()));
            values.and_then(|data| make_column(data, array.nulls()))
        }
        (ColumnKind::Number, DataType::Float64) if !is_i64 => {
            let values = array.as_primitive_opt::<Float64Type>().map(|a| ColumnData::F64(a.values()));
            values.and_then(|data| make_column(data, array.nulls()))
        }
        (ColumnKind::Time, DataType::Utf8) if is_i64 => {
            return Err(Kind::TimeKind { column: input.name.clone() }.into());
        }
        (ColumnKind::Time, other) if *other != DataType::Utf8 => {
            return Err(Kind::TimeKind { column: input.name.clone() }.into());
        }
        (ColumnKind::Category | ColumnKind::Text | ColumnKind::Time, DataType::Utf8) => {
            array.as_string_opt::<i32>().filter(|a| strings::are_keys(a, key_dtype(input))).and_then(|a| {
                let data = ColumnData::Str { offsets: a.value_offsets(), bytes: a.value_data() };
                make_column(data, array.nulls())
            })
        }
        _ => None,
    };
    if let Some(column) = borrowed {
        return Ok(Slot::Borrowed(column));
    }
    let owned = match input.kind {
        ColumnKind::Number if is_i64 => numbers::to_i64(array),
        ColumnKind::Number => numbers::to_f64(array),
        ColumnKind::Category | ColumnKind::Text | ColumnKind::Time => {
            strings::to_keys(array, key_dtype(input))
        }
    };
    let owned = owned.ok_or_else(|| type_error(array.data_type(), input))?;
    if owned.column().is_none() {
        return Err(Kind::TooLong { column: input.name.clone() }.into());
    }
    Ok(Slot::Owned(owned))
}

/// The dtype whose canonical spelling the keys have; `Str` for text as it is.
fn key_dtype(input: &Input) -> DType {
    match (input.kind, input.dtype) {
        (ColumnKind::Category, DType::I64 | DType::F64) => input.dtype,
        _ => DType::Str,
    }
}

fn type_error(got: &DataType, input: &Input) -> crate::Error {
    let (column, number) = (input.name.clone(), input.kind == ColumnKind::Number);
    match got {
        DataType::Utf8 | DataType::Boolean => {
            Kind::WrongType { column, expected: input.kind, got: got.to_string() }.into()
        }
        other => {
            let cast = if number { "Int64 or Float64" } else { "Utf8" };
            Kind::ArrayType { column, got: other.to_string(), cast }.into()
        }
    }
}

/// A column over Arrow's buffers.
fn make_column<'a>(data: ColumnData<'a>, nulls: Option<&'a NullBuffer>) -> Option<Column<'a>> {
    let validity = match nulls.filter(|nulls| nulls.null_count() > 0) {
        Some(nulls) => Some(Bits::try_new(nulls.validity(), nulls.offset(), nulls.len())?),
        None => None,
    };
    Column::try_new(data, validity)
}

#[cfg(test)]
mod tests;
