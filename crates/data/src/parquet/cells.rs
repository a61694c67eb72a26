//! The cells of an Arrow array, one by one, in the few forms that a table knows.
//!
//! Integers of all widths are 64-bit, half floats are singles (whose shortest spelling is their
//! own), decimals are digits and a place of the point. A dictionary is its values, looked up.
//! NaN is missing.

use super::time::TimeType;
use crate::cell::{Number, ceil_i64, parse_f64, parse_i64, trim};
use crate::markers::Markers;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type,
    Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, LargeStringArray, StringArray, StringViewArray};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, NullBuffer, ScalarBuffer, i256};
use arrow_schema::{DataType, TimeUnit};
use ir::text::{category_key_f64, category_key_i64};
use std::borrow::Cow;

/// One cell that is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Int(i64),
    /// Never NaN.
    Float(f64),
    /// Never NaN; spelt by its own shortest decimal.
    Single(f32),
    Bool(bool),
    Text(&'a str),
    /// Digits; behind the point are `scale` of them.
    Decimal(i256, i8),
    Time(TimeType, i64),
}

impl<'a> Cell<'a> {
    /// The canonical spelling; of text the text itself.
    pub(crate) fn spell(self) -> Cow<'a, str> {
        match self {
            Cell::Int(value) => Cow::Owned(category_key_i64(value)),
            Cell::Float(value) => Cow::Owned(category_key_f64(value)),
            Cell::Single(0.0) => Cow::Borrowed("0"),
            Cell::Single(value) => Cow::Owned(value.to_string()),
            Cell::Bool(value) => Cow::Borrowed(if value { "true" } else { "false" }),
            Cell::Text(text) => Cow::Borrowed(text),
            Cell::Decimal(digits, scale) => Cow::Owned(place_point(digits, scale)),
            Cell::Time(kind, value) => {
                let mut text = String::new();
                kind.spell(value, &mut text);
                Cow::Owned(text)
            }
        }
    }

    /// The number that the cell is: truth is 1 or 0, a decimal with a scale above 0 is a double,
    /// a time is microseconds. `None` for text, and for times beyond 64 bits.
    #[inline]
    pub(crate) fn number(self) -> Option<Number> {
        match self {
            Cell::Int(value) => Some(Number::Int(value)),
            Cell::Float(value) => Some(Number::Float(value)),
            Cell::Single(value) => Some(Number::Float(f64::from(value))),
            Cell::Bool(value) => Some(Number::Int(i64::from(value))),
            Cell::Decimal(digits, scale) => {
                let spelt = place_point(digits, scale);
                match parse_i64(spelt.as_bytes()) {
                    Some(value) if scale <= 0 => Some(Number::Int(value)),
                    _ => parse_f64(spelt.as_bytes()).map(Number::Float),
                }
            }
            Cell::Time(kind, value) => kind.micros(value).map(Number::Int),
            Cell::Text(_) => None,
        }
    }

    pub(crate) fn text(self) -> Option<&'a str> {
        match self {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_time(self) -> bool {
        matches!(self, Cell::Time(..))
    }

    /// True if a marker says that the cell is missing.
    #[inline]
    pub(crate) fn is_missing(self, markers: &Markers) -> bool {
        match self {
            Cell::Text(text) => markers.is_missing_bytes(trim(text.as_bytes())),
            _ if !markers.has_extra() => false,
            Cell::Bool(_) | Cell::Time(..) => markers.is_missing_bytes(self.spell().as_bytes()),
            _ => self.number().is_some_and(|number| markers.is_missing_number(number)),
        }
    }

    /// As a 64-bit integer: a fraction becomes its ceiling, what does not fit saturates.
    pub(crate) fn to_i64(self) -> Option<i64> {
        match self.number()? {
            Number::Int(value) => Some(value),
            Number::Float(value) => ceil_i64(value),
        }
    }
}

/// A decimal as its digits, without zeros behind the last digit that counts.
fn place_point(value: i256, scale: i8) -> String {
    let mut digits = match value.to_i128() {
        Some(value) => value.to_string(),
        None => value.to_string(),
    };
    let n_behind = usize::from(scale.max(0).unsigned_abs());
    if scale <= 0 {
        if value != i256::ZERO {
            digits.extend((0..scale.unsigned_abs()).map(|_| '0'));
        }
        return digits;
    }
    let n_sign = usize::from(digits.starts_with('-'));
    let n_digits = digits.len() - n_sign;
    if n_digits <= n_behind {
        digits.insert_str(n_sign, &"0".repeat(n_behind + 1 - n_digits));
    }
    digits.insert(digits.len() - n_behind, '.');
    let kept = digits.trim_end_matches('0').trim_end_matches('.').len();
    digits.truncate(kept);
    digits
}

/// The cells of one column of a batch.
pub(crate) struct Cells {
    values: Values,
    nulls: Option<NullBuffer>,
    n_rows: usize,
}

enum Values {
    Int(ScalarBuffer<i64>),
    UInt(ScalarBuffer<u64>),
    Float(ScalarBuffer<f64>),
    Single(Vec<f32>),
    Bool(BooleanBuffer),
    Decimal(Vec<i256>, i8),
    Time(TimeType, Vec<i64>),
    Utf8(StringArray),
    LargeUtf8(LargeStringArray),
    Utf8View(StringViewArray),
    Dictionary(Vec<usize>, Box<Cells>),
    Null,
}

impl Cells {
    /// The cells of an array; `None` for types that no table column has, and for dictionaries
    /// whose keys have no value.
    pub(crate) fn new(array: &ArrayRef) -> Option<Cells> {
        let values = Values::of(array)?;
        Some(Cells { values, nulls: array.nulls().cloned(), n_rows: array.len() })
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The cell of row `row`, `None` if it is missing. Markers are not looked at.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> Option<Cell<'_>> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        match &self.values {
            Values::Int(values) => Some(Cell::Int(values[row])),
            Values::UInt(values) => Some(match i64::try_from(values[row]) {
                Ok(value) => Cell::Int(value),
                Err(_) => Cell::Decimal(i256::from_i128(i128::from(values[row])), 0),
            }),
            Values::Float(values) => Some(values[row]).filter(|v| !v.is_nan()).map(Cell::Float),
            Values::Single(values) => Some(values[row]).filter(|v| !v.is_nan()).map(Cell::Single),
            Values::Bool(values) => Some(Cell::Bool(values.value(row))),
            Values::Decimal(values, scale) => Some(Cell::Decimal(values[row], *scale)),
            Values::Time(kind, values) => Some(Cell::Time(*kind, values[row])),
            Values::Utf8(array) => Some(Cell::Text(array.value(row))),
            Values::LargeUtf8(array) => Some(Cell::Text(array.value(row))),
            Values::Utf8View(array) => Some(Cell::Text(array.value(row))),
            Values::Dictionary(keys, values) => values.get(keys[row]),
            Values::Null => None,
        }
    }

    /// Plain 64-bit integers and which of them are there.
    pub(crate) fn ints(&self) -> Option<(&[i64], Option<&NullBuffer>)> {
        match &self.values {
            Values::Int(values) => Some((values, self.nulls.as_ref())),
            _ => None,
        }
    }

    /// The first row whose text holds a zero byte.
    pub(crate) fn zero_byte(&self) -> Option<usize> {
        let has_zero =
            |row: usize| matches!(self.get(row), Some(Cell::Text(text)) if text.as_bytes().contains(&0));
        match &self.values {
            Values::Utf8(array) if !array.value_data().contains(&0) => None,
            Values::LargeUtf8(array) if !array.value_data().contains(&0) => None,
            Values::Utf8(_) | Values::LargeUtf8(_) | Values::Utf8View(_) => {
                (0..self.n_rows).find(|&row| has_zero(row))
            }
            Values::Dictionary(_, values) => {
                values.zero_byte()?;
                (0..self.n_rows).find(|&row| has_zero(row))
            }
            _ => None,
        }
    }
}

impl Values {
    fn of(array: &ArrayRef) -> Option<Values> {
        Some(match array.data_type() {
            DataType::Int8 => Values::Int(wide::<Int8Type, i64>(array)?.into()),
            DataType::Int16 => Values::Int(wide::<Int16Type, i64>(array)?.into()),
            DataType::Int32 => Values::Int(wide::<Int32Type, i64>(array)?.into()),
            DataType::Int64 => Values::Int(array.as_primitive_opt::<Int64Type>()?.values().clone()),
            DataType::UInt8 => Values::Int(wide::<UInt8Type, i64>(array)?.into()),
            DataType::UInt16 => Values::Int(wide::<UInt16Type, i64>(array)?.into()),
            DataType::UInt32 => Values::Int(wide::<UInt32Type, i64>(array)?.into()),
            DataType::UInt64 => Values::UInt(array.as_primitive_opt::<UInt64Type>()?.values().clone()),
            DataType::Float16 => {
                let values = array.as_primitive_opt::<Float16Type>()?.values();
                Values::Single(values.iter().map(|value| value.to_f32()).collect())
            }
            DataType::Float32 => Values::Single(wide::<Float32Type, f32>(array)?),
            DataType::Float64 => Values::Float(array.as_primitive_opt::<Float64Type>()?.values().clone()),
            DataType::Boolean => Values::Bool(array.as_boolean_opt()?.values().clone()),
            DataType::Decimal32(_, scale) => {
                Values::Decimal(decimals::<Decimal32Type>(array, |v| i256::from_i128(v.into()))?, *scale)
            }
            DataType::Decimal64(_, scale) => {
                Values::Decimal(decimals::<Decimal64Type>(array, |v| i256::from_i128(v.into()))?, *scale)
            }
            DataType::Decimal128(_, scale) => {
                Values::Decimal(decimals::<Decimal128Type>(array, i256::from_i128)?, *scale)
            }
            DataType::Decimal256(_, scale) => {
                Values::Decimal(decimals::<Decimal256Type>(array, |v| v)?, *scale)
            }
            DataType::Utf8 => Values::Utf8(array.as_string_opt::<i32>()?.clone()),
            DataType::LargeUtf8 => Values::LargeUtf8(array.as_string_opt::<i64>()?.clone()),
            DataType::Utf8View => Values::Utf8View(array.as_string_view_opt()?.clone()),
            DataType::Dictionary(key, _) => return Values::dictionary(array, key),
            DataType::Null => Values::Null,
            time => Values::Time(TimeType::of(time)?, times(array)?),
        })
    }

    fn dictionary(array: &ArrayRef, key: &DataType) -> Option<Values> {
        let (keys, values) = match key {
            DataType::Int8 => keys::<Int8Type>(array)?,
            DataType::Int16 => keys::<Int16Type>(array)?,
            DataType::Int32 => keys::<Int32Type>(array)?,
            DataType::Int64 => keys::<Int64Type>(array)?,
            DataType::UInt8 => keys::<UInt8Type>(array)?,
            DataType::UInt16 => keys::<UInt16Type>(array)?,
            DataType::UInt32 => keys::<UInt32Type>(array)?,
            DataType::UInt64 => keys::<UInt64Type>(array)?,
            _ => return None,
        };
        Some(Values::Dictionary(keys, Box::new(values)))
    }
}

fn wide<T, O>(array: &ArrayRef) -> Option<Vec<O>>
where
    T: ArrowPrimitiveType,
    O: From<T::Native>,
{
    Some(array.as_primitive_opt::<T>()?.values().iter().map(|&value| O::from(value)).collect())
}

fn decimals<T: ArrowPrimitiveType>(array: &ArrayRef, to: impl Fn(T::Native) -> i256) -> Option<Vec<i256>> {
    Some(array.as_primitive_opt::<T>()?.values().iter().map(|&value| to(value)).collect())
}

fn times(array: &ArrayRef) -> Option<Vec<i64>> {
    match array.data_type() {
        DataType::Date32 => wide::<Date32Type, i64>(array),
        DataType::Date64 => wide::<Date64Type, i64>(array),
        DataType::Timestamp(TimeUnit::Second, _) => wide::<TimestampSecondType, i64>(array),
        DataType::Timestamp(TimeUnit::Millisecond, _) => wide::<TimestampMillisecondType, i64>(array),
        DataType::Timestamp(TimeUnit::Microsecond, _) => wide::<TimestampMicrosecondType, i64>(array),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => wide::<TimestampNanosecondType, i64>(array),
        DataType::Time32(TimeUnit::Second) => wide::<Time32SecondType, i64>(array),
        DataType::Time32(_) => wide::<Time32MillisecondType, i64>(array),
        DataType::Time64(TimeUnit::Nanosecond) => wide::<Time64NanosecondType, i64>(array),
        DataType::Time64(_) => wide::<Time64MicrosecondType, i64>(array),
        _ => None,
    }
}

/// Keys and values of a dictionary; `None` if a key that is there has no value.
fn keys<K: ArrowDictionaryKeyType>(array: &ArrayRef) -> Option<(Vec<usize>, Cells)> {
    let array = array.as_dictionary_opt::<K>()?;
    let values = Cells::new(array.values())?;
    let mut keys = Vec::with_capacity(array.len());
    for (row, key) in array.keys().values().iter().enumerate() {
        let key = if array.is_null(row) { 0 } else { key.to_usize().filter(|&key| key < values.n_rows)? };
        keys.push(key);
    }
    Some((keys, values))
}

/// Bytes of text in the rows of an array, once for each row.
pub(super) fn bytes_of_text(array: &ArrayRef) -> usize {
    fn ends<T: ArrowNativeType>(offsets: &[T]) -> usize {
        let at = |offset: Option<&T>| offset.map_or(0, |o| o.as_usize());
        at(offsets.last()).saturating_sub(at(offsets.first()))
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string_opt::<i32>().map_or(0, |a| ends(a.value_offsets())),
        DataType::LargeUtf8 => array.as_string_opt::<i64>().map_or(0, |a| ends(a.value_offsets())),
        // The length of a view is its low half.
        DataType::Utf8View => array
            .as_string_view_opt()
            .map_or(0, |a| a.views().iter().map(|&view| (view & 0xffff_ffff) as usize).sum()),
        DataType::Dictionary(..) => match Cells::new(array) {
            Some(Cells { values: Values::Dictionary(keys, values), .. }) => {
                let len = |row: usize| match values.get(row) {
                    Some(Cell::Text(text)) => text.len(),
                    _ => 0,
                };
                let lens: Vec<usize> = (0..values.n_rows).map(len).collect();
                keys.iter().map(|&key| lens.get(key).copied().unwrap_or(0)).sum()
            }
            _ => 0,
        },
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_spelt_exactly() {
        let huge = i256::from_string("123456789012345678901234567890123456789012").unwrap();
        for (value, scale, expected) in [
            (i256::from_i128(0), 2, "0"),
            (i256::from_i128(0), -2, "0"),
            (i256::from_i128(1250), 2, "12.5"),
            (i256::from_i128(-1200), 2, "-12"),
            (i256::from_i128(-5), 3, "-0.005"),
            (i256::from_i128(5), 0, "5"),
            (i256::from_i128(-5), -3, "-5000"),
            (i256::from_i128(10), 1, "1"),
            (huge, 2, "1234567890123456789012345678901234567890.12"),
        ] {
            assert_eq!(place_point(value, scale), expected);
        }
        assert_eq!(Cell::Decimal(i256::from_i128(1200), 2).number(), Some(Number::Float(12.0)));
        assert_eq!(Cell::Decimal(i256::from_i128(12), -2).number(), Some(Number::Int(1200)));
        assert_eq!(Cell::Decimal(i256::from_i128(1), -30).number(), Some(Number::Float(1e30)));
        assert_eq!(Cell::Decimal(i256::from_i128(1), -30).to_i64(), Some(i64::MAX));
    }
}
