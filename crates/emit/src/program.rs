//! A program: what source code does with one row, before it has a language.

use crate::sample::Sample;
use crate::{Error, Kind, lower};
use ir::{ColumnKind, DType, Model, OutputRole, SelfTest, Signature};

/// How an element is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Element {
    /// Codes and truths.
    U8,
    /// Small integers.
    I16,
    /// Small integers, counted from the lowest one.
    U16,
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

impl Element {
    /// Bytes that it takes where addresses have 32 bits.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Element::U8 => 1,
            Element::I16 | Element::U16 => 2,
            Element::I32 | Element::U32 | Element::F32 => 4,
            Element::I64 | Element::F64 | Element::Text => 8,
        }
    }
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
    /// Texts: all bytes, and the places where each begins and the last one ends.
    pub(crate) fn of_texts(texts: &[String]) -> [Table; 2] {
        let (mut bytes, mut starts) = (Vec::new(), vec![0u32]);
        for text in texts {
            bytes.extend_from_slice(text.as_bytes());
            starts.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        }
        [Table::U8(bytes), Table::U32(starts)]
    }

    /// Whether another one has the same type and the same bits.
    pub(crate) fn is_same(&self, other: &Table) -> bool {
        match (self, other) {
            (Table::F32(a), Table::F32(b)) => a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits())),
            (Table::F64(a), Table::F64(b)) => a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits())),
            (a, b) => a == b,
        }
    }

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
    /// Which columns are missing: in C the bits that the caller gave, `const uint8_t *`; in Rust a truth by column, `&[bool]`.
    Missing,
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
    /// A number between edges, by its place among them: its code is made where it is asked for.
    Binned(usize),
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

/// Integers that a column of numbers is given in, where they are fewer than the model's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integer {
    /// 8 bits.
    I8,
    /// 8 bits, not below 0.
    U8,
    /// 16 bits.
    I16,
    /// 16 bits, not below 0.
    U16,
    /// 32 bits.
    I32,
    /// 32 bits, not below 0.
    U32,
}

impl Integer {
    /// Every member.
    pub const ALL: &'static [Integer] =
        &[Integer::I8, Integer::U8, Integer::I16, Integer::U16, Integer::I32, Integer::U32];

    /// Its name as users write it, and Rust.
    pub fn name(self) -> &'static str {
        match self {
            Integer::I8 => "i8",
            Integer::U8 => "u8",
            Integer::I16 => "i16",
            Integer::U16 => "u16",
            Integer::I32 => "i32",
            Integer::U32 => "u32",
        }
    }

    /// The member of a name.
    pub fn parse(name: &str) -> Option<Integer> {
        Integer::ALL.iter().copied().find(|i| i.name() == name)
    }

    /// The smallest and the largest of them.
    pub fn range(self) -> (i64, i64) {
        match self {
            Integer::I8 => (i8::MIN.into(), i8::MAX.into()),
            Integer::U8 => (0, u8::MAX.into()),
            Integer::I16 => (i16::MIN.into(), i16::MAX.into()),
            Integer::U16 => (0, u16::MAX.into()),
            Integer::I32 => (i32::MIN.into(), i32::MAX.into()),
            Integer::U32 => (0, u32::MAX.into()),
        }
    }

    /// Its name in C.
    pub(crate) fn c_type(self) -> &'static str {
        match self {
            Integer::I8 => "int8_t",
            Integer::U8 => "uint8_t",
            Integer::I16 => "int16_t",
            Integer::U16 => "uint16_t",
            Integer::I32 => "int32_t",
            Integer::U32 => "uint32_t",
        }
    }
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
    /// The integers that a column of numbers is given in; none for its own dtype.
    pub integer: Option<Integer>,
}

impl Given {
    /// True where what is given is an integer.
    pub(crate) fn is_whole(&self) -> bool {
        self.dtype == DType::I64 || self.integer.is_some()
    }
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
        Program::of_integers(model, &vec![None; model.signature().inputs.len()])
    }

    /// The same for columns that are given in few integers: `integers[c]` says which those of column c are. The model's
    /// self-test must be one of rows of such integers.
    ///
    /// # Errors
    /// `Unsupported` as before; `Option` for a column that is not one of numbers or moments in integers.
    pub fn of_integers(model: &Model, integers: &[Option<Integer>]) -> Result<Program, Error> {
        for (input, integer) in model.signature().inputs.iter().zip(integers) {
            if let (Some(integer), DType::Str) = (integer, input.graph_dtype()) {
                let (what, expected) = (format!("column \"{}\"", input.name), "text".to_string());
                return Err(Kind::Option { what, expected, got: integer.name().to_string() }.into());
            }
        }
        lower::lower(model, integers)
    }

    /// Bytes of all tables.
    pub fn table_bytes(&self) -> usize {
        self.tables.iter().map(Table::bytes).sum()
    }
}

impl Step {
    /// The code that is made where another one is read, and the arguments behind both: they stand in one array, which Rust
    /// does not lend twice.
    pub(crate) fn recoded(&self) -> Option<(usize, &[Argument])> {
        match (self.routine, &self.arguments[..]) {
            ("recode" | "recode_set", [Argument::Code(code), Argument::Codes, rest @ ..]) => {
                Some((*code, rest))
            }
            _ => None,
        }
    }

    /// The refusals that this step writes.
    pub fn refusals(&self, program: &Program) -> Vec<usize> {
        let written = self.arguments.iter().filter_map(|argument| match argument {
            Argument::Out(slot) => Some(*slot),
            _ => None,
        });
        written.filter(|slot| program.refusals.contains(slot)).collect()
    }
}
