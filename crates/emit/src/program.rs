//! A program: what source code does with one row, before it has a language.

use crate::sample::Sample;
use crate::{Error, lower};
use ir::{ColumnKind, DType, Model, OutputRole, SelfTest, Signature};

/// How an element is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Element {
    /// Codes and truths.
    U8,
    /// Small integers.
    I16,
    /// Scores.
    I32,
    /// Ids of a bag.
    U32,
    /// Labels.
    I64,
    /// Bits of single precision.
    F32,
    /// Double precision.
    F64,
    /// Text, which stands elsewhere.
    Text,
}

/// Constants, each table once.
#[derive(Clone, Debug, PartialEq)]
pub enum Table {
    /// Bytes: trees, text, codes.
    U8(Vec<u8>),
    /// Integers of 8 bits.
    I8(Vec<i8>),
    /// Integers of 16 bits.
    I16(Vec<i16>),
    /// Unsigned integers of 16 bits.
    U16(Vec<u16>),
    /// Integers of 32 bits.
    I32(Vec<i32>),
    /// Unsigned integers of 32 bits.
    U32(Vec<u32>),
    /// Integers of 64 bits.
    I64(Vec<i64>),
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
}

impl Table {
    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        match self {
            Table::U8(v) => v.len(),
            Table::I8(v) => v.len(),
            Table::I16(v) => 2 * v.len(),
            Table::U16(v) => 2 * v.len(),
            Table::I32(v) => 4 * v.len(),
            Table::U32(v) => 4 * v.len(),
            Table::F32(v) => 4 * v.len(),
            Table::I64(v) => 8 * v.len(),
            Table::F64(v) => 8 * v.len(),
        }
    }
}

/// Some elements of one row in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What is stored.
    pub element: Element,
    /// How many.
    pub length: usize,
}

/// What a routine is given. Each routine says in its comment what it takes, in order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Argument {
    /// A slot from its first element: a pointer in C, in Rust a slice, to be written where the routine writes.
    Slot(usize),
    /// The same slot, to be written.
    Out(usize),
    /// The same from an element on.
    OutFrom(usize, usize),
    /// The first element of a slot, by value.
    Element(usize),
    /// All codes of the row, to be read: `const uint8_t *`, `&[u8]`.
    Codes,
    /// One of the codes of the row, to be written: `uint8_t *`, `&mut u8`.
    Code(usize),
    /// A table: a pointer to constants, a slice.
    Table(usize),
    /// No table: a null pointer, an empty slice.
    NoTable,
    /// The number that the caller gave for a column, and whether it is missing: two arguments, `double` or `int64_t`, and
    /// `int`; `f64` or `i64`, and `bool`.
    Number(usize),
    /// The text that the caller gave for a column: `sm_text`, `Option<&[u8]>`.
    Text(usize),
    /// The text of a slot: `sm_text`, `Option<&[u8]>`.
    SlotText(usize),
    /// A number: `int` in C where it fits 32 bits (`int32_t`), else `int64_t`; `i64` as the routine takes it in Rust.
    Whole(i64),
    /// A length: `uint32_t`, `usize`.
    Length(usize),
    /// A truth: 0 or 1, `bool`.
    Flag(bool),
    /// A double.
    Double(f64),
}

/// Where a value of the graph stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The caller gives it.
    Column(usize),
    /// In memory.
    Slot(usize),
    /// Among the codes.
    Code(usize),
    /// A bag: ids that rise, behind their number, and the weight of each.
    Bag {
        /// The slot of their number and the ids.
        ids: usize,
        /// The slot of their weights.
        weights: usize,
    },
}

/// A call of a routine.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Which one.
    pub routine: &'static str,
    /// With what.
    pub arguments: Vec<Argument>,
}

/// A column that the caller gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Name in the user's table.
    pub name: String,
    /// What it means.
    pub kind: ColumnKind,
    /// `I64`, `F64` or `Str`.
    pub dtype: DType,
}

/// An output of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// What it means.
    pub role: OutputRole,
    /// Which of several targets, from 0.
    pub target: usize,
    /// The slot that holds it.
    pub slot: usize,
}

/// What source code does with one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// Columns, in order.
    pub columns: Vec<Given>,
    /// Constants.
    pub tables: Vec<Table>,
    /// Places in memory.
    pub slots: Vec<Slot>,
    /// Codes of a row.
    pub n_codes: usize,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// Slots of one byte each that are 1, right behind the step that writes them, where more different terms of a
    /// vocabulary stand in a text than there is memory for. Such a row has no outputs: who calls the program is told so
    /// by an error. A text of at most 256 bytes never comes so far.
    pub refusals: Vec<usize>,
    /// Outputs, in the order of the graph.
    pub outputs: Vec<Made>,
    /// The model's own words on its columns, classes and targets.
    pub signature: Signature,
    /// Rows that prove it.
    pub self_test: Option<SelfTest>,
    /// What these rows are drawn from, by column.
    pub samples: Vec<Sample>,
}

impl Program {
    /// The program of a model.
    ///
    /// # Errors
    /// `Unsupported` for a node that has no form in source code.
    pub fn try_new(model: &Model) -> Result<Program, Error> {
        lower::lower(model)
    }

    /// Bytes of all tables.
    pub fn table_bytes(&self) -> usize {
        self.tables.iter().map(Table::bytes).sum()
    }
}

impl Step {
    /// The refusals that this step writes.
    pub fn refusals(&self, program: &Program) -> Vec<usize> {
        let written = self.arguments.iter().filter_map(|argument| match argument {
            Argument::Out(slot) => Some(*slot),
            _ => None,
        });
        written.filter(|slot| program.refusals.contains(slot)).collect()
    }
}
