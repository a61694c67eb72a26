//! A model: the graph, what it means to people, where it comes from, and how to prove it.

use crate::{DType, Dim, Error, Graph, Kind, Op, OutputRole, Rewrite, Shape, Signature, Task};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Where a model comes from; at most 1 kB in the file, which keeps 512 bytes of the recipe and 8
/// metrics with 48 bytes of each name.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Card {
    /// Digest of the training rows.
    pub data_fingerprint: u64,
    /// Number of training rows.
    pub n_rows: u64,
    /// Seed of the search.
    pub seed: u64,
    /// Units of work done, which `--work` repeats.
    pub work: u64,
    /// The learner and the parameters that were not left at their defaults.
    pub recipe: String,
    /// Figures by name, such as `roc_auc (oof)`.
    pub metrics: Vec<(String, f64)>,
}

/// Rows regenerated from a seed, and the digest of what the model makes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfTest {
    /// Seed of the rows.
    pub seed: u64,
    /// Number of rows.
    pub n_rows: u32,
    /// Digest of all outputs.
    pub digest: u64,
}

/// Everything that a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    graph: Graph,
    signature: Signature,
    /// Where the model comes from.
    pub card: Card,
    /// How to prove it, once that is known.
    pub self_test: Option<SelfTest>,
}

impl Model {
    /// A model whose signature fits its graph.
    ///
    /// # Errors
    /// `Graph` when inputs, outputs or classes of the signature are not those of the graph.
    pub fn try_new(graph: Graph, signature: Signature, card: Card) -> Result<Model, Error> {
        check(&graph, &signature)?;
        Ok(Model { graph, signature, card, self_test: None })
    }

    /// What it computes.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// What it takes and gives, in the user's names.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What it says of one of its targets, by the same nodes, without a self-test: one of several, or the model itself where
    /// there are not several.
    ///
    /// # Errors
    /// None but those of a graph that is not well formed.
    pub fn of_target(&self, target: usize) -> Result<Model, Error> {
        let signature = self.signature.of_target(target);
        if !self.signature.task.is_several() {
            return Model::try_new(self.graph.clone(), signature, self.card.clone());
        }
        let output = |role: &OutputRole| {
            let target = if *role == OutputRole::Score { 0 } else { target };
            let place = self.signature.output_of(*role, target);
            place.and_then(|place| self.graph.outputs().get(place)).copied()
        };
        let outputs: Vec<_> = signature.outputs.iter().filter_map(output).collect();
        let mut rewrite = Rewrite::new(&self.graph)?;
        for node in rewrite.needed_for(&outputs) {
            rewrite.copy(node)?;
        }
        Model::try_new(rewrite.finish_at(&outputs)?, signature, self.card.clone())
    }
}

fn check(graph: &Graph, signature: &Signature) -> Result<(), Error> {
    let fail = |what: &str, expected: &dyn ToString, got: &dyn ToString| -> Result<(), Error> {
        let (what, expected, got) = (what.to_string(), expected.to_string(), got.to_string());
        Err(Kind::Graph { what, expected, got }.into())
    };
    if let Some(node) = graph.nodes().iter().find(|n| matches!(n.op, Op::Tensor(_))) {
        let expected = "operators of tables; a network is a Network";
        return fail(&alloc::format!("node \"{}\"", node.name), &expected, &node.op.payload().name());
    }
    let n_inputs = signature.inputs.len() + signature.joined_inputs().len();
    if graph.inputs().len() != n_inputs {
        return fail("columns of the signature", &graph.inputs().len(), &n_inputs);
    }
    let first = signature.inputs.iter().map(|i| (i, Shape::rows()));
    let second = signature.joined_inputs().iter().map(|i| (i, Shape::other_rows()));
    for (&idx, (input, shape)) in graph.inputs().iter().zip(first.chain(second)) {
        let value = graph.value(idx);
        // The file keeps the empty name for "as the column".
        if value.name.is_empty() && !input.name.is_empty() {
            return fail(&alloc::format!("input of column \"{}\"", input.name), &"a name", &"none");
        }
        if value.dtype != input.graph_dtype() || value.shape != shape {
            return fail(
                &alloc::format!("column \"{}\"", input.name),
                &alloc::format!("{} {shape}", input.graph_dtype()),
                &alloc::format!("{} {}", value.dtype, value.shape),
            );
        }
    }
    if graph.outputs().len() != signature.outputs.len() {
        return fail("outputs of the signature", &graph.outputs().len(), &signature.outputs.len());
    }
    let n_classes = signature.classes.len();
    check_targets(signature)?;
    let n_classes = if signature.task == Task::Multilabel { 2 } else { n_classes };
    for (&idx, role) in graph.outputs().iter().zip(&signature.outputs) {
        let value = graph.value(idx);
        let fits = match role {
            OutputRole::Score => {
                value.dtype == DType::I32
                    && matches!(&value.shape.0[..], [rows, Dim::Fixed(_)] if *rows == Shape::rows().0[0])
            }
            OutputRole::Probability => value.dtype == DType::F32 && value.shape == Shape::rows_by(n_classes),
            OutputRole::Label => value.dtype == DType::I64 && value.shape == Shape::rows(),
            OutputRole::Value | OutputRole::Column => {
                value.dtype == DType::F64 && value.shape == Shape::rows()
            }
        };
        if !fits {
            return fail(
                &alloc::format!("output \"{}\"", role.name()),
                &"the dtype and shape of its role",
                &alloc::format!("{} {}", value.dtype, value.shape),
            );
        }
    }
    let n_columns = signature.outputs.iter().filter(|r| **r == OutputRole::Column).count();
    if signature.columns.len() != n_columns {
        return fail("names of made columns", &n_columns, &signature.columns.len());
    }
    let (classes_fit, expected) = match signature.task {
        Task::Binary => (n_classes == 2, "2"),
        Task::Multiclass => (n_classes >= 3, "3 or more"),
        Task::Regression | Task::Transform => (n_classes == 0, "none"),
        // Each of several targets has its own.
        Task::MultiRegression | Task::Multilabel => (signature.classes.is_empty(), "none"),
    };
    if !classes_fit {
        return fail("classes", &expected, &n_classes);
    }
    if signature.positive.is_some_and(|p| p as usize >= n_classes) {
        return fail("positive class", &"one of the classes", &signature.positive.unwrap_or(0));
    }
    Ok(())
}

/// Refuses several targets whose outputs or classes are not those of the task.
fn check_targets(signature: &Signature) -> Result<(), Error> {
    let fail = |what: &str, expected: &str, got: usize| -> Result<(), Error> {
        Err(Kind::Graph { what: what.to_string(), expected: expected.to_string(), got: got.to_string() }
            .into())
    };
    let (task, n) = (signature.task, signature.targets.len());
    if !task.is_several() {
        return if n == 0 { Ok(()) } else { fail("targets", "none of a task of one target", n) };
    }
    if n < 2 {
        return fail("targets", "2 or more", n);
    }
    let (n_classes, roles) = match task {
        Task::Multilabel => (2, &[OutputRole::Probability, OutputRole::Label][..]),
        _ => (0, &[OutputRole::Value][..]),
    };
    let roles = core::iter::once(&OutputRole::Score).chain(roles.iter().cycle().take(n * roles.len()));
    if !signature.outputs.iter().eq(roles) {
        return fail("outputs", "a score, then those of each target", signature.outputs.len());
    }
    for one in &signature.targets {
        let (expected, got) = (alloc::format!("{n_classes}"), one.classes.len());
        if got != n_classes {
            return fail(&alloc::format!("classes of target \"{}\"", one.name), &expected, got);
        }
        if let Some(positive) = one.positive.filter(|p| *p as usize >= n_classes) {
            return fail("positive class", "one of the classes", positive as usize);
        }
    }
    Ok(())
}
