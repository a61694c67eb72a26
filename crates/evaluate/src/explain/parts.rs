//! The parts of a score, and what each of them attributes to its features.
//!
//! A score is one part, a `Sum` of parts or a `WeightedSum` of members that are parts or such sums; a part of a member
//! counts times the member's weight. Forests, tables, products and parts that compare rows are taken apart by their own
//! arithmetic; any other part (words of one column as a bag, a member behind a curve or votes, a cascade among members)
//! counts as one feature, whose attribution is what it gives beyond its mean.

use super::error::{Error, Kind};
use super::feeds::Feeds;
use super::sampled::{Comparing, Room, Sampled, Similar};
use super::shap::{TreeShap, Walk};
use ir::fixed::{Requantize, power_of_two};
use ir::op::{TableTerm, Tables, WeightedSum};
use ir::{Forest, Graph, Node, Op, Tensor, TensorData, ValueIdx};
use std::ops::Range;

/// A value that is added to a score, and what it is multiplied by there.
#[derive(Debug)]
pub(crate) struct Addend {
    pub(crate) value: ValueIdx,
    /// By score; none where it is added as it is.
    factors: Vec<f64>,
}

impl Addend {
    /// What the value is multiplied by in a score.
    pub(crate) fn factor(&self, output: usize) -> f64 {
        self.factors.get(output).copied().unwrap_or(1.0)
    }
}

/// A part, ready to explain rows.
#[derive(Debug)]
pub(crate) struct Part<'g> {
    addend: Addend,
    /// What it is computed from: places among the watched values.
    seen: Range<usize>,
    kind: PartKind<'g>,
    /// Before the factors.
    expected: Vec<f64>,
}

#[derive(Debug)]
enum PartKind<'g> {
    Forest { forest: &'g Forest, shap: TreeShap, sets: Vec<u32> },
    Tables { terms: Vec<TableTerm>, values: &'g [i32], factor: f64, means: Vec<f64>, sets: Vec<u32> },
    Product { weights: &'g [i16], factors: Vec<f64>, means: Vec<f64>, sets: Vec<u32> },
    Sampled(Box<Sampled>),
    Whole { set: u32 },
}

/// Room that rows share, one after the other.
#[derive(Default)]
pub(crate) struct Scratch {
    walk: Walk,
    room: Room,
    features: Vec<f64>,
    codes: Vec<u8>,
}

/// What adds up to a score: values, and a constant for each score; none of them where nothing is weighed.
///
/// # Errors
/// `NoScore` for a score that no node makes; `Broken` for values that the graph's builder would have refused.
pub(crate) fn addends_of(graph: &Graph, score: ValueIdx) -> Result<(Vec<Addend>, Vec<f64>), Error> {
    let mut addends = Vec::new();
    let mut constants: Vec<f64> = Vec::new();
    let mut open = vec![Addend { value: score, factors: Vec::new() }];
    while let Some(addend) = open.pop() {
        let value = addend.value;
        let node = graph
            .maker(value)
            .ok_or_else(|| Kind::NoScore { got: format!("\"{}\"", graph.value(value).name) })?;
        match (&node.op, &node.inputs[..]) {
            (Op::Sum(_), parts) => {
                let same = |&value: &ValueIdx| Addend { value, factors: addend.factors.clone() };
                open.extend(parts.iter().rev().map(same));
            }
            (Op::WeightedSum(op), [members @ .., weights, offsets]) => {
                let (weights, offsets) = (i64s(graph, *weights)?, i64s(graph, *offsets)?);
                let unit = power_of_two(-i32::from(op.shift));
                constants.resize(offsets.len(), 0.0);
                for (k, (sum, &offset)) in constants.iter_mut().zip(offsets).enumerate() {
                    *sum += addend.factor(k) * unit * offset as f64;
                }
                let by_member = WeightedSum::by_member(weights, members.len());
                for (&value, own) in members.iter().zip(by_member).rev() {
                    let factor = |k| addend.factor(k) * unit * WeightedSum::weight(own, k) as f64;
                    open.push(Addend { value, factors: (0..offsets.len()).map(factor).collect() });
                }
            }
            _ => addends.push(addend),
        }
    }
    Ok((addends, constants))
}

/// The values from which a part is explained: its codes, its small integers, or itself.
pub(crate) fn watched_for(graph: &Graph, part: ValueIdx) -> Vec<ValueIdx> {
    let Some(node) = graph.maker(part) else { return vec![part] };
    match &node.op {
        Op::Forest(_) => node.inputs.clone(),
        Op::Tables(_) => node.inputs[..node.inputs.len().saturating_sub(3)].to_vec(),
        Op::QGemm(_) | Op::NearestRows(_) | Op::RbfSums(_) => node.inputs.iter().take(1).copied().collect(),
        _ => vec![part],
    }
}

impl<'g> Part<'g> {
    /// A part and its expectation; `background` holds the values of all parts, this one's at `seen`, for one or more
    /// rows.
    ///
    /// # Errors
    /// As [`TreeShap::new`]; `Broken` for values that the graph's builder would have refused.
    pub(crate) fn new(
        graph: &'g Graph,
        addend: Addend,
        feeds: &Feeds,
        background: &[Tensor],
        seen: Range<usize>,
    ) -> Result<Part<'g>, Error> {
        let own = &background[seen.clone()];
        let node = graph.maker(addend.value).ok_or_else(|| Error::broken("a part of the score"))?;
        let sets = || node.inputs.iter().map(|&i| feeds.set_of(i, 0)).collect::<Vec<u32>>();
        let (kind, expected) = match &node.op {
            Op::Forest(op) => {
                let forest: &Forest = &op.forest;
                let shap = TreeShap::new(forest, &codes_of(own)?)?;
                let expected = shap.expected().to_vec();
                (PartKind::Forest { forest, shap, sets: sets() }, expected)
            }
            Op::Tables(op) => tables(graph, node, *op, own, sets())?,
            Op::QGemm(_) => product(graph, node, feeds, own)?,
            Op::NearestRows(_) | Op::RbfSums(_) => {
                let sampled = compared(graph, node, feeds, own)?;
                let expected = sampled.expected();
                (PartKind::Sampled(Box::new(sampled)), expected)
            }
            _ => {
                let (scores, width) = scores_of(own)?;
                let n_rows = (scores.len() / width) as f64;
                let sum = |k| scores.iter().skip(k).step_by(width).map(|&s| i64::from(s)).sum::<i64>();
                let expected = (0..width).map(|k| sum(k) as f64 / n_rows).collect();
                (PartKind::Whole { set: feeds.set_of(addend.value, 0) }, expected)
            }
        };
        Ok(Part { addend, seen, kind, expected })
    }

    /// Scores a row.
    pub(crate) fn width(&self) -> usize {
        self.expected.len()
    }

    /// Expectation of what is added to a score.
    pub(crate) fn expected(&self, output: usize) -> f64 {
        self.expected.get(output).map_or(0.0, |e| e * self.addend.factor(output))
    }

    /// True where attributions are sampled.
    pub(crate) fn is_sampled(&self) -> bool {
        matches!(self.kind, PartKind::Sampled(_))
    }

    /// Adds to `columns` what moved score `output` of a row away from its expectation, as far as the part did; `watched`
    /// are the values of all parts.
    ///
    /// # Errors
    /// `Broken` for values of other kinds than those of the background.
    pub(crate) fn attribute(
        &self,
        watched: &[Tensor],
        row: usize,
        output: usize,
        feeds: &Feeds,
        scratch: &mut Scratch,
        columns: &mut [f64],
    ) -> Result<(), Error> {
        let own = &watched[self.seen.clone()];
        let feeds = feeds.times(self.addend.factor(output));
        match &self.kind {
            PartKind::Forest { forest, shap, sets } => {
                scratch.codes.clear();
                for tensor in own {
                    scratch.codes.push(code(tensor, row)?);
                }
                scratch.features.clear();
                scratch.features.resize(sets.len(), 0.0);
                let Scratch { walk, features, codes, .. } = scratch;
                shap.attribute(forest, codes, output as u32, walk, features);
                sets.iter().zip(features).for_each(|(&set, phi)| feeds.share(set, *phi, columns));
            }
            PartKind::Tables { terms, values, factor, means, sets } => {
                scratch.codes.clear();
                for tensor in own {
                    scratch.codes.push(code(tensor, row)?);
                }
                let width = self.expected.len();
                for (term, means) in terms.iter().zip(means.chunks_exact(width)) {
                    let value = values[term.place(|column| scratch.codes[column]) * width + output];
                    let moved = (f64::from(value) - means[output]) * factor;
                    match term.b {
                        None => feeds.share(sets[term.a], moved, columns),
                        Some(b) => {
                            feeds.share(sets[term.a], moved / 2.0, columns);
                            feeds.share(sets[b], moved / 2.0, columns);
                        }
                    }
                }
            }
            PartKind::Product { weights, factors, means, sets } => {
                let width = self.expected.len();
                let x = integers(own, row, sets.len())?;
                for ((&x, mean), (w, &set)) in x.iter().zip(means).zip(weights.chunks_exact(width).zip(sets))
                {
                    feeds.share(set, f64::from(w[output]) * (f64::from(x) - mean) * factors[output], columns);
                }
            }
            PartKind::Sampled(sampled) => {
                let x = integers(own, row, sampled.n_features())?;
                sampled.attribute(x, output, feeds, &mut scratch.room, columns);
            }
            PartKind::Whole { set } => {
                let (scores, width) = scores_of(own)?;
                let score =
                    scores.get(row * width + output).ok_or_else(|| Error::broken("a part of the score"))?;
                feeds.share(*set, f64::from(*score) - self.expected[output], columns);
            }
        }
        Ok(())
    }
}

/// Terms with the mean of their values: rows are counted by place, then each place is weighed once.
fn tables<'g>(
    graph: &'g Graph,
    node: &Node,
    op: Tables,
    own: &[Tensor],
    sets: Vec<u32>,
) -> Result<(PartKind<'g>, Vec<f64>), Error> {
    let fail = || Error::broken("a sum of tables");
    let [_, .., sizes, terms, values] = &node.inputs[..] else { return Err(fail()) };
    let (sizes, named) = (i64s(graph, *sizes)?, i64s(graph, *terms)?);
    let values = i32s(graph, *values)?;
    let (terms, n_places) = Tables::terms(sizes, named).ok_or_else(fail)?;
    let width = values.len() / n_places;
    let codes = codes_of(own)?;
    let n_rows = codes.first().map_or(0, |c| c.len());
    let factor = f64::from(1u32 << op.shift.min(30));
    let mut counts = vec![0u32; n_places];
    for term in &terms {
        (0..n_rows).for_each(|row| counts[term.place(|column| codes[column][row])] += 1);
    }
    let mut means = Vec::with_capacity(terms.len() * width);
    let mut expected: Vec<f64> = values[(n_places - 1) * width..].iter().map(|&v| f64::from(v)).collect();
    for term in &terms {
        let mut sums = vec![0i64; width];
        for place in (term.first..term.first + term.n_a * term.n_b).filter(|&p| counts[p] > 0) {
            let values = &values[place * width..][..width];
            sums.iter_mut().zip(values).for_each(|(s, &v)| *s += i64::from(counts[place]) * i64::from(v));
        }
        let of_term = sums.iter().map(|&s| s as f64 / n_rows as f64);
        expected.iter_mut().zip(of_term.clone()).for_each(|(e, mean)| *e += mean);
        means.extend(of_term);
    }
    expected.iter_mut().for_each(|e| *e *= factor);
    Ok((PartKind::Tables { terms, values, factor, means, sets }, expected))
}

/// The real number of a product before its score was rounded, `acc * m * 2^-s`: attributions and expectation add up
/// to the score within the rounding of one score.
fn product<'g>(
    graph: &'g Graph,
    node: &Node,
    feeds: &Feeds,
    own: &[Tensor],
) -> Result<(PartKind<'g>, Vec<f64>), Error> {
    let &[x, w, bias, pairs] = &node.inputs[..] else { return Err(Error::broken("a product")) };
    let (weights, bias) = (i16s(graph, w)?, i32s(graph, bias)?);
    let factors: Vec<f64> = pairs_of(graph, pairs)?.into_iter().map(Requantize::factor).collect();
    let (cells, n_features) = rows_of(own)?;
    let n_rows = cells.len() / n_features.max(1);
    let sum = |j| cells.iter().skip(j).step_by(n_features).map(|&x| i64::from(x)).sum::<i64>();
    let means: Vec<f64> = (0..n_features).map(|j| sum(j) as f64 / n_rows.max(1) as f64).collect();
    let mut expected: Vec<f64> = bias.iter().map(|&b| f64::from(b)).collect();
    for (w, mean) in weights.chunks_exact(bias.len().max(1)).zip(&means) {
        expected.iter_mut().zip(w).for_each(|(e, &w)| *e += f64::from(w) * mean);
    }
    expected.iter_mut().zip(&factors).for_each(|(e, factor)| *e *= factor);
    let sets = (0..n_features).map(|j| feeds.set_of(x, j)).collect();
    Ok((PartKind::Product { weights, factors, means, sets }, expected))
}

fn compared(graph: &Graph, node: &Node, feeds: &Feeds, own: &[Tensor]) -> Result<Sampled, Error> {
    let fail = || Error::broken("a part that compares rows");
    let (cells, n_features) = rows_of(own)?;
    let (comparing, width) = match (&node.op, &node.inputs[..]) {
        (Op::NearestRows(op), &[_, known, votes]) => {
            let width = graph.constant(votes).and_then(|v| v.dims().get(1).copied()).ok_or_else(fail)?;
            let (known, votes) = (i16s(graph, known)?.to_vec(), i32s(graph, votes)?.to_vec());
            (Comparing::Nearest { op: *op, known, votes }, width)
        }
        (Op::RbfSums(op), &[_, vectors, coefficients, table, pairs, start]) => {
            let start = i32s(graph, start)?.to_vec();
            let width = start.len();
            let (vectors, coefficients) =
                (i16s(graph, vectors)?.to_vec(), i16s(graph, coefficients)?.to_vec());
            let (table, pairs) = (i32s(graph, table)?.to_vec(), pairs_of(graph, pairs)?);
            let constants = Similar { vectors, coefficients, table, pairs, start };
            (Comparing::Similar { op: *op, constants }, width)
        }
        _ => return Err(fail()),
    };
    let x = node.inputs.first().copied().ok_or_else(fail)?;
    let sets: Vec<u32> = (0..n_features).map(|j| feeds.set_of(x, j)).collect();
    Sampled::new(comparing, width, &sets, cells)
}

/// Codes of columns, all of one length.
pub(super) fn codes_of(tensors: &[Tensor]) -> Result<Vec<&[u8]>, Error> {
    let codes = tensors.iter().map(|t| match t.data() {
        TensorData::U8(v) => Some(&v[..]),
        _ => None,
    });
    codes.collect::<Option<_>>().ok_or_else(|| Error::broken("codes of a column"))
}

fn code(tensor: &Tensor, row: usize) -> Result<u8, Error> {
    match tensor.data() {
        TensorData::U8(v) => v.get(row).copied(),
        _ => None,
    }
    .ok_or_else(|| Error::broken("codes of a column"))
}

/// Rows of small integers and their length.
fn rows_of(tensors: &[Tensor]) -> Result<(&[i16], usize), Error> {
    match tensors.first().map(|t| (t.data(), t.dims())) {
        Some((TensorData::I16(v), &[_, width])) => Ok((v, width)),
        _ => Err(Error::broken("small integers of a row")),
    }
}

fn integers(tensors: &[Tensor], row: usize, width: usize) -> Result<&[i16], Error> {
    let (cells, _) = rows_of(tensors)?;
    cells.get(row * width..(row + 1) * width).ok_or_else(|| Error::broken("small integers of a row"))
}

/// Scores of rows and their number a row, which is not 0.
pub(super) fn scores_of(tensors: &[Tensor]) -> Result<(&[i32], usize), Error> {
    match tensors.first().map(|t| (t.data(), t.dims())) {
        Some((TensorData::I32(v), &[_, width])) if width > 0 => Ok((v, width)),
        _ => Err(Error::broken("a part of the score")),
    }
}

fn i16s(graph: &Graph, value: ValueIdx) -> Result<&[i16], Error> {
    graph.constant(value).and_then(|v| v.data().i16s()).ok_or_else(|| Error::broken("a constant"))
}

pub(super) fn i32s(graph: &Graph, value: ValueIdx) -> Result<&[i32], Error> {
    graph.constant(value).and_then(|v| v.data().i32s()).ok_or_else(|| Error::broken("a constant"))
}

pub(super) fn i64s(graph: &Graph, value: ValueIdx) -> Result<&[i64], Error> {
    graph.constant(value).and_then(|v| v.data().i64s()).ok_or_else(|| Error::broken("a constant"))
}

fn pairs_of(graph: &Graph, value: ValueIdx) -> Result<Vec<Requantize>, Error> {
    Requantize::pairs(i64s(graph, value)?).ok_or_else(|| Error::broken("a constant"))
}
