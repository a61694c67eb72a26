//! A program in this language.

use crate::{Error, Program, SourceFile};

/// Prints a program.
///
/// # Errors
/// None yet.
pub fn c(_program: &Program, _name: &str) -> Result<Vec<SourceFile>, Error> {
    Ok(Vec::new())
}
