//! Tensors of the protobuf to tensors of the graph, and back.
//!
//! Every length is compared with the bytes that are there before memory is taken.

use crate::error::{Error, Kind};
use crate::external::External;
use crate::proto;
use crate::stream::{self, Words};
use ir::fixed::Narrow;
use ir::{DType, Tensor, TensorData};
use prost::bytes::Bytes;

struct Reading<'p> {
    proto: &'p proto::Tensor,
    dtype: DType,
    n: usize,
}

/// The dtype of a number that ONNX gives it.
pub(crate) fn dtype(number: i32) -> Option<DType> {
    u8::try_from(number).ok().and_then(DType::from_tag).filter(|d| *d != DType::Bag)
}

/// Elements of single precision that were read to words of their own, taken out of a tensor. Words of other tensors are
/// left to their bytes, so that they go with them.
pub(crate) fn floats(proto: &mut proto::Tensor, words: &mut Words) -> Option<Vec<f32>> {
    let words = words.take(proto.raw_data.as_ref()?)?;
    if dtype(proto.data_type?) != Some(DType::F32) || proto.data_location.is_some_and(|at| at != 0) {
        return None;
    }
    proto.raw_data = None;
    stream::floats(words).map_err(|bytes| proto.raw_data = Some(bytes)).ok()
}

/// A tensor with its elements.
pub(crate) fn read(proto: &proto::Tensor, external: &dyn External) -> Result<Tensor, Error> {
    read_with(proto, None, external)
}

/// The same; elements that [`floats`] took out are given.
pub(crate) fn read_with(
    proto: &proto::Tensor,
    floats: Option<Vec<f32>>,
    external: &dyn External,
) -> Result<Tensor, Error> {
    let name = || proto.name.clone().unwrap_or_default();
    let fail = |what, expected: &str, got: String| {
        Error::from(Kind::Tensor { name: name(), what, expected: expected.to_string(), got })
    };
    let number = proto.data_type.unwrap_or(0);
    let dtype = dtype(number).ok_or_else(|| {
        fail("data type", "a number that ONNX has, other than complex ones", number.to_string())
    })?;
    let mut dims = Vec::with_capacity(proto.dims.len());
    for &dim in &proto.dims {
        dims.push(
            usize::try_from(dim).map_err(|_| fail("lengths", "0 or more", format!("{:?}", proto.dims)))?,
        );
    }
    let n = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    let n = n.ok_or_else(|| fail("lengths", "fewer than 2^63 elements", format!("{:?}", proto.dims)))?;
    let reading = Reading { proto, dtype, n };
    let data = match (floats, external_bytes(proto, external)?, &proto.raw_data) {
        (Some(floats), ..) if floats.len() == n => TensorData::F32(floats),
        (Some(floats), ..) => {
            return Err(reading.fail("raw data", format!("{n} elements of {dtype}"), floats.len()));
        }
        (None, Some(bytes), _) => reading.of_bytes(&bytes)?,
        (None, None, Some(raw)) => reading.of_bytes(raw)?,
        (None, None, None) => reading.of_fields()?,
    };
    Tensor::try_new(dims, data).ok_or_else(|| fail("elements", &n.to_string(), "another number".to_string()))
}

/// The bytes of a tensor that stands in another file.
fn external_bytes(proto: &proto::Tensor, external: &dyn External) -> Result<Option<Vec<u8>>, Error> {
    const EXTERNAL: i32 = 1;
    if proto.data_location != Some(EXTERNAL) {
        return Ok(None);
    }
    let entry = |key: &str| {
        let found = proto.external_data.iter().find(|e| e.key.as_deref() == Some(key));
        found.and_then(|e| e.value.as_deref())
    };
    let location = entry("location").unwrap_or_default();
    let fail = |what: String| {
        let name = proto.name.clone().unwrap_or_default();
        Error::from(Kind::External { name, location: location.to_string(), what })
    };
    let number = |key: &str| -> Result<Option<u64>, Error> {
        let parse = |v: &str| v.parse().map_err(|_| fail(format!("has the {key} {v:?}, which is no number")));
        entry(key).map(parse).transpose()
    };
    let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
    external.read(location, offset, length).map(Some).map_err(fail)
}

impl Reading<'_> {
    fn fail(&self, what: &'static str, expected: String, got: usize) -> Error {
        let name = self.proto.name.clone().unwrap_or_default();
        Kind::Tensor { name, what, expected, got: got.to_string() }.into()
    }

    /// Elements side by side, little-endian; those of fewer than 8 bits packed, the first in the lowest bits.
    fn of_bytes(&self, bytes: &[u8]) -> Result<TensorData, Error> {
        let per_byte = match self.dtype {
            DType::Narrow(narrow) => usize::try_from(8 / narrow.bits()).unwrap_or(1),
            _ => 1,
        };
        let size = self.dtype.bytes();
        let expected = if per_byte > 1 { Some(self.n.div_ceil(per_byte)) } else { self.n.checked_mul(size) };
        if expected != Some(bytes.len()) || matches!(self.dtype, DType::Str | DType::Bag) {
            let expected =
                expected.map_or("fewer bytes".to_string(), |n| format!("{n} bytes of {}", self.dtype));
            return Err(self.fail("raw data", expected, bytes.len()));
        }
        /// Words of a number of bytes.
        fn words<const N: usize, T>(bytes: &[u8], f: fn([u8; N]) -> T) -> Vec<T> {
            bytes.as_chunks().0.iter().map(|&word| f(word)).collect()
        }
        Ok(match self.dtype {
            DType::Bool => TensorData::Bool(bytes.iter().map(|&b| b != 0).collect()),
            DType::U8 => TensorData::U8(bytes.to_vec()),
            DType::I8 => TensorData::I8(bytes.iter().map(|b| b.cast_signed()).collect()),
            DType::U16 => TensorData::U16(words(bytes, u16::from_le_bytes)),
            DType::I16 => TensorData::I16(words(bytes, i16::from_le_bytes)),
            DType::U32 => TensorData::U32(words(bytes, u32::from_le_bytes)),
            DType::I32 => TensorData::I32(words(bytes, i32::from_le_bytes)),
            DType::U64 => TensorData::U64(words(bytes, u64::from_le_bytes)),
            DType::I64 => TensorData::I64(words(bytes, i64::from_le_bytes)),
            DType::F32 => TensorData::F32(words(bytes, f32::from_le_bytes)),
            DType::F64 => TensorData::F64(words(bytes, f64::from_le_bytes)),
            DType::Half(half) => TensorData::Half(half, words(bytes, u16::from_le_bytes)),
            DType::Narrow(narrow) => TensorData::Narrow(narrow, unpacked(narrow, bytes, self.n)),
            DType::Str | DType::Bag => TensorData::Str(Vec::new()),
        })
    }

    /// Elements in the field of their type.
    fn of_fields(&self) -> Result<TensorData, Error> {
        let proto = self.proto;
        match self.dtype {
            DType::F32 => self.all(&proto.float_data, |&x| Some(x)).map(TensorData::F32),
            DType::F64 => self.all(&proto.double_data, |&x| Some(x)).map(TensorData::F64),
            DType::I64 => self.all(&proto.int64_data, |&x| Some(x)).map(TensorData::I64),
            DType::U64 => self.all(&proto.uint64_data, |&x| Some(x)).map(TensorData::U64),
            DType::U32 => self.all(&proto.uint64_data, |&x| u32::try_from(x).ok()).map(TensorData::U32),
            DType::I32 => self.all(&proto.int32_data, |&x| Some(x)).map(TensorData::I32),
            DType::I16 => self.all(&proto.int32_data, |&x| i16::try_from(x).ok()).map(TensorData::I16),
            DType::U16 => self.all(&proto.int32_data, |&x| u16::try_from(x).ok()).map(TensorData::U16),
            DType::I8 => self.all(&proto.int32_data, |&x| i8::try_from(x).ok()).map(TensorData::I8),
            DType::U8 => self.all(&proto.int32_data, |&x| u8::try_from(x).ok()).map(TensorData::U8),
            DType::Bool => self.all(&proto.int32_data, |&x| Some(x != 0)).map(TensorData::Bool),
            DType::Half(half) => {
                self.all(&proto.int32_data, |&x| u16::try_from(x).ok()).map(|v| TensorData::Half(half, v))
            }
            DType::Narrow(narrow) => self.packed(narrow),
            DType::Str => {
                self.all(&proto.string_data, |s| String::from_utf8(s.to_vec()).ok()).map(TensorData::Str)
            }
            DType::Bag => Err(self.fail("data type", "dense elements".to_string(), self.n)),
        }
    }

    fn all<S, T>(&self, field: &[S], f: impl Fn(&S) -> Option<T>) -> Result<Vec<T>, Error> {
        if field.len() != self.n {
            return Err(self.fail("elements", self.n.to_string(), field.len()));
        }
        let all: Option<Vec<T>> = field.iter().map(f).collect();
        all.ok_or_else(|| self.fail("elements", format!("values that {} holds", self.dtype), field.len()))
    }

    /// Each number of the field holds a byte.
    fn packed(&self, narrow: Narrow) -> Result<TensorData, Error> {
        let per_byte = usize::try_from(8 / narrow.bits()).unwrap_or(1);
        let field = &self.proto.int32_data;
        if field.len() != self.n.div_ceil(per_byte) {
            return Err(self.fail("elements", self.n.div_ceil(per_byte).to_string(), field.len()));
        }
        let byte = |&x: &i32| u8::try_from(x).ok().or_else(|| i8::try_from(x).ok().map(i8::cast_unsigned));
        let bytes: Option<Vec<u8>> = field.iter().map(byte).collect();
        let bytes = bytes.ok_or_else(|| self.fail("elements", "bytes".to_string(), field.len()))?;
        Ok(TensorData::Narrow(narrow, unpacked(narrow, &bytes, self.n)))
    }
}

/// Codes of `n` numbers, the first of a byte in its lowest bits.
pub(crate) fn unpacked(narrow: Narrow, bytes: &[u8], n: usize) -> Vec<u8> {
    let bits = narrow.bits();
    let parts = |&byte: &u8| {
        (0..8 / bits).map(move |k| {
            let part = byte >> (k * bits);
            if narrow.whole_range().is_some() {
                narrow.of_whole(part.into())
            } else {
                part & (0xff >> (8 - bits))
            }
        })
    };
    bytes.iter().flat_map(parts).take(n).collect()
}

/// A tensor with its elements in the file, little-endian. A graph has no constant of bags, which would be empty.
pub(crate) fn write(name: &str, tensor: &Tensor) -> proto::Tensor {
    /// Bytes of words, one after the other.
    fn bytes<T: Copy, const N: usize>(words: &[T], f: fn(T) -> [u8; N]) -> Vec<u8> {
        words.iter().flat_map(|&word| f(word)).collect()
    }
    let raw = match tensor.data() {
        TensorData::Bool(v) => v.iter().map(|&b| b.into()).collect(),
        TensorData::U8(v) => v.clone(),
        TensorData::I8(v) => v.iter().map(|x| x.cast_unsigned()).collect(),
        TensorData::U16(v) | TensorData::Half(_, v) => bytes(v, u16::to_le_bytes),
        TensorData::I16(v) => bytes(v, i16::to_le_bytes),
        TensorData::U32(v) => bytes(v, u32::to_le_bytes),
        TensorData::I32(v) => bytes(v, i32::to_le_bytes),
        TensorData::U64(v) => bytes(v, u64::to_le_bytes),
        TensorData::I64(v) => bytes(v, i64::to_le_bytes),
        TensorData::F32(v) => bytes(v, f32::to_le_bytes),
        TensorData::F64(v) => bytes(v, f64::to_le_bytes),
        TensorData::Narrow(narrow, v) => packed(*narrow, v),
        TensorData::Str(_) | TensorData::Bag(_) => Vec::new(),
    };
    let texts = match tensor.data() {
        TensorData::Str(v) => v.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect(),
        _ => Vec::new(),
    };
    proto::Tensor {
        dims: tensor.dims().iter().map(|&n| i64::try_from(n).unwrap_or(i64::MAX)).collect(),
        data_type: Some(tensor.dtype().tag().into()),
        name: Some(name.to_string()),
        raw_data: (tensor.dtype() != DType::Str).then(|| Bytes::from(raw)),
        string_data: texts,
        ..proto::Tensor::default()
    }
}

/// Bytes of numbers, the first of a byte in its lowest bits.
fn packed(narrow: Narrow, codes: &[u8]) -> Vec<u8> {
    let bits = narrow.bits();
    let mask = 0xff >> (8 - bits);
    let byte =
        |codes: &[u8]| codes.iter().zip(0..).fold(0, |byte, (code, k)| byte | ((code & mask) << (k * bits)));
    codes.chunks(usize::try_from(8 / bits).unwrap_or(1)).map(byte).collect()
}

/// One element of a dtype, the nearest to a number.
pub(crate) fn scalar(dtype: DType, x: f64) -> Option<TensorData> {
    let whole = |x: f64| if x.is_nan() { 0 } else { ir::fixed::round_i64(x) };
    let (least, most) = dtype.whole_range().unwrap_or((0, 0));
    let whole = i128::from(whole(x)).clamp(least, most);
    Some(match dtype {
        DType::F32 => TensorData::F32(vec![single(x)]),
        DType::F64 => TensorData::F64(vec![x]),
        DType::Half(half) => TensorData::Half(half, vec![half.of(x)]),
        DType::Bool => TensorData::Bool(vec![x != 0.0]),
        DType::U8 => TensorData::U8(vec![u8::try_from(whole).ok()?]),
        DType::I8 => TensorData::I8(vec![i8::try_from(whole).ok()?]),
        DType::U16 => TensorData::U16(vec![u16::try_from(whole).ok()?]),
        DType::I16 => TensorData::I16(vec![i16::try_from(whole).ok()?]),
        DType::U32 => TensorData::U32(vec![u32::try_from(whole).ok()?]),
        DType::I32 => TensorData::I32(vec![i32::try_from(whole).ok()?]),
        DType::U64 => TensorData::U64(vec![u64::try_from(whole).ok()?]),
        DType::I64 => TensorData::I64(vec![i64::try_from(whole).ok()?]),
        DType::Narrow(_) | DType::Str | DType::Bag => return None,
    })
}

/// The nearest number of single precision.
#[expect(clippy::cast_possible_truncation, reason = "the nearest float is what is wanted")]
pub(crate) fn single(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NoExternal;
    use ir::fixed::Half;

    #[test]
    fn numbers_of_four_and_two_bits_are_unpacked_from_the_lowest() {
        assert_eq!(unpacked(Narrow::U4, &[0x21, 0x03], 3), [1, 2, 3]);
        assert_eq!(unpacked(Narrow::I4, &[0xf7], 2), [7, 0xff]);
        assert_eq!(unpacked(Narrow::I2, &[0b1110_0100], 4), [0, 1, 0xfe, 0xff]);
    }

    #[test]
    fn what_is_written_is_read() {
        let mut all = vec![
            TensorData::Bool(vec![true, false, true]),
            TensorData::U8(vec![0, 128, 255]),
            TensorData::I8(vec![0, -128, 127]),
            TensorData::U16(vec![1, 0x8000, 0xffff]),
            TensorData::I16(vec![1, i16::MIN, i16::MAX]),
            TensorData::U32(vec![1, 0, u32::MAX]),
            TensorData::I32(vec![1, i32::MIN, i32::MAX]),
            TensorData::U64(vec![1, 0, u64::MAX]),
            TensorData::I64(vec![1, i64::MIN, i64::MAX]),
            TensorData::F32(vec![-0.0, f32::NAN, f32::INFINITY]),
            TensorData::F64(vec![-0.0, f64::NAN, f64::NEG_INFINITY]),
            TensorData::Str(vec![String::new(), "a".to_string(), "\u{e9}".to_string()]),
            TensorData::Half(Half::F16, vec![0x3c00, 0x8000, 0x7e01]),
            TensorData::Half(Half::BF16, vec![0x3f80, 0x8000, 0x7fc1]),
        ];
        for &dtype in DType::ALL {
            if let DType::Narrow(narrow) = dtype {
                let codes = match narrow.whole_range() {
                    Some(_) => [-1i64, 1, 0].map(|x| narrow.of_whole(x)),
                    None => [0, 1, 0xff >> (8 - narrow.bits())],
                };
                all.push(TensorData::Narrow(narrow, codes.to_vec()));
            }
        }
        for data in all {
            for dims in [vec![3], vec![1, 3, 1]] {
                let tensor = Tensor::try_new(dims, data.clone()).unwrap();
                assert_eq!(read(&write("t", &tensor), &NoExternal).unwrap(), tensor);
            }
        }
    }

    #[test]
    fn lengths_are_compared_with_the_bytes_that_are_there() {
        let claims = |dims: Vec<i64>, raw: &'static [u8]| proto::Tensor {
            dims,
            data_type: Some(10),
            raw_data: Some(Bytes::from_static(raw)),
            ..Default::default()
        };
        let one = read(&claims(vec![1], &[0x00, 0x3c]), &NoExternal).unwrap();
        assert_eq!(*one.data(), TensorData::Half(Half::F16, vec![0x3c00]));
        for dims in [vec![1 << 60], vec![1 << 40, 1 << 40], vec![-1], vec![2]] {
            let error = read(&claims(dims, &[0x00, 0x3c]), &NoExternal).unwrap_err();
            assert!(matches!(error.kind(), Kind::Tensor { .. }), "{error}");
        }
    }
}
