//! Tables: reading them, finding out what their columns are, and binding them to a model.
//!
//! A file is read twice. The first pass ([`profile`]) finds the delimiter, checks every row and
//! decides the kind and the storage type of each column over the **whole** file; the second
//! ([`batches`]) makes typed Arrow batches. Both hold one batch at a time, so a file may be larger
//! than memory; [`Table::read`] keeps the batches. A model that exists already reads one pass
//! ([`ReadPlan`]), with the types of its signature, and takes columns by name ([`bind`]).
//!
//! Rules that hold everywhere in this crate:
//! - rows are counted from 1 after the header, if there is one; lines are counted from 1 with it;
//! - cells are trimmed as `ir::text::category_key` does;
//! - missing is null, NaN does not occur in what is read; infinite numbers are kept;
//! - a *raw* column is the trimmed text as written, null only where it is blank.
//!
//! CSV (plain or gzip) and Parquet are read, known by their first bytes. Times of a typed file are
//! microseconds; those of CSV stay text, whose format the profile names.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may unwrap"))]

mod arrays;
mod batches;
mod bind;
mod builders;
mod cell;
mod classes;
mod csv;
mod encoding;
mod error;
mod facts;
mod folds;
mod images;
mod infer;
mod markers;
mod nearest;
mod options;
mod parquet;
mod plan;
mod profile;
mod source;
mod storage;
mod summary;
mod table;
mod target;
mod write;

pub use arrays::{read_arrays, write_npz};
pub use batches::{Batches, batches};
pub use bind::{Bound, bind, bind_inputs, by_column};
pub use classes::Classes;
pub use encoding::Encoding;
pub use error::{BadCell, Error, Kind, MissingColumn, Nature, Result};
pub use folds::{Strata, folds};
pub use images::{ImageOptions, ImageSet, Pixels};
pub use markers::Markers;
pub use nearest::nearest;
pub use options::ReadOptions;
pub use plan::{ReadPlan, read_for};
pub use profile::{ColumnProfile, TableProfile, profile};
pub use source::{Opened, Source};
pub use summary::{ColumnSummary, Spread, Summaries, Value};
pub use table::Table;
pub use target::{NamedTarget, Target, TargetOptions, TargetValues};
pub use write::{Format, TableWriter};
