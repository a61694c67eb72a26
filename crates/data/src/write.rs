//! Writing tables: CSV and Parquet, batch by batch.
//!
//! CSV is RFC 4180 with a header; numbers are the shortest that read back to the same value, whole doubles
//! without a point; missing is an empty cell. Parquet is written with zstd.

use crate::error::{Kind, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::io::Write;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values.
    Csv,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// The format of a file's name: `.parquet`, or `.csv` and everything else.
    pub fn of(name: &str) -> Format {
        if name.ends_with(".parquet") { Format::Parquet } else { Format::Csv }
    }
}

/// Writes batches of one schema.
pub struct TableWriter<W: Write + Send> {
    out: Writing<W>,
}

enum Writing<W: Write + Send> {
    Csv(Box<csv::Writer<W>>),
    Parquet(Box<ArrowWriter<W>>),
}

impl<W: Write + Send> TableWriter<W> {
    /// Starts a table; CSV gets its header at once.
    /// # Errors  `Write`: the columns cannot be written in this format, or `out` fails.
    pub fn new(out: W, format: Format, schema: SchemaRef) -> Result<TableWriter<W>> {
        let out = match format {
            Format::Csv => {
                let mut writer =
                    csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(out);
                let names = schema.fields().iter().map(|f| f.name());
                writer.write_record(names).map_err(|e| failed(&e))?;
                Writing::Csv(Box::new(writer))
            }
            Format::Parquet => {
                let level = ZstdLevel::try_new(3).map_err(|e| failed(&e))?;
                let properties =
                    WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
                Writing::Parquet(Box::new(
                    ArrowWriter::try_new(out, schema, Some(properties)).map_err(|e| failed(&e))?,
                ))
            }
        };
        Ok(TableWriter { out })
    }

    /// Adds the rows of a batch.
    /// # Errors  `Write`.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match &mut self.out {
            Writing::Parquet(writer) => writer.write(batch).map_err(|e| failed(&e)),
            Writing::Csv(writer) => {
                for row in 0..batch.num_rows() {
                    for column in batch.columns() {
                        writer.write_field(cell(column.as_ref(), row)).map_err(|e| failed(&e))?;
                    }
                    writer.write_record(None::<&[u8]>).map_err(|e| failed(&e))?;
                }
                Ok(())
            }
        }
    }

    /// Writes what is left.
    /// # Errors  `Write`.
    pub fn finish(self) -> Result<()> {
        match self.out {
            Writing::Csv(mut writer) => writer.flush().map_err(|e| failed(&e)),
            Writing::Parquet(writer) => writer.close().map(|_| ()).map_err(|e| failed(&e)),
        }
    }
}

fn failed(error: &dyn std::fmt::Display) -> crate::Error {
    Kind::Write { why: error.to_string() }.into()
}

/// A cell as CSV spells it; columns that are neither numbers nor text are empty.
fn cell(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return String::new();
    }
    let whole = |text: String| text.strip_suffix(".0").map_or(text.clone(), str::to_owned);
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float32 => whole(format!("{:?}", column.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => match column.as_primitive::<Float64Type>().value(row) {
            v if v.is_nan() => String::new(),
            v => whole(format!("{v:?}")),
        },
        _ => String::new(),
    }
}
