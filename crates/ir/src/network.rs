//! A network as a file holds it: the graph, how pixels become what it takes, and which output answers.
//!
//! It stands beside [`crate::Model`], whose inputs are columns of a table: a network takes tensors, by the names, dtypes
//! and shapes that its graph states, so its signature says only what a graph cannot.

use crate::{Card, Error, Graph, Kind, Op, Task, ValueIdx};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Where the channels of images stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `[N, channels, height, width]`.
    Nchw,
    /// `[N, height, width, channels]`.
    Nhwc,
}

impl Layout {
    /// Both, in tag order.
    pub const ALL: &'static [Layout] = &[Layout::Nchw, Layout::Nhwc];

    /// Name as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Layout::Nchw => "nchw",
            Layout::Nhwc => "nhwc",
        }
    }
}

/// How pixels of 0 to 255 become numbers: `(pixel * scale - mean) / std`, computed in doubles.
#[derive(Clone, Debug, PartialEq)]
pub struct PixelMap {
    /// A pixel is multiplied by this first; finite.
    pub scale: f64,
    /// Then this is taken away: none for 0, one number, or one a channel; finite.
    pub mean: Vec<f64>,
    /// Then it is divided by this: none for 1, one number, or one a channel; finite and not 0.
    pub std: Vec<f64>,
    /// Where channels stand; none where the shape of the input says it.
    pub layout: Option<Layout>,
}

impl PixelMap {
    /// The number of a pixel in one of the channels 0 to 2.
    pub fn of(&self, channel: usize, pixel: u8) -> f64 {
        let at = |values: &[f64], plain: f64| match values {
            [] => plain,
            [one] => *one,
            _ => values.get(channel).copied().unwrap_or(plain),
        };
        (f64::from(pixel) * self.scale - at(&self.mean, 0.0)) / at(&self.std, 1.0)
    }

    /// What is wrong with it.
    fn fault(&self) -> Option<String> {
        let finite = self.mean.iter().chain(&self.std).chain([&self.scale]).all(|v| v.is_finite());
        let counted = [&self.mean, &self.std].iter().all(|v| matches!(v.len(), 0 | 1 | 3));
        let whole = finite && counted && !self.std.contains(&0.0);
        (!whole).then(|| alloc::format!("{} {:?} {:?}", self.scale, self.mean, self.std))
    }
}

/// What the numbers of the output that answers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    /// One a class, between 0 and 1.
    Probability,
    /// One a class, before the softmax.
    Logit,
    /// One number, which is predicted.
    Value,
}

impl AnswerKind {
    /// Every kind, in tag order.
    pub const ALL: &'static [AnswerKind] = &[AnswerKind::Probability, AnswerKind::Logit, AnswerKind::Value];

    /// Name as printed.
    pub fn name(self) -> &'static str {
        match self {
            AnswerKind::Probability => "probability",
            AnswerKind::Logit => "logit",
            AnswerKind::Value => "value",
        }
    }
}

/// The output that answers the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its place among the outputs.
    pub output: u32,
    /// What its numbers are.
    pub kind: AnswerKind,
}

impl Answer {
    /// The question that it answers, by the numbers that a row has; none if these are not known.
    pub fn task(self, graph: &Graph) -> Option<Task> {
        if self.kind == AnswerKind::Value {
            return Some(Task::Regression);
        }
        let output = graph.outputs().get(self.output as usize)?;
        match graph.value(*output).shape.numbers_of_row()? {
            2 => Some(Task::Binary),
            n if n > 2 => Some(Task::Multiclass),
            _ => None,
        }
    }
}

/// What a network takes and gives, beyond what its graph says.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct NetworkSignature {
    /// The output that answers; none where nobody knows, or where outputs are arrays.
    pub answer: Option<Answer>,
    /// Names of classes in the order of the answer's numbers; empty if they have none.
    pub classes: Vec<String>,
    /// How images become the input; none for inputs that take numbers as they are.
    pub pixels: Option<PixelMap>,
}

/// Inputs regenerated from a seed, the digest of what the network makes of them, and some of it.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkTest {
    /// Seed of the inputs.
    pub seed: u64,
    /// Length of the first axis where a network takes any number of rows.
    pub n_rows: u32,
    /// Length of every other axis that is not fixed.
    pub length: u32,
    /// Digest of all outputs.
    pub digest: u64,
    /// Elements of the outputs, output by output; none of a network that is exact, whose digest says all.
    pub samples: Vec<f64>,
}

/// Everything that the file of a network holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    graph: Graph,
    signature: NetworkSignature,
    /// Where the network comes from.
    pub card: Card,
    /// How to prove it, once that is known.
    pub self_test: Option<NetworkTest>,
}

impl Network {
    /// A network whose signature fits its graph.
    ///
    /// # Errors
    /// `Unstored` for a node with a graph inside; `Graph` for an operator of tables and for a signature that is not that
    /// of the graph.
    pub fn try_new(graph: Graph, signature: NetworkSignature, card: Card) -> Result<Network, Error> {
        check(&graph, &signature)?;
        Ok(Network { graph, signature, card, self_test: None })
    }

    /// Graph and signature, taken out.
    pub fn into_parts(self) -> (Graph, NetworkSignature) {
        (self.graph, self.signature)
    }

    /// What it computes.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// What it takes and gives.
    pub fn signature(&self) -> &NetworkSignature {
        &self.signature
    }
}

fn check(graph: &Graph, signature: &NetworkSignature) -> Result<(), Error> {
    let fail = |what: &str, expected: &dyn ToString, got: &dyn ToString| -> Result<(), Error> {
        let (what, expected, got) = (what.to_string(), expected.to_string(), got.to_string());
        Err(Kind::Graph { what, expected, got }.into())
    };
    for node in graph.nodes() {
        let (name, op) = (node.name.clone(), node.op.payload().name());
        match &node.op {
            Op::Tensor(tensor) if tensor.graphs().is_empty() => {}
            Op::Tensor(_) => return Err(Kind::Unstored { node: name, op }.into()),
            _ => return fail(&alloc::format!("node \"{name}\""), &"operators of networks", &op),
        }
    }
    if graph.inputs().iter().any(|&idx| graph.value(idx).name.is_empty()) {
        return fail("inputs", &"names", &"an input without one");
    }
    if let Some(pixels) = &signature.pixels {
        if let Some(got) = pixels.fault() {
            return fail("pixels", &"finite numbers, none, one or one a channel, no std of 0", &got);
        }
        if graph.inputs().len() != 1 {
            return fail("pixels", &"a network of one input", &graph.inputs().len());
        }
    }
    let Some(answer) = signature.answer else {
        if signature.classes.is_empty() {
            return Ok(());
        }
        return fail("classes", &"none without an output that answers", &signature.classes.len());
    };
    let Some(&output) = graph.outputs().get(answer.output as usize) else {
        return fail("answer", &alloc::format!("one of {} outputs", graph.outputs().len()), &answer.output);
    };
    check_answer(graph, output, answer.kind, signature.classes.len())
}

fn check_answer(graph: &Graph, output: ValueIdx, kind: AnswerKind, n_classes: usize) -> Result<(), Error> {
    let value = graph.value(output);
    let fail = |expected: &str| {
        let what = alloc::format!("answer \"{}\"", value.name);
        let got = alloc::format!("{} {} and {n_classes} classes", value.dtype, value.shape);
        Err(Kind::Graph { what, expected: expected.to_string(), got }.into())
    };
    if !value.dtype.is_float() {
        return fail("floats");
    }
    match (kind, value.shape.numbers_of_row()) {
        (AnswerKind::Value, _) if n_classes > 0 => fail("no classes for one number a row"),
        (AnswerKind::Value, Some(n)) if n != 1 => fail("one number a row"),
        (AnswerKind::Value, _) => Ok(()),
        (_, Some(n)) if n < 2 => fail("one number a class"),
        (_, Some(n)) if n_classes != 0 && n != n_classes => fail("as many classes as numbers a row"),
        _ => Ok(()),
    }
}
