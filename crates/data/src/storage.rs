//! What the type of a stored column says about its cells, before any is looked at.

use arrow_schema::DataType;

/// What the type of a column says about its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// Text of which anything may be made: a CSV column.
    Untyped,
    /// Integers, floats or decimals.
    Number,
    /// True and false.
    Bool,
    /// Text that is meant as text, even where it spells numbers.
    Text,
    /// Dates, times of day and points in time.
    Time,
    /// Nothing but nulls.
    Null,
}

impl Storage {
    /// The storage of an Arrow type; `None` for those that are no column of a table.
    pub(crate) fn of(data_type: &DataType) -> Option<Storage> {
        match data_type {
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => Some(Storage::Number),
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => Some(Storage::Number),
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Some(Storage::Number),
            DataType::Decimal32(..) | DataType::Decimal64(..) => Some(Storage::Number),
            DataType::Decimal128(..) | DataType::Decimal256(..) => Some(Storage::Number),
            DataType::Boolean => Some(Storage::Bool),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Storage::Text),
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Some(Storage::Time),
            DataType::Time32(_) | DataType::Time64(_) => Some(Storage::Time),
            DataType::Null => Some(Storage::Null),
            DataType::Dictionary(_, values) => match &**values {
                DataType::Dictionary(..) => None,
                values => Storage::of(values),
            },
            _ => None,
        }
    }
}
