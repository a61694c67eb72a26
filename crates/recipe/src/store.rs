//! The cells of a frame: columns of the tables, and what was made of them.

use crate::chain::Source;
use crate::error::{Error, Kind};
use ir::{Bags, Bits, Column, ColumnData, DType, Tensor, TensorData};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Cells of a made column, by chunk of rows.
#[derive(Debug)]
pub(crate) enum MadeCells {
    Doubles(Vec<Vec<f64>>),
    Texts(Vec<Texts>),
    Bags(Vec<Bags>, usize),
}

/// Text in Arrow's layout.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    validity: Vec<u8>,
}

impl Texts {
    /// The empty text is missing. None for more than 2^31 bytes.
    fn new(cells: &[String]) -> Option<Texts> {
        let mut texts =
            Texts { offsets: vec![0], bytes: Vec::new(), validity: vec![0; cells.len().div_ceil(8)] };
        for (row, cell) in cells.iter().enumerate() {
            texts.bytes.extend_from_slice(cell.as_bytes());
            texts.offsets.push(i32::try_from(texts.bytes.len()).ok()?);
            texts.validity[row >> 3] |= u8::from(!cell.is_empty()) << (row & 7);
        }
        Some(texts)
    }

    fn column(&self) -> Option<Column<'_>> {
        let data = ColumnData::Str { offsets: &self.offsets, bytes: &self.bytes };
        Column::try_new(data, Some(Bits::try_new(&self.validity, 0, self.offsets.len().saturating_sub(1))?))
    }
}

/// The columns of a table and what was made of them.
pub(crate) struct Store<'b> {
    /// Columns of the table, in chunks.
    pub(crate) inputs: Vec<Vec<Column<'b>>>,
    /// Made columns.
    pub(crate) made: BTreeMap<Source, Arc<MadeCells>>,
    /// Rows of each chunk.
    pub(crate) chunk_rows: Vec<usize>,
}

impl<'b> Store<'b> {
    /// The cells of a feature as columns; none for bags.
    pub(crate) fn columns<'s>(&'s self, source: Source) -> Vec<Column<'s>> {
        if let Source::Input(i) = source {
            return self.inputs[i].clone();
        }
        match self.made.get(&source).map(AsRef::as_ref) {
            Some(MadeCells::Doubles(chunks)) => {
                chunks.iter().filter_map(|v| Column::try_new(ColumnData::F64(v), None)).collect()
            }
            Some(MadeCells::Texts(chunks)) => chunks.iter().filter_map(Texts::column).collect(),
            Some(MadeCells::Bags(..)) | None => Vec::new(),
        }
    }

    /// The bags of a feature over all rows, and their width; none for other features.
    pub(crate) fn bags(&self, source: Source) -> Option<(Arc<Bags>, usize)> {
        let MadeCells::Bags(chunks, width) = self.made.get(&source).map(AsRef::as_ref)? else { return None };
        let mut all = Bags::new();
        for chunk in chunks {
            (0..chunk.n_rows()).for_each(|row| all.push(chunk.row(row)));
        }
        Some((Arc::new(all), *width))
    }

    pub(crate) fn dtype(&self, source: Source) -> Option<DType> {
        match self.made.get(&source).map(AsRef::as_ref)? {
            MadeCells::Doubles(_) => Some(DType::F64),
            MadeCells::Texts(_) => Some(DType::Str),
            MadeCells::Bags(..) => None,
        }
    }
}

/// A tensor of doubles in chunks of rows.
pub(crate) fn cut(tensor: &Tensor, chunk_rows: &[usize]) -> Vec<Tensor> {
    let TensorData::F64(values) = tensor.data() else { return Vec::new() };
    let width = tensor.dims().get(1).copied().unwrap_or(1);
    let mut first = 0;
    let mut cut = Vec::with_capacity(chunk_rows.len());
    for &n in chunk_rows {
        let mut dims = tensor.dims().to_vec();
        dims[0] = n;
        let chunk = values.get(first * width..(first + n) * width).map(<[f64]>::to_vec);
        cut.extend(chunk.and_then(|v| Tensor::try_new(dims, TensorData::F64(v))));
        first += n;
    }
    cut
}

/// The cells of a group's columns from its values by chunk.
pub(crate) fn cells_of(g: usize, tensors: Vec<Tensor>) -> Result<Vec<(Source, MadeCells)>, Error> {
    let Some(first) = tensors.first() else { return Ok(Vec::new()) };
    let width = first.dims().get(1).copied();
    match (first.data(), width) {
        (TensorData::Bag(_), Some(width)) => {
            let bags = tensors.into_iter().filter_map(|t| match t.into_data() {
                TensorData::Bag(bags) => Some(bags),
                _ => None,
            });
            Ok(vec![(Source::Group(g), MadeCells::Bags(bags.collect(), width))])
        }
        (TensorData::Str(_), None) => {
            let chunks = tensors.into_iter().map(|t| match t.into_data() {
                TensorData::Str(cells) => Texts::new(&cells),
                _ => None,
            });
            let chunks = chunks.collect::<Option<Vec<_>>>().ok_or(Kind::TooLong { n_columns: 1 })?;
            Ok(vec![(Source::Group(g), MadeCells::Texts(chunks))])
        }
        (TensorData::F64(_), None) => {
            let chunks = tensors.into_iter().filter_map(|t| match t.into_data() {
                TensorData::F64(v) => Some(v),
                _ => None,
            });
            Ok(vec![(Source::Group(g), MadeCells::Doubles(chunks.collect()))])
        }
        (TensorData::F64(_), Some(width)) => {
            let mut columns: Vec<Vec<Vec<f64>>> =
                (0..width).map(|_| Vec::with_capacity(tensors.len())).collect();
            for tensor in &tensors {
                let TensorData::F64(values) = tensor.data() else { continue };
                for (at, column) in columns.iter_mut().enumerate() {
                    column.push(values.iter().copied().skip(at).step_by(width).collect());
                }
            }
            let cells = columns.into_iter().enumerate();
            Ok(cells.map(|(at, chunks)| (Source::Column(g, at), MadeCells::Doubles(chunks))).collect())
        }
        _ => Err(Kind::MadeDType { dtype: first.dtype() }.into()),
    }
}

/// Cells that differ between a column and another of the same rows.
pub(crate) fn n_changed(a: &Column<'_>, b: &Column<'_>) -> u64 {
    let differs = |row: &usize| match (a.dtype(), b.dtype()) {
        (DType::Str, DType::Str) => a.text(*row) != b.text(*row),
        _ => {
            let (x, y) = (a.double(*row), b.double(*row));
            x != y && !(x.is_nan() && y.is_nan())
        }
    };
    (0..a.n_rows().min(b.n_rows())).filter(differs).count() as u64
}
