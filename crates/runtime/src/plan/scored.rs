//! Graphs of integer scores: a forest, or a sum of parts, and what becomes of it; or several such, weighed together.
//!
//! A part has its engine where there is one; the reference computes what has none. All codes of a block come
//! first, then all rows of small integers, then the parts ([`members`]).

mod members;

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
use ir::fixed::Requantize;
use ir::{Column, DType, Graph, Node, Op, Tensor, TensorData, ValueIdx};
use members::{Block, Member, Part, Room, Step, Total};

/// Coded columns, rows of integers, scores of them, links.
#[derive(Clone, Debug)]
pub(super) struct Scored {
    prelude: Option<Prelude>,
    codes: Vec<CodeStep>,
    rows: Vec<RowStep>,
    total: Total,
    width: usize,
    endings: Vec<Ending>,
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
        let mut lowered = Lowered { graph, known, codes: Vec::new(), coded: Vec::new(), rows: Vec::new() };
        let total = lowered.total(score)?;
        let ending = |&output: &ValueIdx| {
            Ending::of(graph, output, score).map_err(|node| node.map_or_else(|| refuse_graph(graph), refuse))
        };
        let endings = graph.outputs().iter().map(ending).collect::<Result<_, _>>()?;
        let Lowered { codes, rows, .. } = lowered;
        let rows: Vec<RowStep> = rows.into_iter().map(|(_, step)| step).collect();
        let of_parts = total.members().iter().flat_map(|member| &member.parts).filter_map(Part::computed);
        let of_rows = rows.iter().flat_map(RowStep::computed);
        let computed: Vec<usize> =
            codes.iter().filter_map(|step| step.start.computed()).chain(of_rows).chain(of_parts).collect();
        let prelude = (!computed.is_empty()).then(|| Prelude::new(graph, &computed, known));
        Ok(Scored { prelude, codes, rows, total, width, endings })
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
        let mut room = Room::new(&self.total, scores.len());
        let mut first = 0;
        while first < n_rows {
            let n = BLOCK.min(n_rows - first);
            let computed = self.prelude.as_ref().map(|p| p.run(columns, first, n)).transpose()?;
            let given = Given { columns, first, n, computed: computed.as_deref().unwrap_or_default() };
            for (at, step) in self.codes.iter().enumerate() {
                match step.copied() {
                    Some(place) => codes.copy_within(place * stride..place * stride + n, at * stride),
                    None => step.codes_into(&given, &mut codes[at * stride..at * stride + n])?,
                }
            }
            for (step, cells) in self.rows.iter().zip(&mut cells) {
                step.cells_into(&given, &codes, stride, cells)?;
            }
            let block = Block { given, codes: &codes, cells: &cells, stride, width: self.width };
            let scores = &mut scores[..n * self.width];
            self.total.scores_into(&block, &mut room, scores)?;
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
    /// What a score is.
    ///
    /// # Errors
    /// As [`Lowered::part`].
    fn total(&mut self, score: ValueIdx) -> Result<Total, Error> {
        let (sum, steps) = self.steps(score);
        if let Some(node) = self.graph.maker(sum)
            && let (Op::WeightedSum(op), [members @ .., weights, offsets]) = (&node.op, &node.inputs[..])
            && let (Some(weights), Some(offsets)) = (self.i64s(*weights), self.i64s(*offsets))
        {
            let (weights, offsets) = (weights.to_vec(), offsets.to_vec());
            let members = members.iter().map(|&member| self.member(member)).collect::<Result<_, _>>()?;
            return Ok(Total::Weighted { members, op: *op, weights, offsets, steps });
        }
        Ok(Total::Alone(Member { parts: self.parts(sum)?, steps }))
    }

    /// # Errors
    /// As [`Lowered::part`].
    fn member(&mut self, score: ValueIdx) -> Result<Member, Error> {
        let (sum, steps) = self.steps(score);
        Ok(Member { parts: self.parts(sum)?, steps })
    }

    /// The scores under the curves and votes that become of them, and these in the order in which they are taken. None
    /// of these scores is an output, since endings refuse it.
    fn steps(&self, mut score: ValueIdx) -> (ValueIdx, Vec<Step>) {
        let mut steps = Vec::new();
        while let Some((under, step)) = self.step(score) {
            steps.push(step);
            score = under;
        }
        steps.reverse();
        (score, steps)
    }

    /// A node that is a step, and the scores under it; none on a column that is given: the node stays a part.
    fn step(&self, score: ValueIdx) -> Option<(ValueIdx, Step)> {
        let node = self.graph.maker(score)?;
        let (under, step) = match (&node.op, &node.inputs[..]) {
            (Op::ScoreCurve(_), &[under, sizes, knots, values]) => {
                let (sizes, knots, values) = (self.i64s(sizes)?, self.i32s(knots)?, self.i32s(values)?);
                let curve =
                    Step::Curve { sizes: sizes.to_vec(), knots: knots.to_vec(), values: values.to_vec() };
                (under, curve)
            }
            (Op::Votes(op), &[under]) => (under, Step::Votes(*op)),
            _ => return None,
        };
        self.graph.maker(under)?;
        Some((under, step))
    }

    /// The parts of a sum, or a part alone.
    ///
    /// # Errors
    /// As [`Lowered::part`].
    fn parts(&mut self, sum: ValueIdx) -> Result<Vec<Part>, Error> {
        match self.graph.maker(sum) {
            Some(Node { op: Op::Sum(_), inputs, .. }) => inputs.iter().map(|&part| self.part(part)).collect(),
            _ => self.part(sum).map(|part| vec![part]),
        }
    }

    /// # Errors
    /// A forest whose inputs are not codes: it is never left to the reference.
    fn part(&mut self, value: ValueIdx) -> Result<Part, Error> {
        let node = self.graph.maker(value).ok_or_else(|| refuse_graph(self.graph))?;
        if let Op::Forest(op) = &node.op {
            // The codes of a forest stand side by side; those that are there already are copied.
            let first = self.codes.len();
            for &input in &node.inputs {
                let maker = self.graph.maker(input).ok_or_else(|| refuse(node))?;
                let step = match self.coded.iter().position(|coded| *coded == input) {
                    Some(place) => self.codes[place].again(place),
                    None => CodeStep::new(self.graph, self.known, maker).ok_or_else(|| refuse(maker))?,
                };
                self.codes.push(step);
                self.coded.push(input);
            }
            return Ok(Part::Trees { trees: Trees::new(&op.forest), first });
        }
        Ok(self.engine(node).unwrap_or(Part::Computed(value.0 as usize)))
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
    use alloc::boxed::Box;
    use ir::forest::CodedFeature;
    use ir::op::{
        Arithmetic, Bin, Cast, Columns, ForestOp, OneHot, QGemm, QuantizeLinear, ScoreCurve, Sum, Tables,
        Votes, VotesKind, WeightedSum,
    };
    use ir::{Forest, GraphBuilder, Shape};

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
        let Total::Alone(member) = &scored.total else { panic!("one member") };
        assert!(matches!(member.parts[..], [Part::LookUp(_), Part::Product { rows: 0, .. }]));
        assert!(matches!(scored.rows[..], [RowStep::Quantized { .. }]));
        assert_eq!(scored.n_codes(), 1, "tables and columns share codes");
    }

    /// Of an ensemble nothing is left to the reference either: a forest that votes, tables and a forest behind a curve.
    #[test]
    fn members_have_engines_throughout() {
        let mut b = GraphBuilder::new();
        let x = b.input("x", DType::F64, Shape::rows()).unwrap();
        let mut constant = |dims: &[usize], data| {
            let tensor = Tensor::try_new(dims.to_vec(), data).unwrap();
            b.constant(tensor).unwrap()
        };
        let edges = constant(&[1], TensorData::F64(vec![0.5]));
        let sizes = constant(&[1], TensorData::I64(vec![2]));
        let terms = constant(&[1, 2], TensorData::I64(vec![0, -1]));
        let values = constant(&[4, 1], TensorData::I32(vec![1, 2, 3, 4]));
        let knots = constant(&[2], TensorData::I32(vec![0, 9]));
        let heights = constant(&[2], TensorData::I32(vec![5, -5]));
        let weights = constant(&[2, 1], TensorData::I64(vec![3, -4]));
        let offsets = constant(&[1], TensorData::I64(vec![7]));
        let codes = b.node(Op::Bin(Bin), &[x, edges]).unwrap();
        let features = vec![CodedFeature { n_codes: 2, ordered: true }];
        let forest = Box::new(Forest::try_new(features, vec![1], Vec::new()).unwrap());
        let forest = b.node(Op::Forest(ForestOp { forest }), &[codes]).unwrap();
        let votes = Votes { kind: VotesKind::Logistic, shift: 3, offset: 0, bits: 9 };
        let votes = b.node(Op::Votes(votes), &[forest]).unwrap();
        let tables = b.node(Op::Tables(Tables { shift: 3 }), &[codes, sizes, terms, values]).unwrap();
        let sum = b.node(Op::Sum(Sum), &[tables, forest]).unwrap();
        let curve = b.node(Op::ScoreCurve(ScoreCurve), &[sum, sizes, knots, heights]).unwrap();
        let weighted = Op::WeightedSum(WeightedSum { shift: 2 });
        let weighted = b.node(weighted, &[votes, curve, weights, offsets]).unwrap();
        let hard = Votes { kind: VotesKind::Largest, shift: 0, offset: 0, bits: 1 };
        let score = b.node(Op::Votes(hard), &[weighted]).unwrap();
        let scored = Scored::new(&b.finish(&[score]).unwrap(), &[]).unwrap();
        assert!(scored.prelude.is_none());
        let Total::Weighted { members, steps, .. } = &scored.total else { panic!("several members") };
        assert!(matches!(steps[..], [Step::Votes(_)]));
        let [voting, curved] = &members[..] else { panic!("two members") };
        assert!(matches!(voting.steps[..], [Step::Votes(_)]));
        assert!(matches!(voting.parts[..], [Part::Trees { first: 0, .. }]));
        assert!(matches!(curved.steps[..], [Step::Curve { .. }]));
        assert!(matches!(curved.parts[..], [Part::LookUp(_), Part::Trees { first: 1, .. }]));
    }
}
