//! Storage types of values.
//!
//! A dtype says how a value is stored; what a column *means* (number, category, ..) is
//! [`crate::ColumnKind`]. Tags are part of the file format and never change.

use crate::fixed::{Half, Narrow};
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
    /// Signed 8-bit integer.
    I8,
    /// Unsigned 16-bit integer.
    U16,
    /// Unsigned 32-bit integer.
    U32,
    /// Unsigned 64-bit integer.
    U64,
    /// A float of 16 bits: storage, computed in single precision.
    Half(Half),
    /// A number of at most 8 bits that is storage only.
    Narrow(Narrow),
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
        DType::I8,
        DType::U16,
        DType::U32,
        DType::U64,
        DType::Half(Half::F16),
        DType::Half(Half::BF16),
        DType::Narrow(Narrow::E4M3FN),
        DType::Narrow(Narrow::E4M3FNUZ),
        DType::Narrow(Narrow::E5M2),
        DType::Narrow(Narrow::E5M2FNUZ),
        DType::Narrow(Narrow::U4),
        DType::Narrow(Narrow::I4),
        DType::Narrow(Narrow::E2M1),
        DType::Narrow(Narrow::E8M0),
        DType::Narrow(Narrow::U2),
        DType::Narrow(Narrow::I2),
        DType::Bag,
    ];

    /// The tag in the file: ONNX's `TensorProto.DataType` number; a bag, which ONNX has not, is 128.
    pub fn tag(self) -> u8 {
        match self {
            DType::F32 => 1,
            DType::U8 => 2,
            DType::I8 => 3,
            DType::U16 => 4,
            DType::I16 => 5,
            DType::I32 => 6,
            DType::I64 => 7,
            DType::Str => 8,
            DType::Bool => 9,
            DType::Half(Half::F16) => 10,
            DType::F64 => 11,
            DType::U32 => 12,
            DType::U64 => 13,
            DType::Half(Half::BF16) => 16,
            DType::Narrow(Narrow::E4M3FN) => 17,
            DType::Narrow(Narrow::E4M3FNUZ) => 18,
            DType::Narrow(Narrow::E5M2) => 19,
            DType::Narrow(Narrow::E5M2FNUZ) => 20,
            DType::Narrow(Narrow::U4) => 21,
            DType::Narrow(Narrow::I4) => 22,
            DType::Narrow(Narrow::E2M1) => 23,
            DType::Narrow(Narrow::E8M0) => 24,
            DType::Narrow(Narrow::U2) => 25,
            DType::Narrow(Narrow::I2) => 26,
            DType::Bag => 128,
        }
    }

    /// The dtype of a tag, if there is one.
    pub fn from_tag(tag: u8) -> Option<DType> {
        DType::ALL.iter().copied().find(|d| d.tag() == tag)
    }

    /// True for a float of any width.
    pub fn is_float(self) -> bool {
        match self {
            DType::F32 | DType::F64 | DType::Half(_) => true,
            DType::Narrow(narrow) => narrow.whole_range().is_none(),
            _ => false,
        }
    }

    /// Least and largest integer of an integer type.
    pub fn whole_range(self) -> Option<(i128, i128)> {
        match self {
            DType::U8 => Some((0, 255)),
            DType::I8 => Some((-128, 127)),
            DType::U16 => Some((0, 65_535)),
            DType::I16 => Some((-32_768, 32_767)),
            DType::U32 => Some((0, u32::MAX.into())),
            DType::I32 => Some((i32::MIN.into(), i32::MAX.into())),
            DType::U64 => Some((0, u64::MAX.into())),
            DType::I64 => Some((i64::MIN.into(), i64::MAX.into())),
            DType::Narrow(narrow) => narrow.whole_range().map(|(lo, hi)| (lo.into(), hi.into())),
            DType::Bool | DType::F32 | DType::F64 | DType::Half(_) | DType::Str | DType::Bag => None,
        }
    }

    /// Bytes that an element takes in memory; a text counts for its header alone.
    pub fn bytes(self) -> usize {
        match self {
            DType::Bool | DType::U8 | DType::I8 | DType::Narrow(_) => 1,
            DType::U16 | DType::I16 | DType::Half(_) => 2,
            DType::U32 | DType::I32 | DType::F32 => 4,
            DType::U64 | DType::I64 | DType::F64 => 8,
            DType::Str | DType::Bag => 24,
        }
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
            DType::I8 => "i8",
            DType::U16 => "u16",
            DType::U32 => "u32",
            DType::U64 => "u64",
            DType::Half(Half::F16) => "f16",
            DType::Half(Half::BF16) => "bf16",
            DType::Narrow(Narrow::E4M3FN) => "f8e4m3fn",
            DType::Narrow(Narrow::E4M3FNUZ) => "f8e4m3fnuz",
            DType::Narrow(Narrow::E5M2) => "f8e5m2",
            DType::Narrow(Narrow::E5M2FNUZ) => "f8e5m2fnuz",
            DType::Narrow(Narrow::U4) => "u4",
            DType::Narrow(Narrow::I4) => "i4",
            DType::Narrow(Narrow::E2M1) => "f4e2m1",
            DType::Narrow(Narrow::E8M0) => "f8e8m0",
            DType::Narrow(Narrow::U2) => "u2",
            DType::Narrow(Narrow::I2) => "i2",
            DType::Bag => "bag",
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
