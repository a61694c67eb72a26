//! Tensors of the protobuf to tensors of the graph.
//!
//! Every length is compared with the bytes that are there before memory is taken.

use crate::error::{Error, Kind};
use crate::external::External;
use crate::proto;
use ir::fixed::Narrow;
use ir::{DType, Tensor, TensorData};

struct Reading<'p> {
    proto: &'p proto::Tensor,
    dtype: DType,
    n: usize,
}

/// The dtype of a number that ONNX gives it.
pub(crate) fn dtype(number: i32) -> Option<DType> {
    u8::try_from(number).ok().and_then(DType::from_tag).filter(|d| *d != DType::Bag)
}

/// A tensor with its elements.
pub(crate) fn read(proto: &proto::Tensor, external: &dyn External) -> Result<Tensor, Error> {
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
    let data = match external_bytes(proto, external)? {
        Some(bytes) => reading.of_bytes(&bytes)?,
        None => match &proto.raw_data {
            Some(raw) => reading.of_bytes(raw)?,
            None => reading.of_fields()?,
        },
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
    fn lengths_are_compared_with_the_bytes_that_are_there() {
        let claims = |dims: Vec<i64>, raw: &'static [u8]| proto::Tensor {
            dims,
            data_type: Some(10),
            raw_data: Some(prost::bytes::Bytes::from_static(raw)),
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
