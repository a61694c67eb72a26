//! A program as a WebAssembly file that needs nothing: the routines that it calls, its tables, and what JavaScript calls.
//!
//! The routines are those of emitted Rust, compiled once ([`library_source`], `cargo xtask library`), so that nobody who
//! exports a model needs a compiler; a program adds the calls and the constants, and leaves out what it does not call.

mod code;
mod head;
mod layout;
mod library;
mod source;

pub use source::library_source;

use crate::program::Program;
use crate::{Error, Kind};
use layout::Layout;
use library::{BUILT, Library, Own};

/// The file, which exports what the runtime of all models does, so that the same JavaScript loads it.
///
/// Rows are handed over as tables; columns are those of the signature, in their own types.
///
/// # Errors
/// `Option` where it takes more memory than 32 bits address, or a column is given in integers of its own.
pub fn wasm(program: &Program) -> Result<Vec<u8>, Error> {
    if let Some(column) = program.columns.iter().find(|column| column.integer.is_some()) {
        let (what, expected) = (format!("column \"{}\"", column.name), "a number as it is".to_string());
        return Err(Kind::Option { what, expected, got: "integers of few bits".to_string() }.into());
    }
    let library = Library::read(BUILT)?;
    let mut layout = Layout::try_new(program, library.end()?)?;
    let at = head::write(program, &mut layout)?;
    let functions = vec![
        ("head", code::head(at)),
        ("row", code::row(program, &layout, &library)?),
        ("draw", code::draw(program, &mut layout, &library)?),
    ];
    library.joined(&Own { functions, constants: layout.constants() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A change of what the library is built from asks for `cargo xtask library`.
    #[test]
    fn the_library_is_the_one_of_these_sources() {
        let library = Library::read(BUILT).unwrap();
        assert_eq!(
            library.constant("library_digest"),
            Some(source::digest().cast_signed()),
            "run cargo xtask library"
        );
    }
}
