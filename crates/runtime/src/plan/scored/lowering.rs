//! Stages of a graph: which engine computes what of a score, and what parts share.

use super::members::{Made, Part, Scores, Step, TreeColumn};
use super::stage::Stage;
use super::{refuse, refuse_graph};
use crate::engine::Trees;
use crate::engine::bins::Bins;
use crate::engine::distances::Known;
use crate::engine::look_up::LookUp;
use crate::engine::nearest::Nearest;
use crate::engine::product::Product;
use crate::engine::similarities::Similarities;
use crate::error::Error;
use crate::plan::nodes::Prelude;
use crate::plan::rows::{CodeStep, RowStep, width_of};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use ir::fixed::Requantize;
use ir::{DType, Graph, Node, Op, TensorData, ValueIdx};

/// How deep combinations of combinations are taken apart; the reference computes what lies deeper.
pub(super) const DEEPEST: usize = 4;
/// Combinations that are taken apart at most: a short file may name one member in many of them.
const MOST_SCORES: usize = 1 << 16;

/// What parts share, while they are made.
pub(super) struct Lowered<'g> {
    graph: &'g Graph,
    known: &'g [(usize, usize)],
    codes: Vec<CodeStep>,
    /// By place in `codes`: the value.
    coded: Vec<ValueIdx>,
    rows: Vec<(ValueIdx, RowStep)>,
    /// What the stage before has, by place.
    before: Held,
    /// How many more combinations may be taken apart, and how deep.
    n_left: usize,
    depth: usize,
}

/// Values that a stage has.
#[derive(Default)]
struct Held {
    coded: Vec<ValueIdx>,
    scores: Vec<ValueIdx>,
}

impl<'g> Lowered<'g> {
    /// Without a part yet; a value that is `known` is the column of that place.
    pub(super) fn new(graph: &'g Graph, known: &'g [(usize, usize)]) -> Lowered<'g> {
        Lowered {
            graph,
            known,
            codes: Vec::new(),
            coded: Vec::new(),
            rows: Vec::new(),
            before: Held::default(),
            n_left: MOST_SCORES,
            depth: DEEPEST,
        }
    }

    /// The stage that makes a score.
    ///
    /// # Errors
    /// As [`Lowered::part`].
    pub(super) fn stage(mut self, score: ValueIdx) -> Result<Stage, Error> {
        let scores = self.scores(score)?;
        Ok(self.staged(scores))
    }

    fn staged(self, scores: Scores) -> Stage {
        let Lowered { graph, known, codes, rows, .. } = self;
        let rows: Vec<RowStep> = rows.into_iter().map(|(_, step)| step).collect();
        let of_codes = codes.iter().filter_map(CodeStep::computed);
        let mut computed: Vec<usize> = of_codes.chain(rows.iter().flat_map(RowStep::computed)).collect();
        scores.each_part(&mut |part| computed.extend(part.computed()));
        let prelude = (!computed.is_empty()).then(|| Prelude::new(graph, &computed, known));
        Stage::new(prelude, codes, rows, scores)
    }

    /// What a score is.
    ///
    /// # Errors
    /// As [`Lowered::part`].
    fn scores(&mut self, score: ValueIdx) -> Result<Scores, Error> {
        let width = width_of(self.graph, score).ok_or_else(|| refuse_graph(self.graph))?;
        let (under, steps) = self.steps(score);
        Ok(Scores { made: self.made(under)?, steps, width })
    }

    /// # Errors
    /// As [`Lowered::part`].
    fn made(&mut self, score: ValueIdx) -> Result<Made, Error> {
        if let Some(place) = self.before.scores.iter().position(|known| *known == score) {
            return Ok(Made::Parts(vec![Part::Before(place)]));
        }
        let made = match self.graph.maker(score) {
            Some(node) => self.apart(node)?,
            None => None,
        };
        match made {
            Some(made) => Ok(made),
            None => Ok(Made::Parts(self.parts(score)?)),
        }
    }

    /// A node that combines scores, taken apart as far as that is allowed.
    ///
    /// # Errors
    /// As [`Lowered::part`].
    fn apart(&mut self, node: &Node) -> Result<Option<Made>, Error> {
        if self.depth == 0 || self.n_left == 0 {
            return Ok(None);
        }
        self.depth -= 1;
        self.n_left -= 1;
        let made = self.combined(node)?;
        self.depth += 1;
        Ok(made)
    }

    /// A node that combines scores.
    ///
    /// # Errors
    /// As [`Lowered::part`].
    fn combined(&mut self, node: &Node) -> Result<Option<Made>, Error> {
        match (&node.op, &node.inputs[..]) {
            (Op::WeightedSum(op), [members @ .., weights, offsets]) => {
                let (Some(weights), Some(offsets)) = (self.i64s(*weights), self.i64s(*offsets)) else {
                    return Ok(None);
                };
                let (weights, offsets) = (weights.to_vec(), offsets.to_vec());
                let members = members.iter().map(|&member| self.scores(member)).collect::<Result<_, _>>()?;
                Ok(Some(Made::Weighted { members, op: *op, weights, offsets }))
            }
            (Op::Cascade(op), &[first, second]) => {
                let of_first = Box::new(self.scores(first)?);
                let mut scores = vec![first];
                let (under, _) = self.steps(first);
                if let Made::Weighted { members, .. } = &of_first.made
                    && let Some(node) = self.graph.maker(under)
                {
                    scores.extend(node.inputs.iter().take(members.len()));
                }
                let second = Box::new(self.behind(second, scores)?);
                Ok(Some(Made::Cascade { first: of_first, second, op: *op }))
            }
            (Op::Gate(op), &[gate, first, second]) => {
                let gate = Box::new(self.scores(gate)?);
                let [first, second] = [first, second].map(|score| self.behind(score, Vec::new()));
                Ok(Some(Made::Gate { gate, stages: Box::new([first?, second?]), op: *op }))
            }
            (Op::Forest(op), inputs) if inputs.iter().any(|&code| self.coded_score(code).is_some()) => {
                let (mut members, mut scores) = (Vec::new(), Vec::new());
                let mut columns = Vec::with_capacity(inputs.len());
                for &code in inputs {
                    let Some((score, output, bins)) = self.coded_score(code) else {
                        let maker = self.graph.maker(code).unwrap_or(node);
                        columns.push(TreeColumn::Code(self.code(code).ok_or_else(|| refuse(maker))?));
                        continue;
                    };
                    let member = match scores.iter().position(|known| *known == score) {
                        Some(member) => member,
                        None => {
                            members.push(self.scores(score)?);
                            scores.push(score);
                            scores.len() - 1
                        }
                    };
                    columns.push(TreeColumn::Score { member, output, bins });
                }
                Ok(Some(Made::Trees { members, columns, trees: Box::new(Trees::new(&op.forest)) }))
            }
            _ => Ok(None),
        }
    }

    /// The stage of a score behind this one, which has its codes and these scores.
    ///
    /// # Errors
    /// As [`Lowered::part`].
    fn behind(&mut self, score: ValueIdx, scores: Vec<ValueIdx>) -> Result<Stage, Error> {
        let before = Held { coded: self.coded.clone(), scores };
        let (n_left, depth) = (self.n_left, self.depth);
        let mut behind = Lowered { before, n_left, depth, ..Lowered::new(self.graph, self.known) };
        let scores = behind.scores(score)?;
        self.n_left = behind.n_left;
        Ok(behind.staged(scores))
    }

    /// The integer scores behind codes, which of them it is, and its bins: `Bin` of a column that is `Gather`ed from the
    /// scores as doubles.
    fn coded_score(&self, code: ValueIdx) -> Option<(ValueIdx, usize, Bins)> {
        let graph = self.graph;
        let made = |value, is_op: fn(&Op) -> bool| graph.maker(value).filter(|node| is_op(&node.op));
        let bin = made(code, |op| matches!(op, Op::Bin(_)))?;
        let gather = made(*bin.inputs.first()?, |op| matches!(op, Op::Gather(_)))?;
        let cast = made(*gather.inputs.first()?, |op| matches!(op, Op::Cast(_)))?;
        let score = *cast.inputs.first()?;
        let at = graph.constant(*gather.inputs.get(1)?)?;
        let (TensorData::I64(at), []) = (at.data(), at.dims()) else { return None };
        let output = usize::try_from(*at.first()?).ok()?;
        let is_score = graph.value(score).dtype == DType::I32 && graph.maker(score).is_some();
        let is_there = width_of(graph, score).is_some_and(|width| output < width);
        let bins = Bins::new(graph.constant(*bin.inputs.get(1)?)?.data())?;
        (is_score && is_there).then_some((score, output, bins))
    }

    /// The scores under the curves and votes that become of them, and these in the order in which they are taken. None
    /// of these scores is an output, since endings refuse it.
    fn steps(&self, mut score: ValueIdx) -> (ValueIdx, Vec<Step>) {
        let mut steps = Vec::new();
        while !self.before.scores.contains(&score)
            && let Some((under, step)) = self.step(score)
        {
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
                    Some(place) => CodeStep::again(place),
                    None => self.coder(input, maker).ok_or_else(|| refuse(maker))?,
                };
                self.codes.push(step);
                self.coded.push(input);
            }
            return Ok(Part::Trees { trees: Trees::new(&op.forest), first });
        }
        // A weighted sum within another sum.
        if matches!(node.op, Op::WeightedSum(_))
            && let Some(made) = self.apart(node)?
        {
            let width = width_of(self.graph, value).ok_or_else(|| refuse(node))?;
            return Ok(Part::Combined(Box::new(Scores { made, steps: Vec::new(), width })));
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

    /// The coder of a column that has no codes yet in this stage.
    fn coder(&self, value: ValueIdx, maker: &Node) -> Option<CodeStep> {
        match self.before.coded.iter().position(|coded| *coded == value) {
            Some(place) => Some(CodeStep::taken_from(place)),
            None => CodeStep::new(self.graph, self.known, maker),
        }
    }

    /// Place of a coded column.
    fn code(&mut self, value: ValueIdx) -> Option<usize> {
        if let Some(place) = self.coded.iter().position(|v| *v == value) {
            return Some(place);
        }
        let step = self.coder(value, self.graph.maker(value)?)?;
        self.codes.push(step);
        self.coded.push(value);
        Some(self.codes.len() - 1)
    }

    /// Place of rows of integers.
    fn rows(&mut self, value: ValueIdx) -> Option<usize> {
        if let Some(place) = self.rows.iter().position(|(v, _)| *v == value) {
            return Some(place);
        }
        let (graph, known) = (self.graph, self.known);
        let step = RowStep::new(graph, known, value, |value| self.code(value))?;
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
