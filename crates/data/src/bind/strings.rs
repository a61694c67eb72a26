//! Arrow text and numbers to category keys.

use super::{Owned, Values};
use crate::cell::{number_key, trim};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, StringArray};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use ir::DType;
use ir::text::{category_key, category_key_f64, category_key_i64};

/// True if every cell is its own key already, so that the column may be borrowed.
pub(super) fn are_keys(array: &StringArray, dtype: DType) -> bool {
    array.iter().flatten().all(|text| {
        let key = trim(text.as_bytes());
        let spelt = match dtype {
            DType::I64 | DType::F64 => number_key(key, dtype).is_none_or(|key| key == text),
            _ => true,
        };
        !key.is_empty() && key.len() == text.len() && spelt
    })
}

/// The keys of a column; `None` for types that have none.
pub(super) fn to_keys(array: &dyn Array, dtype: DType) -> Option<Owned> {
    let mut keys = Keys::new(array.len());
    match array.data_type() {
        DataType::Utf8 => {
            for text in array.as_string_opt::<i32>()? {
                let key = text.map(category_key).filter(|key| !key.is_empty());
                let spelt = match dtype {
                    DType::I64 | DType::F64 => key.and_then(|key| number_key(key.as_bytes(), dtype)),
                    _ => None,
                };
                keys.push(spelt.as_deref().or(key));
            }
        }
        DataType::Int64 => keys.all::<Int64Type>(array, |v| whole(v, dtype))?,
        DataType::Int32 => keys.all::<Int32Type>(array, |v| whole(v.into(), dtype))?,
        DataType::Int16 => keys.all::<Int16Type>(array, |v| whole(v.into(), dtype))?,
        DataType::Int8 => keys.all::<Int8Type>(array, |v| whole(v.into(), dtype))?,
        DataType::UInt64 => keys.all::<UInt64Type>(array, |v| match i64::try_from(v) {
            Ok(v) => whole(v, dtype),
            Err(_) => Some(category_key_f64(v as f64)),
        })?,
        DataType::UInt32 => keys.all::<UInt32Type>(array, |v| whole(v.into(), dtype))?,
        DataType::UInt16 => keys.all::<UInt16Type>(array, |v| whole(v.into(), dtype))?,
        DataType::UInt8 => keys.all::<UInt8Type>(array, |v| whole(v.into(), dtype))?,
        DataType::Float64 => {
            keys.all::<Float64Type>(array, |v| (!v.is_nan()).then(|| category_key_f64(v)))?
        }
        DataType::Float32 => keys.all::<Float32Type>(array, single)?,
        DataType::Boolean if dtype != DType::Str => {
            for value in array.as_boolean_opt()? {
                keys.push(value.map(|v| if v { "1" } else { "0" }));
            }
        }
        DataType::Null => (0..array.len()).for_each(|_| keys.push(None)),
        _ => return None,
    }
    Some(keys.done())
}

/// A category of doubles spells whole numbers as doubles, which matters beyond 2^53.
fn whole(value: i64, dtype: DType) -> Option<String> {
    Some(match dtype {
        DType::F64 => category_key_f64(value as f64),
        _ => category_key_i64(value),
    })
}

/// The shortest decimal that reads back to the same 32-bit float.
fn single(value: f32) -> Option<String> {
    if value == 0.0 {
        return Some(String::from("0"));
    }
    (!value.is_nan()).then(|| format!("{value}"))
}

struct Keys {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    valid: Vec<bool>,
}

impl Keys {
    fn new(n_rows: usize) -> Keys {
        let mut offsets = Vec::with_capacity(n_rows + 1);
        offsets.push(0);
        Keys { offsets, bytes: Vec::new(), valid: Vec::with_capacity(n_rows) }
    }

    fn push(&mut self, key: Option<&str>) {
        self.bytes.extend_from_slice(key.unwrap_or_default().as_bytes());
        // Past 2^31 bytes the offset is wrong on purpose: the column is then refused as too long.
        self.offsets.push(i32::try_from(self.bytes.len()).unwrap_or(-1));
        self.valid.push(key.is_some());
    }

    fn all<T: ArrowPrimitiveType>(
        &mut self,
        array: &dyn Array,
        key: impl Fn(T::Native) -> Option<String>,
    ) -> Option<()> {
        for value in array.as_primitive_opt::<T>()? {
            self.push(value.and_then(&key).as_deref());
        }
        Some(())
    }

    fn done(self) -> Owned {
        let nulls = NullBuffer::from(self.valid);
        Owned { values: Values::Str { offsets: self.offsets, bytes: self.bytes }, nulls: Some(nulls) }
    }
}
