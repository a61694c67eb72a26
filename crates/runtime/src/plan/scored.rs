//! Graphs of integer scores: a forest, or a sum of parts, and what becomes of it.
//!
//! A part has its engine where there is one; the reference computes what has none. All codes of a block come
//! first, then all rows of small integers, then the parts.

use super::ending::{Ending, score_of};
use super::nodes::{Prelude, fail};
use super::rows::{CodeStep, Given, RowStep, width_of};
use crate::engine::distances::Known;
use crate::engine::look_up::LookUp;
use crate::engine::nearest::Nearest;
use crate::engine::product::Product;
use crate::engine::similarities::Similarities;
use crate::engine::{BLOCK, Trees};
use crate::error::{Error, Kind};
use alloc::vec;
use alloc::vec::Vec;
use ir::fixed::{Requantize, clamp_i32};
use ir::op::ScoreCurve;
use ir::{Column, DType, Graph, Node, Op, Tensor, TensorData, ValueIdx};

/// Coded columns, rows of integers, parts of a score, links.
#[derive(Clone, Debug)]
pub(super) struct Scored {
    prelude: Option<Prelude>,
    codes: Vec<CodeStep>,
    rows: Vec<RowStep>,
    /// They are added up.
    parts: Vec<Part>,
    width: usize,
    /// What becomes of the sum.
    curve: Option<Curve>,
    endings: Vec<Ending>,
}

/// The polygons of a [`ScoreCurve`].
#[derive(Clone, Debug)]
struct Curve {
    sizes: Vec<i64>,
    knots: Vec<i32>,
    values: Vec<i32>,
}

/// One part of a score.
#[derive(Clone, Debug)]
enum Part {
    /// A forest on the codes from `first` on.
    Trees {
        trees: Trees,
        first: usize,
    },
    LookUp(LookUp),
    Product {
        rows: usize,
        product: Product,
    },
    Nearest {
        rows: usize,
        nearest: Nearest,
    },
    Similarities {
        rows: usize,
        similarities: Similarities,
    },
    /// Scores that the prelude computes.
    Computed(usize),
}

/// The codes and integers of a block.
struct Block<'b> {
    given: Given<'b>,
    codes: &'b [u8],
    cells: &'b [Vec<i16>],
    stride: usize,
}

impl Scored {
    /// # Errors
    /// `Unsupported` names a node that these engines cannot run.
    pub(super) fn new(graph: &Graph, known: &[(usize, usize)]) -> Result<Scored, Error> {
        let score = graph.outputs().first().map(|&output| score_of(graph, output));
        let (score, width) = score
            .filter(|&score| graph.value(score).dtype == DType::I32)
            .and_then(|score| Some((score, width_of(graph, score).filter(|&width| width > 0)?)))
            .ok_or_else(|| refuse_graph(graph))?;
        let node = graph.maker(score).ok_or_else(|| refuse_graph(graph))?;
        let mut lowered = Lowered { graph, known, codes: Vec::new(), coded: Vec::new(), rows: Vec::new() };
        let curve = lowered.curve(node);
        // The scores before the curve are none of the outputs, so only the parts under it are left.
        let (sum, node) = match (&curve, node.inputs.first().and_then(|&i| Some((i, graph.maker(i)?)))) {
            (Some(_), Some(under)) => under,
            _ => (score, node),
        };
        let parts = match &node.op {
            Op::Sum(_) => node.inputs.iter().map(|&part| lowered.part(part)).collect(),
            _ => lowered.part(sum).map(|part| vec![part]),
        }?;
        let ending = |&output: &ValueIdx| {
            Ending::of(graph, output, score).map_err(|node| node.map_or_else(|| refuse_graph(graph), refuse))
        };
        let endings = graph.outputs().iter().map(ending).collect::<Result<_, _>>()?;
        let Lowered { codes, rows, .. } = lowered;
        let rows: Vec<RowStep> = rows.into_iter().map(|(_, step)| step).collect();
        let of_parts = parts.iter().filter_map(|part| match part {
            Part::Computed(value) => Some(*value),
            _ => None,
        });
        let of_rows = rows.iter().flat_map(RowStep::computed);
        let computed: Vec<usize> =
            codes.iter().filter_map(|step| step.start.computed()).chain(of_rows).chain(of_parts).collect();
        let prelude = (!computed.is_empty()).then(|| Prelude::new(graph, &computed, known));
        Ok(Scored { prelude, codes, rows, parts, width, curve, endings })
    }

    pub(super) fn n_codes(&self) -> usize {
        self.codes.len()
    }

    pub(super) fn run(&self, columns: &[Column<'_>], n_rows: usize) -> Result<Vec<Tensor>, Error> {
        let mut outputs: Vec<TensorData> = self.endings.iter().map(|e| e.empty(n_rows, self.width)).collect();
        let stride = Trees::stride(n_rows);
        let mut codes = vec![0u8; self.codes.len() * stride];
        let mut cells: Vec<Vec<i16>> = self.rows.iter().map(|r| vec![0; r.width() * stride]).collect();
        let mut scores = vec![0i32; self.width * BLOCK.min(n_rows)];
        let several = if self.parts.len() == 1 { 0 } else { scores.len() };
        let (mut of_part, mut sums) = (vec![0i32; several], vec![0i64; several]);
        let mut first = 0;
        while first < n_rows {
            let n = BLOCK.min(n_rows - first);
            let computed = self.prelude.as_ref().map(|p| p.run(columns, first, n)).transpose()?;
            let given = Given { columns, first, n, computed: computed.as_deref().unwrap_or_default() };
            for (step, codes) in self.codes.iter().zip(codes.chunks_exact_mut(stride)) {
                step.codes_into(&given, &mut codes[..n])?;
            }
            for (step, cells) in self.rows.iter().zip(&mut cells) {
                step.cells_into(&given, &codes, stride, cells)?;
            }
            let block = Block { given, codes: &codes, cells: &cells, stride };
            let scores = &mut scores[..n * self.width];
            if let [only] = &self.parts[..] {
                only.scores_into(&block, scores)?;
            } else {
                sums.fill(0);
                for part in &self.parts {
                    let of_part = &mut of_part[..n * self.width];
                    part.scores_into(&block, of_part)?;
                    sums.iter_mut().zip(&*of_part).for_each(|(sum, &v)| *sum += i64::from(v));
                }
                scores.iter_mut().zip(&sums).for_each(|(score, &sum)| *score = clamp_i32(sum));
            }
            if let Some(curve) = &self.curve {
                ScoreCurve::apply(&curve.sizes, &curve.knots, &curve.values, scores);
            }
            for (ending, output) in self.endings.iter().zip(&mut outputs) {
                ending.write(scores, self.width, first, output);
            }
            first += n;
        }
        let shaped = self.endings.iter().zip(outputs);
        let shaped = shaped.map(|(ending, data)| Tensor::try_new(ending.dims(n_rows, self.width), data));
        shaped.collect::<Option<_>>().ok_or_else(fail)
    }
}

impl Part {
    /// Scores `[n, width]` of a block.
    fn scores_into(&self, block: &Block<'_>, scores: &mut [i32]) -> Result<(), Error> {
        let stride = block.stride;
        match self {
            Part::Trees { trees, first } => trees.scores_into(&block.codes[first * stride..], stride, scores),
            Part::LookUp(tables) => tables.scores_into(block.codes, stride, scores),
            Part::Product { rows, product } => product.scores_into(&block.cells[*rows], stride, scores),
            Part::Nearest { rows, nearest } => nearest.scores_into(&block.cells[*rows], stride, scores),
            Part::Similarities { rows, similarities } => {
                similarities.scores_into(&block.cells[*rows], stride, scores);
            }
            Part::Computed(value) => match block.given.matrix(*value)? {
                (TensorData::I32(v), _) if v.len() == scores.len() => scores.copy_from_slice(v),
                _ => return Err(fail()),
            },
        }
        Ok(())
    }
}

fn refuse(node: &Node) -> Error {
    let op = node.op.payload().name();
    Kind::Unsupported { node: node.name.clone(), op, engine: "walking" }.into()
}

/// Outputs that are not made of one score.
fn refuse_graph(graph: &Graph) -> Error {
    match graph.outputs().first().and_then(|&output| graph.maker(output)) {
        Some(node) => refuse(node),
        None => {
            let (op, engine) = ("outputs without a score", "walking");
            Kind::Unsupported { node: "graph".into(), op, engine }.into()
        }
    }
}

/// What parts share, while they are made.
struct Lowered<'g> {
    graph: &'g Graph,
    known: &'g [(usize, usize)],
    codes: Vec<CodeStep>,
    /// By place in `codes`: the value.
    coded: Vec<ValueIdx>,
    rows: Vec<(ValueIdx, RowStep)>,
}

impl<'g> Lowered<'g> {
    /// # Errors
    /// A forest whose inputs are not codes: it is never left to the reference.
    fn part(&mut self, value: ValueIdx) -> Result<Part, Error> {
        let node = self.graph.maker(value).ok_or_else(|| refuse_graph(self.graph))?;
        if let Op::Forest(op) = &node.op {
            // The codes of a forest stand side by side, so they are not shared.
            let first = self.codes.len();
            for &input in &node.inputs {
                let maker = self.graph.maker(input).ok_or_else(|| refuse(node))?;
                let step = CodeStep::new(self.graph, self.known, maker).ok_or_else(|| refuse(maker))?;
                self.codes.push(step);
                self.coded.push(input);
            }
            return Ok(Part::Trees { trees: Trees::new(&op.forest), first });
        }
        Ok(self.engine(node).unwrap_or(Part::Computed(value.0 as usize)))
    }

    /// The polygons of a node that is a curve; none for one on a column that is given, which stays a part.
    fn curve(&self, node: &Node) -> Option<Curve> {
        let (Op::ScoreCurve(_), &[scores, sizes, knots, values]) = (&node.op, &node.inputs[..]) else {
            return None;
        };
        self.graph.maker(scores)?;
        let (sizes, knots, values) = (self.i64s(sizes)?, self.i32s(knots)?, self.i32s(values)?);
        Some(Curve { sizes: sizes.to_vec(), knots: knots.to_vec(), values: values.to_vec() })
    }

    /// The part that has an engine of its own.
    fn engine(&mut self, node: &Node) -> Option<Part> {
        match &node.op {
            Op::Tables(op) => {
                let [codes @ .., sizes, terms, values] = &node.inputs[..] else { return None };
                let places: Vec<usize> = codes.iter().map(|&c| self.code(c)).collect::<Option<_>>()?;
                let (sizes, terms) = (self.i64s(*sizes)?, self.i64s(*terms)?);
                LookUp::new(*op, sizes, terms, self.i32s(*values)?, &places).map(Part::LookUp)
            }
            Op::QGemm(_) => {
                let &[x, w, bias, pairs] = &node.inputs[..] else { return None };
                let (weights, bias) = (self.i16s(w)?.to_vec(), self.i32s(bias)?.to_vec());
                let product = Product { weights, bias, pairs: self.pairs(pairs)? };
                Some(Part::Product { rows: self.rows(x)?, product })
            }
            Op::NearestRows(op) => {
                let &[x, known, votes] = &node.inputs[..] else { return None };
                let width = *self.graph.constant(votes)?.dims().get(1)?;
                let votes = self.i32s(votes)?.to_vec();
                let rows = self.rows(x)?;
                let nearest = Nearest { op: *op, known: self.known_rows(rows, known)?, votes, width };
                Some(Part::Nearest { rows, nearest })
            }
            Op::RbfSums(op) => {
                let &[x, vectors, coefficients, table, pairs, start] = &node.inputs[..] else { return None };
                let rows = self.rows(x)?;
                let similarities = Similarities {
                    op: *op,
                    known: self.known_rows(rows, vectors)?,
                    coefficients: self.i16s(coefficients)?.to_vec(),
                    table: self.i32s(table)?.to_vec(),
                    pairs: self.pairs(pairs)?,
                    start: self.i32s(start)?.to_vec(),
                };
                Some(Part::Similarities { rows, similarities })
            }
            _ => None,
        }
    }

    /// Place of a coded column.
    fn code(&mut self, value: ValueIdx) -> Option<usize> {
        let (graph, known) = (self.graph, self.known);
        code_of(graph, known, &mut self.codes, &mut self.coded, value)
    }

    /// Place of rows of integers.
    fn rows(&mut self, value: ValueIdx) -> Option<usize> {
        if let Some(place) = self.rows.iter().position(|(v, _)| *v == value) {
            return Some(place);
        }
        let (graph, known) = (self.graph, self.known);
        let code = |value| code_of(graph, known, &mut self.codes, &mut self.coded, value);
        let step = RowStep::new(graph, known, value, code)?;
        self.rows.push((value, step));
        Some(self.rows.len() - 1)
    }

    fn known_rows(&self, rows: usize, known: ValueIdx) -> Option<Known> {
        let step = &self.rows.get(rows)?.1;
        Some(Known::new(self.i16s(known)?, step.width(), step.most()))
    }

    fn i16s(&self, value: ValueIdx) -> Option<&'g [i16]> {
        self.graph.constant(value)?.data().i16s()
    }

    fn i32s(&self, value: ValueIdx) -> Option<&'g [i32]> {
        self.graph.constant(value)?.data().i32s()
    }

    fn i64s(&self, value: ValueIdx) -> Option<&'g [i64]> {
        self.graph.constant(value)?.data().i64s()
    }

    fn pairs(&self, value: ValueIdx) -> Option<Vec<Requantize>> {
        Requantize::pairs(self.i64s(value)?)
    }
}

fn code_of(
    graph: &Graph,
    known: &[(usize, usize)],
    codes: &mut Vec<CodeStep>,
    coded: &mut Vec<ValueIdx>,
    value: ValueIdx,
) -> Option<usize> {
    if let Some(place) = coded.iter().position(|v| *v == value) {
        return Some(place);
    }
    codes.push(CodeStep::new(graph, known, graph.maker(value)?)?);
    coded.push(value);
    Some(codes.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::rows::RowStep;
    use ir::op::{Arithmetic, Bin, Cast, Columns, OneHot, QGemm, QuantizeLinear, Sum, Tables};
    use ir::{GraphBuilder, Shape};

    /// The shape of a linear model: nothing of it is left to the reference.
    #[test]
    fn a_linear_model_has_engines_throughout() {
        let mut b = GraphBuilder::new();
        let n = b.input("n", DType::I64, Shape::rows()).unwrap();
        let x = b.input("x", DType::F64, Shape::rows()).unwrap();
        let constant = |dims: &[usize], data| Tensor::try_new(dims.to_vec(), data).unwrap();
        let edges = constant(&[1], TensorData::F64(vec![0.5]));
        let centers = constant(&[4], TensorData::F64(vec![1.0, 2.0, 0.0, 0.0]));
        let scales = constant(&[4], TensorData::F64(vec![0.5; 4]));
        let weights = constant(&[4, 1], TensorData::I16(vec![3, -4, 5, 6]));
        let bias = constant(&[1], TensorData::I32(vec![7]));
        let pairs = constant(&[2, 1], TensorData::I64(vec![1 << 30, 30]));
        let sizes = constant(&[1], TensorData::I64(vec![2]));
        let terms = constant(&[1, 2], TensorData::I64(vec![0, -1]));
        let values = constant(&[4, 1], TensorData::I32(vec![1, 2, 3, 4]));
        let all = [edges, centers, scales, weights, bias, pairs, sizes, terms, values];
        let [edges, centers, scales, weights, bias, pairs, sizes, terms, values] =
            all.map(|tensor| b.constant(tensor).unwrap());
        let codes = b.node(Op::Bin(Bin), &[x, edges]).unwrap();
        let hot = b.node(Op::OneHot(OneHot { depth: 2 }), &[codes]).unwrap();
        let cast = b.node(Op::Cast(Cast), &[n]).unwrap();
        let rows = b.node(Op::Columns(Columns), &[cast, x, hot]).unwrap();
        let away = b.node(Op::Arithmetic(Arithmetic::Sub), &[rows, centers]).unwrap();
        let small = b.node(Op::QuantizeLinear(QuantizeLinear { bits: 8 }), &[away, scales]).unwrap();
        let product = b.node(Op::QGemm(QGemm), &[small, weights, bias, pairs]).unwrap();
        let tables = b.node(Op::Tables(Tables { shift: 3 }), &[codes, sizes, terms, values]).unwrap();
        let score = b.node(Op::Sum(Sum), &[tables, product]).unwrap();
        let scored = Scored::new(&b.finish(&[score]).unwrap(), &[]).unwrap();
        assert!(scored.prelude.is_none());
        assert!(matches!(scored.parts[..], [Part::LookUp(_), Part::Product { rows: 0, .. }]));
        assert!(matches!(scored.rows[..], [RowStep::Quantized { .. }]));
        assert_eq!(scored.n_codes(), 1, "tables and columns share codes");
    }
}
