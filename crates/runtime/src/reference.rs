//! The reference interpreter: what every operator means.
//!
//! Node by node over whole columns, the plainest code that is right. Faster paths are compared with
//! it, never the other way round.

use crate::error::{Error, Kind};
use alloc::vec;
use alloc::vec::Vec;
use ir::fixed::{key_f64, link};
use ir::forest::MISSING;
use ir::op::{Bin, Codes, ForestOp, Link, LinkKind, Threshold, TimePart};
use ir::text::category_key;
use ir::{Column, ColumnData, DType, Graph, Node, Op, Origin, Tensor, TensorData, ValueIdx};

/// A value during a run.
pub(crate) enum Held<'a> {
    Column(Column<'a>),
    Constant(&'a Tensor),
    Made(Tensor),
}

/// Checks columns against the names and dtypes of a graph's inputs; gives the number of rows.
pub(crate) fn check_inputs<'n>(
    inputs: impl ExactSizeIterator<Item = (&'n str, DType)>,
    columns: &[Column<'_>],
) -> Result<usize, Error> {
    if columns.len() != inputs.len() || columns.is_empty() {
        return Err(Kind::Columns { expected: inputs.len(), got: columns.len() }.into());
    }
    let n_rows = columns[0].n_rows();
    for ((name, expected), column) in inputs.zip(columns) {
        if expected != column.dtype() {
            let got = column.dtype();
            return Err(Kind::ColumnType { name: name.into(), expected, got }.into());
        }
        if column.n_rows() != n_rows {
            let got = column.n_rows();
            return Err(Kind::ColumnRows { name: name.into(), expected: n_rows, got }.into());
        }
    }
    Ok(n_rows)
}

/// Outputs of the graph for these columns, in the order of its outputs.
///
/// # Errors
/// Columns that do not fit the graph's inputs.
pub fn run(graph: &Graph, columns: &[Column<'_>]) -> Result<Vec<Tensor>, Error> {
    let inputs = graph.inputs().iter().map(|&i| (&graph.value(i).name[..], graph.value(i).dtype));
    let n_rows = check_inputs(inputs, columns)?;
    let mut held: Vec<Option<Held<'_>>> = graph
        .values()
        .iter()
        .map(|value| match &value.origin {
            Origin::Input(position) => Some(Held::Column(columns[*position as usize])),
            Origin::Constant(tensor) => Some(Held::Constant(tensor)),
            Origin::Node(_) => None,
        })
        .collect();
    evaluate(graph.nodes(), &mut held, n_rows)?;
    let mut outputs = Vec::with_capacity(graph.outputs().len());
    for output in graph.outputs() {
        match &held[output.0 as usize] {
            Some(Held::Made(tensor)) => outputs.push(tensor.clone()),
            Some(Held::Constant(tensor)) => outputs.push((*tensor).clone()),
            Some(Held::Column(_)) | None => {
                return Err(unsupported(&graph.value(*output).name, "an input as output"));
            }
        }
    }
    Ok(outputs)
}

/// Computes nodes in order; `held` has a place for each value of their graph.
pub(crate) fn evaluate(nodes: &[Node], held: &mut [Option<Held<'_>>], n_rows: usize) -> Result<(), Error> {
    for node in nodes {
        let made = Inputs { held, node, n_rows }.evaluate()?;
        if let Some(&output) = node.outputs.first() {
            held[output.0 as usize] = Some(Held::Made(made));
        }
    }
    Ok(())
}

fn unsupported(node: &str, op: &'static str) -> Error {
    Kind::Unsupported { node: node.into(), op, engine: "reference" }.into()
}

/// The inputs of one node.
struct Inputs<'h, 'a> {
    held: &'h [Option<Held<'a>>],
    node: &'h Node,
    n_rows: usize,
}

impl Inputs<'_, '_> {
    fn fail(&self) -> Error {
        unsupported(&self.node.name, self.node.op.payload().name())
    }

    fn held(&self, position: usize) -> Result<&Held<'_>, Error> {
        let idx: &ValueIdx = self.node.inputs.get(position).ok_or_else(|| self.fail())?;
        self.held[idx.0 as usize].as_ref().ok_or_else(|| self.fail())
    }

    /// A column as given, or a computed one of doubles, in which NaN is missing.
    fn column(&self, position: usize) -> Result<Column<'_>, Error> {
        let made = match self.held(position)? {
            Held::Column(column) => return Ok(*column),
            Held::Made(tensor) => tensor,
            Held::Constant(_) => return Err(self.fail()),
        };
        match made.data() {
            TensorData::F64(v) if v.len() == self.n_rows => {
                Column::try_new(ColumnData::F64(v), None).ok_or_else(|| self.fail())
            }
            _ => Err(self.fail()),
        }
    }

    fn tensor(&self, position: usize) -> Result<&Tensor, Error> {
        match self.held(position)? {
            Held::Made(tensor) => Ok(tensor),
            Held::Constant(tensor) => Ok(tensor),
            Held::Column(_) => Err(self.fail()),
        }
    }

    /// Integer scores and their number a row, which is not 0.
    fn scores(&self) -> Result<(&[i32], usize), Error> {
        let tensor = self.tensor(0)?;
        match (tensor.data(), tensor.dims()) {
            (TensorData::I32(v), &[n_rows, width]) if n_rows == self.n_rows && width > 0 => Ok((v, width)),
            _ => Err(self.fail()),
        }
    }

    fn finish(&self, dims: Vec<usize>, data: TensorData) -> Result<Tensor, Error> {
        Tensor::try_new(dims, data).ok_or_else(|| self.fail())
    }

    fn evaluate(&self) -> Result<Tensor, Error> {
        match &self.node.op {
            Op::Bin(Bin) => self.bin(),
            Op::Codes(codes) => self.codes(*codes),
            Op::Forest(forest) => self.forest(forest),
            Op::Link(link) => self.link(*link),
            Op::ArgMax(_) => self.argmax(),
            Op::Threshold(threshold) => self.threshold(*threshold),
            Op::TimePart(part) => self.time_part(*part),
        }
    }

    fn bin(&self) -> Result<Tensor, Error> {
        let column = self.column(0)?;
        let code = |row: usize| -> Option<u8> {
            if !column.is_valid(row) {
                return Some(MISSING);
            }
            match (column.data(), self.tensor(1).ok()?.data()) {
                (ColumnData::F64(v), TensorData::F64(_)) if v[row].is_nan() => Some(MISSING),
                (ColumnData::F64(v), TensorData::F64(edges)) => {
                    Some(edges.iter().filter(|&&e| key_f64(v[row]) > key_f64(e)).count() as u8)
                }
                (ColumnData::I64(v), TensorData::I64(edges)) => {
                    Some(edges.iter().filter(|&&e| v[row] > e).count() as u8)
                }
                _ => None,
            }
        };
        let codes: Option<Vec<u8>> = (0..self.n_rows).map(code).collect();
        Ok(Tensor::vector(TensorData::U8(codes.ok_or_else(|| self.fail())?)))
    }

    fn codes(&self, op: Codes) -> Result<Tensor, Error> {
        let column = self.column(0)?;
        let TensorData::Str(keys) = self.tensor(1)?.data() else { return Err(self.fail()) };
        let code = |row: usize| match column.text(row) {
            None => MISSING,
            Some(key) => keys.iter().position(|k| k == key).map_or(op.unseen, |i| i as u8),
        };
        Ok(Tensor::vector(TensorData::U8((0..self.n_rows).map(code).collect())))
    }

    fn forest(&self, op: &ForestOp) -> Result<Tensor, Error> {
        let mut codes = Vec::with_capacity(self.node.inputs.len());
        for position in 0..self.node.inputs.len() {
            match self.tensor(position)?.data() {
                TensorData::U8(v) if v.len() == self.n_rows => codes.push(&v[..]),
                _ => return Err(self.fail()),
            }
        }
        let forest = &op.forest;
        let width = forest.n_outputs() as usize;
        let mut scores = forest.initial_scores().repeat(self.n_rows);
        for (row, scores) in scores.chunks_exact_mut(width).enumerate() {
            for tree in forest.trees() {
                let leaf = tree.leaf(|feature| codes[feature as usize][row]) as usize;
                let n = tree.width as usize;
                let first = tree.first_output as usize;
                for (score, value) in scores[first..first + n].iter_mut().zip(&tree.leaves[leaf * n..]) {
                    *score += value;
                }
            }
        }
        self.finish(vec![self.n_rows, width], TensorData::I32(scores))
    }

    fn link(&self, op: Link) -> Result<Tensor, Error> {
        let (scores, width) = self.scores()?;
        match op.kind {
            LinkKind::Logistic => {
                let p =
                    scores.iter().flat_map(|&s| link::logistic(s, op.shift.unsigned_abs().into())).collect();
                self.finish(vec![self.n_rows, 2], TensorData::F32(p))
            }
            LinkKind::Softmax => {
                let mut p = vec![0.0; scores.len()];
                for (scores, p) in scores.chunks_exact(width).zip(p.chunks_exact_mut(width)) {
                    link::softmax(scores, op.shift.unsigned_abs().into(), p);
                }
                self.finish(vec![self.n_rows, width], TensorData::F32(p))
            }
            LinkKind::Linear => {
                let v = scores.iter().map(|&s| link::linear(s, op.offset, op.shift)).collect();
                self.finish(vec![self.n_rows], TensorData::F64(v))
            }
        }
    }

    fn time_part(&self, op: TimePart) -> Result<Tensor, Error> {
        let column = self.column(0)?;
        let part = |row: usize| {
            let micros = match (column.data(), op.format) {
                (ColumnData::I64(v), None) if column.is_valid(row) => Some(v[row]),
                (ColumnData::Str { .. }, Some(format)) => {
                    column.text(row).and_then(|text| format.parse(category_key(text)))
                }
                _ => None,
            };
            micros.map_or(f64::NAN, |m| op.part.of(m) as f64)
        };
        Ok(Tensor::vector(TensorData::F64((0..self.n_rows).map(part).collect())))
    }

    fn argmax(&self) -> Result<Tensor, Error> {
        let (scores, width) = self.scores()?;
        let labels = scores.chunks_exact(width).map(argmax).collect();
        Ok(Tensor::vector(TensorData::I64(labels)))
    }

    fn threshold(&self, op: Threshold) -> Result<Tensor, Error> {
        let (scores, _) = self.scores()?;
        Ok(Tensor::vector(TensorData::I64(scores.iter().map(|&s| i64::from(s > op.above)).collect())))
    }
}

/// Index of the largest score, the first of equals.
pub(crate) fn argmax(scores: &[i32]) -> i64 {
    let mut best = 0;
    for (k, &score) in scores.iter().enumerate() {
        if score > scores[best] {
            best = k;
        }
    }
    best as i64
}
