//! The reference interpreter: what every operator means.
//!
//! Node by node over whole columns, the plainest code that is right. Faster paths are compared with
//! it, never the other way round.

use crate::error::{Error, Kind};
use crate::relations::Memo;
use crate::texts::{self, Texts};
use crate::{bags, integers, neighbours, numbers, relations};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use ir::fixed::{key_f64, link};
use ir::forest::MISSING;
use ir::op::{Bin, Codes, ForestOp, LeastCost, Link, LinkKind, Threshold, TimePart};
use ir::text::category_key;
use ir::{Column, ColumnData, DType, Graph, Node, Op, Origin, Shape, Tensor, TensorData, ValueIdx};

/// A value during a run.
pub(crate) enum Held<'a> {
    Column(Column<'a>),
    Constant(&'a Tensor),
    Made(Tensor),
    /// A made column of text.
    Texts(Texts),
}

impl Held<'_> {
    /// A column as given, or a computed one: of doubles, in which NaN is missing, or of text.
    pub(crate) fn column(&self) -> Option<Column<'_>> {
        match self {
            Held::Column(column) => Some(*column),
            Held::Made(tensor) => match tensor.data() {
                TensorData::F64(v) if tensor.dims().len() == 1 => Column::try_new(ColumnData::F64(v), None),
                _ => None,
            },
            Held::Texts(texts) => texts.column(),
            Held::Constant(_) => None,
        }
    }
}

/// What an input of a graph asks of its column.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) name: String,
    pub(crate) dtype: DType,
    /// The column belongs to the second table.
    pub(crate) other: bool,
}

impl Asked {
    pub(crate) fn all(graph: &Graph) -> Vec<Asked> {
        let of = |&i: &ValueIdx| {
            let value = graph.value(i);
            Asked { name: value.name.clone(), dtype: value.dtype, other: value.shape == Shape::other_rows() }
        };
        graph.inputs().iter().map(of).collect()
    }
}

/// Checks columns against what a graph asks of them; gives the number of rows of the first table.
pub(crate) fn check_inputs(asked: &[Asked], columns: &[Column<'_>]) -> Result<usize, Error> {
    if columns.len() != asked.len() || columns.is_empty() {
        return Err(Kind::Columns { expected: asked.len(), got: columns.len() }.into());
    }
    let n_rows = |other: bool| {
        let first = asked.iter().zip(columns).find(|(a, _)| a.other == other);
        first.map_or(0, |(_, column)| column.n_rows())
    };
    let (of_first, of_second) = (n_rows(false), n_rows(true));
    for (asked, column) in asked.iter().zip(columns) {
        if asked.dtype != column.dtype() {
            let (name, expected, got) = (asked.name.clone(), asked.dtype, column.dtype());
            return Err(Kind::ColumnType { name, expected, got }.into());
        }
        let expected = if asked.other { of_second } else { of_first };
        if column.n_rows() != expected {
            let (name, got) = (asked.name.clone(), column.n_rows());
            return Err(Kind::ColumnRows { name, expected, got }.into());
        }
    }
    Ok(of_first)
}

/// Outputs of the graph for these columns, in the order of its outputs.
///
/// # Errors
/// Columns that do not fit the graph's inputs.
pub fn run(graph: &Graph, columns: &[Column<'_>]) -> Result<Vec<Tensor>, Error> {
    watch(graph, columns, graph.outputs())
}

/// Any values of the graph for these columns, in the order in which they are named: codes, integers and parts of
/// a score are as easy to see as outputs. Only the nodes that these values hang on are computed.
///
/// # Errors
/// Columns that do not fit the graph's inputs; a value of no graph, or a column of text as given.
pub fn watch(graph: &Graph, columns: &[Column<'_>], wanted: &[ValueIdx]) -> Result<Vec<Tensor>, Error> {
    let n_rows = check_inputs(&Asked::all(graph), columns)?;
    let mut needed = vec![false; graph.values().len()];
    for idx in wanted {
        *needed.get_mut(idx.0 as usize).ok_or_else(|| unsupported("graph", "a value of another graph"))? =
            true;
    }
    let mut nodes = Vec::new();
    for node in graph.nodes().iter().rev() {
        if node.outputs.iter().any(|o| needed[o.0 as usize]) {
            node.inputs.iter().for_each(|i| needed[i.0 as usize] = true);
            nodes.push(node);
        }
    }
    nodes.reverse();
    let mut held: Vec<Option<Held<'_>>> = graph
        .values()
        .iter()
        .map(|value| match &value.origin {
            Origin::Input(position) => Some(Held::Column(columns[*position as usize])),
            Origin::Constant(tensor) => Some(Held::Constant(tensor)),
            Origin::Node(_) => None,
        })
        .collect();
    evaluate_by(nodes, &mut held, n_rows, |_, inputs| inputs.evaluate())?;
    let mut made = Vec::with_capacity(wanted.len());
    for idx in wanted {
        let value = output(held[idx.0 as usize].as_ref());
        made.push(value.ok_or_else(|| unsupported(&graph.value(*idx).name, "an input as output"))?);
    }
    Ok(made)
}

/// A value as an output: columns of doubles are copied, other columns as given cannot be one; in text that
/// was made, missing is the empty text.
pub(crate) fn output(held: Option<&Held<'_>>) -> Option<Tensor> {
    match held? {
        Held::Made(tensor) => Some(tensor.clone()),
        Held::Constant(tensor) => Some((*tensor).clone()),
        Held::Column(column) => numbers::of_column(column).map(|v| Tensor::vector(TensorData::F64(v))),
        Held::Texts(texts) => Some(texts.tensor()),
    }
}

/// Computes nodes in order by `value`, which is given the place of the node; `held` has a place for each value of
/// their graph.
pub(crate) fn evaluate_by<'a, 'n>(
    nodes: impl IntoIterator<Item = &'n Node>,
    held: &mut [Option<Held<'a>>],
    n_rows: usize,
    value: impl Fn(usize, &Inputs<'_, '_>) -> Result<Held<'a>, Error>,
) -> Result<(), Error> {
    let memo = Memo::default();
    for (at, node) in nodes.into_iter().enumerate() {
        // A node on columns of the second table has as many rows as these.
        let rows_of = |i: &ValueIdx| match held[i.0 as usize].as_ref()? {
            Held::Column(column) => Some(column.n_rows()),
            Held::Made(tensor) => tensor.dims().first().copied(),
            Held::Texts(texts) => texts.column().map(|c| c.n_rows()),
            Held::Constant(_) => None,
        };
        let n_rows = node.inputs.iter().find_map(rows_of).unwrap_or(n_rows);
        let made = value(at, &Inputs { held, node, n_rows, memo: &memo })?;
        if let Some(&output) = node.outputs.first() {
            held[output.0 as usize] = Some(made);
        }
    }
    Ok(())
}

fn unsupported(node: &str, op: &'static str) -> Error {
    Kind::Unsupported { node: node.into(), op, engine: "reference" }.into()
}

/// The inputs of one node.
pub(crate) struct Inputs<'h, 'a> {
    held: &'h [Option<Held<'a>>],
    pub(crate) node: &'h Node,
    pub(crate) n_rows: usize,
    /// What nodes on other rows share.
    pub(crate) memo: &'h Memo,
}

impl Inputs<'_, '_> {
    pub(crate) fn fail(&self) -> Error {
        unsupported(&self.node.name, self.node.op.payload().name())
    }

    pub(crate) fn held(&self, position: usize) -> Result<&Held<'_>, Error> {
        let idx: &ValueIdx = self.node.inputs.get(position).ok_or_else(|| self.fail())?;
        self.held[idx.0 as usize].as_ref().ok_or_else(|| self.fail())
    }

    /// A column as given or computed.
    pub(crate) fn column(&self, position: usize) -> Result<Column<'_>, Error> {
        let column = self.held(position)?.column().filter(|c| c.n_rows() == self.n_rows);
        column.ok_or_else(|| self.fail())
    }

    /// A column of either table.
    pub(crate) fn column_of_either(&self, position: usize) -> Result<Column<'_>, Error> {
        self.held(position)?.column().ok_or_else(|| self.fail())
    }

    pub(crate) fn tensor(&self, position: usize) -> Result<&Tensor, Error> {
        match self.held(position)? {
            Held::Made(tensor) => Ok(tensor),
            Held::Constant(tensor) => Ok(tensor),
            Held::Column(_) | Held::Texts(_) => Err(self.fail()),
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

    /// Codes of the first columns.
    pub(crate) fn codes_of(&self, n_columns: usize) -> Result<Vec<&[u8]>, Error> {
        let codes = |position| match self.tensor(position)?.data() {
            TensorData::U8(v) if v.len() == self.n_rows => Ok(&v[..]),
            _ => Err(self.fail()),
        };
        (0..n_columns).map(codes).collect()
    }

    pub(crate) fn finish(&self, dims: Vec<usize>, data: TensorData) -> Result<Tensor, Error> {
        Tensor::try_new(dims, data).ok_or_else(|| self.fail())
    }

    /// The value of the node.
    pub(crate) fn evaluate<'v>(&self) -> Result<Held<'v>, Error> {
        match &self.node.op {
            Op::Respell(_) => texts::respell(self).map(Held::Texts),
            _ => self.tensor_made().map(Held::Made),
        }
    }

    fn tensor_made(&self) -> Result<Tensor, Error> {
        match &self.node.op {
            Op::Bin(Bin) => self.bin(),
            Op::Codes(codes) => self.codes(*codes),
            Op::Forest(forest) => self.forest(forest),
            Op::Link(link) => self.link(*link),
            Op::ArgMax(_) => self.argmax(),
            Op::Threshold(threshold) => self.threshold(*threshold),
            Op::LeastCost(_) => self.least_cost(),
            Op::TimePart(part) => self.time_part(*part),
            Op::Cast(_)
            | Op::Arithmetic(_)
            | Op::Function(_)
            | Op::Comparison(_)
            | Op::IsNaN(_)
            | Op::Where(_)
            | Op::Columns(_)
            | Op::Gather(_)
            | Op::MatMul(_)
            | Op::Reduce(_)
            | Op::Interpolate(_)
            | Op::OneHot(_)
            | Op::LabelEncoder(_)
            | Op::HashBucket(_)
            | Op::BSpline(_) => numbers::evaluate(self),
            Op::Past(past) => relations::past(self, *past),
            Op::Related(related) => relations::related(self, *related),
            Op::ImputeNeighbours(op) => neighbours::impute(self, *op),
            // What networks are made of is computed by `tensors`.
            Op::Respell(_) | Op::Tensor(_) => Err(self.fail()),
            Op::Tokens(_)
            | Op::HashTokens(_)
            | Op::BagWeigh(_)
            | Op::BagGather(_)
            | Op::BagGemm(_)
            | Op::TextPart(_) => bags::evaluate(self),
            Op::QuantizeLinear(_)
            | Op::QGemm(_)
            | Op::Tables(_)
            | Op::Sum(_)
            | Op::WeightedSum(_)
            | Op::Cascade(_)
            | Op::Gate(_)
            | Op::Votes(_)
            | Op::ScoreCurve(_)
            | Op::ToScores(_)
            | Op::NearestRows(_)
            | Op::RbfSums(_) => integers::evaluate(self),
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
        let codes = self.codes_of(self.node.inputs.len())?;
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
            LinkKind::Share => {
                let n = if width == 1 { 2 } else { width };
                let mut p = vec![0.0; self.n_rows * n];
                for (scores, p) in scores.chunks_exact(width).zip(p.chunks_exact_mut(n)) {
                    link::share(scores, op.offset, p);
                }
                self.finish(vec![self.n_rows, n], TensorData::F32(p))
            }
            LinkKind::Linear => {
                let v = scores.iter().map(|&s| link::linear(s, op.offset, op.shift)).collect();
                self.finish(vec![self.n_rows], TensorData::F64(v))
            }
            LinkKind::Exponential => {
                let shift = op.shift.unsigned_abs().into();
                let v = scores.iter().map(|&s| link::exponential(s, shift)).collect();
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

    fn least_cost(&self) -> Result<Tensor, Error> {
        let (p, cost) = (self.tensor(0)?, self.tensor(1)?);
        let (TensorData::F32(v), &[_, n], TensorData::F64(cost)) = (p.data(), p.dims(), cost.data()) else {
            return Err(self.fail());
        };
        let of = |p: &[f32]| LeastCost::of(p.iter().map(|&p| f64::from(p)), cost) as i64;
        Ok(Tensor::vector(TensorData::I64(v.chunks_exact(n.max(1)).map(of).collect())))
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
