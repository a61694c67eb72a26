//! A plan: a graph scheduled for speed.
//!
//! Rows run in blocks small enough for the caches: all codes of a block, then the forest, then the
//! links. A graph without a forest is interpreted, block by block. A plan holds everything that can be
//! prepared (sorted keys, hash tables, node arrays) and nothing that changes, so any number of threads may
//! share one.

mod nodes;

use crate::engine::bins::Bins;
use crate::engine::dictionary::Dictionary;
use crate::engine::{BLOCK, Trees};
use crate::error::{Error, Kind};
use crate::reference::{Asked, Held, argmax, check_inputs};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use ir::fixed::link;
use ir::op::{LeastCost, LinkKind};
use ir::{Column, DType, Graph, Node, Op, Origin, Tensor, TensorData, ValueIdx};
use nodes::{Interpreted, Prelude, WholeTable};

/// Where the codes of a feature come from.
#[derive(Clone, Debug)]
enum Coder {
    Bins(Bins),
    Dictionary(Dictionary),
}

/// Where a column of codes starts from.
#[derive(Clone, Copy, Debug)]
enum Start {
    /// A column as given.
    Input(usize),
    /// A value that the prelude computes.
    Computed(usize),
}

/// Codes of one column.
#[derive(Clone, Debug)]
struct CodeStep {
    start: Start,
    coder: Coder,
}

/// What becomes of the scores of a forest.
#[derive(Clone, Debug)]
enum Ending {
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
}

/// A graph ready to run.
#[derive(Clone, Debug)]
pub struct Plan {
    inputs: Vec<Asked>,
    whole: Option<WholeTable>,
    schedule: Schedule,
}

#[derive(Clone, Debug)]
enum Schedule {
    Scored(Box<Scored>),
    Interpreted(Box<Interpreted>),
}

/// Coded columns, one forest, links.
#[derive(Clone, Debug)]
struct Scored {
    prelude: Option<Prelude>,
    codes: Vec<CodeStep>,
    trees: Trees,
    n_outputs: usize,
    endings: Vec<Ending>,
}

impl Plan {
    /// Schedules a graph of coded columns, one forest and links, or any graph without a forest.
    ///
    /// # Errors
    /// `Unsupported` names the node that this engine cannot run.
    pub fn new(graph: &Graph) -> Result<Plan, Error> {
        let whole = WholeTable::new(graph)?;
        let known = whole.as_ref().map_or(Vec::new(), |w| w.known(graph.inputs().len()));
        let has_forest = graph.nodes().iter().any(|n| matches!(n.op, Op::Forest(_)));
        let schedule = if has_forest {
            Schedule::Scored(Box::new(Scored::new(graph, &known)?))
        } else {
            Schedule::Interpreted(Box::new(Interpreted::new(graph, &known)))
        };
        Ok(Plan { inputs: Asked::all(graph), whole, schedule })
    }

    /// Outputs for these columns, in the order of the graph's outputs; equal to the reference
    /// interpreter's byte for byte.
    ///
    /// # Errors
    /// Columns that do not fit the graph's inputs.
    pub fn run(&self, columns: &[Column<'_>]) -> Result<Vec<Tensor>, Error> {
        let n_rows = check_inputs(&self.inputs, columns)?;
        let Some(whole) = &self.whole else { return self.schedule.run(columns, n_rows) };
        let made = whole.run(columns, n_rows)?;
        let all: Vec<Column<'_>> = columns.iter().copied().chain(made.columns()).collect();
        self.schedule.run(&all, n_rows)
    }

    /// True if rows hang on other rows, so that a table must be handed over whole.
    pub fn sees_other_rows(&self) -> bool {
        self.whole.is_some()
    }

    /// Number of coded columns, that is of inputs of the forest; 0 without a forest.
    pub fn n_columns(&self) -> usize {
        match &self.schedule {
            Schedule::Scored(scored) => scored.codes.len(),
            Schedule::Interpreted(_) => 0,
        }
    }
}

impl Schedule {
    fn run(&self, columns: &[Column<'_>], n_rows: usize) -> Result<Vec<Tensor>, Error> {
        match self {
            Schedule::Scored(scored) => scored.run(columns, n_rows),
            Schedule::Interpreted(nodes) => nodes.run(columns, n_rows),
        }
    }
}

impl Scored {
    fn new(graph: &Graph, known: &[(usize, usize)]) -> Result<Scored, Error> {
        let refuse = |node: &Node| -> Error {
            let op = node.op.payload().name();
            Kind::Unsupported { node: node.name.clone(), op, engine: "walking" }.into()
        };
        let maker = |value: ValueIdx| match &graph.value(value).origin {
            Origin::Node(idx) => Some(&graph.nodes()[idx.0 as usize]),
            Origin::Input(_) | Origin::Constant(_) => None,
        };
        let mut forests = graph.nodes().iter().filter_map(|n| match &n.op {
            Op::Forest(forest) => Some((n, forest)),
            _ => None,
        });
        let Some((forest_node, op)) = forests.next() else {
            let (op, engine) = ("graph without a Forest", "walking");
            return Err(Kind::Unsupported { node: "graph".into(), op, engine }.into());
        };
        if let Some((second, _)) = forests.next() {
            return Err(refuse(second));
        }
        let mut codes = Vec::with_capacity(forest_node.inputs.len());
        for &input in &forest_node.inputs {
            let node = maker(input).ok_or_else(|| refuse(forest_node))?;
            let first = *node.inputs.first().ok_or_else(|| refuse(node))?;
            let place = known.iter().find(|(value, _)| *value == first.0 as usize).map(|(_, place)| *place);
            let start = match graph.value(first).origin {
                _ if place.is_some() => Start::Input(place.unwrap_or(0)),
                Origin::Input(column) => Start::Input(column as usize),
                Origin::Node(_) => Start::Computed(first.0 as usize),
                Origin::Constant(_) => return Err(refuse(node)),
            };
            let constant = node.inputs.get(1).and_then(|&i| graph.constant(i)).map(Tensor::data);
            let coder = match (&node.op, constant) {
                (Op::Bin(_), Some(edges)) => Bins::new(edges).map(Coder::Bins),
                (Op::Codes(op), Some(TensorData::Str(keys))) => {
                    Some(Coder::Dictionary(Dictionary::new(keys, op.unseen)))
                }
                _ => None,
            };
            let coder = coder.ok_or_else(|| refuse(node))?;
            codes.push(CodeStep { start, coder });
        }
        let score = forest_node.outputs.first().copied();
        let mut endings = Vec::with_capacity(graph.outputs().len());
        for &output in graph.outputs() {
            if Some(output) == score {
                endings.push(Ending::Scores);
                continue;
            }
            let node = maker(output).ok_or_else(|| refuse(forest_node))?;
            let linked = node.inputs.first().copied().and_then(maker);
            let cost = node.inputs.get(1).and_then(|&i| graph.constant(i)).map(Tensor::data);
            endings.push(match (&node.op, linked, cost) {
                (Op::LeastCost(_), Some(link), Some(TensorData::F64(cost))) => {
                    let ending = Ending::of(link, score).ok_or_else(|| refuse(link))?;
                    Ending::LeastCost { link: Box::new(ending), cost: cost.clone() }
                }
                _ => Ending::of(node, score).ok_or_else(|| refuse(node))?,
            });
        }
        let computed = codes.iter().filter_map(|step| match step.start {
            Start::Computed(value) => Some(value),
            Start::Input(_) => None,
        });
        let computed: Vec<usize> = computed.collect();
        let prelude = (!computed.is_empty()).then(|| Prelude::new(graph, &computed, known));
        let n_outputs = op.forest.n_outputs() as usize;
        Ok(Scored { prelude, codes, trees: Trees::new(&op.forest), n_outputs, endings })
    }

    fn run(&self, columns: &[Column<'_>], n_rows: usize) -> Result<Vec<Tensor>, Error> {
        let mut outputs: Vec<TensorData> =
            self.endings.iter().map(|e| e.empty(n_rows, self.n_outputs)).collect();
        let stride = Trees::stride(n_rows);
        let mut codes = vec![0u8; self.codes.len() * stride];
        let mut scores = vec![0i32; self.n_outputs * BLOCK.min(n_rows)];
        let mut first = 0;
        while first < n_rows {
            let n = BLOCK.min(n_rows - first);
            let computed = self.prelude.as_ref().map(|p| p.run(columns, first, n)).transpose()?;
            for (step, codes) in self.codes.iter().zip(codes.chunks_exact_mut(stride.max(1))) {
                let column = match step.start {
                    Start::Input(column) => columns[column].slice(first, n),
                    Start::Computed(value) => {
                        computed.as_ref().and_then(|c| c[value].as_ref()).and_then(Held::column)
                    }
                };
                let column = column.ok_or_else(nodes::fail)?;
                let codes = &mut codes[..n];
                match &step.coder {
                    Coder::Bins(bins) => bins.codes_into(&column, codes),
                    Coder::Dictionary(dictionary) => dictionary.codes_into(&column, codes),
                }
            }
            let scores = &mut scores[..n * self.n_outputs];
            self.trees.scores_into(&codes, stride, scores);
            for (ending, output) in self.endings.iter().zip(&mut outputs) {
                ending.write(scores, self.n_outputs, first, output);
            }
            first += n;
        }
        let shaped = self.endings.iter().zip(outputs).map(|(ending, data)| {
            let dims = ending.dims(n_rows, self.n_outputs);
            Tensor::try_new(dims, data)
        });
        shaped.collect::<Option<_>>().ok_or_else(|| {
            let (op, engine) = ("a shape that does not hold", "walking");
            Kind::Unsupported { node: "graph".into(), op, engine }.into()
        })
    }
}

impl Ending {
    /// What a node makes of the scores; `None` for nodes on other values and other operators.
    fn of(node: &Node, score: Option<ValueIdx>) -> Option<Ending> {
        if node.inputs.first().copied() != score {
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

    fn dims(&self, n_rows: usize, width: usize) -> Vec<usize> {
        match self {
            Ending::Scores | Ending::Softmax { .. } => vec![n_rows, width],
            Ending::Share { .. } => vec![n_rows, if width == 1 { 2 } else { width }],
            Ending::Logistic { .. } => vec![n_rows, 2],
            Ending::Linear { .. }
            | Ending::Exponential { .. }
            | Ending::ArgMax
            | Ending::Threshold { .. }
            | Ending::LeastCost { .. } => vec![n_rows],
        }
    }

    fn dtype(&self) -> DType {
        match self {
            Ending::Scores => DType::I32,
            Ending::Logistic { .. } | Ending::Softmax { .. } | Ending::Share { .. } => DType::F32,
            Ending::Linear { .. } | Ending::Exponential { .. } => DType::F64,
            Ending::ArgMax | Ending::Threshold { .. } | Ending::LeastCost { .. } => DType::I64,
        }
    }

    fn empty(&self, n_rows: usize, width: usize) -> TensorData {
        let n = self.dims(n_rows, width).iter().product();
        match self.dtype() {
            DType::I32 => TensorData::I32(vec![0; n]),
            DType::F32 => TensorData::F32(vec![0.0; n]),
            DType::F64 => TensorData::F64(vec![0.0; n]),
            _ => TensorData::I64(vec![0; n]),
        }
    }

    /// Writes what becomes of the scores of rows `first..`.
    fn write(&self, scores: &[i32], width: usize, first: usize, output: &mut TensorData) {
        match (self, output) {
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
                let n_classes = link.dims(n, width).get(1).copied().unwrap_or(1);
                for (out, p) in out[first..].iter_mut().zip(p.chunks_exact(n_classes.max(1))) {
                    *out = LeastCost::of(p.iter().map(|&p| f64::from(p)), cost) as i64;
                }
            }
            // `empty` made each output of its ending's dtype.
            _ => {}
        }
    }
}
