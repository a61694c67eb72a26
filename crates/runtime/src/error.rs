//! Errors of running a graph.

use alloc::boxed::Box;
use alloc::string::String;
use ir::{DType, Nature};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// Another number of columns than the graph has inputs.
    #[error("predict: the model takes {expected} columns, got {got}")]
    Columns {
        /// Inputs of the graph.
        expected: usize,
        /// Columns given.
        got: usize,
    },
    /// A column of another dtype.
    #[error("predict: column \"{name}\": expected {expected}, got {got}")]
    ColumnType {
        /// Name of the input.
        name: String,
        /// Its dtype.
        expected: DType,
        /// The column's dtype.
        got: DType,
    },
    /// Columns of different lengths.
    #[error("predict: column \"{name}\" has {got} rows, the first column has {expected}")]
    ColumnRows {
        /// Name of the input.
        name: String,
        /// Rows of the first column.
        expected: usize,
        /// Rows of this one.
        got: usize,
    },
    /// A network asks for an input that was not given, or it was given one of another kind.
    #[error("predict: input \"{name}\": expected {expected}, got {got}")]
    Input {
        /// Name of the input.
        name: String,
        /// Dtype and shape that the network asks for.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A node of a network does not fit what it is given.
    #[error("predict: node \"{node}\" ({op}): {what}: expected {expected}, got {got}")]
    Node {
        /// Name of the node.
        node: String,
        /// Name of its operator.
        op: &'static str,
        /// What does not fit.
        what: String,
        /// What the operator asks for.
        expected: String,
        /// What stands there.
        got: String,
    },
    /// A node would take more memory than is allowed.
    #[error(
        "predict: node \"{node}\" ({op}) takes {needed} bytes, at most {limit} are left; raise the limit or use a smaller batch"
    )]
    Memory {
        /// Name of the node.
        node: String,
        /// Name of its operator.
        op: &'static str,
        /// Bytes that its outputs take; 0 where they cannot be counted.
        needed: u128,
        /// Bytes that are left.
        limit: usize,
    },
    /// Loops have made more steps than is allowed.
    #[error(
        "predict: node \"{node}\" ({op}) is still running after {limit} steps of all loops; raise the limit"
    )]
    Steps {
        /// Name of the node.
        node: String,
        /// Name of its operator.
        op: &'static str,
        /// The most steps.
        limit: u64,
    },
    /// An instruction set that this machine has not.
    #[error("plan: this machine has no {isa}; leave the choice to the plan, or take scalar")]
    Isa {
        /// Its name.
        isa: &'static str,
    },
    /// An operator where this part of the runtime cannot have it.
    #[error("predict: node \"{node}\" ({op}) is not supported by the {engine} engine")]
    Unsupported {
        /// Name of the node.
        node: String,
        /// Its operator.
        op: &'static str,
        /// The engine that refuses it.
        engine: &'static str,
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
            Kind::Unsupported { .. } | Kind::Isa { .. } => Nature::Unsupported,
            Kind::Columns { .. }
            | Kind::ColumnType { .. }
            | Kind::ColumnRows { .. }
            | Kind::Input { .. }
            | Kind::Node { .. }
            | Kind::Memory { .. }
            | Kind::Steps { .. } => Nature::Input,
        }
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Error {
        Error(Box::new(kind))
    }
}
