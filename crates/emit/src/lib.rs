//! A model of tables as source code that needs nothing: C99, or a Rust module without `std`; or as a WebAssembly file.
//!
//! [`Program::try_new`] decides everything: which routines run in which order on which places of memory, and what
//! stands in the tables. [`c`], [`rust`] and [`wasm`] only write it. A routine is one function on one row, written once in each
//! language (`routines/`), and a program takes along those that it calls. Trees are walked in place, as bytes
//! ([`trees`]).
//!
//! What a program computes is what the graph computes, bit for bit; it proves so by the rows of the model's self-test,
//! which it regenerates.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may unwrap"))]

mod c;
mod error;
mod lower;
mod memory;
mod names;
mod program;
mod readme;
mod routines;
mod rust;
mod sample;
mod trees;
mod values;
mod wasm;

pub use c::c;
pub use error::{Error, Kind};
pub use program::{Argument, Element, Given, Integer, Made, Place, Program, Slot, Step, Table};
pub use rust::rust;
pub use sample::Sample;
pub use wasm::{library_source, wasm};

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name, without a folder.
    pub name: String,
    /// What stands in it.
    pub text: String,
}
