//! Borrowed columns: what the runtime takes.
//!
//! The layout is Arrow's (values, a validity bitmap, string offsets), without depending on Arrow,
//! so a server, a browser and a device hand over their memory without a copy.
//! A row is missing when its validity bit is 0 or, for floats, when the value is NaN.

use crate::DType;

/// A bitmap in Arrow's layout: least significant bit first, starting `offset` bits into `bytes`.
#[derive(Clone, Copy, Debug)]
pub struct Bits<'a> {
    bytes: &'a [u8],
    offset: usize,
    len: usize,
}

impl<'a> Bits<'a> {
    /// `len` bits that start at bit `offset` of `bytes`; `None` if `bytes` is too short.
    pub fn try_new(bytes: &'a [u8], offset: usize, len: usize) -> Option<Bits<'a>> {
        let bits = bytes.len().checked_mul(8)?;
        (offset.checked_add(len)? <= bits).then_some(Bits { bytes, offset, len })
    }

    /// Number of bits.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there is no bit.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bit `row`; false past the end.
    #[inline]
    pub fn get(&self, row: usize) -> bool {
        if row >= self.len {
            return false;
        }
        let bit = self.offset + row;
        self.bytes[bit >> 3] >> (bit & 7) & 1 == 1
    }
}

/// The values of a column.
#[derive(Clone, Copy, Debug)]
pub enum ColumnData<'a> {
    /// Double precision; NaN is missing.
    F64(&'a [f64]),
    /// Single precision; NaN is missing.
    F32(&'a [f32]),
    /// 64-bit integers.
    I64(&'a [i64]),
    /// 32-bit integers.
    I32(&'a [i32]),
    /// 8-bit unsigned integers.
    U8(&'a [u8]),
    /// Booleans as a bitmap.
    Bool(Bits<'a>),
    /// Text: row `i` is `bytes[offsets[i]..offsets[i + 1]]`, valid UTF-8.
    Str {
        /// `n_rows + 1` non-decreasing offsets into `bytes`.
        offsets: &'a [i32],
        /// The text of all rows.
        bytes: &'a [u8],
    },
}

/// One column of a table: values and which of them are there.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    data: ColumnData<'a>,
    validity: Option<Bits<'a>>,
    n_rows: usize,
}

impl<'a> Column<'a> {
    /// A column from its values and, where some are missing, a validity bitmap of the same length.
    /// `None` if the lengths differ, or if string offsets decrease, are negative, leave `bytes`
    /// or cut a UTF-8 character. O(n_rows) for strings, O(1) otherwise.
    pub fn try_new(data: ColumnData<'a>, validity: Option<Bits<'a>>) -> Option<Column<'a>> {
        let n_rows = match data {
            ColumnData::F64(v) => v.len(),
            ColumnData::F32(v) => v.len(),
            ColumnData::I64(v) => v.len(),
            ColumnData::I32(v) => v.len(),
            ColumnData::U8(v) => v.len(),
            ColumnData::Bool(v) => v.len(),
            ColumnData::Str { offsets, bytes } => {
                let first = usize::try_from(*offsets.first()?).ok()?;
                let last = usize::try_from(*offsets.last()?).ok()?;
                if !offsets.is_sorted() || last > bytes.len() {
                    return None;
                }
                let text = core::str::from_utf8(&bytes[first..last]).ok()?;
                let cuts_character = offsets.iter().any(|&o| !text.is_char_boundary(o as usize - first));
                if cuts_character {
                    return None;
                }
                offsets.len() - 1
            }
        };
        if validity.is_some_and(|v| v.len() != n_rows) {
            return None;
        }
        Some(Column { data, validity, n_rows })
    }

    /// Rows `start..start + len`; `None` past the end.
    pub fn slice(&self, start: usize, len: usize) -> Option<Column<'a>> {
        let end = start.checked_add(len).filter(|&end| end <= self.n_rows)?;
        let bits = |b: Bits<'a>| Bits { bytes: b.bytes, offset: b.offset + start, len };
        let data = match self.data {
            ColumnData::F64(v) => ColumnData::F64(&v[start..end]),
            ColumnData::F32(v) => ColumnData::F32(&v[start..end]),
            ColumnData::I64(v) => ColumnData::I64(&v[start..end]),
            ColumnData::I32(v) => ColumnData::I32(&v[start..end]),
            ColumnData::U8(v) => ColumnData::U8(&v[start..end]),
            ColumnData::Bool(b) => ColumnData::Bool(bits(b)),
            ColumnData::Str { offsets, bytes } => ColumnData::Str { offsets: &offsets[start..=end], bytes },
        };
        Some(Column { data, validity: self.validity.map(bits), n_rows: len })
    }

    /// The values; rows that are missing hold an arbitrary value.
    pub fn data(&self) -> ColumnData<'a> {
        self.data
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Storage type.
    pub fn dtype(&self) -> DType {
        match self.data {
            ColumnData::F64(_) => DType::F64,
            ColumnData::F32(_) => DType::F32,
            ColumnData::I64(_) => DType::I64,
            ColumnData::I32(_) => DType::I32,
            ColumnData::U8(_) => DType::U8,
            ColumnData::Bool(_) => DType::Bool,
            ColumnData::Str { .. } => DType::Str,
        }
    }

    /// False when the validity bitmap says that row `row` is missing. NaN is not looked at.
    #[inline]
    pub fn is_valid(&self, row: usize) -> bool {
        self.validity.is_none_or(|v| v.get(row))
    }

    /// True when every row is valid without looking (there is no bitmap).
    pub fn all_valid(&self) -> bool {
        self.validity.is_none()
    }

    /// Number of row `row` as the graph computes with it; NaN for missing rows and for other dtypes than `F64`
    /// and `I64`. Whole numbers beyond 2^53 are rounded.
    #[inline]
    pub fn double(&self, row: usize) -> f64 {
        match self.data {
            _ if !self.is_valid(row) => f64::NAN,
            ColumnData::F64(v) => v[row],
            ColumnData::I64(v) => v[row] as f64,
            _ => f64::NAN,
        }
    }

    /// Text of row `row`, or `None` for other dtypes and missing rows.
    #[inline]
    pub fn text(&self, row: usize) -> Option<&'a str> {
        let ColumnData::Str { offsets, bytes } = self.data else { return None };
        if !self.is_valid(row) {
            return None;
        }
        let (start, end) = (*offsets.get(row)? as usize, *offsets.get(row + 1)? as usize);
        // The constructor has checked the whole text and each cut, so this never fails.
        core::str::from_utf8(&bytes[start..end]).ok()
    }
}
