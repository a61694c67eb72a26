//! Errors of import and export: every refusal names the node, its operator, and what would work.

use ir::Nature;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// Bytes that are no ONNX model or tensor.
    #[error("onnx import: the file is damaged or no ONNX {what}: {why}; export or copy it again")]
    Damaged {
        /// What was being read.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A set of operators in a version that is not known.
    #[error(
        "onnx import: operator set \"{domain}\" version {version} is not supported; export with version {least} to {most}"
    )]
    Opset {
        /// Name of the set; empty is ONNX's own.
        domain: String,
        /// Version of the file.
        version: i64,
        /// First version that is read.
        least: i64,
        /// Last version that is read.
        most: i64,
    },
    /// Something of a node that is not supported.
    #[error("onnx import: node \"{node}\" ({op}, opset {opset}): {what} is not supported; {instead}")]
    Unsupported {
        /// Name of the node, or of its first output.
        node: String,
        /// Its operator.
        op: String,
        /// Version of the set of operators.
        opset: i64,
        /// What is not supported.
        what: String,
        /// What would work.
        instead: String,
    },
    /// A node that is not well formed.
    #[error("onnx import: node \"{node}\" ({op}, opset {opset}): {what}: expected {expected}, got {got}")]
    Node {
        /// Name of the node, or of its first output.
        node: String,
        /// Its operator.
        op: String,
        /// Version of the set of operators.
        opset: i64,
        /// What does not fit.
        what: String,
        /// What is asked for.
        expected: String,
        /// What stands there.
        got: String,
    },
    /// A node that cannot treat the rows of a batch apart.
    #[error(
        "onnx import: node \"{node}\" ({op}): batches of any size are not supported: {what}; export with a symbolic batch"
    )]
    Batch {
        /// Name of the node.
        node: String,
        /// Its operator.
        op: &'static str,
        /// What it does with rows.
        what: String,
    },
    /// A graph that is not well formed.
    #[error("onnx import: {what}: expected {expected}, got {got}")]
    Graph {
        /// What does not fit.
        what: String,
        /// What is asked for.
        expected: String,
        /// What stands there.
        got: String,
    },
    /// A tensor that is not well formed.
    #[error("onnx import: tensor \"{name}\": {what}: expected {expected}, got {got}")]
    Tensor {
        /// Name of the tensor.
        name: String,
        /// What does not fit.
        what: &'static str,
        /// What is asked for.
        expected: String,
        /// What stands there.
        got: String,
    },
    /// Elements that stand in another file and cannot be had.
    #[error("onnx import: tensor \"{name}\": file \"{location}\" of its elements {what}")]
    External {
        /// Name of the tensor.
        name: String,
        /// The file, as the model names it.
        location: String,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// A node of a model that ONNX's operators cannot say.
    #[error("onnx export: node \"{node}\" ({op}): {what} has no form in ONNX that gives the same; {instead}")]
    NotExported {
        /// Name of the node.
        node: String,
        /// Its operator.
        op: &'static str,
        /// What cannot be said.
        what: String,
        /// What would work.
        instead: String,
    },
    /// A model that would be longer than ONNX's files may be.
    #[error(
        "onnx export: the file would have {n_bytes} bytes, at most 2147483647 are allowed; use fewer trees, rows or weights"
    )]
    TooLong {
        /// Bytes that it would have.
        n_bytes: usize,
    },
    /// A key of a file's properties that stands twice.
    #[error("onnx export: property \"{key}\" stands twice; give each key once")]
    Property {
        /// The key.
        key: String,
    },
    /// A node of a model that is not what its operator promises.
    #[error(
        "onnx export: node \"{node}\" ({op}): {what} is not as the operator promises; this is a defect of smidgen"
    )]
    NotAsPromised {
        /// Name of the node.
        node: String,
        /// Its operator.
        op: &'static str,
        /// What does not fit.
        what: &'static str,
    },
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> &Kind {
        &self.0
    }

    /// Whose business it is.
    pub fn nature(&self) -> Nature {
        match *self.0 {
            Kind::Opset { .. }
            | Kind::Unsupported { .. }
            | Kind::Batch { .. }
            | Kind::NotExported { .. }
            | Kind::TooLong { .. } => Nature::Unsupported,
            Kind::NotAsPromised { .. } => Nature::Bug,
            Kind::Damaged { .. }
            | Kind::Node { .. }
            | Kind::Graph { .. }
            | Kind::Tensor { .. }
            | Kind::External { .. }
            | Kind::Property { .. } => Nature::Input,
        }
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Error {
        Error(Box::new(kind))
    }
}
