//! What the user may say about a table before it is read.

use crate::encoding::Encoding;
use ir::ColumnKind;
use std::collections::BTreeMap;

/// How a table is read. The default decides everything from the file.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Kinds that replace the inferred ones, by column name (`--types`).
    pub types: BTreeMap<String, ColumnKind>,
    /// Cells that mean missing, beside the built-in ones (`--missing`).
    pub missing: Vec<String>,
    /// Columns kept as the trimmed text as written, null only where blank: targets, groups.
    /// Their kind is still inferred, but no cell of theirs is an error.
    pub raw: Vec<String>,
    /// Columns that are not read (`--drop`).
    pub drop: Vec<String>,
    /// The delimiter of CSV; found out from the first lines if `None`.
    pub delimiter: Option<u8>,
    /// Whether the first row of CSV names the columns; found out from the first lines if `None`.
    /// Without a header they are named `column_1`, `column_2`, ..
    pub header: Option<bool>,
    /// How the bytes of CSV spell text.
    pub encoding: Encoding,
    /// Bytes that a table in memory may take.
    pub most_bytes: Option<u64>,
}
