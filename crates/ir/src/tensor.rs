//! Owned values: constants of the graph, and what the reference interpreter computes with.

use crate::DType;
use crate::fixed::{Half, Narrow};
use alloc::string::String;
use alloc::vec::Vec;

/// Ragged rows: row `i` holds the ids `ids[offsets[i]..offsets[i + 1]]`, rising, each once, with their
/// weights.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Bags {
    /// `n_rows + 1` places, from 0.
    pub offsets: Vec<usize>,
    /// Ids of all rows.
    pub ids: Vec<u32>,
    /// Weight of each id.
    pub weights: Vec<f64>,
}

impl Bags {
    /// No row.
    pub fn new() -> Bags {
        Bags { offsets: alloc::vec![0], ids: Vec::new(), weights: Vec::new() }
    }

    /// Adds a row of rising ids with their weights.
    pub fn push(&mut self, row: impl IntoIterator<Item = (u32, f64)>) {
        for (id, weight) in row {
            self.ids.push(id);
            self.weights.push(weight);
        }
        self.offsets.push(self.ids.len());
    }

    /// Bytes of all rows.
    pub fn bytes(&self) -> usize {
        size_of_val(&self.offsets[..]) + size_of_val(&self.ids[..]) + size_of_val(&self.weights[..])
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Ids and weights of a row; nothing past the end.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (u32, f64)> + '_ {
        let place = |i: usize| self.offsets.get(i).copied().unwrap_or(self.ids.len());
        let range = place(row)..place(row + 1);
        self.ids[range.clone()].iter().copied().zip(self.weights[range].iter().copied())
    }
}

/// The elements of a tensor, row-major. Floats are equal if their bits are, so that what is written and read
/// back is equal, NaN included.
#[derive(Clone, Debug)]
pub enum TensorData {
    /// Booleans.
    Bool(Vec<bool>),
    /// Unsigned 8-bit integers.
    U8(Vec<u8>),
    /// Signed 16-bit integers.
    I16(Vec<i16>),
    /// Signed 32-bit integers.
    I32(Vec<i32>),
    /// Signed 64-bit integers.
    I64(Vec<i64>),
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
    /// Text.
    Str(Vec<String>),
    /// Signed 8-bit integers.
    I8(Vec<i8>),
    /// Unsigned 16-bit integers.
    U16(Vec<u16>),
    /// Unsigned 32-bit integers.
    U32(Vec<u32>),
    /// Unsigned 64-bit integers.
    U64(Vec<u64>),
    /// Floats of 16 bits, as their bits.
    Half(Half, Vec<u16>),
    /// Numbers of at most 8 bits, a byte each: the code of a float, an integer in two's complement of 8 bits.
    Narrow(Narrow, Vec<u8>),
    /// A bag a row.
    Bag(Bags),
}

impl PartialEq for TensorData {
    fn eq(&self, other: &TensorData) -> bool {
        let same_f64 = |a: &[f64], b: &[f64]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
        };
        match (self, other) {
            (TensorData::Bool(a), TensorData::Bool(b)) => a == b,
            (TensorData::U8(a), TensorData::U8(b)) => a == b,
            (TensorData::I16(a), TensorData::I16(b)) => a == b,
            (TensorData::I32(a), TensorData::I32(b)) => a == b,
            (TensorData::I64(a), TensorData::I64(b)) => a == b,
            (TensorData::F32(a), TensorData::F32(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
            }
            (TensorData::F64(a), TensorData::F64(b)) => same_f64(a, b),
            (TensorData::Str(a), TensorData::Str(b)) => a == b,
            (TensorData::I8(a), TensorData::I8(b)) => a == b,
            (TensorData::U16(a), TensorData::U16(b)) => a == b,
            (TensorData::U32(a), TensorData::U32(b)) => a == b,
            (TensorData::U64(a), TensorData::U64(b)) => a == b,
            (TensorData::Half(s, a), TensorData::Half(t, b)) => s == t && a == b,
            (TensorData::Narrow(s, a), TensorData::Narrow(t, b)) => s == t && a == b,
            (TensorData::Bag(a), TensorData::Bag(b)) => {
                a.offsets == b.offsets && a.ids == b.ids && same_f64(&a.weights, &b.weights)
            }
            _ => false,
        }
    }
}

impl TensorData {
    /// The elements, if they are stored as integers of 8 bits or more, none of them beyond 63 bits.
    pub fn whole_numbers(&self) -> Option<Vec<i64>> {
        match self {
            TensorData::U8(v) => Some(v.iter().map(|&x| x.into()).collect()),
            TensorData::I8(v) => Some(v.iter().map(|&x| x.into()).collect()),
            TensorData::U16(v) => Some(v.iter().map(|&x| x.into()).collect()),
            TensorData::I16(v) => Some(v.iter().map(|&x| x.into()).collect()),
            TensorData::U32(v) => Some(v.iter().map(|&x| x.into()).collect()),
            TensorData::I32(v) => Some(v.iter().map(|&x| x.into()).collect()),
            TensorData::I64(v) => Some(v.clone()),
            TensorData::U64(v) => v.iter().map(|&x| x.try_into().ok()).collect(),
            _ => None,
        }
    }

    /// Number of elements; of bags the number of rows.
    pub fn len(&self) -> usize {
        match self {
            TensorData::Bool(v) => v.len(),
            TensorData::U8(v) => v.len(),
            TensorData::I16(v) => v.len(),
            TensorData::I32(v) => v.len(),
            TensorData::I64(v) => v.len(),
            TensorData::F32(v) => v.len(),
            TensorData::F64(v) => v.len(),
            TensorData::Str(v) => v.len(),
            TensorData::I8(v) => v.len(),
            TensorData::U16(v) => v.len(),
            TensorData::U32(v) => v.len(),
            TensorData::U64(v) => v.len(),
            TensorData::Half(_, v) => v.len(),
            TensorData::Narrow(_, v) => v.len(),
            TensorData::Bag(v) => v.n_rows(),
        }
    }

    /// The elements, if they are stored as `i16`.
    pub fn i16s(&self) -> Option<&[i16]> {
        match self {
            TensorData::I16(v) => Some(v),
            _ => None,
        }
    }

    /// The elements, if they are stored as `i32`.
    pub fn i32s(&self) -> Option<&[i32]> {
        match self {
            TensorData::I32(v) => Some(v),
            _ => None,
        }
    }

    /// The elements, if they are stored as `i64`.
    pub fn i64s(&self) -> Option<&[i64]> {
        match self {
            TensorData::I64(v) => Some(v),
            _ => None,
        }
    }

    /// True when there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Storage type.
    pub fn dtype(&self) -> DType {
        match self {
            TensorData::Bool(_) => DType::Bool,
            TensorData::U8(_) => DType::U8,
            TensorData::I16(_) => DType::I16,
            TensorData::I32(_) => DType::I32,
            TensorData::I64(_) => DType::I64,
            TensorData::F32(_) => DType::F32,
            TensorData::F64(_) => DType::F64,
            TensorData::Str(_) => DType::Str,
            TensorData::I8(_) => DType::I8,
            TensorData::U16(_) => DType::U16,
            TensorData::U32(_) => DType::U32,
            TensorData::U64(_) => DType::U64,
            TensorData::Half(half, _) => DType::Half(*half),
            TensorData::Narrow(narrow, _) => DType::Narrow(*narrow),
            TensorData::Bag(_) => DType::Bag,
        }
    }
}

/// A dense array: lengths of its axes and its elements, row-major; or bags, whose axes are the rows and
/// the width that all ids are below.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    dims: Vec<usize>,
    data: TensorData,
}

impl Tensor {
    /// A tensor of these axes; `None` if their product is not the number of elements.
    pub fn try_new(dims: Vec<usize>, data: TensorData) -> Option<Tensor> {
        if let TensorData::Bag(bags) = &data {
            let fits = matches!(dims[..], [n_rows, width] if n_rows == bags.n_rows()
                && bags.ids.iter().all(|&id| (id as usize) < width));
            return fits.then_some(Tensor { dims, data });
        }
        let n = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?;
        (n == data.len()).then_some(Tensor { dims, data })
    }

    /// A tensor without an axis.
    pub fn scalar(data: TensorData) -> Option<Tensor> {
        Tensor::try_new(Vec::new(), data)
    }

    /// A tensor of one axis.
    pub fn vector(data: TensorData) -> Tensor {
        Tensor { dims: alloc::vec![data.len()], data }
    }

    /// The rows of this tensor and then those of another; none if they are of different kinds or have other
    /// axes beyond the first.
    pub fn below(self, more: Tensor) -> Option<Tensor> {
        if self.dims.get(1..)? != more.dims.get(1..)? {
            return None;
        }
        let mut dims = self.dims;
        *dims.first_mut()? += more.dims.first()?;
        let data = match (self.data, more.data) {
            (TensorData::Bool(a), TensorData::Bool(b)) => TensorData::Bool(joined(a, b)),
            (TensorData::U8(a), TensorData::U8(b)) => TensorData::U8(joined(a, b)),
            (TensorData::I16(a), TensorData::I16(b)) => TensorData::I16(joined(a, b)),
            (TensorData::I32(a), TensorData::I32(b)) => TensorData::I32(joined(a, b)),
            (TensorData::I64(a), TensorData::I64(b)) => TensorData::I64(joined(a, b)),
            (TensorData::F32(a), TensorData::F32(b)) => TensorData::F32(joined(a, b)),
            (TensorData::F64(a), TensorData::F64(b)) => TensorData::F64(joined(a, b)),
            (TensorData::Str(a), TensorData::Str(b)) => TensorData::Str(joined(a, b)),
            (TensorData::I8(a), TensorData::I8(b)) => TensorData::I8(joined(a, b)),
            (TensorData::U16(a), TensorData::U16(b)) => TensorData::U16(joined(a, b)),
            (TensorData::U32(a), TensorData::U32(b)) => TensorData::U32(joined(a, b)),
            (TensorData::U64(a), TensorData::U64(b)) => TensorData::U64(joined(a, b)),
            (TensorData::Half(s, a), TensorData::Half(t, b)) if s == t => TensorData::Half(s, joined(a, b)),
            (TensorData::Narrow(s, a), TensorData::Narrow(t, b)) if s == t => {
                TensorData::Narrow(s, joined(a, b))
            }
            (TensorData::Bag(mut a), TensorData::Bag(b)) => {
                for row in 0..b.n_rows() {
                    a.push(b.row(row));
                }
                TensorData::Bag(a)
            }
            _ => return None,
        };
        Some(Tensor { dims, data })
    }

    /// Some of the rows: places along the first axis. `None` for a scalar and for rows that there are not.
    pub fn rows(&self, rows: core::ops::Range<usize>) -> Option<Tensor> {
        fn part<T: Clone>(values: &[T], range: core::ops::Range<usize>) -> Option<Vec<T>> {
            values.get(range).map(<[T]>::to_vec)
        }
        let (n_rows, rest) = self.dims.split_first()?;
        if rows.start > rows.end || rows.end > *n_rows {
            return None;
        }
        let width: usize = rest.iter().product();
        let range = rows.start * width..rows.end * width;
        let data = match &self.data {
            TensorData::Bool(v) => TensorData::Bool(part(v, range)?),
            TensorData::U8(v) => TensorData::U8(part(v, range)?),
            TensorData::I16(v) => TensorData::I16(part(v, range)?),
            TensorData::I32(v) => TensorData::I32(part(v, range)?),
            TensorData::I64(v) => TensorData::I64(part(v, range)?),
            TensorData::F32(v) => TensorData::F32(part(v, range)?),
            TensorData::F64(v) => TensorData::F64(part(v, range)?),
            TensorData::Str(v) => TensorData::Str(part(v, range)?),
            TensorData::I8(v) => TensorData::I8(part(v, range)?),
            TensorData::U16(v) => TensorData::U16(part(v, range)?),
            TensorData::U32(v) => TensorData::U32(part(v, range)?),
            TensorData::U64(v) => TensorData::U64(part(v, range)?),
            TensorData::Half(kind, v) => TensorData::Half(*kind, part(v, range)?),
            TensorData::Narrow(kind, v) => TensorData::Narrow(*kind, part(v, range)?),
            TensorData::Bag(bags) => {
                let mut some = Bags::new();
                rows.clone().for_each(|row| some.push(bags.row(row)));
                TensorData::Bag(some)
            }
        };
        let dims = core::iter::once(rows.len()).chain(rest.iter().copied()).collect();
        Tensor::try_new(dims, data)
    }

    /// Lengths of the axes.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// The elements.
    pub fn data(&self) -> &TensorData {
        &self.data
    }

    /// Storage type.
    pub fn dtype(&self) -> DType {
        self.data.dtype()
    }

    /// The elements, taken out.
    pub fn into_data(self) -> TensorData {
        self.data
    }
}

fn joined<T>(mut a: Vec<T>, b: Vec<T>) -> Vec<T> {
    a.extend(b);
    a
}
