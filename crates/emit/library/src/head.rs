//! What stands in memory about a model, as `crates/emit/src/wasm/head.rs` lays it out.

use alloc::string::String;
use alloc::vec::Vec;
use core::slice;
use ir::{ColumnKind, DType, Input};

/// Bytes, or structs: where they stand, and how many there are.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Part {
    at: *const u8,
    length: usize,
}

/// What is known of a model.
#[repr(C)]
pub struct Head {
    digest: u64,
    seed: u64,
    n_test_rows: u32,
    has_test: u32,
    signature: Part,
    columns: Part,
    missing: Part,
    outputs: Part,
}

/// A column: places among all kinds and dtypes, and its name.
#[repr(C)]
struct ColumnHead {
    kind: u32,
    dtype: u32,
    name: Part,
}

/// An output: where it stands.
#[repr(C)]
pub struct Output {
    /// Place among the roles.
    pub role: u32,
    /// Place among [`Element`]s.
    element: u32,
    /// Elements of a row.
    pub width: usize,
    at: *const u8,
}

#[link(wasm_import_module = "model")]
unsafe extern "C" {
    fn head() -> *const Head;
    fn row(values: *const u64, missing: *const bool) -> u32;
    fn draw(values: *mut u64, missing: *mut bool, states: *mut u64);
}

/// An element of an output.
pub enum Element {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(f64),
}

impl Part {
    fn bytes(self) -> &'static [u8] {
        // SAFETY: the exporter wrote so many bytes there, which nothing changes.
        unsafe { slice::from_raw_parts(self.at, self.length) }
    }

    fn text(self) -> &'static str {
        // SAFETY: it wrote them from text.
        unsafe { core::str::from_utf8_unchecked(self.bytes()) }
    }

    /// So many structs.
    fn all<T>(self) -> &'static [T] {
        // SAFETY: the exporter wrote so many of them there, aligned, which nothing changes.
        unsafe { slice::from_raw_parts(self.at.cast(), self.length) }
    }
}

/// The model.
pub fn model() -> &'static Head {
    // SAFETY: the exporter wrote it.
    unsafe { &*head() }
}

/// Runs a row: values of all columns, and which are missing. False if a text of it has no room.
pub fn run(values: &[u64], missing: &[bool]) -> bool {
    // SAFETY: both are as long as there are columns, and the texts that values point to live on.
    unsafe { row(values.as_ptr(), missing.as_ptr()) == 0 }
}

/// Draws a row of the self-test.
pub fn drawn(values: &mut [u64], missing: &mut [bool], states: &mut [u64]) {
    // SAFETY: all are as long as there are columns.
    unsafe { draw(values.as_mut_ptr(), missing.as_mut_ptr(), states.as_mut_ptr()) }
}

impl Head {
    /// The signature in JSON.
    pub fn signature(&self) -> &'static str {
        self.signature.text()
    }

    /// The columns that are bound.
    pub fn inputs(&self) -> Vec<Input> {
        let input = |column: &ColumnHead| Input {
            name: column.name.text().into(),
            kind: ColumnKind::ALL[column.kind as usize],
            dtype: DType::ALL[column.dtype as usize],
        };
        self.columns.all().iter().map(input).collect()
    }

    /// Cells that mean missing.
    pub fn missing(&self) -> Vec<String> {
        self.missing.all::<Part>().iter().map(|part| part.text().into()).collect()
    }

    /// The outputs in order.
    pub fn outputs(&self) -> &'static [Output] {
        self.outputs.all()
    }

    /// Digest, seed and number of rows of the self-test.
    pub fn test(&self) -> Option<(u64, u64, u32)> {
        (self.has_test != 0).then_some((self.digest, self.seed, self.n_test_rows))
    }
}

impl Output {
    /// An element of the row that was run last.
    pub fn element(&self, k: usize) -> Element {
        // SAFETY: it has `width` elements there, aligned, and `k` is below.
        unsafe {
            match self.element {
                0 => Element::I32(*self.at.cast::<i32>().add(k)),
                1 => Element::I64(*self.at.cast::<i64>().add(k)),
                2 => Element::F32(*self.at.cast::<u32>().add(k)),
                _ => Element::F64(*self.at.cast::<f64>().add(k)),
            }
        }
    }
}
