//! Preparing columns: what is wrong with them, and what learners get of them.
//!
//! [`clean`] looks at a table before anything is learnt and says what a person should know: copies of
//! rows, columns that only name rows, numbers that stand for "missing", spellings that differ by
//! case alone, columns that give the target away. It changes nothing by itself.
//!
//! The Transform family ([`transform`]) derives columns; a member is one file and one line in
//! [`TRANSFORMS`].

pub mod clean;
mod time_parts;
pub mod transform;

/// Every transform, in the order in which their columns are derived.
pub static TRANSFORMS: &[&transform::TransformEntry] = &[&time_parts::ENTRY];

/// Something that a person should know and that is no error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Stable word for programs.
    pub code: &'static str,
    /// The column that it is about.
    pub column: Option<String>,
    /// What it is, for people.
    pub text: String,
}

impl Warning {
    /// A warning about a column.
    pub fn column(code: &'static str, column: &str, text: String) -> Warning {
        Warning { code, column: Some(column.to_owned()), text }
    }

    /// A warning about the table.
    pub fn table(code: &'static str, text: String) -> Warning {
        Warning { code, column: None, text }
    }
}
