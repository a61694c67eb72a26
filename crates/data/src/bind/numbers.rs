//! Arrow numbers and bools to the two number types of a signature.

use super::{Owned, Values};
use crate::cell::ceil_i64;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, BooleanArray};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

/// As 64-bit integers: fractions become their ceiling, what does not fit saturates, NaN is missing.
/// `None` for types that are no numbers.
pub(super) fn to_i64(array: &dyn Array) -> Option<Owned> {
    let mut nulls = array.nulls().cloned();
    let values = match array.data_type() {
        DataType::Int64 => map::<Int64Type, _>(array, |v| v),
        DataType::Int32 => map::<Int32Type, _>(array, i64::from),
        DataType::Int16 => map::<Int16Type, _>(array, i64::from),
        DataType::Int8 => map::<Int8Type, _>(array, i64::from),
        DataType::UInt64 => map::<UInt64Type, _>(array, |v| i64::try_from(v).unwrap_or(i64::MAX)),
        DataType::UInt32 => map::<UInt32Type, _>(array, i64::from),
        DataType::UInt16 => map::<UInt16Type, _>(array, i64::from),
        DataType::UInt8 => map::<UInt8Type, _>(array, i64::from),
        DataType::Float64 | DataType::Float32 => {
            let values = floats(array)?;
            let numbers: NullBuffer = values.iter().map(|v| !v.is_nan()).collect();
            nulls = NullBuffer::union(nulls.as_ref(), Some(&numbers));
            Some(values.into_iter().map(|v| ceil_i64(v).unwrap_or_default()).collect())
        }
        DataType::Boolean => bools(array).map(|a| a.values().iter().map(i64::from).collect()),
        DataType::Null => {
            nulls = Some(NullBuffer::new_null(array.len()));
            Some(vec![0; array.len()])
        }
        _ => None,
    };
    Some(Owned { values: Values::I64(values?), nulls })
}

/// As doubles, integers beyond 2^53 rounded to nearest. `None` for types that are no numbers.
pub(super) fn to_f64(array: &dyn Array) -> Option<Owned> {
    let mut nulls = array.nulls().cloned();
    let values = match array.data_type() {
        DataType::Int64 => map::<Int64Type, _>(array, |v| v as f64),
        DataType::Int32 => map::<Int32Type, _>(array, f64::from),
        DataType::Int16 => map::<Int16Type, _>(array, f64::from),
        DataType::Int8 => map::<Int8Type, _>(array, f64::from),
        DataType::UInt64 => map::<UInt64Type, _>(array, |v| v as f64),
        DataType::UInt32 => map::<UInt32Type, _>(array, f64::from),
        DataType::UInt16 => map::<UInt16Type, _>(array, f64::from),
        DataType::UInt8 => map::<UInt8Type, _>(array, f64::from),
        DataType::Float64 | DataType::Float32 => floats(array),
        DataType::Boolean => {
            bools(array).map(|a| a.values().iter().map(|v| f64::from(u8::from(v))).collect())
        }
        DataType::Null => {
            nulls = Some(NullBuffer::new_null(array.len()));
            Some(vec![0.0; array.len()])
        }
        _ => None,
    };
    Some(Owned { values: Values::F64(values?), nulls })
}

fn map<T: ArrowPrimitiveType, O>(array: &dyn Array, to: impl Fn(T::Native) -> O) -> Option<Vec<O>> {
    Some(array.as_primitive_opt::<T>()?.values().iter().map(|&value| to(value)).collect())
}

fn floats(array: &dyn Array) -> Option<Vec<f64>> {
    match array.data_type() {
        DataType::Float32 => map::<Float32Type, _>(array, f64::from),
        _ => map::<Float64Type, _>(array, |v| v),
    }
}

fn bools(array: &dyn Array) -> Option<&BooleanArray> {
    array.as_boolean_opt()
}
