//! What the rows of a self-test are drawn from: a graph's own constants, by column.
//!
//! Who draws them, in any language, draws the same rows from the same constants.

use crate::fixed::round_i64;
use crate::op::{Arithmetic, TimePart};
use crate::{DType, Dim, Error, Graph, Kind, Node, Op, Tensor, TensorData, ValueIdx};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// What the cells of a column are drawn from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source<'g> {
    /// Integers: edges, and numbers near which integers change.
    Whole {
        /// The numbers.
        numbers: Vec<i64>,
        /// Whether the column is a point in time.
        is_time: bool,
    },
    /// Doubles: edges, and numbers near which integers change.
    Real(Vec<f64>),
    /// Text.
    Text {
        /// Keys of categories.
        keys: &'g [String],
        /// Terms of a vocabulary, of a column that is read as text.
        terms: Option<&'g [String]>,
        /// How it is read as a point in time.
        time: Option<TimePart>,
        /// Whether rows are found by it, so that they share keys.
        is_shared: bool,
    },
}

impl<'g> Source<'g> {
    /// The same, drawn as integers where that is asked for: each number is its floor.
    pub fn whole(self, is_whole: bool) -> Source<'g> {
        match self {
            Source::Real(numbers) if is_whole => {
                let numbers = numbers.iter().map(|&x| floor_i64(x)).collect();
                Source::Whole { numbers, is_time: false }
            }
            other => other,
        }
    }
}

/// The largest integer that is not above a number; 0 for NaN, the ends for what is beyond them.
pub fn floor_i64(x: f64) -> i64 {
    // The cast goes towards 0.
    let whole = x as i64;
    if (whole as f64) > x { whole.saturating_sub(1) } else { whole }
}

/// What the cells of each input of a graph are drawn from, in order.
///
/// # Errors
/// `Unknown` for an input of a dtype that has no generator.
pub fn sources(graph: &Graph) -> Result<Vec<Source<'_>>, Error> {
    let beside = constants_beside(graph);
    let near = numbers_near(graph);
    let times = times_read(graph);
    let shared = shared_keys(graph);
    let texts = texts_read(graph);
    let source = |&input: &ValueIdx| {
        let at = input.0 as usize;
        let constant = beside[at].and_then(|c| graph.constant(c)).map(Tensor::data);
        match graph.value(input).dtype {
            DType::I64 => {
                let edges = if let Some(TensorData::I64(v)) = constant { &v[..] } else { &[] };
                let near = near[at].iter().map(|&x| round_i64(x));
                let numbers = edges.iter().copied().chain(near).collect();
                Ok(Source::Whole { numbers, is_time: times[at].is_some() })
            }
            DType::F64 => {
                let edges = if let Some(TensorData::F64(v)) = constant { &v[..] } else { &[] };
                Ok(Source::Real(edges.iter().chain(&near[at]).copied().collect()))
            }
            DType::Str => {
                let keys = if let Some(TensorData::Str(v)) = constant { &v[..] } else { &[] };
                Ok(Source::Text { keys, terms: texts[at], time: times[at], is_shared: shared[at] })
            }
            other => {
                let what = alloc::format!("self-test rows for an input of dtype {other}");
                Err(Kind::Unknown { what }.into())
            }
        }
    };
    graph.inputs().iter().map(source).collect()
}

/// By value: for a column that is read as text the terms of its first vocabulary, which may be none.
fn texts_read(graph: &Graph) -> Vec<Option<&[String]>> {
    let mut texts: Vec<Option<&[String]>> = vec![None; graph.values().len()];
    for node in graph.nodes().iter().rev() {
        let Some(value) = node.inputs.first() else { continue };
        let text = &mut texts[value.0 as usize];
        match &node.op {
            Op::Tokens(_) => {
                let constant = node.inputs.get(1).and_then(|&c| graph.constant(c)).map(Tensor::data);
                if let Some(TensorData::Str(terms)) = constant {
                    *text = Some(terms);
                }
            }
            Op::HashTokens(_) | Op::TextPart(_) => *text = text.or(Some(&[])),
            _ => {}
        }
    }
    texts
}

/// By value: how the first consumer reads a point in time, if it does.
fn times_read(graph: &Graph) -> Vec<Option<TimePart>> {
    let mut times = vec![None; graph.values().len()];
    for node in graph.nodes().iter().rev() {
        if let (Some(value), Op::TimePart(part)) = (node.inputs.first(), &node.op) {
            times[value.0 as usize] = Some(*part);
        }
    }
    times
}

/// By value: whether rows are found by it.
fn shared_keys(graph: &Graph) -> Vec<bool> {
    let mut shared = vec![false; graph.values().len()];
    for node in graph.nodes() {
        let places = match &node.op {
            Op::Past(_) => [2, 2],
            Op::Related(related) => [related.places().key, related.places().other_key],
            _ => continue,
        };
        for value in places.iter().filter_map(|&place| node.inputs.get(place)) {
            shared[value.0 as usize] = true;
        }
    }
    shared
}

/// By value: what the first consumer that takes a constant beside it takes.
fn constants_beside(graph: &Graph) -> Vec<Option<ValueIdx>> {
    let mut beside = vec![None; graph.values().len()];
    for node in graph.nodes().iter().rev() {
        if let (Some(value), Some(&constant)) = (node.inputs.first(), node.inputs.get(1))
            && graph.constant(constant).is_some()
        {
            beside[value.0 as usize] = Some(constant);
        }
        if let Op::Related(related) = &node.op {
            let places = related.places();
            let by = places.keys.and(places.value).and_then(|place| node.inputs.get(place));
            if let Some(by) = by {
                beside[by.0 as usize] = places.keys.and_then(|place| node.inputs.get(place)).copied();
            }
        }
    }
    beside
}

/// By value: the numbers where integers of a `QuantizeLinear` made of it change: at the center, at a tie on each
/// side, where they end, and at the cells of the first [`KNOWN_ROWS`] rows that they are compared with; and the
/// edges of a `Bin` behind a `Cast`.
fn numbers_near(graph: &Graph) -> Vec<Vec<f64>> {
    let mut near: Vec<Vec<f64>> = vec![Vec::new(); graph.values().len()];
    let doubles = |node: &Node| match graph.constant(*node.inputs.get(1)?)?.data() {
        TensorData::F64(v) => Some(&v[..]),
        _ => None,
    };
    let uncast = |value: ValueIdx| match graph.maker(value) {
        Some(node) if matches!(node.op, Op::Cast(_)) => node.inputs.first().copied().unwrap_or(value),
        _ => value,
    };
    let compared = rows_compared(graph);
    for node in graph.nodes() {
        let (Some(&first), Some(constants)) = (node.inputs.first(), doubles(node)) else { continue };
        match node.op {
            Op::Bin(_) if uncast(first) != first => {
                let near = &mut near[uncast(first).0 as usize];
                near.extend(constants.iter().take(MAX_NEAR.saturating_sub(near.len())));
            }
            Op::QuantizeLinear(op) => {
                let Some(mut away) = graph.maker(first) else { continue };
                let mut centers: &[f64] = &[];
                if let (Op::Arithmetic(Arithmetic::Sub), Some(constant)) = (&away.op, doubles(away)) {
                    centers = constant;
                    let Some(rows) = away.inputs.first().and_then(|&i| graph.maker(i)) else { continue };
                    away = rows;
                }
                if !matches!(away.op, Op::Columns(_)) {
                    continue;
                }
                let known = node.outputs.first().and_then(|o| compared[o.0 as usize]).unwrap_or_default();
                let mut at = 0;
                for &input in &away.inputs {
                    let width = match graph.value(input).shape.0[..] {
                        [_, Dim::Fixed(width)] => width,
                        _ => 1,
                    };
                    if let (1, Some(&scale)) = (graph.value(input).shape.rank(), constants.get(at)) {
                        let center = centers.get(at).copied().unwrap_or(0.0);
                        let most = f64::from(op.most());
                        let cells = known.iter().skip(at).step_by(constants.len()).take(KNOWN_ROWS);
                        let steps = [0.0, -0.5, 0.5, most - 0.5, 0.5 - most];
                        let steps = steps.into_iter().chain(cells.map(|&cell| f64::from(cell)));
                        let numbers = steps.map(|step| center + step * scale).filter(|x| !x.is_nan());
                        let near = &mut near[uncast(input).0 as usize];
                        near.extend(numbers.take(MAX_NEAR.saturating_sub(near.len())));
                    }
                    at += width;
                }
            }
            _ => {}
        }
    }
    near
}

/// Most numbers that one column is drawn from: a hostile file must not ask for many by many nodes.
const MAX_NEAR: usize = 1 << 12;

/// Rows whose cells numbers are drawn from.
const KNOWN_ROWS: usize = 8;

/// By value: the known rows that its first consumer compares it with.
fn rows_compared(graph: &Graph) -> Vec<Option<&[i16]>> {
    let mut compared = vec![None; graph.values().len()];
    for node in graph.nodes().iter().rev() {
        if let (Op::NearestRows(_) | Op::RbfSums(_), [rows, known, ..]) = (&node.op, &node.inputs[..])
            && let Some(TensorData::I16(cells)) = graph.constant(*known).map(Tensor::data)
        {
            compared[rows.0 as usize] = Some(&cells[..]);
        }
    }
    compared
}
