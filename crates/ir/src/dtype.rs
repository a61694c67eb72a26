//! Storage types of values.
//!
//! A dtype says how a value is stored; what a column *means* (number, category, ..) is
//! [`crate::ColumnKind`]. Tags are part of the file format and never change.

use core::fmt;

/// Storage type of a tensor or a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DType {
    /// True or false.
    Bool,
    /// Unsigned 8-bit integer; codes of columns are stored so.
    U8,
    /// Signed 16-bit integer.
    I16,
    /// Signed 32-bit integer; scores are stored so.
    I32,
    /// Signed 64-bit integer.
    I64,
    /// IEEE single precision.
    F32,
    /// IEEE double precision.
    F64,
    /// UTF-8 text.
    Str,
    /// A bag a row: ids below the width of the value, each with a weight of double precision.
    Bag,
}

impl DType {
    /// Every dtype, in tag order.
    pub const ALL: &'static [DType] = &[
        DType::Bool,
        DType::U8,
        DType::I16,
        DType::I32,
        DType::I64,
        DType::F32,
        DType::F64,
        DType::Str,
        DType::Bag,
    ];

    /// The tag in the file: ONNX's `TensorProto.DataType` number; a bag, which ONNX has not, is 128.
    pub fn tag(self) -> u8 {
        match self {
            DType::F32 => 1,
            DType::U8 => 2,
            DType::I16 => 5,
            DType::I32 => 6,
            DType::I64 => 7,
            DType::Str => 8,
            DType::Bool => 9,
            DType::F64 => 11,
            DType::Bag => 128,
        }
    }

    /// The dtype of a tag, if there is one.
    pub fn from_tag(tag: u8) -> Option<DType> {
        DType::ALL.iter().copied().find(|d| d.tag() == tag)
    }

    /// Name as printed and as users write it.
    pub fn name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::U8 => "u8",
            DType::I16 => "i16",
            DType::I32 => "i32",
            DType::I64 => "i64",
            DType::F32 => "f32",
            DType::F64 => "f64",
            DType::Str => "string",
            DType::Bag => "bag",
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
