//! What the operators that make text mean; part of the reference interpreter.
//!
//! Made text stands in Arrow's layout, so that the nodes behind it read it as they read a column as given.

use crate::error::Error;
use crate::reference::Inputs;
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use ir::{Bits, Column, ColumnData, Tensor, TensorData};

/// A column of text that owns its bytes. The empty text is missing.
#[derive(Debug)]
pub(crate) struct Texts {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    validity: Vec<u8>,
}

impl Texts {
    /// Rows in order, `None` missing; `None` if all together have more bytes than offsets can say.
    fn try_new<'t>(rows: impl ExactSizeIterator<Item = Option<&'t str>>) -> Option<Texts> {
        let mut offsets = Vec::with_capacity(rows.len() + 1);
        offsets.push(0);
        let mut texts = Texts { offsets, bytes: Vec::new(), validity: vec![0; rows.len().div_ceil(8)] };
        for (row, text) in rows.enumerate() {
            let text = text.unwrap_or("");
            texts.bytes.extend_from_slice(text.as_bytes());
            texts.offsets.push(i32::try_from(texts.bytes.len()).ok()?);
            texts.validity[row >> 3] |= u8::from(!text.is_empty()) << (row & 7);
        }
        Some(texts)
    }

    /// The column.
    pub(crate) fn column(&self) -> Option<Column<'_>> {
        let data = ColumnData::Str { offsets: &self.offsets, bytes: &self.bytes };
        Column::try_new(data, Some(Bits::try_new(&self.validity, 0, self.offsets.len() - 1)?))
    }

    /// The column as an output; missing is the empty text.
    pub(crate) fn tensor(&self) -> Tensor {
        let column = self.column();
        let text = |row: usize| column.and_then(|c| c.text(row)).map_or_else(String::new, str::to_owned);
        Tensor::vector(TensorData::Str((0..self.offsets.len() - 1).map(text).collect()))
    }
}

/// Value of `Respell`.
pub(crate) fn respell(inputs: &Inputs<'_, '_>) -> Result<Texts, Error> {
    let column = inputs.column(0)?;
    let (TensorData::Str(keys), TensorData::Str(values)) =
        (inputs.tensor(1)?.data(), inputs.tensor(2)?.data())
    else {
        return Err(inputs.fail());
    };
    let respelt = |row: usize| {
        let key = column.text(row)?;
        let known = keys.binary_search_by(|k| k.as_str().cmp(key)).ok();
        Some(known.and_then(|at| values.get(at)).map_or(key, String::as_str))
    };
    Texts::try_new((0..inputs.n_rows).map(respelt)).ok_or_else(|| inputs.fail())
}

#[cfg(test)]
mod tests {
    use crate::{Plan, reference};
    use alloc::borrow::ToOwned;
    use alloc::vec;
    use alloc::vec::Vec;
    use ir::op::{Codes, LabelEncoder, Respell};
    use ir::{Bits, Column, ColumnData, DType, GraphBuilder, Op, Shape, Tensor, TensorData};

    fn strings(texts: &[&str]) -> TensorData {
        TensorData::Str(texts.iter().map(|&t| t.to_owned()).collect())
    }

    /// Text that was made is a column to the nodes behind it, by reference and by plan.
    #[test]
    fn respelt_keys_are_a_column() {
        let mut b = GraphBuilder::new();
        let x = b.input("x", DType::Str, Shape::rows()).unwrap();
        let keys = b.constant(Tensor::vector(strings(&["B", "a"]))).unwrap();
        let values = b.constant(Tensor::vector(strings(&["b", "A"]))).unwrap();
        let merged = b.node(Op::Respell(Respell), &[x, keys, values]).unwrap();
        let twice = b.node(Op::Respell(Respell), &[merged, keys, values]).unwrap();
        let dictionary = b.constant(Tensor::vector(strings(&["A", "b", "c"]))).unwrap();
        let numbers = b.constant(Tensor::vector(TensorData::F64(vec![1.0, 2.0, 3.0, 4.0, 5.0]))).unwrap();
        let codes = b.node(Op::Codes(Codes { unseen: 3 }), &[merged, dictionary]).unwrap();
        let numbers = b.node(Op::LabelEncoder(LabelEncoder), &[twice, dictionary, numbers]).unwrap();
        let graph = b.finish(&[merged, codes, numbers]).unwrap();

        // Beyond a block of the plan: `a`, `B`, `A`, `c`, missing, empty, `d`, again and again.
        let row = ["a", "B", "A", "c", "x", "", "d"];
        let n_rows = 7 * 300usize;
        let mut offsets = vec![0i32];
        let mut bytes = Vec::new();
        let mut validity = vec![0u8; n_rows.div_ceil(8)];
        for i in 0..n_rows {
            bytes.extend_from_slice(row[i % 7].as_bytes());
            offsets.push(bytes.len() as i32);
            validity[i >> 3] |= u8::from(i % 7 != 4) << (i & 7);
        }
        let data = ColumnData::Str { offsets: &offsets, bytes: &bytes };
        let column = Column::try_new(data, Some(Bits::try_new(&validity, 0, n_rows).unwrap())).unwrap();

        let meant = reference::run(&graph, &[column]).unwrap();
        let first = |t: &Tensor| match t.data() {
            TensorData::Str(v) => strings(&v[..7].iter().map(|s| &s[..]).collect::<Vec<_>>()),
            TensorData::U8(v) => TensorData::U8(v[..7].to_vec()),
            TensorData::F64(v) => TensorData::F64(v[7..14].to_vec()),
            other => panic!("{}", other.dtype()),
        };
        assert_eq!(first(&meant[0]), strings(&["A", "b", "A", "c", "", "", "d"]));
        assert_eq!(first(&meant[1]), TensorData::U8(vec![0, 1, 0, 2, 255, 255, 3]));
        assert_eq!(first(&meant[2]), TensorData::F64(vec![1.0, 2.0, 1.0, 3.0, 5.0, 5.0, 4.0]));
        assert_eq!(Plan::new(&graph).unwrap().run(&[column]).unwrap(), meant);
        assert_eq!(reference::run(&graph, &[column.slice(0, 0).unwrap()]).unwrap()[0].dims(), [0]);
    }
}
