//! Where the engines get their columns from: codes, and rows of small integers.

use super::nodes::{Computed, fail};
use crate::cost::{Counts, Operation};
use crate::engine::bins::Bins;
use crate::engine::dictionary::Dictionary;
use crate::engine::quantizer::Quantizer;
use crate::error::Error;
use crate::reference::Held;
use alloc::vec::Vec;
use ir::op::{Arithmetic, QuantizeLinear};
use ir::{Column, DType, Dim, Graph, Node, Op, Origin, Tensor, TensorData, ValueIdx};

/// Where a column starts from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    /// A column as given, or one that was computed for the whole table.
    Input(usize),
    /// A value that the prelude computes.
    Computed(usize),
}

impl Start {
    /// Where a value is found; `None` for a constant.
    pub(super) fn of(graph: &Graph, known: &[(usize, usize)], value: ValueIdx) -> Option<Start> {
        let at = value.0 as usize;
        if let Some((_, place)) = known.iter().find(|(value, _)| *value == at) {
            return Some(Start::Input(*place));
        }
        match graph.value(value).origin {
            Origin::Input(column) => Some(Start::Input(column as usize)),
            Origin::Node(_) => Some(Start::Computed(at)),
            Origin::Constant(_) => None,
        }
    }

    fn computed(self) -> Option<usize> {
        match self {
            Start::Computed(value) => Some(value),
            Start::Input(_) => None,
        }
    }

    fn column(self) -> Option<usize> {
        match self {
            Start::Input(column) => Some(column),
            Start::Computed(_) => None,
        }
    }
}

/// Some rows of the columns, and what the prelude made of them.
pub(super) struct Given<'g> {
    pub(super) columns: &'g [Column<'g>],
    pub(super) first: usize,
    pub(super) n: usize,
    pub(super) computed: Option<&'g Computed<'g>>,
}

impl Given<'_> {
    fn column(&self, start: Start) -> Result<Column<'_>, Error> {
        let column = match start {
            Start::Input(column) => self.columns.get(column).and_then(|c| match c.n_rows() == self.n {
                true => Some(*c),
                false => c.slice(self.first, self.n),
            }),
            Start::Computed(value) => self.computed.and_then(|computed| computed.get(value)?.column()),
        };
        column.filter(|c| c.n_rows() == self.n).ok_or_else(fail)
    }

    /// A computed matrix and its width.
    pub(super) fn matrix(&self, value: usize) -> Result<(&TensorData, usize), Error> {
        match self.computed.and_then(|computed| computed.get(value)) {
            Some(Held::Made(tensor)) => match tensor.dims() {
                &[n, width] if n == self.n => Ok((tensor.data(), width)),
                _ => Err(fail()),
            },
            _ => Err(fail()),
        }
    }
}

#[derive(Clone, Debug)]
enum Coder {
    Bins(Bins),
    Dictionary(Dictionary),
    /// The codes at a place before it.
    Copy(usize),
    /// The codes at a place of the stage before.
    Taken(usize),
}

/// Codes of one column.
#[derive(Clone, Debug)]
pub(super) struct CodeStep {
    /// None of codes that are there already.
    start: Option<Start>,
    coder: Coder,
}

impl CodeStep {
    /// Of a node `Bin` or `Codes`.
    pub(super) fn new(graph: &Graph, known: &[(usize, usize)], node: &Node) -> Option<CodeStep> {
        let start = Start::of(graph, known, *node.inputs.first()?)?;
        let coder = match (&node.op, graph.constant(*node.inputs.get(1)?)?.data()) {
            (Op::Bin(_), edges) => Coder::Bins(Bins::new(edges)?),
            (Op::Codes(op), TensorData::Str(keys)) => Coder::Dictionary(Dictionary::new(keys, op.unseen)),
            _ => return None,
        };
        Some(CodeStep { start: Some(start), coder })
    }

    pub(super) fn count(&self, counts: &mut Counts) {
        match &self.coder {
            Coder::Bins(bins) => {
                counts.add(Operation::NumberColumn, 1);
                counts.add(Operation::SearchStep, bins.n_steps());
            }
            Coder::Dictionary(_) => counts.add(Operation::CategoryColumn, 1),
            Coder::Copy(_) | Coder::Taken(_) => counts.add(Operation::CopiedCode, 1),
        }
    }

    pub(super) fn codes_into(&self, given: &Given<'_>, codes: &mut [u8]) -> Result<(), Error> {
        let column = given.column(self.start.ok_or_else(fail)?)?;
        match &self.coder {
            Coder::Bins(bins) => bins.codes_into(&column, codes),
            Coder::Dictionary(dictionary) => dictionary.codes_into(&column, codes),
            // Whoever has all codes copies them.
            Coder::Copy(_) | Coder::Taken(_) => return Err(fail()),
        }
        Ok(())
    }

    /// The same codes once more; these stand at `place`.
    pub(super) fn again(place: usize) -> CodeStep {
        CodeStep { start: None, coder: Coder::Copy(place) }
    }

    /// Codes that the stage before has at `place`.
    pub(super) fn taken_from(place: usize) -> CodeStep {
        CodeStep { start: None, coder: Coder::Taken(place) }
    }

    /// The place of the codes that these are.
    pub(super) fn copied(&self) -> Option<usize> {
        match self.coder {
            Coder::Copy(place) => Some(place),
            Coder::Bins(_) | Coder::Dictionary(_) | Coder::Taken(_) => None,
        }
    }

    /// The place of the codes of the stage before that these are.
    pub(super) fn taken(&self) -> Option<usize> {
        match self.coder {
            Coder::Taken(place) => Some(place),
            Coder::Bins(_) | Coder::Dictionary(_) | Coder::Copy(_) => None,
        }
    }

    /// The value that the prelude must compute.
    pub(super) fn computed(&self) -> Option<usize> {
        self.start.and_then(Start::computed)
    }

    /// The place of the column that is coded.
    pub(super) fn column(&self) -> Option<usize> {
        self.start.and_then(Start::column)
    }
}

/// One column of `Columns`, or as many as a matrix has.
#[derive(Clone, Debug)]
pub(super) enum Cells {
    /// Numbers, `i64` or `f64`.
    Numbers(Start),
    /// `f64 [N, K]`.
    Matrix(usize),
    /// One column a code, from the codes at this place.
    OneHot { codes: usize, depth: usize },
}

/// Rows of 16-bit integers.
#[derive(Clone, Debug)]
pub(super) enum RowStep {
    /// Columns side by side, quantized.
    Quantized { cells: Vec<Cells>, quantizers: Vec<Quantizer>, most: i32 },
    /// A matrix `i16 [N, K]` that the prelude computes, and the largest size of its cells.
    Computed { value: usize, width: usize, most: i32 },
}

impl RowStep {
    /// The rows of a value `i16 [N, K]`. `codes` gives the place of coded columns.
    pub(super) fn new(
        graph: &Graph,
        known: &[(usize, usize)],
        value: ValueIdx,
        codes: impl FnMut(ValueIdx) -> Option<usize>,
    ) -> Option<RowStep> {
        let node = graph.maker(value)?;
        let width = width_of(graph, value)?;
        let most = if let Op::QuantizeLinear(op) = &node.op {
            if let Some(step) = quantized(graph, known, node, *op, codes) {
                return Some(step);
            }
            op.most()
        } else {
            1 << 15
        };
        Some(RowStep::Computed { value: value.0 as usize, width, most })
    }

    pub(super) fn width(&self) -> usize {
        match self {
            RowStep::Quantized { quantizers, .. } => quantizers.len(),
            RowStep::Computed { width, .. } => *width,
        }
    }

    pub(super) fn count(&self, counts: &mut Counts) {
        counts.add(Operation::QuantizedCell, self.width());
    }

    /// Largest size of a cell.
    pub(super) fn most(&self) -> i32 {
        match self {
            RowStep::Quantized { most, .. } | RowStep::Computed { most, .. } => *most,
        }
    }

    /// Values that the prelude must compute.
    pub(super) fn computed(&self) -> Vec<usize> {
        match self {
            RowStep::Quantized { cells, .. } => {
                let of = |cells: &Cells| match cells {
                    Cells::Numbers(start) => start.computed(),
                    Cells::Matrix(value) => Some(*value),
                    Cells::OneHot { .. } => None,
                };
                cells.iter().filter_map(of).collect()
            }
            RowStep::Computed { value, .. } => alloc::vec![*value],
        }
    }

    /// Places of the columns that it takes.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> {
        let cells = match self {
            RowStep::Quantized { cells, .. } => &cells[..],
            RowStep::Computed { .. } => &[],
        };
        cells.iter().filter_map(|cells| match cells {
            Cells::Numbers(start) => start.column(),
            Cells::Matrix(_) | Cells::OneHot { .. } => None,
        })
    }

    /// The cells of a block, `[width, stride]`; `codes` is `[n_codes, stride]`.
    pub(super) fn cells_into(
        &self,
        given: &Given<'_>,
        codes: &[u8],
        stride: usize,
        out: &mut [i16],
    ) -> Result<(), Error> {
        let n = given.n;
        match self {
            RowStep::Computed { value, width, .. } => match given.matrix(*value)? {
                (TensorData::I16(v), wide) if wide == *width => {
                    for (column, out) in out.chunks_exact_mut(stride).enumerate() {
                        let cells = v.iter().skip(column).step_by(wide);
                        out.iter_mut().zip(cells).for_each(|(out, &cell)| *out = cell);
                    }
                }
                _ => return Err(fail()),
            },
            RowStep::Quantized { cells, quantizers, .. } => {
                let mut columns = quantizers.iter().zip(out.chunks_exact_mut(stride));
                for cells in cells {
                    match cells {
                        Cells::Numbers(start) => {
                            let column = given.column(*start)?;
                            if let Some((quantizer, out)) = columns.next() {
                                quantizer.column_into(&column, &mut out[..n]);
                            }
                        }
                        Cells::Matrix(value) => {
                            let (TensorData::F64(v), width) = given.matrix(*value)? else {
                                return Err(fail());
                            };
                            for (at, (quantizer, out)) in columns.by_ref().take(width).enumerate() {
                                quantizer
                                    .values_into(v.iter().skip(at).step_by(width).copied(), &mut out[..n]);
                            }
                        }
                        Cells::OneHot { codes: place, depth } => {
                            let codes = &codes[place * stride..][..n];
                            for (hot, (quantizer, out)) in columns.by_ref().take(*depth).enumerate() {
                                let (off, on) = (quantizer.of(0.0), quantizer.of(1.0));
                                for (out, &code) in out.iter_mut().zip(codes) {
                                    *out = if usize::from(code) == hot { on } else { off };
                                }
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// `K` of a value `[N, K]` over the rows of the first table.
pub(super) fn width_of(graph: &Graph, value: ValueIdx) -> Option<usize> {
    let shape = &graph.value(value).shape;
    match &shape.0[..] {
        [Dim::Symbol(rows), Dim::Fixed(width)] if rows == "N" => Some(*width),
        _ => None,
    }
}

fn constant<'g>(graph: &'g Graph, node: &Node, position: usize) -> Option<&'g [f64]> {
    let tensor: &Tensor = graph.constant(*node.inputs.get(position)?)?;
    match (tensor.data(), tensor.dims()) {
        (TensorData::F64(v), &[_]) => Some(v),
        _ => None,
    }
}

/// Columns side by side, less their centers or not, quantized.
fn quantized(
    graph: &Graph,
    known: &[(usize, usize)],
    node: &Node,
    op: QuantizeLinear,
    mut codes: impl FnMut(ValueIdx) -> Option<usize>,
) -> Option<RowStep> {
    let scales = constant(graph, node, 1)?;
    let away = graph.maker(*node.inputs.first()?)?;
    let (side_by_side, centers) = match &away.op {
        Op::Arithmetic(Arithmetic::Sub) => {
            let centers = constant(graph, away, 1).filter(|c| c.len() == scales.len())?;
            (graph.maker(*away.inputs.first()?)?, Some(centers))
        }
        _ => (away, None),
    };
    if !matches!(side_by_side.op, Op::Columns(_)) {
        return None;
    }
    let mut cells = Vec::with_capacity(side_by_side.inputs.len());
    let mut width = 0;
    for &input in &side_by_side.inputs {
        let value = graph.value(input);
        let n = if value.shape.rank() == 1 { 1 } else { width_of(graph, input)? };
        width += n;
        let node = graph.maker(input);
        let first = node.and_then(|n| n.inputs.first().copied());
        cells.push(match (node.map(|n| &n.op), first) {
            (Some(Op::Cast(_)), Some(first)) if is_number(graph, first) => {
                Cells::Numbers(Start::of(graph, known, first)?)
            }
            (Some(Op::OneHot(op)), Some(first)) if graph.value(first).dtype == DType::U8 => {
                match codes(first) {
                    Some(codes) => Cells::OneHot { codes, depth: op.depth as usize },
                    None => Cells::Matrix(input.0 as usize),
                }
            }
            _ if value.shape.rank() == 1 => Cells::Numbers(Start::of(graph, known, input)?),
            (Some(_), _) => Cells::Matrix(input.0 as usize),
            (None, _) => return None,
        });
    }
    if width != scales.len() {
        return None;
    }
    let center = |at: usize| centers.map_or(0.0, |c| c[at]);
    let quantizers =
        scales.iter().enumerate().map(|(at, &scale)| Quantizer::new(center(at), scale, op.most()));
    Some(RowStep::Quantized { cells, quantizers: quantizers.collect(), most: op.most() })
}

/// A column `[N]` of numbers that a plan reads without a `Cast`.
fn is_number(graph: &Graph, value: ValueIdx) -> bool {
    let value = graph.value(value);
    let given = matches!(value.origin, Origin::Input(_)) && value.dtype == DType::I64;
    value.shape.rank() == 1 && (given || value.dtype == DType::F64)
}
