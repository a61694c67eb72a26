//! How rows are read for models that are there: the flags that `compose`, `evaluate` and `predict` share.

use crate::values;
use std::path::PathBuf;

/// The second table, and how cells are spelt.
#[derive(clap::Args)]
pub(crate) struct RowArgs {
    /// The second table, instead of that of the fit
    #[arg(long, value_name = "FILE")]
    pub(crate) join: Option<PathBuf>,
    /// How the bytes of CSV spell text: utf-8 or latin-1
    #[arg(long, value_name = "NAME", default_value = "utf-8", hide_default_value = true, value_parser = values::encoding)]
    pub(crate) encoding: smidgen::Encoding,
    /// Cells that mean missing, beside those of training
    #[arg(long, value_name = "CELL,..", value_delimiter = ',', allow_hyphen_values = true)]
    pub(crate) missing: Vec<String>,
}
