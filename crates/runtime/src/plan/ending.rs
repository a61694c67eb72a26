//! What becomes of scores: links, decisions, and the scores themselves.

use crate::cost::{Counts, Operation};
use crate::reference::argmax;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use ir::fixed::link;
use ir::op::{LeastCost, LinkKind};
use ir::{DType, Graph, Node, Op, Tensor, TensorData, ValueIdx};

/// One output of a graph.
#[derive(Clone, Debug)]
pub(super) enum Ending {
    Scores,
    Logistic {
        shift: u32,
    },
    Softmax {
        shift: u32,
    },
    Share {
        offset: i64,
    },
    Linear {
        shift: i16,
        offset: i64,
    },
    Exponential {
        shift: u32,
    },
    ArgMax,
    Threshold {
        above: i32,
    },
    /// Of the probabilities that another ending makes.
    LeastCost {
        link: Box<Ending>,
        cost: Vec<f64>,
    },
    /// What another ending makes of one of the scores alone.
    OfOne {
        output: usize,
        ending: Box<Ending>,
    },
}

/// The scores that an output is made of: those that its link or decision takes, or the output itself.
pub(super) fn score_of(graph: &Graph, output: ValueIdx) -> ValueIdx {
    let taken = taken(graph, output);
    gathered(graph, taken).map_or(taken, |(score, _)| score)
}

/// What a link or a decision takes, or the output itself.
fn taken(graph: &Graph, output: ValueIdx) -> ValueIdx {
    let Some(node) = graph.maker(output) else { return output };
    let first = node.inputs.first().copied();
    match &node.op {
        Op::Link(_) | Op::ArgMax(_) | Op::Threshold(_) => first.unwrap_or(output),
        Op::LeastCost(_) => {
            let link = first.and_then(|i| graph.maker(i));
            link.and_then(|link| link.inputs.first().copied()).unwrap_or(output)
        }
        _ => output,
    }
}

/// The scores that one score is gathered from, and which of them it is.
fn gathered(graph: &Graph, one: ValueIdx) -> Option<(ValueIdx, usize)> {
    let node = graph.maker(one).filter(|node| matches!(node.op, Op::Gather(_)))?;
    let score = *node.inputs.first()?;
    let at = graph.constant(*node.inputs.get(1)?)?;
    match (graph.value(score).dtype, at.data(), at.dims()) {
        (DType::I32, TensorData::I64(at), [1]) => Some((score, usize::try_from(*at.first()?).ok()?)),
        _ => None,
    }
}

impl Ending {
    /// What an output is to the scores; else the node that is something else.
    pub(super) fn of(graph: &Graph, output: ValueIdx, score: ValueIdx) -> Result<Ending, Option<&Node>> {
        if output == score {
            return Ok(Ending::Scores);
        }
        let one = taken(graph, output);
        if let Some((of, at)) = gathered(graph, one)
            && of == score
        {
            let ending = Box::new(Ending::of(graph, output, one)?);
            return Ok(Ending::OfOne { output: at, ending });
        }
        let node = graph.maker(output).ok_or(None)?;
        let linked = node.inputs.first().and_then(|&i| graph.maker(i));
        let cost = node.inputs.get(1).and_then(|&i| graph.constant(i)).map(Tensor::data);
        match (&node.op, linked, cost) {
            (Op::LeastCost(_), Some(link), Some(TensorData::F64(cost))) => {
                let ending = Ending::linked(link, score).ok_or(Some(link))?;
                Ok(Ending::LeastCost { link: Box::new(ending), cost: cost.clone() })
            }
            _ => Ending::linked(node, score).ok_or(Some(node)),
        }
    }

    /// What a node makes of the scores; `None` for nodes on other values and other operators.
    fn linked(node: &Node, score: ValueIdx) -> Option<Ending> {
        if node.inputs.first() != Some(&score) {
            return None;
        }
        Some(match &node.op {
            Op::Link(l) => match l.kind {
                LinkKind::Logistic => Ending::Logistic { shift: l.shift.unsigned_abs().into() },
                LinkKind::Softmax => Ending::Softmax { shift: l.shift.unsigned_abs().into() },
                LinkKind::Share => Ending::Share { offset: l.offset },
                LinkKind::Linear => Ending::Linear { shift: l.shift, offset: l.offset },
                LinkKind::Exponential => Ending::Exponential { shift: l.shift.unsigned_abs().into() },
            },
            Op::ArgMax(_) => Ending::ArgMax,
            Op::Threshold(t) => Ending::Threshold { above: t.above },
            _ => return None,
        })
    }

    pub(super) fn count(&self, width: usize, counts: &mut Counts) {
        match self {
            Ending::Logistic { .. } | Ending::Exponential { .. } => counts.add(Operation::Probability, 1),
            Ending::Softmax { .. } => counts.add(Operation::Probability, width),
            Ending::Scores | Ending::ArgMax | Ending::Share { .. } => {
                counts.add(Operation::OutputValue, width)
            }
            Ending::Linear { .. } | Ending::Threshold { .. } => counts.add(Operation::OutputValue, 1),
            Ending::LeastCost { link, cost } => {
                link.count(width, counts);
                counts.add(Operation::OutputValue, cost.len());
            }
            Ending::OfOne { ending, .. } => ending.count(1, counts),
        }
    }

    pub(super) fn dims(&self, n_rows: usize, width: usize) -> Vec<usize> {
        match self.row_width(width) {
            Some(of_row) => vec![n_rows, of_row],
            None => vec![n_rows],
        }
    }

    /// Values of a row, where they are an axis.
    fn row_width(&self, width: usize) -> Option<usize> {
        match self {
            Ending::OfOne { ending, .. } => ending.row_width(1),
            Ending::Scores | Ending::Softmax { .. } => Some(width),
            Ending::Share { .. } => Some(if width == 1 { 2 } else { width }),
            Ending::Logistic { .. } => Some(2),
            Ending::Linear { .. }
            | Ending::Exponential { .. }
            | Ending::ArgMax
            | Ending::Threshold { .. }
            | Ending::LeastCost { .. } => None,
        }
    }

    fn dtype(&self) -> DType {
        match self {
            Ending::Scores => DType::I32,
            Ending::Logistic { .. } | Ending::Softmax { .. } | Ending::Share { .. } => DType::F32,
            Ending::Linear { .. } | Ending::Exponential { .. } => DType::F64,
            Ending::ArgMax | Ending::Threshold { .. } | Ending::LeastCost { .. } => DType::I64,
            Ending::OfOne { ending, .. } => ending.dtype(),
        }
    }

    pub(super) fn empty(&self, n_rows: usize, width: usize) -> TensorData {
        let n = n_rows * self.row_width(width).unwrap_or(1);
        match self.dtype() {
            DType::I32 => TensorData::I32(vec![0; n]),
            DType::F32 => TensorData::F32(vec![0.0; n]),
            DType::F64 => TensorData::F64(vec![0.0; n]),
            _ => TensorData::I64(vec![0; n]),
        }
    }

    /// Writes what becomes of the scores of rows `first..`.
    pub(super) fn write(&self, scores: &[i32], width: usize, first: usize, output: &mut TensorData) {
        match (self, output) {
            (Ending::OfOne { output: at, ending }, out) => {
                let own: Vec<i32> = scores.iter().skip(*at).step_by(width).copied().collect();
                ending.write(&own, 1, first, out);
            }
            (Ending::Scores, TensorData::I32(out)) => {
                out[first * width..first * width + scores.len()].copy_from_slice(scores);
            }
            (Ending::Logistic { shift }, TensorData::F32(out)) => {
                for (out, &score) in out[2 * first..].chunks_exact_mut(2).zip(scores) {
                    out.copy_from_slice(&link::logistic(score, *shift));
                }
            }
            (Ending::Softmax { shift }, TensorData::F32(out)) => {
                let rows = out[first * width..].chunks_exact_mut(width);
                for (out, scores) in rows.zip(scores.chunks_exact(width)) {
                    link::softmax(scores, *shift, out);
                }
            }
            (Ending::Share { offset }, TensorData::F32(out)) => {
                let n = if width == 1 { 2 } else { width };
                let rows = out[first * n..].chunks_exact_mut(n);
                for (out, scores) in rows.zip(scores.chunks_exact(width)) {
                    link::share(scores, *offset, out);
                }
            }
            (Ending::Linear { shift, offset }, TensorData::F64(out)) => {
                for (out, &score) in out[first..].iter_mut().zip(scores) {
                    *out = link::linear(score, *offset, *shift);
                }
            }
            (Ending::Exponential { shift }, TensorData::F64(out)) => {
                for (out, &score) in out[first..].iter_mut().zip(scores) {
                    *out = link::exponential(score, *shift);
                }
            }
            (Ending::ArgMax, TensorData::I64(out)) => {
                for (out, scores) in out[first..].iter_mut().zip(scores.chunks_exact(width)) {
                    *out = argmax(scores);
                }
            }
            (Ending::Threshold { above }, TensorData::I64(out)) => {
                for (out, &score) in out[first..].iter_mut().zip(scores) {
                    *out = i64::from(score > *above);
                }
            }
            (Ending::LeastCost { link, cost }, TensorData::I64(out)) => {
                let n = scores.len().checked_div(width).unwrap_or(0);
                let mut linked = link.empty(n, width);
                link.write(scores, width, 0, &mut linked);
                let TensorData::F32(p) = &linked else { return };
                let n_classes = link.row_width(width).unwrap_or(1);
                for (out, p) in out[first..].iter_mut().zip(p.chunks_exact(n_classes.max(1))) {
                    *out = LeastCost::of(p.iter().map(|&p| f64::from(p)), cost) as i64;
                }
            }
            // `empty` made each output of its ending's dtype.
            _ => {}
        }
    }
}
