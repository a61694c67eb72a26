//! Rows as an exported model takes them, as the reference takes them, and as files for ONNX Runtime.

use ir::{Bits, Column, ColumnData, ColumnKind, DType, Input, Model, Tensor, TensorData};
use std::fmt::Write;

/// The cells of one column.
pub enum Cells {
    /// Numbers; NaN is missing.
    Numbers(Vec<f64>),
    /// Microseconds; the least is missing.
    Moments(Vec<i64>),
    /// Texts; the empty one is missing.
    Texts(Vec<String>),
}

impl Cells {
    /// Of a column of a model: whole numbers are rounded to those that doubles hold.
    pub fn of(column: &Column<'_>, input: &Input) -> Cells {
        let rows = 0..column.n_rows();
        match column.data() {
            ColumnData::I64(v) if input.kind == ColumnKind::Time => {
                Cells::Moments(rows.map(|row| if column.is_valid(row) { v[row] } else { i64::MIN }).collect())
            }
            ColumnData::I64(v) => {
                // 2^63 is no whole number of 64 bits.
                let most = 2f64.powi(63).next_down();
                let whole =
                    |row: usize| if column.is_valid(row) { (v[row] as f64).min(most) } else { f64::NAN };
                Cells::Numbers(rows.map(whole).collect())
            }
            ColumnData::Str { .. } => {
                // An exported model takes times trimmed.
                let trimmed =
                    |text| if input.kind == ColumnKind::Time { ir::text::category_key(text) } else { text };
                Cells::Texts(rows.map(|row| trimmed(column.text(row).unwrap_or("")).to_string()).collect())
            }
            _ => Cells::Numbers(rows.map(|row| column.double(row)).collect()),
        }
    }

    /// As a tensor of an exported model.
    pub fn tensor(&self) -> Tensor {
        Tensor::vector(match self {
            Cells::Numbers(v) => TensorData::F64(v.clone()),
            Cells::Moments(v) => TensorData::I64(v.clone()),
            Cells::Texts(v) => TensorData::Str(v.clone()),
        })
    }

    fn line(&self, name: &str) -> String {
        let (kind, cells): (_, Vec<String>) = match self {
            Cells::Numbers(v) => ("double", v.iter().map(|v| format!("{v:?}")).collect()),
            Cells::Moments(v) => ("int64", v.iter().map(i64::to_string).collect()),
            Cells::Texts(v) => ("string", v.clone()),
        };
        format!("input\t{name}\t{kind}\t{}\n", cells.join("\t"))
    }
}

/// Cells in the layout of a column.
struct Owned {
    wholes: Vec<i64>,
    doubles: Vec<f64>,
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    validity: Vec<u8>,
    n_rows: usize,
}

impl Owned {
    fn new(cells: &Cells) -> Owned {
        let mut owned = Owned {
            wholes: Vec::new(),
            doubles: Vec::new(),
            offsets: vec![0],
            bytes: Vec::new(),
            validity: Vec::new(),
            n_rows: 0,
        };
        let valid: Vec<bool> = match cells {
            Cells::Numbers(v) => {
                owned.doubles = v.clone();
                owned.wholes = v.iter().map(|&x| x as i64).collect();
                v.iter().map(|x| !x.is_nan()).collect()
            }
            Cells::Moments(v) => {
                owned.wholes = v.clone();
                v.iter().map(|&x| x != i64::MIN).collect()
            }
            Cells::Texts(v) => {
                for text in v {
                    owned.bytes.extend_from_slice(text.as_bytes());
                    owned.offsets.push(owned.bytes.len() as i32);
                }
                v.iter().map(|t| !t.is_empty()).collect()
            }
        };
        owned.n_rows = valid.len();
        owned.validity = vec![0; valid.len().div_ceil(8)];
        for (row, valid) in valid.into_iter().enumerate() {
            owned.validity[row >> 3] |= u8::from(valid) << (row & 7);
        }
        owned
    }

    fn column(&self, dtype: DType) -> Column<'_> {
        let data = match dtype {
            DType::I64 => ColumnData::I64(&self.wholes),
            DType::F64 => ColumnData::F64(&self.doubles),
            _ => ColumnData::Str { offsets: &self.offsets, bytes: &self.bytes },
        };
        Column::try_new(data, Some(Bits::try_new(&self.validity, 0, self.n_rows).unwrap())).unwrap()
    }
}

/// A model and rows for it.
pub struct Case {
    pub name: String,
    pub model: Model,
    pub cells: Vec<Cells>,
}

impl Case {
    /// What the reference makes of the rows.
    pub fn meant(&self) -> Vec<Tensor> {
        let owned: Vec<Owned> = self.cells.iter().map(Owned::new).collect();
        let inputs = &self.model.signature().inputs;
        let columns: Vec<Column<'_>> =
            owned.iter().zip(inputs).map(|(o, i)| o.column(i.graph_dtype())).collect();
        runtime::reference::run(self.model.graph(), &columns).unwrap()
    }

    /// What the exported model is given, by name.
    pub fn given(&self) -> Vec<(String, Tensor)> {
        let inputs = self.model.signature().inputs.iter();
        inputs.zip(&self.cells).map(|(i, c)| (i.name.clone(), c.tensor())).collect()
    }

    /// For `export_outputs.py`: a line for the bytes, one for each input.
    pub fn written(&self, digest: &str) -> String {
        let mut text = format!("case\t{}\t{digest}\n", self.name);
        for (input, cells) in self.model.signature().inputs.iter().zip(&self.cells) {
            write!(text, "{}", cells.line(&input.name)).unwrap();
        }
        text
    }
}
